"""The properties of `test_linker_is_a_function_of_records`, one seed at a time, and a command that
tries many seeds:

    python -m tests.property.many_seeds any_order corrected --seeds 0-2000
"""

import argparse
import json
import random
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from childlink_core.directory import Directory, Member
from childlink_core.keys import OpeningKey, SigningKey
from childlink_core.profiles import get_profile
from childlink_ingest.pseudonymise.encoder import is_linkable

from tests.support.people import NHS, Partnership, open_linker

GIVEN = ["Amina", "Aminah", "Zainab", "Oliver", "Olive", "BABY", ""]
SURNAMES = ["Okafor", "Okafour", "Smith", "Okafor-Smith"]


def people(rng, partnership, marked=False):
    """Similar people: few names, few dates, shared and wrong numbers, twins, mothers of several
    children. `marked`: also known-as names, parts of dates, guessed dates, numbers that were not
    traced and ids of visits.
    """
    subjects = []
    for partner in ("trust-a", "council-b"):
        mothers = [
            partnership.subject(
                partner,
                f"m{n}",
                "adult",
                nhs=rng.choice(["", NHS[6], NHS[7]]),
                given="Grace",
                surname=rng.choice(SURNAMES),
                born=date(1990, 1, 1 + n % 2),
                sex="f",
                postcode="SW9 8JJ",
            )
            for n in range(3)
        ]
        subjects += mothers
        for n in range(9):
            carer = (
                (rng.choice(mothers), rng.choice(["mother", "father", "carer"]))
                if rng.random() < 0.6
                else None
            )
            subjects.append(
                partnership.subject(
                    partner,
                    f"c{n}",
                    nhs=rng.choice(["", *NHS[:4]]),
                    given=rng.choice(GIVEN),
                    surname=rng.choice(SURNAMES),
                    born=date(2020, 1, 1) + timedelta(days=rng.randrange(3)),
                    sex=rng.choice("fm"),
                    postcode=rng.choice(["SW9 8JJ", "SE24 0AA", ""]),
                    birth_order=rng.choice([None, None, 1, 2]),
                    carer=carer,
                    **(_marks(rng) if marked else {}),
                )
            )
    return subjects


def _marks(rng):
    return {
        "known_as": rng.choice(["", "", "Mina", "Olly"]),
        "date_precision": rng.choice(["day", "day", "month", "year"]),
        "date_approximate": rng.random() < 0.1,
        "number_untraced": rng.random() < 0.3,
        "one_id_each": rng.random() < 0.7,
    }


def partitions(partnership, chunks):
    with tempfile.TemporaryDirectory() as folder:
        linker = open_linker(
            Partnership(partnership.directory, partnership.signing, partnership.opening),
            Path(folder),
        )
        try:
            for partner, subjects in chunks:
                linker.send(partner, *subjects)
            return linker.partition(), linker.family_partition()
        finally:
            linker.close()


def one_load(subjects):
    return [(p, [s for s in subjects if is_of(s, p)]) for p in ("council-b", "trust-a")]


def is_of(subject, partner):
    return subject.facet == OF[partner]


OF = {}


def drawn(partnership, seed):
    for partner in ("trust-a", "council-b"):
        OF[partner] = partnership.subject(partner, "x").facet
    return random.Random(seed)


def any_order(partnership, seed, marked):
    """The partition of people sent in any order and cutting, some twice; and the one expected."""
    rng = drawn(partnership, seed)
    subjects = people(rng, partnership, marked)
    expected = partitions(partnership, one_load(subjects))
    shuffled = rng.sample(subjects, len(subjects)) + rng.sample(subjects, 5)
    chunks = []
    while shuffled:
        size = rng.randrange(1, 8)
        part, shuffled = shuffled[:size], shuffled[size:]
        for partner in ("trust-a", "council-b"):
            own = [s for s in part if is_of(s, partner)]
            if own:
                chunks.append((partner, own))
    return partitions(partnership, chunks), expected


def corrected(partnership, seed, marked):
    """The partition of people some of whom were sent wrong at first; and the one expected."""
    rng = drawn(partnership, seed)
    subjects, others = people(rng, partnership, marked), people(rng, partnership, marked)
    expected = partitions(partnership, one_load(subjects))
    # A record with too little information for linking is refused and corrects nothing.
    known = {
        s.link_reference for s in subjects if s.identity.nhs_number or is_linkable(s, get_profile())
    }
    wrong = rng.sample([s for s in others if s.role == "child" and s.link_reference in known], 6)
    mixed = [
        s for s in subjects if all(s.link_reference != w.link_reference for w in wrong)
    ] + wrong
    right = [s for s in subjects if any(s.link_reference == w.link_reference for w in wrong)]
    return partitions(partnership, [*one_load(mixed), *one_load(right)]), expected


PROPERTIES = {"any_order": any_order, "corrected": corrected}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("properties", nargs="+", choices=PROPERTIES)
    parser.add_argument("--seeds", default="0-2000", help="from-to, the last not included")
    options = parser.parse_args()
    start, end = map(int, options.seeds.split("-"))
    names = ("trust-a", "council-b", "charity-c", "linker", "analytics")
    signing = {name: SigningKey.generate(name) for name in names}
    opening = {name: OpeningKey.generate(name) for name in names}
    members = {n: Member(n, n, (signing[n].public(),), (opening[n].public(),)) for n in names}
    partnership = Partnership(Directory(members), signing, opening)
    failed = {name: [] for name in options.properties}
    for seed in range(start, end):
        for name in options.properties:
            found, expected = PROPERTIES[name](partnership, seed, bool(seed % 2))
            if found != expected:
                failed[name].append(seed)
        if seed % 100 == 99:
            print(json.dumps({"seeds": [start, seed + 1], "failed": failed}), flush=True)
    print(json.dumps({"seeds": [start, end], "failed": failed, "done": True}), flush=True)
    sys.exit(any(failed.values()))


if __name__ == "__main__":
    main()
