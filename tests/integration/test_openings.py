"""What a store holds at an instant, uploaded over HTTP: all or nothing, once, and true whatever order news comes in."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest

from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.runtime import Runtime
from ocs.tenants.read import tenant_of
from tests.integration.platform import CROL, FIRST, SECOND
from tests.integration.pos import SKU, UPC, rows, sell

NOW = datetime.now(UTC).replace(microsecond=0)
AS_OF = NOW - timedelta(hours=2)
TABLES = ("inventory_levels", "inventory_openings", "inventory_uploads", "inventory_states", "inventory_changes")
OTHER = "202020_1g___"


def counted(quantity: int, ocs_sku: str = SKU, upc: str | None = UPC, **changes: Any) -> dict[str, Any]:
    """Give a counted item of 4.00 each."""
    return {"ocs_sku": ocs_sku, "upc": upc, "quantity": quantity, "unit_cost": "4.00"} | changes


async def put(
    staff: httpx.AsyncClient, *items: object, store: str = FIRST, as_of: datetime = AS_OF, **params: Any
) -> httpx.Response:
    """Upload a count as JSON."""
    body = {"as_of": as_of.isoformat(), "items": items}
    return await staff.put(f"/api/ocs/stores/{store}/inventory", json=body, params=params)


async def put_csv(staff: httpx.AsyncClient, body: bytes, **params: Any) -> httpx.Response:
    """Upload a count as a CSV file."""
    return await staff.put(
        f"/api/ocs/stores/{FIRST}/inventory",
        content=body,
        params={"as_of": AS_OF.isoformat()} | params,
        headers={"Content-Type": "text/csv; charset=utf-8"},
    )


async def held(staff: httpx.AsyncClient, at: datetime | None = None, store: str = FIRST) -> dict[str, tuple[str, str]]:
    """Give the quantity and value of each item of a store at an instant, by its SKU."""
    params = {} if at is None else {"at": at.isoformat()}
    reply = await staff.get(f"/api/ocs/stores/{store}/inventory", params=params)
    assert reply.status_code == 200
    return {item["ocs_sku"]: (item["quantity"], item["value"]) for item in reply.json()["items"]}


async def tables(runtime: Runtime) -> dict[str, list[dict[str, Any]]]:
    """Read all tables that an upload could change."""
    return {table: await rows(runtime, f"select * from {table} order by 1, 2, 3") for table in TABLES}  # noqa: S608


def errors(reply: httpx.Response) -> list[str]:
    """Give the places of a refusal's faults."""
    assert reply.status_code == 422
    return [error["field"] for error in reply.json()["errors"]]


async def test_a_count_is_what_the_store_held_at_that_instant(staff: httpx.AsyncClient) -> None:
    reply = await put(staff, counted(10), counted(5, OTHER, None, unit_cost=None, value="7.5000"))
    assert (reply.status_code, reply.json()["written"]) == (200, True)
    assert await held(staff) == {SKU: ("10", "40.0000"), OTHER: ("5", "7.5000")}
    totals = (await staff.get(f"/api/ocs/stores/{FIRST}/inventory")).json()["totals"]
    assert totals == {"items": 2, "quantity": "15", "value": "47.5000"}
    assert await held(staff, store=SECOND) == {}


async def test_what_happens_at_the_instant_itself_comes_on_top(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """A count as of 08:00 holds what was there before 08:00: a sale at 08:00 sharp is not in it."""
    await put(staff, counted(10))
    await sell(runtime, "before", occurred_at=(AS_OF - timedelta(microseconds=1)).isoformat())
    await sell(runtime, "sharp", occurred_at=AS_OF.isoformat())
    assert (await held(staff))[SKU][0] == "9"
    assert (await held(staff, AS_OF))[SKU][0] == "10"
    assert (await held(staff, AS_OF + timedelta(seconds=1)))[SKU][0] == "9"


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_events_and_counts_give_the_same_in_any_order(
    runtime: Runtime, staff: httpx.AsyncClient, order: tuple[int, ...]
) -> None:
    """Two counts and two sales around them: the level of every moment does not depend on which came first."""
    hour = timedelta(hours=1)

    async def happen(what: int) -> None:
        if what < 2:
            await put(staff, counted((10, 20)[what]), as_of=AS_OF - (4, 2)[what] * hour)
        else:
            await sell(runtime, f"S{what}", occurred_at=(AS_OF - (None, None, 3, 1)[what] * hour).isoformat())  # type: ignore[operator] # 2 and 3

    for what in order:
        await happen(what)
    moments = [AS_OF - hours * hour for hours in (3.5, 2.5, 1.5, 0.5)]
    assert [(await held(staff, moment))[SKU][0] for moment in moments] == ["10", "9", "20", "19"]


async def test_a_dry_run_says_it_all_and_writes_nothing(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await put(staff, counted(10), counted(1, OTHER), as_of=AS_OF - timedelta(hours=1))
    before = await tables(runtime)
    dry = (await put(staff, counted(7), dry_run=True)).json()
    assert await tables(runtime) == before
    assert (dry["dry_run"], dry["changes"], dry["written"], dry["upload_id"]) == (True, True, False, None)
    line = dry["lines"][0]
    assert (line["line"], line["before"]["quantity"], line["after"]["quantity"]) == ("items[0]", "10", "7")
    assert line["difference"] == {"quantity": "-3", "value": "-12.0000"}
    assert dry["totals"]["difference"] == line["difference"]
    assert [(item["ocs_sku"], item["becomes"]) for item in dry["not_named"]] == [(OTHER, "kept")]
    real = (await put(staff, counted(7))).json()
    same = {"lines", "totals", "not_named", "notices", "faults", "changes"}
    assert {name: real[name] for name in same} == {name: dry[name] for name in same}


async def test_the_rest_stays_unless_it_was_counted_as_none(staff: httpx.AsyncClient) -> None:
    await put(staff, counted(10), counted(5, OTHER), as_of=AS_OF - timedelta(hours=1))
    await put(staff, counted(8))
    assert await held(staff) == {SKU: ("8", "32.0000"), OTHER: ("5", "20.0000")}
    reply = await put(staff, counted(8), rest="zero")
    assert [(item["ocs_sku"], item["becomes"]) for item in reply.json()["not_named"]] == [(OTHER, "zero")]
    assert await held(staff) == {SKU: ("8", "32.0000")}


async def test_a_store_that_holds_nothing_is_opened_by_an_empty_upload(staff: httpx.AsyncClient) -> None:
    inventory = f"/api/ocs/stores/{FIRST}/inventory"
    assert (await staff.get(inventory)).json()["opened_at"] is None
    assert (await put(staff)).json()["written"]
    assert datetime.fromisoformat((await staff.get(inventory)).json()["opened_at"]) == AS_OF
    assert not (await put(staff)).json()["written"]


async def test_the_same_upload_again_changes_nothing_and_says_so(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    first = (await put(staff, counted(10), counted(5, OTHER))).json()
    before = await tables(runtime)
    again = (await put(staff, counted(5, OTHER), counted(10))).json()
    assert await tables(runtime) == before
    assert (again["written"], again["upload_id"]) == (False, first["upload_id"])
    assert "Nothing changes" in again["notices"][0]


async def test_going_back_to_an_earlier_count_is_a_change(staff: httpx.AsyncClient) -> None:
    for quantity in (10, 12, 10):
        assert (await put(staff, counted(quantity))).json()["written"]
    assert (await held(staff))[SKU][0] == "10"


async def test_the_good_lines_are_taken_only_on_request(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    body = f"ocs_sku,upc,quantity,unit_cost\n{SKU},{UPC},10,4\n{OTHER},1E+13,1,4\nX,,-3,4\n".encode()
    before = await tables(runtime)
    wrong = ['line 3, column "upc"', 'line 4, column "quantity"']
    assert errors(await put_csv(staff, body)) == wrong
    assert errors(await put_csv(staff, body, dry_run=True)) == wrong
    assert await tables(runtime) == before
    reply = await put_csv(staff, body, good_lines_only=True)
    assert [fault["field"] for fault in reply.json()["faults"]] == wrong
    assert await held(staff) == {SKU: ("10", "40.0000")}
    assert [(row["lines"], row["lines_left"]) for row in await rows(runtime, "select * from inventory_uploads")] == [
        (3, 2)
    ]


async def test_the_items_of_wrong_lines_are_never_set_to_zero(staff: httpx.AsyncClient) -> None:
    await put(staff, counted(5, OTHER), as_of=AS_OF - timedelta(hours=1))
    reply = await put(staff, counted(10), counted(-1, OTHER), good_lines_only=True, rest="zero")
    assert errors(reply) == ["rest", "items[1].quantity"]
    assert await held(staff) == {OTHER: ("5", "20.0000")}


async def test_an_upload_without_any_good_line_is_refused(staff: httpx.AsyncClient) -> None:
    assert errors(await put(staff, counted(-1), good_lines_only=True)) == ["items[0].quantity"]


@pytest.mark.parametrize(
    ("body", "places"),
    [
        (b"\xef\xbb\xbfocs_sku;quantity\n1;2\n", ["line 1"]),
        (
            b"ocs_sku,upc,quantity,unit_cost\nA,1E+13,1,1\nB,8762000695,1,1\n",
            ['line 2, column "upc"', 'line 3, column "upc"'],
        ),
        (b"ocs_sku,quantity,unit_cost\nA,1,1\nB,1,1\nA,2,1\n", ['line 4, column "ocs_sku"']),
        (b"ocs_sku,quantity,unit_cost\nA,-1,1\nB,1.5,1\n", ['line 2, column "quantity"', 'line 3, column "quantity"']),
        (b"sku,quantity,unit_cost\nOURS,1,1\n", ['line 2, column "sku"']),
        (b"ocs_sku,quantity\nA,1\n", ['line 2, column "unit_cost"']),
        (b"", ["the whole file"]),
    ],
)
async def test_bad_files_are_named_by_line_and_column_and_leave_nothing(
    runtime: Runtime, staff: httpx.AsyncClient, body: bytes, places: list[str]
) -> None:
    before = await tables(runtime)
    assert errors(await put_csv(staff, body)) == places
    assert await tables(runtime) == before


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ({"params": {"as_of": (NOW + timedelta(days=1)).isoformat()}}, "as_of"),
        ({"params": {"as_of": "2006-11-20T08:00:00-05:00"}}, "as_of"),
        ({"params": {"as_of": "2026-11-20T08:00:00"}}, "as_of"),
        ({"params": {}}, "as_of"),
        ({"params": {"as_of": AS_OF.isoformat(), "rest": "drop"}}, "rest"),
        ({"headers": {"Content-Type": "application/pdf"}, "params": {"as_of": AS_OF.isoformat()}}, "Content-Type"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    staff: httpx.AsyncClient, words: dict[str, Any], place: str
) -> None:
    whole = {"content": b"ocs_sku,quantity,unit_cost\n", "headers": {"Content-Type": "text/csv"}} | words
    assert errors(await staff.put(f"/api/ocs/stores/{FIRST}/inventory", **whole)) == [place]


async def test_a_body_too_large_is_refused(staff: httpx.AsyncClient) -> None:
    assert (await put_csv(staff, b"a" * (4 * 1024 * 1024 + 1))).status_code == 413


async def test_odd_items_carry_warnings_and_are_written(staff: httpx.AsyncClient) -> None:
    reply = await put(staff, counted(1, "odd", None), counted(2, SKU, UPC))
    codes = [[warning["code"] for warning in line["warnings"]] for line in reply.json()["lines"]]
    assert codes == [["sku_form", "no_barcode"], []]


async def test_a_barcode_without_its_leading_zeros_is_the_same_item(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    assert errors(await put(staff, counted(2, SKU, UPC), counted(3, SKU, UPC.removeprefix("00")))) == [
        "items[1].ocs_sku"
    ]
    await put(staff, counted(5, SKU, UPC))
    short = [{"ocs_sku": SKU, "upc": UPC.removeprefix("00"), "quantity": 2}]
    await sell(runtime, "T1", items=short)
    held = (await staff.get(f"/api/ocs/stores/{FIRST}/inventory")).json()["items"]
    assert [(item["upc"], item["quantity"]) for item in held] == [(UPC, "3")]


async def test_a_pos_sku_is_counted_as_what_it_is_mapped_to(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    line = {"sku": "OURS", "quantity": 3, "unit_cost": 1}
    assert errors(await put(staff, line)) == ["items[0].sku"]
    async with runtime.pool.transaction() as connection:
        await map_sku(connection, await tenant_of(connection, CROL), "OURS", MappedSku(SKU, UPC))
    reply = (await put(staff, line)).json()["lines"][0]
    assert (reply["sku"], reply["ocs_sku"], reply["upc"]) == ("OURS", SKU, UPC)


async def test_a_store_that_has_reported_is_told_to_report_differences(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await sell(runtime, "S1", occurred_at=(AS_OF - timedelta(hours=1)).isoformat())
    assert (await put(staff, counted(10), dry_run=True)).json()["notices"] == []
    async with runtime.pool.transaction() as connection:
        await connection.execute("update outbox set state = 'accepted', settled_at = now()")
    notice = (await put(staff, counted(10))).json()["notices"]
    assert ["POSITION_MISMATCH" in text for text in notice] == [True]


async def test_uploads_are_listed_newest_first_and_kept_whole(staff: httpx.AsyncClient) -> None:
    body = f"ocs_sku,quantity,unit_cost\n{SKU},3,4\n".encode()
    for quantity in (1, 2):
        await put(staff, counted(quantity))
    await put_csv(staff, body)
    uploads = f"/api/ocs/stores/{FIRST}/inventory/uploads"
    page = (await staff.get(uploads, params={"limit": 2})).json()
    rest = (await staff.get(uploads, params={"limit": 2, "before": page["next"]})).json()
    listed = [*page["uploads"], *rest["uploads"]]
    assert ([upload["quantity"] for upload in listed], rest["next"]) == (["3", "2", "1"], None)
    kept = (await staff.get(f"{uploads}/{listed[0]['upload_id']}")).json()
    assert (kept["content"], kept["content_type"], kept["uploaded_by"]) == (body.decode(), "text/csv", "super admin")
    assert kept["items"] == [{"ocs_sku": SKU, "upc": "", "quantity": "3", "value": "12.0000"}]
    assert (await staff.get(f"{uploads}/999")).status_code == 404


async def test_another_tenants_inventory_is_not_there(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    upload = (await put(staff, counted(10))).json()["upload_id"]
    before = await tables(runtime)
    assert (await put(stranger, counted(1))).status_code == 404
    for path in ("", "/uploads", f"/uploads/{upload}"):
        assert (await stranger.get(f"/api/ocs/stores/{FIRST}/inventory{path}")).status_code == 404
    other_store = f"/api/ocs/stores/{SECOND}/inventory/uploads/{upload}"
    assert (await staff.get(other_store)).status_code == 404, "an upload is shown with its own store only"
    assert await tables(runtime) == before


async def test_uploads_at_once_are_written_one_after_the_other(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """Whoever comes last is what counts, and what is on record says the same as the levels."""
    replies = await asyncio.gather(*(put(staff, counted(quantity)) for quantity in range(1, 9)))
    assert [reply.status_code for reply in replies] == [200] * 8
    newest = await rows(
        runtime, "select quantities[1] as quantity from inventory_uploads order by upload_id desc limit 1"
    )
    assert (await held(staff))[SKU][0] == str(newest[0]["quantity"])
    befores = {reply.json()["lines"][0]["before"]["quantity"] for reply in replies}
    assert len(befores) == 8, "each saw what the one before it had written"
