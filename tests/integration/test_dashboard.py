"""The page: each view for each role, forms that only the page itself can send, and nothing foreign in what it shows."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import httpx
import psycopg
import pytest

from ocs.access.caller import Caller
from ocs.dashboard.admin import VIEWS
from ocs.delivery.sender import answer_bell
from ocs.runtime import Runtime
from ocs.tenants.read import tenant_of
from ocs.web.roles import LADDER, Role
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST, SECOND, THIRD, Platform
from tests.integration.pos import SKU, UPC, rows, sell

PAGE = "/api/dashboard"
LOOKS = ("", f"/stores/{FIRST}", "/lines", f"/lines?store={FIRST}&find={SKU}", "/letters", "/mappings", "/alerts")
OF_ADMINS = ("/credentials", "/audit")
EVIL = '<script>alert("x")</script>'
WRONG = "000000_1g___"


@asynccontextmanager
async def seen_by(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role, subject: str = "one"
) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of somebody with a role in the tenant."""
    async with runtime.pool.transaction() as connection:
        tenant_id = await tenant_of(connection, CROL)
    is_super = role is Role.SUPER_ADMIN
    caller = Caller(subject, "One", {} if is_super else {tenant_id: role}, super_admin=is_super)
    async with staff_client(runtime, monkeypatch, caller) as client:
        yield client


async def token(client: httpx.AsyncClient, path: str = "/alerts") -> str:
    """Give the token of the forms of a page that has some; the client keeps the seed as a browser does."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', (await client.get(PAGE + path)).text)
    assert found is not None, "the page has a form"
    return found[1]


async def parked_line(runtime: Runtime, platform: Platform, store: str = FIRST) -> dict[str, Any]:
    """Have a line of a store refused by the platform; gives it."""
    platform.refused_skus.add(WRONG)
    taken = await sell(
        runtime, "T-wrong", store=store, items=[{"ocs_sku": WRONG, "upc": UPC, "quantity": 1, "unit_price": "1"}]
    )
    await answer_bell(runtime, taken.store_id)
    (line,) = await rows(runtime, "select item_id, state from outbox where state = 'parked'")
    return line


@pytest.mark.parametrize("role", LADDER)
async def test_every_view_is_open_to_its_role_and_those_above(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    async with seen_by(runtime, monkeypatch, role) as client:
        looks = {path: (await client.get(PAGE + path)).status_code for path in LOOKS}
        admins = {path: (await client.get(PAGE + path)).status_code for path in OF_ADMINS}
    assert looks == dict.fromkeys(LOOKS, 200)
    assert admins == dict.fromkeys(OF_ADMINS, 200 if role.includes(Role.TENANT_ADMIN) else 403)


async def test_whoever_may_not_reads_whom_to_ask_and_the_subject_to_tell(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is granted to this person yet; the sign-in's subject is what an administrator needs."""

    async def nobody_yet(_own: Runtime, _request: object) -> Any:
        return type("Person", (), {"name": "New Nora", "subject": "subject-of-nora"})

    monkeypatch.setattr("ocs.dashboard.visit.signed_in", nobody_yet)
    async with staff_client(runtime, monkeypatch, Caller("subject-of-nora", "New Nora")) as client:
        reply = await client.get(PAGE)
    assert reply.status_code == 403
    assert "Whom to ask" in reply.text
    assert "subject-of-nora" in reply.text


async def test_nothing_foreign_may_run_on_a_page(staff: httpx.AsyncClient) -> None:
    for path in (*LOOKS, *OF_ADMINS):
        reply = await staff.get(PAGE + path)
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", reply.text) == []
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_its_files_are_there_and_are_kept_by_the_browser(staff: httpx.AsyncClient) -> None:
    text = (await staff.get(PAGE)).text
    names = re.findall(rf'(?:src|href)="({PAGE}/static/[^"]+)"', text)
    replies = [await staff.get(name) for name in names]
    assert [reply.status_code for reply in replies] == [200] * 4
    assert all("immutable" in reply.headers["Cache-Control"] for reply in replies)
    stale = await staff.get(f"{PAGE}/static/old/style.css")
    assert (stale.status_code, stale.headers["Cache-Control"]) == (200, "no-store")
    assert (await staff.get(f"{PAGE}/static/x/..%2fadmin.py")).status_code == 404


async def test_only_the_live_part_is_sent_when_the_page_asks_for_it_again(staff: httpx.AsyncClient) -> None:
    for path in ("", f"/stores/{FIRST}", f"/lines?store={FIRST}", "/letters", "/alerts"):
        whole = await staff.get(PAGE + path)
        live = await staff.get(PAGE + path, headers={"HX-Request": "true"})
        assert (whole.status_code, live.status_code) == (200, 200)
        assert ("<html" in whole.text, "<html" in live.text) == (True, False)
        assert live.text.strip().splitlines()[0] in whole.text


async def test_a_form_of_another_site_does_nothing(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the token, with another person's or another browser's, or from another origin: nothing is sent again."""
    line = await parked_line(runtime, platform)
    path = f"{PAGE}/stores/{FIRST}/lines/{line['item_id']}/retry"
    async with seen_by(runtime, monkeypatch, Role.STAFF, "two") as client:
        of_another = await token(client, f"/stores/{FIRST}")
    async with seen_by(runtime, monkeypatch, Role.STAFF) as client:
        without_a_cookie = await client.post(path, data={"form_token": of_another})
        own = await token(client, f"/stores/{FIRST}")
        replies = [
            without_a_cookie,
            await client.post(path),
            await client.post(path, data={"form_token": of_another}),
            await client.post(path, data={"form_token": own + "é"}),
            await client.post(path, data={"form_token": own}, headers={"Origin": "https://evil.example"}),
            await client.post(path, data={"form_token": own}, headers={"Sec-Fetch-Site": "cross-site"}),
        ]
        assert [reply.status_code for reply in replies] == [422, 422, 422, 422, 403, 403]
        assert [row["state"] for row in await rows(runtime, "select state from outbox")] == ["parked"]
        done = await client.post(path, data={"form_token": own}, headers={"Sec-Fetch-Site": "same-origin"})
    assert (done.status_code, done.headers["Location"].partition("?")[2]) == (303, "done=retried")
    assert [row["state"] for row in await rows(runtime, "select state from outbox")] == ["pending"]


async def test_a_viewer_gets_no_button_and_no_form_is_taken(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = await parked_line(runtime, platform)
    async with seen_by(runtime, monkeypatch, Role.VIEWER) as client:
        shown = [
            await client.get(PAGE + path) for path in (f"/stores/{FIRST}", f"/stores/{FIRST}/lines/{line['item_id']}")
        ]
        seed = client.cookies["form_seed"]
        sent = await client.post(f"{PAGE}/stores/{FIRST}/lines/{line['item_id']}/retry", data={"form_token": seed})
    assert [reply.status_code for reply in (*shown, sent)] == [200, 200, 403]
    assert ['method="post"' in reply.text for reply in shown] == [False, False]
    assert all("refused" in reply.text for reply in shown)


async def test_every_form_states_a_role_above_the_viewers() -> None:
    posts = {
        route.path: route.endpoint.__ocs_role__
        for view in VIEWS
        for route in view.router.routes
        if "POST" in getattr(route, "methods", ())
    }
    assert len(posts) > 10
    assert {path for path, role in posts.items() if not role.includes(Role.STAFF)} == set()


async def test_what_a_pos_wrote_is_shown_and_never_run(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    """Every text that comes from outside: SKUs, reasons, transaction ids, the platform's words, dead letters."""
    line = await parked_line(runtime, platform)
    item = {"sku": EVIL, "quantity": 1, "unit_price": "1", "line_id": str(uuid.uuid4())}
    await sell(runtime, EVIL, items=[item], transaction_type="adjustment", reason=EVIL)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set name = %s where crsa = %s", (EVIL, FIRST))
        await connection.execute("update outbox set parked_reason = %s where parked_reason is not null", (EVIL,))
        await connection.execute(
            "insert into dead_letters (queue, message_id, tenant_id, body, cause, reason, inserted_at) "
            "select %s, %s, tenant_id, %s, 'message', %s, now() from tenants",
            (EVIL, EVIL, EVIL, EVIL),
        )
    (letter,) = await rows(runtime, "select letter_id from dead_letters")
    paths = [
        *LOOKS,
        *OF_ADMINS,
        f"/lines?store={FIRST}&find={EVIL}",
        f"/mappings?sku={EVIL}&search={EVIL}",
        f"/stores/{FIRST}/lines/{line['item_id']}",
        f"/stores/{FIRST}/lines/{item['line_id']}",
        f"/letters/{letter['letter_id']}",
        f"/?find={EVIL}&done={EVIL}",
        f"/stores/{EVIL}",
    ]
    shown = {path: (await staff.get(PAGE + path)).text for path in paths}
    assert [path for path, text in shown.items() if "<script>alert" in text] == []
    assert sum("&lt;script&gt;" in text for text in shown.values()) > 8


async def test_another_tenants_rows_are_not_there(
    runtime: Runtime, platform: Platform, stranger: httpx.AsyncClient
) -> None:
    line = await parked_line(runtime, platform)
    hidden = [
        f"/stores/{FIRST}",
        f"/stores/{FIRST}/lines/{line['item_id']}",
        f"/lines?store={FIRST}",
        f"/letters?store={FIRST}",
        f"/mappings?tenant={CROL}",
        f"/credentials?tenant={CROL}",
        f"/audit?store={FIRST}",
    ]
    assert {path: (await stranger.get(PAGE + path)).status_code for path in hidden} == dict.fromkeys(hidden, 404)
    for path in ("", f"/lines?find={line['item_id']}", "/letters", "/mappings", "/alerts", "/audit"):
        reply = await stranger.get(PAGE + path)
        assert (path, reply.status_code, FIRST in reply.text) == (path, 200, False)


async def test_what_cannot_be_shown_just_now_is_said_in_words(
    staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_words: object) -> NoReturn:
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("ocs.dashboard.views.overview.overview", gone)
    reply = await staff.get(PAGE)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "30")
    assert "Nothing is lost" in reply.text
    assert "connection is lost" not in reply.text


async def test_stores_are_found_by_name_and_those_with_something_wrong_stand_first(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set name = 'Corner Shop' where crsa = %s", (THIRD,))
    await parked_line(runtime, platform, THIRD)

    async def listed(query: str) -> list[str]:
        text = (await staff.get(f"{PAGE}?{query}")).text
        return re.findall(r'id="store-(CRSA[0-9]+)"', text)

    assert await listed("") == [THIRD, FIRST, SECOND]
    assert await listed("find=corner") == [THIRD]
    assert await listed("show=attention") == [THIRD]
    assert await listed("find=crsa2&show=all&page=7") == [SECOND]
    assert await listed("show=paused") == []
