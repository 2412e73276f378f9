"""How the page looks and reads: pictures of every view, no grave fault for a screen reader, nothing off a phone."""

from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import expect

from tests.acceptance.browser import PAGE, PICTURES, grave_faults, is_wider_than_the_screen, picture, visiting
from tests.acceptance.night import Night
from tests.acceptance.scene import SKU, Scene, eventually
from tests.acceptance.test_page import refuse, sell_unmapped, sell_wrong
from tests.acceptance.test_what_comes_back import fetch, order


def _something_of_everything(scene: Scene) -> tuple[str, str]:
    """Have lines accepted, refused and unmapped, and a dead letter; gives the refused line's and the letter's id."""
    scene.arrives(scene.sell(3, lines=2))
    refuse(scene)
    sell_unmapped(scene)
    line_id = sell_wrong(scene)
    sale = scene.sale(transaction_type="gift")
    scene.put(sale)
    parked = "select 1 from outbox where item_id = %s and state = 'parked'"
    eventually(lambda: scene.rows(parked, line_id), "the regulator refused the line")
    (letter,) = eventually(lambda: scene.dead_letters(sale["transaction_id"]), "the message is a dead letter")
    return line_id, str(letter["letter_id"])


def _position(scene: Scene) -> str:
    """Have a position of the second store made; gives where it is shown."""
    calls = Night(scene, scene.host)
    calls.upload(datetime.now(UTC) - timedelta(days=3), crsa=scene.second)
    made = calls.post("/api/ocs/position/submit", {"store_id": scene.second}).raise_for_status().json()
    return f"/stores/{scene.second}/positions/{made['snapshot_id']}"


def _shipment(scene: Scene) -> str:
    """Have the first store's shipping notice read; gives where it is shown."""
    number = order(scene, SKU)
    with httpx.Client(base_url=f"{scene.host.url}/api/ocs", headers=scene.headers(), timeout=30) as api:
        fetch(scene, api)
    return f"/stores/{scene.first}/shipment?number={number}"


def test_every_view_is_fit_to_be_seen(scene: Scene) -> None:
    """axe-core finds nothing serious or critical in any view, light or dark; pictures are kept of each."""
    line_id, letter_id = _something_of_everything(scene)
    views = {
        "overview": "",
        "store": f"/stores/{scene.first}",
        "line": f"/stores/{scene.first}/lines/{line_id}",
        "position": _position(scene),
        "shipment": _shipment(scene),
        "events": f"/lines?store={scene.first}",
        "letters": "/letters",
        "letter": f"/letters/{letter_id}",
        "mappings": f"/mappings?tenant={scene.crol}",
        "alerts": "/alerts",
        "credentials": f"/credentials?tenant={scene.crol}",
        "audit": "/audit",
        "not-found": "/stores/CRSA9999999",
    }
    grave, wide = {}, []
    with visiting(scene, "super-admin", complains=False) as page:
        for name, path in views.items():
            page.goto(PAGE + path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            picture(page, name)
            if faults := grave_faults(page):
                grave[name] = faults
            wide += [name] if is_wider_than_the_screen(page) else []
    assert (grave, wide) == ({}, []), f"pictures of the page are in {PICTURES}"
