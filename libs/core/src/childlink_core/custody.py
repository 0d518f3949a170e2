"""How the custodian issues the linkage secret to a site, and how a site backs up a key.

The hub uses none of this. The linkage secret allows its holder to enumerate the token of every NHS
number. Therefore the custodian seals it (HPKE) to one site, and the two compare its check value
through another channel. A backup is encrypted under a passphrase (scrypt, RFC 7914).
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
    """Seal the linkage secret to one site. Returns the text of a file.

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
    """Open a sealed linkage secret.

    Raises KeyFileError if the file is not sealed to `key`, or was changed.
    """
    content = _read(text, "sealed linkage secret")
    plain = open_bytes(base64.b64decode(content["sealed"]), key, _ISSUED + key.owner.encode())
    if plain is None:
        raise KeyFileError(
            f"The file is sealed for {content['for']!r}. This site's opening key cannot open it.",
            "Send the custodian your current public keys (`childlink-ingest keys show`) and ask for"
            " a new file.",
        )
    inner = json.loads(plain)
    opened = SecretKey(inner["owner"], int(inner["version"]), base64.b64decode(inner["secret"]))
    if (opened.version, opened.check_value) != (content["version"], content["check_value"]):
        raise KeyFileError(
            "The label of the file does not match the secret in it.",
            "Ask the custodian for a new file.",
        )
    return opened


def back_up(key: SecretKey, passphrase: str) -> str:
    """Encrypt a key under a passphrase. Returns the text of a backup file.

    The check value is not encrypted, so that `doctor` can compare it. Raises UserError if the
    passphrase is shorter than 12 characters.

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
    """Open a backup. Raises KeyFileError if the passphrase is wrong or the file was changed."""
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
            "The backup cannot be opened.", "The passphrase is wrong, or the file was changed."
        ) from None
    return SecretKey(content["owner"], int(content["version"]), secret)


def backup_check_value(text: str) -> str:
    """The check value of the key in a backup. The backup stays closed."""
    return str(_read(text, "key backup")["check_value"])


def _derive(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())


def _read(text: str, kind: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        if content["kind"] != kind:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise KeyFileError(f"This is not a {kind} file.", "Use the original file.") from None
    return dict(content)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
