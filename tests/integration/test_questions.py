"""The bank of questions, asked of a release. The numbers may rise, and never fall unseen."""

import pytest
from childlink_analytics.releasing.app import read_tables
from childlink_catalogue.catalogue import Catalogue, bundled
from childlink_local.questions import NOT_ASKED, SHOWN, ask, ask_all, by_theme
from childlink_local.synth.tables import write_tables

from tests.attacks.answers.world import UNTIL, Hub, partnership, rich
from tests.support.records import with_records
from tests.support.recount import Recount, table_of

# The recount in pandas takes minutes on a slow machine.
pytestmark = pytest.mark.timeout(900)
DECLARED = Catalogue(bundled())
FEWEST_ASKED, FEWEST_SHOWN = 206, 150
LARGEST_ERROR = 9


@pytest.fixture(scope="module")
def world():
    return with_records(rich(partnership(4, 1_200)), DECLARED)


@pytest.fixture(scope="module")
def client(world, tmp_path_factory):
    beside = tmp_path_factory.mktemp("beside")
    write_tables(beside)
    hub = Hub(
        tmp_path_factory.mktemp("releases"),
        measures=DECLARED.measures(UNTIL),
        tables=read_tables(beside, DECLARED, UNTIL),
    )
    hub.cut(world, "r1")
    with hub.analyst() as client:
        yield client


@pytest.fixture(scope="module")
def recount(world):
    return Recount(DECLARED, table_of(*world.batches()), UNTIL)


@pytest.fixture(scope="module")
def outcomes(client):
    return list(ask_all(client, DECLARED.questions))


def test_the_bank_has_every_question_and_says_what_the_others_lack(outcomes):
    assert len(outcomes) == 208
    assert all(item.keys.measure or item.keys.lacks for item in outcomes)


def test_no_fewer_questions_can_be_asked_or_are_shown_than_before(outcomes):
    asked = [item for item in outcomes if item.state != NOT_ASKED]
    shown = [item.number for item in outcomes if item.state == SHOWN]
    failed = [i for i in outcomes if i.keys.measure and i.state == NOT_ASKED]
    assert not failed, [(item.number, item.why) for item in failed]
    assert len(asked) >= FEWEST_ASKED
    assert len(shown) >= FEWEST_SHOWN, len(shown)
    total = by_theme(outcomes)[-1]
    assert total[1:] == (len(shown), len(asked) - len(shown), 208 - len(asked))


def test_every_count_that_is_shown_is_within_the_policy_s_error_of_a_recount(client, recount):
    compared = 0
    for number, keys in DECLARED.questions.items():
        if keys.measure is None or keys.by_means_of != "ask":
            continue
        if keys.measure in DECLARED.tables(UNTIL):
            continue
        answer = client.ask(keys.measure, keys.by, dict(keys.where))
        fixed = {name: values[0] for name, values in keys.where.items() if name not in keys.by}
        measure = DECLARED.measures(UNTIL)[keys.measure]
        true = recount.cells(measure, (*keys.by, *fixed))
        for cell in answer.cells:
            if cell.count is None:
                continue
            kept = (*cell.categories, *fixed.values())
            counted = true.get(kept, 0)
            assert abs(cell.count - counted) <= LARGEST_ERROR, (number, kept, cell.count, counted)
            compared += 1
    assert compared > 300


def test_both_groups_of_every_contrast_are_within_the_policy_s_error_of_a_recount(client, recount):
    compared = 0
    for number, keys in DECLARED.questions.items():
        if keys.by_means_of != "contrast":
            continue
        sides = ((keys.measure, keys.where), (keys.per or keys.measure, keys.against))
        found = ask(client, keys)
        for at, (name, where) in enumerate(sides):
            if name in DECLARED.tables(UNTIL):
                continue
            fixed = {dimension: values[0] for dimension, values in where.items()}
            measure = DECLARED.measures(UNTIL)[name]
            true = recount.cells(measure, (*keys.by, *fixed))
            for row in found.results:
                cell = row.against if at else row.of
                if cell.count is not None:
                    kept = ((row.category,) if keys.by else ()) + tuple(fixed.values())
                    assert abs(cell.count - true.get(kept, 0)) <= LARGEST_ERROR, (number, kept)
                    compared += 1
    assert compared > 10


def test_a_table_beside_is_published_as_its_file_says(client):
    answer = client.ask("sessions_held", ["activity"])
    assert {cell.categories[0]: cell.count for cell in answer.cells} == {
        "drop_in": 1_824,
        "course": 1_483,
        "one_to_one": 29,
        "event": 299,
        "not_recorded": 0,
    }
    assert answer.notes[0] == "Figures as their source gives them. They are not of linked people."
    cost = client.contrast("spending", per="sessions_held")
    assert round(cost.results[0].ratio.value) == round(38_000_000 / 3_635)
