"""A started stack with the bench's retailer on it, its functions host, its POS, and eyes on both sides."""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, LiteralString

import httpx
import psycopg
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient
from psycopg.rows import TupleRow

from bench.scene.mix import Transaction
from bench.scene.retailer import Retailer, retailer_of, take_on
from devstack.processes import REPO_ROOT, clean_environment, free_port
from devstack.stack import Host, Stack

FOLDER = REPO_ROOT / ".stack" / "bench"
QUEUE, DOORBELLS = "pos-transactions", "ocs-deliveries"
API_VERSION = "2025-07-05"
LOOK_EVERY_SECONDS = 1.0
STOP_SECONDS = 30.0
PATIENCE_SECONDS = 120.0
"""How long nothing may be accepted before the bench gives up."""


class BenchError(RuntimeError):
    """The run did not do what it was to measure; the message says what is missing."""


@dataclass(frozen=True)
class LedgerLine:
    """A line at the regulator stand-in; `posted_at` is its Unix time of acceptance there, in seconds."""

    content: dict[str, str]
    times_received: int
    contents_seen: int
    posted_at: float


class Ground:
    """A running stack and the retailer that both sides know."""

    def __init__(self, stack: Stack, retailer: Retailer) -> None:
        """Open the eyes; nothing is sent."""
        self.stack = stack
        self.retailer = retailer
        self.control = httpx.Client(base_url=f"{stack.regulator_url}/_control", timeout=60)
        self.queue = QueueClient.from_connection_string(stack.azurite.connection_string, QUEUE, api_version=API_VERSION)
        # Kept open: a new session for each look would cost PostgreSQL more than the look.
        self._observer = psycopg.connect(stack.postgres.url(), autocommit=True)
        with contextlib.suppress(ResourceExistsError):
            self.queue.create_queue()

    def close(self) -> None:
        """Close what was opened."""
        self.control.close()
        self.queue.close()
        self._observer.close()

    # The POS ---------------------------------------------------------------------------------------------------

    def put(self, transaction: Transaction) -> float:
        """Put one message on the queue; gives the Unix time just before, by the POS's own clock."""
        before = time.time()
        self.queue.send_message(transaction.body, time_to_live=-1)
        return before

    # The app ---------------------------------------------------------------------------------------------------

    @contextmanager
    def host(
        self, sampled_into: Path | None = None, settings: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator[Host]:
        """Run the functions host on the app; with a file it samples itself and writes there when it stops.

        `settings` are the app's own for this run, over those of the stack.
        """
        module = ["devstack.host"] if sampled_into is None else ["bench.layers", str(sampled_into)]
        words = ["--app", str(REPO_ROOT), "--port", str(free_port())]
        host = Host(
            "host",
            self.stack.folder,
            [sys.executable, "-m", *module, *words],
            environment=clean_environment() | self.stack.app_env() | dict(settings),
        )
        if sampled_into is not None:
            sampled_into.unlink(missing_ok=True)  # an earlier run's samples must never pass for this run's
        try:
            host.start()
            yield host
        finally:
            code = host.stop(STOP_SECONDS)
            if code != 0:
                progress(f"the host did not stop cleanly within {STOP_SECONDS:g} s (exit code {code})")
        if sampled_into is not None and not sampled_into.exists():
            raise BenchError(f"the host ended with exit code {code} and left no samples")

    def rows(self, query: LiteralString, *words: object) -> list[TupleRow]:
        """Read the app's database as an observer."""
        return self._observer.execute(query, words or None).fetchall()

    def value(self, query: LiteralString) -> Any:
        """Read a single value of the app's database."""
        return self.rows(query)[0][0]

    def forget_doorbells(self) -> int:
        """Clear the doorbells that the app has not come to yet; gives how many waited.

        Azurite slows down with each message that it holds, on whatever queue.
        """
        with QueueClient.from_connection_string(
            self.stack.azurite.connection_string, DOORBELLS, api_version=API_VERSION
        ) as doorbells:
            waiting = doorbells.get_queue_properties().approximate_message_count or 0
            doorbells.clear_messages()
        return waiting

    # The regulator ---------------------------------------------------------------------------------------------

    def calls(self) -> list[dict[str, Any]]:
        """Give the event posts that the regulator stand-in accepted, oldest first."""
        shown = self.control.get("/calls").raise_for_status().json()
        return [call for call in shown if call["path"] == "events" and call["status"] == httpx.codes.OK]

    def ledger(self, crsas: Iterable[str]) -> dict[str, LedgerLine]:
        """Give the lines of some stores at the regulator stand-in, by line id."""
        found: dict[str, LedgerLine] = {}
        for crsa in crsas:
            for line in self.control.get(f"/ledger/{crsa}").raise_for_status().json():
                posted_at = datetime.fromisoformat(line["posted_at"]).timestamp()
                found[line["line_id"]] = LedgerLine(
                    line["content"], line["times_received"], line["contents_seen"], posted_at
                )
        return found

    def wait_for(self, transactions: Sequence[Transaction], say: str) -> None:
        """Wait until the app knows that all of these lines are accepted; raises BenchError when nothing moves."""
        wanted = sum(len(transaction.line_ids) for transaction in transactions)
        accepted, moved = 0, time.monotonic()
        while accepted < wanted:
            now = int(self.value("select count(*) from outbox where state = 'accepted'"))
            if now > accepted:
                accepted, moved = now, time.monotonic()
            progress(f"{say}: {accepted} of {wanted} lines accepted")
            if time.monotonic() - moved > PATIENCE_SECONDS:
                raise BenchError(f"nothing was accepted for {PATIENCE_SECONDS:g} s; {accepted} of {wanted} lines were")
            time.sleep(LOOK_EVERY_SECONDS)

    def prove(self, transactions: Sequence[Transaction]) -> dict[str, LedgerLine]:
        """Prove that the regulator stand-in holds exactly these lines, each in effect once; gives them by line id.

        Raises BenchError with what is missing or too much.
        """
        wanted = [line_id for transaction in transactions for line_id in transaction.line_ids]
        ledger = self.ledger(self.retailer.crsas)
        missing, unknown = set(wanted) - ledger.keys(), ledger.keys() - set(wanted)
        changed = [line_id for line_id, line in ledger.items() if line.contents_seen != 1]
        if missing or unknown or changed or len(set(wanted)) != len(wanted):
            raise BenchError(f"{len(missing)} lines missing, {len(unknown)} unknown, {len(changed)} with two contents")
        return ledger


@contextmanager
def ground(stores: int) -> Iterator[Ground]:
    """Start a stack of the bench's own, take the retailer on, and stop everything at the end."""
    progress(f"starting the local stack and onboarding {stores} stores")
    with Stack(FOLDER) as stack:
        os.environ.update(stack.app_env())
        retailer = retailer_of(stores)
        take_on(retailer, stack.regulator_url)
        own = Ground(stack, retailer)
        try:
            yield own
        finally:
            own.close()


def progress(words: str) -> None:
    """Say on stderr what is going on."""
    print(f"  … {words}", file=sys.stderr, flush=True)
