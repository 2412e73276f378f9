"""One alert a store and cause: it is opened once, its words follow the reason, and it ends with its cause."""

from ocs.alerts.open_close import close_alerts, open_alert
from ocs.runtime import Runtime
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, SECOND
from tests.integration.pos import rows


async def _say(runtime: Runtime, crsa: str, message: str) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, crsa)
        await open_alert(connection, store.tenant_id, store.store_id, "position_missing", message)


async def test_an_open_alert_is_one_and_says_the_newest_reason(runtime: Runtime) -> None:
    for message in ("not uploaded", "not uploaded", "refused"):
        await _say(runtime, FIRST, message)
    await _say(runtime, SECOND, "not uploaded")
    found = await rows(runtime, "select message from alerts order by alert_id")
    assert [row["message"] for row in found] == ["refused", "not uploaded"]


async def test_a_closed_alert_keeps_its_words_and_a_new_one_is_opened(runtime: Runtime) -> None:
    await _say(runtime, FIRST, "refused")
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        await close_alerts(connection, store.store_id, ["position_missing"])
    await _say(runtime, FIRST, "refused again")
    found = await rows(runtime, "select message, closed_at is null as is_open from alerts order by alert_id")
    assert [(row["message"], row["is_open"]) for row in found] == [("refused", False), ("refused again", True)]
