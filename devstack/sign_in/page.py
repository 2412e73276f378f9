"""The page on which one picks who to be: plain HTML, no script, usable by keyboard and screen reader."""

from collections.abc import Iterable, Mapping
from html import escape

from devstack.sign_in.people import Person

STYLE = """
:root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif; }
body { max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
.warning { border: 3px solid #b45309; padding: .5rem 1rem; font-weight: 600; }
ul { list-style: none; padding: 0; }
button { font: inherit; width: 100%; text-align: left; padding: .7rem 1rem; margin: .25rem 0; cursor: pointer; }
button:focus-visible { outline: 3px solid #2563eb; outline-offset: 2px; }
small { display: block; }
"""


def sign_in_page(action: str, asked: Mapping[str, str], people: Iterable[Person]) -> str:
    """Write the page; picking somebody posts what was asked to `action`, with `person`."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
    )
    choices = "".join(
        f'<li><button name="person" value="{escape(one.key)}">{escape(one.name)}'
        f"<small>{escape(one.user_name)}</small></button></li>"
        for one in people
    )
    return _page(
        "Sign in (stand-in)",
        "<h1>Sign in</h1><p>Who do you want to be?</p>"
        f'<form method="post" action="{escape(action)}">{hidden}<ul>{choices}</ul></form>',
    )


def message_page(title: str, words: str) -> str:
    """Write a page that only says something."""
    return _page(title, f"<h1>{escape(title)}</h1><p>{escape(words)}</p>")


def _page(title: str, main: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body><main>'
        '<p class="warning">This is a stand-in, NOT Microsoft Entra ID. Anybody may be anybody here: never put it '
        f"where others can reach it.</p>{main}</main></body></html>"
    )
