"""Reads a certificate authority's list of revoked certificates (RFC 5280), and believes it only if
the authority signed it.
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from childlink_core.errors import UserError


def read_revocation_list(path: Path, authority: x509.Certificate) -> x509.CertificateRevocationList:
    """The list in a PEM file. Raises UserError: without the list nobody knows who was revoked, so
    nobody may be let in.
    """
    try:
        found = x509.load_pem_x509_crl(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({type(error).__name__}).",
            "Copy it from the authority: without it, nobody knows who was revoked.",
        ) from None
    public = authority.public_key()
    if not isinstance(
        public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ) or not found.is_signature_valid(public):
        raise UserError(
            f"{path} was not signed by this authority.", "Copy it from the authority again."
        )
    return found
