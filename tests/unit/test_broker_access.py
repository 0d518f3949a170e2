"""The whole table of who may read and write which topic."""

from datetime import UTC, datetime, timedelta

import pytest
from childlink_core.errors import UserError
from childlink_ops.access import all_topics, check_name, grants
from childlink_ops.authority import Issued
from childlink_ops.broker import wanted

PARTNERS = ["council-b", "trust-a"]


def _allowed(kind: str, name: str) -> set[str]:
    return {str(grant) for grant in grants(kind, name, PARTNERS)}


def test_a_partner_writes_its_two_halves_and_reads_its_receipts() -> None:
    assert _allowed("partner", "trust-a") == {
        "write encodings.trust-a",
        "write observations.trust-a",
        "read receipts.trust-a",
    }


def test_the_linker_never_reads_attributes_and_analytics_never_reads_encodings() -> None:
    assert not [right for right in _allowed("service", "linker") if "observations" in right]
    assert not [right for right in _allowed("service", "analytics") if "encodings" in right]


def test_what_services_may_do_is_what_the_journey_needs() -> None:
    assert _allowed("service", "linker") == {
        "read encodings.council-b",
        "read encodings.trust-a",
        "write links",
        "write receipts.council-b",
        "write receipts.trust-a",
        "write deadletter.linker",
    }
    assert _allowed("service", "analytics") == {
        "read observations.council-b",
        "read observations.trust-a",
        "read links",
        "write receipts.council-b",
        "write receipts.trust-a",
        "write deadletter.analytics",
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("partner", "stranger"),
        ("analyst", "trust-a"),
        ("server", "linker"),
        ("service", "trust-a"),
        ("partner", "linker"),
    ],
)
def test_nobody_else_may_do_anything(kind: str, name: str) -> None:
    assert not _allowed(kind, name)


def test_every_right_is_to_a_topic_that_is_made() -> None:
    bearers = [
        ("partner", "trust-a"),
        ("partner", "council-b"),
        ("service", "linker"),
        ("service", "analytics"),
    ]
    topics = {grant.topic for bearer in bearers for grant in grants(*bearer, PARTNERS)}
    assert topics == set(all_topics(PARTNERS))


def test_only_valid_certificates_have_rights_each_under_its_own_number() -> None:
    now = datetime.now(UTC)
    old, new = (
        Issued(serial, "partner", "trust-a", now + timedelta(days=9), revoked)
        for serial, revoked in (("01", True), ("02", False))
    )
    expired = Issued("03", "partner", "council-b", now - timedelta(seconds=1), False)
    assert {who for who, _ in wanted(PARTNERS, [old, new, expired])} == {"User:partner.trust-a.02"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("partner", "linker"),
        ("partner", "A"),
        ("service", "kafka"),
        ("analyst", "a,OU=operator"),
        ("king", "arthur"),
        ("broker", ""),
    ],
)
def test_names_that_could_be_taken_for_others_are_refused(kind: str, name: str) -> None:
    with pytest.raises(UserError):
        check_name(kind, name)
