"""Opened batches become arrivals: parsed, checked against the profile, tokens hashed again. Refusals are per batch or record."""

import hashlib
from collections.abc import Collection, Sequence

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_bus.pump import OpenedBatch, Result
from childlink_core import reasons
from childlink_core.profiles import SEGMENT_BYTES, Profile
from childlink_core.references import REFERENCE_BYTES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from google.protobuf.message import DecodeError

from childlink_linker.link_batch import Arrival, Arrivals, Withdrawal

_MOST_CAPSULE_BYTES = 200
_MISSING = bytes(SEGMENT_BYTES)


class TokenHasher:
    """Hashes every token and segment once more under the linker's own key, so that a leaked linkage secret does not open the
    store. Equal ones stay equal, within a block."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        segments = hashlib.blake2b(b"segments", key=key, digest_size=32).digest()
        self._mix = Cipher(algorithms.AES(segments), modes.ECB()).encryptor().update  # noqa: S305 - a permutation, not encryption

    def __call__(self, kind: bytes, token: bytes) -> bytes:
        """A token, hashed again."""
        return hashlib.blake2b(kind + token, key=self._key, digest_size=REFERENCE_BYTES).digest()

    def segments(self, token: bytes, row: bytes) -> bytes:
        """The segments of a block, hashed again; equal ones stay equal wherever they stand. One that is missing (0) stays missing."""
        parts = [row[at : at + SEGMENT_BYTES] for at in range(0, len(row), SEGMENT_BYTES)]
        mixed = self._mix(b"".join([part + token[: 16 - SEGMENT_BYTES] for part in parts]))
        return b"".join(
            [mixed[16 * at : 16 * at + SEGMENT_BYTES] if part != _MISSING else part for at, part in enumerate(parts)]
        )

    def digest(self, content: bytes) -> bytes:
        """What tells a changed record from an unchanged one."""
        return hashlib.blake2b(b"digest" + content, key=self._key, digest_size=REFERENCE_BYTES).digest()


def read_batches(
    batches: Sequence[OpenedBatch], profile: Profile, key_versions: Collection[int], hasher: TokenHasher
) -> tuple[Arrivals, list[Result]]:
    """Parse opened batches. One result per batch; refused records are left out of the arrivals."""
    arrivals: list[Arrival] = []
    capsule_keys: list[tuple[str, bytes]] = []
    withdrawn: list[Withdrawal] = []
    results = []
    for opened in batches:
        try:
            batch = wire.EncodedBatch.FromString(opened.payload)
        except DecodeError:
            results.append(Result(reason=reasons.MALFORMED))
            continue
        reason = _problem_of_batch(batch, profile, key_versions)
        if reason:
            results.append(Result(reason=reason))
            continue
        capsule_keys.append((opened.sender, batch.sealed_capsule_key))
        refused = []
        for index, record in enumerate(batch.records):
            problem = problem_of_record(record, profile)
            if problem:
                refused.append((index, problem))
                continue
            arrivals.append(_arrival(opened.sender, record, batch.key_version, len(capsule_keys) - 1, hasher))
        named = [_withdrawal(opened.sender, tombstone) for tombstone in batch.tombstones]
        # What came before its withdrawal in this micro-batch is not stored at all.
        arrivals = [a for a in arrivals if not any(item.covers(a) for item in named)] if named else arrivals
        withdrawn += named
        results.append(
            Result(accepted=len(batch.records) - len(refused) + len(batch.tombstones), refused=tuple(refused))
        )
    return Arrivals(arrivals, capsule_keys, withdrawn), results


def _withdrawal(partner: str, tombstone: wire.Tombstone) -> Withdrawal:
    return Withdrawal(partner, tombstone.reference, tombstone.facet if tombstone.HasField("facet") else None)


def _problem_of_batch(batch: wire.EncodedBatch, profile: Profile, key_versions: Collection[int]) -> str:
    if (batch.profile_id, batch.profile_fingerprint) != (profile.id, profile.fingerprint):
        return reasons.UNKNOWN_PROFILE
    if batch.key_version not in key_versions:
        return reasons.UNKNOWN_KEY_VERSION
    return ""


def problem_of_record(record: wire.EncodedRecord, profile: Profile) -> str:
    """Why a record cannot be stored, or ""."""
    references = [record.link_reference, *(carer.link_reference for carer in record.carers)]
    if any(len(reference) != REFERENCE_BYTES for reference in references) or len(record.facet) != 4:
        return reasons.BAD_REFERENCE
    if not 0 < len(record.capsule) <= _MOST_CAPSULE_BYTES:
        return reasons.BAD_REFERENCE
    if record.role not in (wire.ROLE_CHILD, wire.ROLE_ADULT) or any(
        carer.relation not in (wire.RELATION_MOTHER, wire.RELATION_FATHER, wire.RELATION_CARER)
        for carer in record.carers
    ):
        return reasons.BAD_VALUE
    if record.HasField("nhs_token") and len(record.nhs_token) != REFERENCE_BYTES:
        return reasons.BAD_REFERENCE
    if not record.HasField("nhs_token") and not record.passes:
        return reasons.EMPTY_SUBJECT
    numbers = [item.pass_number for item in record.passes]
    if len(numbers) != len(set(numbers)) or any(profile.get_pass(number) is None for number in numbers):
        return reasons.BAD_FILTER
    for item in record.passes:
        if not _is_filter(item, profile):
            return reasons.BAD_FILTER
        if len(item.block_token) != REFERENCE_BYTES:
            return reasons.BAD_REFERENCE
    return ""


def _is_filter(encoding: wire.PassEncoding, profile: Profile) -> bool:
    """Whether segments are as many as the profile says, and those that are said to be there are, and no others."""
    item = profile.get_pass(encoding.pass_number)
    if item is None or not 0 < encoding.present < 1 << len(item.segments):
        return False
    if len(encoding.filter) != SEGMENT_BYTES * len(item.segments):
        return False
    return all(
        (segment != 0) == bool(encoding.present >> at & 1)
        for at, segment in enumerate(memoryview(encoding.filter).cast("I"))
    )


def _arrival(
    partner: str, record: wire.EncodedRecord, key_version: int, capsule_key: int, hasher: TokenHasher
) -> Arrival:
    capsule = record.capsule
    record.ClearField("capsule")
    # Under the linker's own key: a bare digest would confirm guesses of the tokens that are about to be hashed again.
    digest = hasher.digest(record.SerializeToString(deterministic=True))
    record.capsule = capsule
    version = key_version.to_bytes(4, "big")
    if record.HasField("nhs_token"):
        record.nhs_token = hasher(b"nhs" + version, record.nhs_token)
    for item in record.passes:
        item.block_token = hasher(b"pass%d" % item.pass_number + version, item.block_token)
        item.filter = hasher.segments(item.block_token, item.filter)
    return Arrival(partner, record, digest, key_version, capsule_key)
