"""Runs the rooms' sweeps side by side: one that fails, or is slow, stops no other."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from ocs import telemetry
from ocs.runtime import Runtime

log = telemetry.logger("sweeps")
Sweep = Callable[[Runtime], Awaitable[object]]
"""Does what is due now and comes to an end; a missed, doubled or overlapping run is harmless."""


async def run_all(runtime: Runtime, sweeps: Mapping[str, Sweep]) -> list[str]:
    """Run each sweep to its end; gives the names of those that failed, which the next tick tries again."""
    outcomes = await asyncio.gather(*(_run(runtime, name, sweep) for name, sweep in sweeps.items()))
    return [name for name, well in zip(sweeps, outcomes, strict=True) if not well]


async def _run(runtime: Runtime, name: str, sweep: Sweep) -> bool:
    try:
        await sweep(runtime)
    except Exception:  # whatever it is, the others and the next tick must not suffer from it
        log.exception("a sweep failed", sweep=name)
        return False
    return True
