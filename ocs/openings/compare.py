"""Says what an upload does to a store's levels, line by line; the same of a dry run and of the real thing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ocs.bad_input import FieldFault
from ocs.catalogue.warnings import WARNINGS
from ocs.levels.change import Item, Level
from ocs.openings.models import Given
from ocs.openings.plan import NOTHING, Planned, total

NOTHING_NEW = "Nothing changes: the store's levels at this instant were uploaded as given already."
REPORTED = (
    "The store has reported to the Data Platform already, and this count differs from what its events add up to. "
    "Report each difference as an adjustment with its reason, else the platform will find a POSITION_MISMATCH."
)
NOT_NAMED = "The store holds items that the upload does not name. They stay as they are; with rest=zero they become 0."
OVERTAKEN = "Some items are left as they are: a message that was sent later has counted them at the same instant."

WarningsOf = Callable[[str, str], list[str]]
"""Gives the codes of what is odd about an OCS SKU and a barcode."""


@dataclass(frozen=True)
class Effect:
    """What an upload comes to: lines to write, lines overtaken by a later message, and the store's other items."""

    lines: list[Planned]
    before: Mapping[Item, Level]
    zeroed: list[Item] = field(default_factory=list)
    overtaken: list[Planned] = field(default_factory=list)
    changes: bool = True
    """False when all of it is in effect already."""

    @property
    def levels(self) -> dict[Item, Level]:
        """The levels to write."""
        return {line.item: line.level for line in self.lines} | dict.fromkeys(self.zeroed, NOTHING)

    @property
    def kept(self) -> list[Item]:
        """What the store holds and the upload neither names nor sets to zero."""
        named = {line.item for line in (*self.lines, *self.overtaken)} | set(self.zeroed)
        return [item for item in sorted(self.before) if item not in named and self.before[item].quantity]

    def difference(self) -> bool:
        """Tell whether any level differs from what was reckoned before."""
        return any(self.before.get(item, NOTHING) != level for item, level in self.levels.items())


@dataclass(frozen=True)
class Outcome:
    """An upload's answer: for which store, which upload it is on record as, and what it does."""

    crsa: str
    dry_run: bool
    upload_id: int | None
    as_of: datetime
    effect: Effect
    faults: list[FieldFault]
    notices: list[str]


def notices(given: Given, effect: Effect, *, has_reported: bool) -> list[str]:
    """Give what a store manager should know besides the lines."""
    said = [] if effect.changes else [NOTHING_NEW]
    if effect.overtaken:
        said.append(OVERTAKEN)
    if effect.kept and given.rest == "keep":
        said.append(NOT_NAMED)
    if has_reported and effect.difference():
        said.append(REPORTED)
    return said


def answer(outcome: Outcome, warnings_of: WarningsOf) -> dict[str, Any]:
    """Write the answer as JSON: quantities in eaches and values in Canadian dollars, as strings."""
    effect = outcome.effect
    named = [line.item for line in effect.lines]
    return {
        "store": outcome.crsa,
        "as_of": outcome.as_of.isoformat(),
        "dry_run": outcome.dry_run,
        "changes": effect.changes,
        "written": effect.changes and not outcome.dry_run,
        "upload_id": outcome.upload_id,
        "lines": [_line(line, effect, _warnings(line.item, warnings_of)) for line in effect.lines],
        "totals": {"lines": len(effect.lines)}
        | _change(
            total(effect.before.get(item, NOTHING) for item in named), total(line.level for line in effect.lines)
        ),
        "not_named": [_other(item, effect.before[item], "kept") for item in effect.kept]
        + [_other(item, effect.before[item], "zero") for item in effect.zeroed],
        "overtaken": [{"line": str(line.place)} | _item(line.item) for line in effect.overtaken],
        "faults": [
            {"field": fault.field, "found": fault.found, "expected": fault.expected} for fault in outcome.faults
        ],
        "notices": outcome.notices,
    }


def as_text(level: Level) -> dict[str, str]:
    """Write a level as JSON: its quantity in eaches and its value in Canadian dollars, as strings."""
    return {"quantity": f"{level.quantity:f}", "value": f"{level.value:f}"}


def _line(line: Planned, effect: Effect, warnings: list[dict[str, str]]) -> dict[str, Any]:
    own_sku = {"sku": line.sku} if line.sku else {}
    change = _change(effect.before.get(line.item, NOTHING), line.level)
    return {"line": str(line.place)} | own_sku | _item(line.item) | change | {"warnings": warnings}


def _item(item: Item) -> dict[str, str]:
    return {"ocs_sku": item[0], "upc": item[1]}


def _other(item: Item, level: Level, becomes: str) -> dict[str, str]:
    return _item(item) | as_text(level) | {"becomes": becomes}


def _change(before: Level, after: Level) -> dict[str, Any]:
    return {"before": as_text(before), "after": as_text(after), "difference": as_text(after - before)}


def _warnings(item: Item, warnings_of: WarningsOf) -> list[dict[str, str]]:
    return [{"code": code, "words": WARNINGS[code]} for code in warnings_of(*item)]
