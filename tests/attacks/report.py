"""Rates of every attack, as JSON lines for the docs.

    python -m tests.attacks.report [matching] [vectors] [frequency] [structure] [secret]

The default is all of them, which takes minutes. `found` is the share of people (or records) that
were re-identified, `guessed` the share found by guessing, `gain` the difference in percentage
points for a perfect search (see `rates.Rate`), `error` its standard error.
"""

import json
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from childlink_core.profiles import HARDENED, get_profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_linker.linking.intake import TokenHasher

from tests.attacks.leaked import numbers_of_tokens, people_of_segments
from tests.attacks.population import (
    DOB,
    NAME,
    ProfileTarget,
    by_salt,
    dob_pass,
    groups,
    people,
    plain_clk,
    secret,
    twins,
)
from tests.attacks.rates import Rate, rate_within_groups, rate_without_dates
from tests.attacks.store import everyone, hold, issued, subjects_of
from tests.attacks.structure import VIEWS, recognise
from tests.attacks.tokens import align, align_segments, name_pass
from tests.attacks.vectors import Vectors, attack_blocks, pass_channels, without_numbers

_SIZES = ((2, 1_000), (5, 400), (10, 200), (20, 100), (50, 40), (100, 20), (300, 3))
_LEAKED = {5: 200, 20: 50, 100: 6}
"""How many blocks of each size are attacked with the linkage secret as well."""
_SINGLE_FIELDS = (("given",), ("surname",), ("postcode",), ("sex",))


def line(attack: str, target: str, **values: object) -> None:
    """One result."""
    rounded = {
        key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()
    }
    print(json.dumps({"attack": attack, "target": target, **rounded}), flush=True)


def _rate(attack: str, target: str, rate: Rate, **values: object) -> None:
    line(attack, target, **values, **asdict(rate), gain=rate.gain, error=rate.error)


def matching() -> None:
    """Plain CLKs, our passes, segments of single fields, and how much the attacker must know."""
    _rate("graph matching", "plain CLK", rate_within_groups([people(1_000, seed=5)], plain_clk))
    for name, target in (("dob pass", dob_pass()), ("single fields", dob_pass(_SINGLE_FIELDS))):
        for size, count in _SIZES:
            # A different seed from the tests', on which the profile was chosen.
            _rate(
                "graph matching",
                name,
                rate_within_groups(groups(size, count, 23), target),
                block=size,
            )
    mine, theirs = (groups(20, 50, 11, writer=writer) for writer in (1, 2))
    for stored in (1.0, 0.7, 0.3):
        _rate(
            "graph matching",
            "dob pass",
            rate_within_groups(mine, dob_pass(), stored=stored),
            block=20,
            stored=stored,
        )
        rate = rate_within_groups(mine, dob_pass(), theirs, stored)
        _rate(
            "graph matching",
            "dob pass",
            rate,
            block=20,
            stored=stored,
            knows="another partner's records",
        )
    profile, crowd = everyone(get_profile()), people(14_000, seed=4)
    dates = by_salt(crowd, DOB, least=1)
    alone = sum(1 for group in dates if len(group) == 1)
    line(
        "graph matching",
        "dob pass at LEAP's density",
        people=len(crowd),
        blocks=len(dates),
        singletons=alone,
    )
    shared = [group for group in dates if len(group) > 1]
    _rate(
        "graph matching",
        "dob pass at LEAP's density, blocks of two and more",
        rate_within_groups(shared, dob_pass()),
    )
    _rate(
        "graph matching, dates not known",
        "dob pass at LEAP's density",
        rate_without_dates(dates[:250], dob_pass()),
    )
    names = by_salt(crowd, NAME)
    sizes = Counter(len(group) for group in names)
    line("graph matching", "name pass, blocks", sizes=dict(sorted(sizes.items())))
    _rate("graph matching", "name pass", rate_within_groups(names, ProfileTarget(profile, NAME)))
    for number in (3, 4):
        _rate(
            "graph matching",
            f"pass {number}, twins",
            rate_within_groups(twins(150, 5), ProfileTarget(profile, number)),
        )


def vectors() -> None:
    """Edges as vectors: each profile, for people with an NHS number and for people without one, who
    carry filters.
    """

    def show(profile: str, numbers: str, size: int, rate: Vectors, **more: object) -> None:
        line(
            "edges as vectors",
            profile,
            nhs_numbers=numbers,
            block=size,
            **more,
            **asdict(rate),
            gain=rate.gain,
            error=rate.error,
            most=rate.most,
        )

    for name in HARDENED:
        target = pass_channels(get_profile(name), DOB)
        for size, count in ((2, 1_000), (5, 1_000), (10, 400), (20, 150), (100, 8)):
            blocks = groups(size, count, 23)
            for numbers, known in (("yes", blocks), ("no", without_numbers(blocks))):
                show(name, numbers, size, attack_blocks(known, target))
                if size in _LEAKED:
                    found = attack_blocks(known[: _LEAKED[size]], target, leaked=True)
                    show(name, numbers, size, found, knows="the linkage secret as well")
        mine, theirs = (without_numbers(groups(10, 200, 11, writer=w)) for w in (1, 2))
        for stored in (1.0, 0.8, 0.5):
            found = attack_blocks(mine, target, theirs, stored)
            show(name, "no", 10, found, stored=stored, knows="another partner's records")
        found = attack_blocks(without_numbers(groups(10, 200, 23)), target, known=0.05)
        show(name, "no", 10, found, known=0.05)


def names() -> None:
    """Public lists against filters and tokens."""
    crowd, public = people(5_000, seed=1), people(20_000, seed=2)
    only, blocks = (("given",),), by_salt(crowd, DOB, least=1)
    for name, target, grouped in (
        ("given name alone, one key", dob_pass(only, salted=False), [crowd]),
        ("given name alone, our salt", dob_pass(only), blocks),
    ):
        found, blind = align_segments(grouped, target, public)
        line("frequency of segments", name, people=len(crowd), found=found, guessed=blind)
    with tempfile.TemporaryDirectory() as folder:
        children = [item for item in subjects_of(Path(folder), 3_000) if item[1].role == "child"]
    for name, profile in (
        ("phonetic given name, everyone", name_pass(["given_sound"], everyone=True)),
        ("phonetic surname, everyone", name_pass(["surname_sound"], everyone=True)),
        ("name pass, everyone", name_pass(everyone=True)),
        ("name pass as issued", name_pass()),
    ):
        held = [item for item in hold(children, profile) if item.record.passes]
        for knows, known in (
            ("public list", public),
            ("everybody", [subject for _, subject in children]),
        ):
            line(
                "frequency of tokens",
                name,
                knows=knows,
                **asdict(align(held, len(children), known, profile)),
            )


def structure() -> None:
    """Which records share tokens."""
    with tempfile.TemporaryDirectory() as folder:
        subjects = subjects_of(Path(folder), 5_000)
    for name, profile in (
        ("as issued", get_profile()),
        ("every pass to every record", everyone(get_profile())),
    ):
        held = hold(subjects, profile)
        line("joint tokens", name, issued=issued(held))
        for view in VIEWS:
            line("joint tokens", name, sees=view, **asdict(recognise(held, view)))
        one = [
            item
            for item in held
            if item.partner == "st-anns-trust" and item.subject.role == "child"
        ]
        line(
            "joint tokens",
            name,
            sees="tokens and passes, one partner's children",
            **asdict(recognise(one, "tokens and passes")),
        )
        weak = ("pass 2", "pass 3", "pass 4")
        place, child = ("pass 6",), ("pass 7", "pass 8")
        for sees, unseen in (
            ("number and date of birth", (*weak, *place, *child)),
            ("and the place pass", (*weak, *child)),
            ("and the passes by the child", weak),
        ):
            found = recognise(held, "tokens and passes", unseen)
            line("joint tokens", name, sees=sees, **asdict(found))


def leaked() -> None:
    """The linkage secret without the linker's own key."""
    crowd, key = people(100, seed=9), secret(1)
    records = Encoder(get_profile(), key).encode(crowd)
    numbers = [subject.identity.nhs_number for subject in people(20_000, seed=10) + crowd]
    found = numbers_of_tokens([record.nhs_token for record in records], numbers, key)
    line(
        "leaked secret",
        "NHS tokens as they travel",
        people=len(crowd),
        found=len(found) / len(crowd),
    )
    line(
        "leaked secret",
        "segments as they travel",
        people=len(crowd),
        found=people_of_segments(records, crowd, key),
    )
    hasher = TokenHasher(b"t" * 32)
    for record in records:
        for item in record.passes:
            item.filter = hasher.segments(item.block_token, item.filter)
    line(
        "leaked secret",
        "segments as they are stored",
        people=len(crowd),
        found=people_of_segments(records, crowd, key),
    )


PARTS = {
    "matching": matching,
    "vectors": vectors,
    "frequency": names,
    "structure": structure,
    "secret": leaked,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
