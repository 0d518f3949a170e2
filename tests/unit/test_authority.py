"""The certificate authority and its operator commands."""

from datetime import timedelta
from pathlib import Path

import pytest
from childlink_core.directory import read_directory
from childlink_ops.authority import Authority, AuthorityError, Register, create, new_request
from childlink_ops.cli import main
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "authority", "test")
    return tmp_path / "authority"


def _run(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)


def _request(folder: Path, name: str) -> Path:
    path = folder / f"{name}.csr"
    path.write_bytes(new_request(name)[0].public_bytes(serialization.Encoding.PEM))
    return path


def _sign(folder: Path, kind: str = "partner", name: str = "trust-a") -> x509.Certificate:
    return x509.load_pem_x509_certificate(
        Authority(folder).sign(new_request(name)[0], kind, name, (), 30)
    )


def test_a_certificate_names_kind_bearer_and_its_own_number(folder: Path) -> None:
    certificate = _sign(folder)
    number = f"{certificate.serial_number:040x}"
    assert certificate.subject.rfc4514_string() == f"UID={number},CN=trust-a,OU=partner"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "childlink:partner:trust-a"
    ]
    [issued] = Register(folder).certificates()
    assert (issued.kind, issued.name, issued.serial, issued.valid) == (
        "partner",
        "trust-a",
        number,
        True,
    )


def test_only_servers_may_serve(folder: Path) -> None:
    def usages(kind: str, name: str) -> int:
        found = _sign(folder, kind, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        return len(list(found.value))

    assert (
        usages("partner", "trust-a") == usages("analyst", "ann") == usages("service", "linker") == 1
    )
    assert usages("broker", "kafka") == usages("server", "answers") == 2


def test_a_request_in_another_s_name_is_refused(folder: Path) -> None:
    with pytest.raises(AuthorityError, match="for trust-b, not for trust-a"):
        Authority(folder).sign(new_request("trust-b")[0], "partner", "trust-a", (), 30)


def test_a_weak_key_is_refused(folder: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trust-a")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    with pytest.raises(AuthorityError, match="key type is not accepted"):
        Authority(folder).sign(request, "partner", "trust-a", (), 30)


def test_the_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    create(tmp_path / "a", "test", b"correct horse")
    Authority(tmp_path / "a", b"correct horse")
    for wrong in (None, b"battery staple"):
        with pytest.raises(AuthorityError):
            Authority(tmp_path / "a", wrong)


def test_who_revokes_what_kafka_knows_by_its_name_is_told_that_the_name_has_to_go(
    folder: Path, tmp_path: Path
) -> None:
    issued = _run(
        "ca", "issue", "operator", "gatekeeper", "--folder", tmp_path / "g", "--authority", folder
    )
    assert issued.exit_code == 0, issued.output
    [serial] = [item.serial for item in Register(folder).certificates()]
    assert "under another name" in _run("ca", "revoke", serial, "--authority", folder).output


def test_a_revoked_certificate_is_known_from_the_published_half(
    folder: Path, tmp_path: Path
) -> None:
    serial = f"{_sign(folder).serial_number:040x}"
    revoked = _run("ca", "revoke", serial, "--authority", folder)
    assert revoked.exit_code == 0
    assert "super.users" not in revoked.output
    assert _run("ca", "publish", tmp_path / "public", "--authority", folder).exit_code == 0
    assert [item.revoked for item in Register(tmp_path / "public").certificates()] == [True]
    assert sorted(path.name for path in (tmp_path / "public").iterdir()) == [
        "ca.pem",
        "crl.pem",
        "issued",
    ]


def test_nothing_is_believed_that_the_authority_did_not_sign(folder: Path, tmp_path: Path) -> None:
    create(tmp_path / "other", "other")
    _sign(tmp_path / "other")
    [foreign] = (tmp_path / "other" / "issued").iterdir()
    (folder / "issued" / foreign.name).write_bytes(foreign.read_bytes())
    with pytest.raises(AuthorityError, match="not signed by"):
        Register(folder).certificates()
    (folder / "issued" / foreign.name).unlink()
    (folder / "crl.pem").write_bytes((tmp_path / "other" / "crl.pem").read_bytes())
    with pytest.raises(AuthorityError, match="not signed by this authority"):
        Register(folder).certificates()
    (folder / "crl.pem").unlink()
    with pytest.raises(AuthorityError, match="revoked certificates cannot be detected"):
        Register(folder).certificates()


def test_a_partner_is_onboarded_renewed_and_suspended(folder: Path, tmp_path: Path) -> None:
    from childlink_core.directory import Member, render_directory
    from childlink_core.keys import OpeningKey, SigningKey, aloud

    def member(name: str) -> Member:
        return Member(
            name, name, (SigningKey.generate(name).public(),), (OpeningKey.generate(name).public(),)
        )

    directory, keys = tmp_path / "directory.toml", tmp_path / "keys.toml"
    directory.write_text(render_directory([member("linker")], {1: "9f86d081"}))
    site = member("trust-a")
    keys.write_text(render_directory([site]))
    signing, sealing = (aloud(key.key_id) for key in (*site.signing, *site.sealing))
    common = ("--request", _request(tmp_path, "trust-a"), "--authority", folder)
    onboard = ("partner", "onboard", "trust-a", "--keys", keys, "--directory", directory, *common)

    # The ids that the site reads by telephone are another key's: nothing is signed.
    other = aloud(member("trust-a").signing[0].key_id)
    wrong = _run(*onboard, "--certificate", tmp_path / "one.pem", typed=f"{other} {sealing}\n")
    assert wrong.exit_code == 1
    assert "Nothing was signed" in wrong.output
    assert not (tmp_path / "one.pem").exists()
    assert read_directory(directory).partners == []
    heard = f"{signing.upper()}-{sealing}".replace(" ", "-")
    done = _run(*onboard, "--certificate", tmp_path / "one.pem", typed=f"{heard}\n")
    assert done.exit_code == 0, done.output
    assert read_directory(directory).partners == ["trust-a"]
    assert read_directory(directory).linkage == {1: "9f86d081"}
    again = _run(*onboard, "--certificate", tmp_path / "two.pem")
    assert again.exit_code == 1
    assert "is already a member" in again.output

    assert (
        _run(
            "partner", "renew", "trust-a", *common, "--certificate", tmp_path / "two.pem"
        ).exit_code
        == 0
    )
    assert [item.valid for item in Register(folder).certificates()] == [True, True]
    assert _run("partner", "suspend", "trust-a", "--authority", folder).exit_code == 0
    assert [item.valid for item in Register(folder).certificates()] == [False, False]
    assert (
        "no certificate that could be revoked"
        in _run("partner", "suspend", "trust-a", "--authority", folder).output
    )


def test_certificates_that_end_soon_are_listed_with_an_exit_code(folder: Path) -> None:
    _sign(folder)
    assert _run("ca", "list", "--authority", folder, "--within", 10).exit_code == 0
    soon = _run("ca", "list", "--authority", folder, "--within", 31)
    assert soon.exit_code == 3
    assert "trust-a" in soon.output
    assert (
        timedelta(days=29)
        < Register(folder).certificates()[0].expires - _now()
        <= timedelta(days=30)
    )


def test_a_user_s_mistake_is_a_sentence_and_not_a_traceback(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "not-a-request").write_text("hello")
    for arguments in (
        ("ca", "new", "--authority", folder),
        ("ca", "revoke", "00", "--authority", folder),
        ("ca", "list", "--authority", tmp_path / "nowhere"),
        (
            "partner",
            "renew",
            "trust-a",
            "--request",
            tmp_path / "not-a-request",
            "--certificate",
            tmp_path / "c",
            "--authority",
            folder,
        ),
        ("directory", tmp_path / "not-a-request", "--output", tmp_path / "d"),
    ):
        done = _run(*arguments)
        assert done.exit_code == 1
        assert done.output.startswith("error: "), done.output
        assert "what to do" in done.output


def _now():
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_published_flat_it_says_the_same_without_a_folder_inside(
    folder: Path, tmp_path: Path
) -> None:
    _sign(folder)
    _sign(folder, "service", "linker")
    assert _run("ca", "publish", tmp_path / "flat", "--flat", "--authority", folder).exit_code == 0
    assert not [path for path in (tmp_path / "flat").iterdir() if path.is_dir()]
    assert Register(tmp_path / "flat").certificates() == Register(folder).certificates()
