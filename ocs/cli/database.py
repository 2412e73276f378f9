"""The commands around the database and the settings: migrate, check-config, schema."""

import asyncio
import json

from sqlalchemy.exc import DBAPIError

from ocs.azure.identity import Identity
from ocs.cli.command import Answer, Call, Command, NotDone
from ocs.db.migrate import migrate
from ocs.db.schema import SCHEMA_VERSION
from ocs.events.models import Transaction
from ocs.settings import Settings


async def _migrate(call: Call) -> Answer:
    """Bring the database's schema forward; a second run changes nothing."""
    settings = call.settings
    password = await _token(settings) if settings.database_auth == "entra" else None
    try:
        await asyncio.to_thread(migrate, settings.database_url.get_secret_value(), password)
    except DBAPIError as error:
        raise NotDone(f"nothing was migrated: {error.orig}") from None
    return Answer({"schema": SCHEMA_VERSION}, "the schema is current")


async def _token(settings: Settings) -> str:
    identity = Identity(settings)
    try:
        return await identity.database_password()
    finally:
        await identity.close()


async def _check_config(call: Call) -> Answer:
    """Check the settings and show them by name; secrets are not shown."""
    shown = call.settings.model_dump(mode="json")
    return Answer(shown, "\n".join(f"{name}: {value}" for name, value in shown.items()))


async def _schema(_call: Call) -> Answer:
    """Print the JSON Schema of a POS transaction."""
    schema = Transaction.model_json_schema()
    return Answer(schema, json.dumps(schema, indent=2))


COMMANDS = (
    Command("migrate", _migrate, examples=("migrate",)),
    Command("check-config", _check_config, examples=("check-config --json",)),
    Command("schema", _schema, examples=("schema > pos-transaction.schema.json",)),
)
