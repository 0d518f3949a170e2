"""Answers are remembered, and never mixed up: an answer depends on the release, the question and
the caller's purposes alone.
"""

from childlink.analytics.v1 import analytics_pb2 as pb
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.remembered import Remembered
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.settings import ServingSettings
from childlink_client import Client

from tests.support.answers import publish


def response(text, size=0):
    return pb.QueryResponse(notes=[text + "x" * size])


def test_what_was_asked_longest_ago_is_forgotten_first():
    remembered = Remembered(most_bytes=3_000)
    for name in "abc":
        remembered.put(name, response(name, 900), {})
    assert remembered.get("a") is not None
    remembered.put("d", response("d", 900), {})
    assert remembered.get("b") is None
    assert {name for name in "acd" if remembered.get(name)} == {"a", "c", "d"}


def test_an_answer_that_is_larger_than_everything_is_given_and_not_kept():
    remembered = Remembered(most_bytes=1_000)
    assert remembered.put("large", response("large", 2_000), {}).response.notes
    assert remembered.get("large") is None


def test_the_same_question_again_is_answered_alike_and_counted_again(tmp_path):
    publish(tmp_path, "r1", 1, "2024-12-31")
    publish(tmp_path, "r2", 2, "2024-12-31", seed=2)
    metrics = ServingMetrics()
    settings = ServingSettings(releases=tmp_path, address="127.0.0.1:0")
    server, port = serve(settings, metrics, Access(None))
    by, where = ["residence"], {"imd_quintile": [1]}

    def withheld():
        return sum(
            sample.value
            for family in metrics.withheld.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )

    with Client(f"127.0.0.1:{port}") as client:
        first = client.ask("reach_children", by, release="r1")
        once = withheld()
        assert client.ask("reach_children", by, release="r1") == first
        assert withheld() == 2 * once
        assert client.ask("reach_children", by, release="r2") != first
        assert client.ask("reach_children", by, where, "r1") != first
        assert client.ask("reach_children", by, release="r1", explain=True) != first
        assert client.ask("reach_children", by) == client.ask("reach_children", by, release="r2")
    server.stop(0).wait()
