"""Logs: one JSON object a line through the standard library, so that the Functions host collects them as they are."""

import logging
import sys

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger

NOISY = ("azure", "httpx", "httpcore", "psycopg.pool", "uvicorn.access")
"""Libraries that log each call at INFO; ours says what matters."""


def configure(level: str) -> None:
    """Set up structured logging for the whole process; the second call changes nothing."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            add_trace,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            # The plain traceback: richer ones show the values of local variables, and secrets are among them.
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    if not root.handlers:  # in Azure the worker has put its own there
        root.addHandler(logging.StreamHandler(sys.stderr))
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def logger(room: str) -> structlog.stdlib.BoundLogger:
    """Give the room's logger; an event is a short phrase and its facts are named values."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(room)
    return bound


def add_trace(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Put the ids of trace and span on a line, in hex as W3C writes them; the host's own where we trace nothing."""
    here = trace.get_current_span().get_span_context()
    if here.is_valid:
        line["trace_id"] = trace.format_trace_id(here.trace_id)
        line["span_id"] = trace.format_span_id(here.span_id)
    return line
