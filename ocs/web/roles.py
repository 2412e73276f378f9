"""Who may call a route. Every route states its role; tests/rules reads it from there."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

Route = TypeVar("Route", bound=Callable[..., object])


class Role(StrEnum):
    """The callers of routes; people's own roles follow with their sign-in."""

    ANYONE = "anyone"
    POS = "pos"
    """A POS system with the function's key, which the Functions host checks before the call gets here."""
    STAFF = "staff"
    """Whoever has the key of the function `staff`: the operator, who gives it to nobody else."""


def open_to(role: Role) -> Callable[[Route], Route]:
    """State a route's role, below the router's decorator."""

    def mark(route: Route) -> Route:
        route.__ocs_role__ = role  # type: ignore[attr-defined] # a note on the function, read by the rules
        return route

    return mark
