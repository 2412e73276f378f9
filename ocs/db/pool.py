"""The connection pool, and the one way to open a transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import stamina
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from ocs.db.queries import load
from ocs.db.wall import shown_tenants
from ocs.settings import Settings

SQL = load(__file__)
type_of_pool = AsyncConnectionPool[AsyncConnection[DictRow]]
Connection = AsyncConnection[DictRow]
"""A connection whose rows are dicts by column name."""
Password = Callable[[], Awaitable[str]]
"""Gives the password of the next connection: an Entra token lives for an hour."""

PREPARE_AFTER = 2
"""Runs of a statement on one connection before it is prepared, where that is allowed."""
RETRY_SECONDS = 20
"""How long a verb waits for a database that restarts before it gives up and the queue's own retry takes over."""

again_when_the_database_drops = stamina.retry(
    on=psycopg.OperationalError, attempts=None, timeout=RETRY_SECONDS, wait_initial=0.1, wait_max=2.0
)
"""For verbs whose transaction may run twice: a connection lost at COMMIT leaves open whether it was one."""


class Pool:
    """A few connections to Postgres, through PgBouncer in transaction mode or straight."""

    def __init__(self, settings: Settings, password: Password | None) -> None:
        """Prepare the pool; nothing connects before `open`."""

        async def keywords() -> dict[str, Any]:
            # Prepared statements live in a session, and PgBouncer gives each transaction another one.
            prepare = PREPARE_AFTER if settings.database_prepared_statements else None
            common: dict[str, Any] = {"row_factory": dict_row, "prepare_threshold": prepare, "connect_timeout": 10}
            return common if password is None else {**common, "password": await password()}

        self._pool: type_of_pool = AsyncConnectionPool(
            settings.database_url.get_secret_value(),
            kwargs=keywords,
            min_size=1,
            max_size=settings.database_pool_size,
            timeout=10,
            max_idle=300,
            open=False,
            name="ocs",
        )

    async def open(self) -> None:
        """Start the pool without waiting for a connection: the first transaction says whether one can be had."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give all connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction; it commits at the end of the block and rolls back on an error.

        Never hold it over a call to the outside: connections are few and a slow regulator would hold them all.
        While staff are served it sees their tenants' rows only (db/wall.py).
        """
        tenants = shown_tenants()
        async with self._pool.connection() as connection, connection.transaction():
            if tenants is not None:
                await connection.execute(SQL["stand_behind_the_wall"], {"tenants": tenants})
            yield connection
