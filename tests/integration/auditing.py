"""What the tests of the audit share: acts by the dozen, and hands that get past the triggers."""

from typing import Any

from ocs.access.caller import Caller
from ocs.audit.acts import Act
from ocs.audit.chain import Chain, Checked, verify
from ocs.runtime import Runtime
from tests.integration.pos import rows

ALICE = Caller("alice-id", "Alice Tremblay", super_admin=True)


async def tenant_of(runtime: Runtime) -> Any:
    """Give the one tenant's id."""
    return (await rows(runtime, "select tenant_id from tenants"))[0]["tenant_id"]


async def store_of(runtime: Runtime, crsa: str) -> Any:
    """Give a store's id."""
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute("select store_id from stores where crsa = %s", [crsa])).fetchone()
    assert row is not None
    return row["store_id"]


async def note(runtime: Runtime, what: str, number: int, *, act: Act | None = None, **words: Any) -> None:
    """Note an act in a transaction of its own."""
    tenant_id = words.pop("tenant_id", None) or await tenant_of(runtime)
    async with runtime.pool.transaction() as connection:
        await (act or Act(ALICE, "PUT /a/route", "because")).note(
            connection, what, tenant_id=tenant_id, subject=f"thing {number}", after={"number": number}, **words
        )


async def check(runtime: Runtime, chain: Chain, **words: Any) -> Checked:
    """Check a chain."""
    async with runtime.pool.transaction() as connection:
        return await verify(connection, chain, **words)


async def behind_the_triggers(runtime: Runtime, statement: str) -> None:
    """Do what only the tables' owner can, and should never: with the triggers away."""
    async with runtime.pool.transaction() as connection:
        for table in ("audit_acts", "audit_calls"):
            await connection.execute(f"alter table {table} disable trigger user")
        await connection.execute(statement.encode())
        for table in ("audit_acts", "audit_calls"):
            await connection.execute(f"alter table {table} enable trigger user")
