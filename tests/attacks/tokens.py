"""Frequency attack on tokens: a block token of many records belongs to a value of many people.

This is the classical attack on deterministic encryption (Naveed, Kamara and Wright, "Inference
attacks on property-preserving encrypted databases", CCS 2015), here on tokens of names: sort tokens
by their frequency, sort values by their expected frequency, and match the two lists.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from childlink_core.profiles import Pass, Profile, get_profile
from childlink_ingest.pseudonymise.fields import value_of
from childlink_ingest.pseudonymise.split import Subject

from tests.attacks.population import NAME, EncodeGroup
from tests.attacks.store import WithheldRow


@dataclass(frozen=True)
class Aligned:
    """Share of the token's records that got their true value, and the share found by blind
    guessing.
    """

    carriers: int
    tokens: int
    right: float
    blind: float
    """Share of records with the most frequent value: the result of guessing that value for
    everybody.
    """
    of_all: float
    """Records that got their true value, as a share of all records, with the token or not."""


def name_pass(salt: Sequence[str] = (), everyone: bool = False) -> Profile:
    """The profile with its name pass alone; as an experiment with another salt, or issued to
    everybody.
    """
    profile = get_profile()
    item = next(item for item in profile.passes if item.number == NAME)
    changed = replace(
        item, salt=tuple(salt) or item.salt, only_without=() if everyone else item.only_without
    )
    return replace(profile, passes=(changed,))


def align(
    held: Sequence[WithheldRow], everybody: int, known: Sequence[Subject], profile: Profile
) -> Aligned:
    """Attack the only pass of `profile` with the frequencies of its salt among `known` (a public
    list, or the people themselves).

    `everybody` is the number of records, including those without the pass.
    """
    [item] = profile.passes
    counted: Counter[bytes] = Counter(
        made.block_token for one in held for made in one.record.passes
    )
    truth = {
        made.block_token: _value(one.subject, item) for one in held for made in one.record.passes
    }
    expected = Counter(_value(subject, item) for subject in known if all(_value(subject, item)))
    carriers = sum(counted.values())
    # Ties are broken at random, so neither the order of arrival nor the order of the list helps.
    rng = np.random.default_rng(0)
    tokens, values = (_ranked(counter, rng) for counter in (counted, expected))
    right = sum(
        counted[token]
        for token, value in zip(tokens, values, strict=False)
        if truth[token] == value
    )
    most = Counter(truth[token] for token in counted.elements()).most_common(1)[0][1]
    return Aligned(carriers, len(counted), right / carriers, most / carriers, right / everybody)


def align_segments(
    groups: Sequence[Sequence[Subject]], encode: EncodeGroup, public: Sequence[Subject]
) -> tuple[float, float]:
    """The same on segments of one field, in groups that each have their own salt, with a public
    list of given names: share of people whose name is found, and the share with the most frequent
    name.
    """
    seen: Counter[bytes] = Counter()
    truth: dict[bytes, Counter[str]] = {}
    for number, group in enumerate(groups):
        for row, subject in zip(encode(group, number), group, strict=True):
            key = np.packbits(row).tobytes()
            seen[key] += 1
            truth.setdefault(key, Counter())[value_of(subject, "given")] += 1
    expected = Counter(value_of(subject, "given") for subject in public)
    rng = np.random.default_rng(0)
    right = sum(
        truth[key][name]
        for key, name in zip(_ranked(seen, rng), _ranked(expected, rng), strict=False)
    )
    names = sum(truth.values(), Counter())
    return right / names.total(), names.most_common(1)[0][1] / names.total()


def _value(subject: Subject, item: Pass) -> tuple[str, ...]:
    return tuple(value_of(subject, name) for name in item.salt)


def _ranked(counter: Counter, rng: np.random.Generator) -> list:
    found = sorted(counter)
    chance = rng.random(len(found))
    return [
        found[index]
        for index in sorted(range(len(found)), key=lambda i: (-counter[found[i]], chance[i]))
    ]
