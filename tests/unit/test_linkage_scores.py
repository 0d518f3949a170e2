"""The scores of the linkage benchmark, against hand-calculated examples."""

from datetime import date

import pytest
from childlink_ingest.model.rows import Identity

from tests.bench.linkage_data import Key, Person, Plain, Population
from tests.bench.linkage_errors import cause, wrong_pairs
from tests.bench.linkage_truth import (
    Pairs,
    across,
    bcubed,
    false_merges,
    pairwise,
    recall_by,
    summary,
)

A, B, C, D, E = (
    (partner, name, "child")
    for partner, name in (("p", "a"), ("q", "b"), ("q", "c"), ("r", "d"), ("r", "e"))
)
KEYS = [A, B, C, D, E]
# a, b and c are person x; d and e are person y. Found: {a, b} and {c, d}. The system did not place
# e.
TRUE = {A: "x", B: "x", C: "x", D: "y", E: "y"}
FOUND = {A: 1, B: 1, C: 2, D: 2}


def test_pairs_are_counted_as_by_hand():
    # True pairs: ab, ac, bc, de. Linked: ab (right), cd (wrong).
    pairs = pairwise(KEYS, FOUND, TRUE)
    assert pairs == Pairs(right=1, linked=2, true=4)
    assert (pairs.precision, pairs.recall) == (0.5, 0.25)
    assert pairs.f1 == pytest.approx(2 * 0.5 * 0.25 / 0.75)


def test_records_that_were_not_placed_are_alone_each():
    assert pairwise([A, B], {}, TRUE) == Pairs(right=0, linked=0, true=1)
    assert pairwise([], {}, {}).precision == 1.0


def test_bcubed_is_the_mean_over_records():
    # Precision: a 2/2, b 2/2, c 1/2, d 1/2, e 1/1. Recall: a 2/3, b 2/3, c 1/3, d 1/2, e 1/2.
    precision, recall = bcubed(KEYS, FOUND, TRUE)
    assert precision == pytest.approx((1 + 1 + 0.5 + 0.5 + 1) / 5)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 0.5 + 0.5) / 5)


def test_bcubed_of_the_truth_is_one_and_of_one_heap_is_not():
    assert bcubed(KEYS, TRUE, TRUE) == (1.0, 1.0)
    # All in one group of five: three records have 3/5 of their own person, two have 2/5.
    assert bcubed(KEYS, dict.fromkeys(KEYS, 0), TRUE) == (
        pytest.approx((3 * 0.6 + 2 * 0.4) / 5),
        1.0,
    )


def test_pairs_across_partners_leave_out_those_within():
    # True pairs across: ab, ac (bc is within q, de within r). Linked across: ab, cd.
    assert across(KEYS, FOUND, TRUE) == Pairs(right=1, linked=2, true=2)


def people(births: dict[str, tuple[str, date]], of: dict[Key, str]) -> dict[Key, Person]:
    return {key: Person(name, *births[name], "black", "1") for key, name in of.items()}


BORN, LATER = date(2020, 1, 1), date(2022, 5, 5)
BIRTHS = {"x": ("mum", BORN), "y": ("mum", BORN), "z": ("mum", LATER), "w": ("other", BORN)}


def test_twins_are_of_one_mother_and_day_and_siblings_of_one_mother():
    truth = people(BIRTHS, {A: "x", B: "y", C: "z", D: "w", E: "x"})
    # x and y are twins; x-z and y-z are siblings; w is unrelated.
    assert false_merges(KEYS, {A: 1, B: 2, C: 3, D: 1, E: 1}, truth) == {
        "twin": (0, 1),
        "sibling": (0, 2),
    }
    assert false_merges(KEYS, {A: 1, B: 1, C: 3, D: 1, E: 5}, truth) == {
        "twin": (1, 1),
        "sibling": (0, 2),
    }
    assert false_merges(KEYS, {A: 1, B: 2, C: 5, D: 1, E: 5}, truth) == {
        "twin": (0, 1),
        "sibling": (1, 2),
    }


def test_a_twin_pair_is_wrong_once_however_many_records_are():
    truth = people(BIRTHS, {A: "x", B: "y", C: "x", D: "y", E: "z"})
    assert false_merges(KEYS, dict.fromkeys(KEYS, 1), truth) == {"twin": (1, 1), "sibling": (2, 2)}


def test_groups_with_few_true_pairs_are_left_out_of_recall():
    keys = [("p" if i % 2 else "q", str(i), "child") for i in range(300)]
    truth = {
        key: Person(str(i // 2), ethnicity="asian" if i < 240 else "white")
        for i, key in enumerate(keys)
    }
    # 120 pairs of one group, of which 90 are found, and 30 of the other group.
    found = {key: i // 2 if i < 180 else -i for i, key in enumerate(keys)}
    assert recall_by(lambda person: person.ethnicity, keys, found, truth) == {"asian": 0.75}


def test_pairs_by_who_has_a_number():
    truth = people(BIRTHS, {A: "x", B: "x", C: "x", D: "y", E: "y"})
    # a and b have numbers. At least one without: ac, bc, de are true, none is found. Both without:
    # de is true; cd is linked and wrong.
    result = summary(KEYS, FOUND, truth, numbered={A, B})
    assert (result["pairs_some_without_number"], result["recall_some_without_number"]) == (3, 0.0)
    assert (result["pairs_both_without_number"], result["precision_both_without_number"]) == (
        1,
        0.0,
    )
    assert (result["false_pairs"], result["missed_pairs"], result["true_pairs"]) == (1, 3, 4)
    assert (result["twin_false_merge"], result["twin_pairs"]) == (1.0, 1)


def test_wrong_pairs_are_the_ones_that_the_scores_count():
    wrong = wrong_pairs(KEYS, FOUND, TRUE)
    assert wrong == {"false": [(C, D)], "missed": [(A, C), (B, C), (D, E)]}


def test_causes_name_what_stands_out():
    truth = people(BIRTHS, {A: "x", B: "x", C: "y"})
    plain = {
        A: Plain(Identity("a", "", "amy", "lu", BORN, "f", "SW98JJ")),
        B: Plain(Identity("b", "", "", "lu ray", BORN, "", "SW98JJ")),
        C: Plain(Identity("c", "", "ann", "lu", BORN, "f", "SW98JJ")),
    }
    population = Population("made up", truth, plain)
    assert cause(population, (A, B), "missed", set()) == "no given name, part of the surname"
    assert cause(population, (A, C), "false", set()) == "twins, not both numbered"
