"""The level of every moment is the same whatever order uploads, sales, corrections and late receipts came in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from ocs.levels.at import levels_at
from ocs.levels.change import Effect, Item, Level, change_levels, lock_levels, note_late, read_levels, take_late
from ocs.levels.opening import open_levels
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, SECOND

BEGIN = datetime(2026, 11, 1, 4, tzinfo=UTC)
ITEMS: tuple[Item, ...] = (("101955_3.5g___", "00708762000695"), ("100237_1g___", ""))
HOURS = 12


@dataclass(frozen=True)
class Opening:
    """An upload: at this hour the item was counted to be at this level."""

    item: Item
    hour: int
    level: Level


@dataclass(frozen=True)
class Count:
    """An upload of the whole store: at this hour it held this item, or nothing, and certainly no other."""

    hour: int
    item: Item | None
    level: Level

    def of(self, item: Item) -> Opening:
        """Give what it says of one item."""
        return Opening(item, self.hour, self.level if item == self.item else Level())


News = Effect | Opening | Count


def hour(number: int) -> datetime:
    """Give the instant of an hour of the test's day."""
    return BEGIN + timedelta(hours=number)


def level(quantity: int) -> Level:
    """Give a quantity at five dollars each."""
    return Level(Decimal(quantity), Decimal(quantity * 5))


def reckoned(news: Sequence[News], item: Item, at: int) -> Level:
    """Reckon a level by the definition, from all that is known."""
    told = [n.of(item) if isinstance(n, Count) else n for n in news]
    openings = sorted((n for n in told if isinstance(n, Opening) and n.item == item), key=lambda n: n.hour)
    effects = [n for n in news if isinstance(n, Effect) and n.item == item]
    before = [o for o in openings if o.hour <= at]
    after = [o for o in openings if o.hour > at]
    if before:
        base, start = before[-1].level, hour(before[-1].hour)
        return sum((e.change for e in effects if start <= e.effective_at < hour(at)), base)
    if after:
        base, end = after[0].level, hour(after[0].hour)
        return sum((-e.change for e in effects if hour(at) <= e.effective_at < end), base)
    return sum((e.change for e in effects if e.effective_at < hour(at)), Level())


async def tell(runtime: Runtime, store: Store, one: News) -> None:
    """Tell the app one piece of news, in a transaction of its own."""
    async with runtime.pool.transaction() as connection:
        await lock_levels(connection, store)
        if isinstance(one, Count):
            held = {} if one.item is None else {one.item: one.level}
            await open_levels(connection, store, hour(one.hour), held, whole=True)
        elif isinstance(one, Opening):
            await open_levels(connection, store, hour(one.hour), {one.item: one.level})
        else:
            await change_levels(connection, store, [one])


async def forget(runtime: Runtime) -> None:
    """Start anew."""
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "truncate inventory_changes, inventory_openings, inventory_counts, inventory_levels, inventory_states"
        )


@st.composite
def histories(draw: st.DrawFn) -> list[News]:
    """Give some news in some order: lines and what takes them back, and at most one upload of an item at an hour."""
    news: list[News] = []
    for sequence in range(draw(st.integers(0, 8))):
        amount = level(draw(st.integers(-20, 20)))
        effect = Effect(draw(st.sampled_from(ITEMS)), hour(draw(st.integers(0, HOURS))), sequence, amount)
        news += [effect, effect.undone()] if draw(st.booleans()) else [effect]
    counts = draw(st.sets(st.integers(0, HOURS), max_size=2))
    places = draw(st.sets(st.tuples(st.sampled_from(ITEMS), st.integers(0, HOURS)), max_size=4))
    held = st.integers(0, 50).map(level)
    news += [Count(at, draw(st.sampled_from([None, *ITEMS])), draw(held)) for at in sorted(counts)]
    news += [Opening(item, at, draw(held)) for item, at in sorted(places) if at not in counts]
    return draw(st.permutations(news))


@given(histories())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_level_of_every_moment_is_the_same_in_any_order(
    runtime_of_thread: "tuple[Runtime, asyncio.AbstractEventLoop]", news: list[News]
) -> None:
    runtime, loop = runtime_of_thread

    async def check() -> None:
        await forget(runtime)
        async with runtime.pool.transaction() as connection:
            store = await store_of(connection, CROL, FIRST)
        for one in news:
            await tell(runtime, store, one)
        async with runtime.pool.transaction() as connection:
            now = await read_levels(connection, store.store_id, ITEMS)
            for at in range(HOURS + 2):
                found = await levels_at(connection, store.store_id, hour(at), moved_since=BEGIN - timedelta(days=9))
                for item in ITEMS:
                    assert found.get(item, Level()) == reckoned(news, item, at), f"{item} at hour {at}"
            for item in ITEMS:
                assert now.get(item, Level()) == reckoned(news, item, HOURS + 1)

    loop.run_until_complete(check())


async def test_what_moved_and_came_to_nothing_is_there_and_what_never_moved_is_not(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
    for one in (
        Opening(ITEMS[0], 0, level(3)),
        Effect(ITEMS[0], hour(5), 1, level(-3)),
        Opening(ITEMS[1], 0, Level()),
    ):
        await tell(runtime, store, one)
    async with runtime.pool.transaction() as connection:
        that_day = await levels_at(connection, store.store_id, hour(9), moved_since=hour(0))
        next_day = await levels_at(connection, store.store_id, hour(40), moved_since=hour(24))
    assert (that_day, next_day) == ({ITEMS[0]: Level()}, {})


async def test_one_stores_levels_are_not_anothers(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        first, second = await store_of(connection, CROL, FIRST), await store_of(connection, CROL, SECOND)
    await tell(runtime, first, Effect(ITEMS[0], hour(1), 1, level(7)))
    async with runtime.pool.transaction() as connection:
        assert await levels_at(connection, second.store_id, hour(5)) == {}
        assert await levels_at(connection, first.store_id, hour(5)) == {ITEMS[0]: level(7)}


@pytest.mark.parametrize(("days_ago", "noted"), [(0, False), (1, True)])
async def test_a_change_of_the_past_is_noted_once(runtime: Runtime, days_ago: int, noted: bool) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        now = store.local(datetime.now(UTC))
        changed = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)
        await note_late(connection, store, changed)
        await note_late(connection, store, changed + timedelta(hours=1))
        assert await take_late(connection, store.store_id) == (changed if noted else None)
        assert await take_late(connection, store.store_id) is None
