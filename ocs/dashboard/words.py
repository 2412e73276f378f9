"""How the page says things: instants in the store's own zone with the zone named, spans, counts, and codes in words."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

ONTARIO = "America/Toronto"
"""The zone in which is shown what belongs to no store."""
MINUTE, HOUR, DAY = 60, 3600, 86400


class Sign(NamedTuple):
    """How a state is shown: a word, a shape that says the same without colour, and the class that gives the colour."""

    text: str
    shape: str
    tone: str


GOOD, WAITS, BAD, QUIET = "good", "waits", "bad", "quiet"

ANSWERS = {
    "yes": Sign("Compliant", "✓", GOOD),
    "at risk": Sign("At risk", "▲", WAITS),
    "no": Sign("Not compliant", "✕", BAD),
}
NIGHTS = {
    "accepted": Sign("Accepted", "✓", GOOD),
    "under_way": Sign("On its way", "▲", WAITS),
    "refused": Sign("Refused", "✕", BAD),
    "not_made": Sign("Not made", "✕", BAD),
    "not_due": Sign("Not due yet", "–", QUIET),
}
BREAKERS = {
    "closed": Sign("Calls go through", "✓", GOOD),
    "ramping": Sign("Starting again, few calls at a time", "▲", WAITS),
    "open": Sign("Calls are held: the platform does not answer", "✕", BAD),
}
CREDENTIALS = {
    "good": Sign("Accepted", "✓", GOOD),
    "refused": Sign("Refused", "✕", BAD),
    "not_used": Sign("Not used yet", "–", QUIET),
}
STATES = {
    "accepted": Sign("Accepted", "✓", GOOD),
    "pending": Sign("Waits to be sent", "▲", WAITS),
    "frozen": Sign("In a batch to be sent", "▲", WAITS),
    "parked": Sign("Parked: needs a person", "✕", BAD),
    "superseded": Sign("Replaced by a correction", "–", QUIET),
}
OUTCOMES = {
    "sent": "sent, no answer known yet",
    "accepted": "accepted",
    "rejected": "refused by the platform",
    "slow_down": "the platform asked for fewer calls",
    "credentials": "the credentials were refused",
    "upstream": "the platform failed or did not answer",
    "ours": "it failed on our side",
}
SEVERITIES = {
    "critical": Sign("Critical", "✕", BAD),
    "error": Sign("Error", "✕", BAD),
    "warning": Sign("Warning", "▲", WAITS),
    "info": Sign("Notice", "–", QUIET),
}
TYPES = {
    "sale": "Sale",
    "purchase": "Receipt",
    "adjustment": "Adjustment",
    "transfer": "Transfer out",
    "transfer_in": "Transfer in",
    "return": "Customer return",
    "damage": "Damaged",
    "expire": "Expired",
    "loss": "Lost or stolen",
    "supplier_return": "Return to OCS",
}
TABLES = {
    "answer": ANSWERS,
    "night": NIGHTS,
    "breaker": BREAKERS,
    "credentials": CREDENTIALS,
    "state": STATES,
    "severity": SEVERITIES,
}
DONE = {
    "retried": "Done: it is sent again now. This page shows what becomes of it.",
    "corrected": "Done: the corrected line goes out under the same line id and replaces the wrong one.",
    "mapped": "Done: the SKU is mapped. The lines that waited for it leave by themselves.",
    "unmapped": "Done: the mapping is taken back. Future lines of this SKU wait.",
    "redriven": "Done: the message is taken in again.",
    "dismissed": "Done: the message is dismissed, with your reason.",
    "acknowledged": "Done: the alert is acknowledged.",
    "silenced": "Done: the alert is silenced for that time.",
    "paused": "Done: reporting is paused. Nothing is lost.",
    "resumed": "Done: reporting goes on.",
    "position": "Done: the position is made and on its way.",
    "stored": "Done: the credentials were checked, and are stored. They are not shown again.",
    "fetching": "Done: the shipping notices are being read.",
}
"""What is said after a form; the address names it by its key, so nobody else's words can be put onto the page."""


def sign(table: str, value: str) -> Sign:
    """Give how a state is shown; one that has no sign yet is shown by its own name, without a judgement."""
    return TABLES[table].get(value, Sign(words(value), "–", QUIET))


def words(value: object) -> str:
    """Give a code such as `not_made` as words."""
    return str(value).replace("_", " ").replace("-", " ")


def moment(at: datetime | None, zone: str = ONTARIO) -> str:
    """Give an instant in a zone: 21 Nov 2026, 09:36:05 EST."""
    if at is None:
        return "never"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M:%S} {_zone_name(local)}"


def clock(at: datetime, zone: str = ONTARIO) -> str:
    """Give an instant's time of day in a zone: 09:36."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def day(value: date | None) -> str:
    """Give a date: Sat 21 Nov 2026."""
    return "–" if value is None else f"{value:%a} {value.day} {value:%b %Y}"


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def lasting(seconds: float | None) -> str:
    """Give a span of time: 40 s, 12 min, 3 h 5 min, 2 days."""
    if seconds is None:
        return "–"
    if seconds < MINUTE:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"  # noqa: PLR2004
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR:.0f} h {seconds % HOUR // MINUTE:.0f} min"
    return f"{seconds // DAY:.0f} days"


def ago(at: datetime | None, now: datetime) -> str:
    """Give how long ago an instant was."""
    return "never" if at is None else f"{lasting(max((now - at) / timedelta(seconds=1), 0.0))} ago"


def number(value: Decimal | float | None) -> str:
    """Give a number without needless zeros, its thousands set apart; eaches and counts."""
    if value is None:
        return "–"
    text = f"{Decimal(str(value)).normalize():,f}"
    return text.replace("-", "−")


def money(value: Decimal | None) -> str:
    """Give Canadian dollars: $49.95."""
    return "–" if value is None else f"{'−' if value < 0 else ''}${abs(value):,.2f}"


def percent(share: float | None) -> str:
    """Give a share of one: 98.5 %."""
    return "–" if share is None else f"{share * 100:.1f} %".replace(".0 %", " %")
