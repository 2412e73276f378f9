"""One stand-in for all of its tests, side by side; a store of its own for each."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from devstack.processes import Child, stand_in_command
from tests.integration.devstack.regulator_stand_in.retailer import Retailer
from tests.integration.devstack.regulator_stand_in.store import Store

NewStore = Callable[..., Store]
_crols = count(2_000_000)


@pytest.fixture(scope="package")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the stand-in; give its URL."""
    child = Child("regulator", tmp_path_factory.mktemp("regulator"), stand_in_command("regulator", "--port", "0"))
    yield child.start()["url"]
    child.stop()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """Give a stand-in of the test's own that does not run yet."""
    own = Child("regulator", tmp_path, stand_in_command("regulator", "--port", "0"))
    yield own
    own.stop()


@pytest.fixture
def new_store(url: str) -> Iterator[NewStore]:
    """Give a maker of stores."""
    made = []

    def make(at: str = url, expires_in: float = 3600, crol: str = "CROL1234567") -> Store:
        made.append(Store(at, expires_in, crol))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(new_store: NewStore) -> Store:
    """Give one store."""
    return new_store()


@pytest.fixture
def retailer(new_store: NewStore) -> Retailer:
    """Give a retailer of two stores, in a CROL that no other test uses."""
    crol = f"CROL{next(_crols)}"
    return Retailer(crol, new_store(crol=crol), new_store(crol=crol))
