"""Many mappings in a CSV file: all or nothing, every fault by line and column, and a dry run that says the same."""

from typing import Any

import httpx
import pytest

from ocs.mapping import change
from ocs.runtime import Runtime
from tests.integration.item_master import ITEMS, OIL_EACH, OIL_SKU, read_catalogue
from tests.integration.platform import CROL, Platform
from tests.integration.pos import SKU, UPC, rows

MAPPINGS = f"/api/ocs/tenants/{CROL}/mappings"
HEADER = "pos_sku,ocs_sku,upc\n"
GOOD = f"{HEADER}A,{SKU},{UPC}\nB,{OIL_SKU},\n"


async def post(
    staff: httpx.AsyncClient, text: str | bytes, content_type: str = "text/csv; charset=utf-8", **params: Any
) -> httpx.Response:
    """Upload a file."""
    content = text.encode() if isinstance(text, str) else text
    return await staff.post(f"{MAPPINGS}/csv", content=content, headers={"Content-Type": content_type}, params=params)


async def mapped(runtime: Runtime) -> dict[str, tuple[str, str]]:
    """Give what is mapped to what."""
    found = await rows(runtime, "select pos_sku, ocs_sku, upc from sku_mappings order by pos_sku")
    return {row["pos_sku"]: (row["ocs_sku"], row["upc"]) for row in found}


async def history(runtime: Runtime) -> list[tuple[str, str]]:
    """Give what was written into the history, in order."""
    found = await rows(runtime, "select pos_sku, change from sku_mapping_changes order by change_id")
    return [(row["pos_sku"], row["change"]) for row in found]


def changes(reply: httpx.Response) -> dict[str, str]:
    """Give what each SKU of a file came to."""
    assert reply.status_code == 200, reply.text
    return {line["pos_sku"]: line["change"] for line in reply.json()["lines"]}


async def test_a_file_is_written_whole_and_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    first = await post(staff, GOOD)
    assert (changes(first), first.json()["written"]) == ({"A": "added", "B": "added"}, True)
    assert await mapped(runtime) == {"A": (SKU, UPC), "B": (OIL_SKU, "")}
    again = await post(staff, GOOD)
    assert (changes(again), again.json()["written"]) == ({"A": "unchanged", "B": "unchanged"}, False)
    assert await history(runtime) == [("A", "added"), ("B", "added")]


async def test_each_line_says_what_it_came_to_with_what_was_before(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await post(staff, GOOD)
    reply = (await post(staff, f"{HEADER}C,{SKU},\nB,{SKU},{UPC}\nA,{SKU},{UPC}\n")).json()
    assert reply["totals"] == {"added": 1, "changed": 1, "unchanged": 1}
    assert [(line["line"], line["change"]) for line in reply["lines"]] == [
        (2, "added"),
        (3, "changed"),
        (4, "unchanged"),
    ]
    assert reply["lines"][1]["before"] == {"ocs_sku": OIL_SKU, "upc": ""}
    assert (await history(runtime))[2:] == [("B", "changed"), ("C", "added")]


async def test_a_dry_run_says_the_same_and_writes_nothing(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await post(staff, GOOD)
    other = f"{HEADER}A,{OIL_SKU},{OIL_EACH}\nZ,{SKU},{UPC}\n"
    dry = (await post(staff, other, dry_run=True)).json()
    assert (dry["dry_run"], dry["written"]) == (True, False)
    assert await mapped(runtime) == {"A": (SKU, UPC), "B": (OIL_SKU, "")}
    assert len(await history(runtime)) == 2
    real = (await post(staff, other)).json()
    assert {name: real[name] for name in ("totals", "lines", "faults")} == {
        name: dry[name] for name in ("totals", "lines", "faults")
    }


WRONG = f"{HEADER}A,{SKU},{UPC}\nB,{OIL_SKU},1E+13\nC,,\nD,{SKU},8762000695\nE,{SKU}\n"


async def test_nothing_is_written_unless_all_is_right(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for dry_run in (True, False):
        reply = await post(staff, WRONG, dry_run=dry_run)
        assert reply.status_code == 422
        assert [error["field"] for error in reply.json()["errors"]] == [
            'line 3, column "upc"',
            'line 4, column "ocs_sku"',
            'line 5, column "upc"',
            "line 6",
        ]
    assert await mapped(runtime) == {}


async def test_the_good_lines_are_taken_only_on_request(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    reply = (await post(staff, WRONG, good_lines_only=True)).json()
    assert ([line["pos_sku"] for line in reply["lines"]], len(reply["faults"])) == (["A"], 4)
    assert await mapped(runtime) == {"A": (SKU, UPC)}
    none_good = await post(staff, f"{HEADER}B,,\n", good_lines_only=True)
    assert none_good.status_code == 422


async def test_of_two_lines_with_one_pos_sku_none_is_good(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    twice = f"{HEADER}A,{SKU},\nB,{SKU},\nA,{OIL_SKU},\n"
    refused = await post(staff, twice)
    assert [error["field"] for error in refused.json()["errors"]] == ['line 4, column "pos_sku"']
    await post(staff, twice, good_lines_only=True)
    assert await mapped(runtime) == {"B": (SKU, "")}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"\xef\xbb\xbfpos_sku;ocs_sku;upc\nA;B;\n", "line 1"),
        (b"PK\x03\x04", "the whole file"),
        (b"", "the whole file"),
        (b"pos_sku,upc\nA,\n", 'line 1, column "ocs_sku"'),
        (b"pos_sku,ocs_sku,name\nA,B,C\n", "line 1"),
        (b"pos_sku,ocs_sku\nA,B\x00\n", 'line 2, column "ocs_sku"'),
        (b"pos_sku,ocs_sku\n" + b"A" * 101 + b",B\n", 'line 2, column "pos_sku"'),
    ],
)
async def test_bad_files_are_named_by_place_and_leave_nothing(
    runtime: Runtime, staff: httpx.AsyncClient, body: bytes, field: str
) -> None:
    reply = await post(staff, body)
    assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (422, [field])
    assert await mapped(runtime) == {}


async def test_only_a_csv_file_is_read(staff: httpx.AsyncClient) -> None:
    reply = await post(staff, GOOD, "application/json")
    assert [error["field"] for error in reply.json()["errors"]] == ["Content-Type"]


async def test_lines_carry_the_catalogues_warnings(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await read_catalogue(runtime, platform, ITEMS)
    lines = (await post(staff, f"{HEADER}A,{SKU},{OIL_EACH}\nB,{SKU},{UPC}\n", dry_run=True)).json()["lines"]
    assert [[warning["code"] for warning in line["warnings"]] for line in lines] == [["sku_barcode_mismatch"], []]


async def test_a_files_notes_stay(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await staff.put(f"{MAPPINGS}/A", json={"ocs_sku": OIL_SKU, "note": "shelf 3"})
    assert changes(await post(staff, GOOD)) == {"A": "changed", "B": "added"}
    noted = await rows(runtime, "select pos_sku, note from sku_mappings order by pos_sku")
    assert [row["note"] for row in noted] == ["shelf 3", ""]


async def test_a_death_before_the_commit_leaves_all_as_it_was(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = change._save  # noqa: SLF001 - dies right after it

    async def save_and_die(*words: Any) -> None:
        await save(*words)
        raise MemoryError

    monkeypatch.setattr(change, "_save", save_and_die)
    assert (await post(staff, GOOD)).status_code == 500
    assert (await mapped(runtime), await history(runtime)) == ({}, [])
    monkeypatch.setattr(change, "_save", save)
    assert changes(await post(staff, GOOD)) == {"A": "added", "B": "added"}
