"""What the buttons of the page do: the same as the API, noted in the audit with who and why."""

from typing import Any

import httpx
import pytest

from ocs.alerts.open_close import open_alert
from ocs.casework import jobs
from ocs.dead_letters import doors
from ocs.delivery.sender import answer_bell
from ocs.events import ingest
from ocs.runtime import Runtime
from ocs.shipping import fetch
from ocs.tenants.read import store_of
from ocs.web.roles import Role
from tests.integration.night import HELD, open_store, send_all, snapshots
from tests.integration.platform import CROL, FIRST, SECOND, Platform
from tests.integration.pos import SKU, UPC, message, rows, sell, transaction
from tests.integration.shipments import SHIPMENT, Wholesaler, take_in
from tests.integration.test_dashboard import PAGE, parked_line, seen_by, token


async def send(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form of the page."""
    said = {"form_token": await token(client, f"/stores/{FIRST}"), **fields}
    return await client.post(PAGE + path, data=said, headers={"Sec-Fetch-Site": "same-origin"})


async def acts(runtime: Runtime) -> list[tuple[Any, ...]]:
    """Give what the audit has of staff's acts, oldest first: what, who, why."""
    found = await rows(runtime, "select what, who_name, why from audit_acts order by place, at")
    return [tuple(row.values()) for row in found]


async def test_a_line_is_corrected_and_replaces_the_wrong_one(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await parked_line(runtime, platform)
    path = f"/stores/{FIRST}/lines/{line['item_id']}/correct"
    async with seen_by(runtime, monkeypatch, Role.MANAGER) as client:
        wrong = await send(client, path, revision="1", quantity="1.5")
        assert (wrong.status_code, "quantity" in wrong.text) == (422, True)
        nothing = await send(client, path, revision="1")
        assert (nothing.status_code, "at least one field" in nothing.text) == (422, True)
        done = await send(client, path, revision="1", ocs_sku=SKU, quantity="2", why="wrong number")
        late = await send(client, path, revision="1", ocs_sku=SKU, quantity="3")
    assert (done.status_code, late.status_code) == (303, 412)
    assert await acts(runtime) == [("line.corrected", "One", "wrong number")]
    await answer_bell(
        runtime, (await rows(runtime, "select store_id from stores where crsa = 'CRSA1111111'"))[0]["store_id"]
    )
    assert platform.accepted[str(line["item_id"])]["ocsSku"] == SKU


async def test_reporting_is_paused_for_a_reason_and_goes_on(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seen_by(runtime, monkeypatch, Role.MANAGER) as client:
        assert (await send(client, f"/stores/{FIRST}/pause")).status_code == 422, "a reason is asked for"
        assert (await send(client, f"/stores/{FIRST}/pause", why="stocktaking")).status_code == 303
        shown = (await client.get(f"{PAGE}/stores/{FIRST}")).text
        assert "Reporting is paused" in shown
        assert "stocktaking" in shown
        assert (await send(client, f"/stores/{FIRST}/resume", place="store")).status_code == 303
        assert "Reporting is paused" not in (await client.get(f"{PAGE}/stores/{FIRST}")).text
    assert [what for what, *_ in await acts(runtime)] == ["store.paused", "store.resumed"]


async def test_a_sku_is_mapped_and_taken_back(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await sell(runtime, "T1", items=[{"sku": "OUR/77 é", "quantity": 1, "unit_price": "1"}])
    async with seen_by(runtime, monkeypatch, Role.MANAGER) as client:
        assert "OUR/77 é" in (await client.get(f"{PAGE}/mappings")).text
        mapped = await send(client, f"/tenants/{CROL}/mappings", pos_sku="OUR/77 é", ocs_sku=SKU, upc=UPC)
        assert mapped.headers["Location"] == f"{PAGE}/mappings?tenant={CROL}&done=mapped"
        assert "every SKU that was sold is mapped" in (await client.get(mapped.headers["Location"])).text
        removed = await send(client, f"/tenants/{CROL}/mappings/remove", pos_sku="OUR/77 é")
        assert removed.status_code == 303
    assert [what for what, *_ in await acts(runtime)] == ["sku.mapped", "sku.unmapped"]


async def test_an_alert_is_looked_after_and_silenced(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        await open_alert(connection, store.tenant_id, store.store_id, "undeliverable", "Two lines wait")
    (alert,) = await rows(runtime, "select alert_id from alerts")
    path = f"/alerts/{alert['alert_id']}"
    async with seen_by(runtime, monkeypatch, Role.MANAGER) as client:
        assert "Two lines wait" in (await client.get(f"{PAGE}/alerts")).text
        assert (await send(client, f"{path}/acknowledge", why="calling the vendor")).status_code == 303
        assert (await send(client, f"{path}/silence", hours="1000", why="too long")).status_code == 422
        assert (await send(client, f"{path}/silence", hours="8", why="known", over="store")).status_code == 303
        shown = (await client.get(f"{PAGE}/alerts")).text
    assert "One looks after it: calling the vendor" in shown
    assert "Silences in force" in shown
    assert [what for what, *_ in await acts(runtime)] == ["alert.acknowledged", "alert.silenced"]


async def test_a_hash_key_is_stored_and_shown_to_nobody(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "d" * 63
    async with seen_by(runtime, monkeypatch, Role.TENANT_ADMIN) as client:
        wrong = await send(client, f"/tenants/{CROL}/hash-keys/{FIRST}", hash_key=secret, overlap="a" + secret)
        assert (wrong.status_code, secret in wrong.text) == (422, False)
        done = await send(client, f"/tenants/{CROL}/hash-keys/{FIRST}", hash_key=secret + "e", why="a new one came")
        assert done.status_code == 303, done.text
        shown = (await client.get(f"{PAGE}/credentials")).text
    assert secret not in shown
    assert platform.vault().secrets["hash-key"] == secret + "e"
    assert (await acts(runtime))[-1][2] == "a new one came"
    async with seen_by(runtime, monkeypatch, Role.MANAGER) as client:
        assert (await send(client, f"/tenants/{CROL}/hash-keys/{FIRST}", hash_key=secret + "f")).status_code == 403


async def test_a_position_is_sent_by_a_click_and_shown_line_by_line(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seen_by(runtime, monkeypatch, Role.STAFF) as client:
        unknown = await send(client, f"/stores/{FIRST}/position")
        assert (unknown.status_code, "It cannot be done as things are" in unknown.text) == (409, True)
        await open_store(runtime)
        assert (await send(client, f"/stores/{FIRST}/position")).status_code == 303
        await send_all(runtime)
        (made,) = await snapshots(runtime)
        shown = await client.get(f"{PAGE}/stores/{FIRST}/positions/{made['snapshot_id']}")
        of_another_store = await client.get(f"{PAGE}/stores/{SECOND}/positions/{made['snapshot_id']}")
        listed = await client.get(f"{PAGE}/stores/{FIRST}")
    assert (shown.status_code, of_another_store.status_code) == (200, 404)
    assert all(sku in shown.text for sku, _ in HELD)
    assert "accepted" in shown.text
    assert f"/positions/{made['snapshot_id']}" in listed.text
    assert [what for what, *_ in await acts(runtime)] == ["position.submitted"]


async def test_a_shipment_is_read_shown_and_received(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    Wholesaler(platform)
    async with seen_by(runtime, monkeypatch, Role.STAFF) as client:
        assert (await send(client, f"/stores/{FIRST}/notices")).status_code == 303
        assert await fetch.fetch_due(runtime) == 1
        path = f"{PAGE}/stores/{FIRST}/shipment?number={SHIPMENT}"
        assert "Expected" in (await client.get(path)).text
        assert (await send(client, f"/stores/{FIRST}/shipment/receive", number=SHIPMENT)).status_code == 303
        shown = await client.get(path)
        assert await take_in(runtime) > 0
    assert "by One" in shown.text
    assert [what for what, *_ in await acts(runtime)] == ["shipping_notices.asked", "shipment.received"]


async def test_a_dead_letter_is_driven_again_and_says_what_is_still_wrong(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in ("CRSA9999999", FIRST):
        body = transaction("T1", store=store)
        await doors.receive(runtime, ingest.TRANSACTIONS, message(body, f"m-{store}"))
    (letter,) = await rows(runtime, "select letter_id from dead_letters")
    async with seen_by(runtime, monkeypatch, Role.SUPER_ADMIN) as client:
        still = await send(client, f"/letters/{letter['letter_id']}/redrive")
        assert (still.status_code, "CRSA9999999" in still.text) == (409, True)
        assert (await send(client, f"/letters/{letter['letter_id']}/dismiss")).status_code == 422, (
            "a reason is asked for"
        )
        assert (await send(client, f"/letters/{letter['letter_id']}/dismiss", why="no such store")).status_code == 303
        assert "no such store" in (await client.get(f"{PAGE}/letters/{letter['letter_id']}")).text
    assert [what for what, *_ in await acts(runtime)] == ["dead_letter.redriven", "dead_letter.dismissed"]


async def test_everything_that_can_go_again_goes_by_one_click(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await parked_line(runtime, platform)
    async with seen_by(runtime, monkeypatch, Role.STAFF) as client:
        assert (await send(client, f"/stores/{FIRST}/retry")).status_code == 303
        assert await jobs.run_jobs(runtime) == 1
        none = await send(client, f"/stores/{FIRST}/retry")
    assert (none.status_code, "nothing to send again" in none.text) == (409, True)
