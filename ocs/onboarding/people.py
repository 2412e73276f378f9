"""The routes to a tenant's people: who has which role there. A super admin's grant is an operator's matter."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from ocs import runtime
from ocs.access import grants
from ocs.access.caller import Caller, TheCaller
from ocs.access.grants import Grant
from ocs.audit.acts import TheAct
from ocs.db.pool import Connection
from ocs.errors import Conflict, NotFound
from ocs.onboarding.models import Taken
from ocs.tenants.configuration import lock_tenant
from ocs.tenants.onboard import Text
from ocs.tenants.reach import tenant_in_reach
from ocs.web.etags import require_match
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/tenants/{tenant}/people", tags=["people"])
Subject = Annotated[str, Path(min_length=1, max_length=200, description="The person's object id in the directory")]


class PersonBody(Taken):
    """A person's role in the tenant, and the name under which staff know the person."""

    role: Literal["viewer", "staff", "manager", "tenant-admin"]
    name: Text


class PersonShown(BaseModel):
    """A person who has a role in the tenant."""

    subject: str
    name: str
    role: Role
    granted_by: str
    granted_at: datetime

    @classmethod
    def of(cls, grant: Grant) -> "PersonShown":
        """Show a grant."""
        return cls(
            subject=grant.subject,
            name=grant.name,
            role=grant.role,
            granted_by=grant.granted_by,
            granted_at=grant.granted_at,
        )


class People(BaseModel):
    """A tenant's people, by name."""

    items: list[PersonShown]


@router.get("")
@open_to(Role.TENANT_ADMIN)
async def list_people(tenant: str, caller: TheCaller) -> People:
    """List who has a role in the tenant."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        return People(items=[PersonShown.of(one) for one in await grants.of_tenant(connection, tenant_id)])


@router.get("/{subject}")
@open_to(Role.TENANT_ADMIN)
async def show_person(tenant: str, subject: Subject, caller: TheCaller) -> PersonShown:
    """Show one person's role."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        return PersonShown.of(await _grant_of(connection, tenant_id, subject))


@router.put("/{subject}")
@open_to(Role.TENANT_ADMIN)
async def set_person(tenant: str, subject: Subject, body: PersonBody, act: TheAct, request: Request) -> PersonShown:
    """Give a person a role in the tenant, instead of the one before."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        await lock_tenant(connection, tenant_id)
        standing = {one.subject: one for one in await grants.of_tenant(connection, tenant_id)}
        known = standing.get(subject)
        require_match(request, None if known is None else PersonShown.of(known))
        role = Role(body.role)
        if role is not Role.TENANT_ADMIN:
            _keep_an_admin(act.caller, standing, subject)
        by = act.caller.name
        before = await grants.grant(connection, subject, tenant_id, role, name=body.name, by=by)
        await act.note(
            connection,
            "person.granted",
            tenant_id=tenant_id,
            subject=subject,
            before=None if before is None else {"role": before.role.value, "name": before.name},
            after={"role": role.value, "name": body.name},
        )
        return PersonShown.of(await _grant_of(connection, tenant_id, subject))


@router.delete("/{subject}", status_code=204)
@open_to(Role.TENANT_ADMIN)
async def remove_person(tenant: str, subject: Subject, act: TheAct) -> None:
    """Take a person's role in the tenant away; it holds from the next request on."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        await lock_tenant(connection, tenant_id)
        standing = {one.subject: one for one in await grants.of_tenant(connection, tenant_id)}
        _keep_an_admin(act.caller, standing, subject)
        before = await grants.revoke(connection, subject, tenant_id)
        if before is None:
            raise NotFound(f'no person "{subject}" in this tenant')
        was = {"role": before.role.value, "name": before.name}
        await act.note(connection, "person.revoked", tenant_id=tenant_id, subject=subject, before=was)


def _keep_an_admin(caller: Caller, standing: dict[str, Grant], subject: str) -> None:
    """Raise Conflict where a tenant would be left without anybody who can administer it."""
    admins = {one.subject for one in standing.values() if one.role is Role.TENANT_ADMIN}
    if admins == {subject} and not caller.super_admin:
        raise Conflict(
            f"{standing[subject].name} is the tenant's last administrator: make somebody else one first, "
            "or ask the operator"
        )


async def _grant_of(connection: Connection, tenant_id: UUID, subject: str) -> Grant:
    found = [one for one in await grants.of_tenant(connection, tenant_id) if one.subject == subject]
    if not found:
        raise NotFound(f'no person "{subject}" in this tenant')
    return found[0]
