"""One trace follows an extract from its site to the release that counts it, without personal data.
Without a collector, there is no trace.
"""

import json
import subprocess
import sys

import pytest
from childlink_analytics.releasing.store.store import Store
from childlink_core import envelope, logs, telemetry
from childlink_ingest import app
from childlink_ingest.spool import open_spool
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.workspace import create_workspace
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.http import door
from tests.support.one_site import AMINA, LINH, OLIVER, Pilot


@pytest.fixture
def spans():
    """The spans recorded so far."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.use(provider.get_tracer("test"))
    yield exporter.get_finished_spans
    telemetry.use(trace.NoOpTracer())


@pytest.fixture
def site(tmp_path):
    """A site and its hub, in this process."""
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "work", ["trust-a"], address)
        with pilot.open_hub(layout) as hub:
            yield Pilot(tmp_path, layout, hub)


def release(site, release_id):
    site.counts()
    pilot.cut(site.layout, release_id, "2022-12-31")


def test_one_trace_leads_from_the_extract_over_its_links_to_the_release(site, spans):
    site.run(AMINA, OLIVER, LINH)
    release(site, "r1")
    [run] = [span for span in spans() if span.name == "run"]
    mine = [span for span in spans() if span.context.trace_id == run.context.trace_id]
    services = {span.attributes["service"] for span in mine if span.name == "micro-batch"}
    assert services == {"linker", "analytics"}
    assert {"run", "sent", "batch", "cut", "published"} == {span.name for span in mine} - {
        "micro-batch"
    }
    topics = {span.attributes["topic"] for span in mine if span.name == "batch"}
    assert topics == {"encodings.trust-a", "observations.trust-a", "links"}
    assert all(
        span.attributes["release"] == "r1" for span in mine if span.name in ("cut", "published")
    )


def test_a_release_tells_of_what_came_since_the_one_before_only(site, spans):
    site.run(AMINA, OLIVER)
    release(site, "r1")
    site.run(LINH)
    release(site, "r2")
    runs = {span.context.trace_id: span.context.trace_id for span in spans() if span.name == "run"}
    assert len(runs) == 2
    told = [
        (span.attributes["release"], span.context.trace_id)
        for span in spans()
        if span.name == "published"
    ]
    assert sorted({name for name, _ in told}) == ["r1", "r2"]
    assert {t for name, t in told if name == "r1"} & {
        t for name, t in told if name == "r2"
    } == set()


def test_spans_hold_fields_of_the_logs_allow_list_and_of_an_error_its_type_only(site, spans):
    with pytest.raises(ValueError, match="Okafor"), telemetry.span("run"):
        raise ValueError("Okafor is not a date")
    with pytest.raises(ValueError, match="allow-list"), telemetry.span("run", surname="Okafor"):
        pass
    site.run(AMINA, OLIVER, LINH)
    release(site, "r1")
    everything = "".join(span.to_json() for span in spans())
    for secret in ("Okafor", "Amina", "9990000018", "2020-01-02"):
        assert secret not in everything
    assert {name for span in spans() for name in span.attributes} <= logs.ALLOWED_FIELDS
    failed = next(span for span in spans() if not span.status.is_ok)
    assert failed.status.description == "ValueError"
    assert not failed.events


def test_without_a_collector_no_batch_says_of_which_trace_it_is(site):
    batches = sealed(site, AMINA, OLIVER, LINH)
    assert batches
    assert {envelope.traceparent(batch.message) for batch in batches} == {""}


def test_a_batch_says_in_its_signed_header_of_which_trace_it_is(site, spans):
    batches = sealed(site, AMINA, OLIVER, LINH)
    [run] = spans()
    [told] = {envelope.traceparent(batch.message) for batch in batches}
    assert told.split("-")[1:3] == [
        trace.format_trace_id(run.context.trace_id),
        trace.format_span_id(run.context.span_id),
    ]


def test_what_is_no_trace_context_is_taken_for_none(spans):
    for odd in ("", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "00-" + "f" * 9_000):
        telemetry.mark("batch", odd)
        with telemetry.span("micro-batch", odd):
            pass
    assert [span.name for span in spans()] == ["micro-batch"] * 4
    assert all(span.parent is None and not span.links for span in spans())


def test_a_hostile_trace_context_stops_nobody_and_is_not_kept(site, monkeypatch):
    """PostgreSQL refuses text longer than its column. Analytics would then refuse the batch
    forever.
    """
    with monkeypatch.context() as hostile:
        hostile.setattr(telemetry, "traceparent", lambda: "x" * 5_000)
        batches = sealed(site, AMINA, OLIVER)
    assert {envelope.traceparent(batch.message) for batch in batches} == {"x" * 5_000}
    with open_spool(site.settings.spool) as spool:
        pilot.exchange(site.settings, spool, site.hub)
    assert site.counts()["rows"] == 2
    with site.hub.analytics.engine.connect() as tx:
        assert Store(tx).open_traces() == []


@pytest.mark.parametrize(
    "odd", ["x" * 5_000, "\0", "01-" + "a" * 32 + "-" + "b" * 16 + "-01-" + "c" * 5_000]
)
def test_of_a_hostile_trace_context_no_more_is_kept_than_a_trace_has(odd):
    assert len(telemetry.sanitise_traceparent(odd)) in (0, 55)


def test_lines_of_the_log_say_in_which_trace_they_were_written(spans):
    with telemetry.span("run"):
        line = logs.add_trace(None, "info", {"event": "batch accepted"})
    [run] = spans()
    assert line["trace_id"] == trace.format_trace_id(run.context.trace_id)
    assert logs.add_trace(None, "info", {"event": "started"}) == {"event": "started"}
    assert json.loads(json.dumps(logs.drop_unlisted(None, "info", dict(line)))) == line


def sealed(site, *rows):
    """The batches that a site has made from rows and not yet sent."""
    written = site.write(*rows)
    with open_spool(site.settings.spool) as spool:
        app.run_extract(site.settings, spool, *written)
        return spool.queued(10)


PROGRAM = """
import sys
from pathlib import Path
from childlink_core import telemetry
from childlink_core.settings import ServiceSettings
telemetry.start("ingest", ServiceSettings(directory=Path("directory.toml"), trace_endpoint=sys.argv[1]))
with telemetry.span("run", dataset="asq3"):
    pass
"""  # noqa: E501


def program(endpoint):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, endpoint], capture_output=True, text=True, check=False
    )


def test_spans_go_to_the_collector_that_the_settings_name():
    with door() as (collector, came):
        assert program(f"{collector}/v1/traces").returncode == 0
    [(path, body)] = came
    request = ExportTraceServiceRequest.FromString(body)
    [resource] = request.resource_spans
    assert path == "/v1/traces"
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["run"]
    told = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert told["service.name"] == "childlink-ingest"
    assert set(told) == {
        "service.name",
        "service.version",
    }, "neither the command line nor the host's name"


def test_a_collector_that_is_down_fails_no_run():
    done = program("http://127.0.0.1:9/v1/traces")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
