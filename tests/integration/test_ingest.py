"""Taking transactions in on a real Postgres: once, in commit order, corrections and redeliveries told apart."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocs.bad_input import BadInput
from ocs.events.ingest import ingest
from ocs.runtime import Runtime
from tests.integration.platform import FIRST, SECOND
from tests.integration.pos import SKU, UPC, message, rows, sell, transaction


async def test_a_message_delivered_twice_is_taken_in_once(runtime: Runtime) -> None:
    sale = message(transaction("T1", lines=2))
    first, second = await ingest(runtime, sale), await ingest(runtime, sale)
    assert (first.new, second.new, second.unchanged) == (2, 0, 2)
    assert second.ring, "its first ring may have been lost with its worker"
    assert len(await rows(runtime, "select * from event_lines")) == 2


async def test_an_old_message_that_comes_again_does_not_undo_a_correction(runtime: Runtime) -> None:
    """A dequeued message whose worker died is hidden for ten minutes; the correction may come before it."""
    wrong = message(transaction("T1"))
    await ingest(runtime, wrong)
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 5}])
    await ingest(runtime, wrong)
    revisions = await rows(runtime, "select quantity from event_lines order by revision")
    assert [row["quantity"] for row in revisions] == [-1, -5]
    levels = await rows(runtime, "select quantity from inventory_levels")
    assert [row["quantity"] for row in levels] == [-5]


async def test_an_original_that_comes_first_after_its_correction_changes_nothing(runtime: Runtime) -> None:
    original = message(transaction("T1"))
    later = message(transaction("T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 5}]))
    later = replace(later, inserted_at=original.inserted_at + timedelta(seconds=3))
    await ingest(runtime, later)
    assert (await ingest(runtime, original)).unchanged == 1
    assert [row["quantity"] for row in await rows(runtime, "select quantity from inventory_levels")] == [-5]


async def test_a_copy_with_news_of_a_known_line_is_left_to_a_person(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    copy = message(transaction("T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 5}]))
    with pytest.raises(BadInput, match="by hand"):
        await ingest(runtime, replace(copy, is_copy=True))
    assert (await ingest(runtime, copy)).corrected == 1


async def test_the_same_content_in_another_message_is_no_revision(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    again = await sell(runtime, "T1")
    assert (again.new, again.corrected, again.unchanged) == (0, 0, 1)


async def test_many_at_once_get_numbers_without_gap_or_double(runtime: Runtime) -> None:
    await asyncio.gather(
        *(sell(runtime, f"T{number}", lines=2, store=store) for number in range(20) for store in (FIRST, SECOND))
    )
    for row in await rows(
        runtime, "select array_agg(sequence order by sequence) as numbers from outbox group by store_id"
    ):
        assert row["numbers"] == list(range(1, 41))


async def test_a_refused_message_leaves_nothing_behind(runtime: Runtime) -> None:
    items = [{"ocs_sku": SKU, "quantity": 1}, {"ocs_sku": SKU, "quantity": 0}]
    with pytest.raises(BadInput, match=r"items\[1\].quantity"):
        await ingest(runtime, message(transaction("T1", items=items)))
    for table in ("event_messages", "event_lines", "outbox", "inventory_levels"):
        assert await rows(runtime, f"select * from {table}") == []  # noqa: S608 - four fixed names


async def test_the_levels_follow_receipts_sales_and_corrections(runtime: Runtime) -> None:
    receipt = [{"ocs_sku": SKU, "upc": UPC, "quantity": 10, "unit_cost": "4.00"}]
    await sell(runtime, "R1", transaction_type="purchase", items=receipt)
    dearer = [{"ocs_sku": SKU, "upc": UPC, "quantity": 10, "unit_cost": "6.00"}]
    await sell(runtime, "R2", transaction_type="purchase", items=dearer)
    await sell(runtime, "S1")
    level = (await rows(runtime, "select quantity, value from inventory_levels"))[0]
    assert (level["quantity"], level["value"]) == (19, Decimal("95.0000")), "sold at the moving average of 5.00"
    await sell(runtime, "R2", transaction_type="purchase", items=[dearer[0] | {"quantity": 5}])
    level = (await rows(runtime, "select quantity, value from inventory_levels"))[0]
    assert (level["quantity"], level["value"]) == (14, Decimal("65.0000"))


async def test_a_mapping_of_the_connection_decides_the_type_and_the_sign(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "update transaction_mappings set ocs_type = 'SALE', wire_sign = 'ledger' where transaction_type = 'sale'"
        )
    await sell(runtime, "T1")
    line = (await rows(runtime, "select ocs_type, wire_sign from event_lines"))[0]
    assert line == {"ocs_type": "SALE", "wire_sign": "ledger"}


async def test_a_type_without_a_mapping_is_refused(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("delete from transaction_mappings where transaction_type = 'loss'")
    with pytest.raises(BadInput, match="transaction_type"):
        await sell(runtime, "T1", transaction_type="loss")


async def test_a_body_in_bytes_that_are_no_text_is_refused(runtime: Runtime) -> None:
    with pytest.raises(BadInput):
        await ingest(runtime, replace(message({}), body=b"\xff\xfe{"))


async def test_stores_are_named_by_id_or_by_crsa_and_tenants_by_id_or_crol(runtime: Runtime) -> None:
    names = (await rows(runtime, f"select store_id::text, tenant_id::text from stores where crsa = '{FIRST}'"))[0]  # noqa: S608
    by_id = transaction("T1") | {"store_id": names["store_id"].upper(), "tenant_id": names["tenant_id"]}
    assert (await ingest(runtime, message(by_id))).new == 1
    assert (await ingest(runtime, message(transaction("T1")))).unchanged == 1
    assert json.dumps(by_id) != json.dumps(transaction("T1"))
