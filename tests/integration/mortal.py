"""A worker that dies at a chosen step: before a statement, around a commit, around a call to the platform."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx

from ocs.db.pool import Connection, Pool
from ocs.runtime import Runtime
from tests.integration.platform import Platform


class Died(BaseException):
    """The process is gone: nothing catches this, nothing is cleaned up but what the database does by itself."""


@dataclass
class Fate:
    """Counts a worker's steps and ends it at one of them; 0 lets it live."""

    ends_at: int = 0
    steps: int = 0

    def step(self) -> None:
        """Take one step."""
        self.steps += 1
        if self.steps == self.ends_at:
            raise Died


class MortalConnection:
    """A connection each of whose statements is a step."""

    def __init__(self, connection: Connection, fate: Fate) -> None:
        """Wrap a connection."""
        self._connection, self._fate = connection, fate

    async def execute(self, *words: Any) -> Any:
        """Run a statement, if the worker still lives."""
        self._fate.step()
        return await self._connection.execute(*words)

    def cursor(self) -> Any:
        """Give a cursor, if the worker still lives."""
        self._fate.step()
        return self._connection.cursor()


class MortalPool:
    """A pool whose transactions can be cut off before and after their commit."""

    def __init__(self, pool: Pool, fate: Fate) -> None:
        """Wrap a pool."""
        self._pool, self._fate = pool, fate

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MortalConnection]:
        """Open a transaction; a death within it rolls it back, as the server does when a connection is gone."""
        async with self._pool.transaction() as connection:
            yield MortalConnection(connection, self._fate)
            self._fate.step()
        self._fate.step()

    async def close(self) -> None:
        """Close the real pool."""
        await self._pool.close()


@dataclass
class Mortality:
    """The runtime as a mortal worker's, and back."""

    runtime: Runtime
    platform: Platform

    def __post_init__(self) -> None:
        """Remember what lives on."""
        self._pool, self._http = self.runtime.pool, self.runtime.http

    def begins(self, fate: Fate) -> None:
        """Let a new worker begin that holds nothing of the old one."""
        self.runtime.pool = cast("Pool", MortalPool(self._pool, fate))
        self.runtime.http = _mortal_client(self.platform, fate)
        self.runtime._made.clear()  # noqa: SLF001 - a new process holds nothing of the old one

    def ends(self) -> None:
        """Give the runtime back to those who look on."""
        self.runtime.pool, self.runtime.http = self._pool, self._http
        self.runtime._made.clear()  # noqa: SLF001 - the same


async def let_leases_end(runtime: Runtime) -> None:
    """Let time pass until nobody holds anything any more."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set lease_until = now() where lease_until is not null")
        await connection.execute("update call_slots set held_until = 'epoch'")


def _mortal_client(platform: Platform, fate: Fate) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        fate.step()
        response = platform.answer(request)
        fate.step()
        return response

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))
