"""What the tests of onboarding share: a second tenant, callers with a role, and a look at all rows there are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.web.roles import Role
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, Platform
from tests.integration.pos import rows

OTHER_CROL, OTHER_STORE, NEW_STORE = "CROL7654321", "CRSA9999999", "CRSA4444444"
LADDER = (Role.VIEWER, Role.STAFF, Role.MANAGER, Role.TENANT_ADMIN)


def a_store(platform: Platform, **changes: Any) -> dict[str, Any]:
    """Describe a new store."""
    return dict(platform.tenant()["stores"][0]) | {"crsa": NEW_STORE, "already_reporting": False} | changes


async def tenant_id_of(runtime: Runtime, crol: str = CROL) -> UUID:
    """Give a tenant's id."""
    (row,) = await rows(runtime, f"select tenant_id from tenants where crol = '{crol}'")  # noqa: S608 - a constant
    tenant_id: UUID = row["tenant_id"]
    return tenant_id


async def add_other_tenant(runtime: Runtime, platform: Platform, **changes: Any) -> UUID:
    """Take on a second tenant with one store; gives its id."""
    described = platform.tenant()
    store = described["stores"][0] | {"crsa": OTHER_STORE, "hash_key_name": "other-hash-key"}
    connection = described["connections"][0] | {"client_secret_name": "other-client-secret"} | changes
    described |= {"crol": OTHER_CROL, "name": "Other Cannabis", "connections": [connection], "stores": [store]}
    async with runtime.pool.transaction() as transaction:
        await onboard(transaction, DescribedTenant.model_validate(described))
    return await tenant_id_of(runtime, OTHER_CROL)


@asynccontextmanager
async def calling_as(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role, crol: str = CROL
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client whose caller has one role in one tenant."""
    caller = Caller(f"a-{role}", f"a {role}", {await tenant_id_of(runtime, crol): role})
    async with staff_client(runtime, monkeypatch, caller) as client:
        yield client


async def whole_database(runtime: Runtime) -> str:
    """Give all rows of all tables as one text."""
    tables = await rows(
        runtime,
        "select c.relname from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace",
    )
    assert tables
    texts = [
        str(await rows(runtime, f"select t::text from {table['relname']} t"))  # noqa: S608 - from the catalogue
        for table in tables
    ]
    return "\n".join(texts)
