"""Reads an app folder: host.json, `function_app.py` and the environment become plain descriptions of functions."""

import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.functions.decorators.function_app import Function as DecoratedFunction, FunctionRegister

Binding = Mapping[str, Any]
MOST_AT_ONCE = 32
"""Messages that one call to the queue service can give (Get Messages, REST API of Azure Queue Storage)."""


class CannotStart(Exception):  # noqa: N818 - it names what happened to the host
    """The app or its settings cannot be served; the text says which setting and what was expected."""


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues` of host.json, with the storage extension's own defaults (its QueuesOptions.cs)."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: timedelta = timedelta(minutes=1)
    visibility_timeout: timedelta = timedelta(0)
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True)
class QueueTrigger:
    """Runs once for each message of a queue."""

    parameter: str
    queue: str
    connection: str


@dataclass(frozen=True)
class TimerTrigger:
    """Runs on a six-field schedule (seconds first), in UTC."""

    parameter: str
    schedule: str
    run_on_startup: bool


@dataclass(frozen=True)
class HttpTrigger:
    """Runs for each HTTP request that matches; the route carries no prefix, an empty set of methods means all."""

    parameter: str
    route: str
    methods: frozenset[str]
    needs_key: bool


Trigger = QueueTrigger | TimerTrigger | HttpTrigger


@dataclass(frozen=True)
class QueueOutput:
    """Puts what the function gives on a queue; `name` is a parameter's, or `$return`."""

    name: str
    queue: str
    connection: str


@dataclass(frozen=True)
class Function:
    """One function of the app and what runs it."""

    name: str
    call: Callable[..., Any]
    trigger: Trigger
    outputs: Sequence[QueueOutput] = ()
    parameters: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop; otherwise it runs in a thread."""
        return inspect.iscoroutinefunction(self.call)


@dataclass(frozen=True)
class App:
    """A loaded app: its functions, its host.json, and the object that `function_app.py` made."""

    root: Path
    functions: Sequence[Function]
    queues: QueueOptions
    route_prefix: str
    register: FunctionRegister

    def connections(self) -> dict[str, str]:
        """Give each storage connection that the functions name, with its connection string."""
        names = {one.trigger.connection for one in self.functions if isinstance(one.trigger, QueueTrigger)}
        names |= {output.connection for one in self.functions for output in one.outputs}
        return {name: _storage_setting(name) for name in sorted(names)}


def load(root: Path) -> App:
    """Load the app in this folder; its settings are the environment. Raises CannotStart."""
    if not (root / "function_app.py").is_file():
        raise CannotStart(f"{root} holds no function_app.py")
    queues, route_prefix = read_host_json(root / "host.json")
    sys.path.insert(0, str(root.resolve()))
    module = importlib.import_module("function_app")
    register = getattr(module, "app", None)
    if not isinstance(register, FunctionRegister):
        raise CannotStart(f"{root / 'function_app.py'} must have `app`, a FunctionApp or an AsgiFunctionApp")
    functions = [_describe(one) for one in register.get_functions()]
    return App(root, functions, queues, route_prefix, register)


def read_host_json(path: Path) -> tuple[QueueOptions, str]:
    """Give the queue options and the HTTP route prefix (default "api") of a host.json. Raises CannotStart."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotStart(f"{path} cannot be read: {error}") from error
    extensions = content.get("extensions", {})
    prefix = str(extensions.get("http", {}).get("routePrefix", "api")).strip("/")
    return _queue_options(extensions.get("queues", {})), prefix


def _queue_options(found: Mapping[str, Any]) -> QueueOptions:
    batch_size = int(found.get("batchSize", QueueOptions.batch_size))
    options = QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=int(found.get("newBatchThreshold", batch_size // 2)),
        max_polling_interval=time_span(str(found.get("maxPollingInterval", "00:01:00"))),
        visibility_timeout=time_span(str(found.get("visibilityTimeout", "00:00:00"))),
        max_dequeue_count=int(found.get("maxDequeueCount", QueueOptions.max_dequeue_count)),
        base64=str(found.get("messageEncoding", "base64")).lower() == "base64",
    )
    if not 1 <= batch_size <= MOST_AT_ONCE:
        raise CannotStart(f"host.json: batchSize is {batch_size}, expected 1 to {MOST_AT_ONCE}")
    if options.new_batch_threshold < 0 or options.max_dequeue_count < 1:
        raise CannotStart("host.json: newBatchThreshold must be 0 or more, maxDequeueCount 1 or more")
    if options.max_polling_interval < timedelta(milliseconds=100):
        raise CannotStart("host.json: maxPollingInterval must be 100 ms or more")
    return options


def time_span(text: str) -> timedelta:
    """Read a .NET TimeSpan as host.json writes it: "[d.]hh:mm:ss[.fff]". Raises CannotStart."""
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)", text)
    if match is None:
        raise CannotStart(f"host.json: {text!r} is not a time span, expected [days.]hours:minutes:seconds")
    days, hours, minutes, seconds = match.groups(default="0")
    return timedelta(days=int(days), hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def resolve(text: str, function: str) -> str:
    """Put the settings' values in place of each %NAME%. Raises CannotStart for a setting that is missing."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise CannotStart(f"function {function}: {text!r} names the setting {name}, which is not set")
        return os.environ[name]

    return re.sub(r"%([^%]+)%", value, text)


def _storage_setting(name: str) -> str:
    value = os.environ.get(name, "")
    if "=" not in value:
        raise CannotStart(
            f"the setting {name} must hold a storage connection string, as a trigger's connection names it"
        )
    return value


def _describe(decorated: DecoratedFunction) -> Function:
    name = str(decorated.get_function_name())
    bindings: list[Binding] = decorated.get_bindings_dict()["bindings"]
    triggers = [one for one in bindings if one["type"].lower().endswith("trigger")]
    if len(triggers) != 1:
        raise CannotStart(f"function {name} has {len(triggers)} triggers, expected one")
    rest = [one for one in bindings if one is not triggers[0] and one["type"] != "http"]
    call = decorated.get_user_function()
    return Function(
        name=name,
        call=call,
        trigger=_trigger(triggers[0], name),
        outputs=tuple(_output(one, name) for one in rest),
        parameters=frozenset(inspect.signature(call).parameters),
    )


def _trigger(binding: Binding, function: str) -> Trigger:
    parameter = str(binding["name"])
    match binding["type"]:
        case "queueTrigger":
            return QueueTrigger(parameter, resolve(binding["queueName"], function), binding["connection"])
        case "timerTrigger":
            schedule = resolve(binding["schedule"], function)
            return TimerTrigger(parameter, schedule, bool(binding.get("runOnStartup")))
        case "httpTrigger":
            route = resolve(str(binding.get("route") or function), function).strip("/")
            methods = frozenset(str(getattr(one, "value", one)).upper() for one in binding.get("methods") or ())
            level = binding.get("authLevel")
            needs_key = str(getattr(level, "value", level) or "function").lower() != "anonymous"
            return HttpTrigger(parameter, route, methods, needs_key)
        case other:
            raise CannotStart(f"function {function}: {other} is not among what this stand-in can drive")


def _output(binding: Binding, function: str) -> QueueOutput:
    if binding["type"] != "queue":
        raise CannotStart(f"function {function}: binding {binding['type']} is not among what this stand-in can drive")
    return QueueOutput(str(binding["name"]), resolve(binding["queueName"], function), binding["connection"])
