"""The staff's routes to alerts: what is seen, acknowledged and silenced, by whom, and where alerts go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.alerts.causes import PLATFORM, of_connection
from ocs.alerts.open_close import open_scoped
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.alert_receivers import SECRET, hook
from tests.integration.alerting import a_minute_passes, a_store, change, close_one, destination, open_one
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST, SECOND
from tests.integration.pos import rows

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
DESTINATIONS = f"/api/ocs/tenants/{CROL}/alert-destinations"


async def _with_role(runtime: Runtime, role: Role) -> Caller:
    return Caller("someone", "Someone", {(await a_store(runtime)).tenant_id: role})


async def _causes(client: httpx.AsyncClient, **words: Any) -> list[str]:
    answer = await client.get("/api/ocs/alerts", params=words)
    assert answer.status_code == 200, answer.text
    return [one["cause"] for one in answer.json()["items"]]


async def test_alerts_are_found_by_state_store_tenant_and_cause(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    store = await a_store(runtime)
    await open_one(runtime)
    await open_one(runtime, "undeliverable", crsa=SECOND)
    await open_one(runtime, "credentials_refused")
    await close_one(runtime, "credentials_refused")
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, PLATFORM, "no_heartbeat", "The timer sweep does not run.")
        await open_scoped(connection, of_connection(store.tenant_id, store.connection_id), "breaker_open", "It is.")
    assert await _causes(staff) == ["breaker_open", "no_heartbeat", "undeliverable", "position_missing"]
    assert await _causes(staff, state="closed") == ["credentials_refused"]
    assert await _causes(staff, state="acknowledged") == []
    assert await _causes(staff, state="all", store=FIRST) == ["credentials_refused", "position_missing"]
    assert await _causes(staff, tenant=CROL, cause="undeliverable") == ["undeliverable"]
    (whole,) = (await staff.get("/api/ocs/alerts", params={"cause": "breaker_open"})).json()["items"]
    assert (whole["connection_name"], whole["crol"], whole["crsa"], whole["severity"]) == (
        "uat",
        CROL,
        None,
        "critical",
    )


async def test_pages_follow_each_other_without_gap_or_repetition(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(5):
        await open_one(runtime, f"cause_{number}")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        words = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = (await staff.get("/api/ocs/alerts", params=words)).json()
        seen += [one["cause"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"cause_{number}" for number in reversed(range(5))]


async def test_another_tenants_alerts_are_not_there(runtime: Runtime, stranger: httpx.AsyncClient) -> None:
    await open_one(runtime)
    assert await _causes(stranger, state="all") == []
    (alert,) = await rows(runtime, "select alert_id from alerts")
    path = f"/api/ocs/alerts/{alert['alert_id']}"
    silence = {"until": TOMORROW, "why": "x"}
    answers = [
        await stranger.get(path),
        await stranger.post(f"{path}/acknowledge", json={}),
        await stranger.post(f"{path}/silence", json=silence),
        await stranger.delete(f"{path}/silence"),
        await stranger.get("/api/ocs/alerts", params={"tenant": CROL}),
        await stranger.get("/api/ocs/alerts", params={"store": FIRST}),
        await stranger.get(DESTINATIONS),
        await stranger.put(DESTINATIONS, json={"destinations": []}),
        await stranger.post(f"{DESTINATIONS}/test"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 9
    assert (await stranger.get("/api/ocs/alert-silences")).json() == {"silences": []}


async def test_a_tenants_people_do_not_see_what_is_of_the_whole_platform(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, PLATFORM, "no_heartbeat", "The timer sweep does not run.")
    (alert,) = await rows(runtime, "select alert_id from alerts")
    async with staff_client(runtime, monkeypatch, await _with_role(runtime, Role.TENANT_ADMIN)) as client:
        assert await _causes(client) == []
        assert (await client.get(f"/api/ocs/alerts/{alert['alert_id']}")).status_code == 404
        assert (await client.get("/api/ocs/alert-destinations")).status_code == 403


async def test_a_viewer_looks_and_a_manager_acts(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_one(runtime)
    async with staff_client(runtime, monkeypatch, await _with_role(runtime, Role.VIEWER)) as client:
        assert (await client.get("/api/ocs/alerts/1")).status_code == 200
        assert (await client.post("/api/ocs/alerts/1/acknowledge", json={})).status_code == 403
        assert (await client.get(DESTINATIONS)).status_code == 403
    async with staff_client(runtime, monkeypatch, await _with_role(runtime, Role.MANAGER)) as client:
        answer = await client.post("/api/ocs/alerts/1/acknowledge", json={"note": "I call OCS."})
        assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged")
        assert answer.json()["acknowledged_by"] == "Someone"
        assert (await client.put(DESTINATIONS, json={"destinations": []})).status_code == 403
    assert await _acts(runtime) == ["alert.acknowledged"]


async def _acts(runtime: Runtime) -> list[str]:
    return [row["what"] for row in await rows(runtime, "select what from audit_acts order by act_id")]


async def test_an_alert_shows_whom_it_was_told(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await destination(runtime, "email", "manager@store.example", None)
    await open_one(runtime)
    (told,) = (await staff.get("/api/ocs/alerts/1")).json()["notifications"]
    assert (told["event"], told["state"], told["target"]) == ("opened", "waiting", "manager@store.example")


@pytest.mark.parametrize(("over", "others"), [("alert", "open"), ("store", "open"), ("tenant", "silenced")])
async def test_a_silence_is_of_one_alert_or_of_its_cause(
    runtime: Runtime, staff: httpx.AsyncClient, over: str, others: str
) -> None:
    await open_one(runtime)
    await open_one(runtime, crsa=SECOND)
    asked = {"until": TOMORROW, "why": "Stock-taking until then", "over": over}
    answer = await staff.post("/api/ocs/alerts/1/silence", json=asked)
    assert (answer.status_code, answer.json()["state"]) == (200, "silenced")
    assert (await staff.get("/api/ocs/alerts/2")).json()["state"] == others
    silences = (await staff.get("/api/ocs/alert-silences")).json()["silences"]
    assert len(silences) == (0 if over == "alert" else 1)
    path = f"/api/ocs/alert-silences/{silences[0]['silence_id']}" if silences else "/api/ocs/alerts/1/silence"
    assert (await staff.delete(path)).status_code in (200, 204)
    assert (await staff.get("/api/ocs/alerts/1")).json()["state"] == "open"
    assert await _acts(runtime) == ["alert.silenced", "alert.silence_ended"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2099-01-01T00:00:00Z"},
        {"until": "2099-01-01T00:00:00"},
        {"why": ""},
        {"over": "everything"},
        {"also": 1},
    ],
    ids=str,
)
async def test_a_wrong_silence_is_refused_by_name(
    runtime: Runtime, staff: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    await open_one(runtime)
    answer = await staff.post("/api/ocs/alerts/1/silence", json={"until": TOMORROW, "why": "x"} | wrong)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == list(wrong)


async def test_what_is_closed_needs_nobody(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await open_one(runtime)
    await close_one(runtime)
    assert (await staff.post("/api/ocs/alerts/1/acknowledge", json={})).status_code == 409
    assert (await staff.post("/api/ocs/alerts/1/silence", json={"until": TOMORROW, "why": "x"})).status_code == 409
    assert (await staff.get("/api/ocs/alerts/99")).status_code == 404
    assert (await staff.get("/api/ocs/alerts/0")).status_code == 422


async def test_a_stores_silence_of_what_is_no_stores_is_refused(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, PLATFORM, "no_heartbeat", "The timer sweep does not run.")
    asked = {"until": TOMORROW, "why": "x", "over": "store"}
    assert (await staff.post("/api/ocs/alerts/1/silence", json=asked)).status_code == 422
    assert (await staff.post("/api/ocs/alerts/1/silence", json=asked | {"over": "tenant"})).json()[
        "state"
    ] == "silenced"


async def test_destinations_are_set_and_their_secret_is_in_the_vault_only(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    webhook = {"kind": "webhook", "target": "https://alerts.example.com/ocs", "secret": SECRET}
    mail = {"kind": "email", "target": "manager@store.example"}
    answer = await staff.put(DESTINATIONS, json={"destinations": [webhook, mail]})
    assert answer.status_code == 200, answer.text
    assert [one["target"] for one in answer.json()["destinations"]] == [mail["target"], webhook["target"]]
    again = await staff.put(DESTINATIONS, json={"destinations": [{k: webhook[k] for k in ("kind", "target")}]})
    (kept,) = again.json()["destinations"]
    assert kept["destination_id"] == answer.json()["destinations"][1]["destination_id"]
    (row,) = await rows(runtime, "select secret_name from alert_destinations where removed_at is null")
    assert await runtime.vault.secret(row["secret_name"]) == SECRET
    everything = [
        await rows(runtime, "select * from alert_destinations"),
        await rows(runtime, "select * from audit_acts"),
    ]
    assert SECRET not in f"{everything}{answer.text}{again.text}"
    assert await _acts(runtime) == ["alert_destinations.changed"] * 2


async def test_a_destination_that_was_removed_is_told_nothing_more(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await destination(runtime, "email", "manager@store.example", None)
    await open_one(runtime)
    await staff.put(DESTINATIONS, json={"destinations": []})
    await a_minute_passes(runtime)
    assert await rows(runtime, "select state from alert_notifications") == [{"state": "dropped"}]
    await change(runtime, "update alerts set message = 'other'")
    await close_one(runtime)
    assert len(await rows(runtime, "select * from alert_notifications")) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"target": "http://alerts.example.com/ocs"}, "target"),
        ({"target": "https://10.0.0.5/ocs"}, "target"),
        ({"target": "https://name:word@alerts.example.com/"}, "target"),
        ({"secret": "whsec_short"}, "secret"),
        ({"secret": None}, "secret"),
        ({"kind": "email", "target": "a@b.example\r\nBcc: c@d.example", "secret": None}, "target"),
        ({"kind": "email", "target": "a@b.example"}, "secret"),
        ({"kind": "pigeon"}, "kind"),
    ],
    ids=str,
)
async def test_a_wrong_destination_is_refused_by_name_and_nothing_is_kept(
    runtime: Runtime, staff: httpx.AsyncClient, wrong: dict[str, Any], field: str
) -> None:
    given = {"kind": "webhook", "target": "https://alerts.example.com/ocs", "secret": SECRET} | wrong
    answer = await staff.put(DESTINATIONS, json={"destinations": [given]})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [f"destinations[0].{field}"]
    assert "whsec_" not in answer.text.replace("whsec_ and then", "")
    assert await rows(runtime, "select * from alert_destinations") == []


async def test_a_put_on_what_was_changed_since_is_refused(staff: httpx.AsyncClient) -> None:
    read = await staff.get(DESTINATIONS)
    mail = {"kind": "email", "target": "manager@store.example"}
    first = await staff.put(DESTINATIONS, json={"destinations": [mail]}, headers={"If-Match": read.headers["ETag"]})
    second = await staff.put(DESTINATIONS, json={"destinations": []}, headers={"If-Match": read.headers["ETag"]})
    assert (first.status_code, second.status_code) == (200, 412)


async def test_destinations_can_be_tried(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    runtime.settings = runtime.settings.model_copy(update={"vault_ca_file": "the-local-stack"})
    async with hook() as receiver:
        given = [
            {"kind": "webhook", "target": receiver.url, "secret": SECRET},
            {"kind": "email", "target": "manager@store.example"},
        ]
        assert (await staff.put("/api/ocs/alert-destinations", json={"destinations": given})).status_code == 200
        answer = await staff.post("/api/ocs/alert-destinations/test")
    tried = {one["kind"]: one for one in answer.json()["tried"]}
    assert tried["webhook"]["ok"]
    assert tried["email"]["problem"] == "this installation sends no mail: OCS_SMTP_HOST is not set"
    assert len(receiver.got) == 1
    assert await _acts(runtime) == ["alert_destinations.changed", "alert_destinations.tested"]
