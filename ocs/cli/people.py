"""The commands that say who may do what: grants, grant, revoke. The first super admin is made here."""

from typing import Any
from uuid import UUID

from ocs.access import grants
from ocs.access.grants import Grant
from ocs.audit.acts import Act
from ocs.cli.command import Answer, Call, Command, NotDone, argument
from ocs.cli.show import table
from ocs.db.pool import Connection
from ocs.tenants.reach import tenant_in_reach
from ocs.web.roles import LADDER, Role

SUBJECT = argument("subject", metavar="SUBJECT", help="the person's object id in the directory")
OF_TENANT = argument("crol", metavar="CROL", nargs="?", help="the retailer; a super admin's role has none")


async def _grants(call: Call) -> Answer:
    """Show who has a role in a retailer; without one, the super admins."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        tenant_id = await _tenant(connection, call.act, call.args.crol)
        found = await grants.of_tenant(connection, tenant_id)
    rows = [(one.subject, one.name, one.role.value, one.granted_by, one.granted_at) for one in found]
    return Answer([_shown(one) for one in found], table(("subject", "name", "role", "granted by", "at"), rows))


async def _grant(call: Call) -> Answer:
    """Give a person a role in a retailer, instead of the one before; super-admin is of all retailers."""
    args, act, role = call.args, call.act, Role(call.args.role)
    if (role is Role.SUPER_ADMIN) != (args.crol is None):
        raise NotDone("the role super-admin is of all retailers: give no CROL with it, and one with every other role")
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        tenant_id = await _tenant(connection, act, args.crol)
        before = await grants.grant(
            connection, args.subject, tenant_id, role, name=args.name or args.subject, by=act.caller.name
        )
        after = {"role": role.value, "name": args.name or args.subject}
        await _note(connection, act, "person.granted", tenant_id, args.subject, before=before, after=after)
    where = args.crol or "all retailers"
    text = f"{args.subject} is {role.value} in {where}" + ("" if before is None else f", was {before.role.value}")
    return Answer({"subject": args.subject, "crol": args.crol, **after}, text)


async def _revoke(call: Call) -> Answer:
    """Take a person's role in a retailer away; without one, that of a super admin."""
    args, act = call.args, call.act
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        tenant_id = await _tenant(connection, act, args.crol)
        before = await grants.revoke(connection, args.subject, tenant_id)
        if before is None:
            raise NotDone(f"{args.subject} has no role in {args.crol or 'all retailers'}")
        await _note(connection, act, "person.revoked", tenant_id, args.subject, before=before)
    text = f"{args.subject} is not {before.role.value} in {args.crol or 'all retailers'} any more"
    return Answer(_shown(before), text)


async def _tenant(connection: Connection, act: Act, crol: str | None) -> UUID | None:
    return None if crol is None else await tenant_in_reach(connection, act.caller, crol)


async def _note(
    connection: Connection,
    act: Act,
    what: str,
    tenant_id: UUID | None,
    subject: str,
    *,
    before: Grant | None,
    after: dict[str, Any] | None = None,
) -> None:
    was = None if before is None else {"role": before.role.value, "name": before.name}
    await act.note(connection, what, tenant_id=tenant_id, subject=subject, before=was, after=after)


def _shown(one: Grant) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("subject", "name", "role", "granted_by", "granted_at")}


COMMANDS = (
    Command("grants", _grants, (OF_TENANT,), ("grants CROL1000001", "grants")),
    Command(
        "grant",
        _grant,
        (
            SUBJECT,
            argument("role", metavar="ROLE", choices=[role.value for role in LADDER], help="of the staff's ladder"),
            OF_TENANT,
            argument("--name", help="the person's name, as lists show it"),
        ),
        (
            "grant 7d1c…-e0 super-admin --name 'Kim Lee'",
            "grant 2b90…-4f manager CROL1000001 --why 'shift lead since May'",
        ),
        acts=True,
    ),
    Command("revoke", _revoke, (SUBJECT, OF_TENANT), ("revoke 2b90…-4f CROL1000001",), acts=True),
)
