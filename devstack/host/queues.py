"""Queue triggers, as the Azure Storage queue extension listens.

Source: Azure/azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.Storage.Common/src/Shared: Queues/QueueListener.cs,
Queues/QueueProcessor.cs, Timers/RandomizedExponentialBackoffStrategy.cs. Two facts there surprise: a queue whose name
ends in "-poison" has no poison queue of its own, so a message that fails there is not given back but stays hidden for
the rest of its 10 minutes; and from its sixth delivery on it is not even run.

Differs on purpose: a missing queue is made at start, and what has not finished when the host stops is given back.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from azure.functions import meta

from devstack.host.invoke import Invoker
from devstack.host.load import Function, QueueOptions
from devstack.host.storage import Message, Queue, StorageFailed, decoded

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
SETTLE_SECONDS = 2
"""What the deletes still under way get when the host stops."""
POISON_SUFFIX = "-poison"
LONGEST_NAME = 63
"""Characters of a queue's name (Naming Queues and Metadata, REST API of Azure Queue Storage)."""


class Pauses:
    """How long to wait while a queue stays empty, in seconds: random, doubling from 100 ms up to the longest."""

    def __init__(self, longest: timedelta) -> None:
        """Start short."""
        self._longest = longest.total_seconds()
        self._pause = 0.0
        self._doublings = 0

    def reset(self) -> None:
        """Start short again: there were messages."""
        self._pause = 0.0
        self._doublings = 0

    def next(self) -> float:
        """Give the next pause; once it is the longest it stays so."""
        if self._pause < self._longest:
            spread = random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
            growth = spread * 2 ** (self._doublings - 1) if self._doublings else 0
            self._pause = min(FIRST_PAUSE_SECONDS * (1 + growth), self._longest)
            self._doublings += 1
        return self._pause


@dataclass(eq=False)
class Flight:
    """A message that this host has taken and not yet settled; `hidden_at` is of the monotonic clock."""

    message: Message
    receipt: str
    hidden_at: float
    renewal: asyncio.Task[None] | None = None
    settling: bool = False


class QueueListener:
    """Feeds one queue's messages to one function."""

    def __init__(
        self, function: Function, queue: Queue, poison: Queue | None, options: QueueOptions, hidden: timedelta
    ) -> None:
        """Prepare; `hidden` is how long a message is out of others' sight while it runs (the extension: 10 minutes)."""
        self._function = function
        self._queue = queue
        self._poison = poison
        self._options = options
        self._hidden = hidden
        self._flights: dict[asyncio.Task[None], Flight] = {}
        self._room = asyncio.Event()
        self._stopping = False

    async def prepare(self) -> None:
        """Make the queue when it is missing."""
        await self._queue.create()

    async def listen(self, invoker: Invoker) -> None:
        """Take and run messages until `stop`; a queue service that is away is asked again and again."""
        renewing = asyncio.create_task(self._renew_all())
        pauses = Pauses(self._options.max_polling_interval)
        while not self._stopping:
            self._queue.arrived.clear()
            if await self._poll(invoker):
                pauses.reset()
                await self._wait_for_room()
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._queue.arrived.wait(), pauses.next())
        renewing.cancel()

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping = True
        self._queue.arrived.set()
        self._room.set()

    async def drain(self, seconds: float) -> None:
        """Let what runs finish for so long, then cancel it and give its messages back."""
        if self._flights:
            await asyncio.wait(self._flights, timeout=seconds)
        left = {task: flight for task, flight in self._flights.items() if not flight.settling}
        for task in left:
            task.cancel()
        await asyncio.gather(*(self._give_back(flight) for flight in left.values()))
        if self._flights:
            await asyncio.wait(self._flights, timeout=SETTLE_SECONDS)

    async def _poll(self, invoker: Invoker) -> bool:
        try:
            messages = await self._take()
        except (StorageFailed, aiohttp.ClientError, TimeoutError) as failure:
            log.warning("queue %s cannot be read, asking again: %s", self._queue.name, failure)
            return False
        now = time.monotonic()
        flights = [Flight(message, message.pop_receipt, now) for message in messages]
        if self._stopping:
            await asyncio.gather(*(self._give_back(flight) for flight in flights))
            return False
        for flight in flights:
            task = asyncio.create_task(self._process(flight, invoker))
            self._flights[task] = flight
            task.add_done_callback(self._landed)
        return bool(messages)

    async def _take(self) -> list[Message]:
        try:
            return await self._queue.get(self._options.batch_size, self._hidden)
        except StorageFailed as failure:
            if failure.code != "QueueNotFound":
                raise
            await self._queue.create()
            return []

    def _landed(self, task: asyncio.Task[None]) -> None:
        del self._flights[task]
        if len(self._flights) <= self._options.new_batch_threshold:
            self._room.set()
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("a message of %s was run but not settled", self._queue.name, exc_info=failure)

    async def _wait_for_room(self) -> None:
        self._room.clear()
        if len(self._flights) > self._options.new_batch_threshold and not self._stopping:
            await self._room.wait()

    async def _process(self, flight: Flight, invoker: Invoker) -> None:
        message = flight.message
        if message.dequeue_count > self._options.max_dequeue_count:
            await self._to_poison(flight)
            return
        try:
            body = decoded(message.text, base64_expected=self._options.base64)
        except ValueError:
            log.warning("message %s of %s is not base64, as host.json says", message.id, self._queue.name)
            await self._to_poison(flight)
            return
        result = await invoker.run(self._function, trigger_value(message, body))
        flight.settling = True
        if flight.renewal is not None:
            await flight.renewal
        with _gone_ignored(message):
            await self._settle(flight, succeeded=result.succeeded)

    async def _settle(self, flight: Flight, *, succeeded: bool) -> None:
        if succeeded:
            await self._queue.delete(flight.message, flight.receipt)
        elif flight.message.dequeue_count >= self._options.max_dequeue_count:
            await self._to_poison(flight)
        elif self._poison is not None:
            seconds = self._options.visibility_timeout.total_seconds()
            await self._queue.hide(flight.message, seconds, flight.receipt)

    async def _to_poison(self, flight: Flight) -> None:
        if self._poison is None:
            return  # it stays hidden for the rest of its time, or it would come round at once and for ever
        log.warning("message %s of %s goes to %s", flight.message.id, self._queue.name, self._poison.name)
        await self._poison.put(flight.message.text)
        await self._queue.delete(flight.message, flight.receipt)

    async def _renew_all(self) -> None:
        half = self._hidden.total_seconds() / 2
        while True:
            await asyncio.sleep(half / 4)
            due = time.monotonic() - half
            for flight in self._flights.values():
                if flight.hidden_at <= due and not flight.settling:
                    flight.hidden_at = time.monotonic()
                    flight.renewal = asyncio.create_task(self._renew(flight))

    async def _renew(self, flight: Flight) -> None:
        with _gone_ignored(flight.message):
            flight.receipt = await self._queue.hide(flight.message, self._hidden.total_seconds(), flight.receipt)

    async def _give_back(self, flight: Flight) -> None:
        with _gone_ignored(flight.message):
            await self._queue.hide(flight.message, 0, flight.receipt)


def poison_name(queue: str) -> str | None:
    """Give the poison queue's name, or None for a queue that has none (QueueListenerFactory.cs)."""
    name = queue + POISON_SUFFIX
    return None if queue.endswith(POISON_SUFFIX) or len(name) > LONGEST_NAME else name


def trigger_value(message: Message, body: str) -> Any:
    """Give the azure.functions.QueueMessage, decoded by the library's own converter as in the worker."""
    datum = meta.Datum
    metadata = {
        "Id": datum(message.id, "string"),
        "DequeueCount": datum(str(message.dequeue_count), "json"),
        "InsertionTime": datum(_moment(message.inserted), "string"),
        "ExpirationTime": datum(_moment(message.expires), "string"),
        "NextVisibleTime": datum(_moment(message.next_visible), "string"),
        "PopReceipt": datum(message.pop_receipt, "string"),
    }
    converter = meta.get_binding_registry().get("queueTrigger")
    return converter.decode(datum(body, "string"), trigger_metadata=metadata)


def _moment(moment: datetime) -> str:
    # The first of the twelve forms that the converter tries: the others cost it an exception each.
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


@contextlib.contextmanager
def _gone_ignored(message: Message) -> Iterator[None]:
    try:
        yield
    except StorageFailed as failure:
        if not failure.message_is_gone:
            raise
        log.debug("message %s is another's now: %s", message.id, failure)
