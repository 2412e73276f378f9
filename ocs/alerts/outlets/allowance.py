"""How often a destination hears of us: so many messages an hour, a digest for the rest, and the waits of retries."""

import random
from datetime import timedelta
from typing import Literal

Kind = Literal["webhook", "email"]

AN_HOUR: dict[Kind, int] = {"email": 12, "webhook": 120}
"""Messages to one destination in any hour: a person reads mails, a machine takes more."""
MOST_AT_ONCE = 5
"""Notifications that go out one by one; when more are waiting they go as one digest."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
JITTER = 0.1


def groups(waiting: int, sent_in_last_hour: int, an_hour: int) -> list[int]:
    """Give how many notifications go into each message now, the oldest first; [] when the hour's messages are used up.

    One message of the hour is kept for a digest, so that what comes in a storm is told of within that hour too.
    """
    left = an_hour - sent_in_last_hour
    if left <= 0 or waiting <= 0:
        return []
    if waiting == 1 or (waiting <= MOST_AT_ONCE and waiting < left):
        return [1] * waiting
    return [waiting]


def wait_after(tries: int) -> timedelta:
    """Give the wait after the n-th try that came to nothing, before jitter: 1 min, 4 min, 16 min, … up to 6 hours."""
    return min(FIRST_WAIT * int(4 ** min(max(tries, 1) - 1, 10)), LONGEST_WAIT)


def jittered(wait: timedelta) -> timedelta:
    """Spread a wait by up to a tenth either way."""
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret
