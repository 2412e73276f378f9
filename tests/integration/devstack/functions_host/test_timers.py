"""Timer triggers follow NCRONTAB in UTC, one run at a time."""

from datetime import UTC, datetime

import httpx
import pytest

from devstack.host.load import CannotStart
from devstack.host.timers import Schedule
from tests.integration.devstack.functions_host.sample_host import KEY, NEVER, SampleHost, until

EACH_SECOND = "* * * * * *"


def test_a_timer_runs_at_each_tick_and_knows_the_next(sample: SampleHost) -> None:
    sample.start(SAMPLE_SCHEDULE=EACH_SECOND)
    first, second = sample.noted("beat", 2, phase="began")[:2]
    assert int(first["when"]) < int(second["when"])
    assert datetime.fromisoformat(first["following"]).timestamp() == int(first["when"]) + 1
    assert (first["past_due"], first["on_loop"]) == (False, True)


def test_run_on_startup_runs_once_outside_the_schedule(sample: SampleHost) -> None:
    sample.start(SAMPLE_SCHEDULE=NEVER, SAMPLE_RUN_ON_STARTUP="1")
    sample.noted("beat", phase="ended")
    assert len(sample.notes("beat", phase="began")) == 1


def test_ticks_during_a_run_become_one_run_that_is_past_due(sample: SampleHost) -> None:
    sample.start(SAMPLE_SCHEDULE=EACH_SECOND, SAMPLE_BEAT="hold")
    [held] = sample.noted("beat", phase="began")
    until(lambda: datetime.now(UTC).timestamp() > held["when"] + 2.5, "two more ticks")
    assert len(sample.notes("beat", phase="began")) == 1
    sample.open_gate()
    _, late, normal = sample.noted("beat", 3, phase="began")[:3]
    assert (late["past_due"], normal["past_due"]) == (True, False)
    assert int(normal["when"]) == int(late["when"]) + 1


def test_a_run_that_fails_counts_as_done(sample: SampleHost) -> None:
    sample.start(SAMPLE_SCHEDULE=EACH_SECOND, SAMPLE_BEAT="fail")
    assert [line["past_due"] for line in sample.noted("beat", 2, phase="began")[:2]] == [False, False]
    assert "beat failed" in sample.log()


def test_without_timers_a_timer_runs_only_by_hand(sample: SampleHost) -> None:
    """POST /admin/functions/NAME with the key starts it once."""
    sample.start("--no-timers", SAMPLE_SCHEDULE=EACH_SECOND, SAMPLE_RUN_ON_STARTUP="1")
    address = f"{sample.url}/admin/functions/beat"
    assert httpx.post(address).status_code == 401
    assert httpx.post(address, headers={"x-functions-key": KEY}).status_code == 202
    sample.noted("beat", phase="ended")
    assert len(sample.notes("beat", phase="began")) == 1
    assert httpx.post(f"{sample.url}/admin/functions/nobody?code={KEY}").status_code == 404


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("*/15 * * * * *", "2026-11-21T10:00:15+00:00", "2026-11-21T10:00:30+00:00"),
        ("0 30 9 * * *", "2026-11-21T10:00:00+00:00", "2026-11-22T09:30:00+00:00"),
        # The 13th *and* a Friday, not one of the two.
        ("0 0 0 13 * 5", "2026-11-21T10:00:00+00:00", "2027-08-13T00:00:00+00:00"),
    ],
)
def test_a_schedule_has_seconds_first_and_both_days_must_match(schedule: str, after: str, due: str) -> None:
    found = Schedule(schedule, "beat").after(datetime.fromisoformat(after))
    assert found == datetime.fromisoformat(due)


@pytest.mark.parametrize("schedule", ["*/5 * * * *", "0 0 0 * * * *", "61 * * * * *", ""])
def test_a_schedule_that_is_not_six_good_fields_is_refused(schedule: str) -> None:
    with pytest.raises(CannotStart, match="function beat: schedule"):
        Schedule(schedule, "beat")
