"""What one process of the app holds (settings, pool, vault, queues, HTTP client), made once, at the first call."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar, cast

import httpx

from ocs import settings as settings_of_app, telemetry
from ocs.azure.identity import Identity
from ocs.azure.queues import Queues
from ocs.azure.vault import Vault
from ocs.clock import utc_now
from ocs.db.pool import Pool
from ocs.db.schema import require_current
from ocs.settings import Settings
from ocs.telemetry.start import start

T = TypeVar("T")
CONNECT_SECONDS = 10
KEEP_ALIVE_SECONDS = 20
"""Shorter than any proxy's own limit: a kept connection that was closed meanwhile looks like an unknown outcome."""


@dataclass
class Runtime:
    """The process's own parts. Upper storeys keep theirs here too, through `once`."""

    settings: Settings
    identity: Identity
    pool: Pool
    vault: Vault
    queues: Queues
    http: httpx.AsyncClient
    _made: dict[str, object] = field(default_factory=dict)

    def once(self, name: str, make: Callable[["Runtime"], T]) -> T:
        """Give what `make` makes, made at the first call with this name and kept."""
        if name not in self._made:
            self._made[name] = make(self)
        return cast("T", self._made[name])

    def now(self) -> datetime:
        """Give the instant (UTC) by which positions fall due: the clock, moved where the local stack moves it."""
        return utc_now() + timedelta(seconds=self.settings.clock_shift_seconds)

    async def close(self) -> None:
        """Close everything that holds connections."""
        await self.http.aclose()
        await self.queues.close()
        await self.vault.close()
        await self.pool.close()
        await self.identity.close()


def assemble(settings: Settings) -> Runtime:
    """Put a runtime together; nothing connects yet. Call it on the event loop that will use it."""
    identity = Identity(settings)
    password = identity.database_password if settings.database_auth == "entra" else None
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=KEEP_ALIVE_SECONDS)
    return Runtime(
        settings=settings,
        identity=identity,
        pool=Pool(settings, password),
        vault=Vault(settings, identity),
        queues=Queues(settings, identity),
        http=httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(CONNECT_SECONDS), follow_redirects=False),
    )


class _Process:
    """The process's one runtime, whether its schema was checked, and the lock under which both happen."""

    runtime: Runtime | None = None
    checked = False
    lock: asyncio.Lock | None = None


def unchecked() -> Runtime:
    """Give the process's runtime without asking the database anything; raises ConfigurationError."""
    if _Process.runtime is None:
        settings = settings_of_app.load()
        telemetry.configure(settings.log_level)
        start()
        _Process.runtime = assemble(settings)
    return _Process.runtime


async def current() -> Runtime:
    """Give the process's runtime, made and checked at the first call.

    Raises ConfigurationError for wrong settings and SchemaBehind for a database that is not migrated; neither is
    remembered, so that the next call sees the cure.
    """
    runtime = unchecked()
    if _Process.checked:
        return runtime
    if _Process.lock is None:
        _Process.lock = asyncio.Lock()
    async with _Process.lock:
        if not _Process.checked:
            await runtime.pool.open()
            await require_current(runtime.pool)
            _Process.checked = True
    return runtime
