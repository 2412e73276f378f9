"""What tests of alerts share: bring about what the surroundings would, let time pass, see what is open."""

from typing import LiteralString

from ocs.alerts.open_close import close_alerts, open_alert
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST
from tests.integration.pos import rows


async def change(runtime: Runtime, *statements: LiteralString, **words: object) -> None:
    """Change rows as something outside the test would, or as time would."""
    async with runtime.pool.transaction() as connection:
        for statement in statements:
            await connection.execute(statement, words or None)


async def opened(runtime: Runtime) -> list[tuple[str, str]]:
    """Give the open alerts: cause, and what they belong to."""
    found = await rows(
        runtime,
        "select cause, case when store_id is not null then 'store' when connection_id is not null then 'connection' "
        "when tenant_id is not null then 'tenant' else 'platform' end as scope "
        "from alerts where closed_at is null order by alert_id",
    )
    return [(row["cause"], row["scope"]) for row in found]


async def said(runtime: Runtime) -> str:
    """Give the words of the one alert that is open."""
    (found,) = await rows(runtime, "select message from alerts where closed_at is null")
    return str(found["message"])


async def calm_passes(runtime: Runtime) -> None:
    """Let the time pass after which an alert whose cause is not found any more closes."""
    await change(runtime, "update alerts set last_seen_at = last_seen_at - interval '3 min'")


async def a_minute_passes(runtime: Runtime) -> None:
    """Let the time pass after which an alert is told."""
    await change(runtime, "update alert_notifications set made_at = made_at - interval '61 s'")


async def time_passes(runtime: Runtime) -> None:
    """Let all waits and leases of messages be over."""
    await a_minute_passes(runtime)
    await change(runtime, "update alert_messages set due_at = now() where sent_at is null")


async def a_store(runtime: Runtime, crsa: str = FIRST) -> Store:
    """Give one of the tenant's stores."""
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, crsa)


async def open_one(
    runtime: Runtime, cause: str = "position_missing", message: str = "It was refused.", crsa: str = FIRST
) -> None:
    """Open an alert of a store, as a room does."""
    store = await a_store(runtime, crsa)
    async with runtime.pool.transaction() as connection:
        await open_alert(connection, store.tenant_id, store.store_id, cause, message)


async def close_one(runtime: Runtime, cause: str = "position_missing") -> None:
    """Close the first store's alert of a cause."""
    store = await a_store(runtime)
    async with runtime.pool.transaction() as connection:
        await close_alerts(connection, store.store_id, [cause])


async def destination(runtime: Runtime, kind: str, target: str, secret_name: str | None) -> None:
    """Let the tenant's alerts go somewhere."""
    await change(
        runtime,
        "insert into alert_destinations (tenant_id, kind, target, secret_name, made_by)"
        " select tenant_id, %(kind)s, %(target)s, %(secret_name)s, 'test' from tenants",
        kind=kind,
        target=target,
        secret_name=secret_name,
    )
