"""Encoding speed on one core: our default profile against clkhash on the same fields, in one run. Prints JSON lines.

The two do different work: clkhash makes one 1,024-bit filter of all fields, we make the NHS number token and every salted
pass that a record carries. Ratios travel between machines; absolute figures do not.
"""

import csv
import io
import json
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_core.references import ReferenceKeys
from childlink_ingest.app import load_mapping
from childlink_ingest.encode import Encoder
from childlink_ingest.map_row import RowMapper
from childlink_ingest.readers import open_extract
from childlink_ingest.rows import Row
from childlink_ingest.split import split
from childlink_local.synth import synthesise
from clkhash import clk
from clkhash.schema import from_json_dict

ROUNDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        synthesise(Path(folder), seed=2, children=int(sys.argv[1]) if len(sys.argv) > 1 else 6_000)
        mapping = load_mapping(Path(folder) / "gp-federation" / "immunisation.toml")
        mapper = RowMapper(mapping, date(2026, 1, 1))
        with open_extract(Path(folder) / "gp-federation" / "immunisation.csv", mapping.source) as records:
            rows = [mapper(r.number, r.values) for r in records]
    keys = ReferenceKeys.of(SecretKey("bench", 1, b"B" * 32))
    subjects = [split(row, mapping, keys)[0] for row in rows if isinstance(row, Row)]
    schema = from_json_dict(json.loads((Path(__file__).parents[1] / "golden" / "clkhash_schema.json").read_text()))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["given", "surname", "dob", "postcode"])
    for subject in subjects:
        who = subject.identity
        writer.writerow([who.given_name or "x", who.surname or "x", who.date_of_birth.isoformat(), who.postcode or "x"])
    ours, theirs = [], []
    for _ in range(ROUNDS):
        encoder = Encoder(get_profile(), SecretKey("bench", 1, b"L" * 32))
        started = time.perf_counter()
        for at in range(0, len(subjects), 5_000):
            encoder.encode_to_bytes(subjects[at : at + 5_000])
        ours.append(len(subjects) / (time.perf_counter() - started))
        text.seek(0)
        started = time.perf_counter()
        clk.generate_clk_from_csv(text, "secret", schema, progress_bar=False, max_workers=1)
        theirs.append(len(subjects) / (time.perf_counter() - started))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(
        json.dumps(
            {
                "bench": "encode", "records": len(subjects), "rounds": ROUNDS,
                "ours_records_per_s": round(statistics.median(ours)), "clkhash_records_per_s": round(statistics.median(theirs)),
                "ratio_median": round(statistics.median(ratios), 2), "ratio_min": round(min(ratios), 2), "ratio_max": round(max(ratios), 2),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
