"""Encodes identities into salted passes (see the profile file and DESIGN's "salted passes"). Rule: no I/O.

A filter field is cut into features. A feature's digest (keyed BLAKE2b under the linkage secret) is remembered, so a name is
hashed once. For each salt value the digests go through AES under a key of that salt (AES as a pseudo-random permutation,
FIPS 197), and the 16-bit words of the output choose the filter's bits. Filters of different salts therefore live in unrelated
hash spaces: they can neither be compared nor counted together.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import FilterField, Pass, Profile
from childlink_core.references import REFERENCE_BYTES, keyed_hash
from numpy.typing import NDArray

from childlink_ingest.filters import DIGEST_BYTES, FeaturePool, Permute, permutation, set_bits, varint
from childlink_ingest.normalise import phonetic
from childlink_ingest.split import Subject

# Salt values whose keys are remembered, with an AES context each (about a kilobyte).
_REMEMBERED_SALTS: Final = 20_000
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
    """Whether this subject gets this pass: its role, salts and needed fields are there, and it lacks a strong one."""
    if subject.role not in item.roles or not all(salt_value(subject, name) for name in item.salt):
        return False
    if not all(field_value(subject, name) for name in item.needs):
        return False
    if not any(field_value(subject, field.field) for field in item.filter):
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
        self._passes = [_PassEncoder(item, profile, linkage, self._pool) for item in profile.passes]

    def encode(self, subjects: Sequence[Subject]) -> list[wire.EncodedRecord]:
        """One record per subject, in order, without capsule. A record without token and passes cannot be linked."""
        return [wire.EncodedRecord.FromString(payload) for payload in self.encode_to_bytes(subjects)]

    def encode_to_bytes(self, subjects: Sequence[Subject]) -> list[bytes]:
        """The same, serialised: written straight into the wire format, which takes half the time."""
        self._pool.forget_if_large()
        batch = Batch(subjects, self._pool)
        records = [self._head(subject) for subject in subjects]
        for item in self._passes:
            item.append_to(records, batch)
        return records

    def _head(self, subject: Subject) -> bytes:
        """Everything of a record but its passes. References have 16 bytes, facets 4."""
        identity = subject.identity
        token = self._token(subject.role, identity.nhs_number) if identity.nhs_number else b""
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

    def __init__(self, subjects: Sequence[Subject], pool: FeaturePool) -> None:
        self._subjects, self._pool = subjects, pool
        self._columns: dict[tuple[bool, str], list[str]] = {}
        self._present: dict[tuple[bool, str], NDArray[np.bool_]] = {}
        self._values: dict[tuple[str, str], NDArray[np.int64]] = {}
        self.roles: list[str] = [subject.role for subject in subjects]

    def salt(self, name: str) -> list[str]:
        """A salt field of every subject."""
        return self._column(True, name)

    def has(self, name: str, *, salt: bool = False) -> NDArray[np.bool_]:
        """Which subjects have a field."""
        known = self._present.get((salt, name))
        if known is None:
            column = self._column(salt, name)
            known = self._present[salt, name] = np.fromiter(map(bool, column), dtype=bool, count=len(column))
        return known

    def values(self, field: FilterField) -> NDArray[np.int64]:
        """The pool's number of every subject's value of a filter field; 0 when missing."""
        key = field.field, field.features
        known = self._values.get(key)
        if known is None:
            space = _FEATURE_SPACES.get(field.field, field.field)
            column = self._column(False, field.field)
            known = self._values[key] = self._pool.numbers(space, field.features, column)
        return known

    def _column(self, salt: bool, name: str) -> list[str]:
        column = self._columns.get((salt, name))
        if column is None:
            read = _named(_SALTS if salt else _FIELDS, name)
            column = self._columns[salt, name] = [read(subject) for subject in self._subjects]
        return column


class _PassEncoder:
    """Makes one pass's filters."""

    def __init__(self, item: Pass, profile: Profile, linkage: SecretKey, pool: FeaturePool) -> None:
        self._item, self._bits, self._pool = item, profile.filter_bits, pool
        salt_key = linkage.derive(f"{profile.id} pass {item.number} salt")
        token_key = linkage.derive(f"{profile.id} pass {item.number} token")
        self._salted: Callable[[tuple[str, ...]], tuple[bytes, Permute]] = lru_cache(maxsize=_REMEMBERED_SALTS)(
            lambda salt: (keyed_hash(token_key, *salt), permutation(keyed_hash(salt_key, *salt)))
        )
        self._field_bits = np.array([field.bits for field in item.filter], dtype=np.uint8)
        length = varint(self._bits // 8)
        # What stands between a record's fields that differ: the tag and length of `passes`, fields 1 and 2, field 3.
        opening = _PASSES_TAG + varint(23 + len(length) + self._bits // 8)
        self._before_token = np.frombuffer(opening + b"\x08%c\x12\x10" % item.number, dtype=np.uint8)
        self._before_filter = np.frombuffer(b"\x1a" + length, dtype=np.uint8)

    def append_to(self, records: list[bytes], batch: Batch) -> None:
        """Append the serialised pass to each record that gets it. A filter without any feature is not sent."""
        chosen = np.flatnonzero(self._carriers(batch))
        values = np.stack([batch.values(field)[chosen] for field in self._item.filter], axis=1)
        some = (values > 0).any(axis=1)
        chosen, values = chosen[some], values[some]
        if not len(chosen):
            return
        index = chosen.tolist()
        columns = [batch.roles, *(batch.salt(name) for name in self._item.salt)]
        numbers: dict[tuple[str, ...], int] = {}
        salts = zip(*([column[i] for i in index] for column in columns), strict=True)
        salt_of = np.array([numbers.setdefault(salt, len(numbers)) for salt in salts], dtype=np.int64)
        order = np.argsort(salt_of, kind="stable")
        chosen, values = chosen[order], values[order]
        features, counts = self._pool.features_of(values)
        per_row = counts.sum(axis=1)
        digests = memoryview(self._pool.digests(features))
        ends = np.cumsum(np.bincount(salt_of[order], weights=per_row)).astype(np.int64).tolist()
        tokens, encrypted, start = [], [], 0
        for salt, end in zip(numbers, ends, strict=True):
            token, permute = self._salted(salt)
            tokens.append(token)
            encrypted.append(permute(digests[start * DIGEST_BYTES : end * DIGEST_BYTES]))
            start = end
        bits = np.repeat(np.tile(self._field_bits, len(chosen)), counts.ravel())
        filters = set_bits(b"".join(encrypted), bits, per_row, self._bits)
        present = (values > 0) @ (1 << np.arange(values.shape[1]))
        made = self._serialised(
            np.frombuffer(b"".join(tokens), dtype=np.uint8).reshape(-1, 16)[salt_of[order]], filters, present
        )
        size = made.shape[1]
        whole = made.tobytes()
        for at, row in enumerate(chosen.tolist()):
            records[row] += whole[at * size : (at + 1) * size]

    def _carriers(self, batch: Batch) -> NDArray[np.bool_]:
        """Which subjects get the pass: see `carries_pass`, which says the same of one."""
        item = self._item
        wanted = np.fromiter((role in item.roles for role in batch.roles), dtype=bool, count=len(batch.roles))
        for name in item.salt:
            wanted &= batch.has(name, salt=True)
        for name in item.needs:
            wanted &= batch.has(name)
        if item.only_without:
            wanted &= ~np.logical_and.reduce([batch.has(name) for name in item.only_without])
        return wanted

    def _serialised(
        self, tokens: NDArray[np.uint8], filters: NDArray[np.uint8], present: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """One row a record: everything of a pass has a fixed length. `present` is a bit set of at most six fields, one byte."""
        n = len(tokens)
        fixed = (
            self._before_token,
            tokens,
            self._before_filter,
            filters,
            np.uint8(0x20),
            present[:, None].astype(np.uint8),
        )
        parts = [np.broadcast_to(part, (n, part.shape[-1] if part.ndim else 1)) for part in fixed]
        return np.concatenate(parts, axis=1)
