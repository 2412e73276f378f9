"""Makes pages of templates: escaped, with headers that keep foreign script out, and only the live part when asked."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ocs.dashboard import signs, words as plain
from ocs.dashboard.forms import PATH
from ocs.dashboard.static import address_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "HX-Request",
}
NO_MORE: Mapping[str, str] = MappingProxyType({})
LIVE = "live"
"""The block of a template that a page asks for again every few seconds."""
CRSA = re.compile(r"\bCRSA[0-9]{7}\b")


def linked(text: str) -> Markup:
    """Give a text with each CRSA in it as a link to its store."""
    return Markup(CRSA.sub(rf'<a href="{PATH}/stores/\g<0>">\g<0></a>', str(escape(text))))  # noqa: S704 - escaped before


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "moment": plain.moment,
    "clock": plain.clock,
    "day": plain.day,
    "ago": plain.ago,
    "lasting": plain.lasting,
    "number": plain.number,
    "money": plain.money,
    "words": plain.words,
    "percent": plain.percent,
    "pretty": lambda value: json.dumps(value, ensure_ascii=False, indent=2),
    "linked": linked,
    "combine": lambda one, **more: dict(one) | more,
}
ENVIRONMENT.globals |= {"static": address_of, "signs": signs, "ONTARIO": plain.ONTARIO}
for macros in ("parts.html", "mend.html"):
    # Known everywhere, since a block that is rendered by itself does not see what its template imports.
    module = ENVIRONMENT.get_template(macros).make_module()
    ENVIRONMENT.globals |= {name: macro for name, macro in vars(module).items() if isinstance(macro, Macro)}


def render(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] = NO_MORE, /, **words: Any
) -> Response:
    """Give a page, or its live part alone where htmx asks and the template has one."""
    found = ENVIRONMENT.get_template(template)
    said = signs.DONE.get(request.query_params.get("done", ""))
    words = {"said_done": said} | words
    if "HX-Request" in request.headers and LIVE in found.blocks:
        context = found.new_context(words)
        text = "".join(found.blocks[LIVE](context))
    else:
        text = found.render(words)
    return HTMLResponse(text, status, HEADERS | dict(headers))
