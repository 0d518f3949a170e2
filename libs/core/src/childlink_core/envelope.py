"""Seal and sign a batch; verify and open it. Both cover the header.

Sealing is HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
HPKE does not authenticate the sender, so the sender signs header and sealed payload with Ed25519
(RFC 8032). `childlink_core.streams` checks whether a batch is in its place in the stream.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

from childlink.wire.v1 import envelope_pb2 as wire
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from google.protobuf.message import DecodeError

from childlink_core import reasons, telemetry
from childlink_core.directory import Directory
from childlink_core.errors import BatchRefusedError
from childlink_core.keys import OpeningKey, SealKey, SigningKey

SCHEMA_VERSION: Final = 1
# Kafka's default limit is 1 MiB. childlink makes far smaller batches and refuses larger ones.
LARGEST_BATCH_BYTES: Final = 1_000_000

_SIGNED: Final = b"childlink batch v1\x00"
_SEALED: Final = b"childlink seal v1\x00"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class Address:
    """Where a batch goes: topic, kind, and place in the stream (sender, topic)."""

    topic: str
    kind: "wire.PayloadKind"
    epoch: int
    sequence: int


def seal(
    payload: bytes, address: Address, reader: SealKey, sender: SigningKey, now_ms: int | None = None
) -> bytes:
    """Seal `payload` to `reader`, sign it as `sender`, and return the serialised SealedBatch."""
    header = wire.Header(
        schema_version=SCHEMA_VERSION,
        sender=sender.owner,
        signing_key_id=sender.key_id,
        reader=reader.owner,
        sealing_key_id=reader.key_id,
        topic=address.topic,
        kind=address.kind,
        epoch=address.epoch,
        sequence=address.sequence,
        sealed_at_ms=int(time.time() * 1000) if now_ms is None else now_ms,
        traceparent=telemetry.traceparent(),
    ).SerializeToString(deterministic=True)
    sealed = seal_bytes(payload, reader, header)
    signature = sender.sign(_signed_part(header, sealed))
    return wire.SealedBatch(header=header, sealed=sealed, signature=signature).SerializeToString()


def digest(message: bytes) -> bytes:
    """SHA-256 of a sealed batch. Batches with the same sequence number differ, too."""
    return hashlib.sha256(message).digest()


def traceparent(message: bytes) -> str:
    """The unverified trace context in a batch's header; empty if there is none."""
    try:
        return wire.Header.FromString(wire.SealedBatch.FromString(message).header).traceparent
    except DecodeError:
        return ""


def verify(
    message: bytes, topic: str, reader: str, directory: Directory
) -> tuple[wire.Header, wire.SealedBatch]:
    """Check the sender, topic and reader of a message, without opening it.

    Raises BatchRefusedError with the reason. Do not trust any part of the message before this
    returns.
    """
    if len(message) > LARGEST_BATCH_BYTES:
        raise BatchRefusedError(reasons.NOT_A_BATCH, "too large")
    try:
        batch = wire.SealedBatch.FromString(message)
        header = wire.Header.FromString(batch.header)
    except DecodeError:
        raise BatchRefusedError(reasons.NOT_A_BATCH) from None
    if not batch.header or not batch.sealed:
        raise BatchRefusedError(reasons.NOT_A_BATCH)
    key = directory.verify_key(header.sender, header.signing_key_id)
    if key is None:
        raise BatchRefusedError(reasons.UNKNOWN_SENDER)
    if not key.matches(batch.signature, _signed_part(batch.header, batch.sealed)):
        raise BatchRefusedError(reasons.BAD_SIGNATURE)
    if header.topic != topic:
        raise BatchRefusedError(reasons.WRONG_TOPIC)
    if header.reader != reader:
        raise BatchRefusedError(reasons.WRONG_READER)
    return header, batch


def open_batch(header: wire.Header, batch: wire.SealedBatch, keys: tuple[OpeningKey, ...]) -> bytes:
    """Open a verified batch with the key in `keys` that it is sealed to.

    Raises BatchRefusedError.
    """
    if header.schema_version != SCHEMA_VERSION:
        raise BatchRefusedError(reasons.UNKNOWN_SCHEMA)
    key = next((key for key in keys if key.public().key_id == header.sealing_key_id), None)
    if key is None:
        raise BatchRefusedError(reasons.WRONG_READER)
    payload = open_bytes(batch.sealed, key, batch.header)
    if payload is None:
        raise BatchRefusedError(reasons.CANNOT_OPEN)
    return payload


def seal_bytes(plain: bytes, reader: SealKey, info: bytes) -> bytes:
    """HPKE single-shot seal with `info` bound in; 48 bytes longer than `plain`."""
    return _SUITE.encrypt(
        plain, X25519PublicKey.from_public_bytes(reader.public), info=_SEALED + info
    )


def open_bytes(sealed: bytes, key: OpeningKey, info: bytes) -> bytes | None:
    """HPKE single-shot open. Returns None if the key, the bytes and `info` do not match."""
    try:
        return _SUITE.decrypt(sealed, key.private(), info=_SEALED + info)
    except (InvalidTag, ValueError):
        return None


def _signed_part(header: bytes, sealed: bytes) -> bytes:
    return _SIGNED + len(header).to_bytes(4, "big") + header + sealed
