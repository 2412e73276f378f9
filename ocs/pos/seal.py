"""Signs what this app itself puts on the queues of the POS systems, so that a tenant can require signatures of all.

The app has a key of its own for each tenant that requires signatures, made when it is first needed. The key goes into
the vault first and its row into the database second; of two workers that make one at once the first row stands.
"""

from collections.abc import Callable
from uuid import UUID

from ocs.db.queries import load
from ocs.pos.key_text import new_key, secret_name
from ocs.pos.signed_text import sign
from ocs.runtime import Runtime

SQL = load(__file__)
Seal = Callable[[str], str]


async def seal_for(runtime: Runtime, tenant_id: UUID) -> Seal:
    """Give what turns a message of a tenant into the text to put on its queue: signed where that is required.

    Never inside a transaction: it asks the vault. Raises VaultUnavailable or ConfigurationError; put nothing then.
    """
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["seal_of_tenant"], {"tenant_id": tenant_id})).fetchone()
    if row is None:
        return str
    key_id: str = row["key_id"] or await _own_key(runtime, tenant_id)
    key = await runtime.vault.secret(secret_name(key_id))
    return lambda text: sign(key_id, key, text)


async def _own_key(runtime: Runtime, tenant_id: UUID) -> str:
    key = new_key()
    await runtime.vault.store(key.secret_name, key.text)
    words = {"key_id": key.key_id, "tenant_id": tenant_id}
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL["save_own_key"], words)
        row = await (await connection.execute(SQL["seal_of_tenant"], {"tenant_id": tenant_id})).fetchone()
    return key.key_id if row is None else str(row["key_id"])
