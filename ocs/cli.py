"""The operator's commands: migrate, onboard, secrets, what is parked or dead, and driving it again."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from pydantic import ValidationError

from ocs import runtime as process, settings as settings_of_app
from ocs.azure.identity import Identity
from ocs.bad_input import BadInput, explain
from ocs.db.migrate import migrate
from ocs.dead_letters import doors, letters
from ocs.delivery import outbox
from ocs.delivery.sender import ring
from ocs.errors import NotFound, OcsError
from ocs.events.ingest import TRANSACTIONS
from ocs.events.models import Transaction
from ocs.events.report import EVENTS
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.openings.messages import INVENTORIES
from ocs.reconciliation.read_back import describe, read_back_now
from ocs.runtime import Runtime
from ocs.settings import Settings
from ocs.tenants.onboard import DescribedTenant, onboard, switch_reporting
from ocs.tenants.read import store_of, tenant_of

Command = Callable[[Runtime, argparse.Namespace], Awaitable[None]]


async def _onboard(own: Runtime, args: argparse.Namespace) -> None:
    """Take on the tenant that a JSON file describes; a repeat changes what differs."""
    try:
        tenant = DescribedTenant.model_validate_json(args.file.read_bytes())
    except ValidationError as error:
        raise BadInput(explain(error)) from None
    async with own.pool.transaction() as connection:
        stores = await onboard(connection, tenant)
    for crsa, store_id in stores.items():
        print(f"{crsa}  {store_id}")


async def _secrets(own: Runtime, _args: argparse.Namespace) -> None:
    """Put secrets into Key Vault: NAME=VALUE lines on standard input, so that no value is in the shell's history."""
    for line in sys.stdin:
        name, equals, value = line.strip().partition("=")
        if not equals or not value:
            raise NotFound(f"a line without NAME=VALUE (its name begins with {name[:8]!r})")
        await own.vault.store(name, value)
        print(f"{name}  stored")


async def _map_sku(own: Runtime, args: argparse.Namespace) -> None:
    """Say which OCS SKU and barcode a tenant's own SKU stands for."""
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_of(connection, args.crol)
        await map_sku(connection, tenant_id, args.pos_sku, MappedSku(args.ocs_sku, args.upc))
    print(f"{args.pos_sku} is {args.ocs_sku} {args.upc}".rstrip())


async def _letters(own: Runtime, _args: argparse.Namespace) -> None:
    """Show the open dead letters, oldest first, each with its reason."""
    async with own.pool.transaction() as connection:
        for letter in await letters.open_letters(connection):
            print(json.dumps(letter, default=str))


async def _redrive_letter(own: Runtime, args: argparse.Namespace) -> None:
    """Take one dead letter in again, now that its cause is mended."""
    async with own.pool.transaction() as connection:
        letter = await letters.find(connection, args.letter)
    if letter is None:
        raise NotFound(f"no open dead letter {args.letter}")
    door = {door.queue: door for door in (TRANSACTIONS, INVENTORIES)}[letter.queue]
    if not await doors.redrive(own, door, letter, by_hand=True):
        raise NotFound("it is still wrong: see its newest reason with `python -m ocs dead-letters`")
    print("taken in")


async def _parked(own: Runtime, args: argparse.Namespace) -> None:
    """Show a tenant's parked lines, each with its reason."""
    async with own.pool.transaction() as connection:
        for item in await outbox.parked(connection, args.crol):
            print(json.dumps(item, default=str))


async def _redrive_lines(own: Runtime, args: argparse.Namespace) -> None:
    """Send a store's parked lines again, in their old places."""
    async with own.pool.transaction() as connection:
        store = await store_of(connection, args.crol, args.crsa)
        stream = await outbox.lock(connection, store, EVENTS.name)
        again = await outbox.redrive(connection, stream, args.sequence)
    await ring(own, store.store_id)
    print(f"{len(again)} of {len(args.sequence)} lines are due again: {again}")


async def _switch(own: Runtime, args: argparse.Namespace) -> None:
    """Switch a store's reporting on or off; what is recorded while off goes out when it is on again."""
    async with own.pool.transaction() as connection:
        store_id = await switch_reporting(connection, args.crol, args.crsa, reporting=args.to == "on")
    await ring(own, store_id)
    print(f"{args.crsa}  reporting {args.to}")


async def _read_back(own: Runtime, args: argparse.Namespace) -> None:
    """Read a UAT store's events and positions back, by posting time, and show what differs from what was sent."""
    async with own.pool.transaction() as connection:
        store = await store_of(connection, args.crol, args.crsa)
    print(describe(await read_back_now(own, store, args.start, args.end)))


def _instant(text: str) -> datetime:
    """Read an instant with its offset, as argparse wants it."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise argparse.ArgumentTypeError("a time with its offset, such as 2026-11-20T10:00:00-05:00")
    return instant


def _migrate(settings: Settings) -> None:
    """Bring the database's schema forward; a second run changes nothing."""
    password = asyncio.run(_token(settings)) if settings.database_auth == "entra" else None
    migrate(settings.database_url.get_secret_value(), password)
    print("the schema is current")


async def _token(settings: Settings) -> str:
    identity = Identity(settings)
    try:
        return await identity.database_password()
    finally:
        await identity.close()


def _check_config(settings: Settings) -> None:
    """Check the settings and show them by name; secrets are not shown."""
    for name, value in settings.model_dump(mode="json").items():
        print(f"{name}: {value}")


def _schema() -> None:
    """Print the JSON Schema of a POS transaction."""
    print(json.dumps(Transaction.model_json_schema(), indent=2))


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="python -m ocs", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, verb: Callable[..., object]) -> argparse.ArgumentParser:
        text = (verb.__doc__ or "").splitlines()[0]
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(verb=verb)
        return one

    add("migrate", _migrate)
    add("check-config", _check_config)
    add("schema", _schema)
    add("onboard", _onboard).add_argument("file", type=Path, help="the description, see docs/onboarding.md")
    add("secrets", _secrets)
    sku = add("map-sku", _map_sku)
    sku.add_argument("crol")
    sku.add_argument("pos_sku")
    sku.add_argument("ocs_sku")
    sku.add_argument("upc", nargs="?", default="")
    add("dead-letters", _letters)
    add("redrive-letter", _redrive_letter).add_argument("letter", type=UUID)
    add("parked", _parked).add_argument("crol")
    lines = add("redrive-lines", _redrive_lines)
    lines.add_argument("crol")
    lines.add_argument("crsa")
    lines.add_argument("sequence", type=int, nargs="+", help="as `parked` shows it")
    back = add("read-back", _read_back)
    back.add_argument("crol")
    back.add_argument("crsa")
    back.add_argument("start", type=_instant, help="with its offset: 2026-11-20T10:00:00-05:00")
    back.add_argument("end", type=_instant)
    switch = add("reporting", _switch)
    switch.add_argument("crol")
    switch.add_argument("crsa")
    switch.add_argument("to", choices=["on", "off"])
    return top


async def _with_runtime(verb: Command, args: argparse.Namespace) -> None:
    own = await process.current()
    try:
        await verb(own, args)
    finally:
        await own.close()


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 when it did its work, 1 with the reason on standard error when not."""
    args = parser().parse_args(words)
    try:
        if args.verb is _schema:
            _schema()
        elif args.verb in (_migrate, _check_config):
            args.verb(settings_of_app.load())
        else:
            asyncio.run(_with_runtime(args.verb, args))
    except (OcsError, psycopg.Error, OSError) as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return 1
    return 0
