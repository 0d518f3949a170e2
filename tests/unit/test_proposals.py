"""A `relink` proposal changes nothing until it is approved. Then it changes only what was
proposed.
"""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from childlink_core.profiles import get_profile
from childlink_linker.errors import ProposalError
from childlink_linker.matching.parameters import Thresholds, load_parameters, render_parameters
from childlink_linker.relinking import proposals
from childlink_linker.review import cases as review
from childlink_linker.store import tables
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT, LinkerUnderTest
from tests.support.proposing import (
    LENIENT,
    SAME_AS_NOW,
    STRICT,
    approve,
    propose_ordinary,
    relinked,
    state_of,
)

WHO = {
    "amina": {
        "given": "Amina",
        "surname": "Okafor",
        "born": date(2020, 3, 14),
        "postcode": "SW9 8JJ",
    },
    "bella": {
        "given": "Bella",
        "surname": "Smith",
        "born": date(2019, 7, 2),
        "postcode": "SE24 0AA",
    },
    "cora": {"given": "Cora", "surname": "Jones", "born": date(2018, 1, 30), "postcode": "SW2 1AA"},
    "dora": {"given": "Dora", "surname": "Brown", "born": date(2021, 11, 5), "postcode": "SE5 0AA"},
}


@pytest.fixture
def known(child):
    """A person as a partner records her."""

    def make(partner, name, **otherwise):
        return child(partner, name, **{**WHO[name], **otherwise})

    return make


@pytest.fixture
def village(database_url, partnership, known):
    """Amina, known to both partners; Bella and Cora, twice each, kept in doubt by two numbers;
    Dora, known to one partner.
    """
    linker = LinkerUnderTest(partnership, database_url)
    linker.send("trust-a", *(known("trust-a", name, nhs=NHS[at]) for at, name in enumerate(WHO)))
    linker.send(
        "council-b",
        known("council-b", "amina", nhs=NHS[0]),
        known("council-b", "bella", nhs=NHS[5], postcode="N1 1AA"),
        known("council-b", "cora", nhs=NHS[6], postcode="N1 9AA"),
    )
    yield linker
    linker.close()


def state(linker):
    with linker.engine.connect() as tx:
        return state_of(tx)


def events(linker):
    with linker.engine.connect() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(tables.event)).scalar()


def listed(linker):
    with linker.engine.connect() as tx:
        return proposals.proposals(tx)


def rows_of(linker, *held):
    with linker.engine.connect() as tx:
        return sum(
            tx.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in held
        )


def test_the_same_rules_propose_nothing(village):
    propose_ordinary(village, SAME_AS_NOW)
    [item] = listed(village)
    assert (item.changes, item.merges, item.splits, item.state) == (0, 0, 0, "waiting")


@pytest.mark.parametrize(
    "parameters", [SAME_AS_NOW, LENIENT, STRICT], ids=["same", "lenient", "strict"]
)
def test_what_stewards_decided_counts_in_a_proposal_as_it_does_in_relinking(village, parameters):
    pairs = sorted(pair[:2] for pair in state(village)[1])
    with village.engine.begin() as tx:
        store = Store(tx, VAULT)

        def decide(pair, verdict, steward, *, asks_second=False):
            review.decide(
                store,
                [(pair, verdict)],
                steward,
                "met",
                get_profile(),
                load_parameters(),
                asks_second=asks_second,
            )

        # For one pair a second steward agrees; for the other there is no second decision yet.
        decide(pairs[0], "same", "N. Steward", asks_second=True)
        decide(pairs[0], "same", "B. Other")
        decide(pairs[1], "different", "N. Steward", asks_second=True)
    expected = relinked(village, parameters)
    approve(village, propose_ordinary(village, parameters))
    assert state(village) == expected


def test_a_proposal_changes_nothing_and_says_what_would(village):
    before, told = state(village), events(village)
    number = propose_ordinary(village, LENIENT)
    assert (state(village), events(village)) == (before, told)
    [item] = listed(village)
    assert (item.merges, item.splits, item.version, item.records) == (2, 0, "lenient", 7)
    with village.engine.connect() as tx:
        changes = proposals.largest_changes(Store(tx, VAULT), number, 10)
    assert [(change.subjects, len(change.before), change.after) for change in changes] == [
        (2, 2, 1)
    ] * 2


@pytest.mark.parametrize(
    ("parameters", "merges", "splits"), [(LENIENT, 2, 0), (STRICT, 0, 1), (SAME_AS_NOW, 0, 0)]
)
def test_approving_makes_of_the_store_what_relinking_would_have(
    village, parameters, merges, splits
):
    expected, known = relinked(village, parameters), rows_of(village, tables.person)
    done = approve(village, propose_ordinary(village, parameters))
    assert state(village) == expected
    assert (done.skipped, done.outcome.merges, done.outcome.splits) == (0, merges, splits)
    assert rows_of(village, tables.person) == known - done.outcome.merges + done.outcome.splits
    [item] = listed(village)
    assert (item.state, item.decided_by, item.merges, item.splits) == (
        "approved",
        "N. Steward",
        done.outcome.merges,
        done.outcome.splits,
    )
    assert (
        rows_of(village, tables.proposed_change, tables.proposed_member, tables.proposed_edge) == 0
    )


def test_who_is_joined_keeps_the_older_identifier_and_the_links_say_so(village, known):
    one, other = known("trust-a", "bella"), known("council-b", "bella")
    [older, newer] = village.persons(one, other)
    done = approve(village, propose_ordinary(village, LENIENT))
    assert village.persons(one, other) == [older, older] != [newer, newer]
    assert {subject.person_id for subject in done.outcome.linked} >= {older}


def test_a_change_whose_record_changed_since_is_skipped_and_the_others_are_made(village, known):
    number = propose_ordinary(village, LENIENT)
    bella, cora = (
        [known("trust-a", "bella"), known("council-b", "bella")],
        [known("trust-a", "cora"), known("council-b", "cora")],
    )
    village.send("council-b", known("council-b", "bella", nhs=NHS[5], postcode="N1 2AA"))
    done = approve(village, number)
    assert done.skipped == 1
    assert len(set(village.persons(*bella))) == 2
    assert len(set(village.persons(*cora))) == 1
    assert listed(village)[0].skipped == 1


def test_a_person_whom_a_skipped_change_left_without_an_edge_is_looked_at_whole(linker, child):
    zainab = {"given": "Zainab", "surname": "Smith", "born": date(2019, 1, 1), "postcode": "N1 1AA"}
    older = child("charity-c", "7", **zainab)
    one = child("trust-a", "1", nhs=NHS[0], postcode="")
    other = child("council-b", "1", given="Aminah", surname="Okafour", postcode="")
    for partner, subject in (("charity-c", older), ("trust-a", one), ("council-b", other)):
        linker.send(partner, subject)
    assert len(set(linker.persons(one, other))) == 1
    apart = replace(load_parameters(), version="apart", thresholds=Thresholds(16.0, 16.0, 15.0))
    number = propose_ordinary(linker, render_parameters(apart, "No edge is left between them."))
    linker.send(
        "council-b", child("council-b", "1", given="Aminah", surname="Okafour", postcode="SE24 0AA")
    )
    assert approve(linker, number).skipped == 1
    linker.processor = replace(
        linker.processor, handler=replace(linker.processor.handler, parameters=apart)
    )
    linker.send("charity-c", child("charity-c", "7", nhs=NHS[0], postcode=""))
    assert linker.persons(older) == linker.persons(one) != linker.persons(other)


def test_a_change_that_somebody_decided_on_since_is_skipped(village, known):
    number = propose_ordinary(village, LENIENT)
    with village.engine.begin() as tx:
        store = Store(tx, VAULT)
        pair = review.doubts(store)[0].pair
        review.decide(
            store,
            [(pair, "different")],
            "A. Steward",
            "two children",
            get_profile(),
            load_parameters(),
        )
    assert approve(village, number).skipped == 1
    with village.engine.connect() as tx:
        people = Store(tx, VAULT).subjects(pair)
    assert people[pair[0]].person_id != people[pair[1]].person_id


@pytest.mark.parametrize(
    "newcomer", [{}, {"nhs": NHS[7], "postcode": "E8 5AA"}], ids=["one of them", "another in doubt"]
)
def test_a_change_that_a_newcomer_belongs_to_is_skipped(village, known, newcomer):
    number = propose_ordinary(village, LENIENT)
    village.send("charity-c", known("charity-c", "bella", **newcomer))
    assert approve(village, number).skipped == 1
    assert len(set(village.persons(known("trust-a", "cora"), known("council-b", "cora")))) == 1


def test_a_withdrawal_since_makes_nobody_else_of_the_number_that_is_free(village, known):
    number = propose_ordinary(village, LENIENT)
    newest = known("council-b", "cora")
    village.send("council-b", withdrawn=[newest.link_reference])
    village.send("trust-a", known("trust-a", "dora", nhs=NHS[3], postcode="SE1 1AA"))
    expected = relinked(village, LENIENT)
    assert approve(village, number).skipped == 1
    assert state(village)[2] == expected[2]


def test_a_rejected_proposal_changes_nothing_and_cannot_be_approved(village):
    before = state(village)
    number = propose_ordinary(village, LENIENT)
    with village.engine.begin() as tx:
        proposals.reject(Store(tx, VAULT), number, "A. Chief")
    [item] = listed(village)
    assert (item.state, item.decided_by, state(village)) == ("rejected", "A. Chief", before)
    with pytest.raises(ProposalError, match="is waiting"):
        approve(village, number)
    with pytest.raises(ProposalError, match="is waiting"):
        approve(village, 77)


def test_a_decision_needs_a_name(village):
    number = propose_ordinary(village, LENIENT)
    with village.engine.begin() as tx, pytest.raises(ProposalError, match="the name of the person"):
        proposals.reject(Store(tx, VAULT), number, " ")


def test_what_an_approval_that_fails_has_done_is_undone(village, monkeypatch):
    before, number = state(village), propose_ordinary(village, LENIENT)
    monkeypatch.setattr(proposals, "regroup_families", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        approve(village, number)
    assert state(village) == before
    assert listed(village)[0].state == "waiting"


def test_rules_that_give_other_people_than_were_proposed_are_not_applied(village):
    number = propose_ordinary(village, LENIENT)
    with village.engine.begin() as tx:
        tx.execute(
            tables.proposed_member.update().values(cluster=tables.proposed_member.c.subject_id)
        )
    with pytest.raises(ProposalError, match="different result"):
        approve(village, number)
