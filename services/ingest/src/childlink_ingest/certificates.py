"""A site's certificate request: a NIST P-256 key and a PKCS #10 request (RFC 2986) with the
partner's name.
"""

from pathlib import Path

from childlink_core.keys import write_private
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def new_request(partner: str, key_file: Path, request_file: Path) -> None:
    """Write a new private key (mode 0600) and its request. Never overwrites a key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, partner)])
    names = x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(f"childlink:partner:{partner}")]
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(key_file, private)
    request_file.write_bytes(request.public_bytes(serialization.Encoding.PEM))
