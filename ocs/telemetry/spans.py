"""Spans: what is done for a message, a batch, a call or a request, and of which trace it is.

Nothing is recorded, and almost nothing costs anything, until `record` is told where spans go. A span holds ids, counts
and classes of errors; never the text of an error, which may quote what a sender wrote, and no content of lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SCOPE = "ocs"
MOST_LINKS = 32
"""Traces that a batch is linked to; a large batch has hundreds of messages, and each link is paid for."""

_W3C = TraceContextTextMapPropagator()


class _Recording:
    """Who makes the process's spans; nobody while no exporter is set."""

    tracer: Tracer | None = None


class Invocation(Protocol):
    """What the Functions worker says of a run: `trace_context` has the host's `trace_parent`, or is None."""

    @property
    def trace_context(self) -> Any:
        """The trace that the host began for this run."""


def record(provider: TracerProvider | None) -> None:
    """Make spans with this provider from now on, or none."""
    _Recording.tracer = None if provider is None else provider.get_tracer(SCOPE)


def tracing() -> bool:
    """Tell whether spans are made."""
    return _Recording.tracer is not None


@contextmanager
def span(
    name: str,
    attributes: Mapping[str, object],
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    causes: Sequence[str] = (),
    parent: Context | None = None,
) -> Iterator[Span]:
    """Make the block a span; an error that leaves it is noted by its class. Attributes that are None are left out.

    `causes` are the traceparents of what the block is done for. The span is linked to each; with exactly one it is part
    of that trace, and linked to where it was called from
    (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
    """
    if _Recording.tracer is None:
        yield INVALID_SPAN
        return
    contexts = [_W3C.extract({"traceparent": cause}) for cause in causes[:MOST_LINKS]]
    links = [Link(trace.get_current_span(context).get_span_context()) for context in contexts]
    if len(contexts) == 1:
        parent = contexts[0]
        links.append(Link(trace.get_current_span().get_span_context()))
    with _Recording.tracer.start_as_current_span(
        name,
        parent,
        kind,
        _plain(attributes),
        [link for link in links if link.context.is_valid],
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            failed(made, error)
            raise


@contextmanager
def within(invocation: Invocation) -> Iterator[None]:
    """Make the block part of the trace that the Functions host began for an invocation, where it gives one.

    The worker would do so by itself with PYTHON_ENABLE_OPENTELEMETRY=true, and then fails every invocation
    (https://github.com/Azure/azure-functions-python-worker/issues/1881).
    """
    begun = getattr(invocation.trace_context, "trace_parent", None)
    if not begun:
        yield
        return
    token = attach(_W3C.extract({"traceparent": begun}))
    try:
        yield
    finally:
        detach(token)


def failed(of: Span, error: BaseException | str) -> None:
    """Note that what a span tells of came to nothing; of an exception its class only."""
    of.set_attribute("error.type", error if isinstance(error, str) else type(error).__name__)
    of.set_status(Status(StatusCode.ERROR))


def describe(attributes: Mapping[str, object]) -> None:
    """Add what was found out meanwhile to the span that is under way, if any."""
    if _Recording.tracer is not None:
        trace.get_current_span().set_attributes(_plain(attributes))


def traceparent() -> str | None:
    """Give the trace that is under way in W3C's words, to be kept beside what it made; None when nobody records it."""
    here = trace.get_current_span()
    if _Recording.tracer is None or not here.is_recording():
        return None
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def caller_of(headers: Mapping[str, str]) -> Context | None:
    """Read the trace of which a request is part from its headers; None within a trace of the Functions host."""
    return None if trace.get_current_span().get_span_context().is_valid else _W3C.extract(headers)


def _plain(attributes: Mapping[str, object]) -> dict[str, str | bool | int | float]:
    return {
        name: value if isinstance(value, str | bool | int | float) else str(value)
        for name, value in attributes.items()
        if value is not None
    }
