"""Memory: the host's resident memory over a run at a constant pace, and the slope of it after a warm-up."""

import time
from dataclasses import dataclass

from bench.costs import resident_mb
from bench.report import Line, keep, show, straight_line
from bench.scene.ground import Ground, ground, progress
from bench.scene.mix import Till, Transaction

STORES = 20
SAMPLE_EVERY_SECONDS = 1.0
SAY_EVERY_SECONDS = 10.0
WARM_UP_SHARE = 1 / 3
"""Of the run: until then pools, caches, buffers and the allocator's arenas fill."""
PER_LINES = 10_000
HOUR = 3600.0


@dataclass(frozen=True)
class Sample:
    """The host's memory at a moment; `at` in seconds of the run, `lines` put until then."""

    at: float
    lines: int
    resident_mb: float


def run(seconds: float, a_second: float) -> None:
    """Keep the pace for so long, measure, print and keep the result; raises BenchError when a line is missing."""
    with ground(STORES) as own:
        with own.host() as host:
            put, samples = _watch(own, host.pid, seconds, a_second)
            own.wait_for(put, "memory")
        own.prove(put)
    _tell(seconds, a_second, samples)


def _watch(own: Ground, pid: int, seconds: float, a_second: float) -> tuple[list[Transaction], list[Sample]]:
    put: list[Transaction] = []
    samples: list[Sample] = []
    lines = 0
    began = time.monotonic()
    next_sample = next_word = 0.0
    for transaction in Till(own.retailer.crsas).mix(round(seconds * a_second)):
        time.sleep(max(0.0, began + len(put) / a_second - time.monotonic()))
        own.put(transaction)
        put.append(transaction)
        lines += len(transaction.line_ids)
        now = time.monotonic() - began
        if now >= next_sample:
            samples.append(Sample(now, lines, resident_mb(pid)))
            next_sample = now + SAMPLE_EVERY_SECONDS
        if now >= next_word:
            progress(f"memory: {now:.0f} of {seconds:g} s, {lines} lines, {samples[-1].resident_mb:.1f} MB")
            next_word = now + SAY_EVERY_SECONDS
    return put, samples


def _tell(seconds: float, a_second: float, samples: list[Sample]) -> None:
    steady = [sample for sample in samples if sample.at >= seconds * WARM_UP_SHARE]
    memory = [sample.resident_mb for sample in steady]
    by_line = straight_line([sample.lines / PER_LINES for sample in steady], memory)
    by_hour = straight_line([sample.at / HOUR for sample in steady], memory)
    lines = steady[-1].lines - steady[0].lines
    show(
        f"Memory of the functions host: {a_second:g} transactions/s for {seconds:g} s in {STORES} stores",
        ["resident memory", "MB"],
        [
            ["at the start", f"{samples[0].resident_mb:.1f}"],
            ["after the warm-up", f"{memory[0]:.1f}"],
            ["at the end", f"{memory[-1]:.1f}"],
            [f"slope per {PER_LINES:,} lines", _shown(by_line)],
            ["slope per hour", _shown(by_hour)],
        ],
        [
            f"Least squares: {len(steady)} samples, {lines:,} lines, after the first third; ± is one standard error.",
            f"A slope from {seconds:g} s is a hint, not a proof: run --memory-seconds 3600 for one.",
        ],
    )
    keep(
        "memory",
        {
            "seconds": seconds,
            "transactions_a_second": a_second,
            "samples_used": len(steady),
            "lines_used": lines,
            "mb_per_10000_lines": [by_line.slope, by_line.slope_error],
            "mb_per_hour": [by_hour.slope, by_hour.slope_error],
            "samples": [[round(sample.at, 2), sample.lines, round(sample.resident_mb, 3)] for sample in samples],
        },
    )


def _shown(line: Line) -> str:
    return f"{line.slope:+.2f} ± {line.slope_error:.2f}"
