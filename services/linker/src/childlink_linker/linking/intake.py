"""Turns opened batches into arrivals: parses them, checks them against the profile and hashes their
tokens again. Refuses whole batches or single records.
"""

import hashlib
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_bus.stream_processor import OpenedBatch, Result
from childlink_core import reasons
from childlink_core.profiles import SEGMENT_BYTES, Pass, Profile
from childlink_core.references import REFERENCE_BYTES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from childlink_linker.matching.encodings import TOKEN_BYTES, row_type
from childlink_linker.records import Answer, Arrival, Arrivals, Withdrawal

_MOST_CAPSULE_BYTES: Final = 200
_ROUNDS: Final = 8
"""Rounds of the permutation of a filter's bits. Four make a Feistel network pseudorandom (Luby and
Rackoff 1988); small domains need more.
"""


class TokenHasher:
    """Hashes tokens and segments again under the linker's own key, and moves the bits of filters,
    so that a leaked linkage secret alone does not reveal the store. Equal tokens stay equal; so do
    equal segments under the same token, and the number of bits that two filters have in common.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._mix, self._move = (
            Cipher(
                algorithms.AES(hashlib.blake2b(what, key=key, digest_size=32).digest()),
                modes.ECB(),  # noqa: S305 - a permutation, not encryption
            )
            .encryptor()
            .update
            for what in (b"segments", b"filters")
        )

    def __call__(self, kind: bytes, token: bytes) -> bytes:
        """Hash a token again."""
        return hashlib.blake2b(kind + token, key=self._key, digest_size=REFERENCE_BYTES).digest()

    def segments(
        self, tokens: NDArray[np.uint8], segments: NDArray[np.uint32]
    ) -> NDArray[np.uint32]:
        """Hash segments (records, segments) again under their tokens (records, 16). Under one
        token, equal segments stay equal in every position. A missing segment (0) stays missing.
        """
        blocks = np.empty((*segments.shape, 4), dtype="<u4")
        blocks[:, :, 0] = segments
        blocks[:, :, 1:] = tokens.view("<u4")[:, None, :3]
        mixed = np.frombuffer(self._mix(blocks.tobytes()), dtype="<u4").reshape(blocks.shape)[
            :, :, 0
        ]
        return np.where(segments == 0, np.uint32(0), np.maximum(mixed, np.uint32(1)))

    def filters(self, tokens: NDArray[np.uint8], filters: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """Move the bits of filters (records, bytes) under their tokens (records, 16) by a keyed
        permutation: a Feistel network over positions. Filters under one token have as many bits in
        common as before.
        """
        bits = 8 * filters.shape[1]
        low = (bits.bit_length() - 1) // 2
        high = bits.bit_length() - 1 - low
        rows, positions = np.nonzero(np.unpackbits(filters, axis=1, bitorder="little"))
        left, right = positions >> low, positions & ((1 << low) - 1)
        blocks = np.empty((len(rows), 2), dtype="<u8")
        blocks[:, 0] = tokens.view("<u8")[rows, 0]
        for step in range(_ROUNDS):
            # Halves of unequal size: in odd steps the low half changes, in even ones the high half.
            half, size = (left, low) if step % 2 else (right, high)
            blocks[:, 1] = half.astype(np.uint64) | np.uint64(step << 32)
            mixed = np.frombuffer(self._move(blocks.tobytes()), dtype="<u4")[::4]
            change = (mixed & np.uint32((1 << size) - 1)).astype(np.int64)
            if step % 2:
                right = right ^ change
            else:
                left = left ^ change
        flags = np.zeros((len(filters), bits), dtype=bool)
        flags[rows, (left << low) | right] = True
        return np.packbits(flags, axis=1, bitorder="little").view("<u8")

    def digest(self, content: bytes) -> bytes:
        """Digest of a record's content, to detect changed records."""
        return hashlib.blake2b(
            b"digest" + content, key=self._key, digest_size=REFERENCE_BYTES
        ).digest()


def read_batches(
    batches: Sequence[OpenedBatch],
    profile: Profile,
    key_versions: Collection[int],
    hasher: TokenHasher,
) -> tuple[Arrivals, list[Result]]:
    """Parse opened batches. Returns the arrivals without refused records, and one result for each
    batch.
    """
    arrivals: list[Arrival] = []
    capsule_keys: list[tuple[str, bytes]] = []
    withdrawn: list[Withdrawal] = []
    answers: list[Answer] = []
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
        refused, good = [], []
        for index, record in enumerate(batch.records):
            problem = problem_of_record(record, profile)
            if problem:
                refused.append((index, problem))
                continue
            good.append((index, record))
        arrivals += _arrivals(
            opened.sender,
            good,
            batch.key_version,
            len(capsule_keys) - 1,
            profile,
            hasher,
            len(results),
        )
        answers += [
            Answer(opened.sender, item.request_id, item.link_reference, item.outcome)
            for item in batch.answers
        ]
        named = [_withdrawal(opened.sender, tombstone) for tombstone in batch.tombstones]
        # Records that arrived before their withdrawal in this micro-batch are not stored.
        arrivals = (
            [a for a in arrivals if not any(item.covers(a) for item in named)]
            if named
            else arrivals
        )
        withdrawn += named
        results.append(
            Result(
                accepted=len(batch.records)
                - len(refused)
                + len(batch.tombstones)
                + len(batch.answers),
                refused=tuple(refused),
            )
        )
    return Arrivals(arrivals, capsule_keys, withdrawn, answers), results


def _withdrawal(partner: str, tombstone: wire.Tombstone) -> Withdrawal:
    return Withdrawal(
        partner, tombstone.reference, tombstone.facet if tombstone.HasField("facet") else None
    )


def _problem_of_batch(
    batch: wire.EncodedBatch, profile: Profile, key_versions: Collection[int]
) -> str:
    if (batch.profile_id, batch.profile_fingerprint) != (profile.id, profile.fingerprint):
        return reasons.UNKNOWN_PROFILE
    if batch.key_version not in key_versions:
        return reasons.UNKNOWN_KEY_VERSION
    return ""


def problem_of_record(record: wire.EncodedRecord, profile: Profile) -> str:
    """The reason why a record cannot be stored, or ""."""
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
    if len(numbers) != len(set(numbers)) or any(
        profile.get_pass(number) is None for number in numbers
    ):
        return reasons.BAD_FILTER
    for item in record.passes:
        if not _is_filter(item, profile):
            return reasons.BAD_FILTER
        if len(item.block_token) != REFERENCE_BYTES:
            return reasons.BAD_REFERENCE
    return ""


def _is_filter(encoding: wire.PassEncoding, profile: Profile) -> bool:
    """Whether the number of segments fits the profile, and exactly the segments marked as present
    are not zero; or a CLK has its length and a plausible number of bits.
    """
    item = profile.get_pass(encoding.pass_number)
    if item and item.clk:
        empty = not encoding.filter and not encoding.present
        return empty and not item.clk.problem_with(encoding.bloom_filters)
    if item is None or not 0 < encoding.present < 1 << len(item.segments):
        return False
    if len(encoding.filter) != SEGMENT_BYTES * item.columns:
        return False
    sent = (*map(bool, memoryview(encoding.filter).cast("I")),)
    if sent[: len(item.segments)] != _bits(encoding.present, len(item.segments)):
        return False
    # A field that is not there says the same as filters without bits.
    blooms = encoding.bloom_filters
    return not blooms or (
        len(blooms) == item.filter_bytes and _are_blooms(blooms, sent[len(item.segments) :], item)
    )


def _are_blooms(blooms: bytes, keys: Sequence[bool], item: Pass) -> bool:
    """Whether each filter has as many bits as its elements can set, and its keys: none if the
    record lacks the fields, and few less than there are elements otherwise.
    """
    at = column = 0
    for one in item.filters:
        bits = int.from_bytes(blooms[at : at + one.bits // 8], "little").bit_count()
        if bits and not one.elements // 2 <= bits <= one.elements:
            return False
        if any(key != (bits > 0) for key in keys[column : column + one.keys]):
            return False
        at, column = at + one.bits // 8, column + one.keys
    return True


# There are few usual combinations of fields. The limit keeps a partner that makes up others from
# filling memory.
@lru_cache(maxsize=4_096)
def _bits(number: int, count: int) -> tuple[bool, ...]:
    """The lowest `count` bits of a number, least significant first."""
    return tuple(bool(number >> at & 1) for at in range(count))


def _arrivals(
    partner: str,
    records: Sequence[tuple[int, wire.EncodedRecord]],
    key_version: int,
    capsule_key: int,
    profile: Profile,
    hasher: TokenHasher,
    batch_number: int,
) -> list[Arrival]:
    rows = hashed_again([record for _, record in records], key_version, profile, hasher)
    arrivals = []
    for (index, record), row in zip(records, rows, strict=True):
        capsule, carers = (
            record.capsule,
            tuple((carer.link_reference, carer.relation) for carer in record.carers),
        )
        record.ClearField("capsule")
        # Under the linker's own key: a plain digest would let an attacker confirm guesses of the
        # tokens.
        digest = hasher.digest(record.SerializeToString(deterministic=True))
        arrivals.append(
            Arrival(
                partner,
                record.link_reference,
                record.facet,
                record.role,
                key_version,
                digest,
                row,
                capsule,
                capsule_key,
                carers,
                (batch_number, index),
            )
        )
    return arrivals


def hashed_again(
    records: Sequence[wire.EncodedRecord], key_version: int, profile: Profile, hasher: TokenHasher
) -> list[bytes]:
    """The stored row of each record (see `encodings`), with its tokens and segments hashed
    again.
    """
    table = np.zeros(len(records), dtype=row_type(profile))
    table["key_version"] = key_version
    version = key_version.to_bytes(4, "big")
    carried: dict[int, tuple[list[int], list[bytes], list[bytes], list[bytes]]] = {
        p.number: ([], [], [], []) for p in profile.passes
    }
    table["role"] = [record.role for record in records]
    table["birth_order"] = [min(record.birth_order, 255) for record in records]
    table["guessed"] = [record.approximate_date for record in records]
    table["many_ids"] = [record.many_ids for record in records]
    table["untraced"] = [record.untraced_number for record in records]
    table["source"] = [int.from_bytes(record.facet, "little") for record in records]
    numbers = [
        hasher(b"nhs" + version, record.nhs_token) if record.nhs_token else b""
        for record in records
    ]
    table["nhs"] = [int.from_bytes(number[:TOKEN_BYTES], "little") for number in numbers]
    for at, record in enumerate(records):
        for item in record.passes:
            rows, tokens, segments, blooms = carried[item.pass_number]
            rows.append(at)
            tokens.append(hasher(b"pass%d" % item.pass_number + version, item.block_token))
            segments.append(item.filter)
            blooms.append(
                item.bloom_filters or bytes(profile.by_number[item.pass_number].filter_bytes)
            )
    for number, (rows, tokens, segments, blooms) in carried.items():
        if rows:
            hashed = np.frombuffer(b"".join(tokens), dtype=np.uint8).reshape(-1, REFERENCE_BYTES)
            table[f"token {number}"][rows] = np.maximum(hashed.view("<u8")[:, 0], np.uint64(1))
            sent = np.frombuffer(b"".join(segments), dtype="<u4").reshape(len(rows), -1)
            table[f"segments {number}"][rows] = hasher.segments(hashed, sent)
            of_pass, at = profile.by_number[number], 0
            for bits in of_pass.filter_sizes:
                size = bits // 8
                column = np.frombuffer(
                    b"".join(bloom[at : at + size] for bloom in blooms), dtype=np.uint8
                ).reshape(len(rows), size)
                has = np.flatnonzero(column.any(axis=1))
                places = np.array(rows)[has, None], np.arange(at // 8, (at + size) // 8)
                table[f"filters {number}"][places] = hasher.filters(hashed[has], column[has])
                at += size
    size, everything = table.dtype.itemsize, table.tobytes()
    return [everything[at : at + size] for at in range(0, len(everything), size)]
