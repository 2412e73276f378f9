"""Everything that is swept runs side by side: a sweep that fails or is slow stops no other."""

import asyncio

import function_app
from ocs.runtime import Runtime
from ocs.sweeps.run import run_all


async def test_a_sweep_that_fails_stops_no_other_and_is_named(runtime: Runtime) -> None:
    ran: list[str] = []
    first_waits = asyncio.Event()

    async def waits_for_the_last(_runtime: Runtime) -> None:
        await first_waits.wait()
        ran.append("first")

    async def fails(_runtime: Runtime) -> None:
        raise RuntimeError("scripted")

    async def last(_runtime: Runtime) -> None:
        ran.append("last")
        first_waits.set()

    failed = await run_all(runtime, {"first": waits_for_the_last, "broken": fails, "last": last})
    assert (failed, ran) == (["broken"], ["last", "first"])


async def test_all_sweeps_of_the_app_run_on_an_empty_database(runtime: Runtime) -> None:
    assert await run_all(runtime, {**function_app.QUICK, **function_app.SLOW}) == []
