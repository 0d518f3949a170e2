"""Rates of every attack, as JSON lines for the docs.

    python -m tests.attacks.report [matching] [hardening] [frequency] [structure] [secret]      (default: all; minutes)

`found` is the share of people (or records) that were re-identified, `guessed` what guessing gets, `gain` the difference in percentage
points for an attacker who searches perfectly (see `rates.Rate`), `error` its standard error.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from childlink_core.profiles import get_profile
from childlink_ingest.encode import Encoder

from tests.attacks import frequency
from tests.attacks.hardening import Diffused, Noisy, recall
from tests.attacks.leaked import days_between, numbers_of_tokens, permuted, read_filters
from tests.attacks.population import (
    DOB,
    NAME,
    EncodeGroup,
    ProfileTarget,
    by_salt,
    dob_pass,
    filters_of,
    groups,
    people,
    plain_clk,
    secret,
    twins,
)  # fmt: skip
from tests.attacks.rates import Rate, rate_within_groups, rate_without_dates
from tests.attacks.store import everyone, hold, issued, subjects_of
from tests.attacks.structure import VIEWS, recognise
from tests.attacks.tokens import align, name_pass

_SIZES = ((2, 500), (5, 200), (10, 100), (20, 50), (50, 20), (100, 10), (300, 3))
_FEWER = ((2, 250), (5, 120), (20, 50), (50, 20), (100, 10), (300, 2))
_HARDENINGS: dict[str, EncodeGroup] = {
    "sex not in the filter": dob_pass(("sex",)),
    "no postcode": dob_pass(("postcode",)),
    "no postcode, no sex": dob_pass(("postcode", "sex")),
    "128 bits, half as many a feature": dob_pass(bits=128, times=0.5),
    "64 bits, a quarter as many a feature": dob_pass(bits=64, times=0.25),
    "10% of bits flipped": Noisy(dob_pass(), 0.1),
    "20% of bits flipped": Noisy(dob_pass(), 0.2),
    "diffusion t=5, 2048 bits": Diffused(dob_pass(), 5, 2_048),
    "diffusion t=9, 2048 bits": Diffused(dob_pass(), 9, 2_048),
    **{
        f"diffusion t={t}, {bits} bits, constant": Diffused(dob_pass(), t, bits, masked=True)
        for t, bits in ((5, 2_048), (9, 512), (12, 512), (15, 512), (15, 1_024), (21, 1_024))
    },
}


def line(attack: str, target: str, **values: object) -> None:
    """One result."""
    rounded = {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
    print(json.dumps({"attack": attack, "target": target, **rounded}), flush=True)


def _rate(attack: str, target: str, rate: Rate, **values: object) -> None:
    line(attack, target, **values, **asdict(rate), gain=rate.gain, error=rate.error)


def matching() -> None:
    """Plain CLKs, our passes with and without salt, and how much the attacker must know."""
    crowd = people(1_000, seed=5)
    _rate("graph matching", "plain CLK", rate_within_groups([crowd], plain_clk))
    _rate("graph matching", "dob pass without salt", rate_within_groups([crowd], dob_pass(salted=False)))
    for size, count in _SIZES:
        _rate("graph matching", "dob pass", rate_within_groups(groups(size, count, 7), dob_pass()), block=size)
    for size, count in _SIZES[:5]:
        one_sex = groups(size, max(1, count // 4), 7, sex="f")
        _rate(
            "graph matching", "dob pass, sex in the salt", rate_within_groups(one_sex, dob_pass(("sex",))), block=size
        )
    mine, theirs = (groups(20, 50, 11, writer=writer) for writer in (1, 2))
    for stored in (1.0, 0.7, 0.3):
        _rate(
            "graph matching", "dob pass", rate_within_groups(mine, dob_pass(), stored=stored), block=20, stored=stored
        )
        rate = rate_within_groups(mine, dob_pass(), theirs, stored)
        _rate("graph matching", "dob pass", rate, block=20, stored=stored, knows="another partner's records")
    profile, crowd = everyone(get_profile()), people(14_000, seed=4)
    dates = by_salt(crowd, DOB, least=1)
    alone = sum(1 for group in dates if len(group) == 1)
    line("graph matching", "dob pass at LEAP's density", people=len(crowd), blocks=len(dates), singletons=alone)
    shared = [group for group in dates if len(group) > 1]
    _rate(
        "graph matching", "dob pass at LEAP's density, blocks of two and more", rate_within_groups(shared, dob_pass())
    )
    _rate("graph matching, dates not known", "dob pass at LEAP's density", rate_without_dates(dates[:250], dob_pass()))
    names = by_salt(crowd, NAME)
    sizes = Counter(len(group) for group in names)
    line("graph matching", "name pass, blocks", sizes=dict(sorted(sizes.items())))
    _rate("graph matching", "name pass", rate_within_groups(names, ProfileTarget(profile, NAME)))
    for number in (3, 4):
        _rate(
            "graph matching", f"pass {number}, twins", rate_within_groups(twins(150, 5), ProfileTarget(profile, number))
        )


def hardening() -> None:
    """What changes of the profile would buy, and what they cost in true pairs found."""
    mine, theirs = (groups(20, 200, 11, writer=writer) for writer in (1, 2))
    for name, target in {"dob pass as it is": dob_pass(), **_HARDENINGS}.items():
        costs = {f"recall_at_{wrong}": recall(mine, theirs, target, wrong) for wrong in (0.01, 0.001, 0.0002)}
        line("none: linkage", name, **costs)
        for size, count in _FEWER:
            _rate("graph matching", name, rate_within_groups(groups(size, count, 7), target), block=size)
    blocks = by_salt(people(14_000, seed=4), DOB, least=1)[:120]
    hard = Diffused(dob_pass(), 12, 512, masked=True)
    _rate("graph matching, dates not known", "diffusion t=12, 512 bits, constant", rate_without_dates(blocks, hard))


def names() -> None:
    """Public lists against filters and tokens."""
    crowd, public = people(5_000, seed=1), people(20_000, seed=2)
    only, blocks = ("surname", "sex", "postcode"), by_salt(crowd, DOB, least=1)
    for name, target, grouped in (
        ("given name alone, one key", dob_pass(only, salted=False), [crowd]),
        ("given name alone, our salt", dob_pass(only), blocks),
        ("dob pass, one key", dob_pass(salted=False), [crowd]),
        ("dob pass", dob_pass(), blocks),
    ):
        line("frequency of filters", name, **asdict(frequency.attack(grouped, public, target, "given_name")))
    with tempfile.TemporaryDirectory() as folder:
        children = [item for item in subjects_of(Path(folder), 3_000) if item[1].role == "child"]
    for name, profile in (
        ("phonetic given name, everyone", name_pass(["given_name_phonetic"], everyone=True)),
        ("phonetic surname, everyone", name_pass(["surname_phonetic"], everyone=True)),
        ("name pass, everyone", name_pass(everyone=True)),
        ("name pass as issued", name_pass()),
    ):
        held = [item for item in hold(children, profile) if item.record.passes]
        for knows, known in (("public list", public), ("everybody", [subject for _, subject in children])):
            line("frequency of tokens", name, knows=knows, **asdict(align(held, len(children), known, profile)))


def structure() -> None:
    """Who shares tokens with whom."""
    with tempfile.TemporaryDirectory() as folder:
        subjects = subjects_of(Path(folder), 5_000)
    for name, profile in (("cl-2026a", get_profile()), ("every pass to every record", everyone(get_profile()))):
        held = hold(subjects, profile)
        line("joint tokens", name, issued=issued(held))
        for view in VIEWS:
            line("joint tokens", name, sees=view, **asdict(recognise(held, view)))
        one = [item for item in held if item.partner == "st-anns-trust" and item.subject.role == "child"]
        line(
            "joint tokens",
            name,
            sees="tokens and passes, one partner's children",
            **asdict(recognise(one, "tokens and passes")),
        )
        weak = ("pass 2", "pass 3", "pass 4")
        line(
            "joint tokens", name, sees="number and date of birth", **asdict(recognise(held, "tokens and passes", weak))
        )


def leaked() -> None:
    """The linkage secret without the linker's own key."""
    crowd, key = people(100, seed=9), secret(1)
    records = Encoder(get_profile(), key).encode(crowd)
    numbers = [subject.identity.nhs_number for subject in people(20_000, seed=10) + crowd]
    found = numbers_of_tokens([record.nhs_token for record in records], numbers, key)
    line("leaked secret", "NHS tokens as they travel", people=len(crowd), found=len(found) / len(crowd))
    bits, public = filters_of(crowd, Encoder(get_profile(), key), DOB), people(3_000, seed=3)
    first, last = (pick(s.identity.date_of_birth for s in crowd) for pick in (min, max))
    days = sorted({*days_between(first, last)[::10], *(subject.identity.date_of_birth for subject in crowd)})
    words = [sorted({getattr(s.identity, field) for s in public + crowd}) for field in ("given_name", "surname")]
    blocks = [record.passes[0].block_token for record in records]
    for name, filters in (
        ("filters as they are stored", bits),
        ("bits moved by the linker", permuted(bits, blocks, b"t" * 32)),
    ):
        started = time.perf_counter()
        read = read_filters(filters, key, days, *words)
        line(
            "leaked secret", name, people=len(crowd), days_tried=len(days), seconds=time.perf_counter() - started,
            date_and_surname=_share(zip(read, crowd, strict=True), lambda r, s: (r[0], r[2]) == (s.date_of_birth, s.surname)),
            all_three=_share(zip(read, crowd, strict=True), lambda r, s: r == (s.date_of_birth, s.given_name, s.surname)),
        )  # fmt: skip


def _share(pairs: Iterable, right: Callable) -> float:
    found = [right(read, subject.identity) for read, subject in pairs]
    return sum(found) / len(found)


PARTS = {"matching": matching, "hardening": hardening, "frequency": names, "structure": structure, "secret": leaked}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
