"""The audit is append-only, and its chains show what somebody changed behind its back."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from ocs.access.caller import Caller
from ocs.audit.acts import Act
from ocs.audit.calls import seal
from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.db.wall import behind_the_wall
from ocs.delivery import sender
from ocs.runtime import Runtime
from tests.integration.auditing import ALICE, behind_the_triggers, check, note, tenant_of
from tests.integration.platform import FIRST, SECOND
from tests.integration.pos import rows, sell

SLIPPED_IN = """
insert into audit_acts (act_id, at, who_subject, who_name, what, subject, why, way, correlation_id, content_hash,
                        place, hash)
select gen_random_uuid(), at, who_subject, who_name, what, subject, why, way, correlation_id, content_hash, 9, hash
  from audit_acts where place = 2"""


async def _acts(runtime: Runtime, count: int) -> None:
    for number in range(1, count + 1):
        await note(runtime, "store.changed", number)


async def _calls(runtime: Runtime, count: int) -> None:
    for number in range(count):
        taken = await sell(runtime, f"T{number}")
        await sender.answer_bell(runtime, taken.store_id)
    await seal(runtime)


async def test_an_act_is_linked_with_the_deed_and_not_without_it(runtime: Runtime) -> None:
    act, tenant_id = Act(ALICE, "PUT /a/route", "because"), await tenant_of(runtime)

    async def fail() -> None:
        async with runtime.pool.transaction() as connection:
            await act.note(connection, "store.changed", tenant_id=tenant_id, subject="undone")
            raise RuntimeError("the deed failed")

    with pytest.raises(RuntimeError, match="the deed failed"):
        await fail()
    await note(runtime, "store.changed", 1)
    assert await rows(runtime, "select place, subject, who_name, why, after from audit_acts") == [
        {"place": 1, "subject": "thing 1", "who_name": "Alice Tremblay", "why": "because", "after": {"number": 1}}
    ]
    checked = await check(runtime, "acts")
    assert (checked.rows, checked.end, checked.unlinked, checked.first_broken, checked.next) == (1, 1, 0, None, None)


async def test_acts_side_by_side_make_one_chain_without_a_gap(runtime: Runtime) -> None:
    """Each transaction notes two acts and waits for the others before it commits: none may lock them out."""
    act, tenant_id = Act(ALICE, "PUT /a/route"), await tenant_of(runtime)
    noted = asyncio.Barrier(4)

    async def twice(number: int) -> None:
        async with runtime.pool.transaction() as connection:
            for part in range(2):
                await act.note(connection, "store.changed", tenant_id=tenant_id, subject=f"{number}.{part}")
            await asyncio.wait_for(noted.wait(), 10)

    for _ in range(5):
        await asyncio.gather(*(twice(number) for number in range(4)))
    checked = await check(runtime, "acts")
    assert (checked.rows, checked.first_broken) == (40, None)


async def test_whatever_an_act_holds_reads_back_and_is_whole(runtime: Runtime) -> None:
    odd: dict[str, Any] = {
        "nul\x00": "a\x00b",
        "half": "\ud800",
        "big": 10**30,
        "share": 0.1 + 0.2,
        "nested": [{"b": None, "a": True}, "=1+1", "é"],
        "at": utc_now(),
        "wait": float("inf"),
    }
    async with runtime.pool.transaction() as connection:
        act = Act(Caller("s\x00", "n\ud800", super_admin=True), "way\x00", "why\x00")
        await act.note(connection, "store.changed", tenant_id=None, subject="x\x00", before=odd, after={})
    assert (await check(runtime, "acts")).first_broken is None
    kept = (await rows(runtime, "select before from audit_acts"))[0]["before"]
    assert (kept["big"], kept["nul\ufffd"], kept["half"]) == (10**30, "a\ufffdb", "?")


@pytest.mark.parametrize(
    ("statement", "place", "what"),
    [
        ("update audit_acts set after = '{\"number\": 7}' where place = 3", 3, "the row's content was changed"),
        ("update audit_acts set why = 'another' where place = 1", 1, "the row's content was changed"),
        (
            "update audit_acts set at = at - interval '1 microsecond' where place = 3",
            3,
            "the row's content was changed",
        ),
        ("update audit_acts set tenant_id = null where place = 2", 2, "the row's content was changed"),
        ("delete from audit_acts where place = 1", 1, "the rows before place 2 were removed"),
        ("delete from audit_acts where place in (2, 3)", 2, "the rows before place 4 were removed"),
        ("delete from audit_acts where place >= 4", 4, "the last rows, through place 5, were removed"),
        ("delete from audit_acts", 1, "the last rows, through place 5, were removed"),
        ("update audit_acts set place = case place when 2 then 30 else 20 end where place in (2, 3)", 2, "removed"),
        ("update audit_chains set place = 4 where chain = 'acts'", 4, "the chain's end is not the newest row's hash"),
        ("update audit_chains set hash = '\\x00' where chain = 'acts'", 5, "the chain's end is not the newest"),
        ("update audit_checkpoints set hash = '\\x00' where chain = 'acts'", 1, "does not follow from the row before"),
        (
            "update audit_acts set place = null, previous_hash = null, hash = null where place = 5",
            5,
            "the last rows, through place 5, were removed",
        ),
    ],
)
async def test_a_hand_behind_the_triggers_is_seen(runtime: Runtime, statement: str, place: int, what: str) -> None:
    await _acts(runtime, 5)
    assert (await check(runtime, "acts")).first_broken is None
    await behind_the_triggers(runtime, statement)
    broken = (await check(runtime, "acts")).first_broken
    assert broken is not None
    assert broken.place == place
    assert what in broken.what


async def test_a_row_with_anothers_hashes_is_seen(runtime: Runtime) -> None:
    await _acts(runtime, 3)
    await behind_the_triggers(
        runtime,
        "update audit_acts a set why = 'another', content_hash = other.content_hash, hash = other.hash"
        " from audit_acts other where a.place = 2 and other.place = 1",
    )
    broken = (await check(runtime, "acts")).first_broken
    assert broken is not None
    assert broken.place == 2


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (SLIPPED_IN.replace("9, hash", "null, null"), "acts without a link"),
        (SLIPPED_IN, "rows stand behind the chain's end"),
    ],
)
async def test_a_row_that_is_slipped_in_is_seen(runtime: Runtime, statement: str, what: str) -> None:
    await _acts(runtime, 2)
    await behind_the_triggers(runtime, statement)
    broken = (await check(runtime, "acts")).first_broken
    assert broken is not None
    assert (broken.place, broken.what.startswith(what)) == (3, True)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_acts set why = 'another'",
        "update audit_acts set hash = '\\x00'",
        "update audit_acts set place = null, previous_hash = null, hash = null",
        "delete from audit_acts",
        "truncate audit_acts",
        "update audit_calls set ms = 0",
        "delete from audit_calls",
        "truncate audit_calls",
        SLIPPED_IN,
    ],
)
async def test_the_owner_too_can_only_add(runtime: Runtime, statement: str) -> None:
    await _acts(runtime, 2)
    await _calls(runtime, 1)
    with pytest.raises(psycopg.errors.RestrictViolation, match="is append-only"):
        async with runtime.pool.transaction() as connection:
            await connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_acts set why = 'another'",
        "delete from audit_calls",
        "update audit_chains set place = 0",
        "delete from audit_checkpoints",
        "select audit_link_calls(1)",
    ],
)
async def test_staff_can_only_read_and_add(runtime: Runtime, statement: str) -> None:
    with behind_the_wall(None):
        await _acts(runtime, 1)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with runtime.pool.transaction() as connection:
                await connection.execute(statement.encode())
    assert (await check(runtime, "acts")).rows == 1


async def test_calls_are_linked_by_the_sweep_once_however_many_run(runtime: Runtime) -> None:
    for number in range(3):
        taken = await sell(runtime, f"T{number}")
        await sender.answer_bell(runtime, taken.store_id)
    assert (await check(runtime, "calls")).unlinked == 4  # a sign-in and three batches
    assert sum(await asyncio.gather(*(seal(runtime) for _ in range(3)))) == 4
    assert await seal(runtime) == 0
    checked = await check(runtime, "calls")
    assert (checked.rows, checked.unlinked, checked.first_broken) == (4, 0, None)


async def test_a_call_that_was_changed_before_its_link_is_seen_after_it(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await behind_the_triggers(runtime, "update audit_calls set status = 500 where url like '%Event%'")
    await seal(runtime)
    broken = (await check(runtime, "calls")).first_broken
    assert broken is not None
    assert (broken.place, broken.what) == (2, "the row's content was changed")


async def test_a_chain_is_checked_in_stretches(runtime: Runtime) -> None:
    await _acts(runtime, 7)
    first = await check(runtime, "acts", most=3)
    second = await check(runtime, "acts", after=3, most=3)
    third = await check(runtime, "acts", after=6, most=3)
    assert [(one.rows, one.through, one.next) for one in (first, second, third)] == [(3, 3, 3), (3, 6, 6), (1, 7, None)]
    await behind_the_triggers(runtime, "update audit_acts set why = 'another' where place = 5")
    assert (await check(runtime, "acts", most=3)).first_broken is None
    broken = (await check(runtime, "acts", after=3, most=3)).first_broken
    assert broken is not None
    assert broken.place == 5


async def test_a_place_that_is_not_there_yet_is_refused(runtime: Runtime) -> None:
    await _acts(runtime, 2)
    with pytest.raises(BadInput, match="it ends at 2"):
        await check(runtime, "acts", after=3)


async def test_acts_of_all_tenants_make_one_chain(runtime: Runtime) -> None:
    await _acts(runtime, 1)
    async with runtime.pool.transaction() as connection:
        await Act.of_operator("root", "python -m ocs migrate").note(
            connection, "grant.given", tenant_id=None, subject="Bob", after={"role": "super-admin"}
        )
    await note(runtime, "store.changed", 2)
    checked = await check(runtime, "acts")
    assert (checked.rows, checked.first_broken) == (3, None)
    assert checked.checkpoint.at < utc_now() + timedelta(minutes=1)
    assert {FIRST, SECOND} <= {row["crsa"] for row in await rows(runtime, "select crsa from stores")}
