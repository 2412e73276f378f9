"""What tests of positions share: a clock to set, stores whose levels are told, and what was made of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocs.delivery.sender import answer_bell
from ocs.levels.change import Level, lock_levels
from ocs.levels.opening import open_levels
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST
from tests.integration.pos import SKU, UPC, rows

YESTERDAY = date(2026, 11, 19)
MIDNIGHT = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
"""The end of the 19th in Toronto; an hour later at Kenora."""
HELD = {(SKU, UPC): Level(Decimal(10), Decimal(50))}


class Death(BaseException):
    """The process dies here."""


def at(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Set the clock by which positions fall due."""
    monkeypatch.setattr(type(runtime), "now", lambda _self: now)


async def open_store(
    runtime: Runtime,
    crsa: str = FIRST,
    as_of: datetime = MIDNIGHT - timedelta(days=1),
    levels: Mapping[tuple[str, str], Level] = HELD,
) -> Store:
    """Tell what a store holds."""
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, crsa)
        await lock_levels(connection, store)
        await open_levels(connection, store, as_of, levels)
    return store


async def send_all(runtime: Runtime) -> None:
    """Answer every store's bell."""
    for row in await rows(runtime, "select store_id from stores"):
        await answer_bell(runtime, row["store_id"])


async def snapshots(runtime: Runtime) -> list[dict[str, Any]]:
    """Give all snapshots in the order of their making."""
    return await rows(runtime, "select * from snapshots order by snapshot_id")
