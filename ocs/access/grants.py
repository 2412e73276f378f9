"""Which person has which role in which tenant."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.web.roles import Role

SQL = load(__file__)


@dataclass(frozen=True)
class Grant:
    """A person's role in a tenant; without a tenant it is that of a super admin, who has it in all of them."""

    subject: str
    tenant_id: UUID | None
    role: Role
    name: str
    granted_by: str
    granted_at: datetime


async def of_subject(connection: Connection, subject: str) -> list[Grant]:
    """Give what a person was granted."""
    rows = await (await connection.execute(SQL["grants_of_subject"], {"subject": subject})).fetchall()
    return [_grant(row) for row in rows]


async def of_tenant(connection: Connection, tenant_id: UUID | None) -> list[Grant]:
    """Give who has a role in a tenant, by name; None: the super admins."""
    rows = await (await connection.execute(SQL["grants_of_tenant"], {"tenant_id": tenant_id})).fetchall()
    return [_grant(row) for row in rows]


async def grant(
    connection: Connection, subject: str, tenant_id: UUID | None, role: Role, *, name: str, by: str
) -> Grant | None:
    """Give a person a role in a tenant instead of the one before, which is answered; no tenant: super admin."""
    if (role is Role.SUPER_ADMIN) != (tenant_id is None):
        raise ValueError("a super admin's grant has no tenant, and every other has one")
    words = {"subject": subject, "tenant_id": tenant_id, "role": role.value, "name": name, "granted_by": by}
    before = await revoke(connection, subject, tenant_id)
    await connection.execute(SQL["save_grant"], words)
    return before


async def revoke(connection: Connection, subject: str, tenant_id: UUID | None) -> Grant | None:
    """Take a person's role in a tenant away; gives what it was, None where there was none."""
    words = {"subject": subject, "tenant_id": tenant_id}
    row = await (await connection.execute(SQL["drop_grant"], words)).fetchone()
    return None if row is None else _grant(row)


def _grant(row: dict[str, object]) -> Grant:
    return Grant(**(row | {"role": Role(str(row["role"]))}))  # type: ignore[arg-type] # the query names the fields
