"""How many requests a minute one caller gets from this instance."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

SHORTEST_WAIT = 1.0


class RateLimit:
    """Counts each caller's requests of the last 60 seconds in memory: every instance counts for itself."""

    def __init__(self, per_minute: int) -> None:
        """Begin with nobody counted."""
        self._limit = RateLimitItemPerMinute(per_minute)
        self._seen = MovingWindowRateLimiter(MemoryStorage())

    def check(self, who: str) -> float | None:
        """Count a request; gives the seconds until the next one is served where this one is one too many."""
        if self._seen.hit(self._limit, who):
            return None
        return max(self._seen.get_window_stats(self._limit, who).reset_time - time.time(), SHORTEST_WAIT)
