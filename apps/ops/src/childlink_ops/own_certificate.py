"""Checks that the broker will accept the operator certificate in the settings."""

from datetime import UTC, datetime

from childlink_core.checkup import certificates_last, read_certificates
from childlink_core.errors import UserError
from childlink_core.keys import check_private
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from childlink_ops.authority import Register
from childlink_ops.settings import GatekeeperSettings


def check_own_certificate(settings: GatekeeperSettings) -> str:
    """Check chain, key, kind, revocation and expiry of the certificate in the settings. Raises
    UserError.
    """
    ca, path, key = settings.kafka_tls_ca, settings.kafka_tls_certificate, settings.kafka_tls_key
    if ca is None:
        return "not set: only suitable for a broker on this machine"
    if path is None or key is None:
        raise UserError(
            "An authority is set, but no certificate or no key.",
            "Set kafka_tls_certificate and _key.",
        )
    certificate = read_certificates(path)[0]
    if not any(_signed_by(certificate, issuer) for issuer in read_certificates(ca)):
        raise UserError(
            f"{path} was not signed by {ca}.",
            "Issue it with the broker's authority, or correct kafka_tls_ca.",
        )
    check_private(key)
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{key} is not a private key ({type(error).__name__}).", "Correct kafka_tls_key."
        ) from None
    if _bytes(private.public_key()) != _bytes(certificate.public_key()):
        raise UserError(
            f"{key} is not the key of {path}.", "Copy both from the same folder of `ca issue`."
        )
    kinds = [
        str(item.value)
        for item in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    ]
    if kinds != ["operator"]:
        raise UserError(
            f"{path} is not an operator's certificate. Its kind is {', '.join(kinds) or 'none'}.",
            "Issue one: `childlink-ops ca issue operator gatekeeper`.",
        )
    serial = f"{certificate.serial_number:040x}"
    if any(
        item.serial == serial and item.revoked
        for item in Register(settings.authority).certificates()
    ):
        raise UserError(
            f"{path} is revoked.", "Issue a new one: `childlink-ops ca issue operator gatekeeper`."
        )
    if certificate.not_valid_before_utc > datetime.now(UTC):
        raise UserError(
            f"{path} is not valid yet. Is this machine's clock slow?", "Synchronise it with NTP."
        )
    return certificates_last(
        [path, ca], "Issue a new one: `childlink-ops ca issue operator gatekeeper`."
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _bytes(key: object) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))  # type: ignore[attr-defined]
