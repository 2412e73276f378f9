"""One Azurite for all tests of the functions host; queues, journal and gate of its own for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.azurite import Azurite
from tests.integration.devstack.functions_host.sample_host import SampleHost


@pytest.fixture(scope="package")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Run one Azurite."""
    azurite = Azurite(tmp_path_factory.mktemp("azurite"))
    azurite.start()
    yield azurite
    azurite.stop()


@pytest.fixture
def sample(storage: Azurite, tmp_path: Path) -> Iterator[SampleHost]:
    """Give a sample host that does not run yet."""
    host = SampleHost(tmp_path, storage.connection_string)
    yield host
    host.close()
