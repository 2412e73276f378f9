"""What staff did: an explicit note in the transaction of the deed, so that neither is there without the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from psycopg.types.json import Jsonb

from ocs.access.caller import Caller, TheCaller
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.tenants.models import Store

SQL = load(__file__)
Why = Annotated[str, Header(max_length=500, description="Why it is done: kept in the audit beside who and what")]


@dataclass(frozen=True)
class Act:
    """One request, or one command, that changes something: who does it, by which way, and why."""

    caller: Caller
    way: str
    """`PUT /api/ocs/stores/{store_id}/config`, or `python -m ocs onboard`."""
    why: str = ""

    @classmethod
    def of_operator(cls, name: str, way: str, why: str = "") -> "Act":
        """Make the act of an operator at the command line, who may do everything."""
        return cls(Caller(subject=f"operator:{name}", name=name, super_admin=True), way, why)

    async def note(
        self,
        connection: Connection,
        what: str,
        *,
        tenant_id: UUID | None,
        store_id: UUID | None = None,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note in the open transaction that something was done: `what` as `store.paused`, `subject` as people name it.

        `before` and `after` hold what changed, never a secret.
        """
        words = {
            "who_subject": self.caller.subject,
            "who_name": self.caller.name,
            "what": what,
            "tenant_id": tenant_id,
            "store_id": store_id,
            "subject": subject,
            "before": None if before is None else Jsonb(dict(before)),
            "after": None if after is None else Jsonb(dict(after)),
            "why": self.why,
            "way": self.way,
        }
        await connection.execute(SQL["note_act"], words)

    async def note_of(
        self,
        connection: Connection,
        store: Store,
        what: str,
        *,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note something of a store, in the same way."""
        places = {"tenant_id": store.tenant_id, "store_id": store.store_id}
        await self.note(connection, what, **places, subject=subject, before=before, after=after)


async def the_act(request: Request, caller: TheCaller, ocs_why: Why = "") -> Act:
    """Give the act of this request."""
    return Act(caller, f"{request.method} {request.scope['route'].path}", ocs_why)


TheAct = Annotated[Act, Depends(the_act)]
