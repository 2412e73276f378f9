"""A page of the audit costs the same however long the history behind it."""

from datetime import timedelta
from typing import Any

import pytest

from ocs.access.caller import Caller
from ocs.audit.search import SQL, Asked
from ocs.clock import utc_now
from ocs.db.wall import behind_the_wall
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.auditing import ALICE, behind_the_triggers, store_of, tenant_of
from tests.integration.platform import FIRST

HISTORY = """
insert into audit_calls (call_id, at, tenant_id, store_id, method, url, status, ms, request_bytes, correlation_id,
                         content_hash)
select gen_random_uuid(), now() - n * interval '1 minute', s.tenant_id, s.store_id, 'POST', 'u',
       case when n % 400 = 0 then 503 else 200 end, 1, 1, n, ''
  from generate_series(1, 20000) n, stores s where s.crsa = 'CRSA1111111'"""
PAGE = 51


def _looked_at(plan: dict[str, Any]) -> list[int]:
    """Give how many rows each scan of the audit's tables has looked at."""
    here = []
    if str(plan.get("Relation Name", "")).startswith("audit_"):
        here = [int((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])]
    return here + [rows for part in plan.get("Plans", ()) for rows in _looked_at(part)]


async def _plan(runtime: Runtime, caller: Caller, asked: Asked) -> dict[str, Any]:
    words = asked.words(caller) | {"after_at": None, "after_id": None, "most": PAGE, "skip": 0}
    with behind_the_wall(None if caller.super_admin else caller.grants.keys()):
        async with runtime.pool.transaction() as connection:
            explain = b"explain (analyze, format json) " + SQL["search"].encode()
            row = await (await connection.execute(explain, words)).fetchone()
    assert row is not None
    plan: dict[str, Any] = row["QUERY PLAN"][0]["Plan"]
    return plan


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.TENANT_ADMIN])
async def test_a_page_reads_a_page_however_long_the_history(runtime: Runtime, role: Role) -> None:
    """Of 20,000 calls no scan looks at more than a page shows, whatever is asked for."""
    tenant_id, store_id = await tenant_of(runtime), await store_of(runtime, FIRST)
    await behind_the_triggers(runtime, HISTORY)
    await behind_the_triggers(runtime, "analyze audit_calls")
    bob = Caller("bob", "Bob", {tenant_id: Role.TENANT_ADMIN}, needs=Role.TENANT_ADMIN)
    for asked in (
        Asked(),
        Asked(tenant_id=tenant_id),
        Asked(store_id=store_id),
        Asked(status="failed"),
        Asked(status="503"),
        Asked(correlation_id="19000"),
        Asked(until=utc_now() - timedelta(days=7)),
    ):
        plan = await _plan(runtime, ALICE if role is Role.SUPER_ADMIN else bob, asked)
        assert max(_looked_at(plan)) <= PAGE, asked
