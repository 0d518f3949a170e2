"""Which client certificates were revoked: the authority's `crl.pem`, as it is now (`childlink-ops
ca publish` brings it).
"""

from pathlib import Path

from childlink_core.checkup import read_certificates
from childlink_core.errors import UserError
from childlink_core.revocation import read_revocation_list
from cryptography import x509

from childlink_access.current import CurrentFile


class RevokedCertificates:
    """Knows the list of one authority. A list that cannot be read lets no certificate in."""

    def __init__(self, crl: Path, authority: Path) -> None:
        issuer = read_certificates(authority)[0]
        self._issuer = issuer.subject
        self._serials = CurrentFile(
            crl, lambda path: {r.serial_number for r in read_revocation_list(path, issuer)}
        )

    def refuses(self, pem: bytes) -> bool:
        """Whether a certificate (that the connection has checked) may not be used any more."""
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            return (
                certificate.issuer != self._issuer
                or certificate.serial_number in self._serials.now()
            )
        except (UserError, ValueError):
            return True
