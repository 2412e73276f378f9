"""What the scripted platform gives as its item catalogue, altered as a test says, and what tests ask of ours."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httpx

from ocs.catalogue import sync
from ocs.catalogue.gtin import check_digit
from ocs.runtime import Runtime
from tests.integration.platform import Answer, Platform
from tests.integration.pos import rows

PAGE = 100
UAT = "uat"
Line = dict[str, Any]


@dataclass
class Published:
    """Answers GET item catalogue from `lines`, a hundred a page; it is not the real platform."""

    platform: Platform
    lines: list[Line] = field(default_factory=list)
    faults: dict[int, deque[Answer]] = field(default_factory=dict)
    """Answers that are given first when a page is asked for."""
    asked: list[int] = field(default_factory=list)
    """The pages that were asked for, in order."""
    size: int = PAGE

    def __post_init__(self) -> None:
        """Put the answer into the platform."""
        self.platform.gets["/RetailerItemCatalogueHttpTrigger"] = self.answer

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one GET."""
        page = int(request.url.params["pageNumber"])
        self.asked.append(page)
        if self.faults.get(page):
            return self.faults[page].popleft()(request)
        return httpx.Response(200, json={"itemList": self.lines[(page - 1) * self.size : page * self.size]})


def sku(number: int) -> str:
    """Give the OCS SKU of the item with a number."""
    return f"{number:06}_3.5g___"


def each(number: int) -> str:
    """Give the barcode of the item with a number, 14 digits."""
    body = f"0062858{number:06}"
    return body + check_digit(body)


def item(number: int, **changes: Any) -> Line:
    """Give an item as the platform lists it, with changes."""
    whole = {
        "SKU": sku(number),
        "GTIN": each(number),
        "itemBarcode": each(number),
        "brand": "Northfield",
        "supplierName": "Northfield Growers Inc.",
        "productName": f"Quiet Maple {number}",
        "category": "Dried Flower",
        "ocsItemNumber": f"{number:06}",
        "productSize": "3.5g",
        "packSize": 24,
        "minTHCPercent": 18,
    }
    return whole | changes


def items(first: int, last: int) -> list[Line]:
    """Give the items of a range of numbers, both included."""
    return [item(number) for number in range(first, last + 1)]


async def read(runtime: Runtime) -> dict[str, Any]:
    """Have UAT's catalogue read as the command does; gives the reading's row."""
    return await sync.sync_catalogue(runtime, UAT)


async def newest(runtime: Runtime) -> dict[str, Any]:
    """Give the row of the newest reading."""
    return (await rows(runtime, "select * from catalogue_syncs order by sync_id desc limit 1"))[0]


async def changes(runtime: Runtime, sync_id: int) -> list[tuple[str, str]]:
    """Give what a reading has found different: SKU and word, in the order of SKUs."""
    found = await rows(runtime, "select * from catalogue_changes order by ocs_sku, change_id")
    return [(row["ocs_sku"], row["change"]) for row in found if row["sync_id"] == sync_id]


async def current(runtime: Runtime) -> set[str]:
    """Give the SKUs that are in the catalogue now."""
    return {row["ocs_sku"] for row in await rows(runtime, "select * from catalogue_items where gone_at is null")}


async def end_waits(runtime: Runtime, *, leases: bool = False) -> None:
    """Let the waits of readings be over, as time would; with `leases`, also those of workers that died."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update catalogue_syncs set due_at = now()")
        if leases:
            await connection.execute("update catalogue_syncs set lease_until = 'epoch'")


async def grow_old(runtime: Runtime, hours: int) -> None:
    """Let all readings have been asked for so many hours ago."""
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "update catalogue_syncs set asked_at = asked_at - make_interval(hours => %(hours)s)", {"hours": hours}
        )
