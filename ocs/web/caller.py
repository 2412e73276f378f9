"""Who is calling a staff route, and which tenants that caller may see."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends


@dataclass(frozen=True)
class Caller:
    """Somebody who calls a staff route: the name under which acts are noted, and the tenants within reach.

    `tenants` is None for one who may see all: today that is whoever has the staff key.
    """

    name: str
    tenants: frozenset[UUID] | None = None

    def may_see(self, tenant_id: UUID) -> bool:
        """Tell whether a tenant is within the caller's reach."""
        return self.tenants is None or tenant_id in self.tenants


def the_caller() -> Caller:
    """Give the caller of this request; the Functions host has checked the staff key already."""
    return Caller("staff key")


TheCaller = Annotated[Caller, Depends(the_caller)]
