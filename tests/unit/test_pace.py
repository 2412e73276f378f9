"""The breaker's rules and the waits between tries."""

from hypothesis import given, strategies as st

from ocs.delivery.pace import Pace, after_failure, after_success, backoff_seconds, jittered, open_seconds

CLOSED = Pace("closed", allowed=16, cap=16, failures=0, times_opened=0)
SCHEDULE = (60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)


def test_five_failures_in_a_row_open_the_breaker() -> None:
    pace = CLOSED
    for _ in range(4):
        pace = after_failure(pace, failed=1, total=100)
        assert pace.state == "closed"
    assert after_failure(pace, failed=1, total=100).state == "open"


def test_a_success_between_failures_starts_the_count_anew() -> None:
    pace = CLOSED
    for _ in range(4):
        pace = after_failure(pace, failed=1, total=100)
    assert after_success(pace) == CLOSED


def test_seven_of_ten_calls_failed_open_the_breaker_and_six_do_not() -> None:
    assert after_failure(CLOSED, failed=7, total=10).state == "open"
    assert after_failure(CLOSED, failed=6, total=10).state == "closed"


def test_fewer_than_ten_calls_prove_nothing_by_their_share() -> None:
    assert after_failure(CLOSED, failed=4, total=9).state == "closed"


def test_an_open_breaker_lets_one_probe_through() -> None:
    assert after_failure(CLOSED, failed=10, total=10).allowed == 1


def test_after_the_probe_calls_double_until_the_cap_closes_the_breaker() -> None:
    pace = after_failure(CLOSED, failed=10, total=10)
    seen = []
    while pace.state != "closed":
        pace = after_success(pace)
        seen.append(pace.allowed)
    assert seen == [2, 4, 8, 16]
    assert pace == CLOSED


def test_a_failure_while_ramping_opens_again_and_waits_longer() -> None:
    pace = after_success(after_failure(CLOSED, failed=10, total=10))
    again = after_failure(pace, failed=1, total=100)
    assert (again.state, again.allowed, again.times_opened) == ("open", 1, 2)


def test_the_breakers_wait_doubles_up_to_ten_times() -> None:
    assert [open_seconds(30, times) for times in (1, 2, 3, 4, 5, 60)] == [30, 60, 120, 240, 300, 300]


def test_the_backoff_is_the_schedule_and_its_last_wait_repeats() -> None:
    assert [backoff_seconds(SCHEDULE, failures) for failures in range(1, 10)] == [*SCHEDULE, 86400, 86400, 86400]


@given(st.floats(min_value=0.1, max_value=86400))
def test_jitter_stays_within_a_tenth(seconds: float) -> None:
    assert 0.9 * seconds <= jittered(seconds) <= 1.1 * seconds


@given(st.integers(1, 64), st.lists(st.booleans(), max_size=60))
def test_whatever_happens_at_least_one_call_is_allowed_and_never_more_than_the_cap(
    cap: int, answers: list[bool]
) -> None:
    pace = Pace("closed", cap, cap, 0, 0)
    for answered in answers:
        pace = after_success(pace) if answered else after_failure(pace, failed=1, total=1)
        assert 1 <= pace.allowed <= cap
        assert (pace.state == "closed") == (pace.allowed == cap) or cap == 1


@given(st.integers(1, 64))
def test_enough_successes_always_close_the_breaker(cap: int) -> None:
    pace = after_failure(Pace("ramping", 1, cap, 0, 3), failed=10, total=10)
    for _ in range(7):
        pace = after_success(pace)
    assert pace == Pace("closed", cap, cap, 0, 0)
