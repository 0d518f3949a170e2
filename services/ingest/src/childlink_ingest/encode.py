"""Encodes identities into salted passes (see the profile file and DESIGN's "salted passes"). Rule: no I/O.

A filter field is cut into features. A feature's digest (keyed BLAKE2b under the linkage secret) is remembered, so a name is
hashed once. For each salt value the digests go through AES under a key of that salt (AES as a pseudo-random permutation,
FIPS 197), and the 16-bit words of the output choose the filter's bits. Filters of different salts therefore live in unrelated
hash spaces: they can neither be compared nor counted together.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import jellyfish
import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.keys import SecretKey
from childlink_core.profiles import FilterField, Pass, Profile
from childlink_core.references import keyed_hash
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from childlink_ingest.split import Subject

_DIGEST_BYTES: Final = 16
_WORDS_PER_DIGEST: Final = 8
_REMEMBERED_VALUES: Final = 200_000
# Given names and surnames share a space of features, so that names entered in the wrong order still look alike.
_FEATURE_SPACES: Final = {"given_name": "name", "surname": "name"}
_ROLES: Final = {"child": wire.ROLE_CHILD, "adult": wire.ROLE_ADULT}
_RELATIONS: Final = {"mother": wire.RELATION_MOTHER, "father": wire.RELATION_FATHER, "carer": wire.RELATION_CARER}


@dataclass(frozen=True, slots=True)
class _Value:
    """A field's value, as features: their digests end to end, and how many bits each sets."""

    digests: bytes
    bits: NDArray[np.uint8]


def salt_value(subject: Subject, name: str) -> str:
    """The value of a salt field, "" when missing."""
    identity = subject.identity
    match name:
        case "date_of_birth":
            return identity.date_of_birth.isoformat() if identity.date_of_birth else ""
        case "given_name_phonetic":
            return _phonetic(identity.given_name)
        case "surname_phonetic":
            return _phonetic(identity.surname)
        case "postcode_district":
            return identity.postcode[:-3]
        case "mother_nhs_number":
            return subject.mother.nhs_number if subject.mother else ""
        case "mother_date_of_birth":
            return subject.mother.date_of_birth.isoformat() if subject.mother and subject.mother.date_of_birth else ""
        case "mother_given_name_phonetic":
            return _phonetic(subject.mother.given_name) if subject.mother else ""
        case _:
            raise ValueError(f"profile names an unknown salt field {name!r}")


def field_value(subject: Subject, name: str) -> str:
    """The value of a filter field, "" when missing."""
    identity = subject.identity
    match name:
        case "given_name":
            return identity.given_name
        case "surname":
            return identity.surname
        case "sex":
            return identity.sex
        case "postcode":
            return identity.postcode
        case "nhs_number":
            return identity.nhs_number
        case "birth_order":
            return str(identity.birth_order or "")
        case "date_of_birth":
            return f"{identity.date_of_birth:%Y%m%d}" if identity.date_of_birth else ""
        case _:
            raise ValueError(f"profile names an unknown filter field {name!r}")


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
    return not item.only_without or any(not field_value(subject, name) for name in item.only_without)


def is_linkable(subject: Subject, profile: Profile) -> bool:
    """Whether a subject gets anything by which it could be linked."""
    return bool(subject.identity.nhs_number) or any(carries_pass(subject, item) for item in profile.passes)


class Encoder:
    """Makes encoded records under one profile and one linkage secret."""

    def __init__(self, profile: Profile, linkage: SecretKey) -> None:
        self.profile = profile
        self.key_version = linkage.version
        self._nhs_key = linkage.derive("nhs number token")
        self._feature_key = linkage.derive("features")
        self._salt_keys = {
            item.number: linkage.derive(f"{profile.id} pass {item.number} salt") for item in profile.passes
        }
        self._token_keys = {
            item.number: linkage.derive(f"{profile.id} pass {item.number} token") for item in profile.passes
        }
        self._value: Callable[[FilterField, str], _Value] = lru_cache(maxsize=_REMEMBERED_VALUES)(self._digest_value)

    def encode(self, subjects: Sequence[Subject]) -> list[wire.EncodedRecord]:
        """One record per subject, in order, without capsule. A record without token and passes cannot be linked."""
        records = [self._bare_record(subject) for subject in subjects]
        for item in self.profile.passes:
            self._add_pass(item, subjects, records)
        return records

    def _bare_record(self, subject: Subject) -> wire.EncodedRecord:
        identity = subject.identity
        record = wire.EncodedRecord(
            link_reference=subject.link_reference,
            facet=subject.facet,
            role=_ROLES[subject.role],
            birth_order=identity.birth_order,
        )
        if identity.nhs_number:
            record.nhs_token = keyed_hash(self._nhs_key, subject.role, identity.nhs_number)
        if subject.carer:
            reference, relation = subject.carer
            record.carers.add(link_reference=reference, relation=_RELATIONS[relation])
        return record

    def _add_pass(self, item: Pass, subjects: Sequence[Subject], records: Sequence[wire.EncodedRecord]) -> None:
        by_salt: dict[tuple[str, ...], list[int]] = {}
        for index, subject in enumerate(subjects):
            if carries_pass(subject, item):
                salt = (subject.role, *(salt_value(subject, name) for name in item.salt))
                by_salt.setdefault(salt, []).append(index)
        order: list[int] = []
        encrypted: list[bytes] = []
        bits: list[NDArray[np.uint8]] = []
        lengths: list[int] = []
        passes: list[wire.PassEncoding] = []
        for salt, members in by_salt.items():
            token = keyed_hash(self._token_keys[item.number], *salt)
            digests: list[bytes] = []
            for index in members:
                present, values = self._values(item, subjects[index])
                digests += [value.digests for value in values]
                bits += [value.bits for value in values]
                lengths.append(sum(len(value.bits) for value in values))
                passes.append(wire.PassEncoding(pass_number=item.number, block_token=token, present=present))
                order.append(index)
            cipher = Cipher(algorithms.AES(keyed_hash(self._salt_keys[item.number], *salt)), modes.ECB())  # noqa: S305 - a PRP, not encryption
            encrypted.append(cipher.encryptor().update(b"".join(digests)))
        for row, filter_bytes in enumerate(set_bits(b"".join(encrypted), bits, lengths, self.profile.filter_bits)):
            passes[row].filter = filter_bytes
            records[order[row]].passes.append(passes[row])

    def _values(self, item: Pass, subject: Subject) -> tuple[int, list[_Value]]:
        present = 0
        values = []
        for position, field in enumerate(item.filter):
            value = field_value(subject, field.field)
            if value:
                present |= 1 << position
                values.append(self._value(field, value))
        return present, values

    def _digest_value(self, field: FilterField, value: str) -> _Value:
        parts = features(field.features, value)
        prefix = _FEATURE_SPACES.get(field.field, field.field).encode() + b"\0"
        digests = b"".join(
            hashlib.blake2b(prefix + part.encode(), key=self._feature_key, digest_size=_DIGEST_BYTES).digest()
            for part in parts
        )
        return _Value(digests, np.full(len(parts), field.bits, dtype=np.uint8))


def set_bits(words: bytes, bits: Sequence[NDArray[np.uint8]], lengths: Iterable[int], filter_bits: int) -> list[bytes]:
    """Filters from encrypted digests: row r owns `lengths[r]` digests, each setting as many bits as `bits` says.

    `filter_bits` is a power of two, so that a 16-bit word chooses a bit without bias.
    """
    counts = np.fromiter(lengths, dtype=np.int64)
    if len(counts) == 0:
        return []
    positions = np.frombuffer(words, dtype="<u2").reshape(-1, _WORDS_PER_DIGEST) & (filter_bits - 1)
    used = np.arange(_WORDS_PER_DIGEST) < np.concatenate(bits)[:, None] if bits else np.zeros((0, 8), dtype=bool)
    rows = np.repeat(np.arange(len(counts)), counts)[:, None]
    grid = np.zeros((len(counts), filter_bits), dtype=np.uint8)
    grid[np.broadcast_to(rows, positions.shape)[used], positions[used]] = 1
    return [row.tobytes() for row in np.packbits(grid, axis=1, bitorder="little")]


@lru_cache(maxsize=100_000)
def _phonetic(name: str) -> str:
    """Soundex (US National Archives) of the first word; "" when missing."""
    first = name.split(" ", 1)[0]
    return jellyfish.soundex(first) if first else ""
