"""Keeps credentials: tried at the platform's sign-in, then put into Key Vault, then noted; the secret nowhere else.

A death between Key Vault and the note leaves a secret that is in use and an older note of who changed it; the same sent
again makes the note. A client id that changes with its secret is in use from the note on; until then the pair before it
is let in through the overlap.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, assert_never
from uuid import UUID

from pydantic import SecretStr

from ocs.access.caller import Caller
from ocs.audit.acts import Act
from ocs.audit.calls import Whose, calls_of
from ocs.bad_input import BadInput, FieldFault, bad_input
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import ConfigurationError, Conflict, Forbidden, NotFound
from ocs.onboarding.models import CredentialsBody, CredentialsKept, SignInTry
from ocs.regulator.auth import SignIn, Tried, try_secret
from ocs.runtime import Runtime
from ocs.tenants import configuration
from ocs.tenants.models import Store
from ocs.tenants.reach import row_in_reach, store_in_reach, tenant_in_reach
from ocs.tenants.read import as_id

SQL = load(__file__)
HASH_KEY_LENGTH = 64
LONGEST_SECRET = 2000
HIDDEN = "something that is not shown"


@dataclass(frozen=True, repr=False)
class _Plan:
    """What is to be kept, under which names."""

    tenant_id: UUID
    connection: dict[str, Any] | None
    store: Store | None
    client_secret: str | None
    hash_key: str | None
    client_id: str | None

    def secrets(self) -> list[tuple[str, str]]:
        """Give the names and values for Key Vault."""
        found = []
        if self.connection is not None and self.client_secret is not None:
            found.append((str(self.connection["client_secret_name"]), self.client_secret))
        if self.store is not None and self.hash_key is not None:
            found.append((self.store.hash_key_name, self.hash_key))
        return found


async def keep(own: Runtime, act: Act, body: CredentialsBody) -> CredentialsKept:
    """Keep a connection's client secret, a store's hash key, or both.

    Raises BadInput where the sign-in refuses them, Conflict where it cannot be asked and `unchecked` was not said,
    VaultUnavailable, NotFound and Forbidden; nothing was kept then.
    """
    client_secret, hash_key = _values(body)
    async with own.pool.transaction() as connection:
        plan = await _plan(connection, act.caller, body, client_secret, hash_key)
    tried = await _tried(own, plan)  # no connection is held while others think
    checked = None if tried is None else _judged(tried, unchecked=body.unchecked)
    overlap = timedelta(hours=body.overlap_hours)
    for name, value in plan.secrets():
        await own.vault.store(name, value, overlap=overlap)
    until = utc_now() + overlap if overlap else None
    async with own.pool.transaction() as connection:
        await _note(connection, act, plan, tried, checked=checked, until=until)
    return CredentialsKept(
        tenant_id=plan.tenant_id,
        kept=[name for name, _ in plan.secrets()],
        checked=checked,
        said=tried.said if tried else "a hash key shows at the store's next report whether it is right",
        overlap_until=until,
    )


async def try_sign_in(own: Runtime, act: Act, reference: str, tenant: str | None) -> SignInTry:
    """Ask the platform's sign-in for a token with a connection's kept secret, and note what it said.

    While the secret is rotated and its current value is refused, the one before is tried too. Raises NotFound,
    Forbidden, and VaultUnavailable.
    """
    async with own.pool.transaction() as connection:
        found = await _connection(connection, act.caller, reference, tenant)
    try:
        values = await own.vault.good_values(found["client_secret_name"], fresh=True)
    except ConfigurationError as error:
        values, tried = (), Tried("refused", str(error), 0)
    version: Literal["current", "before"] = "current"
    for number, value in enumerate(values):
        version = "before" if number else "current"
        tried = await _ask(own, found, str(found["client_id"]), value)
        if tried.outcome != "refused":
            break
    async with own.pool.transaction() as connection:
        at = await _note_try(connection, act, found, tried, version)
        after = {"outcome": tried.outcome, "version": version, "said": tried.said}
        subject, tenant_id = found["name"], found["tenant_id"]
        await act.note(connection, "credentials.tried", tenant_id=tenant_id, subject=subject, after=after)
    return SignInTry(
        connection=found["name"], at=at, outcome=tried.outcome, version=version, said=tried.said, ms=tried.ms
    )


def _values(body: CredentialsBody) -> tuple[str | None, str | None]:
    """Give client secret and hash key; raises BadInput that names what is missing or wrong, and shows no value."""
    faults = []
    for secret, place in (("client_secret", "connection"), ("hash_key", "store")):
        if (getattr(body, secret) is None) != (getattr(body, place) is None):
            faults.append(FieldFault(secret, "one of the two", f"{secret} and {place} together"))
    if body.client_secret is None and body.hash_key is None:
        faults.append(FieldFault("client_secret", "nothing", "a client_secret, a hash_key or both"))
    if body.client_id is not None and body.client_secret is None:
        faults.append(FieldFault("client_id", "a client id alone", "its client_secret too, so that it can be checked"))
    client_secret, hash_key = _plain(body.client_secret), _plain(body.hash_key)
    if client_secret is not None and not _is_secret(client_secret):
        expected = f"a secret of 1 to {LONGEST_SECRET} characters without spaces before or behind it"
        faults.append(FieldFault("client_secret", HIDDEN, expected))
    if hash_key is not None and not _is_hash_key(hash_key):
        expected = f"{HASH_KEY_LENGTH} characters, 0 to 9 and a to f, exactly as the retailer was given it"
        faults.append(FieldFault("hash_key", HIDDEN, expected))
    if faults:
        raise BadInput(faults)
    return client_secret, hash_key


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _is_secret(text: str) -> bool:
    return 0 < len(text) <= LONGEST_SECRET and text == text.strip() and text.isprintable()


def _is_hash_key(text: str) -> bool:
    return len(text) == HASH_KEY_LENGTH and all(one in "0123456789abcdefABCDEF" for one in text)


async def _plan(
    connection: Connection, caller: Caller, body: CredentialsBody, client_secret: str | None, hash_key: str | None
) -> _Plan:
    tenant_id = await tenant_in_reach(connection, caller, body.tenant)
    found, store = None, None
    if body.connection is not None:
        found = await configuration.connection_of(connection, tenant_id, body.connection)
    if body.store is not None:
        store = await store_in_reach(connection, caller, body.store)
        if store.tenant_id != tenant_id:
            raise NotFound(f'no store "{body.store}" in this tenant')
    client_id = body.client_id or (None if found is None else str(found["client_id"]))
    plan = _Plan(tenant_id, found, store, client_secret, hash_key, client_id)
    for name, _ in plan.secrets():
        if not caller.super_admin and await configuration.serves_others(connection, tenant_id, name):
            raise Forbidden(f"the secret {name} serves other retailers too: to change it takes the role super-admin")
    return plan


async def _tried(own: Runtime, plan: _Plan) -> Tried | None:
    if plan.connection is None or plan.client_id is None or plan.client_secret is None:
        return None
    return await _ask(own, plan.connection, plan.client_id, plan.client_secret)


async def _ask(own: Runtime, found: dict[str, Any], client_id: str, secret: str) -> Tried:
    sign_in = SignIn(found["token_url"], client_id, found["scope"])
    whose = Whose(tenant_id=found["tenant_id"], connection_id=found["connection_id"])
    return await try_secret(calls_of(own), sign_in, secret, whose, own.settings.post_timeout_seconds)


def _judged(tried: Tried, *, unchecked: bool) -> bool:
    """Tell whether the credentials were checked; raises BadInput where refused, Conflict where unknown."""
    match tried.outcome:
        case "accepted":
            return True
        case "refused":
            expected = f"a client id and its secret that are let in: {tried.said}; nothing was kept"
            raise BadInput([FieldFault("client_secret", HIDDEN, expected)])
        case "not_answered":
            if unchecked:
                return False
            raise Conflict(
                f"The credentials could not be checked, so nothing was kept: {tried.said}. "
                "Send them again later, or with `unchecked` to keep them all the same"
            )
        case _:
            assert_never(tried.outcome)


async def _note(
    connection: Connection, act: Act, plan: _Plan, tried: Tried | None, *, checked: bool | None, until: datetime | None
) -> None:
    """Note who kept what; a changed client id is in use from here on."""
    words = {"tenant_id": plan.tenant_id, "kept_by": act.caller.name, "overlap_until": until}
    shown_until = None if until is None else until.isoformat()
    for name, _ in plan.secrets():
        is_client_secret = plan.connection is not None and name == plan.connection["client_secret_name"]
        told = words | {"secret_name": name.lower(), "checked": bool(checked) and is_client_secret}
        await connection.execute(SQL["note_kept"], told)
    if plan.connection is not None and plan.client_id is not None and tried is not None:
        await _note_try(connection, act, plan.connection, tried, "current")
        before = await configuration.change_client_id(connection, plan.connection["connection_id"], plan.client_id)
        await act.note(
            connection,
            "credentials.kept",
            tenant_id=plan.tenant_id,
            subject=plan.connection["name"],
            before={"client_id": before},
            after={"client_id": plan.client_id, "checked": checked, "overlap_until": shown_until},
        )
    if plan.store is not None:
        after = {"hash_key_name": plan.store.hash_key_name, "overlap_until": shown_until}
        await act.note_of(connection, plan.store, "hash_key.kept", subject=plan.store.crsa, after=after)


async def _note_try(
    connection: Connection, act: Act, found: dict[str, Any], tried: Tried, version: Literal["current", "before"]
) -> datetime:
    words = {
        "connection_id": found["connection_id"],
        "tenant_id": found["tenant_id"],
        "tried_by": act.caller.name,
        "outcome": tried.outcome,
        "version": version,
        "said": tried.said,
        "ms": tried.ms,
    }
    row = await (await connection.execute(SQL["note_try"], words)).fetchone()
    assert row is not None  # noqa: S101 - an upsert without WHERE always returns its row
    at: datetime = row["tried_at"]
    return at


async def _connection(connection: Connection, caller: Caller, reference: str, tenant: str | None) -> dict[str, Any]:
    """Find a connection by its id, or by its name within a tenant."""
    connection_id = as_id(reference)
    if tenant is None and connection_id is None:
        raise bad_input("tenant", None, "the tenant's id or CROL, where the connection is named by name")
    if tenant is None and connection_id is not None:
        known = await configuration.connection_by_id(connection, connection_id)
        tenant_id = row_in_reach(caller, known, f'connection "{reference}"')["tenant_id"]
    else:
        tenant_id = await tenant_in_reach(connection, caller, tenant or "")
    return await configuration.connection_of(connection, tenant_id, reference)
