"""A revocation list that cannot be relied on refuses every certificate, and says so."""

from datetime import UTC, datetime, timedelta

import pytest
from childlink_access.revoked import NO_LIST, REVOKED, RevokedCertificates

from tests.support.pki import OperatorsAuthority, revocation_list

NOW = datetime.now(UTC)


@pytest.fixture
def pki(tmp_path):
    return OperatorsAuthority(tmp_path / "authority")


def test_a_list_that_is_valid_lets_in_who_is_not_on_it(pki):
    mine = pki.issue("analyst", "a-shah")[0].read_bytes()
    revoked = RevokedCertificates(pki.folder / "crl.pem", pki.ca)
    assert revoked.refuses(mine) == ""
    assert revoked.refuses(b"nonsense") == REVOKED


def test_an_expired_list_lets_nobody_in(pki, tmp_path):
    mine = pki.issue("analyst", "a-shah")[0].read_bytes()
    file = tmp_path / "crl.pem"
    file.write_bytes(revocation_list(pki, NOW - timedelta(days=9), NOW - timedelta(days=1)))
    assert RevokedCertificates(file, pki.ca).refuses(mine) == NO_LIST


def test_a_list_expires_while_the_service_runs(pki, tmp_path, monkeypatch):
    mine = pki.issue("analyst", "a-shah")[0].read_bytes()
    file = tmp_path / "crl.pem"
    file.write_bytes(revocation_list(pki, NOW - timedelta(days=9), NOW + timedelta(days=9)))
    revoked = RevokedCertificates(file, pki.ca)
    assert revoked.refuses(mine) == ""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW + timedelta(days=10)

    monkeypatch.setattr("childlink_access.revoked.datetime", Later)
    assert revoked.refuses(mine) == NO_LIST


def test_an_older_list_forgets_revocations_so_it_lets_nobody_in_until_the_newest_is_back(
    pki, tmp_path
):
    mine = pki.issue("analyst", "a-shah")[0].read_bytes()
    file = tmp_path / "crl.pem"
    newest = revocation_list(pki, NOW - timedelta(days=1), NOW + timedelta(days=9))
    file.write_bytes(newest)
    revoked = RevokedCertificates(file, pki.ca)
    file.write_bytes(revocation_list(pki, NOW - timedelta(days=2), NOW + timedelta(days=99)))
    assert revoked.refuses(mine) == NO_LIST
    file.write_bytes(newest)
    assert revoked.refuses(mine) == ""
