"""The sample app under the functions host: started, fed, watched, stopped."""

import base64
import json
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from azure.core.exceptions import AzureError
from azure.storage.queue import QueueClient, QueueServiceClient

from devstack.processes import Child, clean_environment, stand_in_command

SAMPLE_APP = Path(__file__).parent.parent / "sample_app"
SECONDS = 20
KEY = "the-function-key"
NEVER = "0 0 0 1 1 *"
"""A schedule for tests that want no tick: once a year."""
Found = TypeVar("Found")


def until(probe: Callable[[], Found | None], what: str) -> Found:
    """Ask until there is an answer that is true; fails when there is none in time."""
    deadline = time.monotonic() + SECONDS
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


class SampleHost:
    """One functions host with queues, a journal and a gate of its own."""

    def __init__(self, folder: Path, storage: str) -> None:
        """Copy the sample app, so that its host.json may be changed; nothing runs."""
        self._folder = folder
        self._app = folder / "app"
        self._storage = storage
        self._prefix = f"t{uuid.uuid4().hex[:12]}"
        self._service = QueueServiceClient.from_connection_string(storage)
        self._children: list[Child] = []
        self.url = ""
        self.ready: dict[str, Any] = {}
        shutil.copytree(SAMPLE_APP, self._app, ignore=shutil.ignore_patterns("__pycache__"))

    def start(self, *options: str, queues: dict[str, Any] | None = None, **settings: str | None) -> Child:
        """Start a host; `queues` changes host.json, settings join the environment (None: out). Raises ChildError."""
        child = self.child(*options, queues=queues, **settings)
        self.ready = dict(child.start(SECONDS))
        self.url = self.ready["url"]
        return child

    def child(self, *options: str, queues: dict[str, Any] | None = None, **settings: str | None) -> Child:
        """Describe a host that does not run yet."""
        content = json.loads((SAMPLE_APP / "host.json").read_text())
        content["extensions"]["queues"] |= queues or {}
        (self._app / "host.json").write_text(json.dumps(content))
        environment: dict[str, str | None] = {
            **clean_environment(),
            "SAMPLE_JOURNAL": str(self._folder / "journal"),
            "SAMPLE_GATE": str(self._folder / "gate"),
            "SAMPLE_PREFIX": self._prefix,
            "SAMPLE_SCHEDULE": NEVER,
            "SAMPLE_STORAGE": self._storage,
            **settings,
        }
        command = stand_in_command("host", "--app", str(self._app), "--port", "0", "--function-key", KEY, *options)
        name = f"host{len(self._children)}"
        there = {name: value for name, value in environment.items() if value is not None}
        child = Child(name, self._folder, command, environment=there)
        self._children.append(child)
        return child

    def close(self) -> None:
        """Kill what still runs."""
        for child in self._children:
            child.kill()
        self._service.close()

    def open_gate(self, runs: int = 1_000_000) -> None:
        """Let the first so many runs go on that were told to hold."""
        new = self._folder / "gate.new"
        new.write_text(str(runs))
        new.replace(self._folder / "gate")

    def log(self) -> str:
        """Give what the last host has written on stderr."""
        return self._children[-1].log.read_text()

    def stdout(self) -> str:
        """Give what the last host has written on stdout."""
        return self._children[-1].log.with_suffix(".stdout").read_text()

    def notes(self, function: str, **wanted: object) -> list[dict[str, Any]]:
        """Give the journal's lines of one function that hold these values, in order."""
        journal = self._folder / "journal"
        whole = journal.read_text().split("\n")[:-1] if journal.exists() else []
        lines = [json.loads(line) for line in whole]
        wanted |= {"function": function}
        return [line for line in lines if all(line.get(name) == value for name, value in wanted.items())]

    def noted(self, function: str, count: int = 1, **wanted: object) -> list[dict[str, Any]]:
        """Wait until there are so many such lines."""

        def enough() -> list[dict[str, Any]] | None:
            lines = self.notes(function, **wanted)
            return lines if len(lines) >= count else None

        return until(enough, f"{count} x {function} {wanted}")

    def queue(self, name: str) -> QueueClient:
        """Give the SDK's own client of one of this host's queues."""
        return self._service.get_queue_client(f"{self._prefix}-{name}")

    def put(self, name: str, text: str, *, hidden_seconds: int = 0) -> str:
        """Put a message; gives its id."""
        return str(self.queue(name).send_message(text, visibility_timeout=hidden_seconds).id)

    def put_base64(self, name: str, text: str) -> None:
        """Put a message as a sender does that encodes."""
        self.put(name, base64.b64encode(text.encode()).decode())

    def waiting(self, name: str) -> int:
        """Count a queue's messages, hidden ones too."""
        return int(self.queue(name).get_queue_properties().approximate_message_count or 0)

    def waiting_or_none(self, name: str) -> int | None:
        """Count a queue's messages; None when there is no such queue, or nobody to ask."""
        try:
            return self.waiting(name)
        except AzureError:
            return None

    def emptied(self, name: str) -> None:
        """Wait until a queue holds nothing, hidden or not."""
        until(lambda: self.waiting(name) == 0, f"an empty queue {name}")

    def texts(self, name: str, count: int) -> list[str]:
        """Wait until so many messages can be seen; gives their texts, sorted."""

        def enough() -> list[str] | None:
            if not self.waiting_or_none(name):
                return None
            texts = [str(one.content) for one in self.queue(name).peek_messages(32)]
            return sorted(texts) if len(texts) >= count else None

        return until(enough, f"{count} messages on {name}")
