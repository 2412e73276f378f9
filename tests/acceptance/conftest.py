"""One stack and one functions host for the session; each test has a tenant of its own."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.stack import Host, Stack
from ocs.db.migrate import migrate
from tests.acceptance.scene import Scene

QUICK = {
    "OCS_SWEEP_SCHEDULE": "* * * * * *",
    "OCS_POSITIONS_SCHEDULE": "0 0 0 1 1 *",
    "OCS_CATALOGUE_SCHEDULE": "0 0 0 1 1 *",
    "OCS_SHIPPING_SCHEDULE": "0 0 0 1 1 *",
    "OCS_LEASE_SECONDS": "9",
    "OCS_POST_TIMEOUT_SECONDS": "4",
    "OCS_RETRY_SCHEDULE": "1,2,3",
    "OCS_BREAKER_OPEN_SECONDS": "1",
    "OCS_CREDENTIALS_WAIT_SECONDS": "2",
}
"""Production's rules with shorter waits: a test need not sit through the real minute. Nights come when a test says."""
HIDDEN = ("--hidden", "8")
"""Seconds that a killed host's messages stay out of sight; ten minutes in Azure."""
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run Postgres, Azurite, the vault and the regulator stand-in, migrated."""
    folder: Path = tmp_path_factory.mktemp("stack")
    with Stack(folder) as running:
        before = dict(os.environ)
        os.environ.update(running.app_env())  # the scenes use the app's own vault client to arrange their secrets
        migrate(running.postgres.url())
        yield running
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def host(stack: Stack) -> Host:
    """Run the real function_app.py in the functions host."""
    return stack.start_host(QUICK, "host", *HIDDEN)


@pytest.fixture
def scene(stack: Stack, host: Host) -> Iterator[Scene]:
    """Give a tenant of two stores, known to the regulator and onboarded, and a POS that sells in them."""
    number = next(NUMBERS)
    own = Scene(stack, host, number)
    asyncio.run(own.arrange())
    yield own
    own.close()
