"""A real browser at the page of the app: signed in as somebody with a role, its pictures kept, its faults found."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from devstack.browser import chromium
from devstack.sign_in.people import PEOPLE
from tests.acceptance.scene import Scene

PAGE = "/api/dashboard"
PICTURES = Path(__file__).parents[2] / ".stack" / "screenshots"
"""Git ignores it; each run overwrites what the one before left."""
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)
AXE = files("axe_playwright_python") / "axe.min.js"
"""axe-core, as the package carries it; its own few lines around it have no types."""
GRAVE = {"serious", "critical"}
NAMES = {person.key: person.name for person in PEOPLE}


@contextmanager
def visiting(scene: Scene, role: str, *, path: str = "", complains: bool = True) -> Iterator[Page]:
    """Give a browser's page, signed in as the person of a role in the scene's tenant, by way of the sign-in's page.

    A message on the browser's console fails the test, unless it is told not to look: a refusal by the
    Content-Security-Policy is one, a page that is not there another.
    """
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        page = _new_page(browser, scene)
        page.goto(PAGE + path)
        page.get_by_role("button", name=NAMES[role]).click()
        page.wait_for_url(f"**{PAGE}{path}*")
        # From here on: what the sign-in's own page lacks is not ours.
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.reload()
        yield page
        browser.close()
    assert not (complains and complaints), f"the browser complained on its console: {complaints}"


def _new_page(browser: Browser, scene: Scene) -> Page:
    width, height = WIDTHS["desktop"]
    context = browser.new_context(
        base_url=scene.host.url, viewport={"width": width, "height": height}, locale="en-CA", timezone_id="UTC"
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def picture(page: Page, name: str) -> None:
    """Keep pictures of a page as it is: on a phone and on a desk, light and dark."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for device, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=PICTURES / f"{name}-{device}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")


def grave_faults(page: Page) -> list[str]:
    """Give what axe-core finds serious or critical on a page, light and dark, on a phone and on a desk."""
    found: set[str] = set()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width, height in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            faults: list[dict[str, Any]] = page.evaluate("axe.run().then((found) => found.violations)")
            found |= {_told(fault) for fault in faults if fault["impact"] in GRAVE}
    page.emulate_media(color_scheme="light")
    return sorted(found)


def _told(fault: dict[str, Any]) -> str:
    return f"{fault['id']}: {fault['help']} at {[node['target'] for node in fault['nodes']]}"


def is_wider_than_the_screen(page: Page) -> bool:
    """Tell whether a page must be moved sideways on a phone."""
    width, height = WIDTHS["phone"]
    page.set_viewport_size({"width": width, "height": height})
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until what has the focus is named so; fails when it is never reached."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        text = str(page.evaluate("document.activeElement.innerText || document.activeElement.value || ''"))
        seen.append(text)
        if text.strip().startswith(name):
            return
    raise AssertionError(f"never reached {name!r} by Tab; saw {seen}")
