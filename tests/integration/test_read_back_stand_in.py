"""The whole of it over HTTP against the regulator stand-in, which is not the real platform."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from devstack.processes import Child, stand_in_command
from ocs.positions.freeze import freeze_day
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from tests.integration.night import YESTERDAY, open_store
from tests.integration.platform import CROL, FIRST, Platform
from tests.integration.pos import SKU, UPC
from tests.integration.reading_back import read, report, send, told


@pytest.fixture
async def there(runtime: Runtime, platform: Platform, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Run the stand-in, have the first store report to it; gives a client of its control door."""
    child = Child("regulator", tmp_path, stand_in_command("regulator", "--port", "0"))
    url = child.start()["url"]
    await runtime.http.aclose()
    runtime.http = httpx.AsyncClient()
    secrets = platform.vault().secrets
    async with httpx.AsyncClient(base_url=f"{url}/_control") as control:
        client = await control.put("/clients/client", json={"client_secret": secrets["client-secret"]})
        assert client.is_success
        await tell_store(control, platform)
        description = platform.tenant()
        description["connections"][0] |= {"base_url": f"{url}/func", "token_url": f"{url}/oauth2/token"}
        async with runtime.pool.transaction() as connection:
            await onboard(connection, DescribedTenant.model_validate(description))
        yield control
    child.stop()


async def tell_store(control: httpx.AsyncClient, platform: Platform) -> None:
    """Make the first store known to the stand-in."""
    known = {"crol": CROL, "hash_key": platform.vault().secrets["hash-key"], "client_id": "client"}
    assert (await control.put(f"/stores/{FIRST}", json=known)).is_success


@pytest.mark.usefixtures("there")
async def test_what_the_stand_in_took_in_is_found_there_unchanged(runtime: Runtime) -> None:
    """Events of several types, a correction, and a position that was made anew."""
    store = await open_store(runtime)
    items = [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "2.25"} for quantity in (-2, 3)]
    await report(runtime, "A1", transaction_type="adjustment", items=items, reason="Cycle Count")
    await report(runtime, "S1", lines=120)
    await report(runtime, "S2")
    await report(runtime, "S2", items=[{"ocs_sku": SKU, "quantity": 4, "unit_price": "1.10"}])
    for _ in range(2):
        async with runtime.pool.transaction() as connection:
            await freeze_day(connection, store, YESTERDAY, "by_hand", "test")
        await send(runtime)
    found = await read(runtime)
    assert (found.row["state"], told(found)) == ("done", [])
    assert found.counts == {"event": {"same": 123}, "position": {"same": 2}}
    assert [(verdict.transaction_type, verdict.may_confirm) for verdict in found.verdicts] == [
        ("adjustment", True),
        ("sale", True),
    ]


async def test_what_the_stand_in_has_lost_is_missing(
    runtime: Runtime, there: httpx.AsyncClient, platform: Platform
) -> None:
    await report(runtime, lines=2)
    assert (await there.post("/reset", json={"crsa": FIRST})).is_success
    await tell_store(there, platform)
    assert (await read(runtime)).counts["event"] == {"missing_there": 2}
