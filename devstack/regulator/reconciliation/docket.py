"""Remembers findings from run to run: when each was first seen, and when it was gone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devstack.regulator.reconciliation.finding import Finding, Key


@dataclass(slots=True)
class Noted:
    """A finding as it was last made, with the aware instants of the runs that first and no longer had it."""

    finding: Finding
    first_seen: datetime
    resolved_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it as the control door shows it."""
        resolved = self.resolved_at and self.resolved_at.isoformat()
        return self.finding.as_json() | {"first_seen": self.first_seen.isoformat(), "resolved_at": resolved}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run leaves open, and what it resolved."""

    open: list[Noted]
    resolved: list[Noted]


class Docket:
    """All findings ever made; one that comes back after it was resolved is a new one."""

    def __init__(self) -> None:
        """Start with none."""
        self._open: dict[Key, Noted] = {}
        self._resolved: list[Noted] = []

    def note(self, crsas: Collection[str], findings: Iterable[Finding], at: datetime) -> Outcome:
        """Take what a run found at these stores; what was open there and was not found again is resolved."""
        found = {finding.key: finding for finding in findings}
        gone = [key for key, noted in self._open.items() if noted.finding.crsa in crsas and key not in found]
        resolved = [self._open.pop(key) for key in gone]
        for noted in resolved:
            noted.resolved_at = at
        self._resolved += resolved
        for key, finding in found.items():
            self._open.setdefault(key, Noted(finding, at)).finding = finding
        return Outcome([self._open[key] for key in found], resolved)

    def listing(self, crsa: str | None) -> list[Noted]:
        """Give the findings of one store or of all, resolved ones too, the eldest first."""
        every = (*self._resolved, *self._open.values())
        return sorted((n for n in every if crsa in {None, n.finding.crsa}), key=lambda noted: noted.first_seen)

    def forget(self, crsa: str | None) -> None:
        """Drop the findings of one store, or all of them."""
        self._open = {key: n for key, n in self._open.items() if crsa not in {None, n.finding.crsa}}
        self._resolved = [n for n in self._resolved if crsa not in {None, n.finding.crsa}]
