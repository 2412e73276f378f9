"""The shape of what is sent: every value a text, each of its own form; a refusal names the first wrong field only.

A line's content is kept as one text, its values in the order of the documents with a separator between them: one join
proves that all are texts, one match that all are of the right form. Only a wrong line is looked at field by field.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from devstack.regulator.calls import Call, RefusedError, Reply, json_reply

BETWEEN_VALUES = "\x1f"
BETWEEN_LINES = "\x1e"
FOUND_SHOWN = 60
"""Characters of a wrong value that a message shows."""


@dataclass(frozen=True, slots=True)
class _Form:
    """The form of one field: a pattern that never matches a separator, and its name for people."""

    pattern: str
    name: str
    number: bool = False


_HEX = "[0-9A-Fa-f]"
_TEXT = _Form(r"[^\x00-\x1f]*", "a text")
_NAMED = _Form(r"[^\x00-\x1f]+", "a text that is not empty")
_NUMBER = _Form(r"-?[0-9]+(?:\.[0-9]+)?", "a number as text", number=True)
_UUID = _Form(rf"{_HEX}{{8}}-(?:{_HEX}{{4}}-){{3}}{_HEX}{{12}}", "a UUID")
_INSTANT = _Form(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,7})?(?:Z|[+-][0-9]{2}:[0-9]{2})",
    "an ISO 8601 time with its offset",
)
_TYPE = _Form(
    "PURCHASE|RECEIVING|ADJUSTMENT|TRANSFER_OUT|TRANSFER_IN|RETURN|DESTRUCTION|LOSS|SUPPLIER_RETURN",
    "a known event type",
)
_CRSA = _Form(r"(?:CRSA[0-9]{7})?", "a CRSA or an empty text")

EVENT_FIELDS = {
    "ocsSku": _NAMED,
    "upcAndBarcode": _TEXT,
    "posTransactionTimeStamp": _INSTANT,
    "posTransactionLineId": _UUID,
    "inventoryEventType": _TYPE,
    "inventoryQuantityChange": _NUMBER,
    "inventoryValueChange": _NUMBER,
    "posSalesTransactionId": _UUID,
    "soldAtPrice": _NUMBER,
    "counterPartyCRSA": _CRSA,
    "reasonCategory": _TEXT,
}
POSITION_FIELDS = {
    "ocsSku": _NAMED,
    "upcAndBarcode": _TEXT,
    "inventoryQuantityOnHand": _NUMBER,
    "inventoryBookValue": _NUMBER,
}


class _LineShape:
    """The shape of one kind of line."""

    def __init__(self, list_name: str, fields: dict[str, _Form]) -> None:
        self.list_name = list_name
        self.fields = fields
        self._values = itemgetter(*fields)
        self._whole = re.compile(BETWEEN_VALUES.join(f"(?:{form.pattern})" for form in fields.values()))
        self._instant = next((name for name, form in fields.items() if form is _INSTANT), None)

    def content(self, line: Any, extra: frozenset[str]) -> str | None:
        """Give the line's content, or None where anything is wrong with it."""
        try:
            content = BETWEEN_VALUES.join(self._values(line))
            if self._whole.fullmatch(content) is None:
                return None
            if self._instant is not None:
                datetime.fromisoformat(line[self._instant])
        except (KeyError, TypeError, ValueError):
            return None
        if len(line) == len(self.fields):
            return content
        beside = {name: value for name, value in sorted(line.items()) if name not in self.fields}
        if any(name not in extra or not isinstance(value, str) for name, value in beside.items()):
            return None
        return content + BETWEEN_VALUES + json.dumps(beside)

    def first_fault(self, line: Any, extra: frozenset[str]) -> tuple[str, str]:
        """Name the first wrong field of a line and what is wrong with it."""
        if not isinstance(line, dict):
            return "", "expected an object"
        for name, form in self.fields.items():
            if name not in line:
                return name, "is required"
            if not isinstance(line[name], str) or not _is_of(form, line[name]):
                return name, f"found {json.dumps(line[name])[:FOUND_SHOWN]}, expected {form.name}"
        for name in line:
            if name not in self.fields and name not in extra:
                return name, "is not a field of this line"
        wrong = next(name for name in line if not isinstance(line[name], str))
        return wrong, f"found {json.dumps(line[wrong])[:FOUND_SHOWN]}, expected a text"


EVENT = _LineShape("inventoryEventList", EVENT_FIELDS)
POSITION = _LineShape("inventoryPositionList", POSITION_FIELDS)


def _is_of(form: _Form, value: str) -> bool:
    if re.fullmatch(form.pattern, value) is None:
        return False
    if form is not _INSTANT:
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def contents(call: Call, shape: _LineShape, extra: frozenset[str], *, may_be_empty: bool = False) -> list[str]:
    """Give the content of each line of the body; raises RefusedError for the first that is wrong."""
    try:
        body = call.content()
    except ValueError:
        raise RefusedError(bad_request(call, "", "the body is not JSON")) from None
    lines = body.get(shape.list_name) if isinstance(body, dict) else None
    if not isinstance(lines, list) or len(body) != 1:
        wanted = f"expected an object with nothing but a list {shape.list_name}"
        raise RefusedError(bad_request(call, shape.list_name, wanted))
    if not (lines or may_be_empty):
        raise RefusedError(bad_request(call, shape.list_name, "has no lines"))
    found = []
    for index, line in enumerate(lines):
        content = shape.content(line, extra)
        if content is None:
            field, what = shape.first_fault(line, extra)
            place = f"{shape.list_name}[{index}]" + (f".{field}" if field else "")
            raise RefusedError(bad_request(call, place, what))
        found.append(content)
    return found


def instant(call: Call, parameter: str) -> datetime:
    """Read a time of the query; raises RefusedError where it is missing, or has no offset."""
    value = required(call, parameter)
    if not _is_of(_INSTANT, value):
        what = f"found {json.dumps(value)[:FOUND_SHOWN]}, expected {_INSTANT.name}"
        raise RefusedError(bad_request(call, parameter, what))
    return datetime.fromisoformat(value)


def required(call: Call, parameter: str) -> str:
    """Give a parameter of the query; raises RefusedError where it is missing or empty."""
    value = call.query.get(parameter, "")
    if not value:
        raise RefusedError(bad_request(call, parameter, "is a required query parameter"))
    return value


def bad_request(call: Call, field: str, what: str) -> Reply:
    """Write a 400 in one of four shapes, in turn: the real ones are not public, so none may be relied upon."""
    message = f"{field}: {what}" if field else what
    shapes = call.turn % 4
    if shapes == 0:
        return json_reply(400, {"statusCode": 400, "message": message})
    if shapes == 1:
        return json_reply(400, {"errors": [{"field": field, "detail": what}]})
    if shapes == 2:  # noqa: PLR2004 - the third of the four
        return Reply(400, message.encode(), "text/plain; charset=utf-8")
    problem = {"title": "Bad Request", "status": 400, "detail": message}
    return Reply(400, json.dumps(problem).encode(), "application/problem+json")


def as_sent(shape: _LineShape, content: str) -> dict[str, str]:
    """Give a kept line back as it was sent: every value a text."""
    values = content.split(BETWEEN_VALUES)
    line = dict(zip(shape.fields, values, strict=False))
    if len(values) > len(shape.fields):
        line |= json.loads(values[-1])
    return line


def as_read(shape: _LineShape, content: str) -> dict[str, str | int | float]:
    """Give a kept line as the platform lets it be read: numbers where they are numbers."""
    line: dict[str, str | int | float] = dict(as_sent(shape, content))
    for name, form in shape.fields.items():
        if form.number:
            text = str(line[name])
            line[name] = float(text) if "." in text else int(text)
    return line
