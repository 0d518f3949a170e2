"""From a question to a release: an analyst proposes a measure, hears in words what it counts and
what published figures say about its size; a release manager sees what fits, and decides.
"""

import json
import shutil
from dataclasses import replace
from datetime import date

import pytest
from childlink_access.policy import new_token, sha256
from childlink_analytics.answering import release_repository
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.releasing.release.workflow import ReleaseWorkflow
from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_analytics.shared.proposals import MOST_KEPT, Proposals, Stored
from childlink_analytics.shared.purposes import Register, parse_purposes
from childlink_bus.database import migrate, open_database
from childlink_catalogue.catalogue import Catalogue, bundled
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.proposing import Proposal
from childlink_client import Client, ClientError

from tests.attacks.answers.world import partnership
from tests.unit.test_release_workflow import Narrow, fill

UNTIL = date(2024, 12, 31)
TEXT = """\
[[measure]]
id = "feeding_by_sex"
title = "Breastfeeding by sex and deprivation"
description = "Children breastfed at 6 to 8 weeks, of those with a review."
population = "six_weeks_child"
share = { dimension = "breastfed", of = "breastfed", against = "not_breastfed" }
cubes = [["breastfed", "sex", "imd_quintile"], ["breastfed", "residence"]]
"""


class OfReviews(Catalogue):
    """A catalogue as far as it counts children with a review at 6 to 8 weeks."""

    def measures(self, until=UNTIL):
        """Its measures of them."""
        return {n: m for n, m in super().measures(until).items() if m.view == "six_weeks_child"}


@pytest.fixture
def desk(tmp_path):
    """A release workflow with one published release of two small measures."""
    engine = open_database(f"sqlite:///{tmp_path / 'store.sqlite'}")
    migrate(engine, "childlink_analytics.releasing.store")
    settings = StoreSettings(
        directory=tmp_path / "d.toml",
        drafts=tmp_path / "drafts",
        releases=tmp_path / "releases",
        proposals=tmp_path / "proposals",
    )
    fill(engine, partnership(1, 150))
    desk = ReleaseWorkflow(
        engine, settings, b"rounding", b"audit", {}, Register(), Narrow(bundled())
    )
    desk.cut("ada", "r1", UNTIL.isoformat())
    desk.publish("bea", "r1")
    yield desk
    engine.dispose()


@pytest.fixture
def asked(desk, tmp_path):
    """Connections of two analysts, one of whom may see every dataset."""
    tokens = {name: new_token() for name in ("ann", "guy")}
    (tmp_path / "policy.toml").write_text(
        "".join(
            f'[[person]]\nname = "{name}"\nroles = ["analyst"]\n'
            f'token_sha256 = "{sha256(token)}"\npurposes = ["{name}"]\n'
            for name, token in tokens.items()
        )
    )
    every = list(Catalogue(bundled()).datasets)
    register = parse_purposes(
        "".join(
            f'[[purpose]]\nid = "{name}"\ntitle = "T"\nlawful_basis = "L"\n'
            f"datasets = {json.dumps(datasets)}\nuntil = 2099-01-01\n"
            for name, datasets in (("ann", every), ("guy", ["immunisation"]))
        ),
        every,
        "register",
    )
    settings = ServingSettings(
        releases=desk.settings.releases,
        proposals=desk.settings.proposals,
        address="127.0.0.1:0",
        policy=tmp_path / "policy.toml",
    )
    server, port = serve(settings, ServingMetrics(), Access(register))
    clients = {name: Client(f"127.0.0.1:{port}", token=token) for name, token in tokens.items()}
    yield clients
    for client in clients.values():
        client.close()
    server.stop(0).wait()


def test_a_proposer_hears_in_words_what_it_counts_and_only_from_published_figures_how_large_it_is(
    asked, desk
):
    said = asked["ann"].propose(TEXT, check_only=True)
    [description] = said["descriptions"]
    assert "Counts children" in description
    assert "Made from: six_week_review" in description
    notes = " ".join(said["notes"])
    shown = asked["ann"].ask("breastfeeding").cells[0].count
    assert f"r1 shows {shown} children in all" in notes
    assert "breastfed x sex x imd_quintile" in notes, "150 children are too few for so many cells"
    assert Proposals(desk.settings.proposals, desk.settings.releases).all() == [], "only checked"


def test_a_proposal_is_kept_once_and_everyone_sees_what_became_of_it(asked, desk):
    first = asked["ann"].propose(TEXT)
    assert not first["known"]
    assert asked["ann"].propose(TEXT) == {**first, "known": True}
    [shown] = asked["guy"].proposals()
    assert (shown["id"], shown["who"], shown["state"]) == (first["id"], "ann", "waiting")
    proposals = Proposals(desk.settings.proposals, desk.settings.releases)
    desk.decline("bea", proposals, first["id"], "We publish this by quarter from next year.")
    [shown] = asked["ann"].proposals()
    assert shown["state"] == "declined"
    assert "by quarter" in shown["why"]
    trail = [(entry.who, entry.action) for entry in desk.audit_trail()]
    assert ("bea", "proposal decline") in trail


def test_a_proposal_of_what_no_purpose_allows_is_refused(asked, desk):
    with pytest.raises(ClientError, match="none of your purposes covers"):
        asked["guy"].propose(TEXT)
    assert asked["ann"].proposals() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"sex"', '"hair"'), "no dimension hair"),
        (('"six_weeks_child"', '"nobody"'), "no population nobody"),
        (('"feeding_by_sex"', '"breastfeeding"'), "declared twice"),
        (("[[measure]]", "[[measures]]"), "measures"),
        (("title =", "title"), "TOML|toml"),
        ((TEXT, ""), "no measure"),
        ((TEXT, "#" * 40_000), "longer"),
    ],
)
def test_a_proposal_with_a_mistake_is_refused_with_the_place_and_the_remedy(asked, change, said):
    with pytest.raises(ClientError, match=said):
        asked["ann"].propose(TEXT.replace(*change))
    assert asked["ann"].proposals() == []


def test_a_service_without_a_folder_for_proposals_says_so(desk):
    settings = ServingSettings(releases=desk.settings.releases, address="127.0.0.1:0")
    server, port = serve(settings, ServingMetrics(), Access(None))
    with Client(f"127.0.0.1:{port}") as client, pytest.raises(ClientError, match="no proposals"):
        client.propose(TEXT)
    server.stop(0).wait()


def test_a_plan_says_what_fits_and_publishes_nothing(desk):
    found = desk.plan("bea", [Proposal(TEXT)], UNTIL.isoformat())
    [population] = found.populations
    assert population.population == "six_weeks_child WHERE TRUE"
    assert population.cells > population.before > 0
    assert 0 < population.people < 150
    assert found.not_protected == []
    assert [item.release_id for item in desk.releases()] == ["r1"]
    assert ("bea", "proposal plan") in [(e.who, e.action) for e in desk.audit_trail()]


def test_two_proposals_with_one_measure_are_not_planned_as_one(desk):
    with pytest.raises(CatalogueError, match="declared twice"):
        desk.plan("bea", [Proposal(TEXT), Proposal(f"# another\n{TEXT}")], UNTIL.isoformat())


def test_what_does_not_fit_goes_from_the_proposal_before_it_goes_from_what_is_published(
    desk, monkeypatch
):
    from childlink_analytics.errors import ProtectionError
    from childlink_analytics.releasing.release import cut as cutting

    real = cutting.protect

    def stubborn(population, measures, *more, **named):
        if sum(len(measure.cubes) for measure in measures) > 4:
            raise ProtectionError("Too tight.", "Use a coarser level.")
        return real(population, measures, *more, **named)

    monkeypatch.setattr(cutting, "protect", stubborn)
    found = desk.plan("bea", [Proposal(TEXT)], UNTIL.isoformat())
    assert found.not_protected
    assert {lost["measure"] for lost in found.not_protected} == {"feeding_by_sex"}


def test_an_accepted_proposal_is_in_the_next_release(asked, desk, tmp_path, monkeypatch):
    monkeypatch.setattr(release_repository, "_LOOK_AGAIN_S", 0.0)
    made = asked["ann"].propose(TEXT)
    folder = tmp_path / "catalogue"
    shutil.copytree(bundled(), folder)
    text = Proposals(desk.settings.proposals, desk.settings.releases).get(made["id"]).text
    (folder / "measures" / "feeding_by_sex.toml").write_text(text)
    about = (folder / "catalogue.toml").read_text()
    version = Catalogue(folder).about.version
    changed = about.replace(f"version = {version}", f"version = {version + 1}")
    (folder / "catalogue.toml").write_text(changed)
    desk = replace(desk, declared=OfReviews(folder))
    desk.cut("ada", "r2", UNTIL.isoformat(), anyway=True)
    desk.publish("bea", "r2")
    assert {item.id for item in asked["ann"].measures("r2")} >= {"feeding_by_sex"}
    [shown] = asked["ann"].proposals()
    assert shown["state"] == "published"


def test_a_flood_of_proposals_is_stopped(tmp_path):
    proposals = Proposals(tmp_path / "proposals", tmp_path / "releases")
    for number in range(MOST_KEPT):
        proposals.add(Stored(f"# {number}", "ann", "2026-01-01", {}))
    with pytest.raises(CatalogueError, match="kept already"):
        proposals.add(Stored("# more", "ann", "2026-01-01", {}))


def test_a_damaged_file_and_one_under_another_name_are_left_out(tmp_path):
    proposals = Proposals(tmp_path / "proposals", tmp_path / "releases")
    proposals.add(Stored("# one", "ann", "2026-01-01", {"x": "X"}))
    (tmp_path / "proposals" / "half.json").write_text('{"text": "')
    whole = next((tmp_path / "proposals").glob("[0-9a-f]*.json")).read_text()
    (tmp_path / "proposals" / "another.json").write_text(whole)
    assert [item.text for item in proposals.all()] == ["# one"]
