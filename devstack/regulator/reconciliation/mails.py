"""The mails that a reconciliation would cause; none is ever sent."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from devstack.regulator.reconciliation.docket import Noted, Outcome

LINE_IDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text to a retailer (a CROL), with the aware instant of the run in ISO 8601."""

    to: str
    at: str
    subject: str
    text: str

    def as_json(self) -> dict[str, Any]:
        """Give it as the control door shows it."""
        return asdict(self)


def mail(crol: str, outcome: Outcome, at: datetime) -> Mail:
    """Write to a retailer what is open at its stores, and what was resolved since the run before."""
    subject = f"Data reconciliation errors: {len(outcome.open)} open, {len(outcome.resolved)} resolved"
    paragraphs = [
        "STAND-IN: this is not a mail of the Ontario Cannabis Store.",
        f"Retailer {crol}, reconciliation of {at.isoformat()}.",
        *_section("Open, to be corrected with the same line id:", outcome.open),
        *_section("Resolved since the last reconciliation:", outcome.resolved),
    ]
    return Mail(crol, at.isoformat(), subject, "\n\n".join(paragraphs) + "\n")


def _section(title: str, noted: list[Noted]) -> Iterable[str]:
    if not noted:
        return
    yield title
    ordered = sorted(noted, key=lambda n: (n.finding.crsa, n.finding.code, n.finding.date, n.finding.sku))
    for crsa, of_store in groupby(ordered, key=lambda n: n.finding.crsa):
        yield "\n".join([f"Store {crsa}", *(_bullet(n) for n in of_store)])


def _bullet(noted: Noted) -> str:
    finding = noted.finding
    shown = ", ".join(finding.line_ids[:LINE_IDS_SHOWN])
    more = len(finding.line_ids) - LINE_IDS_SHOWN
    lines = f"; lines {shown}" if shown else ""
    return f"- {finding.message} ({finding.code}{lines}{f' and {more} more' if more > 0 else ''})"
