"""Read the certificate revocation list of an authority (RFC 5280), and check its signature."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from childlink_core.errors import UserError


def read_revocation_list(path: Path, authority: x509.Certificate) -> x509.CertificateRevocationList:
    """Read the revocation list in a PEM file and check that `authority` signed it.

    Raises UserError. Without a list, revoked certificates are unknown, so every certificate must be
    refused.
    """
    try:
        found = x509.load_pem_x509_crl(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({type(error).__name__}).",
            "Copy it from the authority. Without it, revoked certificates cannot be detected.",
        ) from None
    public = authority.public_key()
    if not isinstance(
        public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ) or not found.is_signature_valid(public):
        raise UserError(
            f"{path} was not signed by this authority.", "Copy it from the authority again."
        )
    return found
