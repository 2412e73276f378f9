"""ETags (RFC 9110, section 8.8.3): of every JSON answer to a GET, and the check before a configuration is replaced."""

import hashlib
import json
from typing import Any

from fastapi.encoders import jsonable_encoder
from starlette.requests import Request

from ocs.errors import PreconditionFailed


def etag_of(body: bytes) -> str:
    """Give the tag of an answer's bytes; weak, since the same answer may be written in another coding."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def matches(header: str, tag: str) -> bool:
    """Tell whether a list of tags, as If-Match or If-None-Match has it, holds a tag or the star."""
    given = {part.strip() for part in header.split(",")}
    return "*" in given or tag in given or tag.removeprefix("W/") in given


def require_match(request: Request, current: Any) -> None:
    """Raise PreconditionFailed where If-Match is given and is not the tag of what a GET would answer now.

    Without the header the last word wins, as with any PUT.
    """
    header = request.headers.get("If-Match")
    if header is not None and not matches(header, etag_of(as_sent(current))):
        raise PreconditionFailed("it was changed since you read it")


def as_sent(content: Any) -> bytes:
    """Write a JSON answer's bytes, as the app's answers are written."""
    text = json.dumps(
        jsonable_encoder(content), ensure_ascii=False, allow_nan=False, indent=None, separators=(",", ":")
    )
    return text.encode()
