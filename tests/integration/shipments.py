"""OCS as a wholesaler for tests: gives the shipping notices that a test says, as the scripted platform's GET ASN."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import httpx

from ocs.delivery import sender
from ocs.events.ingest import ingest
from ocs.runtime import Runtime
from ocs.shipping import fetch
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, Answer, FakeQueues, Platform
from tests.integration.pos import SKU, UPC, message

SHIPMENT, CASE = "S00000001", "10708762000692"


def notice_line(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Give one line of a notice: a case of 24 eaches, each line of a lot of its own."""
    lot = f"L{number}"
    line = {
        "shipmentID": SHIPMENT,
        "containerID": "C1",
        "SKU": SKU,
        "itemName": "Sample Flower",
        "unitPrice": 26.95,
        "vendor": "Northfield Growers Inc.",
        "brand": "Northfield",
        "caseGTIN": CASE,
        "packagedOnDate": "2026-02-07",
        "batchLot": lot,
        "gTINBarcode": f"01{CASE}1727020710{lot}",
        "eachGTIN": UPC,
        "shippedQuantity": 24,
        "UOM": "EA",
        "UOMConversion": "24",
        "UOMConversionQuantity": 24,
    }
    return line | changes


@dataclass
class Wholesaler:
    """Answers GET ASN of every store with `lines`, once `answers` are used up; `windows` are those asked for."""

    platform: Platform
    lines: list[dict[str, Any]] = field(default_factory=lambda: [notice_line(1), notice_line(2)])
    answers: list[Answer] = field(default_factory=list)
    windows: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take the place at the platform."""
        self.platform.gets["RetailerASNHttpTrigger"] = self._answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        start, end = (datetime.fromisoformat(asked[name]) for name in ("startDateTime", "endDateTime"))
        self.windows.append((asked["retailerCRSA"], start, end))
        if self.answers:
            return self.answers.pop(0)(request)
        body = {
            "retailerCRSA": asked["retailerCRSA"],
            "startDateTime": asked["startDateTime"],
            "endDateTime": asked["endDateTime"],
            "retailerASNList": self.lines,
        }
        return httpx.Response(200, json=body)


async def ask(runtime: Runtime, crsa: str = FIRST) -> None:
    """Ask for the usual window of one store, as a person does."""
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, crsa)
        await fetch.ask(connection, store, None, None, "super admin", runtime.now())


async def read(runtime: Runtime, crsa: str = FIRST) -> None:
    """Have the notices of one store read now."""
    await ask(runtime, crsa)
    assert await fetch.fetch_due(runtime) == 1


async def let_time_pass(runtime: Runtime) -> None:
    """Let all waits and leases of readings be over, as time would."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update shipping_fetches set due_at = clock_timestamp() where state = 'due'")
        await connection.execute("update shipping_fetches set lease_until = 'epoch' where state = 'running'")


async def take_in(runtime: Runtime) -> int:
    """Have the POS's queue taken in and sent, in its order; gives how many messages were on it."""
    texts = cast("FakeQueues", runtime.queues).messages.pop("pos-transactions", [])
    for text in texts:
        taken = await ingest(runtime, message(json.loads(text)))
        await sender.answer_bell(runtime, taken.store_id)
    return len(texts)


async def let_receipts_rest(runtime: Runtime) -> None:
    """Let leases of receipts' messages end and a minute pass since the last one, as time would."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update receipt_messages set lease_until = 'epoch' where lease_until is not null")
        await connection.execute("update receipt_messages set queued_at = queued_at - interval '1 minute'")
