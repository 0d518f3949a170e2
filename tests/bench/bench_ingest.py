"""A whole run of ingest, from file to broker, with the default profile: rows/s and peak memory.
Prints one JSON line.

    make bench-ingest
    python -m tests.bench.bench_ingest [rows] [workers]

The broker is a real one (Kafka on Java) if available. The topics have no reader: only the partner's
side is timed.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from childlink_local.workspace import create_workspace

from tests.bench.bench_encode import people
from tests.support.real import KafkaBroker, fetch_jars

MAPPING = """
dataset = "immunisation"
opt_out_exempt = "made-up people"
[columns]
row_id = "id"
child_id = "id"
child_nhs_number = "nhs"
child_given_name = "first"
child_surname = "last"
child_date_of_birth = { column = "dob", format = "%Y-%m-%d" }
child_sex = "sex"
child_postcode = "pc"
recorded_date = { column = "seen", format = "%Y-%m-%d" }
mmr1 = "mmr"
up_to_date = "utd"
"""


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    ingest = Path(sys.executable).parent / "childlink-ingest"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "e.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                ["id", "nhs", "first", "last", "dob", "sex", "pc", "seen", "mmr", "utd"]
            )
            for number, subject in enumerate(people(rows, 1)):
                who = subject.identity
                writer.writerow(
                    [
                        number,
                        who.nhs_number,
                        who.given_name,
                        who.surname,
                        who.date_of_birth.isoformat(),
                        who.sex,
                        who.postcode,
                        "2024-05-01",
                        "Y",
                        "N",
                    ]
                )
        (folder / "m.toml").write_text(MAPPING)
        why = fetch_jars()
        if why:
            raise SystemExit(f"no Kafka here: {why}")
        broker = KafkaBroker(folder / "kafka")
        broker.start()
        try:
            layout = create_workspace(folder / "work", ["trust-a"], broker.address, mock=False)
            values = layout.ingest["trust-a"].model_dump(
                mode="json", exclude_none=True, exclude_defaults=True
            )
            (folder / "s.toml").write_text(
                "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
            )
            environment = {**os.environ, "CHILDLINK_INGEST_SETTINGS": str(folder / "s.toml")}
            for step in (
                ["preview", folder / "e.csv", "--mapping", folder / "m.toml"],
                ["approve", folder / "m.toml", "--by", "bench"],
            ):
                subprocess.run([ingest, *step], env=environment, check=True, capture_output=True)
            started = time.perf_counter()
            command = [
                ingest,
                "run",
                folder / "e.csv",
                "--mapping",
                folder / "m.toml",
                "--wait",
                "0",
                "--workers",
                str(workers),
            ]
            with (folder / "errors").open("w") as errors:
                process = subprocess.Popen(
                    command, env=environment, stdout=subprocess.DEVNULL, stderr=errors
                )
                _, state, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        finally:
            broker.kill()
        code = os.waitstatus_to_exitcode(state)
        if code not in (0, 4):
            raise SystemExit((folder / "errors").read_text())
        # The largest value of ingest and its workers: ru_maxrss does not add them up.
        peak = used.ru_maxrss / 1024
        print(
            json.dumps(
                {
                    "bench": "ingest",
                    "rows": rows,
                    "workers": workers,
                    "seconds": round(seconds, 1),
                    "rows_per_s": round(rows / seconds),
                    "peak_mb_of_the_largest_process": round(peak),
                }
            )
        )


if __name__ == "__main__":
    main()
