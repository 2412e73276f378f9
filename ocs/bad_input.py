"""Bad input as its sender should read it: which field, what was found, what was expected."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ocs.errors import OcsError

LONGEST_QUOTE = 80
PYDANTIC_WORDS = re.compile(r"^(Input|String|List|Decimal input|Value) should (be|have) ")


@dataclass(frozen=True)
class FieldFault:
    """One wrong field: `items[2].quantity`, what was found there and what was expected."""

    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Give the fault as one sentence."""
        return f"{self.field}: found {self.found}, expected {self.expected}"


class BadInput(OcsError):  # noqa: N818 - read as a sentence at the raise
    """Input was refused; `faults` names every wrong field, and nothing of it was written."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        """Keep the faults; the error's text is all of them, one a line."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def bad_input(field: str, found: object, expected: str) -> BadInput:
    """Make the error for a single wrong field."""
    return BadInput([FieldFault(field, quoted(found), expected)])


def explain(error: ValidationError, at: str = "") -> list[FieldFault]:
    """Turn pydantic's errors into faults; `at` is put before each field's name."""
    return faults_of(error.errors(include_url=False), at)


def faults_of(errors: Sequence[ErrorDetails | dict[str, Any]], at: str = "") -> list[FieldFault]:
    """Turn what pydantic, or FastAPI in its name, says of each wrong field into faults."""
    return [_fault(details, at) for details in errors]


def quoted(found: object) -> str:
    """Show a value as found, cut to a readable length; a cut is visible, half a character is shown as its escape."""
    text = repr(found) if not isinstance(found, str) else f'"{found}"'
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}… ({len(text)} characters)"


def _fault(details: ErrorDetails | dict[str, Any], at: str) -> FieldFault:
    field = at + field_path(details["loc"])
    if details["type"] == "missing":
        return FieldFault(field, "nothing", "a value: the field is required")
    if details["type"] == "extra_forbidden":
        return FieldFault(field, quoted(details["input"]), "no such field: check the spelling")
    return FieldFault(field, quoted(details["input"]), _expected(details))


def _expected(details: ErrorDetails | dict[str, Any]) -> str:
    """Say what was expected; pydantic speaks of inputs and validation, a sender of fields."""
    if details["type"] == "timezone_aware":
        return "a time with its offset, such as 2026-11-20T10:00:00-05:00"
    message = str(details["msg"]).removeprefix("Value error, ")
    return PYDANTIC_WORDS.sub("", message).partition(" after validation")[0]


def field_path(location: Sequence[Any]) -> str:
    """Write a location as `items[2].quantity`."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "the whole message"
