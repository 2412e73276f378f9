"""The app's client against the regulator stand-in, over real HTTP: all six calls, in both directions."""

import math
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from devstack.processes import Child, stand_in_command
from ocs.audit.calls import Call, Calls
from ocs.regulator import wire
from ocs.regulator.client import Regulator
from ocs.regulator.faults import CredentialsRefused, NotSent, Rejected, SignInDown, SlowDown, Upstream
from ocs.tenants.models import Store
from tests.integration.platform import FakeVault
from tests.unit.store import STORE as DESCRIBED

NOW = datetime.now(UTC)
LATER = math.inf


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one regulator stand-in."""
    child = Child("regulator", Path(tmp_path_factory.mktemp("regulator")), stand_in_command("regulator", "--port", "0"))
    yield str(child.start()["url"])
    child.stop()


@pytest.fixture
def store(url: str) -> Store:
    """Give a store of its own that the stand-in knows."""
    crsa, client_id = f"CRSA{secrets.randbelow(10**7):07d}", f"client-{uuid4()}"
    with httpx.Client(base_url=f"{url}/_control") as control:
        control.put(f"/clients/{client_id}", json={"client_secret": "s3cret"}).raise_for_status()
        known = {"crol": "CROL1234567", "hash_key": "a" * 64, "client_id": client_id}
        control.put(f"/stores/{crsa}", json=known).raise_for_status()
    return replace(
        DESCRIBED,
        store_id=uuid4(),
        connection_id=uuid4(),
        crsa=crsa,
        client_id=client_id,
        client_secret_name="client-secret",
        hash_key_name="hash-key",
        base_url=f"{url}/func",
        token_url=f"{url}/oauth2/token",
    )


async def _kept_nowhere(_call: Call) -> None:
    """Keep nothing: here it is the calls themselves that are looked at."""


@pytest.fixture
async def regulator() -> AsyncIterator[Regulator]:
    """Give the client with short timeouts."""
    async with httpx.AsyncClient() as http:
        yield Regulator(Calls(http, _kept_nowhere), FakeVault(), post_timeout=2, get_timeout=3)


def line(**changes: str) -> wire.EventLine:
    """Give an event line of the documents' sample item."""
    right = {
        "ocsSku": "101955_3.5g___",
        "upcAndBarcode": "00708762000695",
        "posTransactionTimeStamp": "2026-11-20T14:31:30-05:00",
        "posTransactionLineId": str(uuid4()),
        "inventoryEventType": "PURCHASE",
        "inventoryQuantityChange": "3",
        "inventoryValueChange": "80.85",
        "posSalesTransactionId": str(uuid4()),
        "soldAtPrice": "49.95",
        "counterPartyCRSA": "",
        "reasonCategory": "",
    }
    return wire.EventLine(**(right | changes))


async def test_events_go_out_and_are_read_back_as_numbers(regulator: Regulator, store: Store) -> None:
    sent = line()
    accepted = await regulator.post_events(store, wire.EventList(inventoryEventList=[sent]), LATER)
    assert accepted.reference_id
    back = await regulator.reported_events(store, NOW - timedelta(hours=1), NOW + timedelta(hours=1), 1)
    assert [
        (one.posTransactionLineId, one.inventoryQuantityChange, one.inventoryValueChange)
        for one in back.inventoryEventList
    ] == [(sent.posTransactionLineId, Decimal(3), Decimal("80.85"))]
    assert (back.inventoryEventList[0].posVendor, back.inventoryEventList[0].posVendorVersion) == ("DemoPOS", "1.0")


async def test_a_position_goes_out_and_is_read_back(regulator: Regulator, store: Store) -> None:
    held = wire.PositionLine(
        ocsSku="101955_3.5g___",
        upcAndBarcode="00708762000695",
        inventoryQuantityOnHand="100",
        inventoryBookValue="3.24",
    )
    body = wire.PositionList(inventoryPositionList=[held])
    assert (await regulator.post_position(store, NOW, body, LATER)).http_status == 200
    back = await regulator.reported_positions(store, NOW - timedelta(hours=1), NOW + timedelta(hours=1), 1)
    assert [one.inventoryQuantityOnHand for one in back.inventoryPositionList] == [Decimal(100)]


async def test_the_catalogue_ends_with_an_empty_page(regulator: Regulator, store: Store) -> None:
    first = await regulator.catalogue(store, 1)
    assert first.itemList[0].SKU == "101955_3.5g___"
    assert (await regulator.catalogue(store, 2)).itemList == []


async def test_shipping_notices_of_a_window_are_read(regulator: Regulator, store: Store) -> None:
    notices = await regulator.shipping_notices(store, NOW - timedelta(days=1), NOW)
    assert (notices.retailerCRSA, notices.retailerASNList) == (store.crsa, [])


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"fault": "status", "status": 500}, Upstream),
        ({"fault": "status", "status": 400}, Rejected),
        ({"fault": "status", "status": 403}, CredentialsRefused),
        ({"fault": "status", "status": 503, "headers": {"Retry-After": "7"}}, SlowDown),
        ({"fault": "slow_down", "seconds": 7}, SlowDown),
        ({"fault": "accept_then_cut"}, Upstream),
        ({"fault": "accept_then_hold", "seconds": 10}, Upstream),
        ({"fault": "reset"}, Upstream),
        ({"fault": "lie", "how": "html"}, Upstream),
        ({"fault": "lie", "how": "empty"}, Upstream),
    ],
)
async def test_each_failure_comes_out_as_its_class(
    regulator: Regulator, store: Store, url: str, fault: dict[str, object], raised: type[Exception]
) -> None:
    httpx.post(f"{url}/_control/faults", json=fault | {"crsa": store.crsa}).raise_for_status()
    with pytest.raises(raised) as caught:
        await regulator.post_events(store, wire.EventList(inventoryEventList=[line()]), LATER)
    assert type(caught.value) is raised
    assert "a" * 64 not in str(caught.value)


async def test_a_batch_with_a_bad_line_is_rejected_with_the_platforms_words(regulator: Regulator, store: Store) -> None:
    bad = line(inventoryEventType="GIFT")
    with pytest.raises(Rejected) as caught:
        await regulator.post_events(store, wire.EventList(inventoryEventList=[line(), bad]), LATER)
    assert "inventoryEventType" in caught.value.reply


async def test_a_sign_in_that_is_down_blames_no_batch(regulator: Regulator, store: Store, url: str) -> None:
    fault = {"fault": "status", "status": 500, "path": "token", "client_id": store.client_id}
    httpx.post(f"{url}/_control/faults", json=fault).raise_for_status()
    with pytest.raises(SignInDown) as caught:
        await regulator.post_events(store, wire.EventList(inventoryEventList=[line()]), LATER)
    assert not caught.value.about_batch


async def test_an_unknown_client_concerns_the_whole_connection(regulator: Regulator, store: Store) -> None:
    with pytest.raises(CredentialsRefused) as caught:
        await regulator.post_events(
            replace(store, client_id="nobody"), wire.EventList(inventoryEventList=[line()]), LATER
        )
    assert caught.value.whole_connection


async def test_nothing_is_sent_after_the_latest_moment(regulator: Regulator, store: Store, url: str) -> None:
    """A sign-in that took longer than the lease allows must not end in a POST."""
    with pytest.raises(NotSent):
        await regulator.post_events(store, wire.EventList(inventoryEventList=[line()]), not_after=0)
    assert httpx.get(f"{url}/_control/ledger/{store.crsa}").json() == []
