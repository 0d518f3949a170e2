"""Revoked client certificates: the current `crl.pem` of the authority.

`childlink-ops ca publish` copies it here.
"""

from pathlib import Path

from childlink_core.checkup import read_certificates
from childlink_core.errors import UserError
from childlink_core.revocation import read_revocation_list
from cryptography import x509

from childlink_access.current import CurrentFile


class RevokedCertificates:
    """The revocation list of one authority. If it cannot be read, every certificate is refused."""

    def __init__(self, crl: Path, authority: Path) -> None:
        issuer = read_certificates(authority)[0]
        self._issuer = issuer.subject
        self._serials = CurrentFile(
            crl, lambda path: {r.serial_number for r in read_revocation_list(path, issuer)}
        )

    def refuses(self, pem: bytes) -> bool:
        """Whether a certificate is revoked or from another authority. The connection has already
        checked it.
        """
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            return (
                certificate.issuer != self._issuer
                or certificate.serial_number in self._serials.now()
            )
        except (UserError, ValueError):
            return True
