"""How the linkage secret travels from its custodian to a site, and how a site backs a key up.
Nothing here is on a hub.

Whoever holds the linkage secret can enumerate every NHS number's token, so it goes sealed (HPKE) to
the one site that it is for, and its check value is compared through another channel. A backup is
encrypted under a passphrase (scrypt, RFC 7914).
"""

import base64
import json
import secrets
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from childlink_core.envelope import open_bytes, seal_bytes
from childlink_core.errors import UserError
from childlink_core.keys import KeyFileError, OpeningKey, SealKey, SecretKey

SHORTEST_PASSPHRASE: Final = 12
_ISSUED: Final = b"childlink linkage secret v1\x00"
_SCRYPT: Final = {"n": 2**16, "r": 8, "p": 1}
_NONCE_BYTES: Final = 12


def seal_linkage(key: SecretKey, site: SealKey) -> str:
    """The text of a file that opens with the site's opening key only.

    >>> site = OpeningKey.generate("trust-a")
    >>> secret = SecretKey.generate("partnership", 3)
    >>> open_linkage(seal_linkage(secret, site.public()), site) == secret
    True
    """
    plain = json.dumps(
        {"owner": key.owner, "version": key.version, "secret": _text(key.secret)}
    ).encode()
    sealed = seal_bytes(plain, site, _ISSUED + site.owner.encode())
    content = {
        "kind": "sealed linkage secret",
        "for": site.owner,
        "version": key.version,
        "check_value": key.check_value,
    }
    return json.dumps({**content, "sealed": _text(sealed)}, indent=2) + "\n"


def open_linkage(text: str, key: OpeningKey) -> SecretKey:
    """The secret in a sealed file. Raises KeyFileError when it is not sealed to `key`, or was
    changed.
    """
    content = _read(text, "sealed linkage secret")
    plain = open_bytes(base64.b64decode(content["sealed"]), key, _ISSUED + key.owner.encode())
    if plain is None:
        raise KeyFileError(
            f"The file is sealed for {content['for']!r}, and this site's opening key does not"
            " open it.",
            "Send the custodian your current public keys (`childlink-ingest keys show`) and ask for"
            " a new file.",
        )
    inner = json.loads(plain)
    opened = SecretKey(inner["owner"], int(inner["version"]), base64.b64decode(inner["secret"]))
    if (opened.version, opened.check_value) != (content["version"], content["check_value"]):
        raise KeyFileError(
            "The file's label does not belong to the secret in it.",
            "Ask the custodian for a new file.",
        )
    return opened


def back_up(key: SecretKey, passphrase: str) -> str:
    """The text of an encrypted backup. Its check value stands in the clear, so that `doctor` can
    compare it.

    >>> key = SecretKey.generate("trust-a")
    >>> restore(back_up(key, "a long passphrase"), "a long passphrase") == key
    True
    """
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UserError(
            f"The passphrase has fewer than {SHORTEST_PASSPHRASE} characters.", "Use a longer one."
        )
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(_NONCE_BYTES)
    label = {
        "kind": "key backup",
        "owner": key.owner,
        "version": key.version,
        "check_value": key.check_value,
    }
    sealed = ChaCha20Poly1305(_derive(passphrase, salt)).encrypt(
        nonce, key.secret, json.dumps(label).encode()
    )
    return (
        json.dumps({**label, "salt": _text(salt), "sealed": _text(nonce + sealed)}, indent=2) + "\n"
    )


def restore(text: str, passphrase: str) -> SecretKey:
    """The key in a backup. Raises KeyFileError when the passphrase is wrong or the file was
    changed.
    """
    content = _read(text, "key backup")
    label = {name: content[name] for name in ("kind", "owner", "version", "check_value")}
    sealed = base64.b64decode(content["sealed"])
    cipher = ChaCha20Poly1305(_derive(passphrase, base64.b64decode(content["salt"])))
    try:
        secret = cipher.decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], json.dumps(label).encode()
        )
    except InvalidTag:
        raise KeyFileError(
            "The backup does not open.", "The passphrase is wrong, or the file was changed."
        ) from None
    return SecretKey(content["owner"], int(content["version"]), secret)


def backup_check_value(text: str) -> str:
    """Which key a backup is of, without opening it."""
    return str(_read(text, "key backup")["check_value"])


def _derive(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())


def _read(text: str, kind: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        if content["kind"] != kind:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"This is not a {kind} file.", "Give the file as it was made.") from None
    return dict(content)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
