"""Answers as slow as the real ones were seen to be, scaled; not a fault but a habit of the platform."""

import asyncio

from devstack.regulator.calls import PathName

OBSERVED_SECONDS: dict[PathName, float] = {"asn": 39.0, "catalogue": 25.0, "reported-events": 0.13}
"""Seconds for one answer in the UAT environment; of the other calls no time is known, so they are answered at once."""


class Pace:
    """How much of the observed times a good answer takes; refusals and faults come at once."""

    def __init__(self) -> None:
        """Start at once: factor 0."""
        self.factor = 0.0
        self.changed = asyncio.Event()

    def seconds(self, path: PathName) -> float:
        """Give the time that a good answer on this path takes."""
        return OBSERVED_SECONDS.get(path, 0.0) * self.factor

    def scale(self, factor: float) -> None:
        """Take the observed times so many times; answers that are being waited for come at once."""
        self.factor = factor
        self.changed.set()
        self.changed = asyncio.Event()

    def forget(self, crsa: str | None) -> None:
        """Answer at once again; the pace belongs to no store, so forgetting one store changes nothing."""
        if crsa is None:
            self.scale(0.0)
