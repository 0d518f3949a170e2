"""Synthetic children for the attacks, and the segments or filters that a target makes of them.

The attacker of this folder knows the profile file (it is public) and the plain text of everybody in
the store, and has no key. Real attackers know less. An attack that fails for this attacker fails
for them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from childlink_core.keys import SecretKey
from childlink_core.profiles import Profile, get_profile
from childlink_core.references import keyed_hash
from childlink_ingest.model.rows import Identity
from childlink_ingest.pseudonymise.clk import ClkEncoder, parse_schema
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.fields import value_of
from childlink_ingest.pseudonymise.split import Subject
from childlink_ingest.standardise import normalise
from childlink_local.synth.people import Child, Family, People
from childlink_local.synth.recording import Errors, Recorder, Seen
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
EncodeGroup = Callable[[Sequence[Subject], int], Bits]
"""Bits of segments or filters of people with one date of birth, one row each, under the key of this
number.
"""
DOB, NAME = 1, 2
_FIRST_DAY = date(2015, 4, 1)
_PLAIN_SCHEMA = {
    "version": 3,
    "clkConfig": {"l": 1024, "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64}},
    "features": [
        {
            "identifier": name,
            "format": {"type": "string", "encoding": "utf-8"},
            "hashing": {
                "comparison": {"type": "ngram", "n": 2, "positional": positional},
                "strategy": {"bitsPerToken": bits},
                "hash": {"type": "blakeHash"},
            },
        }
        for name, positional, bits in (
            ("given", False, 10),
            ("surname", False, 10),
            ("dob", True, 8),
            ("postcode", True, 4),
            ("sex", False, 10),
        )
    ],
}


def subject_of(
    child: Child, family: Family, born: date | None = None, seen: Seen | None = None
) -> Subject:
    """A child, normalised as by ingest. With `seen`, as a partner wrote the child down."""
    seen = seen or Seen(
        child.given_name,
        child.surname,
        child.born,
        child.sex,
        child.nhs_number,
        family.postcodes[0],
    )
    who = Identity(
        str(child.person),
        normalise.nhs_number(seen.nhs_number),
        normalise.given_name(seen.given_name),
        normalise.surname(seen.surname),
        born or seen.born,
        seen.sex,
        normalise.postcode(seen.postcode),
        child.birth_order or None,
    )
    return Subject("child", who, keyed_hash(b"k", str(child.person)), b"a" * 16, b"f" * 4)


def groups(
    size: int,
    count: int,
    seed: int,
    writer: int | None = None,
    sex: str = "",
    no_twins: bool = False,
) -> list[list[Subject]]:
    """Returns `count` groups of `size` children who share a date of birth (and sex). Twins stay
    together.

    The same seed gives the same children (without twins, if `no_twins`). A `writer` writes them
    down with the errors of real records.
    """
    desk = Recorder(np.random.default_rng(writer), Errors(), 1.0) if writer is not None else None
    families = People(np.random.default_rng(seed)).families((4 if sex else 2) * size * count + 60)
    births: dict[tuple[int, date], list[tuple[Child, Family]]] = {}
    for family in families:
        for child in family.children:
            if child.sex == (sex or child.sex):
                births.setdefault((family.family, child.born), []).append((child, family))
    made: list[list[Subject]] = [[]]
    # In any order: siblings of different ages are not born on one day.
    order = np.random.default_rng(seed).permutation(len(births))
    for birth in (list(births.values())[number] for number in order):
        if no_twins and len(birth) > 1:
            continue
        if len(made[-1]) == size:
            if len(made) == count:
                return made
            made.append([])
        if len(made[-1]) + len(birth) <= size:
            day = _FIRST_DAY + timedelta(days=len(made))
            for child, family in birth:
                seen = (
                    desk.child(child, family, child.born + timedelta(days=37 * (child.person % 50)))
                    if desk
                    else None
                )
                made[-1].append(subject_of(child, family, day, seen))
    raise ValueError("too few births for these groups")


def by_salt(subjects: Sequence[Subject], number: int, least: int = 2) -> list[list[Subject]]:
    """People grouped by the salt of a pass. Groups have at least `least` people."""
    salt = next(item.salt for item in get_profile().passes if item.number == number)
    found: dict[tuple[str, ...], list[Subject]] = {}
    for subject in subjects:
        found.setdefault(tuple(value_of(subject, name) for name in salt), []).append(subject)
    return [group for group in found.values() if len(group) >= least]


def twins(count: int, seed: int) -> list[list[Subject]]:
    """Pairs of twins with their mother: groups of the passes that the mother salts."""
    pairs = []
    for family in People(np.random.default_rng(seed)).families(80 * count):
        mother = family.mother
        adult = Identity(
            str(mother.person),
            mother.nhs_number,
            normalise.given_name(mother.given_name),
            date_of_birth=mother.born,
        )
        born = [child for child in family.children if child.birth_order]
        if len(born) == 2:
            pairs.append([replace(subject_of(child, family), mother=adult) for child in born])
    return pairs[:count]


def people(count: int, seed: int) -> list[Subject]:
    """Children with many dates of birth."""
    families = People(np.random.default_rng(seed)).families(count)
    return [subject_of(child, family) for family in families for child in family.children][:count]


def filters_of(subjects: Sequence[Subject], encoder: Encoder, number: int) -> Bits:
    """One pass's segments and filters, as bits. Every subject must have the pass."""
    raw = [
        next(
            item.filter + item.bloom_filters for item in record.passes if item.pass_number == number
        )
        for record in encoder.encode(subjects)
    ]
    return np.unpackbits(
        np.frombuffer(b"".join(raw), dtype=np.uint8).reshape(len(raw), -1),
        axis=1,
        bitorder="little",
    )


def secret(number: int) -> SecretKey:
    """A linkage secret. The attacker makes secrets of their own to learn what filters look like on
    average.
    """
    return SecretKey("partnership", 1, keyed_hash(b"secret", str(number)) * 2)


@dataclass(frozen=True)
class ProfileTarget:
    """Filters of one pass of a profile, made by the project's own encoder."""

    profile: Profile
    number: int = DOB

    def __call__(self, subjects: Sequence[Subject], key: int) -> Bits:
        return filters_of(subjects, Encoder(self.profile, secret(key)), self.number)


def dob_pass(segments: Sequence[Sequence[str]] = (), salted: bool = True) -> ProfileTarget:
    """The dob pass; or an experiment: with other segments, or under one key for everybody."""
    profile = get_profile()
    item = next(item for item in profile.passes if item.number == DOB)
    chosen = tuple(tuple(segment) for segment in segments) or item.segments
    # Everybody in these experiments has one role. The role is always part of the key.
    filters = () if segments else item.filters
    changed = replace(item, segments=chosen, filters=filters, salt=item.salt if salted else ())
    return ProfileTarget(replace(profile, passes=(changed,)))


def plain_clk(subjects: Sequence[Subject], key: int) -> Bits:
    """Plain CLKs: compatibility mode, one filter of all fields, under one key for everybody."""
    made = ClkEncoder(parse_schema(_PLAIN_SCHEMA), secret(key).secret).encode(
        [
            (
                s.identity.given_name,
                s.identity.surname,
                f"{s.identity.date_of_birth:%Y%m%d}",
                s.identity.postcode,
                s.identity.sex,
            )
            for s in subjects
        ]
    )
    return np.unpackbits(
        np.frombuffer(b"".join(made), dtype=np.uint8).reshape(len(made), -1), axis=1
    )
