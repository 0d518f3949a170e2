"""Encoding speed on one core, compared with clkhash on the same people in the same run. Prints one
JSON line.

It measures three of our modes: compatibility mode (the same filters as clkhash, bit for bit), the
dob pass alone, and the whole default profile (NHS number token and every salted pass that a record
carries). Each round takes the next 200,000 of a million synthetic people, so that cached values are
those of a real run. Ratios are comparable between machines; absolute figures are not.

    make bench-encode
    python -m tests.bench.bench_encode [people]
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_core.references import keyed_hash
from childlink_ingest.model.rows import Identity
from childlink_ingest.pseudonymise.clk import ClkEncoder, parse_schema
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject
from childlink_ingest.runs.run import ROWS_AT_A_TIME
from childlink_local.synth import names
from clkhash import clk
from clkhash.schema import from_json_dict

ROUNDS = 5
CHUNK = ROWS_AT_A_TIME


def people(count: int, seed: int, first: int = 0) -> Iterator[Subject]:
    """Synthetic children with names of the synthetic partnership, born over ten years, 80% with an
    NHS number.
    """
    rng = np.random.default_rng(seed)
    given = [
        name.lower()
        for pool in (*names.GIRLS.values(), *names.BOYS.values())
        for name in pool.split()
    ]
    last = [
        name.lower().replace("-", " ") for pool in names.SURNAMES.values() for name in pool.split()
    ]
    rank = lambda size: int(rng.exponential(size / 3)) % size  # noqa: E731
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    for number in range(first, first + count):
        name = given[rank(len(given))] + (
            " " + given[rank(len(given))] if rng.random() < 0.25 else ""
        )
        born = date(2014, 1, 1) + timedelta(days=int(rng.integers(3650)))
        code = f"SE{rng.integers(1, 28)}{rng.integers(10)}{letters[rng.integers(20)]}{letters[rng.integers(20)]}"  # noqa: E501
        nhs = nhs_number(number) if rng.random() < 0.8 else ""
        who = Identity(
            str(number), nhs, name, last[rank(len(last))], born, "fm"[rng.integers(2)], code
        )
        yield Subject("child", who, keyed_hash(b"k", str(number)), b"a" * 16, b"f" * 4)


def nhs_number(number: int) -> str:
    """A number from the test range with a valid check digit (modulus 11)."""
    while True:
        nine = f"9{number % 100_000_000:08d}"
        check = 11 - sum(int(digit) * (10 - at) for at, digit in enumerate(nine)) % 11
        if check != 10:
            return f"{nine}{check % 11}"
        number += 50_000_000


def in_chunks(encode: Callable[[Any], list[bytes]], items: Sequence[Any]) -> list[bytes]:
    return [made for at in range(0, len(items), CHUNK) for made in encode(items[at : at + CHUNK])]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    content = json.loads((Path(__file__).parents[1] / "golden" / "clkhash_schema.json").read_text())
    theirs_schema = from_json_dict(content)
    key, profile = SecretKey("bench", 1, b"L" * 32), get_profile()
    whole, one = Encoder(profile, key), Encoder(replace(profile, passes=profile.passes[:1]), key)
    compatible = ClkEncoder(parse_schema(content), b"secret")
    rates: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        subjects = list(people(count // ROUNDS, number))
        bare = [replace(s, identity=replace(s.identity, nhs_number="")) for s in subjects]
        rows = [
            [
                s.identity.given_name,
                s.identity.surname,
                s.identity.date_of_birth.isoformat(),
                s.identity.postcode,
            ]
            for s in subjects
        ]
        timed = {
            "profile": partial(in_chunks, whole.encode_to_bytes, subjects),
            "one_pass": partial(in_chunks, one.encode_to_bytes, bare),
            "compatibility": partial(in_chunks, compatible.encode, rows),
            "clkhash": partial(clk.generate_clks, rows, theirs_schema, "secret", max_workers=1),
        }
        made = {}
        for what, run in timed.items():
            started = time.perf_counter()
            made[what] = run()
            rates.setdefault(what, []).append(len(subjects) / (time.perf_counter() - started))
        assert made["compatibility"][:1000] == [
            bits.tobytes() for bits in made["clkhash"][:1000]
        ], "not the same filters"
    median = {what: statistics.median(values) for what, values in rates.items()}
    ratios = {
        f"{what}_ratio": round(
            statistics.median(a / b for a, b in zip(rates[what], rates["clkhash"], strict=True)), 2
        )
        for what in ("profile", "one_pass", "compatibility")
    }
    print(
        json.dumps(
            {
                "bench": "encode",
                "people": count,
                "rounds": ROUNDS,
                **{k: round(v) for k, v in median.items()},
                **ratios,
            }
        )
    )


if __name__ == "__main__":
    main()
