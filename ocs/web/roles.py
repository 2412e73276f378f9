"""Who may call a route. Every route states its role; tests/rules reads it from there, and sign-in checks it."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

Route = TypeVar("Route", bound=Callable[..., object])
MARK = "__ocs_role__"
QUIET = "__ocs_quiet__"


class Role(StrEnum):
    """The callers of routes; each role of the staff's ladder may do what those before it may."""

    ANYONE = "anyone"
    POS = "pos"
    """A POS system with a key of its tenant."""
    VIEWER = "viewer"
    """Looks."""
    STAFF = "staff"
    """Looks and submits what is recorded."""
    MANAGER = "manager"
    """Operates: mappings, corrections, redrives, receipts, alerts; no credentials."""
    TENANT_ADMIN = "tenant-admin"
    """The tenant's stores, connections, credentials and people."""
    SUPER_ADMIN = "super-admin"
    """All tenants, and the whole audit."""

    def includes(self, other: "Role") -> bool:
        """Tell whether one of the staff with this role may do what asks for the other."""
        return self in LADDER and other in LADDER and LADDER.index(self) >= LADDER.index(other)


LADDER = (Role.VIEWER, Role.STAFF, Role.MANAGER, Role.TENANT_ADMIN, Role.SUPER_ADMIN)


def open_to(role: Role, *, secret: bool = False) -> Callable[[Route], Route]:
    """State a route's role, below the router's decorator; `secret`: what it is sent is never said back."""

    def mark(route: Route) -> Route:
        setattr(route, MARK, role)
        setattr(route, QUIET, secret)
        return route

    return mark


def role_of(endpoint: object) -> Role | None:
    """Give the role that a route states."""
    role = getattr(endpoint, MARK, None)
    return role if isinstance(role, Role) else None


def takes_secrets(endpoint: object) -> bool:
    """Tell whether what a route is sent may be a secret."""
    return bool(getattr(endpoint, QUIET, False))
