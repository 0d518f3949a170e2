"""A certificate authority for tests."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol

from childlink_ops import authority as ops
from childlink_ops.authority import create, new_request
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Signs(Protocol):
    """What a test broker needs from an authority."""

    ca: Path

    def sign(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a server."""


class Authority:
    """Signs certificates into a folder. `ca` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test authority")
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(self._name).issuer_name(self._name)
        builder = builder.public_key(self._key.public_key()).serial_number(
            x509.random_serial_number()
        )
        builder = builder.not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def sign(self, name: str, expires: timedelta = 10 * DAY) -> tuple[Path, Path]:
        """Certificate and key files of `name` for 127.0.0.1. They expire after `expires`; a
        negative value means they have expired.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(self._name)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - 20 * DAY).not_valid_after(now + expires)
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(
            builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        form = serialization.PrivateFormat.PKCS8
        private.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        )
        return certificate, private


class OperatorsAuthority:
    """The authority of `childlink-ops`, in the form that a test broker needs."""

    def __init__(self, folder: Path) -> None:
        create(folder, "test")
        self.folder, self.ca = folder, folder / "ca.pem"

    def sign(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of a broker at 127.0.0.1."""
        return self.issue("broker", name, "127.0.0.1")

    def issue(self, kind: str, name: str, *hosts: str, days: int = 90) -> tuple[Path, Path]:
        """Certificate and key files of any kind."""
        request, key = new_request(name)
        folder = self.folder.parent / f"{kind}-{name}"
        folder.mkdir(exist_ok=True)
        certificate, private = folder / "tls.pem", folder / "tls.key"
        certificate.write_bytes(ops.Authority(self.folder).sign(request, kind, name, hosts, days))
        private.write_bytes(key)
        private.chmod(0o600)
        return certificate, private


def revocation_list(pki: OperatorsAuthority, signed: datetime, ends: datetime) -> bytes:
    """An empty list of this authority, signed and ending then."""
    authority = x509.load_pem_x509_certificate(pki.ca.read_bytes())
    key = serialization.load_pem_private_key((pki.folder / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
    builder = builder.last_update(signed).next_update(ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
