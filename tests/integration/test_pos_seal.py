"""What this app itself puts on the POS systems' queues passes where a tenant takes signed messages only."""

import asyncio
from typing import cast

import httpx
import pytest

from ocs.dead_letters import doors
from ocs.events.ingest import TRANSACTIONS
from ocs.pos.seal import seal_for
from ocs.pos.signed_text import read_signed
from ocs.runtime import Runtime
from ocs.shipping.put import put_receipts
from tests.integration.platform import FIRST, FakeQueues, FakeVault, Platform
from tests.integration.pos import rows
from tests.integration.pos_keys import letters, put, require
from tests.integration.shipments import SHIPMENT, Wholesaler, let_receipts_rest, read

OWN = "select key_id from pos_keys where of_this_app"


def queued(runtime: Runtime) -> list[str]:
    """Give the texts on the POS's queue."""
    return cast("FakeQueues", runtime.queues).messages.get("pos-transactions", [])


async def receive(staff: httpx.AsyncClient) -> None:
    """Click on "receive" for the one shipment."""
    reply = await staff.post(f"/api/ocs/asn/{SHIPMENT}/receive", json={"store_id": FIRST})
    assert reply.status_code in (200, 202)


@pytest.fixture
async def _noticed(platform: Platform, runtime: Runtime) -> None:
    """Have one shipment of two lines noticed."""
    Wholesaler(platform)
    await read(runtime)


@pytest.mark.usefixtures("_noticed")
async def test_a_receipt_of_a_shipment_is_signed_by_this_app_and_taken_in(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await require(staff, runtime)
    await receive(staff)
    (text,) = queued(runtime)
    assert read_signed(text) is not None
    await doors.receive(runtime, TRANSACTIONS, put(text))
    assert await letters(runtime) == []
    assert len(await rows(runtime, "select 1 from event_lines")) == 2


@pytest.mark.usefixtures("_noticed")
async def test_a_receipt_waits_for_a_vault_that_is_down(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await require(staff, runtime)
    vault = cast("FakeVault", runtime.vault)
    vault.down = True
    await receive(staff)
    assert queued(runtime) == []
    vault.down = False
    await let_receipts_rest(runtime)
    assert await put_receipts(runtime) == 1
    await doors.receive(runtime, TRANSACTIONS, put(queued(runtime)[0]))
    assert len(await rows(runtime, "select 1 from event_lines")) == 2


async def test_nothing_is_signed_and_no_vault_asked_where_nothing_is_required(runtime: Runtime) -> None:
    cast("FakeVault", runtime.vault).down = True
    (tenant,) = await rows(runtime, "select tenant_id from tenants")
    seal = await seal_for(runtime, tenant["tenant_id"])
    assert seal('{"n": 1}') == '{"n": 1}'
    assert await rows(runtime, OWN) == []


async def test_workers_that_make_the_apps_key_at_once_end_up_with_one(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await require(staff, runtime)
    (tenant,) = await rows(runtime, "select tenant_id from tenants")
    seals = await asyncio.gather(*(seal_for(runtime, tenant["tenant_id"]) for _ in range(4)))
    (own,) = await rows(runtime, OWN)
    heads = [read_signed(seal("{}")) for seal in seals]
    assert {head and head.key_id for head in heads} == {own["key_id"]}


async def test_a_death_between_vault_and_row_leaves_nothing_that_counts(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The secret lies in the vault, no row names it, and the next message makes another."""
    await require(staff, runtime)
    (tenant,) = await rows(runtime, "select tenant_id from tenants")

    async def die(_self: FakeVault, name: str, value: str) -> None:
        cast("FakeVault", runtime.vault).secrets[name] = value
        raise asyncio.CancelledError

    with monkeypatch.context() as dying:
        dying.setattr(FakeVault, "store", die)
        with pytest.raises(asyncio.CancelledError):
            await seal_for(runtime, tenant["tenant_id"])
    assert await rows(runtime, OWN) == []
    seal = await seal_for(runtime, tenant["tenant_id"])
    assert read_signed(seal("{}")) is not None
