"""The night's tables: how fast, how it grows with the number of stores, and where the CPU time goes."""

import json
from collections.abc import Callable, Sequence

from bench.floor import CALLS_AT_ONCE
from bench.night.ontario import PLAN, SAMPLED, Night
from bench.report import ratio, show
from bench.scene.ground import FOLDER
from bench.scene.retailer import ZONES

Said = Callable[[Night], str]


def tell(nights: Sequence[Night], *, sampled: bool) -> None:
    """Print the tables of nights that were measured in one run, the smallest first."""
    _tell_speed(nights)
    _tell_growth(nights)
    _tell_costs(nights[-1])
    if sampled:
        _tell_layers()


def _tell_speed(nights: Sequence[Night]) -> None:
    def row(name: str, said: Said) -> list[str]:
        return [name, *(said(night) for night in nights)]

    show(
        f"All Ontario's night: {PLAN.items} items a store, {len(ZONES)} zones, all due at one instant",
        ["seconds from that instant", *(f"{night.stores:,} stores" for night in nights)],
        [
            row("position lines", lambda night: f"{night.lines:,}"),
            row("until the last position was made", lambda night: f"{night.made:.2f}"),
            row("until the first one went out", lambda night: f"{night.first_sent:.2f}"),
            row("until the last one was settled", lambda night: f"{night.settled:.2f}"),
            row("lines/s, made, sent and settled", lambda night: f"{night.lines / night.settled:,.0f}"),
            row("floor: bare SELECT of the frozen lines", lambda night: f"{night.floor.select:.2f}"),
            row("floor: bare httpx POST of the same bodies", lambda night: f"{night.floor.post:.2f}"),
            row("floor: lines/s, both one after the other", lambda night: f"{night.lines / night.floor.total:,.0f}"),
            row("ratio: floor / ours", lambda night: ratio(night.floor.total / night.settled)),
        ],
        [
            "The regulator stand-in holds exactly one position of the date for each store, with the right number of",
            "lines; in a random sample every line is what Postgres froze, and what the bench reckons by itself.",
            f"{nights[-1].calls:,} calls for {nights[-1].stores:,} positions, {CALLS_AT_ONCE} at a time at most.",
            "The floor posts as many at a time; its bodies were made beforehand.",
            "Each store's hash key is read from the vault once: no host has them at the start of its first night.",
        ],
    )


def _tell_growth(nights: Sequence[Night]) -> None:
    first, last = nights[0], nights[-1]
    if first is last:
        return
    rows = [
        ("microseconds a line, by the clock", first.by_clock, last.by_clock),
        ("microseconds a line, CPU of all processes", first.by_cpu, last.by_cpu),
        ("functions host: MB at rest", first.resting_mb, last.resting_mb),
        ("functions host: MB at its peak", first.peak_mb, last.peak_mb),
    ]
    show(
        f"How the night grows from {first.stores:,} to {last.stores:,} stores ({ratio(last.lines / first.lines)} x)",
        ["", f"{first.stores:,} stores", f"{last.stores:,} stores", "ratio"],
        [[name, f"{one:.1f}", f"{other:.1f}", ratio(other / one)] for name, one, other in rows],
        [
            "Time that is linear in the lines, and memory that is flat, have the ratio 1. The clock also counts what",
            "else the machine did meanwhile, which the CPU time of our own processes hardly does.",
        ],
    )


def _tell_costs(night: Night) -> None:
    whole, making = night.cpu, night.cpu_until_made
    rows = [
        _cost(name, seconds, making.by_process[name], night)
        for name, seconds in sorted(whole.by_process.items(), key=lambda pair: -pair[1])
    ]
    rows.append(_cost("all of these", whole.total, making.total, night))
    together = night.made - night.first_sent
    overlap = (
        f"For {together:.1f} s both went on: the sweeper rings for what is made already."
        if together > 0
        else "Nothing was sent before all were made."
    )
    show(
        f"Where the CPU time goes in a night of {night.stores:,} stores",
        ["process", "CPU seconds", "ms a store", "share", "until all were made"],
        rows,
        [overlap, f"The whole machine was busy for {whole.machine:.1f} CPU seconds meanwhile; the rest is not ours."],
    )


def _cost(name: str, seconds: float, until_made: float, night: Night) -> list[str]:
    a_store, share = 1000 * seconds / night.stores, seconds / night.cpu.total
    return [name, f"{seconds:.2f}", f"{a_store:.2f}", f"{share:.0%}", f"{until_made:.2f}"]


def _tell_layers() -> None:
    layers = json.loads((FOLDER / SAMPLED).read_text(encoding="utf-8"))
    total = int(layers["samples"])
    rows = [[name, f"{count / total:.1%}"] for name, count in layers["layers"].items()]
    show(f"Where the host's CPU time goes in that night ({total} samples)", ["layer", "share"], rows)
