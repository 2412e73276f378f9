"""Signs of life of the timers: one that falls silent is an alert, since nothing else would tell that it stopped."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from ocs.alerts.open_close import SQL
from ocs.db.pool import Connection
from ocs.runtime import Runtime

Timer = Literal["sweep", "read_platform", "make_positions", "ask_for_catalogues", "make_shipping_due", "watch"]

LONGEST_SILENCES: Mapping[Timer, timedelta] = {
    "sweep": timedelta(minutes=5),
    "read_platform": timedelta(minutes=15),
    "make_positions": timedelta(minutes=30),
    "ask_for_catalogues": timedelta(hours=50),
    "make_shipping_due": timedelta(hours=19),
    "watch": timedelta(minutes=5),
}
"""How long each timer may be silent: several of its periods by the default schedules, and its longest run."""


async def beat(connection: Connection, timer: Timer) -> None:
    """Note in the open transaction that a timer runs."""
    await connection.execute(SQL["beat"], {"timer": timer, "silence": LONGEST_SILENCES[timer]})


async def tick(runtime: Runtime, timer: Timer) -> None:
    """Note the same in a transaction of its own: a sweep beside a timer's others."""
    async with runtime.pool.transaction() as connection:
        await beat(connection, timer)


async def expect(connection: Connection) -> None:
    """Wait from now on for every timer that was never seen: one that never ran must be missed too."""
    await connection.execute(SQL["expect_beats"], {"timers": list(LONGEST_SILENCES)})
