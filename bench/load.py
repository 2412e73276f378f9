"""Load: a realistic mix of 1,000 stores, as fast as it is taken; from the host's start to the last acceptance.

A POS keeps the queue short but never empty, at a little CPU of its own; bench/scene/pos.py says why it is kept short.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import floor
from bench.costs import Costs, read_costs
from bench.report import keep, show
from bench.scene.ground import FOLDER, QUEUE, Ground, LedgerLine, ground, progress
from bench.scene.mix import Till, Transaction
from bench.scene.pos import Pos
from devstack.host.storage import Storage

PEERS = "procrastinate 533, Celery 992, dramatiq 2,667 (out of order)"
"""Lines/s of the same two-line work, measured in another run."""
SAMPLED = "layers.json"


@dataclass(frozen=True)
class Measured:
    """The run under load: its time from the host's start to the last acceptance, and what it took."""

    transactions: int
    lines: int
    calls: int
    resent: int
    backlog: int
    doorbells_left: int
    ready_seconds: float
    seconds: float
    commits: int
    wal_bytes: int
    cpu: Costs


@dataclass(frozen=True)
class Floor:
    """The same lines and messages without the app; seconds."""

    copy: float
    post: float
    queue: float


def run(stores: int, transactions: int, backlog: int, *, sampled: bool) -> None:
    """Measure, print and keep the result; raises BenchError when a line is missing or in effect twice."""
    with ground(stores) as own:
        work = list(Till(own.retailer.crsas).mix(transactions))
        into = own.stack.folder / SAMPLED if sampled else None
        measured, ledger = asyncio.run(_measure(own, work, backlog, into))
        below = _floor(own, work, ledger, backlog)
        layers = None if into is None else json.loads(into.read_text(encoding="utf-8"))
    _tell(stores, measured, below, layers)
    keep(
        "load",
        {"stores": stores, "sampled": sampled, "measured": asdict(measured), "floor": asdict(below), "layers": layers},
    )


async def _measure(
    own: Ground, work: list[Transaction], backlog: int, into: Path | None
) -> tuple[Measured, dict[str, LedgerLine]]:
    async with Storage(own.stack.azurite.connection_string) as storage:
        pos = Pos(storage.queue(QUEUE), [transaction.body for transaction in work], backlog)
        await pos.fill()
        pids = {
            "Azurite": own.stack.azurite.pid,
            "PostgreSQL": own.stack.postgres.pid,
            "regulator stand-in": own.stack.regulator.pid,
            "vault stand-in": own.stack.vault.pid,
        }
        before, commits, wal = read_costs(pids), _commits(own), _wal(own)
        began = time.time()
        with own.host(into) as host:
            ready = time.time() - began
            await pos.feed(lambda: int(own.value("select count(*) from event_messages")))
            own.wait_for(work, "load")
            after = read_costs(pids | {"functions host": host.pid})
    # The host was born in between: what it has spent is all of this run.
    spent = after.since(Costs({**before.by_process, "functions host": 0.0}, before.machine))
    doorbells = own.forget_doorbells()
    ledger = own.prove(work)
    lines = sum(len(transaction.line_ids) for transaction in work)
    return Measured(
        transactions=len(work),
        lines=lines,
        calls=len(own.calls()),
        resent=sum(line.times_received for line in ledger.values()) - lines,
        backlog=backlog,
        doorbells_left=doorbells,
        ready_seconds=ready,
        seconds=max(line.posted_at for line in ledger.values()) - began,
        commits=_commits(own) - commits,
        wal_bytes=_wal(own) - wal,
        cpu=spent,
    ), ledger


def _floor(own: Ground, work: list[Transaction], ledger: dict[str, LedgerLine], backlog: int) -> Floor:
    progress("floor: the same lines by bare COPY, the same batches by bare POST")
    copy = floor.copy_seconds(own)
    post = floor.post_seconds(own, floor.batches_of(own.calls(), ledger))
    progress("floor: the same messages through Azurite alone")
    bodies = [transaction.body for transaction in work]
    return Floor(copy, post, asyncio.run(floor.queue_seconds(own, bodies, backlog)))


def _commits(own: Ground) -> int:
    return int(own.value("select xact_commit from pg_stat_database where datname = current_database()"))


def _wal(own: Ground) -> int:
    return int(own.value("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))


def _tell(stores: int, measured: Measured, below: Floor, layers: Mapping[str, Any] | None) -> None:
    _tell_speed(stores, measured, below)
    _tell_costs(measured)
    if layers is not None:
        total = int(layers["samples"])
        rows = [[name, f"{count / total:.1%}"] for name, count in layers["layers"].items()]
        show(f"Where the host's CPU time goes ({total} samples)", ["layer", "share"], rows, [f"{FOLDER / SAMPLED}"])


def _tell_speed(stores: int, measured: Measured, below: Floor) -> None:
    a_call = measured.lines / measured.calls

    def row(name: str, seconds: float) -> list[str]:
        rates = [f"{seconds:.2f}", f"{measured.lines / seconds:,.0f}", f"{measured.transactions / seconds:,.0f}"]
        return [name, *rates, f"{seconds / measured.seconds:.1%}"]

    bare = below.copy + below.post
    show(
        f"Load: {measured.transactions:,} transactions, {measured.lines:,} lines, {stores:,} stores, one connection",
        ["", "seconds", "lines/s", "transactions/s", "of our time"],
        [
            row("end to end: host's start to last acceptance", measured.seconds),
            row("floor: bare COPY of the same lines", below.copy),
            row("floor: bare httpx POST of the same batches", below.post),
            row("floor: COPY, then POST", bare),
            row("floor: the messages through the queue", below.queue),
            row("floor: queue, then COPY, then POST", bare + below.queue),
        ],
        [
            f"Every line is in effect once at the regulator stand-in; {measured.resent} were sent again.",
            f"{measured.calls:,} calls of {a_call:.1f} lines; the start took {measured.ready_seconds:.1f} s.",
            f"A POS kept up to {measured.backlog} messages waiting; the queue's floor is put, get and delete.",
            f"{measured.doorbells_left:,} doorbells still waited when the last line was accepted: nobody needs them.",
            "Floors ran one after the other with all cores; end to end five processes share them.",
            "Not of this run: peers elsewhere, on a like machine and without a cloud queue in front:",
            f"{PEERS} lines/s.",
        ],
    )


def _tell_costs(measured: Measured) -> None:
    cpu = measured.cpu
    log_kb = measured.wal_bytes / measured.lines / 1000
    rows = [
        [name, f"{seconds:.2f}", f"{1000 * seconds / measured.lines:.2f}", f"{seconds / cpu.total:.0%}"]
        for name, seconds in sorted(cpu.by_process.items(), key=lambda pair: -pair[1])
    ]
    rows.append(["all of these", f"{cpu.total:.2f}", f"{1000 * cpu.total / measured.lines:.2f}", "100%"])
    show(
        "Load: where the CPU time goes",
        ["process", "CPU seconds", "ms a line", "share"],
        rows,
        [
            f"The whole machine was busy for {cpu.machine:.1f} CPU seconds meanwhile; the rest is not ours.",
            f"{measured.commits / measured.transactions:.2f} commits a transaction, {log_kb:.1f} kB of WAL a line.",
        ],
    )
