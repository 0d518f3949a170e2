"""Encodes identities into salted passes (see the profile file). No I/O.

Each field value is hashed once with a key derived from the linkage secret (BLAKE2b, RFC 7693), and
the digest is cached. The digests of a segment's salt and fields are added. AES (FIPS 197) with the
key of the pass maps the sum to a pseudorandom block; four bytes of the block are the segment. A
whole batch of records therefore needs only a few array operations and one AES call per pass.
"""

import hashlib
import json
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import SEGMENT_BYTES, Clk, Pass, Profile
from childlink_core.references import REFERENCE_BYTES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from childlink_ingest.pseudonymise.clk import ClkEncoder, parse_schema
from childlink_ingest.pseudonymise.fields import SHAPES, SOURCES, SPACES, source_of, value_of
from childlink_ingest.pseudonymise.filters import Bigrams, FilterEncoder, Ragged, bigrams_of
from childlink_ingest.pseudonymise.split import Subject

_Number = TypeVar("_Number", bound=np.generic)
Digests = NDArray[np.uint64]
"""Array of shape (n, 2): each row is a digest of two 64-bit words."""
_MOST_VALUES: Final = 500_000
_REPEATED: Final = 1 << 16
_OF_BIGRAMS: Final = ("given", "surname")
"""The fields that filters may take pairs of bigrams from."""
# EncodedRecord: link reference (16 bytes), facet (4 bytes), role.
_HEAD: Final = b"\x0a\x10%b\x12\x04%b\x18%c"
_PASSES_TAG: Final = bytes((wire.EncodedRecord.PASSES_FIELD_NUMBER << 3 | 2,))
_ROLES: Final = {"child": wire.ROLE_CHILD, "adult": wire.ROLE_ADULT}
_RELATIONS: Final = {
    "mother": wire.RELATION_MOTHER,
    "father": wire.RELATION_FATHER,
    "carer": wire.RELATION_CARER,
}


def carries_pass(subject: Subject, item: Pass) -> bool:
    """Whether a subject gets this pass.

    It needs the right role, all salt fields, and at least one complete segment; for a CLK, enough
    of its fields, or the CLK itself. If the pass has `only_without`, the subject must also lack one
    of those fields.
    """
    if subject.role not in item.roles or not all(value_of(subject, name) for name in item.salt):
        return False
    if item.clk:
        known = sum(bool(value_of(subject, name)) for name in item.clk.fields)
        return bool(subject.identity.clk) or known >= item.clk.least_fields
    if not any(all(value_of(subject, name) for name in segment) for segment in item.segments):
        return False
    return not item.only_without or any(not value_of(subject, name) for name in item.only_without)


def is_linkable(subject: Subject, profile: Profile) -> bool:
    """Whether a subject has an NHS number or a pass, so that it can be linked."""
    return bool(subject.identity.nhs_number) or any(
        carries_pass(subject, item) for item in profile.passes
    )


class Encoder:
    """Encodes subjects with one profile and one linkage secret."""

    def __init__(self, profile: Profile, linkage: SecretKey) -> None:
        self.profile = profile
        self.key_version = linkage.version
        nhs_key = linkage.derive("nhs number token")
        self._begun = {
            role: hashlib.blake2b(
                len(role).to_bytes(4, "big") + role.encode(),
                key=nhs_key,
                digest_size=REFERENCE_BYTES,
            )
            for role in _ROLES
        }
        self._pool = _DigestPool(linkage.derive("fields"))
        self._passes: list[_PassEncoder | _ClkPassEncoder] = [
            _ClkPassEncoder(item, item.clk, profile, linkage)
            if item.clk
            else _PassEncoder(item, profile, linkage)
            for item in profile.passes
        ]

    def encode(self, subjects: Sequence[Subject]) -> list[wire.EncodedRecord]:
        """Encode subjects: one record each, in order, without capsule.

        A record without token and passes cannot be linked.
        """
        return [
            wire.EncodedRecord.FromString(payload) for payload in self.encode_to_bytes(subjects)
        ]

    def encode_to_bytes(self, subjects: Sequence[Subject]) -> list[bytes]:
        """The same as `encode`, but serialised. Writing the wire format directly takes half the
        time.
        """
        self._pool.forget_if_large()
        tokens = [
            self._token(subject.role, number) if (number := subject.identity.nhs_number) else b""
            for subject in subjects
        ]
        batch = _Batch(subjects, tokens, self._pool)
        records = [
            self._head(subject, token) for subject, token in zip(subjects, tokens, strict=True)
        ]
        for item in self._passes:
            item.append_to(records, batch)
        return records

    def _head(self, subject: Subject, token: bytes) -> bytes:
        """Serialise a record without its passes. References have 16 bytes, facets 4."""
        identity = subject.identity
        head = _HEAD % (subject.link_reference, subject.facet, _ROLES[subject.role])
        if token:
            head += b"\x2a\x10" + token
        untraced = identity.number_untraced and bool(token)
        usual = not identity.date_approximate and subject.one_id_each and not untraced
        if identity.birth_order is None and subject.carer is None and usual:
            return head
        rest = wire.EncodedRecord(
            birth_order=identity.birth_order,
            approximate_date=identity.date_approximate,
            many_ids=not subject.one_id_each,
            untraced_number=untraced,
        )
        if subject.carer:
            reference, relation = subject.carer
            rest.carers.add(link_reference=reference, relation=_RELATIONS[relation])
        return head + rest.SerializeToString(deterministic=True)

    def _token(self, role: str, number: str) -> bytes:
        """`keyed_hash(key, role, number)`. The role's part is hashed only once."""
        begun = self._begun[role].copy()
        begun.update(b"\0\0\0\x0a" + number.encode())
        return begun.digest()


class _DigestPool:
    """Numbers the values of each source, and stores the digest of each shape of a value."""

    def __init__(self, key: bytes) -> None:
        self._digest = lru_cache(maxsize=_MOST_VALUES)(
            lambda space, value: hashlib.blake2b(
                f"{space}\0{value}".encode(), key=key, digest_size=16
            ).digest()
        )
        self._bigram = lru_cache(maxsize=_MOST_VALUES)(
            lambda pair: int.from_bytes(
                hashlib.blake2b(f"bigram\0{pair}".encode(), key=key, digest_size=8).digest(),
                "little",
            )
        )
        self._forget()

    def _forget(self) -> None:
        # Number 0 is the missing value. Its digest is never used.
        self._numbers: dict[str, dict[str, int]] = {source: {"": 0} for source in SOURCES}
        self._digests = {
            shape: array("Q", (0, 0)) for shapes in SHAPES.values() for shape in shapes
        }
        self._bigrams = {shape: Bigrams() for shape in _OF_BIGRAMS}

    def forget_if_large(self) -> None:
        """Clear the pool if it is large. Numbers returned before become invalid."""
        if sum(map(len, self._numbers.values())) > _MOST_VALUES:
            self._forget()

    def numbers(self, source: str, column: Sequence[str]) -> NDArray[np.int64]:
        """The number of each value; 0 for ""."""
        known, add = self._numbers[source], self._add
        return np.array(
            [known[v] if v in known else add(source, known, v) for v in column], dtype=np.int64
        )

    def digests(self, shape: str, numbers: NDArray[np.int64]) -> Digests:
        """The digest of each value, in one shape."""
        return np.frombuffer(self._digests[shape], dtype=np.uint64).reshape(-1, 2)[numbers]

    def bigrams(self, shape: str, numbers: NDArray[np.int64]) -> Ragged:
        """The digests of each value's bigrams. Those of given names and surnames are alike, so that
        swapped names have the same pairs.
        """
        return self._bigrams[shape].of(numbers)

    def _add(self, source: str, known: dict[str, int], value: str) -> int:
        for shape, reshape in SHAPES[source].items():
            self._digests[shape].frombytes(self._digest(SPACES.get(shape, shape), reshape(value)))
            if shape in self._bigrams:
                self._bigrams[shape].add(map(self._bigram, bigrams_of(reshape(value))))
        number = known[value] = len(known)
        return number


class _Batch:
    """A batch of subjects, with the columns of values that passes use. Each column is read once."""

    def __init__(
        self, subjects: Sequence[Subject], tokens: Sequence[bytes], pool: _DigestPool
    ) -> None:
        self.subjects, self._tokens, self._pool = subjects, tokens, pool
        self._numbers: dict[str, NDArray[np.int64]] = {}
        self.roles = np.fromiter(
            (_ROLES[s.role] for s in subjects), dtype=np.uint64, count=len(subjects)
        )

    def has(self, shape: str) -> NDArray[np.bool_]:
        """Mark the subjects that have a field."""
        return self._of(source_of(shape)) > 0

    def lacks_any(self, shapes: Sequence[str]) -> NDArray[np.bool_]:
        """Mark the subjects that lack one of some fields; all, if no field is named."""
        if not shapes:
            return np.ones(len(self.subjects), dtype=bool)
        lacks: NDArray[np.bool_] = ~np.logical_and.reduce([self.has(shape) for shape in shapes])
        return lacks

    def digests(self, shape: str, chosen: NDArray[np.int64]) -> Digests:
        """The digests of a field, for the chosen subjects.

        The digest of an NHS number is its token. Tokens are not cached, because no two subjects
        share one.
        """
        if shape == "nhs_number":
            tokens = b"".join([self._tokens[index] for index in chosen.tolist()])
            return np.frombuffer(tokens, dtype=np.uint64).reshape(-1, 2)
        return self._pool.digests(shape, self._of(source_of(shape))[chosen])

    def bigrams(self, shape: str, chosen: NDArray[np.int64]) -> Ragged:
        """The digests of the bigrams of a field, for the chosen subjects."""
        return self._pool.bigrams(shape, self._of(source_of(shape))[chosen])

    def _of(self, source: str) -> NDArray[np.int64]:
        known = self._numbers.get(source)
        if known is None:
            if source == "nhs_number":
                known = np.fromiter(
                    map(bool, self._tokens), dtype=np.int64, count=len(self._tokens)
                )
            else:
                read = SOURCES[source]
                known = self._pool.numbers(source, [read(subject) for subject in self.subjects])
            self._numbers[source] = known
        return known


class _PassEncoder:
    """Encodes one pass."""

    def __init__(self, item: Pass, profile: Profile, linkage: SecretKey) -> None:
        self._item = item
        name = f"{profile.id} pass {item.number}"
        self._tokens, self._segments = (
            Cipher(algorithms.AES(linkage.derive(f"{name} {what}")), modes.ECB()).encryptor()  # noqa: S305 - a permutation, not encryption
            for what in ("token", "segments")
        )
        # Segments of the same kind (two names) are hashed alike, so that any two can be equal.
        kinds = [
            tuple(sorted(SPACES.get(name, name) for name in segment)) for segment in item.segments
        ]
        self._tags = np.array([1 + kinds.index(kind) for kind in kinds], dtype=np.uint64)
        self._alike = [
            (at, earlier)
            for at, kind in enumerate(kinds)
            if (earlier := [b for b in range(at) if kinds[b] == kind])
        ]
        self._filters = [
            FilterEncoder(one, linkage, f"{name} filter {number}")
            for number, one in enumerate(item.filters)
        ]
        size = SEGMENT_BYTES * item.columns
        # The constant bytes between the variable fields: the tag and length of `passes`, fields 1
        # and 2, field 3. Fields 1, 2 and 4, and the tag of field 3, take 27 bytes.
        length = varint(size)
        blooms = item.filter_bytes
        before_blooms = b"\x2a" + varint(blooms) if blooms else b""
        whole = 27 + len(length) + size + len(before_blooms) + blooms
        opening = _PASSES_TAG + varint(whole)
        self._before_token = np.frombuffer(
            opening + b"\x08%c\x12\x10" % item.number, dtype=np.uint8
        )
        self._before_filter = np.frombuffer(b"\x1a" + length, dtype=np.uint8)
        self._before_blooms = np.frombuffer(before_blooms, dtype=np.uint8)

    def append_to(self, records: list[bytes], batch: _Batch) -> None:
        """Append the serialised pass to each record that gets it."""
        chosen, whole = self._carriers(batch)
        n = len(chosen)
        if not n:
            return
        salt = sum(
            (batch.digests(name, chosen) for name in self._item.salt),
            np.zeros((n, 2), dtype=np.uint64),
        )
        salt[:, 0] += batch.roles[chosen] << np.uint64(32)
        tokens = np.frombuffer(self._tokens.update(salt.tobytes()), dtype=np.uint8).reshape(n, 16)
        sums = np.repeat(salt[:, None, :], len(self._tags), axis=1)
        sums[:, :, 0] += self._tags
        digests = {
            name: batch.digests(name, chosen) for segment in self._item.segments for name in segment
        }
        for number, segment in enumerate(self._item.segments):
            for name in segment:
                sums[:, number] += digests[name]
        segments = self._mixed(sums)
        # Equal segments within a record must not show, so the repeated ones are hashed again.
        repeated = np.zeros(segments.shape, dtype=bool)
        for at, earlier in self._alike:
            repeated[:, at] = (segments[:, earlier] == segments[:, at, None]).any(axis=1)
        rows, columns = np.nonzero(repeated)
        if len(rows):
            others = sums[rows, columns]
            others[:, 0] += np.uint64(_REPEATED) * (columns + 1).astype(np.uint64)
            segments[rows, columns] = self._mixed(others)
        held, blooms = [segments * whole], []
        for one in self._filters:
            rows = np.flatnonzero(batch.lacks_any(one.only_without)[chosen])
            bloom, keys = one.encode(
                salt[rows], *(batch.bigrams(name, chosen[rows]) for name in one.fields)
            )
            blooms.append(_spread(bloom, rows, n))
            held.append(_spread(keys, rows, n))
        sent = np.ascontiguousarray(np.concatenate(held, axis=1)).view(np.uint8)
        # All parts of a pass have a fixed length. `present`, a bit set of at most 32 segments, is a
        # varint of five bytes.
        present = whole @ (1 << np.arange(len(self._tags)))
        digits = [present >> 7 * at & 0x7F | (0x80 if at < 4 else 0) for at in range(5)]
        ending = np.stack([np.full(n, 0x20), *digits], axis=1).astype(np.uint8)
        parts: tuple[NDArray[np.uint8], ...] = (
            self._before_token,
            tokens,
            self._before_filter,
            sent,
            ending,
            self._before_blooms,
            *blooms,
        )
        made = np.concatenate(
            [np.broadcast_to(part, (n, part.shape[-1])) for part in parts], axis=1
        )
        size, everything = made.shape[1], made.tobytes()
        for at, row in enumerate(chosen.tolist()):
            records[row] += everything[at * size : (at + 1) * size]

    def _mixed(self, sums: Digests) -> NDArray[np.uint32]:
        """The segment of each sum. It is never 0, because 0 marks a missing segment."""
        mixed = np.frombuffer(self._segments.update(sums.tobytes()), dtype="<u4")
        segments: NDArray[np.uint32] = np.maximum(
            mixed.reshape(*sums.shape[:-1], 4)[..., 0], np.uint32(1)
        )
        return segments

    def _carriers(self, batch: _Batch) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The subjects that get the pass, and the segments that they have.

        `carries_pass` applies the same rule to one subject.
        """
        item = self._item
        wanted = np.isin(batch.roles, [_ROLES[role] for role in item.roles])
        for name in item.salt:
            wanted &= batch.has(name)
        wanted &= batch.lacks_any(item.only_without)
        whole = np.stack(
            [
                np.logical_and.reduce([batch.has(name) for name in segment])
                for segment in item.segments
            ],
            axis=1,
        )
        chosen = np.flatnonzero(wanted & whole.any(axis=1))
        return chosen, whole[chosen]


class _ClkPassEncoder:
    """Encodes the pass of a profile of CLKs."""

    def __init__(self, item: Pass, clk: Clk, profile: Profile, linkage: SecretKey) -> None:
        self._item, self._clk = item, clk
        self._tokens = Cipher(
            algorithms.AES(linkage.derive(f"{profile.id} pass {item.number} token")),
            modes.ECB(),  # noqa: S305 - a permutation, not encryption
        ).encryptor()
        self._encoder = ClkEncoder(parse_schema(json.loads(clk.schema)), clk_secret(linkage))

    def append_to(self, records: list[bytes], batch: _Batch) -> None:
        """Append the serialised pass to each record that gets it."""
        chosen = [
            at for at, subject in enumerate(batch.subjects) if carries_pass(subject, self._item)
        ]
        if not chosen:
            return
        subjects = [batch.subjects[at] for at in chosen]
        rows = np.array(chosen, dtype=np.int64)
        salt = np.zeros((len(rows), 2), dtype=np.uint64)
        for name in self._item.salt:
            salt += batch.digests(name, rows)
        salt[:, 0] += batch.roles[rows] << np.uint64(32)
        tokens = self._tokens.update(salt.tobytes())
        values = [
            [value_of(subject, name) for name in self._clk.fields]
            for subject in subjects
            if not subject.identity.clk
        ]
        made = iter(self._encoder.encode(values))
        for at, (row, subject) in enumerate(zip(chosen, subjects, strict=True)):
            encoded = wire.EncodedRecord()
            encoded.passes.add(
                pass_number=self._item.number,
                block_token=tokens[REFERENCE_BYTES * at : REFERENCE_BYTES * (at + 1)],
                bloom_filters=subject.identity.clk or next(made),
            )
            records[row] += encoded.SerializeToString(deterministic=True)


def clk_secret(linkage: SecretKey) -> bytes:
    """The secret of the CLKs, as text, because clkhash's tools read one. Whoever has it makes the
    same CLKs with them.
    """
    return linkage.derive("clk").hex().encode()


def _spread(part: NDArray[_Number], rows: NDArray[np.int64], n: int) -> NDArray[_Number]:
    """Some rows of n. The others are zero."""
    whole = np.zeros((n, part.shape[1]), dtype=part.dtype)
    whole[rows] = part
    return whole


def varint(number: int) -> bytes:
    """A protobuf varint.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
