"""Secret keys, one per file, readable only by the file's owner.

Secrets never appear in arguments, logs or errors.

>>> key = SigningKey.generate("trust-a")
>>> key.public().verify(key.sign(b"batch"), b"batch")
>>> len(key.key_id)
16
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from childlink_core.errors import UserError


class KeyFileError(UserError):
    """A key file is missing, unreadable, of the wrong kind, or readable by other users."""


def key_id_of(public: bytes) -> str:
    """The first 64 bits of the SHA-256 of a public key, as 16 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()[:16]


def aloud(key_id: str) -> str:
    """A key id as people read it to each other by telephone: groups of four.

    >>> aloud("3f2a99c10b44e7d2")
    '3f2a 99c1 0b44 e7d2'
    """
    return " ".join(key_id[at : at + 4] for at in range(0, len(key_id), 4))


def heard(text: str) -> str:
    """What was heard by telephone, without its spaces, hyphens and capitals.

    >>> heard("3F2A-99c1 0b44E7D2")
    '3f2a99c10b44e7d2'
    """
    return "".join(text.split()).replace("-", "").lower()


@dataclass(frozen=True)
class VerifyKey:
    """A sender's Ed25519 public key (32 bytes)."""

    owner: str
    public: bytes

    @property
    def key_id(self) -> str:
        """The id of this key in a batch's header."""
        return key_id_of(self.public)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise `cryptography.exceptions.InvalidSignature` if `signature` is not this key's
        signature over `message`.
        """
        Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)

    def matches(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's signature over `message`."""
        try:
            self.verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SealKey:
    """A reader's X25519 public key (32 bytes), to which batches are sealed."""

    owner: str
    public: bytes

    @property
    def key_id(self) -> str:
        """The id of this key in a batch's header."""
        return key_id_of(self.public)


@dataclass(frozen=True)
class SigningKey:
    """A sender's Ed25519 private key."""

    owner: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, owner: str) -> Self:
        """A new random key."""
        return cls(owner, Ed25519PrivateKey.generate().private_bytes_raw())

    def public(self) -> VerifyKey:
        """The public half, for the directory."""
        return VerifyKey(
            self.owner,
            Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw(),
        )

    @property
    def key_id(self) -> str:
        """The id of this key in a batch's header."""
        return self.public().key_id

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).sign(message)


@dataclass(frozen=True)
class OpeningKey:
    """A reader's X25519 private key."""

    owner: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, owner: str) -> Self:
        """A new random key."""
        return cls(owner, X25519PrivateKey.generate().private_bytes_raw())

    def private(self) -> X25519PrivateKey:
        """The key as an object of the `cryptography` library."""
        return X25519PrivateKey.from_private_bytes(self.secret)

    def public(self) -> SealKey:
        """The public half, for the directory."""
        return SealKey(
            self.owner,
            X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw(),
        )


@dataclass(frozen=True)
class SecretKey:
    """32 random bytes with a version, for keyed hashes.

    Used for the linkage secret, reference keys and the services' own keys.
    """

    owner: str
    version: int
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, owner: str, version: int = 1) -> Self:
        """A new random key."""
        return cls(owner, version, secrets.token_bytes(32))

    @property
    def check_value(self) -> str:
        """8 hexadecimal digits to compare two copies of a secret. They do not reveal the secret."""
        return hashlib.blake2b(b"childlink check value", key=self.secret, digest_size=4).hexdigest()

    def derive(self, label: str, size: int = 32) -> bytes:
        """A subkey for one purpose (keyed BLAKE2b over the label, RFC 7693)."""
        return hashlib.blake2b(
            label.encode(), key=self.secret, digest_size=size, person=b"childlink-derive"
        ).digest()


AnyKey = SigningKey | OpeningKey | SecretKey
_KINDS: dict[str, type[AnyKey]] = {
    "signing": SigningKey,
    "opening": OpeningKey,
    "secret": SecretKey,
}


def write_key(path: Path, key: AnyKey) -> None:
    """Write a key to a new file with mode 0600. Never overwrites a file.

    A lost reference key makes earlier rows unreachable. Raises KeyFileError if the file exists.
    """
    kind = next(name for name, cls in _KINDS.items() if isinstance(key, cls))
    content: dict[str, Any] = {
        "kind": kind,
        "owner": key.owner,
        "secret": base64.b64encode(key.secret).decode(),
    }
    if isinstance(key, SecretKey):
        content["version"] = key.version
    write_private(path, json.dumps(content).encode())


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read (mode 0600).

    Never overwrites a file: raises KeyFileError if it exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileError(
            f"{path} already exists.", "Keys are never overwritten. Move the old file first."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def read_signing_key(path: Path) -> SigningKey:
    """Read an Ed25519 key file, or raise KeyFileError."""
    content = _read(path, "signing")
    return SigningKey(content["owner"], base64.b64decode(content["secret"]))


def read_opening_key(path: Path) -> OpeningKey:
    """Read an X25519 key file, or raise KeyFileError."""
    content = _read(path, "opening")
    return OpeningKey(content["owner"], base64.b64decode(content["secret"]))


def read_secret_key(path: Path) -> SecretKey:
    """Read a secret key file, or raise KeyFileError."""
    content = _read(path, "secret")
    return SecretKey(content["owner"], int(content["version"]), base64.b64decode(content["secret"]))


def read_any_key(path: Path) -> AnyKey:
    """Read a key file of any kind, or raise KeyFileError. Use this to manage key files, not to use
    the keys.
    """
    try:
        kind = str(json.loads(path.read_text())["kind"])
    except (OSError, ValueError, KeyError, TypeError):
        kind = ""
    readers: dict[str, Callable[[Path], AnyKey]] = {
        "signing": read_signing_key,
        "opening": read_opening_key,
    }
    return readers.get(kind, read_secret_key)(path)


def check_private(path: Path) -> None:
    """Raise KeyFileError if other users can read the file, or if it is missing."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path} can be read by other users.", f"Run: chmod 600 {path}")
    except OSError as error:
        raise KeyFileError(
            f"{path} cannot be read ({error.strerror}).",
            "Restore it from its backup, or correct the setting.",
        ) from None


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        if path.exists():
            check_private(path)
        content = json.loads(path.read_text())
        if content["kind"] != kind or len(base64.b64decode(content["secret"])) != 32:
            raise KeyFileError(
                f"{path} does not hold a {kind} key.",
                "Use the file that `keys new` made for this key.",
            )
    except FileNotFoundError:
        raise KeyFileError(
            f"Key file {path} does not exist.",
            "Make it with `keys new` (the linkage secret: `keys open-linkage`), or correct the"
            " setting.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(
            f"{path} is not a key file ({type(error).__name__}).", "Restore it from its backup."
        ) from None
    return dict(content)
