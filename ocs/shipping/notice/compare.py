"""Compares a notice that came again with what is known of its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from ocs.shipping.notice.lines import NoticeLine

CHANGEABLE = (
    "item_name",
    "vendor",
    "brand",
    "each_gtin",
    "quantity",
    "uom",
    "uom_conversion",
    "uom_conversion_quantity",
    "unit_price",
    "barcode",
)
"""What a line may say differently and be the same line still; what is worked out of these is not compared."""
MARGIN = timedelta(days=1)
"""How much earlier than OCS gave it out a notice may be dated."""
Kind = Literal["added", "changed", "gone", "back"]


@dataclass(frozen=True)
class Known:
    """A line on record, and whether the newest notice had it."""

    line: NoticeLine
    in_notice: bool


@dataclass(frozen=True)
class LineChange:
    """How one line differs from what is on record; for a line that is gone, `line` is the one on record."""

    kind: Kind
    line: NoticeLine
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]


@dataclass(frozen=True)
class Sighting:
    """Between which instants OCS gave a shipment's notice, as far as is known: later than one, seen up to the other."""

    noticed_after: datetime
    seen_to: datetime

    def is_whole(self, window_from: datetime, window_to: datetime) -> bool:
        """Tell whether a window must have all lines of the notice: one that cuts it may have some of them only."""
        return window_from <= self.noticed_after - MARGIN and window_to >= self.seen_to


def compare(known: Mapping[UUID, Known], noticed: Sequence[NoticeLine], *, whole: bool) -> list[LineChange]:
    """Give what differs; lines that are not in the notice any more are gone only where it is known to be whole."""
    changes = [change for line in noticed if (change := _change(known.get(line.line_id), line)) is not None]
    if whole:
        there = {line.line_id for line in noticed}
        missing = [one.line for line_id, one in known.items() if one.in_notice and line_id not in there]
        changes += [LineChange("gone", line, _said(line), {}) for line in missing]
    return changes


def _change(before: Known | None, line: NoticeLine) -> LineChange | None:
    after = _said(line)
    if before is None:
        return LineChange("added", line, {}, after)
    was = _said(before.line)
    differing = [name for name in CHANGEABLE if was[name] != after[name]]
    if not before.in_notice:
        return LineChange("back", line, was, after)
    if not differing:
        return None
    return LineChange(
        "changed", line, {name: was[name] for name in differing}, {name: after[name] for name in differing}
    )


def _said(line: NoticeLine) -> dict[str, str | None]:
    """Give what a line says, as texts: 48 and 48.0 eaches are the same."""
    said = {name: getattr(line, name) for name in CHANGEABLE}
    return {
        name: value if value is None or isinstance(value, str) else f"{value.normalize():f}"
        for name, value in said.items()
    }
