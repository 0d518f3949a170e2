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

import jellyfish
import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import Pass, Profile
from childlink_core.references import REFERENCE_BYTES, keyed_hash
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from childlink_ingest.split import Subject

_DIGEST_BYTES: Final = 16
_WORDS_PER_DIGEST: Final = 8
_REMEMBERED_VALUES: Final = 200_000
_REMEMBERED_FEATURES: Final = 4_000_000
# PassEncoding on the wire: field 1 (pass number, below 128) and field 2 (block token, 16 bytes); and its tag in EncodedRecord.
_PASS_HEAD: Final = b"\x08%c\x12\x10%b"
# EncodedRecord: link reference (16 bytes), facet (4 bytes), role.
_HEAD: Final = b"\x0a\x10%b\x12\x04%b\x18%c"
_NOWHERE: Final = (0, 0)
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


@lru_cache(maxsize=100_000)
def _phonetic(name: str) -> str:
    """Soundex (US National Archives) of the first word; "" when missing."""
    first = name.split(" ", 1)[0]
    return jellyfish.soundex(first) if first else ""


_SALTS: Final[dict[str, Callable[[Subject], str]]] = {
    "date_of_birth": lambda s: _iso(s.identity.date_of_birth),
    "given_name_phonetic": lambda s: _phonetic(s.identity.given_name),
    "surname_phonetic": lambda s: _phonetic(s.identity.surname),
    "postcode_district": lambda s: s.identity.postcode[:-3],
    "mother_nhs_number": lambda s: s.mother.nhs_number if s.mother else "",
    "mother_date_of_birth": lambda s: _iso(s.mother.date_of_birth) if s.mother else "",
    "mother_given_name_phonetic": lambda s: _phonetic(s.mother.given_name) if s.mother else "",
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


def features(kind: str, value: str) -> list[str]:
    """Cut a value into features.

    >>> features("bigrams", "amy lu")
    [' a', 'am', 'my', 'y ', ' l', 'lu', 'u ']
    >>> features("positions", "SW9"), features("whole", "f")
    (['0S', '1W', '29'], ['f'])
    """
    match kind:
        case "bigrams":
            return list(dict.fromkeys(f" {word} "[i : i + 2] for word in value.split() for i in range(len(word) + 1)))
        case "positions":
            return [f"{index}{character}" for index, character in enumerate(value)]
        case _:
            return [value]


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
        self._passes = [_PassEncoder(item, profile, linkage, feature_key) for item in profile.passes]

    def encode(self, subjects: Sequence[Subject]) -> list[wire.EncodedRecord]:
        """One record per subject, in order, without capsule. A record without token and passes cannot be linked."""
        return [wire.EncodedRecord.FromString(payload) for payload in self.encode_to_bytes(subjects)]

    def encode_to_bytes(self, subjects: Sequence[Subject]) -> list[bytes]:
        """The same, serialised: written straight into the wire format, which takes half the time."""
        batch = _Batch(subjects)
        passes: list[list[bytes]] = [[] for _ in subjects]
        for item in self._passes:
            item.add_to(passes, batch)
        return [self._head(subject) + b"".join(made) for subject, made in zip(subjects, passes, strict=True)]

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


class _Batch:
    """Some subjects, and the columns of their values that passes ask for; each is read once."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._subjects = subjects
        self._columns: dict[tuple[bool, str], list[str]] = {}
        self.roles: list[str] = [subject.role for subject in subjects]

    def salt(self, name: str) -> list[str]:
        """A salt field of every subject."""
        return self._column(True, name, _SALTS)

    def field(self, name: str) -> list[str]:
        """A filter field of every subject."""
        return self._column(False, name, _FIELDS)

    def _column(self, salt: bool, name: str, table: dict[str, Callable[[Subject], str]]) -> list[str]:
        column = self._columns.get((salt, name))
        if column is None:
            read = _named(table, name)
            column = self._columns[salt, name] = [read(subject) for subject in self._subjects]
        return column


class _PassEncoder:
    """Makes one pass's filters."""

    def __init__(self, item: Pass, profile: Profile, linkage: SecretKey, feature_key: bytes) -> None:
        self._item, self._bits = item, profile.filter_bits
        self._digest: Callable[[str, str], bytes] = lru_cache(maxsize=_REMEMBERED_VALUES)(
            lambda space, part: hashlib.blake2b(
                f"{space}\0{part}".encode(), key=feature_key, digest_size=_DIGEST_BYTES
            ).digest()
        )
        salt_key = linkage.derive(f"{profile.id} pass {item.number} salt")
        token_key = linkage.derive(f"{profile.id} pass {item.number} token")
        self._keys_of: Callable[[tuple[str, ...]], tuple[bytes, bytes]] = lru_cache(maxsize=_REMEMBERED_VALUES)(
            lambda salt: (keyed_hash(token_key, *salt), keyed_hash(salt_key, *salt))
        )
        # The digests of every feature seen, end to end; of each field, where a value's are, and how many.
        self._pool, self._used = np.zeros((1024, _DIGEST_BYTES), dtype=np.uint8), 0
        self._counts = np.zeros(1024, dtype=np.uint8)
        self._places: list[dict[str, tuple[int, int]]] = [{} for _ in item.filter]

    def add_to(self, made: Sequence[list[bytes]], batch: _Batch) -> None:
        """Append the serialised pass to each subject that gets it."""
        if self._used > _REMEMBERED_FEATURES:
            self._used = 0
            for places in self._places:
                places.clear()
        by_salt: dict[tuple[str, ...], list[int]] = {}
        item = self._item
        chosen: Sequence[int] = range(len(made))
        if item.only_without:
            strong = zip(*(batch.field(name) for name in item.only_without), strict=True)
            chosen = [index for index, values in enumerate(strong) if not all(values)]
        salts: list[list[str]] = [batch.roles, *(batch.salt(name) for name in item.salt)]
        needs = [*salts[1:], *(batch.field(name) for name in item.needs)]
        for index in chosen:
            if batch.roles[index] in item.roles:
                for column in needs:
                    if not column[index]:
                        break
                else:
                    by_salt.setdefault(tuple([column[index] for column in salts]), []).append(index)
        if not by_salt:
            return
        order = [index for members in by_salt.values() for index in members]
        presents, starts, counts = self._features(order, batch)
        per_row = counts.sum(axis=1)
        features = _ranges(starts.ravel(), counts.ravel())
        digests = self._pool[features].tobytes()
        ends = np.cumsum(per_row).tolist()
        encrypted, heads = [], []
        at = row = 0
        for salt, members in by_salt.items():
            token, key = self._keys_of(salt)
            row += len(members)
            end = ends[row - 1]
            cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - a PRP, not encryption
            encrypted.append(cipher.encryptor().update(digests[at * _DIGEST_BYTES : end * _DIGEST_BYTES]))
            at = end
            heads += [_PASS_HEAD % (self._item.number, token)] * len(members)
        filters = set_bits(b"".join(encrypted), self._counts[features], per_row, self._bits)
        length = varint(self._bits // 8)
        opening = _PASSES_TAG + varint(23 + len(length) + self._bits // 8)
        for index, head, filter_bytes, present in zip(order, heads, filters, presents, strict=True):
            # Fields 3 (filter) and 4 (`present`: a bit set of at most six fields, one byte). An empty filter is not sent.
            if present:
                made[index].append(b"%b%b\x1a%b%b\x20%c" % (opening, head, length, filter_bytes, present))

    def _features(self, order: Sequence[int], batch: _Batch) -> tuple[list[int], NDArray[np.int64], NDArray[np.int64]]:
        """Which fields are present, and where in the pool each field's digests are: (subjects, fields)."""
        presents = [0] * len(order)
        places_of = []
        for position, (field, places) in enumerate(zip(self._item.filter, self._places, strict=True)):
            column, bit = batch.field(field.field), 1 << position
            found = []
            for row, index in enumerate(order):
                value = column[index]
                if value:
                    presents[row] |= bit
                    found.append(places.get(value) or self._remember(position, value))
                else:
                    found.append(_NOWHERE)
            places_of.append(found)
        both = np.array(places_of, dtype=np.int64)
        return presents, both[:, :, 0].T, both[:, :, 1].T

    def _remember(self, position: int, value: str) -> tuple[int, int]:
        field = self._item.filter[position]
        space = _FEATURE_SPACES.get(field.field, field.field)
        parts = features(field.features, value)
        digests = b"".join([self._digest(space, part) for part in parts])
        end = self._used + len(parts)
        if end > len(self._pool):
            self._pool = np.concatenate(
                [self._pool, np.zeros((max(len(self._pool), end), _DIGEST_BYTES), dtype=np.uint8)]
            )
            self._counts = np.concatenate([self._counts, np.zeros(len(self._pool) - len(self._counts), dtype=np.uint8)])
        self._pool[self._used : end] = np.frombuffer(digests, dtype=np.uint8).reshape(-1, _DIGEST_BYTES)
        self._counts[self._used : end] = field.bits
        self._places[position][value] = place = (self._used, len(parts))
        self._used = end
        return place


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


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ranges [start, start + count) end to end."""
    total = int(counts.sum())
    firsts = np.cumsum(counts) - counts
    return np.repeat(starts - firsts, counts) + np.arange(total)


def set_bits(words: bytes, bits: NDArray[np.uint8], lengths: NDArray[np.int64], filter_bits: int) -> list[bytes]:
    """Filters from encrypted digests: row r owns `lengths[r]` digests, each setting as many bits as `bits` says.

    `filter_bits` is a power of two, so that a 16-bit word chooses a bit without bias.
    """
    positions = np.frombuffer(words, dtype="<u2").reshape(-1, _WORDS_PER_DIGEST) & (filter_bits - 1)
    used = np.arange(_WORDS_PER_DIGEST) < bits[:, None]
    rows = np.repeat(np.arange(len(lengths)) * filter_bits, lengths)[:, None]
    grid = np.zeros(len(lengths) * filter_bits, dtype=np.uint8)
    grid[(rows + positions)[used]] = 1
    packed = np.packbits(grid, bitorder="little").tobytes()
    size = filter_bits // 8
    return [packed[at : at + size] for at in range(0, len(packed), size)]
