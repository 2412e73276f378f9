"""Runs one function of the app once: its parameters in, its outputs out, a failure logged."""

import asyncio
import json
import logging
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions import meta

from devstack.host.load import Function
from devstack.host.storage import Storage, encoded

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """How one run ended; `value` is what the function returned when it succeeded."""

    succeeded: bool
    value: Any = None


class Context(func.Context):
    """What a function's `context` parameter gives; tracing and retries do not exist here."""

    def __init__(self, function: Function, root: Path) -> None:
        """Describe one invocation, with a new id."""
        self._function = function
        self._root = root
        self._id = str(uuid.uuid4())
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """This run's id, a UUID."""
        return self._id

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._function.name

    @property
    def function_directory(self) -> str:
        """The app's folder."""
        return str(self._root)

    @property
    def thread_local_storage(self) -> Any:
        """Where threads of the function may say which invocation they belong to."""
        return self._local

    @property
    def trace_context(self) -> Any:
        """Nothing: the stand-in does not trace."""
        return None

    @property
    def retry_context(self) -> Any:
        """Nothing: the stand-in has no retry policies, which queue triggers do not use either."""
        return None


class Out(func.Out[Any]):
    """A function's output parameter."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Keep what is to go out; a second call replaces the first."""
        self._value = val

    def get(self) -> Any:
        """Give what was set."""
        return self._value


class Invoker:
    """Runs functions: async ones on the event loop, others in threads, as the Python worker does."""

    def __init__(self, root: Path, storages: Mapping[str, Storage], *, as_base64: bool) -> None:
        """Keep the storage accounts for the outputs, by their setting's name, and how texts go on the wire."""
        self._root = root
        self._storages = storages
        self._as_base64 = as_base64
        self._threads = ThreadPoolExecutor(thread_name_prefix="function")
        self._in_threads: set[Future[Any]] = set()

    @property
    def holds_threads(self) -> bool:
        """Whether a function still runs in a thread, which nothing can cancel."""
        return any(not run.done() for run in self._in_threads)

    async def run(self, function: Function, value: Any) -> Result:
        """Run the function once with its trigger's value; logs a failure with its traceback and never raises it."""
        context = Context(function, self._root)
        outs = {output.name: Out() for output in function.outputs if output.name != "$return"}
        arguments: dict[str, Any] = {function.trigger.parameter: value, **outs}
        if "context" in function.parameters and "context" not in arguments:
            arguments["context"] = context
        began = time.monotonic()
        try:
            returned = await self._call(function, arguments)
            await self._send(function, outs, returned)
        except Exception:
            log.exception("%s failed (invocation %s)", function.name, context.invocation_id)
            return Result(succeeded=False)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s succeeded in %.0f ms", function.name, 1000 * (time.monotonic() - began))
        return Result(succeeded=True, value=returned)

    def close(self) -> None:
        """Start no more threads; running ones are left alone."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _call(self, function: Function, arguments: dict[str, Any]) -> Any:
        if function.is_async:
            return await function.call(**arguments)
        run = self._threads.submit(function.call, **arguments)
        self._in_threads.add(run)
        run.add_done_callback(self._in_threads.discard)
        return await asyncio.wrap_future(run)

    async def _send(self, function: Function, outs: Mapping[str, Out], returned: Any) -> None:
        for output in function.outputs:
            value = returned if output.name == "$return" else outs[output.name].get()
            if value is not None:
                queue = self._storages[output.connection].queue(output.queue)
                texts = [encoded(text, as_base64=self._as_base64) for text in message_texts(value)]
                await asyncio.gather(*(queue.put(text) for text in texts))


def message_texts(value: Any) -> list[str]:
    """Turn a queue output's value into its messages' texts, through the library's own converter.

    Raises NotImplementedError for what the converter does not take, and for a QueueMessage.
    """
    datum = meta.get_binding_registry().get("queue").encode(value, expected_type=None)
    match datum.type:
        case "string":
            return [datum.value]
        case "bytes":
            return [datum.value.decode()]
    texts = json.loads(datum.value)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise NotImplementedError("this stand-in puts str, bytes and lists of str on a queue")
    return texts
