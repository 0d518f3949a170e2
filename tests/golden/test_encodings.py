"""Encodings of synthetic people under a fixed secret. A changed bit is allowed only with a change
of the profile or the algorithm.

After a deliberate change, write the new vectors with: python -m tests.golden.test_encodings
"""

import json
from datetime import date
from pathlib import Path

from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_ingest.model.rows import Identity
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.split import Subject

GOLDEN = Path(__file__).parent / "encodings.json"


def encode():
    mother = Identity("m", "9990000018", "grace", "okafor", date(1990, 5, 2), "f", "SW98JJ")
    people = {
        "whole": (
            "child",
            Identity(
                "1", "9434765919", "amina rose", "okafor smith", date(2020, 3, 14), "f", "SW98JJ"
            ),
            None,
        ),
        "newborn": (
            "child",
            Identity("2", "", "", "okafor", date(2020, 3, 14), "m", "", 2),
            mother,
        ),
        "no date of birth": (
            "child",
            Identity("3", "", "oliver", "smith", None, "m", "SE240AA"),
            None,
        ),
        "adult": ("adult", mother, None),
    }
    subjects = [
        Subject(role, who, b"r" * 16, b"a" * 16, b"f" * 4, None, mum)
        for role, who, mum in people.values()
    ]
    records = Encoder(get_profile("cl-2026e"), SecretKey("golden", 1, b"G" * 32)).encode(subjects)
    return {
        name: record.SerializeToString(deterministic=True).hex()
        for name, record in zip(people, records, strict=True)
    }


def test_encodings_are_those_of_the_golden_file():
    golden = json.loads(GOLDEN.read_text())
    assert get_profile("cl-2026e").fingerprint.hex() == golden["fingerprint"]
    assert encode() == golden["records"]


if __name__ == "__main__":
    GOLDEN.write_text(
        json.dumps(
            {"fingerprint": get_profile("cl-2026e").fingerprint.hex(), "records": encode()},
            indent=1,
        )
        + "\n"
    )
