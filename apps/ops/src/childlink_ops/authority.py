"""A certificate authority in a folder: signs requests, records what it issued, and revokes.

    ca.pem          its own certificate; public
    ca.key          its private key, encrypted if a passphrase was given; keep it off the brokers
    issued/*.pem    every certificate that it signed, by serial number
    crl.pem         the signed list of revoked certificates (RFC 5280)

Only ca.key is secret. The gatekeeper and the services need copies of the other files only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from childlink_core.errors import UserError
from childlink_core.keys import write_private
from childlink_core.revocation import read_revocation_list
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from childlink_ops.access import KINDS, check_name

_CA_YEARS: Final = 10
_CRL_DAYS: Final = 400
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_LEAST_RSA_BITS: Final = 3072
# Certificates are valid from shortly before they are made, because clocks of sites differ.
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
_FLAT: Final = "issued-"
"""Where no folder can be, the names of issued certificates begin like this."""
_SERVERS: Final = ("broker", "server")


class AuthorityError(UserError):
    """The authority's folder, a request or a certificate is not valid."""


@dataclass(frozen=True)
class Issued:
    """A certificate that the authority signed."""

    serial: str
    kind: str
    name: str
    expires: datetime
    revoked: bool

    @property
    def valid(self) -> bool:
        """Whether it is neither revoked nor expired."""
        return not self.revoked and self.expires > datetime.now(UTC)


def create(folder: Path, title: str, passphrase: bytes | None = None) -> None:
    """Make a new authority. Never overwrites an existing one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=365 * _CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(folder / "ca.key", private_pem(key, passphrase))
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "issued").mkdir()
    _write_crl(folder, certificate, key, {})


class Register:
    """The public half of an authority: issued and revoked certificates.

    It accepts only files that the authority signed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = _read_certificate(folder / "ca.pem")

    def certificates(self) -> list[Issued]:
        """All issued certificates, ordered by expiry. Raises AuthorityError if the authority did
        not sign one.
        """
        revoked = self._revoked()
        found = []
        for path in self._issued():
            certificate = _read_certificate(path)
            try:
                certificate.verify_directly_issued_by(self.certificate)
            except (ValueError, TypeError, InvalidSignature):
                raise AuthorityError(
                    f"{path} was not signed by {self.folder / 'ca.pem'}.",
                    "Remove it, and find out how it got there.",
                ) from None
            kind, name = _who(certificate)
            serial = f"{certificate.serial_number:040x}"
            expires = certificate.not_valid_after_utc
            found.append(Issued(serial, kind, name, expires, certificate.serial_number in revoked))
        return sorted(found, key=lambda issued: issued.expires)

    def list_ends(self) -> datetime:
        """When the revocation list expires and must be signed again. Raises AuthorityError."""
        return self._crl().next_update_utc or _NEVER

    def list_signed(self) -> datetime:
        """When the revocation list was signed. Raises AuthorityError."""
        return self._crl().last_update_utc

    def publish(self, folder: Path, *, flat: bool = False) -> None:
        """Copy the public half to `folder`, for the gatekeeper and the services.

        The revocation list comes last, and each file is replaced in one step. `flat`: without a
        folder inside, as a config map of Kubernetes needs it.
        """
        (folder if flat else folder / "issued").mkdir(parents=True, exist_ok=True)
        for path in [*self._issued(), self.folder / "ca.pem", self.folder / "crl.pem"]:
            name = str(path.relative_to(self.folder))
            target = folder / (name.replace("issued/", _FLAT) if flat else name)
            if not target.exists() or target.read_bytes() != path.read_bytes():
                _replace(target, path.read_bytes())

    def _issued(self) -> list[Path]:
        """Every issued certificate's file."""
        files = (*self.folder.glob("issued/*.pem"), *self.folder.glob(f"{_FLAT}*.pem"))
        return sorted(files)

    def _revoked(self) -> dict[int, datetime]:
        return {item.serial_number: item.revocation_date_utc for item in self._crl()}

    def _crl(self) -> x509.CertificateRevocationList:
        try:
            return read_revocation_list(self.folder / "crl.pem", self.certificate)
        except UserError as error:
            raise AuthorityError(error.problem, error.remedy) from None


class Authority(Register):
    """The authority with its private key."""

    def __init__(self, folder: Path, passphrase: bytes | None = None) -> None:
        super().__init__(folder)
        try:
            key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), passphrase)
        except (OSError, ValueError, TypeError) as error:
            raise AuthorityError(
                f"{folder / 'ca.key'} cannot be opened ({type(error).__name__}).",
                "Check --passphrase-file.",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityError(
                f"{folder / 'ca.key'} is not an authority's key.", "Restore it from its backup."
            )
        self._key = key

    def sign(
        self,
        request: x509.CertificateSigningRequest,
        kind: str,
        name: str,
        hosts: Sequence[str],
        days: int,
    ) -> bytes:
        """Sign a request. Returns the certificate (PEM).

        Only the public key is taken from the request. The operator says who it is for; a request
        that names another holder is refused. Raises AuthorityError or UserError.
        """
        check_name(kind, name)
        _check_request(request, name)
        now = datetime.now(UTC)
        serial = x509.random_serial_number()
        alternative: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(f"childlink:{kind}:{name}")
        ]
        alternative += [_host(host) for host in hosts]
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH] + (
            [ExtendedKeyUsageOID.SERVER_AUTH] if kind in _SERVERS else []
        )
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_subject(kind, name, serial))
            .issuer_name(self.certificate.subject)
            .public_key(request.public_key())
            .serial_number(serial)
            .not_valid_before(now - _CLOCKS_DIFFER)
            .not_valid_after(min(now + timedelta(days=days), self.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternative), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False
            )
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        _replace(self.folder / "issued" / f"{serial:040x}.pem", pem)
        return pem

    def revoke(self, serials: Sequence[str]) -> None:
        """Add certificates to the revocation list."""
        now = datetime.now(UTC)
        revoked = self._revoked() | {int(serial, 16): now for serial in serials}
        _write_crl(self.folder, self.certificate, self._key, revoked)


def new_request(name: str) -> tuple[x509.CertificateSigningRequest, bytes]:
    """A request and its private key (PEM), for a service of the hub. Partners make their own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    )
    return request, private_pem(key, None)


def read_request(path: Path) -> x509.CertificateSigningRequest:
    """Read a request file (PEM). Raises AuthorityError."""
    try:
        return x509.load_pem_x509_csr(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AuthorityError(
            f"{path} is not a certificate request ({type(error).__name__}).",
            "Ask for the original file tls.csr.",
        ) from None


def private_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    """A private key as PKCS #8, encrypted if there is a passphrase."""
    protection = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


def _subject(kind: str, name: str, serial: int) -> x509.Name:
    # Kafka builds its principal from these (ssl.principal.mapping.rules in
    # deploy/kafka/server.properties). It includes the serial number, so that rights belong to one
    # certificate. Revoking the certificate removes its rights; its successor has its own.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, kind),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.USER_ID, f"{serial:040x}"),
        ]
    )


def _who(certificate: x509.Certificate) -> tuple[str, str]:
    [kind] = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    [name] = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(kind.value), str(name.value)


def _check_request(request: x509.CertificateSigningRequest, name: str) -> None:
    if not request.is_signature_valid:
        raise AuthorityError(
            "The request's signature is wrong.", "Ask for it again. It was changed in transit."
        )
    named = [
        str(item.value) for item in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    if named != [name]:
        raise AuthorityError(
            f"The request is for {', '.join(named) or 'no name'}, not for {name}.",
            "Ask by telephone who made it, and for whom.",
        )
    key = request.public_key()
    strong = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in (
        "secp256r1",
        "secp384r1",
    )
    if not strong and not (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS):
        raise AuthorityError(
            "The request's key type is not accepted.",
            f"Use NIST P-256 or P-384, or RSA with {_LEAST_RSA_BITS} bits. `childlink-ingest keys"
            " request` makes such a key.",
        )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_crl(
    folder: Path,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    revoked: dict[int, datetime],
) -> None:
    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(certificate.subject)
    builder = builder.last_update(now).next_update(now + timedelta(days=_CRL_DAYS))
    for serial, at in sorted(revoked.items()):
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        )
    _replace(
        folder / "crl.pem",
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
    )


def _replace(path: Path, content: bytes) -> None:
    # Replace the file in one step, because the gatekeeper may be reading it.
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise AuthorityError(
            f"{path} is not a certificate ({type(error).__name__}).", "Check the path."
        ) from None


__all__ = [
    "KINDS",
    "Authority",
    "AuthorityError",
    "Issued",
    "Register",
    "create",
    "new_request",
    "read_request",
]
