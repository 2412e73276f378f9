"""Compares what the platform gives back with what we sent, field by field. Pure: no database, no clock.

Only the newest accepted revision of a line must be there, since the same line id replaces (domain.md, rule 1). One
that is under way may be there already.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from ocs.reconciliation import readings
from ocs.reconciliation.meanings import Tally, tally
from ocs.reconciliation.readings import written
from ocs.regulator import wire

Kind = Literal["missing_there", "unknown_here", "differs", "turned", "not_newest"]
"""`turned`: the same amount with the other sign, which is a matter of the type's meaning and not of the line."""
Outcome = Literal["same", "older", "missing_there", "unknown_here", "differs", "turned", "not_newest"]
"""What became of a line; `older`: an earlier posting of a position, which may be there beside the newest."""
ACCEPTED = "accepted"


@dataclass(frozen=True)
class Difference:
    """One field that differs, in both sides' own writing; an empty field's name means the whole line."""

    kind: Kind
    field: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Judged:
    """One line that is there: what became of it.

    `key` says which of our lines it stands for, None for none; `newest` is false where it is only an older revision.
    """

    reference: str
    ocs_sku: str
    upc: str
    outcome: Outcome
    key: str | None = None
    newest: bool = True
    differences: tuple[Difference, ...] = ()
    tally: Tally | None = None


@dataclass(frozen=True)
class SentLine:
    """A revision of an event line as it was sent; `quantity` has the ledger's sign, in eaches."""

    revision: int
    state: str
    line: wire.EventLine
    transaction_type: str
    wire_sign: str
    quantity: Decimal


@dataclass(frozen=True)
class SentPosition:
    """One item of a snapshot as it was sent; `at` is the snapshot's own time on the wire."""

    snapshot_id: int
    revision: int
    state: str
    at: datetime
    line: wire.PositionLine

    @property
    def key(self) -> str:
        """Name it as the query of what is missing does."""
        return f"{self.snapshot_id} {self.line.ocsSku} {self.line.upcAndBarcode}"


@dataclass(frozen=True)
class _Field:
    name: str
    ours: Callable[[wire.EventLine], str]
    theirs: Callable[[wire.ReportedEvent], object]
    read: Callable[[str], object] = str
    signed: bool = False


EVENT_FIELDS = (
    _Field("sku", lambda ours: ours.ocsSku, lambda theirs: theirs.ocsSku),
    _Field("barcode", lambda ours: ours.upcAndBarcode, lambda theirs: theirs.upcAndBarcode, readings.barcode),
    _Field(
        "time",
        lambda ours: ours.posTransactionTimeStamp,
        lambda theirs: theirs.posTransactionTimeStamp,
        readings.instant,
    ),
    _Field("type", lambda ours: ours.inventoryEventType, lambda theirs: theirs.inventoryEventType),
    _Field(
        "quantity",
        lambda ours: ours.inventoryQuantityChange,
        lambda theirs: theirs.inventoryQuantityChange,
        readings.number,
        signed=True,
    ),
    _Field(
        "value",
        lambda ours: ours.inventoryValueChange,
        lambda theirs: theirs.inventoryValueChange,
        readings.money,
        signed=True,
    ),
    _Field(
        "transaction_id",
        lambda ours: ours.posSalesTransactionId,
        lambda theirs: theirs.posSalesTransactionId,
        readings.identity,
    ),
    _Field("sold_at_price", lambda ours: ours.soldAtPrice, lambda theirs: theirs.soldAtPrice, readings.money),
    _Field("counterparty", lambda ours: ours.counterPartyCRSA, lambda theirs: theirs.counterPartyCRSA),
    _Field("reason", lambda ours: ours.reasonCategory, lambda theirs: theirs.reasonCategory),
)
"""All of a line but its id, by which both sides were brought together."""


def event_differences(ours: wire.EventLine, theirs: wire.ReportedEvent) -> list[Difference]:
    """Give the fields in which two lines of the same id differ; also those that a connection adds to a line."""
    found = [
        _difference(field.name, field.ours(ours), written(field.theirs(theirs)), field.read, field.signed)
        for field in EVENT_FIELDS
    ]
    beside = theirs.model_extra or {}
    found += [
        _difference(name, str(value), written(beside.get(name)), str, signed=False)
        for name, value in (ours.model_extra or {}).items()
    ]
    return [difference for difference in found if difference is not None]


def judge_event(theirs: wire.ReportedEvent, sent: Sequence[SentLine]) -> Judged:
    """Judge a line that is there against our revisions of it, accepted or under way; none means that we know it not.

    An exact match with any revision goes before a turned one: a correction may have turned the sign itself.
    """
    reference, sku, upc = map(written, (theirs.posTransactionLineId, theirs.ocsSku, theirs.upcAndBarcode))
    if not sent:
        told = written(f"{theirs.inventoryEventType} {written(theirs.inventoryQuantityChange)} by {theirs.posVendor}")
        unknown = Difference("unknown_here", "", "", told)
        return Judged(reference, sku, upc, "unknown_here", differences=(unknown,))
    revisions = sorted(sent, key=lambda one: -one.revision)
    expected = next((one for one in revisions if one.state == ACCEPTED), revisions[0])
    compared = [(one, tuple(event_differences(one.line, theirs))) for one in revisions]
    matches = [pair for pair in compared if not pair[1]]
    matches += [pair for pair in compared if pair[1] and all(one.kind == "turned" for one in pair[1])]
    key = str(expected.line.posTransactionLineId)
    if not matches:
        differences = next(found for one, found in compared if one is expected)
        return Judged(reference, sku, upc, "differs", key, differences=differences, tally=_tally(expected, theirs))
    match, turned = matches[0]
    if match.revision < expected.revision:
        older = Difference("not_newest", "revision", str(expected.revision), str(match.revision))
        return Judged(reference, sku, upc, "not_newest", key, differences=(older,))
    outcome: Outcome = "turned" if turned else "same"
    return Judged(reference, sku, upc, outcome, key, differences=turned, tally=_tally(match, theirs))


def judge_position(theirs: wire.ReportedPosition, sent: Iterable[SentPosition]) -> Judged:
    """Judge a position's line that is there against our snapshots' lines of that time, SKU and barcode.

    An older snapshot of the same time is no difference by itself: each posting may be given back.
    """
    reference, sku, upc = map(written, (theirs.inventoryPositionDate, theirs.ocsSku, theirs.upcAndBarcode))
    revisions = _at_the_time(theirs, sent)
    if not revisions:
        told = written(f"{written(theirs.inventoryQuantityOnHand)} on hand by {theirs.posVendor}")
        unknown = Difference("unknown_here", "", "", told)
        return Judged(reference, sku, upc, "unknown_here", differences=(unknown,))
    expected = next((one for one in revisions if one.state == ACCEPTED), revisions[0])
    compared = [(one, _position_differences(one.line, theirs)) for one in revisions]
    match = next((one for one, found in compared if not found), None)
    if match is None:
        differences = next(found for one, found in compared if one is expected)
        return Judged(reference, sku, upc, "differs", expected.key, differences=differences)
    expected = next((one for one in revisions if one.at == match.at and one.state == ACCEPTED), match)
    older = match.revision < expected.revision
    return Judged(reference, sku, upc, "older" if older else "same", expected.key, newest=not older)


def _at_the_time(theirs: wire.ReportedPosition, sent: Iterable[SentPosition]) -> list[SentPosition]:
    """Give our lines for the item at the time that theirs tells, newest first."""
    moment, day = readings.position_moment(theirs.inventoryPositionDate)
    code = readings.barcode(written(theirs.upcAndBarcode))
    of_item = [
        one for one in sent if one.line.ocsSku == theirs.ocsSku and readings.barcode(one.line.upcAndBarcode) == code
    ]
    found = [one for one in of_item if one.at == moment] or [one for one in of_item if one.at.date() == day]
    return sorted(found, key=_age, reverse=True)


def _age(one: SentPosition) -> tuple[datetime, int]:
    return one.at, one.revision


def _position_differences(ours: wire.PositionLine, theirs: wire.ReportedPosition) -> tuple[Difference, ...]:
    on_hand, book = written(theirs.inventoryQuantityOnHand), written(theirs.inventoryBookValue)
    found = (
        _difference("quantity", ours.inventoryQuantityOnHand, on_hand, readings.number, signed=False),
        _difference("value", ours.inventoryBookValue, book, readings.money, signed=False),
    )
    return tuple(difference for difference in found if difference is not None)


def _difference(name: str, ours: str, theirs: str, read: Callable[[str], object], signed: bool) -> Difference | None:
    left, right = read(ours.strip()), read(theirs)
    if left == right:
        return None
    turned = signed and isinstance(left, Decimal) and isinstance(right, Decimal) and left == -right
    return Difference("turned" if turned else "differs", name, ours, theirs)


def _tally(ours: SentLine, theirs: wire.ReportedEvent) -> Tally | None:
    """Count the line for its type's meaning; a quantity of 0 says nothing about signs."""
    if ours.quantity == 0:
        return None
    words = (ours.line.inventoryEventType, written(theirs.inventoryEventType))
    return tally(ours.transaction_type, ours.wire_sign, words, ours.quantity, theirs.inventoryQuantityChange)
