"""The drill of docs/operations/restore.md: what came after the backup is sent again, and nothing is missing or doubled.

The backup is taken and restored with PostgreSQL's own programs, into a database of another name, as Azure restores into
a server of another name.
"""

import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from devstack.postgres import Postgres
from devstack.postgres_home import PostgresHome
from ocs.events.ingest import ingest
from ocs.positions.night import make_due as make_positions_due
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from tests.integration.conftest import SUPER_ADMIN, staff_client
from tests.integration.night import MIDNIGHT, at, open_store, send_all
from tests.integration.platform import CROL, SECOND, FakeQueues, Platform
from tests.integration.pos import SKU, UPC, make_due, message, rows, states, transaction
from tests.integration.reading_back import Ledger, read
from tests.rules.pages import DOCS, text_of

SECONDS = 120
"""What a dump or a restore may take at most."""
EARLIER = "2026-11-19T15:00:00-05:00"
"""A till says when it sold: a message that is sent again must not be reported with the time of its repetition."""


@dataclass
class Till:
    """A POS that keeps what it has sent, so that it can send it again."""

    sent: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, runtime: Runtime, number: str, **words: Any) -> None:
        """Have a transaction taken in, and keep it."""
        self.sent.append(transaction(number, occurred_at=EARLIER, **words))
        await ingest(runtime, message(self.sent[-1]))

    async def send_again(self, runtime: Runtime, since: int) -> None:
        """Send everything from a place on again, in its order: new messages with the same content."""
        for one in self.sent[since:]:
            await ingest(runtime, message(one))


@dataclass(frozen=True)
class Backups:
    """Backs a database up and restores it elsewhere."""

    postgres: Postgres
    folder: Path

    def take(self, settings: Settings) -> Path:
        """Dump the database as it is now; gives the file."""
        file = self.folder / "ocs.dump"
        self._run("pg_dump", "--format=custom", f"--file={file}", settings.database_url.get_secret_value())
        return file

    def restore(self, file: Path, settings: Settings) -> Settings:
        """Restore into a new database; gives the settings with which the app finds it."""
        url = self.postgres.create_database(f"restored_{uuid4().hex}")
        self._run("pg_restore", "--exit-on-error", f"--dbname={url}", str(file))
        return settings.model_copy(update={"database_url": SecretStr(url)})

    def _run(self, program: str, *words: str) -> None:
        binary = PostgresHome(self.postgres.log.parent).binary(program)
        subprocess.run([binary, *words], check=True, timeout=SECONDS)  # noqa: S603 - PostgreSQL's own program


@pytest.fixture
def backups(postgres: Postgres, tmp_path: Path) -> Backups:
    """Give a place for backups."""
    return Backups(postgres, tmp_path)


def hold_of_the_page() -> bytes:
    """Give the statement with which the page holds delivery."""
    found = re.search(r"```sql\n(\s*update tenants.*?)```", text_of(DOCS / "operations" / "restore.md"), re.DOTALL)
    assert found is not None
    return found[1].encode()


@asynccontextmanager
async def app_on(settings: Settings, platform: Platform) -> AsyncIterator[Runtime]:
    """Start the app on a restored database, with delivery held as the page says: by hand, before the app connects."""
    with psycopg.connect(settings.database_url.get_secret_value()) as connection:
        connection.execute(hold_of_the_page())
    own = assemble(settings)
    await own.http.aclose()
    await own.queues.close()
    own.http, own.vault, own.queues = platform.client(), platform.vault(), FakeQueues()
    await own.pool.open()
    yield own
    await own.close()


async def what_is_known(runtime: Runtime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give each line's newest word, and what each store holds."""
    newest = await rows(
        runtime,
        "select distinct on (store_id, line_id) store_id, line_id::text, ocs_sku, quantity, occurred_at"
        " from event_lines order by store_id, line_id, revision desc",
    )
    held = "select store_id, ocs_sku, upc, quantity, value from inventory_levels order by store_id, ocs_sku, upc"
    return newest, await rows(runtime, held)


def accept_and_cut(platform: Platform) -> None:
    """Let the next batch be taken by the platform, and its answer get lost."""

    def cut(request: httpx.Request) -> httpx.Response:
        platform.record(request)
        raise httpx.RemoteProtocolError("cut")

    platform.answers.append(cut)


def items(quantity: int) -> list[dict[str, Any]]:
    """Give the one line of a sale."""
    return [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_price": "49.95"}]


async def test_after_a_restore_and_the_tills_repetition_nothing_is_missing_or_doubled(
    runtime: Runtime, platform: Platform, settings: Settings, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till()
    await till.send(runtime, "before", lines=2)
    await till.send(runtime, "before", store=SECOND)
    await send_all(runtime)
    accept_and_cut(platform)
    await till.send(runtime, "under way", items=items(1))
    await send_all(runtime)
    file = backups.take(settings)
    await till.send(runtime, "after", lines=3)
    await till.send(runtime, "after", store=SECOND)
    await till.send(runtime, "under way", items=items(5))
    await make_due(runtime)
    await send_all(runtime)
    assert set(await states(runtime)) == {"accepted"}
    known, accepted, calls = await what_is_known(runtime), dict(platform.accepted), len(platform.calls)

    async with app_on(backups.restore(file, settings), platform) as restored:
        assert await what_is_known(restored) != known, "the backup is older"
        await till.send_again(restored, since=1)
        await make_due(restored)
        await send_all(restored)
        assert len(platform.calls) == calls, "nothing goes out before somebody says so"
        async with staff_client(restored, monkeypatch, SUPER_ADMIN) as staff:
            assert (await staff.post(f"/api/ocs/tenants/{CROL}/resume")).json()["changed"]
            await send_all(restored)
            counted = (await staff.get(f"/api/ocs/status/{CROL}/counts")).json()
        assert await what_is_known(restored) == known
        assert platform.accepted == accepted, "the same lines with the same content, each once"
        assert set(await states(restored)) == {"accepted"}
        assert {day["difference"]["agreement"] for day in counted["days"]} == {"equal"}


async def test_a_night_that_the_restore_forgot_is_made_again_with_the_same_lines(
    runtime: Runtime, platform: Platform, settings: Settings, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, till = await open_store(runtime), Till()
    at(runtime, monkeypatch, MIDNIGHT - MIDNIGHT.resolution)
    await make_positions_due(runtime)
    await send_all(runtime)
    file = backups.take(settings)
    await till.send(runtime, "after", lines=3)
    at(runtime, monkeypatch, MIDNIGHT.replace(hour=7))
    await make_positions_due(runtime)
    await send_all(runtime)
    sent = platform.positions[-1]
    assert sent[:2] == (store.crsa, "2026-11-19T23:59:59-05:00")

    async with app_on(backups.restore(file, settings), platform) as restored:
        await till.send_again(restored, since=0)
        async with staff_client(restored, monkeypatch, SUPER_ADMIN) as staff:
            await staff.post(f"/api/ocs/tenants/{CROL}/resume")
        await make_positions_due(restored)
        await send_all(restored)
        assert platform.positions[-1] == sent


async def test_what_only_the_platform_still_has_is_named_by_reading_back(
    runtime: Runtime, platform: Platform, settings: Settings, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = Till()
    await till.send(runtime, "before")
    await send_all(runtime)
    file = backups.take(settings)
    await till.send(runtime, "after", lines=3)
    await send_all(runtime)
    Ledger(platform)

    async with app_on(backups.restore(file, settings), platform) as restored:
        async with staff_client(restored, monkeypatch, SUPER_ADMIN) as staff:
            counted = (await staff.get(f"/api/ocs/status/{CROL}/counts")).json()
        assert {day["difference"]["agreement"] for day in counted["days"]} == {"equal"}, "counts cannot miss it"
        assert (await read(restored)).counts["event"] == {"same": 1, "unknown_here": 3}
