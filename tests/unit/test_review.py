"""Doubtful pairs, and a data steward's decisions on them."""

import time
from datetime import date
from itertools import combinations

import pytest
from childlink_core.profiles import get_profile
from childlink_linker.errors import ReviewError
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking.relink import relink
from childlink_linker.review import cases as review
from childlink_linker.store.store import Store

from tests.bench.bench_encode import nhs_number
from tests.support.people import NHS, VAULT

CONTEXT = (get_profile(), load_parameters())


@pytest.fixture
def doubtful(linker, child):
    """Two children with one name and date of birth, with two numbers and two addresses."""
    a, b = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"),
    )
    linker.send("trust-a", a)
    linker.send("council-b", b)
    first, second = linker.persons(a, b)
    assert first != second
    return a, b


def within(linker, use):
    with linker.engine.begin() as tx:
        return use(Store(tx, VAULT))


def only_doubt(linker):
    [doubt] = within(linker, review.doubts)
    return doubt


def decide(linker, pair, verdict, steward="N. Steward", second=False):
    def said(store):
        return review.decide(
            store, [(pair, verdict)], steward, "spoke to both", *CONTEXT, asks_second=second
        )

    return within(linker, said)


def together(linker, *subjects):
    return len(set(linker.persons(*subjects))) == 1


def test_a_doubtful_pair_waits_with_what_speaks_for_and_against_it(linker, doubtful):
    doubt = only_doubt(linker)
    assert set(doubt.persons) == set(linker.persons(*doubtful))
    [pair] = within(linker, lambda store: review.show(store, doubt.pair, *CONTEXT))
    said = {finding.what: finding for finding in pair.findings}
    assert said["given name and surname"].bits > 0 > said["NHS number"].bits
    assert (pair.one, pair.other) == ("A1", "B1")


def test_same_joins_them_and_different_keeps_them_apart_whatever_comes_later(
    linker, child, doubtful
):
    a, b = doubtful
    decide(linker, only_doubt(linker).pair, "same")
    assert together(linker, a, b)
    assert within(linker, review.doubts) == []
    decide(linker, pair := within(linker, review.decisions)[0].pair, "different")
    assert not together(linker, a, b)
    # Evidence that would join them has no effect: a steward has decided.
    linker.send("council-b", child("council-b", "1", nhs=NHS[0]))
    assert not together(linker, a, b)
    assert within(linker, review.doubts) == []
    assert {item.pair for item in within(linker, review.decisions)} == {pair}


def test_a_decision_outlives_linking_everything_anew(linker, doubtful):
    decide(linker, only_doubt(linker).pair, "same")
    within(linker, lambda store: relink(store, *CONTEXT))
    assert together(linker, *doubtful)


def test_an_undone_decision_counts_no_more_and_stays_in_the_record(linker, doubtful):
    decide(linker, only_doubt(linker).pair, "same")
    [decision] = within(linker, review.decisions)
    within(linker, lambda store: review.undo(store, decision.decision_id, "A. Chief", *CONTEXT))
    assert not together(linker, *doubtful)
    [decision] = within(linker, review.decisions)
    assert (decision.steward, decision.reason, decision.undone_by) == (
        "N. Steward",
        "spoke to both",
        "A. Chief",
    )
    with pytest.raises(ReviewError, match="undo"):
        within(linker, lambda store: review.undo(store, decision.decision_id, "A. Chief", *CONTEXT))


def test_who_does_not_know_leaves_the_pair_waiting_and_says_so(linker, doubtful):
    decide(linker, only_doubt(linker).pair, "unsure")
    doubt = only_doubt(linker)
    assert doubt.unsure == 1
    assert not together(linker, *doubtful)


def test_somebody_who_does_not_know_takes_no_decision_back(linker, doubtful):
    pair = only_doubt(linker).pair
    decide(linker, pair, "same")
    decide(linker, pair, "unsure")
    assert together(linker, *doubtful)


def test_who_is_withdrawn_takes_decisions_along(linker, doubtful):
    decide(linker, only_doubt(linker).pair, "same")
    linker.send("council-b", withdrawn=[doubtful[1].link_reference])
    assert within(linker, review.decisions) == []


def test_a_pair_that_is_none_or_a_decision_without_a_name_is_refused(linker, doubtful):
    with pytest.raises(ReviewError, match="No pair"):
        decide(linker, (7, 9), "same")
    pair = only_doubt(linker).pair
    with pytest.raises(ReviewError, match="needs a name"):
        within(linker, lambda store: review.decide(store, [(pair, "same")], " ", "x", *CONTEXT))


def test_a_second_opinion_that_agrees_settles_it_and_one_that_does_not_leaves_it_waiting(
    linker, doubtful
):
    pair = only_doubt(linker).pair
    decide(linker, pair, "same", second=True)
    assert not together(linker, *doubtful)
    assert only_doubt(linker).asks_second
    decide(linker, pair, "different", "B. Other")
    assert not together(linker, *doubtful)
    assert only_doubt(linker).pair == pair
    decide(linker, pair, "same", "C. Third")
    assert together(linker, *doubtful)
    assert within(linker, review.doubts) == []


def test_who_passes_on_a_case_or_has_spoken_is_not_offered_it_again_and_others_are(
    linker, doubtful
):
    pair = only_doubt(linker).pair
    decide(linker, pair, "passed")
    assert within(linker, lambda store: review.cases(store, "N. Steward")) == []
    [case] = within(linker, lambda store: review.cases(store, "B. Other"))
    assert [doubt.pair for doubt in case.doubts] == [pair]


def test_pairs_that_have_people_in_common_are_one_case(linker, child):
    twins = [child("trust-a", str(n), given=f"TWIN {n}", birth_order=n) for n in (1, 2)]
    linker.send("trust-a", *twins)
    linker.send("council-b", child("council-b", "1"))
    [case] = within(linker, review.cases)
    assert len(case.doubts) == 2
    assert sorted(case.letters.values()) == ["A", "B", "C"]


def test_a_pair_keeps_its_place_in_the_queue_when_its_people_are_linked_anew(
    linker, child, doubtful
):
    since = only_doubt(linker).since_ms
    time.sleep(0.01)
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0], dataset="maternity"))
    assert only_doubt(linker).since_ms == since


def test_nothing_is_shown_of_people_who_do_not_wait(linker, child):
    """A caller who could compare any two people could build the similarity graph of all people.
    Graph matching attacks need exactly that.
    """
    everyone = [
        child("trust-a", str(n), given=name, nhs=NHS[n])
        for n, name in enumerate(["Amina", "Oliver", "Zoe"])
    ]
    linker.send("trust-a", *everyone)
    for one, other in combinations(range(1, 4), 2):
        with pytest.raises(ReviewError, match="is waiting"):
            within(linker, lambda store, pair=(one, other): review.show(store, pair, *CONTEXT))


@pytest.fixture
def alike(linker, partnership):
    """Six children with one pattern: one name and date of birth, two numbers and two addresses."""
    names = ["Amina", "Oliver", "Zoe", "Kwame", "Grace", "Hassan"]
    pairs = []
    for partner, number, postcode in (("trust-a", 0, "SW9 8JJ"), ("council-b", 100, "SE24 0AA")):
        subjects = [
            partnership.subject(
                partner,
                str(at),
                nhs=nhs_number(number + at),
                given=given,
                surname="Okafor",
                sex="f",
                postcode=postcode,
                born=date(2020, 3, 1 + at),
            )
            for at, given in enumerate(names)
        ]
        linker.send(partner, *subjects)
        pairs.append(subjects)
    return list(zip(*pairs, strict=True))


def test_pairs_that_agree_and_differ_in_the_same_fields_are_one_pattern(linker, alike):
    [pattern] = linker.desk().patterns("N. Steward")
    assert len(pattern.doubts) == len(alike)
    said = {finding.what: finding.outcome for finding in pattern.findings}
    assert said["given name and surname"] == "same"
    assert said["NHS number"] == "different"
    assert 0 < pattern.expected_same < 1


def test_a_verdict_on_a_pattern_counts_when_a_second_steward_gives_the_same(linker, alike):
    desk = linker.desk()
    [pattern] = desk.patterns("N. Steward")
    pairs, outcome = desk.propose("N. Steward", pattern.name, "same", "one hospital renumbered")
    assert (pairs, len(outcome.linked)) == (6, 0)
    assert not any(together(linker, *pair) for pair in alike)
    assert desk.patterns("N. Steward") == []
    with pytest.raises(ReviewError, match="No pattern"):
        desk.propose("N. Steward", pattern.name, "same", "said it before")
    [offered] = desk.patterns("B. Other")
    assert (offered.name, offered.proposed("same")) == (pattern.name, 6)
    desk.propose("B. Other", pattern.name, "same", "the hospital confirms")
    assert all(together(linker, *pair) for pair in alike)
    assert within(linker, review.doubts) == []


def test_two_stewards_who_disagree_on_a_pattern_leave_its_pairs_waiting(linker, alike):
    desk = linker.desk()
    [pattern] = desk.patterns("N. Steward")
    desk.propose("N. Steward", pattern.name, "same", "one hospital renumbered")
    desk.propose("B. Other", pattern.name, "different", "two hospitals")
    assert not any(together(linker, *pair) for pair in alike)
    assert len(within(linker, review.doubts)) == len(alike)


def test_a_pair_that_was_decided_by_itself_is_no_longer_in_the_pattern(linker, alike):
    desk = linker.desk()
    [pattern] = desk.patterns("N. Steward")
    decide(linker, pattern.pairs[0], "different", "C. Third")
    [left] = desk.patterns("N. Steward")
    assert (left.name, len(left.doubts)) == (pattern.name, 5)


def test_a_pattern_is_undone_as_one_step(linker, alike):
    desk = linker.desk()
    [pattern] = desk.patterns("N. Steward")
    for steward in ("N. Steward", "B. Other"):
        desk.propose(steward, pattern.name, "same", "the hospital confirms")
    last = desk.decisions("B. Other")[-1]
    desk.undo("B. Other", last.decision_id, whole=True)
    assert not any(together(linker, *pair) for pair in alike)
    assert sum(bool(item.undone_by) for item in desk.decisions("B. Other")) == 6


def test_a_case_of_three_people_belongs_to_no_pattern(linker, child):
    """The record without a name fits either twin, and so do others like it: each is looked at."""
    for family, surname, postcode in (("1", "Okafor", "SW9 8JJ"), ("2", "Lindqvist", "SE24 0AA")):
        who = {"surname": surname, "postcode": postcode, "born": date(2020, 3, int(family))}
        twins = [
            child("trust-a", f"{family}{n}", given=f"TWIN {n}", birth_order=n, **who)
            for n in (1, 2)
        ]
        linker.send("trust-a", *twins)
        linker.send("council-b", child("council-b", family, **who))
    assert len(within(linker, review.cases)) == 2
    assert linker.desk().patterns("N. Steward") == []


def test_what_a_pattern_shows_counts_towards_the_daily_limit_of_views(linker, alike):
    desk = linker.desk(views_a_day=25)
    [pattern] = desk.patterns("N. Steward")
    for _ in range(2):
        assert len(desk.pattern("N. Steward", pattern.name).examples) == 6
    with pytest.raises(ReviewError, match="which is the limit"):
        desk.pattern("N. Steward", pattern.name)


def test_the_clearest_case_comes_first(linker, child, alike):
    who = {"surname": "Lindqvist", "postcode": "SE5 9RS", "born": date(2019, 7, 2)}
    twins = [child("trust-a", f"t{n}", given=f"TWIN {n}", birth_order=n, **who) for n in (1, 2)]
    linker.send("trust-a", *twins)
    linker.send("council-b", child("council-b", "t", **who))
    cases = within(linker, review.cases)
    assert [len(case.doubts) for case in cases] == [1, 1, 1, 1, 1, 1, 2]
