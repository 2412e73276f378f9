"""A POS that keeps so many messages waiting on a queue and no more, over a client that costs little.

The SDK costs six times the CPU a message (devstack/host/storage.py), which would be taken from what is measured; and
Azurite slows down with each message that waits, so a deep queue measures Azurite: 50 messages/s with 4,000 waiting.
"""

import asyncio
from collections.abc import Callable, Sequence

from bench.scene.ground import progress
from devstack.host.storage import Queue

PUT_AT_ONCE = 16
LOOK_EVERY_SECONDS = 0.05
SAY_EVERY = 500


class Pos:
    """Puts messages in their order, up to `backlog` ahead of what was taken from the queue."""

    def __init__(self, queue: Queue, bodies: Sequence[str], backlog: int) -> None:
        """Hold the messages; nothing is put."""
        self._queue = queue
        self._bodies = bodies
        self._backlog = backlog
        self._put = 0

    async def fill(self, taken: int = 0) -> bool:
        """Put until the backlog is full again; gives whether messages are left."""
        until = min(taken + self._backlog, len(self._bodies))
        while self._put < until:
            some = self._bodies[self._put : min(self._put + PUT_AT_ONCE, until)]
            await asyncio.gather(*(self._queue.put(body) for body in some))
            self._put += len(some)
            if self._put // SAY_EVERY > (self._put - len(some)) // SAY_EVERY:
                progress(f"put {self._put} of {len(self._bodies)} messages on {self._queue.name}")
        return self._put < len(self._bodies)

    async def feed(self, taken: Callable[[], int]) -> None:
        """Put the rest as fast as messages are taken; `taken` tells how many were so far."""
        left = True
        while left:
            left = await self.fill(taken())
            await asyncio.sleep(LOOK_EVERY_SECONDS)
