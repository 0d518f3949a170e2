"""Revoked client certificates: the current `crl.pem` of the authority.

`childlink-ops ca publish` copies it here.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from childlink_core.checkup import read_certificates
from childlink_core.errors import UserError
from childlink_core.revocation import read_revocation_list
from cryptography import x509

from childlink_access.current import CurrentFile

REVOKED: Final = "revoked"
NO_LIST: Final = "no_revocation_list"
"""The list is missing, damaged, expired or older than the one before."""


class RevokedCertificates:
    """The revocation list of one authority. If it cannot be read, has expired, or is older than the
    one before it, every certificate is refused.
    """

    def __init__(self, crl: Path, authority: Path) -> None:
        self._authority = read_certificates(authority)[0]
        self._newest: datetime | None = None
        self._list = CurrentFile(crl, self._read)

    def refuses(self, pem: bytes) -> str:
        """Why a certificate is refused, or "": it is revoked or from another authority, or the list
        cannot be relied on. The connection has already checked the certificate.
        """
        try:
            current = self._list.now()
        except UserError:
            return NO_LIST
        if (current.next_update_utc or datetime.max.replace(tzinfo=UTC)) < datetime.now(UTC):
            return NO_LIST
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError:
            return REVOKED
        if certificate.issuer != self._authority.subject:
            return REVOKED
        listed = current.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return REVOKED if listed else ""

    def _read(self, path: Path) -> x509.CertificateRevocationList:
        found = read_revocation_list(path, self._authority)
        if self._newest and found.last_update_utc < self._newest:
            raise UserError(
                f"{path} was signed before the list that it replaced.",
                "An older list forgets revocations. Copy the newest one from the authority.",
            )
        self._newest = found.last_update_utc
        return found
