"""Hours of a hub's life: steady traffic, and each minute the linker, analytics or the broker is
killed. Run by hand.

Afterwards every row is accounted for, and identifiers are those of an undisturbed run of the same
batches. Prints a line of JSON each minute and one at the end. Ends with an error if anything was
lost.

    make soak MINUTES=30
    python -m tests.faults.soak [minutes] [--rate ROWS_A_SECOND] [--seed N]
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from childlink_local.workspace import create_workspace

from tests.bench.bench_linker import SERVER
from tests.bench.bench_load import payloads
from tests.support import real
from tests.support.hub import Hub, hub_for
from tests.support.postgres import postgres
from tests.support.traffic import Batch, Traffic, partners, seal_rows

PARTNERS = 6
RECORDS_A_BATCH = 300
SETTLE_S = 1500


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float, nargs="?", default=30)
    parser.add_argument(
        "--rate", type=float, default=200, help="rows a second, of all partners together"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    if why := real.fetch_jars():
        raise SystemExit(f"no Kafka here: {why}")
    with tempfile.TemporaryDirectory(prefix="childlink-soak-") as name, postgres(SERVER) as server:
        soak(Path(name), server, options.minutes, options.rate, options.seed)


def soak(folder: Path, server: str, minutes: float, rate: float, seed: int) -> None:
    """The disturbed run, the calm run, and what they have in common."""
    names = partners(PARTNERS)
    sealed = seal_rows(
        create_workspace(folder, names, "", mock=False),
        payloads(int(minutes * 60 * rate), PARTNERS, RECORDS_A_BATCH),
    )
    rows = sum(batch.records for batch in sealed) // 2
    with hub_for(folder, server, "shaken", names) as shaken:
        report = run(shaken, sealed, rate, random.Random(seed))
        print(json.dumps({"bench": "soak_shaken", "seed": seed, **report}), flush=True)
        found, partition, linked = shaken.counts(), shaken.partition(), shaken.linked_people()
    with hub_for(folder, server, "calm", names) as calm:
        undisturbed = run(calm, sealed, 0, None)
        same = partition == calm.partition() and found == calm.counts()
    accounted = (
        report["rows_receipted"] == {"encodings": rows, "observations": rows}
        and found["observation"] == found["record"] == rows
    )
    print(
        json.dumps(
            {
                "bench": "soak",
                "minutes": minutes,
                "seed": seed,
                "rows": rows,
                "rows_per_s_offered": rate,
                **report,
                "every_row_accounted_for": accounted,
                "same_as_undisturbed": same,
                "people": len(partition["person"]),
                "people_at_analytics": linked,
                "undisturbed_rows_per_s": round(rows / undisturbed["seconds"]),
                "load": round(os.getloadavg()[1], 1),
            }
        )
    )
    if not (accounted and same and linked == len(partition["person"]) and not report["refused"]):
        raise SystemExit("something was lost, doubled or linked otherwise")


def run(hub: Hub, sealed: list[Batch], rate: float, killer: random.Random | None) -> dict[str, Any]:
    """Send everything, at a rate or at once (0). Kill something each minute. Wait until all batches
    have receipts and are linked.
    """
    traffic = Traffic(hub.layout, sealed)
    start = minute = time.monotonic()
    killed = {"linker": 0, "analytics": 0, "broker": 0}
    peak: dict[str, int] = {}
    sent = most_unanswered = 0
    total = sum(batch.records for batch in sealed)
    deadline = start + (total / 2 / rate if rate else 0) + SETTLE_S
    try:
        while not traffic.settled:
            now = time.monotonic()
            assert now < deadline, f"{traffic.unanswered} rows have no receipt: {hub.logs()}"
            # Each row is sent twice: an encoded half and an observed half.
            due = min(total, 2 * rate * (now - start)) - sent if rate else 10_000
            if due > 0:
                sent += traffic.send(int(due))
            traffic.receive(0.2)
            hub.revive()
            most_unanswered = max(most_unanswered, traffic.unanswered)
            for name, memory in hub.memory_mb().items():
                peak[name] = max(peak.get(name, 0), memory)
            if now - minute > 60:
                minute = now
                print(
                    json.dumps(
                        {
                            "minute": round((now - start) / 60),
                            "unanswered_rows": traffic.unanswered,
                            "memory_mb": hub.memory_mb(),
                            "database_mb": hub.database_mb(),
                            "killed": killed,
                            "load": round(os.getloadavg()[0], 1),
                        }
                    ),
                    flush=True,
                )
                if killer:
                    kill(killer.choice(list(killed)), hub, killed)
        hub.wait_for_links(time.monotonic() + SETTLE_S)
        seconds = time.monotonic() - start
        memory, size = hub.memory_mb(), hub.database_mb()
        hub.stop()
    finally:
        traffic.close()
    account = traffic.account
    return {
        "seconds": round(seconds),
        "killed": killed,
        "ended_by_themselves": hub.revived,
        "rows_receipted": account.rows(),
        "refused": account.refused,
        "gaps": account.gaps,
        "sender_reconnects": account.broken,
        "most_unanswered_rows": most_unanswered,
        "median_s_to_receipt": account.wait_s(0.5),
        "p99_s_to_receipt": account.wait_s(0.99),
        "memory_mb": memory,
        "peak_memory_mb": peak,
        "database_mb": size,
    }


def kill(what: str, hub: Hub, killed: dict[str, int]) -> None:
    """Send SIGKILL and restart."""
    killed[what] += 1
    if what == "broker":
        hub.broker.kill()
        hub.broker.start()
    else:
        hub.kill(what)


if __name__ == "__main__":
    main()
