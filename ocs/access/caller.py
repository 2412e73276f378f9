"""Who is calling a staff route, what that person may do in which tenant, and the walls around the request."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from ocs import runtime
from ocs.access import grants
from ocs.access.tokens import Person, sign_in_of
from ocs.db.wall import behind_the_wall
from ocs.errors import Forbidden, NotSignedIn, TooMany
from ocs.runtime import Runtime
from ocs.web.rate import RateLimit
from ocs.web.roles import Role, role_of

TOKEN_OF_THE_PAGE = "X-MS-TOKEN-AAD-ID-TOKEN"  # noqa: S105 - a header's name
"""App Service Authentication puts the signed-in person's id token there. It is checked like any other token, so that
a request that came past App Service Authentication proves nothing by writing the header itself."""
BEARER = "bearer "
TOKEN = HTTPBearer(auto_error=False, scheme_name="SignIn", bearerFormat="JWT", description="A token of the sign-in")


@dataclass(frozen=True)
class Caller:
    """Somebody who calls a staff route: the name under which acts are noted, and the role in each tenant.

    `needs` is the role that the route asks for. A super admin has it in every tenant.
    """

    subject: str
    name: str
    grants: Mapping[UUID, Role] = field(default_factory=dict)
    super_admin: bool = False
    needs: Role = Role.VIEWER
    by_cookie: bool = False
    """Signed in by the browser's session: another site's page could send it along."""

    @property
    def tenants(self) -> frozenset[UUID] | None:
        """The tenants in which the caller may do what the route does; None: all."""
        return None if self.super_admin else frozenset(one for one in self.grants if self.may_see(one))

    def may_see(self, tenant_id: UUID) -> bool:
        """Tell whether the caller may do in a tenant what the route does."""
        return self.may(tenant_id, self.needs)

    def may(self, tenant_id: UUID, role: Role) -> bool:
        """Tell whether the caller has a role, or one above it, in a tenant."""
        own = self.grants.get(tenant_id)
        return self.super_admin or (own is not None and own.includes(role))

    def knows(self, tenant_id: UUID) -> bool:
        """Tell whether the caller has any role in a tenant."""
        return self.super_admin or tenant_id in self.grants


async def signed_in(own: Runtime, request: Request) -> Person:
    """Give whom the request's token names; raises NotSignedIn."""
    token = token_of(request)
    if token is None:
        raise NotSignedIn("no token was sent")
    return await sign_in_of(own).person(token)


def token_of(request: Request) -> str | None:
    """Give the token of a request: the bearer's own, or the browser session's."""
    given = request.headers.get("Authorization", "")
    if given[: len(BEARER)].lower() == BEARER:
        return given[len(BEARER) :].strip()
    return request.headers.get(TOKEN_OF_THE_PAGE)


async def who_calls(request: Request, _shown: Annotated[object, Security(TOKEN)] = None) -> Caller:
    """Give the caller of this request with what was granted.

    Raises NotSignedIn, TooMany for one who asks without end, or Forbidden for one without the role.
    """
    own = await runtime.current()
    person = await signed_in(own, request)
    wait = own.once("requests of staff", _limit).check(person.subject)
    if wait is not None:
        raise TooMany(wait)
    needs = role_of(request.scope["route"].endpoint) or Role.SUPER_ADMIN
    async with own.pool.transaction() as connection:
        given = await grants.of_subject(connection, person.subject)
    caller = Caller(
        subject=person.subject,
        name=person.name,
        grants={grant.tenant_id: grant.role for grant in given if grant.tenant_id is not None},
        super_admin=any(grant.tenant_id is None for grant in given),
        needs=needs,
        by_cookie=not request.headers.get("Authorization"),
    )
    return allowed(caller, needs)


def _limit(own: Runtime) -> RateLimit:
    return RateLimit(own.settings.staff_requests_per_minute)


def allowed(caller: Caller, needs: Role) -> Caller:
    """Give the caller where the role is held somewhere; raises Forbidden. Which tenant is decided by its row."""
    if needs is Role.SUPER_ADMIN and not caller.super_admin:
        raise Forbidden("this takes the role super-admin")
    if caller.tenants is not None and not caller.tenants:
        raise Forbidden(f"this takes the role {needs.value}, or one above it")
    return caller


async def the_caller(caller: Annotated[Caller, Depends(who_calls)]) -> AsyncIterator[Caller]:
    """Give the caller, and keep the request's transactions behind the wall of the caller's tenants."""
    with behind_the_wall(None if caller.super_admin else caller.grants.keys()):
        yield caller


TheCaller = Annotated[Caller, Depends(the_caller)]
