"""Where a tenant's alerts go, and the operator's for what belongs to no tenant; each can be tried.

The signing secret of a webhook goes to Key Vault, under a new name each time it is given; here only the name is kept.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ocs.alerts import deliver
from ocs.alerts.open_close import SQL
from ocs.alerts.outlets import address, mail, webhook, words
from ocs.alerts.outlets.webhook import NotDelivered
from ocs.audit.acts import Act
from ocs.bad_input import BadInput, FieldFault, quoted
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.runtime import Runtime
from ocs.settings import Settings

MOST = 10
Kind = Literal["webhook", "email"]


class GivenDestination(BaseModel):
    """A destination as it is set: a URL with its signing secret, which may be left out later on, or a mail address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    target: str = Field(min_length=1, max_length=address.LONGEST_URL)
    secret: SecretStr | None = Field(default=None, max_length=200)


class GivenDestinations(BaseModel):
    """All destinations from now on: those that are not named end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    destinations: list[GivenDestination] = Field(max_length=MOST)


class ShownDestination(BaseModel):
    """Where alerts go, and since when nothing has got through, if so. Times are UTC."""

    destination_id: UUID
    kind: Kind
    target: str
    made_by: str
    made_at: datetime
    failing_since: datetime | None
    last_problem: str | None
    last_sent_at: datetime | None


class Destinations(BaseModel):
    """All destinations of a tenant, or of the operator."""

    destinations: list[ShownDestination]


class Trial(BaseModel):
    """How a try of one destination ended."""

    kind: Kind
    target: str
    ok: bool
    problem: str | None = None


class Trials(BaseModel):
    """How the tries of all destinations ended."""

    tried: list[Trial]


async def destinations_of(connection: Connection, tenant_id: UUID | None) -> list[dict[str, Any]]:
    """Give a tenant's destinations, or the operator's, with whether they take messages; no secrets."""
    rows = await (await connection.execute(SQL["destinations"], {"tenant_id": tenant_id})).fetchall()
    return [{name: value for name, value in row.items() if name != "secret_name"} for row in rows]


async def replace(
    runtime: Runtime, act: Act, tenant_id: UUID | None, subject: str, given: Sequence[GivenDestination]
) -> None:
    """Let exactly these be the destinations from now on, and note the act; raises BadInput.

    A death after the secrets went to the vault leaves secrets that nothing names, and everything else as it was.
    """
    async with runtime.pool.transaction() as connection:
        known = await _known(connection, tenant_id)
    _check(runtime.settings, given, known)
    names = {}
    for one in given:
        if one.secret is not None:
            names[one.target] = f"alert-signing-{uuid4().hex}"
            await runtime.vault.store(names[one.target], one.secret.get_secret_value())
    async with runtime.pool.transaction() as connection:
        before = await _known(connection, tenant_id)
        words_of = {"tenant_id": tenant_id, "made_by": act.caller.name}
        kinds, targets = [one.kind for one in given], [one.target for one in given]
        await connection.execute(SQL["remove_other_destinations"], {**words_of, "kinds": kinds, "targets": targets})
        for one in given:
            secret_name = names.get(one.target) or before.get((one.kind, one.target))
            place = {"kind": one.kind, "target": one.target, "secret_name": secret_name}
            await connection.execute(SQL["save_destination"], {**words_of, **place})
        await act.note(
            connection,
            "alert_destinations.changed",
            tenant_id=tenant_id,
            subject=subject,
            before={"destinations": [list(pair) for pair in before]},
            after={"destinations": [[one.kind, one.target] for one in given], "new_secrets": sorted(names)},
        )


async def try_out(runtime: Runtime, tenant_id: UUID | None) -> list[Trial]:
    """Send each destination a message now, holding no database connection; gives how each try ended."""
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["destinations"], {"tenant_id": tenant_id})).fetchall()
    return list(await asyncio.gather(*(_try(runtime, row) for row in rows)))


async def _try(runtime: Runtime, row: Mapping[str, Any]) -> Trial:
    letter = words.trial(row["kind"], utc_now())
    message = deliver.Message(
        uuid4(), row["kind"], row["target"], row["secret_name"], letter.subject, letter.body, tries=1
    )
    try:
        await deliver.send(runtime, message)
    except NotDelivered as error:
        return Trial(kind=row["kind"], target=row["target"], ok=False, problem=str(error))
    return Trial(kind=row["kind"], target=row["target"], ok=True)


async def _known(connection: Connection, tenant_id: UUID | None) -> dict[tuple[str, str], str | None]:
    rows = await (await connection.execute(SQL["destinations"], {"tenant_id": tenant_id})).fetchall()
    return {(row["kind"], row["target"]): row["secret_name"] for row in rows}


def _check(settings: Settings, given: Sequence[GivenDestination], known: Mapping[tuple[str, str], str | None]) -> None:
    faults = []
    if len({(one.kind, one.target) for one in given}) < len(given):
        faults.append(FieldFault("destinations", f"{len(given)} with repetitions", "each destination once"))
    for number, one in enumerate(given):
        at = f"destinations[{number}]"
        expected = _expected(settings, one)
        if expected is not None:
            faults.append(FieldFault(f"{at}.target", quoted(one.target), expected))
        faults += _secret_faults(at, one, known_already=(one.kind, one.target) in known)
    if faults:
        raise BadInput(faults)


def _expected(settings: Settings, one: GivenDestination) -> str | None:
    if one.kind == "webhook":
        return address.fault_of(one.target, on_local_stack=settings.vault_ca_file is not None)
    return None if mail.ADDRESS.fullmatch(one.target) else "a mail address such as alerts@example.com"


def _secret_faults(at: str, one: GivenDestination, *, known_already: bool) -> list[FieldFault]:
    """Say what is wrong with a secret, without showing it."""
    if one.kind == "email":
        return [] if one.secret is None else [FieldFault(f"{at}.secret", "a secret", "nothing: mails are not signed")]
    if one.secret is None:
        return [] if known_already else [FieldFault(f"{at}.secret", "nothing", "the signing secret of a new webhook")]
    try:
        webhook.key_of(one.secret.get_secret_value())
    except ValueError as error:
        return [FieldFault(f"{at}.secret", "something else", str(error))]
    return []
