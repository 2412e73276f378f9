"""What staff did: an explicit note in the transaction of the deed, so that neither is there without the other.

Postgres links the note into the chain when that transaction commits: the chain's one row is locked last and for a
moment only, wherever in its transaction a deed is noted.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request
from psycopg.types.json import Jsonb

from ocs.access.caller import Caller, TheCaller
from ocs.audit import content
from ocs.audit.calls import about, new_correlation
from ocs.clock import utc_now
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
    correlation_id: str = field(default_factory=new_correlation)
    """Of the request: its calls to the regulator carry it too."""

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
        at = utc_now()
        row: dict[str, Any] = {
            "act_id": content.id_at(at),
            "at": at,
            "who_subject": content.text(self.caller.subject),
            "who_name": content.text(self.caller.name),
            "what": what,
            "tenant_id": tenant_id,
            "store_id": store_id,
            "subject": content.text(subject),
            "before": content.plain(before),
            "after": content.plain(after),
            "why": content.text(self.why),
            "way": content.text(self.way),
            "correlation_id": self.correlation_id,
        }
        kept: dict[str, Any] = {"content_hash": content.content_hash(row, content.ACT)}
        kept |= {name: None if row[name] is None else Jsonb(row[name]) for name in ("before", "after")}
        await connection.execute(SQL["note_act"], row | kept)

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


async def the_act(request: Request, caller: TheCaller, ocs_why: Why = "") -> AsyncIterator[Act]:
    """Give the act of this request; the calls to the regulator that it makes are kept under the same correlation id."""
    with about() as correlation_id:
        yield Act(caller, f"{request.method} {request.scope['route'].path}", ocs_why, correlation_id)


TheAct = Annotated[Act, Depends(the_act)]
