"""The second wall: with the WHERE forgotten, Postgres itself keeps each tenant's rows from the others' staff."""

import uuid
from collections.abc import Collection
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ocs.db.wall import behind_the_wall
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from tests.integration.platform import Platform

OTHER_CROL = "CROL7654321"


async def _rows(runtime: Runtime, query: Any, *words: object) -> list[dict[str, Any]]:
    async with runtime.pool.transaction() as connection:
        return await (await connection.execute(query, words)).fetchall()


@pytest.fixture
async def tenants(runtime: Runtime, platform: Platform) -> dict[str, UUID]:
    """Give the ids of two tenants, each with a store, by CROL."""
    described = platform.tenant()
    described |= {"crol": OTHER_CROL, "stores": [described["stores"][0] | {"crsa": "CRSA9999999"}]}
    async with runtime.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(described))
    return {row["crol"]: row["tenant_id"] for row in await _rows(runtime, "select crol, tenant_id from tenants")}


async def test_every_table_and_view_of_a_tenant_is_behind_the_wall(runtime: Runtime) -> None:
    open_tables = await _rows(
        runtime,
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' "
        "where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and (not c.relrowsecurity or "
        "(select count(*) from pg_policies p where p.tablename = c.relname) <> 2)",
    )
    open_views = await _rows(
        runtime,
        "select relname from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace "
        "and not coalesce(reloptions @> array['security_invoker=true'], false)",
    )
    walled = await _rows(runtime, "select distinct tablename from pg_policies")
    assert (open_tables, open_views) == ([], [])
    assert len(walled) > 30


async def test_a_forgotten_where_shows_own_rows_only(runtime: Runtime, tenants: dict[str, UUID]) -> None:
    everything = "select crol from tenants order by crol"
    seen: dict[str, Collection[UUID] | None] = {
        "all": None,
        "own": {tenants[OTHER_CROL]},
        "nobody's": {uuid.uuid4()},
        "none": set(),
    }
    found = {}
    for who, shown in seen.items():
        with behind_the_wall(shown):
            found[who] = [row["crol"] for row in await _rows(runtime, everything)]
    assert found == {"all": sorted(tenants), "own": [OTHER_CROL], "nobody's": [], "none": []}
    assert len(await _rows(runtime, everything)) == 2, "the app's own work sees all, after it too"


async def test_views_show_own_rows_only(runtime: Runtime, tenants: dict[str, UUID]) -> None:
    with behind_the_wall({tenants[OTHER_CROL]}):
        assert [row["crsa"] for row in await _rows(runtime, "select crsa from reporting_stores")] == ["CRSA9999999"]


async def test_what_belongs_to_a_tenant_through_its_connection_is_walled_too(
    runtime: Runtime, tenants: dict[str, UUID]
) -> None:
    everything = "select distinct connection_id from transaction_mappings"
    with behind_the_wall({tenants[OTHER_CROL]}):
        own = await _rows(runtime, everything)
        theirs = await _rows(runtime, "select connection_id from connections")
    assert own == theirs
    assert (len(own), len(await _rows(runtime, everything))) == (1, 2)


async def test_a_forgotten_where_changes_own_rows_only(runtime: Runtime, tenants: dict[str, UUID]) -> None:
    with behind_the_wall({tenants[OTHER_CROL]}):
        changed = await _rows(runtime, "update stores set name = 'changed' returning crsa")
    assert [row["crsa"] for row in changed] == ["CRSA9999999"]
    names = await _rows(runtime, "select crsa from stores where name = 'changed'")
    assert [row["crsa"] for row in names] == ["CRSA9999999"]


async def test_no_row_can_be_put_into_another_tenant(runtime: Runtime, tenants: dict[str, UUID]) -> None:
    (own,) = (one for crol, one in tenants.items() if crol != OTHER_CROL)
    with behind_the_wall({tenants[OTHER_CROL]}), pytest.raises(psycopg.errors.InsufficientPrivilege):
        await _rows(runtime, "insert into sku_mappings (tenant_id, pos_sku, ocs_sku) values (%s, 'a', 'b')", own)
    with behind_the_wall({tenants[OTHER_CROL]}), pytest.raises(psycopg.errors.InsufficientPrivilege):
        await _rows(runtime, "update stores set tenant_id = %s", own)


async def test_the_wall_ends_with_its_transaction(runtime: Runtime, tenants: dict[str, UUID]) -> None:
    """PgBouncer gives the session to somebody else after the commit, so nothing of it may stay."""
    with behind_the_wall({tenants[OTHER_CROL]}):
        inside = await _rows(runtime, "select current_user::text as who")
    outside = await _rows(runtime, "select current_user::text as who, current_setting('ocs.tenants', true) as tenants")
    assert inside == [{"who": "ocs_staff"}]
    assert outside[0]["who"] != "ocs_staff"
    assert not outside[0]["tenants"]
