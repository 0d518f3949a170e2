"""Configure logs and traces from the settings. A trace follows an extract from site to release.

Traces use OpenTelemetry and are off unless `trace_endpoint` is set. They travel between services as
W3C Trace Context (https://www.w3.org/TR/trace-context/) in the signed header of a batch. A span
holds only what a log line may hold: fields on the allow-list of `childlink_core.logs`, and only the
type of an error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from childlink_core import __version__, logs
from childlink_core.errors import UserError
from childlink_core.settings import ServiceSettings

_PARENT: Final = "traceparent"
_W3C: Final = TraceContextTextMapPropagator()
_EXPORT_TIMEOUT_S: Final = 5

Field = str | int

_tracer: Tracer = trace.NoOpTracer()


def start(service: str, settings: ServiceSettings) -> None:
    """Start logging and tracing as the settings say. Call this once per process, before work
    begins.

    Raises UserError if tracing is set but not installed.
    """
    logs.configure(service, level=settings.log_level)
    if not settings.trace_endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise UserError(
            "trace_endpoint is set, but the trace exporter is not installed.",
            "Install childlink-core[tracing], or unset trace_endpoint.",
        ) from None
    # The provider itself sends the remaining spans at exit.
    provider = TracerProvider(
        resource=Resource({"service.name": f"childlink-{service}", "service.version": __version__})
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            OTLPSpanExporter(endpoint=settings.trace_endpoint, timeout=_EXPORT_TIMEOUT_S)
        )
    )
    use(provider.get_tracer("childlink"))


def use(tracer: Tracer) -> None:
    """Use this tracer from now on."""
    global _tracer  # noqa: PLW0603 - one per process, as in OpenTelemetry
    _tracer = tracer


@contextmanager
def span(name: str, *after: str, **fields: Field | None) -> Iterator[None]:
    """Open a span around the block.

    Its parent is the open span. If there is none, its parent is the first valid trace context of
    `after` (`traceparent` headers), and the span links to the others. If there is none either, it
    starts a new trace.
    """
    contexts = [context for item in dict.fromkeys(after) if (context := _read(item)).is_valid]
    parent = None
    if contexts and not trace.get_current_span().get_span_context().is_valid:
        parent = trace.set_span_in_context(trace.NonRecordingSpan(contexts.pop(0)))
    with _tracer.start_as_current_span(
        name,
        parent,
        attributes=_listed(fields),
        links=[Link(context) for context in contexts],
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except BaseException as error:
            # The message of an error may contain data of a row.
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def mark(name: str, after: str, **fields: Field | None) -> None:
    """Add a point to the trace that `after` names, linked to the open span.

    Does nothing if `after` holds no valid trace context.
    """
    context = _read(after)
    if context.is_valid:
        here = trace.get_current_span().get_span_context()
        parent = trace.set_span_in_context(trace.NonRecordingSpan(context))
        links = [Link(here)] if here.is_valid else []
        _tracer.start_span(name, parent, attributes=_listed(fields), links=links).end()


def traceparent() -> str:
    """The trace context of the open span, to send on; empty if there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get(_PARENT, "")


def sanitise_traceparent(traceparent: str) -> str:
    """Reduce a received trace context to 55 characters of version 00. Returns "" if it is not
    valid.

    The result has a bounded length.
    """
    context = _read(traceparent)
    if not context.is_valid:
        return ""
    trace_id, span_id = (
        trace.format_trace_id(context.trace_id),
        trace.format_span_id(context.span_id),
    )
    return f"00-{trace_id}-{span_id}-{context.trace_flags:02x}"


def _read(traceparent: str) -> SpanContext:
    return trace.get_current_span(_W3C.extract({_PARENT: traceparent})).get_span_context()


def _listed(fields: dict[str, Field | None]) -> dict[str, Field]:
    unlisted = fields.keys() - logs.ALLOWED_FIELDS
    if unlisted:
        raise ValueError(f"not on the allow-list of logs: {', '.join(sorted(unlisted))}")
    return {name: value for name, value in fields.items() if value is not None}
