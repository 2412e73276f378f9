"""The page in a real browser: see at once, read why, mend it, see it accepted."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.acceptance.browser import tab_to, visiting
from tests.acceptance.scene import SKU, UPC, Scene, eventually

WRONG = "000000_1g___"
"""A SKU that the regulator refuses where `refuse` says so."""


def refuse(scene: Scene) -> int:
    """Have the regulator refuse every batch with a line of the wrong SKU; gives the fault's id."""
    return scene.fault("reject_lines", ocs_skus=[WRONG])


def sell_wrong(scene: Scene) -> str:
    """Sell something under the wrong SKU; gives the line's id."""
    return _sell(scene, {"ocs_sku": WRONG, "upc": UPC, "quantity": 1, "unit_price": "49.95"})


def sell_unmapped(scene: Scene) -> str:
    """Sell something under a SKU of the POS's own; gives the line's id."""
    return _sell(scene, {"sku": "OUR-77", "quantity": 1, "unit_price": "49.95"})


def _sell(scene: Scene, item: dict[str, Any]) -> str:
    sale = scene.sale()
    line_id: str = sale["items"][0]["line_id"]
    scene.put(sale | {"items": [item | {"line_id": line_id}]})
    return line_id


def is_accepted(page: Page) -> None:
    """Wait until the page of a line says by itself that it is accepted."""
    expect(page.get_by_role("heading", name="Accepted")).to_be_visible()


def test_a_failure_appears_by_itself_and_is_corrected_on_the_page(scene: Scene) -> None:
    """Nobody loads the page anew: it shows the refusal with the platform's words, and then that the line is there."""
    refuse(scene)
    with visiting(scene, "manager", path=f"/stores/{scene.first}") as page:
        expect(page.get_by_role("heading", name="Compliant")).to_be_visible()
        line_id = sell_wrong(scene)
        expect(page.get_by_role("heading", name="At risk")).to_be_visible()
        row = page.get_by_role("row").filter(has=page.locator(f"#line-{line_id}"))
        expect(row).to_contain_text(WRONG)
        expect(row).to_contain_text("refused")
        row.get_by_role("link", name="Correct it").click()
        page.get_by_label("OCS SKU").fill(SKU)
        page.get_by_role("textbox", name="Why").fill("the POS had the old number")
        page.get_by_role("button", name="Correct and send again").click()
        expect(page.get_by_role("status").filter(has_text="Done")).to_be_visible()
        is_accepted(page)
        expect(page.get_by_text("corrected by Max Manager")).to_be_visible()
    assert scene.ledger()[line_id]["content"]["ocsSku"] == SKU
    acts = scene.rows("select what, who_name, why from audit_acts where subject = %s", line_id)
    assert acts == [{"what": "line.corrected", "who_name": "Max Manager", "why": "the POS had the old number"}]


def test_the_keyboard_alone_is_enough_to_mend(scene: Scene) -> None:
    """Tab and Enter lead from the overview to the line that waits, and send it again once its cause is gone."""
    fault = refuse(scene)
    line_id = sell_wrong(scene)
    parked = "select 1 from outbox where item_id = %s and state = 'parked'"
    eventually(lambda: scene.rows(parked, line_id), "the regulator refused the line")
    scene.control.delete(f"/faults/{fault}").raise_for_status()
    with visiting(scene, "staff") as page:
        tab_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        tab_to(page, scene.first)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/stores/{scene.first}")
        tab_to(page, "Send it again")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text="Done")).to_be_visible()
        expect(page.get_by_text("everything that was taken in is accepted")).to_be_visible()
    assert line_id in scene.ledger()


def test_an_unmapped_sku_is_mapped_and_its_line_leaves(scene: Scene) -> None:
    with visiting(scene, "manager", path=f"/stores/{scene.first}") as page:
        line_id = sell_unmapped(scene)
        page.get_by_role("link", name="Say what it is").click()
        page.get_by_label("OCS SKU").fill(SKU)
        page.get_by_label("Barcode of the each").fill(UPC)
        page.get_by_role("button", name="It is this").click()
        expect(page.get_by_role("status").filter(has_text="the SKU is mapped")).to_be_visible()
        page.goto(f"/api/dashboard/stores/{scene.first}/lines/{line_id}")
        is_accepted(page)
    assert scene.ledger()[line_id]["content"]["ocsSku"] == SKU


def test_a_dead_letter_appears_and_is_dismissed_with_a_reason(scene: Scene) -> None:
    with visiting(scene, "manager", path="/letters") as page:
        scene.put(scene.sale(transaction_type="gift"))
        page.get_by_role("link", name="transaction_type").click()
        expect(page.get_by_text('"gift"').first).to_be_visible()
        page.get_by_text("Dismiss it").first.click()
        page.get_by_role("textbox", name="Why").fill("a test of the POS vendor")
        page.get_by_role("button", name="Dismiss it").click()
        expect(page.get_by_text("Max Manager: a test of the POS vendor")).to_be_visible()


def test_a_viewer_sees_what_is_wrong_and_no_button(scene: Scene) -> None:
    refuse(scene)
    sell_wrong(scene)
    with visiting(scene, "viewer", path=f"/stores/{scene.first}") as page:
        expect(page.get_by_role("heading", name="At risk")).to_be_visible()
        assert page.get_by_role("main").get_by_role("button").all_inner_texts() == []
        assert page.get_by_role("navigation").get_by_role("link", name="Credentials").count() == 0


def test_a_sign_in_leads_to_the_page_that_was_asked_for_and_a_sign_out_ends_it(scene: Scene) -> None:
    with visiting(scene, "manager", path=f"/lines?store={scene.first}", complains=False) as page:
        expect(page.get_by_label("Store")).to_have_value(scene.first)
        page.get_by_role("link", name="Sign out").click()
        page.wait_for_load_state()
        page.goto("/api/dashboard")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_that_ends_takes_an_open_page_to_the_sign_in(scene: Scene) -> None:
    """What is shown must not grow old unnoticed: the next look of the page itself leads there, and back."""
    with visiting(scene, "viewer", path=f"/stores/{scene.first}", complains=False) as page:
        page.context.clear_cookies()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.get_by_role("button", name="Vic Viewer").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(scene.first)


def test_the_page_rests_while_nobody_looks(scene: Scene) -> None:
    """A hidden tab asks nothing; shown again it looks at once."""
    with visiting(scene, "viewer") as page:
        page.evaluate(
            """() => {
                window.kept = 0; window.asked = 0;
                Object.defineProperty(document, "hidden", {configurable: true, get: () => window.away});
                window.away = true;
                document.addEventListener("htmx:beforeRequest", (e) => { e.defaultPrevented ? kept++ : asked++; });
            }"""
        )
        eventually(lambda: page.evaluate("window.kept") >= 2, "the page wants to look twice and does not")
        assert page.evaluate("window.asked") == 0
        page.evaluate("() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }")
        eventually(lambda: page.evaluate("window.asked") >= 1, "the page looks again")
