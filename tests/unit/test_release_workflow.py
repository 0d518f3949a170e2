"""The life of a release: two people, all or nothing, carried forward, audited again, retracted for
good. Also who may call and see what.
"""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import grpc
import pytest
import sqlalchemy as sa
from childlink.analytics.v1 import analytics_pb2, release_pb2
from childlink_access.guard import Guard
from childlink_access.policy import Person, new_token, parse_policy, sha256
from childlink_access.roles import ROLES
from childlink_analytics.answering import release_repository
from childlink_analytics.answering import service as server
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.errors import ApprovalError, ProtectionError, ReleaseError
from childlink_analytics.releasing.release import check, ledger
from childlink_analytics.releasing.release import workflow as lifecycle
from childlink_analytics.releasing.release.service import RULES as RELEASE_RULES
from childlink_analytics.releasing.release.workflow import ReleaseWorkflow
from childlink_analytics.releasing.store import tables
from childlink_analytics.releasing.store.store import Store
from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_analytics.shared.change_notes import change_notes
from childlink_analytics.shared.purposes import Register, parse_purposes
from childlink_analytics.shared.release_files import (
    Published,
    Release,
    publish_release,
    read_manifest,
)
from childlink_bus.database import migrate, open_database
from childlink_catalogue.catalogue import Catalogue, all_datasets, bundled, catalogue
from childlink_client import Client, ClientError
from childlink_core.audit import AuditBrokenError
from google.protobuf import empty_pb2

from tests.attacks.answers.world import partnership

MEASURES = {name: catalogue()[name] for name in ("immunisation", "breastfeeding")}


class Narrow(Catalogue):
    """The example catalogue, with two small populations."""

    def measures(self, until=date(2024, 12, 31)):
        return {
            name: replace(
                item, cubes=tuple(cube for cube in item.cubes if "engaged" not in cube), columns={}
            )
            for name, item in super().measures(until).items()
            if name in MEASURES
        }


@pytest.fixture
def desk(tmp_path):
    """A release workflow over a small store with two small populations."""
    engine = open_database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine, "childlink_analytics.releasing.store")
    settings = StoreSettings(
        directory=tmp_path / "d.toml",
        drafts=tmp_path / "drafts",
        releases=tmp_path / "releases",
        schedule="quarterly",
    )
    fill(engine, partnership(1, 120))
    yield ReleaseWorkflow(
        engine, settings, b"rounding", b"audit", {}, Register(), Narrow(bundled())
    )
    engine.dispose()


def fill(engine, world, first_row=0):
    observations, links = world.batches()
    rows = [
        {**row, "row_reference": f"r{number + first_row}".encode().ljust(16, b".")}
        for number, row in enumerate(observations.to_pylist())
    ]
    with engine.begin() as tx:
        Store(tx).put_observations(rows)
        Store(tx).put_links(
            [
                {**link, "role": 1, "version": 1, "parameter_version": "v1"}
                for link in links.to_pylist()
            ]
        )


def cut(desk, release_id="r1", who="ada"):
    return desk.cut(who, release_id, "2024-12-31")


def published(desk, release_id="r1"):
    cut(desk, release_id)
    return desk.publish("bea", release_id)


def test_a_release_says_what_changed_since_the_last_one_that_analysts_saw(desk):
    """Not since the first one, nor since a draft that no analyst saw."""
    published(desk, "r1")
    published(desk, "r2")
    cut(desk, "draft")
    cut(desk, "r4")
    manifest = read_manifest(desk.settings.drafts, "r4")
    assert manifest["since"] == {"release": "r2", "late": {}, "gone": {}}
    assert read_manifest(desk.settings.releases, "r1")["since"] == {}
    assert "attendance" in manifest["completeness"]


def test_change_notes_name_no_dataset_that_the_reader_may_not_see():
    facts = {
        "changes": {
            "first": False,
            "new_measures": [],
            "cells_of_the_population_that_moved": {},
        },
        "since": {"release": "r1", "late": {"social_care": 300, "asq3": 200}, "gone": {}},
    }
    assert change_notes(facts, {}, {"asq3"}) == [
        "Rows of quarters that r1 had too came late: about 200 of asq3."
    ]


def test_change_notes_name_measures_by_their_titles_and_only_those_that_the_reader_has():
    at = catalogue()
    measures = {
        name: Published(at[name], {})
        for name in ("preterm", "immunisation", "asq3_overall", "reach_adults")
    }
    moved = {"immunisation": 0, "asq3_overall": 0, "reach_adults": 3, "ncmp_weight": 2}
    cells = {name: {"cells": 9, "moved": count} for name, count in moved.items()}
    changes = {
        "first": False,
        "new_measures": ["birth_weight", "preterm"],
        "cells_of_the_population_that_moved": cells,
    }
    assert change_notes({"changes": changes}, measures) == [
        "New measures: Preterm births.",
        (
            "As in the release before: ASQ-3 at 2 to 2.5 years: all five domains; Immunisations up"
            " to date at 24 months."
        ),
        "Revised or added to since the release before: Adults reached.",
    ]
    assert change_notes({"changes": {"first": True}}, measures) == ["The first release."]


def test_whoever_cut_a_release_cannot_publish_it_and_somebody_else_can(desk):
    cut(desk)
    with pytest.raises(ApprovalError, match="another person"):
        desk.publish("ada", "r1")
    assert not (desk.settings.releases / "r1").exists()
    assert desk.publish("bea", "r1").state == "published"
    assert (desk.settings.releases / "r1" / "release.json").exists()
    assert not (desk.settings.drafts / "r1").exists()


def test_a_publication_that_was_interrupted_is_finished_before_anything_else_happens_to_it(desk):
    """The process is killed after the files are in place and before the store records it. The
    release is served, so it counts as seen.
    """
    cut(desk)
    publish_release(
        desk.settings.drafts, desk.settings.releases, "r1", {"cut_by": "ada", "published_by": "bea"}
    )
    for go_on in (lambda: desk.discard("ada", "r1"), lambda: cut(desk, "r2")):
        with pytest.raises(ReleaseError, match="publication was interrupted"):
            go_on()
    assert desk.publish("bea", "r1").state == "published"
    assert cut(desk, "r2")


def test_a_recall_needs_a_reason_and_two_persons_and_then_the_release_is_not_served_and_says_why(
    desk,
):
    published(desk)
    with pytest.raises(ApprovalError, match="reason"):
        desk.retract("ada", "r1", " ")
    assert desk.retract("ada", "r1", "a wrong extract").state == "recalling"
    with pytest.raises(ApprovalError, match="another person"):
        desk.retract("ada", "r1")
    with analyst(desk) as client:
        assert client.ask("immunisation").cells
    assert desk.retract("bea", "r1").state == "recalled"
    assert not (desk.settings.releases / "r1" / "release.json").exists()
    published(desk, "r2")
    with analyst(desk) as client:
        assert [release.id for release in client.releases()] == ["r2"]
        with pytest.raises(ClientError, match="a wrong extract"):
            client.ask("immunisation", release="r1")


def test_a_cut_that_dies_publishes_nothing_and_can_be_repeated(desk, monkeypatch):
    def die(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "remember", die)
        with pytest.raises(KeyboardInterrupt):
            cut(desk)
    assert desk.releases() == []
    assert not desk.settings.releases.exists()
    with pytest.raises(ReleaseError):
        desk.publish("bea", "r1")
    assert published(desk).state == "published"


def test_the_same_store_key_and_earlier_release_give_the_same_bytes(desk):
    first = cut(desk)
    desk.discard("ada", "r1")
    with desk.engine.begin() as tx:
        tx.execute(tables.release.delete())
    assert cut(desk).content_sha256 == first.content_sha256


def test_a_discarded_releases_name_is_not_used_again(desk):
    cut(desk)
    desk.discard("ada", "r1")
    with pytest.raises(ReleaseError, match="exists already"):
        cut(desk)


def test_figures_of_what_has_not_changed_are_carried_forward(desk):
    """One more birth changes some counts. All other figures stay exactly the same."""
    published(desk)
    before = figures(desk, "r1")
    fill(desk.engine, partnership(8, 1, first=5_000), first_row=10_000)
    published(desk, "r2")
    after, true = figures(desk, "r2"), {name: true_counts(desk, name) for name in ("r1", "r2")}
    unchanged = [cell for cell in before if true["r1"][cell] == true["r2"][cell]]
    assert len(unchanged) > 0.7 * len(before)
    assert len(unchanged) < len(before)
    assert all(before[cell] == after[cell] for cell in unchanged)


def test_a_draft_is_attacked_anew_with_what_was_published_since_it_was_cut(desk, monkeypatch):
    cut(desk, "r1")
    published(desk, "r2")
    given = []
    real = check.attack

    def spy(linked, protected, earlier, *more):
        given.append(len(earlier))
        return real(linked, protected, earlier, *more)

    monkeypatch.setattr(check, "attack", spy)
    desk.check("bea", "r1")
    assert given == [1, 1]
    # An earlier release leaves no room for the draft's small counts, so the draft is not published.
    with desk.engine.begin() as tx:
        for row in tx.execute(
            sa.select(tables.release_cells).where(tables.release_cells.c.release_id == "r2")
        ).all():
            counts, _ = tables.from_json(row.cells)
            told = tables.to_json({c: n + 5 for c, n in counts.items()}, dict.fromkeys(counts, 0))
            tx.execute(
                tables.release_cells.update()
                .where(
                    tables.release_cells.c.release_id == "r2",
                    tables.release_cells.c.population == row.population,
                )
                .values(cells=told)
            )
    with pytest.raises(ProtectionError, match="too tightly"):
        desk.publish("bea", "r1")
    assert not (desk.settings.releases / "r1").exists()


def meanwhile(monkeypatch, where, name, do):
    """Do something else once, just before `name` of `where` is called."""
    real, done = getattr(where, name), []

    def call(*arguments, **named):
        if not done:
            done.append(True)
            do()
        return real(*arguments, **named)

    monkeypatch.setattr(where, name, call)


def test_two_drafts_that_are_published_at_once_do_not_both_escape_the_attack_on_them_together(
    desk, monkeypatch
):
    cut(desk, "r1")
    cut(desk, "r2")
    meanwhile(monkeypatch, lifecycle, "check_together", lambda: desk.publish("bea", "r2"))
    with pytest.raises(ApprovalError, match="Another release was published"):
        desk.publish("bea", "r1")
    assert not (desk.settings.releases / "r1").exists()
    assert desk.publish("bea", "r1").state == "published"


def test_a_release_that_is_published_while_somebody_discards_it_is_not_forgotten(desk, monkeypatch):
    cut(desk, "r1")
    meanwhile(monkeypatch, ledger, "change", lambda: desk.publish("bea", "r1"))
    with pytest.raises(ApprovalError, match="is no longer draft"):
        desk.discard("ann", "r1")
    assert true_counts(desk, "r1")


def test_a_release_says_by_which_catalogue_it_was_counted_and_versions_only_rise(desk, tmp_path):
    published(desk)
    found = desk.show("r1")[1]["catalogue"]
    assert (found["id"], found["version"], found["sha256"]) == ("leap", 1, desk.declared.digest)

    def at(version, remark=""):
        folder = tmp_path / f"catalogue-{version}{remark}"
        shutil.copytree(bundled(), folder)
        text = (folder / "catalogue.toml").read_text()
        (folder / "catalogue.toml").write_text(
            text.replace("version = 1", f"version = {version}") + f"# {remark}\n"
        )
        return replace(desk, declared=Narrow(folder))

    with pytest.raises(ReleaseError, match="Version 1 of the catalogue has changed"):
        cut(at(1, "changed"), "r2")
    cut(at(3), "r3")
    with pytest.raises(ReleaseError, match="counted by version 3"):
        cut(at(2), "r4")


def test_a_doubtful_cut_has_to_be_asked_for_twice(desk):
    with pytest.raises(ReleaseError, match="is in the future"):
        desk.cut("ada", "r1", "2999-12-31")
    published(desk)
    with pytest.raises(ReleaseError, match="is before that of a release"):
        desk.cut("ada", "r2", "2024-06-30")
    with desk.engine.begin() as tx:
        tx.execute(
            tables.observation.delete().where(tables.observation.c.dataset == "immunisation")
        )
    with pytest.raises(ReleaseError, match="no rows of immunisation any more"):
        cut(desk, "r2")
    desk.cut("ada", "r2", "2024-12-31", anyway=True)
    [doubt] = desk.show("r2")[1]["doubts"]
    assert "immunisation" in doubt


def test_a_doubtful_cut_is_refused_before_anything_is_loaded(desk, monkeypatch):
    published(desk)
    with desk.engine.begin() as tx:
        tx.execute(
            tables.link.update()
            .where(tables.link.c.partner == "gp")
            .values(person=None, family=None)
        )
    monkeypatch.setattr(lifecycle, "open_counter", None)
    with pytest.raises(ReleaseError, match="no rows of immunisation any more"):
        cut(desk, "r2")


def test_a_damaged_release_stops_no_later_cut_and_is_reported(desk):
    published(desk)
    (desk.settings.releases / "r1" / "release.json").write_text("{")
    (desk.settings.releases / "r1" / "manifest.json").write_text("{")
    cut(desk, "r2")
    with pytest.raises(ReleaseError):
        desk.verify("ada")


def test_of_two_cuts_at_once_one_is_told_to_come_again(desk, monkeypatch):
    meanwhile(monkeypatch, lifecycle, "cut_release", lambda: cut(desk, "r2"))
    with pytest.raises(ReleaseError, match="Another release was cut"):
        cut(desk, "r1")
    cut(desk, "r1")
    assert {item.release_id: item.number for item in desk.releases()} == {"r1": 2, "r2": 1}


def test_one_damaged_manifest_takes_no_other_release_away(desk):
    published(desk)
    broken = desk.settings.releases / "r0"
    broken.mkdir()
    for text in ("{", "[]", '{"content_sha256": "0"}'):
        (broken / "manifest.json").write_text(text)
        metrics = ServingMetrics()
        assert [
            item.release_id
            for item in release_repository.ReleaseRepository(desk.settings.releases, metrics).all()
        ] == ["r1"]
        assert metrics.damaged._value.get() == 1


def test_data_of_two_purposes_are_joined_for_neither_and_no_measure_is_open_to_who_has_none(
    monkeypatch,
):
    purposes = "".join(
        f'[[purpose]]\nid = "{name}"\ntitle = "T"\nlawful_basis = "L"\ndatasets = ["{name}"]\nuntil'
        " = 2099-01-01\n"
        for name in ("asq3", "attendance")
    )
    access = Access(parse_purposes(purposes, ["asq3", "attendance"], "register"))
    whole = Release("r", 1, {}, {name: Published(item, {}) for name, item in catalogue().items()})
    both = Person("ann", frozenset(["analyst"]), purposes=("asq3", "attendance"))
    nobody = Person("ben", frozenset(["analyst"]))
    monkeypatch.setattr(server, "caller", lambda: both)
    seen = {name: item.measure for name, item in access.visible(whole).measures.items()}
    assert "service" in seen["reach_children"].dimensions
    assert "linkage_rate" not in seen, "every dataset is in it"
    assert "engaged" not in seen["asq3_overall"].dimensions, "attendance is in it"
    assert seen["asq3_overall"].compare is None
    monkeypatch.setattr(server, "caller", lambda: nobody)
    assert access.visible(whole).measures == {}


def test_a_breakdown_is_seen_only_with_all_the_datasets_that_say_it(monkeypatch):
    """The child's first language comes from the EYFS profile alone, and deprivation from many."""
    of = {
        "reach": ["attendance"],
        "school": ["attendance", "eyfs"],
        "all": list(all_datasets()),
    }
    purposes = "".join(
        f'[[purpose]]\nid = "{name}"\ntitle = "T"\nlawful_basis = "L"\ndatasets = {datasets}\n'
        "until = 2099-01-01\n"
        for name, datasets in of.items()
    )
    access = Access(parse_purposes(purposes, list(all_datasets()), "register"))
    whole = Release("r", 1, {}, {name: Published(item, {}) for name, item in catalogue().items()})
    seen = {}
    for name in of:
        person = Person("ann", frozenset(["analyst"]), purposes=(name,))
        monkeypatch.setattr(server, "caller", lambda person=person: person)
        measures = access.visible(whole).measures
        seen[name] = set(measures["reach_children"].measure.dimensions)
        assert ("linkage_rate" in measures) == (name == "all")
    assert {"language", "priority", "ethnicity", "residence"} & seen["reach"] == set()
    assert {"service", "quarter"} <= seen["reach"]
    assert seen["school"] == seen["reach"] | {"language"}
    assert {"priority", "ethnicity", "residence"} <= seen["all"]


def test_a_damaged_draft_is_neither_verified_nor_published(desk):
    cut(desk)
    body = desk.settings.drafts / "r1" / "release.json"
    body.write_bytes(body.read_bytes().replace(b"5]", b"0]", 1))
    for act in (lambda: desk.verify("bea"), lambda: desk.publish("bea", "r1")):
        with pytest.raises(ReleaseError):
            act()


def test_what_is_kept_too_long_is_deleted_before_a_cut_and_that_is_written_down(desk):
    kept = Register(retention_months={"immunisation": 12})
    before = kept.expired_before(date.today())["immunisation"]
    desk = replace(desk, register=kept)
    c = tables.observation.c
    old = sa.select(sa.func.count()).where(c.dataset == "immunisation", c.month < before)
    with desk.engine.connect() as tx:
        count = tx.execute(old).scalar_one()
    assert count > 0
    cut(desk)
    with desk.engine.connect() as tx:
        assert tx.execute(old).scalar_one() == 0
        assert (
            tx.execute(sa.select(sa.func.count()).where(c.dataset == "maternity")).scalar_one() > 0
        )
    [entry] = [entry for entry in desk.audit_trail() if entry.action == "retention"]
    assert entry.who == lifecycle.SCHEDULE
    assert str(count) in str(entry.detail)


def test_the_schedule_names_the_period_that_is_due_until_somebody_has_cut_it(desk):
    assert desk.due(date(2025, 1, 10)) == ("2024-Q3", "2024-09-30"), "28 days for late data"
    assert desk.due(date(2025, 2, 1)) == ("2024-Q4", "2024-12-31")
    cut(desk, "2024-Q4")
    assert desk.due(date(2025, 2, 1)) is None


def test_everything_done_or_refused_is_in_an_audit_trail_that_shows_tampering(desk):
    published(desk)
    with pytest.raises(ApprovalError):
        desk.publish("ada", "r1")
    done = [(entry.who, entry.action) for entry in desk.audit_trail()]
    assert ("ada", "release cut") in done
    assert ("bea", "release publish") in done
    assert ("ada", "release publish: failed") in done, "refused attempts as well"
    desk.verify_audit()
    with desk.engine.begin() as tx:
        [name] = [t.name for t in tables.metadata.tables.values() if "audit" in t.name]
        tx.execute(sa.text(f"UPDATE {name} SET who = 'eve' WHERE who = 'ada'"))
    with pytest.raises(AuditBrokenError):
        desk.verify_audit()


METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in (analytics_pb2.DESCRIPTOR, release_pb2.DESCRIPTOR)
    for service in file.services_by_name.values()
    for method in service.methods
}
_ASK = "Query StreamQuery Compare Change Pathways Trend Inequality Contrast Standardise Propose"
_LOOK = "ListReleases DescribeRelease ListMeasures ListProposals"
MAY = {
    "analyst": f"{_LOOK} {_ASK}",
    "release_manager": (
        f"{_LOOK} CutRelease CheckRelease PublishRelease DiscardRelease RecallRelease "
        "ListAllReleases ShowRelease VerifyReleases"
    ),
    "auditor": f"{_LOOK} CheckRelease ListAllReleases ShowRelease VerifyReleases",
    "steward": "",
    "operator": "",
}


def test_every_method_of_both_services_has_a_rule_and_is_in_the_table_above():
    rules = {**server.RULES, **RELEASE_RULES}
    assert set(rules) >= METHODS
    assert {method.rpartition("/")[2] for method in METHODS} == {
        name for names in MAY.values() for name in names.split()
    }


class Anything(grpc.GenericRpcHandler):
    """Answers every method with an empty message, so that only the guard decides."""

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda _request, _context: empty_pb2.Empty(),
            request_deserializer=empty_pb2.Empty.FromString,
            response_serializer=empty_pb2.Empty.SerializeToString,
        )


def test_each_role_may_call_what_the_table_says_and_nothing_else():
    tokens = {role: new_token() for role in ROLES}
    policy = parse_policy(
        "\n".join(
            f'[[person]]\nname = "a.{role}"\nroles = ["{role}"]\ntoken_sha256 = "{sha256(token)}"'
            for role, token in tokens.items()
        )
    )
    guarded = grpc.server(
        ThreadPoolExecutor(2),
        interceptors=[Guard(lambda: policy, {**server.RULES, **RELEASE_RULES})],
    )
    guarded.add_generic_rpc_handlers([Anything()])
    port = guarded.add_insecure_port("127.0.0.1:0")
    guarded.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for method in sorted(METHODS):
            assert call(channel, method, None) == grpc.StatusCode.UNAUTHENTICATED
            for role, token in tokens.items():
                allowed = method.rpartition("/")[2] in MAY[role].split()
                expected = grpc.StatusCode.OK if allowed else grpc.StatusCode.PERMISSION_DENIED
                assert call(channel, method, token) == expected, f"{role} {method}"
    guarded.stop(0).wait()


def call(channel, method, token):
    metadata = [("authorization", f"Bearer {token}")] if token else []
    ask = channel.unary_unary(method, empty_pb2.Empty.SerializeToString, empty_pb2.Empty.FromString)
    try:
        ask(empty_pb2.Empty(), metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("purposes", "seen"),
    [("", set()), ('"gp"', {"immunisation"}), ('"over"', set()), ('"gp", "hv"', set(MEASURES))],
)
def test_an_analyst_sees_the_measures_of_their_purposes_and_the_rest_is_as_if_there_were_none(
    desk, tmp_path, purposes, seen
):
    published(desk)
    register = "".join(
        f'[[purpose]]\nid = "{name}"\ntitle = "T"\nlawful_basis = "L"\ndatasets ='
        f' ["{dataset}"]\nuntil = {until}\n'
        for name, dataset, until in (
            ("gp", "immunisation", "2099-01-01"),
            ("hv", "six_week_review", "2099-01-01"),
            ("over", "immunisation", "2020-01-01"),
        )
    )
    token = new_token()
    (tmp_path / "policy.toml").write_text(
        f'[[person]]\nname = "ann"\nroles = ["analyst"]\ntoken_sha256 = "{sha256(token)}"\npurposes'
        f" = [{purposes}]\n"
    )
    settings = ServingSettings(
        releases=desk.settings.releases, address="127.0.0.1:0", policy=tmp_path / "policy.toml"
    )
    access = Access(parse_purposes(register, ["immunisation", "six_week_review"], "register"))
    served, port = serve(settings, ServingMetrics(), access)
    with Client(f"127.0.0.1:{port}", token=token) as client:
        assert {measure.id for measure in client.measures()} == seen
        assert set(client.describe()["measures"]) == seen
        for name in MEASURES:
            if name in seen:
                assert client.ask(name).cells
                continue
            for asked in (
                client.ask,
                client.compare,
                client.change,
                client.trend,
                client.inequality,
            ):
                with pytest.raises(ClientError, match="no measure"):
                    asked(name)
    served.stop(0).wait()


def test_callers_who_all_come_at_once_to_a_server_that_just_started_are_all_answered(
    desk, monkeypatch
):
    published(desk)
    reads = release_repository.read_release
    monkeypatch.setattr(
        release_repository, "read_release", lambda *asked: time.sleep(0.2) or reads(*asked)
    )
    held = release_repository.ReleaseRepository(desk.settings.releases, ServingMetrics())
    with ThreadPoolExecutor(8) as callers:
        asked = [callers.submit(held.get, "") for _ in range(8)]
    assert {call.result().number for call in asked} == {1}


class analyst:
    """An analyst's connection to a server of the workflow's releases."""

    def __init__(self, desk):
        settings = ServingSettings(releases=desk.settings.releases, address="127.0.0.1:0")
        self.server, port = serve(settings, ServingMetrics(), Access(None))
        self.client = Client(f"127.0.0.1:{port}")

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.client.close()
        self.server.stop(0).wait()


def figures(desk, release_id):
    content = json.loads((desk.settings.releases / release_id / "release.json").read_text())
    return {
        (item["measure"]["id"], json.dumps(cell, sort_keys=True)): count
        for item in content["measures"]
        for cell, count in item["cells"]
    }


def true_counts(desk, release_id):
    found = {}
    with desk.engine.connect() as tx:
        for row in tx.execute(
            sa.select(tables.release_cells).where(tables.release_cells.c.release_id == release_id)
        ):
            counts, _ = tables.from_json(row.cells)
            [measure] = [m.id for m in MEASURES.values() if m.population == row.population]
            found |= {
                (measure, json.dumps(dict(cell), sort_keys=True)): n for cell, n in counts.items()
            }
    return found
