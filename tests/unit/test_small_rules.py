"""Small rules that larger tests cover only in passing."""

import gc
import json
import os
import signal
import socket

import click
import pytest
from childlink_analytics.cli import main as analytics_main
from childlink_analytics.cli.running import consume as analytics_consume
from childlink_analytics.releasing import app as analytics_app
from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_bus.ports import BusError
from childlink_catalogue.catalogue import all_datasets, get_dataset
from childlink_client.values import Measure
from childlink_core import logs, topics
from childlink_core.commands import Commands
from childlink_core.errors import UserError
from childlink_core.profiles import get_profile, parse_profile
from childlink_ingest.cli import main as ingest_main
from childlink_ingest.metrics import IngestMetrics
from childlink_linker import app as linker_app
from childlink_linker.cli.running import run as linker_run
from childlink_linker.metrics import LinkerMetrics
from click.testing import CliRunner
from structlog.testing import capture_logs


def test_logs_show_only_listed_fields_and_never_an_exceptions_text():
    try:
        raise ValueError("Amina Okafor")
    except ValueError as error:
        kept = logs.drop_unlisted(
            None, "info", {"event": "e", "topic": "links", "surname": "Okafor", "exc_info": error}
        )
    assert kept == {
        "event": "e",
        "topic": "links",
        "surname": "[not logged]",
        "error_type": "ValueError",
    }


@pytest.mark.parametrize(
    "name", ["linker", "analytics", "a", "Trust-A", "a/b", "a b", "-a-", "a" * 40, "trust.a"]
)
def test_a_partner_cannot_take_a_services_name_or_one_that_breaks_a_topic(name):
    with pytest.raises(UserError):
        topics.check_partner_name(name)


def test_every_dataset_has_an_event_month_and_no_attribute_named_like_identity():
    for dataset in all_datasets().values():
        if not dataset.event:
            assert not dataset.fields, "a list of people, and nothing else"
            continue
        assert dataset.field(dataset.event).type == "month"
        assert dataset.field(dataset.event).required
        names = [field.name for field in dataset.fields]
        assert len(names) == len(set(names))
        assert not any(name.startswith(("child_", "adult_")) for name in names)


def test_an_unknown_dataset_is_answered_with_those_there_are():
    with pytest.raises(UserError, match="asq3"):
        get_dataset("asq4")


def test_a_profiles_fingerprint_changes_with_its_meaning_and_not_with_its_comments():
    from importlib.resources import files

    text = (files("childlink_core.profiles") / "cl-2026e.toml").read_text(encoding="utf-8")
    same = parse_profile("# another comment\n" + text)
    other = parse_profile(text.replace('["given", "surname"]', '["given"]', 1))
    assert same.fingerprint == get_profile().fingerprint != other.fingerprint


def test_a_measure_survives_the_wire_with_its_categories_in_order():
    from childlink_analytics.answering.messages import measure as as_message
    from childlink_analytics.shared.release_files import Published, _published, measure_content
    from childlink_catalogue.catalogue import catalogue

    for measure in catalogue().values():
        back = _published(json.loads(json.dumps(measure_content(Published(measure, {(): 5})))))
        assert back.measure == measure
        seen = Measure.of(as_message(back))
        for name, dimension in measure.dimensions.items():
            assert list(seen.dimensions[name].categories) == list(dimension.categories)


def test_an_observation_is_written_as_protobuf_would_write_it():
    from childlink.wire.v1 import observation_pb2
    from childlink_ingest.pseudonymise.split import Observation
    from childlink_ingest.runs.prepare import stage_observation

    dataset = get_dataset("immunisation")
    attributes = {field.name: True for field in dataset.fields if field.type == "flag"}
    for child, adult in ((b"c" * 16, None), (None, b"a" * 16), (b"c" * 16, b"a" * 16)):
        item = stage_observation(Observation(b"r" * 16, child, adult, attributes), dataset)
        message = observation_pb2.Observation.FromString(item.payload)
        assert message.SerializeToString() == item.payload
        assert (
            message.row_reference,
            message.child_reference or None,
            message.adult_reference or None,
        ) == (
            b"r" * 16,
            child,
            adult,
        )
        assert len(message.values) == len(dataset.fields)
        assert (item.companion, item.also) == (child or adult, adult if child else None)


def test_a_command_line_looks_for_cycles_among_its_rows_a_seventieth_as_often_as_python_would():
    before = gc.get_threshold()
    group = Commands(
        commands={"rows": click.Command("rows", callback=lambda: click.echo(gc.get_threshold()[0]))}
    )
    try:
        gc.set_threshold(700, 10, 10)
        said = CliRunner().invoke(group, ["rows"]).output
        assert (said, gc.get_threshold()[1:]) == ("50000\n", (10, 10))
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("metrics", [LinkerMetrics, StoreMetrics])
def test_the_lag_of_a_topic_that_went_to_another_process_is_told_no_more(metrics):
    told = metrics()
    told.lag({"links": 7, "encodings.trust-a": 900})
    told.lag({"links": 3})
    [family] = told.lag_messages.collect()
    assert {sample.labels["topic"]: sample.value for sample in family.samples} == {"links": 3}


@pytest.mark.parametrize(
    ("app", "build", "command"),
    [(linker_app, "build", linker_run), (analytics_app, "build_consumer", analytics_consume)],
)
def test_while_the_broker_takes_nothing_the_gauges_of_the_store_go_on(
    app, build, command, monkeypatch, tmp_path
):
    told = []

    class Service:
        """Runs a command against a broker that is away once and then has the process stopped."""

        def __init__(self):
            self.processor, self.engine, self.sources = self, None, ()
            self.observer = self

        def stepped(self):
            pass

        def watch_density(self, _stop):
            pass

        def run(self, _stopped, _observe):
            if told:
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                raise BusError("The broker does not answer.", "Start it.")

        def observe(self, _subscriber):
            pass

        def observe_store(self):
            told.append("gauges")

        def close(self):
            pass

    monkeypatch.setattr(app, build, lambda *_: Service())
    for name in ("serve", "build_desk", "Schedule"):
        monkeypatch.setattr(app, name, lambda *_: lambda: None, raising=False)
    monkeypatch.setattr("childlink_bus.stream_processor._RETRY_AFTER_S", 0.0)
    settings = tmp_path / "settings.toml"
    settings.write_text('directory = "none.toml"\nmetrics_port = 0\n')
    held = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        done = CliRunner().invoke(command, obj=settings)
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    assert (done.exit_code, told) == (0, ["gauges"]), done.output


def test_a_command_keeps_its_name_of_the_version_before_and_says_the_new_one():
    for main, words in (
        (ingest_main, ["recall", "--help"]),
        (analytics_main, ["release", "recall", "--help"]),
    ):
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0
        assert "`recall` is now called `retract`" in done.output
        listed = CliRunner().invoke(main, [*words[:-2], "--help"]).output
        assert "  retract " in listed
        assert "  recall " not in listed


def test_a_run_beside_a_watcher_that_holds_the_metrics_port_goes_on_without_metrics():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        with capture_logs() as logs:
            IngestMetrics().serve(held.getsockname()[1], "127.0.0.1")
    assert [line["event"] for line in logs] == ["metrics are not served"]
