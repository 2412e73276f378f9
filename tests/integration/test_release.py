"""Lines that wait for a mapping leave by themselves once it is there, in their old places."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ocs.db.pool import Connection
from ocs.delivery import outbox
from ocs.delivery.sender import answer_bell
from ocs.events import release
from ocs.events.release import release_mapped
from ocs.levels.change import lock_levels
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.runtime import Runtime
from ocs.tenants.read import store_of, tenant_of
from tests.integration.platform import CROL, FIRST, Platform
from tests.integration.pos import SKU, UPC, rows, sell, states

OURS = [{"sku": "OUR-77", "quantity": 1, "unit_price": "49.95"}]


async def say_what_it_is(runtime: Runtime) -> None:
    """Map the POS's SKU."""
    async with runtime.pool.transaction() as connection:
        await map_sku(connection, await tenant_of(connection, CROL), "OUR-77", MappedSku(SKU, UPC))


async def lines(runtime: Runtime) -> list[dict[str, Any]]:
    """Give the recorded lines in order."""
    return await rows(runtime, "select * from event_lines order by sequence")


async def test_a_line_goes_out_in_its_old_place_before_the_ones_behind_it(runtime: Runtime, platform: Platform) -> None:
    await sell(
        runtime,
        "T0",
        transaction_type="purchase",
        items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 9, "unit_cost": "5"}],
    )
    waiting = await sell(runtime, "T1", items=OURS)
    await sell(runtime, "T2")
    assert await states(runtime) == ["pending", "parked", "pending"]
    await say_what_it_is(runtime)
    assert await release_mapped(runtime) == 1
    await answer_bell(runtime, waiting.store_id)
    assert platform.order == [str(line["line_id"]) for line in await lines(runtime)]
    level = (await rows(runtime, "select quantity, value from inventory_levels"))[0]
    assert (level["quantity"], level["value"]) == (7, Decimal(35)), "costed at the average that it found"


async def test_releasing_twice_or_with_no_mapping_changes_nothing(runtime: Runtime) -> None:
    await sell(runtime, "T1", items=OURS)
    assert await release_mapped(runtime) == 0
    await say_what_it_is(runtime)
    assert [await release_mapped(runtime), await release_mapped(runtime)] == [1, 0]
    assert (await rows(runtime, "select quantity from inventory_levels"))[0]["quantity"] == -1


async def test_a_correction_takes_back_what_the_released_line_did(runtime: Runtime) -> None:
    await sell(runtime, "T1", items=OURS)
    await say_what_it_is(runtime)
    await release_mapped(runtime)
    await sell(runtime, "T1", items=[OURS[0] | {"quantity": 3}])
    assert (await rows(runtime, "select quantity from inventory_levels"))[0]["quantity"] == -3


async def test_a_line_that_was_corrected_meanwhile_stays_behind(runtime: Runtime) -> None:
    await sell(runtime, "T1", items=OURS)
    await sell(runtime, "T1", items=[OURS[0] | {"quantity": 2}])
    await say_what_it_is(runtime)
    assert await release_mapped(runtime) == 1
    assert await states(runtime) == ["superseded", "pending"]
    assert (await rows(runtime, "select quantity from inventory_levels"))[0]["quantity"] == -2


async def test_a_death_before_the_commit_leaves_all_as_it_was(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(runtime, "T1", items=OURS)
    await say_what_it_is(runtime)

    async def die(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "_let_go", die)
    with pytest.raises(KeyboardInterrupt):
        await release_mapped(runtime)
    monkeypatch.undo()
    assert ((await lines(runtime))[0]["ocs_sku"], await states(runtime)) == (None, ["parked"])
    assert await release_mapped(runtime) == 1


async def test_a_line_may_have_to_wait_for_a_person_next(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        await _wants_no_sale_without_price(connection)
    await sell(runtime, "T1", items=[{"sku": "OUR-77", "quantity": 1}])
    await say_what_it_is(runtime)
    await release_mapped(runtime)
    waits = (await rows(runtime, "select state, parked_cause, parked_reason from outbox"))[0]
    assert (waits["state"], waits["parked_cause"]) == ("parked", "warned")
    assert "a sale without unit price" in waits["parked_reason"]


async def test_a_tenant_decides_for_which_warnings_a_line_waits(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    path = f"/api/ocs/tenants/{CROL}/parking-warnings"
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 1}])
    assert (await staff.put(path, json={"codes": ["no_unit_price"]})).status_code == 200
    assert (await staff.get(path)).json()["codes"] == ["no_unit_price"]
    await sell(runtime, "T2", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 1}])
    assert await states(runtime) == ["pending", "parked"]
    assert [(await stranger.get(path)).status_code, (await stranger.put(path, json={"codes": []})).status_code] == [
        404
    ] * 2
    refused = await staff.put(path, json={"codes": ["no_price"]})
    assert (refused.status_code, "known codes only; not no_price" in refused.text) == (422, True)


async def test_a_line_that_waits_for_a_person_leaves_when_that_person_says_so(
    runtime: Runtime, platform: Platform
) -> None:
    async with runtime.pool.transaction() as connection:
        await _wants_no_sale_without_price(connection)
        store = await store_of(connection, CROL, FIRST)
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 1}])
    async with runtime.pool.transaction() as connection:
        stream = await lock_levels(connection, store)
        assert await outbox.redrive(connection, stream, [1]) == [1]
    await answer_bell(runtime, store.store_id)
    assert len(platform.order) == 1


async def _wants_no_sale_without_price(connection: Connection) -> None:
    await connection.execute("update tenants set parking_warnings = '{no_unit_price}'")
