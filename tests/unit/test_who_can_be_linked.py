"""Which people of a row are sent: everyone of whom enough is known to be found again."""

from datetime import date

from childlink_core.profiles import get_profile
from childlink_ingest.model.rows import Identity, Rejection, Row
from childlink_ingest.runs.prepare import without_unlinkable

CHILD = Identity("c", "9990000018", "amina", "okafor", date(2022, 5, 1), postcode="ZY240AA")
MOTHER_BY_NAME = Identity("m", given_name="linh", surname="nguyen")


def sent(child, adult, relation):
    return without_unlinkable(Row(1, "1", child, adult, relation, {}), get_profile())


def test_a_mother_of_whom_only_the_name_is_known_is_sent_with_her_numbered_child():
    row = sent(CHILD, MOTHER_BY_NAME, "mother")
    assert row.adult == MOTHER_BY_NAME
    assert row.relation == "mother"


def test_an_adult_of_whom_only_the_name_is_known_stays_without_a_relation_to_the_child():
    row = sent(CHILD, MOTHER_BY_NAME, None)
    assert row.child == CHILD
    assert row.adult is None


def test_a_row_that_only_names_an_adult_is_rejected():
    found = sent(None, MOTHER_BY_NAME, None)
    assert isinstance(found, Rejection)
    assert "linh" not in repr(found)
