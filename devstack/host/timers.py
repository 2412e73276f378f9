"""Timer triggers: NCRONTAB schedules of six fields, in UTC.

Source: Azure/azure-webjobs-sdk-extensions, .../Timers/Listener/TimerListener.cs. One run at a time; ticks that pass
during a run become one run right after it; an exception counts as done.

Differs on purpose: that run after a run says `past_due` (there only what was missed while the app was down does), and
nothing is kept over a restart, so a tick that was missed while the host was down is not made up for.
"""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.functions import meta
from croniter import croniter
from croniter.croniter import CroniterError

from devstack.host.invoke import Invoker
from devstack.host.load import CannotStart, Function, TimerTrigger

log = logging.getLogger(__name__)

FIELDS = 6
NEVER = datetime.min.replace(tzinfo=UTC)
LONGEST_SLEEP_SECONDS = 30
"""The wall clock may be set while we sleep by another clock."""


class Schedule:
    """When a timer is due, in UTC; a day of the month and a day of the week must both match, as in NCRONTAB."""

    def __init__(self, text: str, function: str) -> None:
        """Read "second minute hour day month weekday"; raises CannotStart for anything else."""
        self._text = text
        if len(text.split()) != FIELDS:
            raise CannotStart(f"function {function}: schedule {text!r} must have six fields, seconds first")
        try:
            self.after(datetime.now(UTC))
        except (CroniterError, ValueError) as error:
            raise CannotStart(f"function {function}: schedule {text!r} cannot be read: {error}") from error

    def after(self, moment: datetime) -> datetime:
        """Give the first due time after this moment; both are UTC."""
        ticks = croniter(self._text, moment, second_at_beginning=True, day_or=False)
        due: datetime = ticks.get_next(datetime)
        return due


class Timer:
    """Runs one function on its schedule."""

    def __init__(self, function: Function, trigger: TimerTrigger) -> None:
        """Check the schedule; raises CannotStart."""
        self.function = function
        self.schedule = Schedule(trigger.schedule, function.name)
        self._run_on_startup = trigger.run_on_startup
        self._last: datetime | None = None
        self._one_at_a_time = asyncio.Lock()
        self._runs: set[asyncio.Task[None]] = set()

    async def tick(self, invoker: Invoker) -> None:
        """Run the function at each due time, until cancelled."""
        if self._run_on_startup:
            await asyncio.shield(self.start(invoker))
        due = self.schedule.after(datetime.now(UTC))
        while True:
            past_due = datetime.now(UTC) > due
            await _sleep_until(due)
            began = datetime.now(UTC)
            await asyncio.shield(self.start(invoker, past_due=past_due))
            due = self.schedule.after(max(due, began))

    def start(self, invoker: Invoker, *, past_due: bool = False) -> asyncio.Task[None]:
        """Run the function now, or after the run that is under way."""
        run = asyncio.create_task(self._run(invoker, past_due=past_due))
        self._runs.add(run)
        run.add_done_callback(self._runs.discard)
        return run

    async def drain(self, seconds: float) -> None:
        """Let runs that are under way finish, for so long."""
        if self._runs:
            _, unfinished = await asyncio.wait(self._runs, timeout=seconds)
            if unfinished:
                log.warning("timer %s was still running when the host stopped", self.function.name)

    async def _run(self, invoker: Invoker, *, past_due: bool) -> None:
        async with self._one_at_a_time:
            before, self._last = self._last, datetime.now(UTC)
            await invoker.run(self.function, self._value(before, past_due=past_due))

    def _value(self, last: datetime | None, *, past_due: bool) -> Any:
        ran = (last or NEVER).isoformat()
        status = {"Last": ran, "Next": self.schedule.after(datetime.now(UTC)).isoformat(), "LastUpdated": ran}
        said = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        converter = meta.get_binding_registry().get("timerTrigger")
        return converter.decode(meta.Datum(json.dumps(said), "json"), trigger_metadata=None)


async def _sleep_until(due: datetime) -> None:
    left = due - datetime.now(UTC)
    while left > timedelta(0):
        await asyncio.sleep(min(left.total_seconds(), LONGEST_SLEEP_SECONDS))
        left = due - datetime.now(UTC)
