"""Encodes identities into salted passes (see the profile file and DESIGN's "salted passes"). Rule: no I/O.

A field is cut into features. A feature's digest (keyed BLAKE2b under the linkage secret) is remembered, so a name is hashed
once. For each salt value the digests go through AES under a key of that salt (AES as a pseudo-random permutation, FIPS 197),
and the bytes of the output choose bits of the segments that hold the field. Segments of different salts therefore live in
unrelated hash spaces: they can neither be compared nor counted together. Then a segment is diffused (Armknecht, Heng and
Schnell, PoPETs 2023) and a constant of the salt laid over it, so that only nearly equal segments look alike, and no number of
bits tells anything.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import EXACT_BYTES, Pass, Profile
from childlink_core.references import REFERENCE_BYTES, keyed_hash
from numpy.typing import NDArray

from childlink_ingest.filters import DIGEST_BYTES, FeaturePool, Permute, SegmentLayout, permutation, varint
from childlink_ingest.normalise import phonetic
from childlink_ingest.split import Subject

# Salt values whose keys are remembered, with an AES context each (about a kilobyte).
_REMEMBERED_SALTS: Final = 20_000
_ABSENT: Final = bytes(EXACT_BYTES)
Indexes = NDArray[np.int64]
Bytes = NDArray[np.uint8]
# EncodedRecord: link reference (16 bytes), facet (4 bytes), role.
_HEAD: Final = b"\x0a\x10%b\x12\x04%b\x18%c"
_PASSES_TAG: Final = bytes((wire.EncodedRecord.PASSES_FIELD_NUMBER << 3 | 2,))
# Given names and surnames share a space of features, so that names entered in the wrong order still look alike.
_FEATURE_SPACES: Final = {"given_name": "name", "surname": "name"}
_ROLES: Final = {"child": wire.ROLE_CHILD, "adult": wire.ROLE_ADULT}
_RELATIONS: Final = {"mother": wire.RELATION_MOTHER, "father": wire.RELATION_FATHER, "carer": wire.RELATION_CARER}


@lru_cache(maxsize=50_000)
def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


@lru_cache(maxsize=50_000)
def _compact(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""


_SALTS: Final[dict[str, Callable[[Subject], str]]] = {
    "date_of_birth": lambda s: _iso(s.identity.date_of_birth),
    "given_name_phonetic": lambda s: phonetic(s.identity.given_name),
    "surname_phonetic": lambda s: phonetic(s.identity.surname),
    "postcode_district": lambda s: s.identity.postcode[:-3],
    "nhs_number": lambda s: s.identity.nhs_number,
    "mother_nhs_number": lambda s: s.mother.nhs_number if s.mother else "",
    "mother_date_of_birth": lambda s: _iso(s.mother.date_of_birth) if s.mother else "",
    "mother_given_name_phonetic": lambda s: phonetic(s.mother.given_name) if s.mother else "",
}
_FIELDS: Final[dict[str, Callable[[Subject], str]]] = {
    "given_name": lambda s: s.identity.given_name,
    "surname": lambda s: s.identity.surname,
    "sex": lambda s: s.identity.sex,
    "postcode": lambda s: s.identity.postcode,
    "nhs_number": lambda s: s.identity.nhs_number,
    "birth_order": lambda s: str(s.identity.birth_order or ""),
    "first_given_name": lambda s: s.identity.given_name.split(" ", 1)[0],
    "date_of_birth": lambda s: _compact(s.identity.date_of_birth),
}


def salt_value(subject: Subject, name: str) -> str:
    """The value of a salt field, "" when missing."""
    return _named(_SALTS, name)(subject)


def field_value(subject: Subject, name: str) -> str:
    """The value of a filter field, "" when missing."""
    return _named(_FIELDS, name)(subject)


def _named(table: dict[str, Callable[[Subject], str]], name: str) -> Callable[[Subject], str]:
    if name not in table:
        raise ValueError(f"profile names an unknown field {name!r}")
    return table[name]


def carries_pass(subject: Subject, item: Pass) -> bool:
    """Whether this subject gets this pass: its role, salts and a whole segment are there, and it lacks a strong one."""
    if subject.role not in item.roles or not all(salt_value(subject, name) for name in item.salt):
        return False
    if not any(all(field_value(subject, name) for name in segment) for segment in item.segments):
        return False
    return not item.only_without or any(not field_value(subject, name) for name in item.only_without)


def is_linkable(subject: Subject, profile: Profile) -> bool:
    """Whether a subject gets anything by which it could be linked."""
    return bool(subject.identity.nhs_number) or any(carries_pass(subject, item) for item in profile.passes)


class Encoder:
    """Makes encoded records under one profile and one linkage secret."""

    def __init__(self, profile: Profile, linkage: SecretKey) -> None:
        self.profile = profile
        self.key_version = linkage.version
        nhs_key = linkage.derive("nhs number token")
        self._begun = {
            role: hashlib.blake2b(
                len(role).to_bytes(4, "big") + role.encode(), key=nhs_key, digest_size=REFERENCE_BYTES
            )
            for role in _ROLES
        }
        feature_key = linkage.derive("features")
        self._pool = FeaturePool(feature_key)
        self._passes = [_maker(item, profile, linkage, self._pool) for item in profile.passes]

    def encode(self, subjects: Sequence[Subject]) -> list[wire.EncodedRecord]:
        """One record per subject, in order, without capsule. A record without token and passes cannot be linked."""
        return [wire.EncodedRecord.FromString(payload) for payload in self.encode_to_bytes(subjects)]

    def encode_to_bytes(self, subjects: Sequence[Subject]) -> list[bytes]:
        """The same, serialised: written straight into the wire format, which takes half the time."""
        self._pool.forget_if_large()
        tokens = [
            self._token(subject.role, number) if (number := subject.identity.nhs_number) else b""
            for subject in subjects
        ]
        batch = Batch(subjects, self.profile, self._pool, tokens)
        records = [self._head(subject, token) for subject, token in zip(subjects, tokens, strict=True)]
        for item in self._passes:
            item.append_to(records, batch)
        return records

    def _head(self, subject: Subject, token: bytes) -> bytes:
        """Everything of a record but its passes. References have 16 bytes, facets 4."""
        identity = subject.identity
        head = _HEAD % (subject.link_reference, subject.facet, _ROLES[subject.role])
        if token:
            head += b"\x2a\x10" + token
        if identity.birth_order is None and subject.carer is None:
            return head
        rest = wire.EncodedRecord(birth_order=identity.birth_order)
        if subject.carer:
            reference, relation = subject.carer
            rest.carers.add(link_reference=reference, relation=_RELATIONS[relation])
        return head + rest.SerializeToString(deterministic=True)

    def _token(self, role: str, number: str) -> bytes:
        """`keyed_hash(key, role, number)`, of which the role's part is hashed once."""
        begun = self._begun[role].copy()
        begun.update(b"\0\0\0\x0a" + number.encode())
        return begun.digest()


class Batch:
    """Some subjects, and the columns of their values that passes ask for; each is read once."""

    def __init__(
        self, subjects: Sequence[Subject], profile: Profile, pool: FeaturePool, tokens: Sequence[bytes]
    ) -> None:
        self._subjects, self._profile, self._pool = subjects, profile, pool
        self.nhs_tokens = tokens
        self._columns: dict[tuple[bool, str], list[str]] = {}
        self._present: dict[tuple[bool, str], NDArray[np.bool_]] = {}
        self._values: dict[str, NDArray[np.int64]] = {}
        self.roles: list[str] = [subject.role for subject in subjects]

    def salt(self, name: str) -> list[str]:
        """A salt field of every subject."""
        return self._column(True, name)

    def field(self, name: str) -> list[str]:
        """A filter field of every subject."""
        return self._column(False, name)

    def has(self, name: str, *, salt: bool = False) -> NDArray[np.bool_]:
        """Which subjects have a field."""
        known = self._present.get((salt, name))
        if known is None:
            column = self._column(salt, name)
            known = self._present[salt, name] = np.fromiter(map(bool, column), dtype=bool, count=len(column))
        return known

    def values(self, name: str) -> NDArray[np.int64]:
        """The pool's number of every subject's value of a filter field; 0 when missing."""
        known = self._values.get(name)
        if known is None:
            space = _FEATURE_SPACES.get(name, name)
            known = self._values[name] = self._pool.numbers(
                space, self._profile.fields[name], self._column(False, name)
            )
        return known

    def carriers(self, item: Pass) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Which subjects get a pass (see `carries_pass`, which says the same of one), and which segments they have."""
        wanted = np.fromiter((role in item.roles for role in self.roles), dtype=bool, count=len(self.roles))
        for name in item.salt:
            wanted &= self.has(name, salt=True)
        if item.only_without:
            wanted &= ~np.logical_and.reduce([self.has(name) for name in item.only_without])
        whole = [np.logical_and.reduce([self.has(name) for name in segment]) for segment in item.segments]
        segments = np.stack(whole, axis=1)
        chosen = np.flatnonzero(wanted & segments.any(axis=1))
        return chosen, segments[chosen]

    def _column(self, salt: bool, name: str) -> list[str]:
        column = self._columns.get((salt, name))
        if column is None:
            read = _named(_SALTS if salt else _FIELDS, name)
            column = self._columns[salt, name] = [read(subject) for subject in self._subjects]
        return column


class _Pass:
    """What makers of passes share: how a pass is written."""

    def __init__(self, item: Pass, profile: Profile) -> None:
        self._item = item
        size = profile.segment_bytes(item) * len(item.segments)
        length = varint(size)
        # What stands between a record's fields that differ: the tag and length of `passes`, fields 1 and 2, field 3.
        opening = _PASSES_TAG + varint(23 + len(length) + size)
        self._before_token = np.frombuffer(opening + b"\x08%c\x12\x10" % item.number, dtype=np.uint8)
        self._before_filter = np.frombuffer(b"\x1a" + length, dtype=np.uint8)

    def append_to(self, records: list[bytes], batch: Batch) -> None:
        """Append the serialised pass to each record that gets it."""
        chosen, segments = batch.carriers(self._item)
        if not len(chosen):
            return
        chosen, segments, tokens, filters = self.make(batch, chosen, segments)
        present = (segments @ (1 << np.arange(segments.shape[1]))).astype(np.uint8)
        # Everything of a pass has a fixed length; `present` is a bit set of at most six segments, one byte.
        fixed = (
            self._before_token,
            tokens,
            self._before_filter,
            filters,
            np.array([0x20], dtype=np.uint8),
            present[:, None],
        )
        n, sizes = len(chosen), [part.shape[-1] for part in fixed]
        made = np.concatenate([np.broadcast_to(p, (n, size)) for p, size in zip(fixed, sizes, strict=True)], axis=1)
        size, whole = made.shape[1], made.tobytes()
        for at, row in enumerate(chosen.tolist()):
            records[row] += whole[at * size : (at + 1) * size]

    def make(
        self, batch: Batch, chosen: Indexes, segments: NDArray[np.bool_]
    ) -> tuple[Indexes, NDArray[np.bool_], Bytes, Bytes]:
        """Subjects and their segments (in an order of its own), their tokens and filters: a row a subject."""
        raise NotImplementedError


class _FilterPass(_Pass):
    """Makes Bloom filters, diffused."""

    def __init__(self, item: Pass, profile: Profile, linkage: SecretKey, pool: FeaturePool) -> None:
        super().__init__(item, profile)
        self._pool = pool
        salt_key = linkage.derive(f"{profile.id} pass {item.number} salt")
        token_key = linkage.derive(f"{profile.id} pass {item.number} token")
        self._layers = SegmentLayout(item, profile, linkage.derive(f"{profile.id} pass {item.number} diffusion"))
        self._salted: Callable[[tuple[str, ...]], tuple[bytes, Permute, bytes]] = lru_cache(maxsize=_REMEMBERED_SALTS)(
            lambda salt: (keyed_hash(token_key, *salt), *self._keyed(keyed_hash(salt_key, *salt)))
        )

    def _keyed(self, key: bytes) -> tuple[Permute, bytes]:
        permute = permutation(key)
        return permute, permute(self._layers.mask_input)

    def make(
        self, batch: Batch, chosen: Indexes, segments: NDArray[np.bool_]
    ) -> tuple[Indexes, NDArray[np.bool_], Bytes, Bytes]:
        """See `_Pass`. Ordered by salt value, because one AES call serves all who share one."""
        index = chosen.tolist()
        columns = [batch.roles, *(batch.salt(name) for name in self._item.salt)]
        numbers: dict[tuple[str, ...], int] = {}
        salts = zip(*([column[i] for i in index] for column in columns), strict=True)
        salt_of = np.array([numbers.setdefault(salt, len(numbers)) for salt in salts], dtype=np.int64)
        order = np.argsort(salt_of, kind="stable")
        chosen, segments, salt_of = chosen[order], segments[order], salt_of[order]
        values = np.stack([batch.values(name)[chosen] for name in self._item.fields], axis=1)
        features, bits, counts = self._pool.features_of(values)
        digests = memoryview(self._pool.digests(features))
        ends = np.cumsum(np.bincount(salt_of, weights=counts.sum(axis=1))).astype(np.int64).tolist()
        tokens, masks, encrypted, start = [], [], [], 0
        for salt, end in zip(numbers, ends, strict=True):
            token, permute, mask = self._salted(salt)
            tokens.append(token)
            masks.append(mask)
            encrypted.append(permute(digests[start * DIGEST_BYTES : end * DIGEST_BYTES]))
            start = end
        filters = self._layers.filters(b"".join(encrypted), bits, counts, segments, b"".join(masks), salt_of)
        return chosen, segments, np.frombuffer(b"".join(tokens), dtype=np.uint8).reshape(-1, 16)[salt_of], filters


class _ExactPass(_Pass):
    """Makes keyed hashes of single fields, under the NHS number's token."""

    def __init__(self, item: Pass, profile: Profile, linkage: SecretKey) -> None:
        super().__init__(item, profile)
        key = linkage.derive(f"{profile.id} pass {item.number} salt")
        self._begun = hashlib.blake2b(key=key, digest_size=EXACT_BYTES)

    def make(
        self, batch: Batch, chosen: Indexes, segments: NDArray[np.bool_]
    ) -> tuple[Indexes, NDArray[np.bool_], Bytes, Bytes]:
        """See `_Pass`."""
        index = chosen.tolist()
        parts = []
        for number, [name] in enumerate(self._item.segments):
            column, tag = batch.field(name), bytes((number,))
            parts.append(
                [
                    self._hash(batch.nhs_tokens[i] + tag + value.encode()) if (value := column[i]) else _ABSENT
                    for i in index
                ]
            )
        filters = b"".join([part for row in zip(*parts, strict=True) for part in row])
        tokens = b"".join([batch.nhs_tokens[i] for i in index])
        n = len(index)
        as_rows = (np.frombuffer(raw, dtype=np.uint8).reshape(n, -1) for raw in (tokens, filters))
        return chosen, segments, *as_rows  # type: ignore[return-value]

    def _hash(self, message: bytes) -> bytes:
        state = self._begun.copy()
        state.update(message)
        return state.digest()


def _maker(item: Pass, profile: Profile, linkage: SecretKey, pool: FeaturePool) -> _Pass:
    return _ExactPass(item, profile, linkage) if item.exact else _FilterPass(item, profile, linkage, pool)
