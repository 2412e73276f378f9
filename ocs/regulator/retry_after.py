"""Reads Retry-After in both of its forms (RFC 9110, 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ocs.clock import utc_now

WHEN_NOT_SAID = 30.0
LONGEST = 6 * 3600.0
"""Seconds: a longer wait than this is more likely a slip than a wish, and sales must be there within a day."""


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Give the seconds to wait: the header's number, or its date seen from the reply's own Date where there is one.

    A missing or unreadable header gives 30 s; the answer lies between 0 and six hours.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST)
    until = _date(said)
    if until is None:
        return WHEN_NOT_SAID
    # The platform's clock need not agree with ours; the wait is meant on its own.
    now = _date(headers.get("Date", "")) or utc_now()
    return min(max((until - now).total_seconds(), 0.0), LONGEST)


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
