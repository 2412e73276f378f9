"""Promises of the stack's queue storage."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from devstack.azurite import NODE_FOLDER, Azurite, install
from devstack.processes import ChildError

QUEUE = "pos-transactions"


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Azurite]:
    """Give running queues in memory."""
    azurite = Azurite(tmp_path)
    azurite.start()
    yield azurite
    azurite.stop()


def test_a_message_goes_through_a_queue_of_the_stock_sdk(in_memory: Azurite) -> None:
    """The SDK is used as in Azure, with no switch for the version of the API."""
    with QueueClient.from_connection_string(in_memory.connection_string, QUEUE) as queue:
        queue.create_queue()
        queue.send_message("a sale")

        received = queue.receive_message()
        assert received is not None
        queue.delete_message(received)

        assert received.content == "a sale"
        assert queue.get_queue_properties().approximate_message_count == 0


def test_queues_in_memory_start_empty(in_memory: Azurite) -> None:
    """At the same address."""
    with QueueClient.from_connection_string(in_memory.connection_string, QUEUE) as queue:
        queue.create_queue()

        in_memory.restart()

        with pytest.raises(ResourceNotFoundError):
            queue.get_queue_properties()


def test_kept_queues_are_there_after_a_restart_at_the_same_address(tmp_path: Path) -> None:
    azurite = Azurite(tmp_path, keep=True)
    azurite.start()
    with QueueClient.from_connection_string(azurite.connection_string, QUEUE) as queue:
        queue.create_queue()
        queue.send_message("a sale")

        azurite.restart()

        contents = [message.content for message in queue.peek_messages()]
    azurite.stop()
    assert contents == ["a sale"]


def test_azurite_is_installed_once(in_memory: Azurite) -> None:
    """A start installs it when needed; after that there is nothing to do."""
    assert in_memory.pid
    assert install() is False


def test_an_install_that_fails_shows_the_installers_words_and_is_tried_again(tmp_path: Path) -> None:
    """Nothing marks the folder as installed."""
    (tmp_path / "package.json").write_text("not JSON")
    (tmp_path / "package-lock.json").write_text("{}")

    for _ in range(2):
        with pytest.raises(ChildError, match="npm error code EJSONPARSE"):
            install(tmp_path)


def test_the_lock_file_binds_content_and_no_registry() -> None:
    """So that it installs the same bytes through any mirror."""
    packages = json.loads((NODE_FOLDER / "package-lock.json").read_text())["packages"]
    installed = {path: entry for path, entry in packages.items() if path}

    assert "node_modules/azurite" in installed
    assert not [path for path, entry in installed.items() if "integrity" not in entry or "resolved" in entry]
