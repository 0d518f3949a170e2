"""Structured logs on standard error.

Only fields on the allow-list are written, so that no identifier reaches a log.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from opentelemetry import trace

ALLOWED_FIELDS: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "service",
        "partner",
        "sender",
        "topic",
        "epoch",
        "sequence",
        "offset",
        "reason",
        "dataset",
        "release",
        "measure",
        "cube",
        "count",
        "accepted",
        "refused",
        "records",
        "links",
        "persons",
        "bytes",
        "seconds",
        "version",
        "profile",
        "port",
        "path",
        "error_type",
        "outcome",
        "run",
        "lag",
        "state",
        "method",
        "caller",
        "trace_id",
    }
)


def drop_unlisted(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace the value of each field that is not on the allow-list. Keep only the type of an
    exception.
    """
    error = event.pop("exc_info", None)
    kept = {key: value if key in ALLOWED_FIELDS else "[not logged]" for key, value in event.items()}
    if error is not None:
        kind = (
            error[0]
            if isinstance(error, tuple)
            else type(error)
            if isinstance(error, BaseException)
            else sys.exc_info()[0]
        )
        kept["error_type"] = getattr(kind, "__name__", "error")
    return kept


def add_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the trace id, if a trace is open."""
    context = trace.get_current_span().get_span_context()
    return (
        {**event, "trace_id": trace.format_trace_id(context.trace_id)}
        if context.is_valid
        else event
    )


def configure(service: str, *, json: bool | None = None, level: str = "INFO") -> None:
    """Configure logging for a service: JSON lines, unless standard error is a terminal."""
    plain = sys.stderr.isatty() if json is None else not json
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            add_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            drop_unlisted,
            structlog.dev.ConsoleRenderer(colors=False)
            if plain
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries may put anything into their messages. Only critical messages of libraries are
    # logged.
    logging.basicConfig(level=logging.CRITICAL, stream=sys.stderr)
