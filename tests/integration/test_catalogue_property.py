"""Whatever catalogues follow one another, ours is the last of them, and the record of changes leads there."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from ocs.catalogue import sync
from ocs.runtime import Runtime
from tests.integration.cataloguing import UAT, Published, item, newest
from tests.integration.platform import Platform
from tests.integration.pos import rows

Listing = dict[int, str]
"""Item numbers, each with the item's brand."""

catalogues = st.lists(
    st.dictionaries(st.integers(1, 6), st.sampled_from(["Northfield", "Portage"]), min_size=1), min_size=1, max_size=4
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(catalogues)
def test_the_catalogue_is_the_last_one_and_its_changes_lead_there(
    runtime_of_thread: tuple[Runtime, asyncio.AbstractEventLoop], platform: Platform, listings: list[Listing]
) -> None:
    runtime, loop = runtime_of_thread
    loop.run_until_complete(_read_each(runtime, Published(platform, size=2), listings))


async def _read_each(runtime: Runtime, there: Published, listings: list[Listing]) -> None:
    for listing in listings:
        there.lines = [item(number, brand=brand) for number, brand in listing.items()]
        async with runtime.pool.transaction() as connection:
            await sync.ask_sync(connection, UAT, "test", accepts_short=True)
        await sync.run_syncs(runtime)
        assert (await newest(runtime))["state"] == "done"
    expected = {line["SKU"]: line["brand"] for line in there.lines}
    kept = await rows(runtime, "select ocs_sku, brand from catalogue_items where gone_at is null")
    assert {row["ocs_sku"]: row["brand"] for row in kept} == expected
    assert _replayed(await rows(runtime, "select * from catalogue_changes order by change_id")) == set(expected)


def _replayed(changes: list[dict[str, Any]]) -> set[str]:
    """Follow the record from its beginning; an item comes only when it is out, and goes only when it is in."""
    there: set[str] = set()
    for change in changes:
        ocs_sku = change["ocs_sku"]
        assert (ocs_sku in there) == (change["change"] in ("changed", "gone"))
        (there.discard if change["change"] == "gone" else there.add)(ocs_sku)
    return there
