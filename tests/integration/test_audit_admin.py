"""The audit's routes: who sees what, what is found, how it is paged, taken away and checked."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.audit import admin
from ocs.audit.acts import Act
from ocs.audit.calls import Whose, calls_of, seal
from ocs.delivery import sender
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.web.roles import Role
from tests.integration.auditing import ALICE, behind_the_triggers, note, store_of, tenant_of
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST, SECOND, Platform, cut, status
from tests.integration.pos import make_due, rows, sell

AUDIT = "/api/ocs/audit"
OTHER = "CROL7654321"
EARLIER = "select id from audit_entries where subject is distinct from 'thing 99' order by at desc"


async def _find(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    reply = await client.get(AUDIT, params=query)
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json()["items"]
    return items


async def _other_tenant(runtime: Runtime, platform: Platform) -> Any:
    """Onboard a second tenant with an act of its own; gives its id."""
    described = platform.tenant() | {"crol": OTHER, "name": "Other Cannabis"}
    described["stores"] = [described["stores"][0] | {"crsa": "CRSA4444444"}]
    async with runtime.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(described))
        cursor = await connection.execute("select tenant_id from tenants where crol = %s", [OTHER])
        row = await cursor.fetchone()
    assert row is not None
    return row["tenant_id"]


async def test_an_act_is_shown_with_who_what_before_after_and_why(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    tenant_id, store_id = await tenant_of(runtime), await store_of(runtime, FIRST)
    async with runtime.pool.transaction() as connection:
        await Act(ALICE, "PUT /api/ocs/stores/{store_id}/config", "moved").note(
            connection,
            "store.changed",
            tenant_id=tenant_id,
            store_id=store_id,
            subject=FIRST,
            before={"name": "old"},
            after={"name": "new"},
        )
    (found,) = await _find(staff)
    hidden = {name: found.pop(name) for name in ("id", "at", "hash", "correlation_id")}
    assert found == {
        "kind": "act",
        "tenant_id": str(tenant_id),
        "store_id": str(store_id),
        "crsa": FIRST,
        "place": 1,
        "who_subject": "alice-id",
        "who_name": "Alice Tremblay",
        "what": "store.changed",
        "subject": FIRST,
        "before": {"name": "old"},
        "after": {"name": "new"},
        "why": "moved",
        "way": "PUT /api/ocs/stores/{store_id}/config",
    }
    assert all(hidden.values())


async def test_calls_and_acts_stand_together_newest_first(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await note(runtime, "store.changed", 1)
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await note(runtime, "store.changed", 2)
    found = await _find(staff)
    assert [row["kind"] for row in found] == ["act", "call", "call", "act"]
    assert (found[1]["crsa"], found[1]["status"], found[1]["method"]) == (FIRST, 200, "POST")


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ({"act": "store.changed"}, ["1", "0"]),
        ({"act": "store"}, ["2", "1", "0"]),
        ({"act": "stor"}, []),
        ({"act": "st_re.changed"}, []),
        ({"act": "%.%"}, []),
        ({"who": "alice-id"}, ["3", "2", "1", "0"]),
        ({"who": "Alice Tremblay", "subject": "thing 3"}, ["3"]),
        ({"who": "Bob"}, ["4"]),
        ({"store": SECOND}, ["1"]),
        ({"tenant": CROL, "act": "alert"}, ["3"]),
        ({"who": "nobody"}, []),
        ({"kind": "calls", "act": "store"}, []),
        ({"status": "200", "act": "store"}, []),
    ],
)
async def test_acts_are_found_by_what_they_say(
    runtime: Runtime, staff: httpx.AsyncClient, query: dict[str, str], subjects: list[str]
) -> None:
    await note(runtime, "store.changed", 0)
    await note(runtime, "store.changed", 1, store_id=await store_of(runtime, SECOND))
    await note(runtime, "store.paused", 2)
    await note(runtime, "alert.silenced", 3)
    bob = Act(Caller("bob-id", "Bob", super_admin=True), "PUT /a/route")
    await note(runtime, "storehouse.built", 4, act=bob)
    assert [row["subject"].removeprefix("thing ") for row in await _find(staff, **query)] == subjects


@pytest.mark.parametrize(
    ("wanted", "statuses"),
    [
        ("failed", [None, 500, 404]),
        ("no-reply", [None]),
        ("5xx", [500]),
        ("404", [404]),
        ("2xx", [200, 200]),
        ("499", []),
    ],
)
async def test_calls_are_found_by_their_status(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, wanted: str, statuses: list[int | None]
) -> None:
    taken = await sell(runtime, "T1")
    platform.answers = [status(404), status(500), cut]
    for _ in range(4):
        await make_due(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    await note(runtime, "store.changed", 1)
    assert [row["status"] for row in await _find(staff, status=wanted)] == statuses


async def test_a_time_is_from_and_before(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(3):
        await note(runtime, "store.changed", number)
    at = (await _find(staff, subject="thing 1"))[0]["at"]
    assert [row["subject"] for row in await _find(staff, since=at)] == ["thing 2", "thing 1"]
    assert [row["subject"] for row in await _find(staff, until=at)] == ["thing 0"]


async def test_an_act_is_found_by_its_requests_id(staff: httpx.AsyncClient) -> None:
    await staff.get(f"{AUDIT}/export")
    (export,) = await _find(staff)
    assert await _find(staff, correlation_id=export["correlation_id"]) == [export]
    assert await _find(staff, correlation_id=str(uuid4())) == []


async def test_every_row_is_on_one_page(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(5):
        await note(runtime, "store.changed", number)
        await sender.answer_bell(runtime, (await sell(runtime, f"T{number}")).store_id)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        reply = (await staff.get(AUDIT, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [row["id"] for row in reply["items"]]
        cursor = reply["next"]
        if cursor is None:
            break
        await note(runtime, "store.changed", 99)  # what comes meanwhile moves nothing
    assert seen[:2] != seen
    whole = await rows(
        runtime, "select id from audit_entries where subject is distinct from 'thing 99' order by at desc"
    )
    assert seen == [str(row["id"]) for row in whole]
    assert len(seen) == 11


@pytest.mark.parametrize(
    "query",
    [
        {"status": "9xx"},
        {"status": "40"},
        {"cursor": "broken"},
        {"since": "yesterday"},
        {"since": "2026-11-21T10:00:00"},
        {"kind": "others"},
        {"limit": "0"},
        {"limit": "201"},
        {"wrong": "name"},
        {"who": ""},
    ],
)
async def test_a_wrong_question_is_refused(staff: httpx.AsyncClient, query: dict[str, str]) -> None:
    reply = await staff.get(AUDIT, params=query)
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == next(iter(query))


async def test_a_tenants_admin_sees_the_own_tenant_only(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither another tenant's rows nor those of no tenant, whatever is asked for."""
    own, other = await tenant_of(runtime), await _other_tenant(runtime, platform)
    await note(runtime, "store.changed", 1, tenant_id=own)
    await note(runtime, "store.changed", 2, tenant_id=other)
    async with runtime.pool.transaction() as connection:
        await Act(ALICE, "").note(connection, "grant.given", tenant_id=None, subject="thing 3")
    await sender.answer_bell(runtime, (await sell(runtime, "T1")).store_id)
    request = runtime.http.build_request("POST", "https://platform.example/token")
    await calls_of(runtime).send(request, Whose(other), 5)
    await calls_of(runtime).send(request, Whose(), 5)

    async with staff_client(runtime, monkeypatch, Caller("bob", "Bob", {own: Role.TENANT_ADMIN})) as bob:
        assert {row["tenant_id"] for row in await _find(bob)} == {str(own)}
        assert len(await _find(bob)) == 3
        assert (await bob.get(AUDIT, params={"tenant": OTHER})).status_code == 404
        assert (await bob.get(AUDIT, params={"store": "CRSA4444444"})).status_code == 404
        assert (await bob.get(f"{AUDIT}/verify")).status_code == 403
        exported = (await bob.get(f"{AUDIT}/export")).text.splitlines()
        assert {json.loads(line)["tenant_id"] for line in exported} == {str(own)}
    both = Caller("eve", "Eve", {own: Role.TENANT_ADMIN, other: Role.MANAGER})
    async with staff_client(runtime, monkeypatch, both) as eve:
        assert {row["tenant_id"] for row in await _find(eve)} == {str(own)}
        assert (await eve.get(AUDIT, params={"tenant": OTHER})).status_code == 403
    async with staff_client(runtime, monkeypatch, Caller("mia", "Mia", {own: Role.MANAGER})) as mia:
        assert (await mia.get(AUDIT)).status_code == 403
    async with staff_client(runtime, monkeypatch, ALICE) as alice:
        assert {row["tenant_id"] for row in await _find(alice)} == {str(own), str(other), None}


async def test_an_export_has_every_row_once_and_is_an_act(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocs.audit.search.ROWS_AT_ONCE", 4)
    for number in range(9):
        await note(runtime, "store.changed", number)
    reply = await staff.get(f"{AUDIT}/export", params={"act": "store"}, headers={"Ocs-Why": "asked by the AGCO"})
    assert reply.headers["Content-Type"].startswith("application/x-ndjson")
    assert reply.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    found = [json.loads(line) for line in reply.text.splitlines()]
    assert [row["subject"] for row in found] == [f"thing {number}" for number in reversed(range(9))]
    (act,) = await _find(staff, act="audit.exported")
    assert (act["why"], act["after"]["act"], act["after"]["format"]) == ("asked by the AGCO", "store", "ndjson")


async def test_an_export_for_people_runs_nothing(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    evil = '=HYPERLINK("http://evil.example";"click")'
    async with runtime.pool.transaction() as connection:
        act = Act(Caller("x", "@SUM(A1)", super_admin=True), "+way", "-why\r\n=1")
        tenant_id = await tenant_of(runtime)
        await act.note(connection, "store.changed", tenant_id=tenant_id, subject=evil, after={"=1": "=2"})
    reply = await staff.get(f"{AUDIT}/export", params={"format": "csv", "act": "store"})
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(reply.text, newline=""))
    assert (row["subject"], row["who_name"], row["why"]) == (f"'{evil}", "'@SUM(A1)", "'-why\r\n=1")
    assert (row["after"], row["status"]) == ('{"=1": "=2"}', "")
    cells = [cell for line in csv.reader(io.StringIO(reply.text, newline="")) for cell in line]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


async def test_a_file_is_whole_or_refused(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "MOST_EXPORTED", 3)
    for number in range(4):
        await note(runtime, "store.changed", number)
    reply = await staff.get(f"{AUDIT}/export")
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["expected"].startswith("a time in which there are at most 3 rows")
    assert len(await _find(staff)) == 4  # no export was noted
    since = (await _find(staff, subject="thing 1"))[0]["at"]
    reply = await staff.get(f"{AUDIT}/export", params={"since": since})
    assert len(reply.text.splitlines()) == 3


async def test_the_check_says_what_it_found(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(4):
        await note(runtime, "store.changed", number)
    await sender.answer_bell(runtime, (await sell(runtime, "T1")).store_id)
    await seal(runtime)
    whole = (await staff.get(f"{AUDIT}/verify")).json()
    assert (whole["whole"], whole["rows"], whole["end"], whole["first_broken"]) == (True, 4, 4, None)
    assert whole["checkpoint"]["gone"] == 0
    part = (await staff.get(f"{AUDIT}/verify", params={"most": 2})).json()
    assert (part["whole"], part["rows"], part["next"]) == (True, 2, 2)
    calls = (await staff.get(f"{AUDIT}/verify", params={"chain": "calls"})).json()
    assert (calls["whole"], calls["rows"]) == (True, 2)
    await behind_the_triggers(runtime, "update audit_acts set subject = 'another' where place = 2")
    broken = (await staff.get(f"{AUDIT}/verify")).json()
    assert broken["whole"] is False
    assert broken["first_broken"]["place"] == 2
    assert broken["first_broken"]["what"] == "the row's content was changed"
    assert (await staff.get(f"{AUDIT}/verify", params={"after": 99})).status_code == 422
