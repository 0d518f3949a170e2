"""Key files are private, are never overwritten and never show their secret."""

import os

import pytest
from childlink_core import keys


def test_a_written_key_reads_back_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "keys" / "signing.key"
    key = keys.SigningKey.generate("trust-a")
    keys.write_key(path, key)
    assert keys.read_signing_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "reference.key"
    keys.write_key(path, keys.SecretKey.generate("trust-a"))
    before = path.read_bytes()
    with pytest.raises(keys.KeyFileError, match="already exists"):
        keys.write_key(path, keys.SecretKey.generate("trust-a"))
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "signing.key"
    keys.write_key(path, keys.SigningKey.generate("trust-a"))
    path.chmod(0o644)
    with pytest.raises(keys.KeyFileError, match="chmod 600"):
        keys.read_signing_key(path)


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "opening.key"
    keys.write_key(path, keys.OpeningKey.generate("trust-a"))
    with pytest.raises(keys.KeyFileError, match="does not hold a signing key"):
        keys.read_signing_key(path)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "not json", '{"kind": "signing", "secret": "AA=="}']
)
def test_rubbish_is_refused_without_repeating_it(tmp_path, content):
    path = tmp_path / "signing.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(keys.KeyFileError) as caught:
        keys.read_signing_key(path)
    assert "AA==" not in str(caught.value)


def test_no_representation_shows_a_secret():
    for key in (
        keys.SigningKey("a", b"S" * 32),
        keys.OpeningKey("a", b"S" * 32),
        keys.SecretKey("a", 1, b"S" * 32),
    ):
        assert "SSSS" not in repr(key)
        assert "5353" not in repr(key)


def test_the_check_value_tells_secrets_apart():
    assert (
        keys.SecretKey("a", 1, b"S" * 32).check_value
        == keys.SecretKey("b", 2, b"S" * 32).check_value
    )
    assert (
        keys.SecretKey("a", 1, b"S" * 32).check_value
        != keys.SecretKey("a", 1, b"T" * 32).check_value
    )
