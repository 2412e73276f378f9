"""Tenants, connections and stores by HTTP: made, changed, paged, and kept apart."""

from typing import Any

import httpx
import pytest

from ocs.runtime import Runtime
from tests.integration.onboarding import NEW_STORE, OTHER_CROL, a_store
from tests.integration.platform import CROL, FIRST, SECOND, THIRD, FakeQueues, Platform
from tests.integration.pos import rows, sell

CONFIG = f"/api/ocs/stores/{FIRST}/config"


async def _acts(runtime: Runtime) -> list[tuple[str, str]]:
    found = await rows(runtime, "select what, subject from audit_acts order by act_id")
    return [(act["what"], act["subject"]) for act in found]


async def test_a_tenant_is_made_shown_renamed_and_listed(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    made = await staff.post("/api/ocs/tenants", json={"crol": OTHER_CROL, "name": "Other"})
    assert (made.status_code, made.json()["stores"]) == (201, 0)
    renamed = await staff.put(f"/api/ocs/tenants/{OTHER_CROL}", json={"name": "Another"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Another")
    first = (await staff.get("/api/ocs/tenants", params={"limit": 1})).json()
    rest = (await staff.get("/api/ocs/tenants", params={"limit": 1, "cursor": first["next"]})).json()
    listed = [(one["crol"], one["name"], one["stores"]) for page in (first, rest) for one in page["items"]]
    assert listed == [(CROL, "Test Cannabis", 3), (OTHER_CROL, "Another", 0)]
    assert await _acts(runtime) == [("tenant.added", OTHER_CROL), ("tenant.changed", OTHER_CROL)]


async def test_a_tenant_is_not_made_twice(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    reply = await staff.post("/api/ocs/tenants", json={"crol": CROL, "name": "Taken over"})
    assert reply.status_code == 409
    assert await rows(runtime, "select name from tenants") == [{"name": "Test Cannabis"}]


async def test_a_store_is_made_with_its_licence(runtime: Runtime, platform: Platform, staff: httpx.AsyncClient) -> None:
    licence = {"licence_number": "AGCO-77", "licence_expires_on": "2027-03-31"}
    made = await staff.post(f"/api/ocs/tenants/{CROL}/stores", json=a_store(platform, **licence))
    assert made.status_code == 201, made.text
    assert made.json().items() >= (licence | {"crsa": NEW_STORE, "delivering": True, "anchored_at": None}).items()
    assert (await staff.get(f"/api/ocs/config/{NEW_STORE}")).json() == made.json()
    assert await _acts(runtime) == [("store.added", NEW_STORE)]
    assert (await staff.post(f"/api/ocs/tenants/{CROL}/stores", json=a_store(platform))).status_code == 409


async def test_stores_come_in_pages(staff: httpx.AsyncClient) -> None:
    first = (await staff.get(f"/api/ocs/tenants/{CROL}/stores", params={"limit": 2})).json()
    rest = (await staff.get(f"/api/ocs/tenants/{CROL}/stores", params={"limit": 2, "cursor": first["next"]})).json()
    assert [[one["crsa"] for one in page["items"]] for page in (first, rest)] == [[FIRST, SECOND], [THIRD]]
    assert rest["next"] is None


async def test_a_change_changes_what_is_said_and_nothing_else(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    before = (await staff.get(f"/api/ocs/config/{FIRST}")).json()
    change = {"name": "Queen Street", "time_zone": "America/Winnipeg", "snapshot_at": "02:30:00"}
    reply = await staff.put(CONFIG, json=change | {"licence_number": "AGCO-1", "pos_vendor": None})
    after = before | change | {"licence_number": "AGCO-1"}
    assert (reply.status_code, reply.json()) == (200, after)
    cleared = await staff.put(CONFIG, json={"licence_number": None})
    assert cleared.json() == after | {"licence_number": None}
    (first, _) = await rows(runtime, "select what, before, after from audit_acts order by act_id")
    assert (first["what"], sorted(first["after"])) == ("store.changed", sorted([*change, "licence_number"]))
    assert first["before"]["time_zone"] == "America/Toronto"


async def test_a_store_that_is_switched_on_again_is_rung_for(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    off = await staff.put(CONFIG, json={"reporting": False})
    assert (off.json()["reporting"], off.json()["delivering"]) == (False, False)
    taken = await sell(runtime, "T1")
    assert isinstance(runtime.queues, FakeQueues)
    runtime.queues.messages.clear()
    on = await staff.put(CONFIG, json={"reporting": True})
    assert on.json()["delivering"] is True
    assert [str(taken.store_id) in text for text in runtime.queues.messages["ocs-deliveries"]] == [True]


UAT = f"/api/ocs/tenants/{CROL}/connections/uat"
LOST = {"ocs_type": "DESTRUCTION", "direction": -1, "wire_sign": "absolute", "reason": "Lost"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CONFIG, {"name": "Mine"}),
        (f"/api/ocs/tenants/{CROL}", {"name": "Mine"}),
        (UAT, {"client_id": "client-2"}),
        (f"{UAT}/types/loss", LOST),
    ],
)
async def test_a_change_of_what_was_changed_meanwhile_is_refused(
    staff: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    seen = await staff.get(path)
    tag = {"If-Match": seen.headers["ETag"]}
    assert (await staff.put(path, json=body, headers=tag)).status_code == 200
    assert (await staff.put(path, json=body, headers=tag)).status_code == 412
    again = {"If-Match": (await staff.get(path)).headers["ETag"]}
    assert (await staff.put(path, json=body, headers=again)).status_code == 200


async def test_a_connection_is_made_changed_and_listed(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    path = f"/api/ocs/tenants/{CROL}/connections"
    described = platform.tenant()["connections"][0] | {"name": "live", "environment": "production"}
    made = await staff.post(path, json=described)
    assert (made.status_code, made.json()["environment"]) == (201, "production")
    assert (await staff.post(path, json=described)).status_code == 409
    changed = await staff.put(f"{path}/live", json={"concurrent_calls": 4, "process_on_field": "processOn"})
    assert (changed.json()["concurrent_calls"], changed.json()["process_on_field"]) == (4, "processOn")
    assert (await staff.put(f"{path}/live", json={"process_on_field": None})).json()["process_on_field"] is None
    assert [one["name"] for one in (await staff.get(path)).json()["items"]] == ["live", "uat"]
    assert [what for what, _ in await _acts(runtime)] == ["connection.added"] + ["connection.changed"] * 2
    moved = await staff.put(CONFIG, json={"connection": "live"})
    assert (moved.json()["connection"], moved.json()["environment"]) == ("live", "production")


async def test_a_transaction_types_reading_is_shown_changed_and_confirmed(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    path = f"{UAT}/types"
    known = {one["transaction_type"]: one for one in (await staff.get(path)).json()["items"]}
    assert (known["loss"]["ocs_type"], known["loss"]["confirmed"]) == ("LOSS", False)
    changed = await staff.put(f"{path}/loss", json=LOST)
    assert changed.json() == LOST | {"transaction_type": "loss", "confirmed": False}
    confirmed = await staff.post(f"{path}/loss/confirm")
    assert confirmed.json() == changed.json() | {"confirmed": True}
    assert await _acts(runtime) == [("type.changed", "uat loss"), ("type.confirmed", "uat loss")]
    assert (await staff.put(f"{path}/gift", json=LOST)).status_code == 422


async def test_a_description_takes_on_a_tenant_whole_and_says_what_it_changed(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    described = platform.tenant() | {"crol": OTHER_CROL, "stores": [a_store(platform)]}
    made = await staff.post("/api/ocs/config", json=described)
    assert (made.status_code, list(made.json()["stores"])) == (200, [NEW_STORE])
    described["stores"][0]["name"] = "Renamed"
    described["stores"].append(a_store(platform, crsa="CRSA5555555"))
    again = await staff.post("/api/ocs/config", json=described)
    assert list(again.json()["stores"]) == [NEW_STORE, "CRSA5555555"]
    acts = await rows(runtime, "select before, after from audit_acts order by act_id")
    assert sorted(acts[1]["after"]) == [NEW_STORE, "CRSA5555555"]
    assert acts[1]["before"][NEW_STORE]["name"] == FIRST


async def test_a_description_may_name_only_a_store(platform: Platform, staff: httpx.AsyncClient) -> None:
    """Its connection is there already."""
    body = {"crol": CROL, "name": "Test Cannabis", "stores": [a_store(platform)]}
    assert (await staff.post("/api/ocs/config", json=body)).status_code == 200
    body["stores"] = [a_store(platform, connection="none")]
    reply = await staff.post("/api/ocs/config", json=body)
    assert [error["field"] for error in reply.json()["errors"]] == ["stores[0].connection"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "America/Thunder"}, "time_zone"),
        ({"connection": "nowhere"}, "connection"),
        ({"hash_key_name": "not a name!"}, "hash_key_name"),
        ({"snapshot_at": "25:00"}, "snapshot_at"),
        ({"licence_expires_on": "soon"}, "licence_expires_on"),
        ({"crsa": "CRSA7777777"}, "crsa"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
    ],
)
async def test_a_wrong_field_of_a_change_is_named(staff: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    before = (await staff.get(CONFIG)).json()
    reply = await staff.put(CONFIG, json=change)
    assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (422, [field])
    assert (await staff.get(CONFIG)).json() == before


async def test_an_address_with_a_password_is_refused(platform: Platform, staff: httpx.AsyncClient) -> None:
    described = platform.tenant()["connections"][0] | {
        "name": "live",
        "token_url": "https://me:s3cret@sign-in.example/",
    }
    reply = await staff.post(f"/api/ocs/tenants/{CROL}/connections", json=described)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "token_url")
