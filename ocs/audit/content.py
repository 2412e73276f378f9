"""What a row of the audit says, written in one way only, so that its hash can be reckoned again years later.

Canonical JSON: keys sorted, no spaces, UTF-8, numbers are whole numbers only. Decimals, instants (UTC, microseconds),
ids and fractions are texts: they read back from Postgres as they were written, to the letter.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACT = (
    "act_id",
    "at",
    "who_subject",
    "who_name",
    "what",
    "tenant_id",
    "store_id",
    "subject",
    "before",
    "after",
    "why",
    "way",
    "correlation_id",
)
CALL = (
    "call_id",
    "at",
    "tenant_id",
    "store_id",
    "connection_id",
    "method",
    "url",
    "status",
    "error",
    "ms",
    "request_bytes",
    "request_sha256",
    "response_bytes",
    "response_sha256",
    "correlation_id",
    "batch_id",
    "attempt_id",
)
"""The columns that a hash covers: all but those of the chain itself."""


def plain(value: Any) -> Any:
    """Give a value as JSON has it and Postgres keeps it; raises TypeError for what has no such form."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {text(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=canonical)
    return _as_text(value)


def _as_text(value: Any) -> str:
    for kinds, write in _TEXTS:
        if isinstance(value, kinds):
            return write(value)
    raise TypeError(f"{type(value).__name__} has no form in the audit")


def text(given: str) -> str:
    """Give a text as Postgres keeps it: without NUL and without halves of characters."""
    return given.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def canonical(value: Any) -> str:
    """Write a plain value as canonical JSON."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def content_hash(row: Mapping[str, Any], columns: Sequence[str]) -> bytes:
    """Give the SHA-256 of what a row says, given as it is written or as it was read."""
    said = {column: plain(row[column]) for column in columns}
    return hashlib.sha256(canonical(said).encode()).digest()


def link_hash(previous: bytes, place: int, content: bytes) -> bytes:
    """Give the hash of a link of a chain, as the migration's functions reckon it too."""
    return hashlib.sha256(previous + place.to_bytes(8, "big", signed=True) + content).digest()


def id_at(at: datetime) -> UUID:
    """Make an id that sorts by time (UUIDv7, RFC 9562; the microseconds are in its twelve free bits)."""
    milliseconds, microseconds = divmod((at - EPOCH) // timedelta(microseconds=1), 1000)
    fraction = microseconds * 4096 // 1000
    return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62))


def _instant(value: datetime) -> str:
    instant = value.astimezone(UTC) if value.tzinfo else value
    return instant.isoformat(timespec="microseconds")


_TEXTS: tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...] = (
    ((str,), text),
    ((float,), repr),  # Postgres may write the same number in another way
    ((Decimal, UUID), str),
    ((datetime,), _instant),  # before `date`, of which it is a kind
    ((date,), date.isoformat),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
)
