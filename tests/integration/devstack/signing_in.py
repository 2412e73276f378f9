"""A browser's part of a sign-in: reads the issuer's page, and picks a person."""

from html.parser import HTMLParser

import httpx


class SignInForm(HTMLParser):
    """The form of the issuer's page, as a browser reads it."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.action = ""
        self.method = ""
        self.hidden: dict[str, str] = {}
        self.people: dict[str, str] = {}
        """By the value that a button sends: what is written on it."""
        self.words = ""
        self._button = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the form, its hidden fields, and its buttons."""
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = said["action"], said["method"]
        if tag == "input" and said.get("type") == "hidden":
            self.hidden[said["name"]] = said["value"]
        if tag == "button":
            assert said["name"] == "person"
            self._button = said["value"]
            self.people[self._button] = ""

    def handle_endtag(self, tag: str) -> None:
        """Leave a button."""
        if tag == "button":
            self._button = ""

    def handle_data(self, data: str) -> None:
        """Take what can be read."""
        self.words += data
        if self._button:
            self.people[self._button] += data


def pick(browser: httpx.Client, page: httpx.Response, person: str) -> httpx.Response:
    """Press a person's button on the issuer's page; gives the answer, whose redirect is not followed."""
    form = SignInForm(page.text)
    assert form.method == "post"
    return browser.post(form.action, data=form.hidden | {"person": person}, follow_redirects=False)
