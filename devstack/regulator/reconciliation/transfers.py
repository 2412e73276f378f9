"""Checks transfers: to a right counterparty, and the same at both ends."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from devstack.regulator.reconciliation.finding import Code, Finding
from devstack.regulator.reconciliation.ledger_reading import Movement

OUT, IN = "TRANSFER_OUT", "TRANSFER_IN"


@dataclass(frozen=True, slots=True)
class _Way:
    """One SKU from one store to another."""

    sender: str
    receiver: str
    sku: str


class Transfers:
    """The transfers of one CROL's stores, taken store by store."""

    def __init__(self, siblings: Collection[str]) -> None:
        """Take the CRSAs of the CROL."""
        self._siblings = frozenset(siblings)
        self._between: dict[_Way, list[Movement]] = defaultdict(list)

    def take(self, crsa: str, moved: Sequence[Movement]) -> list[Finding]:
        """Take a store's movements; give its transfers with a wrong counterparty, which never balance."""
        wrong: dict[tuple[Code, str, str], list[Movement]] = defaultdict(list)
        for movement in moved:
            if movement.event_type not in {OUT, IN}:
                continue
            code = self._wrong(crsa, movement)
            if code is not None:
                wrong[code, movement.sku, movement.counterparty].append(movement)
            elif movement.event_type == OUT:
                self._between[_Way(crsa, movement.counterparty, movement.sku)].append(movement)
            else:
                self._between[_Way(movement.counterparty, crsa, movement.sku)].append(movement)
        return [_wrong_counterparty(code, crsa, sku, lines) for (code, sku, _), lines in wrong.items()]

    def imbalances(self) -> list[Finding]:
        """Find what was not received as it was sent; one finding at each end."""
        findings = []
        for way, lines in self._between.items():
            start = _differs_since(lines)
            if start is not None:
                findings += [_imbalance(way, start, lines, OUT), _imbalance(way, start, lines, IN)]
        return findings

    def _wrong(self, crsa: str, movement: Movement) -> Code | None:
        if movement.counterparty == crsa:
            return Code.TRANSFER_TO_SELF
        if movement.counterparty in self._siblings:
            return None
        return Code.TRANSFER_OUT_OUTSIDE_CROL if movement.event_type == OUT else Code.TRANSFER_IN_OUTSIDE_CROL


def _wrong_counterparty(code: Code, crsa: str, sku: str, lines: list[Movement]) -> Finding:
    counterparty, day = lines[0].counterparty, lines[0].date
    words = {
        Code.TRANSFER_TO_SELF: f"with the same CRSA [{counterparty}].",
        Code.TRANSFER_OUT_OUTSIDE_CROL: f"sent to CRSA [{counterparty}] outside of the CROL.",
        Code.TRANSFER_IN_OUTSIDE_CROL: f"received from CRSA [{counterparty}] outside of the CROL.",
    }
    message = f"Observed transfer for SKU [{sku}] starting on [{day}] {words[code]}"
    return Finding(code, crsa, sku, "", day, [line.line_id for line in lines], message, counterparty)


def _differs_since(lines: list[Movement]) -> date | None:
    """Give the day since when sent and received have differed without pause; None where they are the same now."""
    difference, since = Decimal(0), None
    for day, together in groupby(sorted(lines, key=lambda line: line.date), key=lambda line: line.date):
        # Out is negative and in positive, so that a balanced transfer sums up to nothing.
        difference += sum(line.quantity for line in together)
        since = (since or day) if difference else None
    return since


def _imbalance(way: _Way, start: date, lines: list[Movement], end: str) -> Finding:
    own = [line.line_id for line in lines if line.event_type == end and line.date >= start]
    message = f"Observed transfer imbalance for SKU [{way.sku}] starting on [{start}] "
    if end == OUT:
        message += f"sent to CRSA [{way.receiver}]"
        return Finding(Code.TRANSFER_UNBALANCED_SENDER, way.sender, way.sku, "", start, own, message, way.receiver)
    message += f"received from CRSA [{way.sender}]"
    return Finding(Code.TRANSFER_UNBALANCED_RECEIVER, way.receiver, way.sku, "", start, own, message, way.sender)
