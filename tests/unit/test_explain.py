"""Explanations of why records are one person, what happened to an identifier, and how well linkage
does: what an operator may read, and what not.
"""

from datetime import date

import pytest
from childlink_core.ids import new_id
from childlink_core.profiles import get_profile
from childlink_linker.errors import UnknownIdentifierError
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.review.explain import explain, history, quality
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT


def explained(linker, person):
    with linker.engine.connect() as tx:
        return explain(Store(tx, VAULT), person, get_profile(), load_parameters())


def test_an_explanation_says_what_agrees_and_what_that_weighs(linker, child):
    a, b = (
        child("trust-a", "1", nhs=NHS[0]),
        child("council-b", "1", nhs=NHS[0], postcode="SE24 0AA"),
    )
    linker.send("trust-a", a)
    linker.send("council-b", b)
    [person] = set(linker.persons(a, b))
    found = explained(linker, person)
    assert (found.records, found.sources) == (2, 2)
    [pair] = found.comparisons
    said = {finding.what: finding for finding in pair.findings}
    assert said["NHS number"].outcome == "same"
    assert said["NHS number"].bits > 10.0
    assert said["postcode"].outcome == "different"
    assert said["postcode"].bits < 0.0
    assert pair.weight > load_parameters().thresholds.link


def test_an_explanation_names_no_reference_token_or_partner(linker, child):
    a, b = child("trust-a", "1"), child("council-b", "1")
    linker.send("trust-a", a)
    linker.send("council-b", b)
    [person] = set(linker.persons(a, b))
    text = repr(explained(linker, person))
    # Search for the whole postcode: an identifier is random and may contain any three letters.
    for secret in (
        "trust-a",
        "council-b",
        a.link_reference.hex(),
        repr(a.link_reference)[2:-1],
        "Amina",
        "SW9 8JJ",
        "SW98JJ",
    ):
        assert secret not in text


def test_a_history_tells_of_merges_and_withdrawals(linker, child):
    a = child("trust-a", "1", given="", surname="Adeyemi", nhs=NHS[0], postcode="")
    b = child("council-b", "1", nhs=NHS[1], given="Oliver", surname="Smith", born=date(2019, 1, 5))
    linker.send("trust-a", a)
    linker.send("council-b", b)
    first, second = linker.persons(a, b)
    linker.send("council-b", child("council-b", "1", nhs=NHS[0], given="", surname="Adeyemi"))
    assert linker.persons(a, b) == [first, first]
    linker.send("trust-a", withdrawn=[a.link_reference])
    with linker.engine.connect() as tx:
        of_first, of_second = history(tx, first), history(tx, second)
    of_people, of_families = (
        [c for c in of_first if bool(c.family) == family] for family in (False, True)
    )
    assert [(c.kind, c.before, c.after) for c in of_second if not c.family] == [
        ("assigned", None, second),
        ("assigned", second, first),
    ]
    assert [(c.kind, c.before, c.after) for c in of_people] == [
        ("assigned", None, first),
        ("assigned", second, first),
        ("withdrawn", first, None),
    ]
    assert {c.subject for c in of_people} == {"A", "B"}
    assert [(c.kind, c.after) for c in of_families] == [("anchored", first), ("family", first)]


def test_an_identifier_that_is_mistyped_or_nobodys_is_refused(linker):
    with pytest.raises(UnknownIdentifierError, match="check character"):
        explained(linker, "C123")
    with pytest.raises(UnknownIdentifierError, match="No person"):
        explained(linker, new_id("C"))
    with linker.engine.connect() as tx, pytest.raises(UnknownIdentifierError, match="never"):
        history(tx, new_id("C"))


def test_quality_counts_matched_and_doubtful_records_by_dataset(linker, child):
    shared = [child("trust-a", "1", nhs=NHS[0]), child("council-b", "1", nhs=NHS[0])]
    alone = child("trust-a", "2", given="Oliver", surname="Smith", sex="m")
    linker.send("trust-a", shared[0], alone)
    linker.send("council-b", shared[1])
    with linker.engine.connect() as tx:
        report = quality(Store(tx, VAULT), get_profile())
    found = {item.records: item for item in report.datasets}
    assert report.queue.pairs == 0
    assert found[2].matched == 0.5
    assert found[1].matched == 1.0
    assert found[2].numbered == 0.5
    assert found[2].passes["dob"] == 1.0
    assert found[2].passes["number"] == 0.5
    assert found[1].doubtful == 0.0


def test_quality_expects_of_the_queue_what_its_weights_say(linker, child):
    """Two children of one name and birthday under two numbers: the weight says how likely."""
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[1], postcode="SE24 0AA"))
    with linker.engine.connect() as tx:
        store = Store(tx, VAULT)
        [waiting] = store.review_queue()
        queue = quality(store, get_profile()).queue
    assert queue.pairs == 1
    assert queue.expected_same == pytest.approx(1 / (1 + 2**-waiting.weight))
