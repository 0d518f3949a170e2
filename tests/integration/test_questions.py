"""The bank of questions, asked of a release. The numbers may rise, and never fall unseen."""

import pytest
from childlink_catalogue.catalogue import Catalogue, bundled
from childlink_local.questions import NOT_ASKED, SHOWN, ask_all, by_theme

from tests.attacks.answers.world import UNTIL, Hub, partnership, rich
from tests.support.recount import Recount, table_of

DECLARED = Catalogue(bundled())
FEWEST_ASKED, FEWEST_SHOWN = 93, 88
LARGEST_ERROR = 9


@pytest.fixture(scope="module")
def world():
    return rich(partnership(4, 1_500))


@pytest.fixture(scope="module")
def client(world, tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("releases"), measures=DECLARED.measures(UNTIL))
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
        answer = client.ask(keys.measure, keys.by, dict(keys.where))
        measure = DECLARED.measures(UNTIL)[keys.measure]
        names = (*keys.by, *keys.where)
        true = recount.cells(measure, names)
        for cell in answer.cells:
            if cell.count is None:
                continue
            kept = (*cell.categories, *(values[0] for values in keys.where.values()))
            counted = true.get(kept, 0)
            assert abs(cell.count - counted) <= LARGEST_ERROR, (number, kept, cell.count, counted)
            compared += 1
    assert compared > 150
