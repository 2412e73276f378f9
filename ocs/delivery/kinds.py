"""What can be delivered: each room that sends hands in one Kind, and `function_app.py` hands them all to the engine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ocs.db.pool import Connection
from ocs.regulator.client import Regulator
from ocs.regulator.faults import Accepted
from ocs.settings import Settings
from ocs.tenants.models import Store


@dataclass(frozen=True)
class Kind:
    """One kind of report: its name in the outbox, its largest batch, how a batch is read and how it is sent.

    `load` reads a frozen batch's members into a body inside the transaction that freezes it, the same body for the
    same batch every time; `post` sends that body, not later than a moment of the monotonic clock, and raises a
    RegulatorFault unless it was accepted. `accepted` is told of each accepted batch, in its settling transaction.

    Everything of a store waits for its first position, save the kinds that are `anchors`: positions themselves.
    """

    name: str
    most_items: Callable[[Settings], int]
    load: Callable[[Connection, Store, int], Awaitable[Any]]
    post: Callable[[Regulator, Store, Any, float], Awaitable[Accepted]]
    accepted: Callable[[Connection, Store, int], Awaitable[None]] | None = None
    anchors: bool = False
    noun: str = "line"
    """What staff call one of its items."""


_KINDS: dict[str, Kind] = {}


def register(*given: Kind) -> None:
    """Hand kinds to the engine; each name is taken once."""
    for kind in given:
        if _KINDS.setdefault(kind.name, kind) is not kind:
            raise ValueError(f"there is a kind named {kind.name} already")


def registered() -> tuple[Kind, ...]:
    """Give all kinds in the order of their registration."""
    return tuple(_KINDS.values())


def anchors() -> list[str]:
    """Give the names of the kinds that go out before a store's first position was accepted."""
    return [kind.name for kind in registered() if kind.anchors]


def kind_named(name: str) -> Kind:
    """Give a kind that is known to be registered."""
    return _KINDS[name]
