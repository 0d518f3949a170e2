"""How many links are missed for want of a number: what is hidden, decided again and counted."""

import pytest
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import get_profile
from childlink_linker.matching.parameters import load_parameters
from childlink_linker.relinking.missed import Missed, missed_links
from childlink_linker.store.store import Store

from tests.support.people import NHS, VAULT


def hidden(linker, sample=300):
    before = everything(linker)
    with linker.engine.connect() as tx:
        found = missed_links(Store(tx, VAULT), get_profile(), load_parameters(), sample)
    assert everything(linker) == before
    return {item.partner: item for item in found}


def everything(linker):
    with linker.engine.connect() as tx:
        subjects = Store(tx, VAULT).all_subjects()
    return sorted((s.key, s.person_id, s.link_version) for s in subjects)


def test_a_record_that_is_found_without_its_number_is_not_missed(linker, child):
    for partner in ("trust-a", "council-b"):
        linker.send(partner, child(partner, "1", nhs=NHS[0]))
    found = hidden(linker)
    assert {(item.tested, item.missed, item.wrong) for item in found.values()} == {(1, 0, 0)}


def test_a_record_that_only_its_number_links_is_missed_without_it(linker, child):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    other = {"given": "Zofia", "surname": "Nowak", "postcode": "SE24 0AA"}
    linker.send("council-b", child("council-b", "1", nhs=NHS[0], **other))
    found = hidden(linker)
    assert {(item.tested, item.missed, item.wrong) for item in found.values()} == {(1, 1, 0)}


def test_a_twin_who_would_be_taken_for_the_other_is_wrong(linker, child):
    """The number alone says that these are two: all else is the same."""
    for partner in ("trust-a", "council-b"):
        linker.send(partner, child(partner, "1", nhs=NHS[0]))
    other = {"given": "Zofia", "surname": "Nowak", "postcode": "SE24 0AA", "sex": "f"}
    linker.send("trust-a", child("trust-a", "2", nhs=NHS[1], **other))
    linker.send("council-b", child("council-b", "2", nhs=NHS[1]))
    found = hidden(linker)
    assert found["council-b"].wrong == 1
    assert found["council-b"].missed >= 1


def test_who_has_no_number_or_is_known_to_one_partner_cannot_be_tested(linker, child):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]), child("trust-a", "2"))
    found = hidden(linker)["trust-a"]
    assert (found.people, found.numbered, found.tested, found.share) == (2, 0.5, 0, None)


def test_a_number_that_was_not_traced_proves_nothing(linker, child):
    linker.send("trust-a", child("trust-a", "1", nhs=NHS[0]))
    linker.send("council-b", child("council-b", "1", nhs=NHS[0], number_untraced=True))
    assert {item.tested for item in hidden(linker).values()} == {0}


def test_a_sample_is_the_same_each_time_and_no_larger_than_asked_for(linker, child):
    for partner in ("trust-a", "council-b"):
        linker.send(
            partner,
            *(child(partner, str(at), nhs=number) for at, number in enumerate(NHS[:4])),
        )
    assert hidden(linker, 2)["trust-a"].tested == 2
    assert hidden(linker, 2) == hidden(linker, 2)


def test_the_share_counts_those_who_have_no_number():
    """Half have none, and one of ten tested was missed: one of twenty (half of Wilson's ends)."""
    found = Missed("trust-a", wire.ROLE_CHILD, 200, 0.5, 100, 10, 0)
    assert found.share == pytest.approx((0.05, 0.0276, 0.0872), abs=1e-4)
    assert Missed("trust-a", wire.ROLE_CHILD, 200, 1.0, 100, 10, 0).share == (0.0, 0.0, 0.0)


def test_an_empty_store_has_nothing_to_test(linker):
    assert hidden(linker) == {}
