"""The load that one hub sustains with 5, 30 and 100 partners who all send at once, and what happens
above it.

Real linker and analytics processes, a real Kafka and a real PostgreSQL run on this machine. So does
the program that simulates the partners, whose batches were sealed beforehand. First, each number of
partners sends everything as fast as Kafka takes it; the rate of receipts is what the hub sustains.
Then 30 partners send at half and at twice that rate for a while. Prints one JSON line each. Ends
with an error if a record has no receipt.

    make bench-load
    python -m tests.bench.bench_load [rows]
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from childlink.wire.v1 import encoded_pb2
from childlink_local.workspace import create_workspace

from tests.bench.bench_linker import SERVER, batches
from tests.support import real
from tests.support.hub import Hub, hub_for
from tests.support.postgres import postgres
from tests.support.traffic import Traffic, partners, seal_rows

PARTNERS = (5, 30, 100)
RECORDS_A_BATCH = 100
OFFERED = {"half": 0.5, "twice": 2.0}
OFFERED_S = 15
LONGEST_S = 400


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "rows", type=int, nargs="?", default=24_000, help="of all partners together, each time"
    )
    options = parser.parse_args()
    if why := real.fetch_jars():
        raise SystemExit(f"no Kafka here: {why}")
    with tempfile.TemporaryDirectory(prefix="childlink-load-") as name, postgres(SERVER) as server:
        for count in PARTNERS:
            run(Path(name) / str(count), server, options.rows, count)


def run(folder: Path, server: str, rows: int, count: int) -> None:
    """Numbers of partners at once. 30 of them also send at half and at twice the sustained rate."""
    names = partners(count)
    paced = OFFERED if count == 30 else {}
    # Twice the sustained rate for 15 seconds, on a machine a little faster than the author's.
    room = 1 + (4 if paced else 0)
    sealed = seal_rows(
        create_workspace(folder, names, "", mock=False),
        payloads(room * rows, count, RECORDS_A_BATCH),
    )
    with hub_for(folder, server, f"load{count}", names) as hub:
        hub.wait_until_ready()
        traffic = Traffic(hub.layout, sealed)
        traffic.connect()
        try:
            found = phase(hub, traffic, "at_once", count, lambda _: 2 * rows)
            for pace, share in paced.items():
                rate = share * found["rows_per_s"]
                phase(
                    hub,
                    traffic,
                    pace,
                    count,
                    lambda seconds, rate=rate: int(2 * rate * min(seconds, OFFERED_S)),
                    rate,
                )
        finally:
            traffic.close()
        there, sent = hub.counts(), dict.fromkeys(("encodings", "observations"), 0)
        for batch in sealed:
            if (batch.topic, batch.sequence) in traffic.account.sent:
                sent[batch.topic.partition(".")[0]] += batch.records
        if (
            not sent
            == traffic.account.rows()
            == {"encodings": there["record"], "observations": there["observation"]}
        ):
            raise SystemExit(
                f"{sent} were sent, {traffic.account.rows()} have receipts, and {there} are there"
            )
        hub.stop()


def payloads(rows: int, count: int, size: int) -> list[tuple[str, bytes]]:
    """Encoded batches of `size` records (a divisor of 300), with about this many rows in all:
    (partner, payload), partners in turn.
    """
    names = partners(count)
    each = max(1, round(rows / size / count))
    found: dict[str, list[bytes]] = {name: [] for name in names}
    for pair in range(1, (count + 1) // 2 + 1):
        for opened in batches(each * size + 300, pair, pair):
            if opened.sender in found:
                found[opened.sender] += split(opened.payload, size)
    return [(name, found[name][turn]) for turn in range(each) for name in names]


def split(payload: bytes, size: int) -> list[bytes]:
    """Split a batch into batches of this many records. A remainder is left out."""
    batch = encoded_pb2.EncodedBatch.FromString(payload)
    records = list(batch.records)
    parts = []
    for at in range(0, len(records) - size + 1, size):
        part = encoded_pb2.EncodedBatch()
        part.CopyFrom(batch)
        del part.records[:]
        part.records.extend(records[at : at + size])
        parts.append(part.SerializeToString())
    return parts


def phase(
    hub: Hub,
    traffic: Traffic,
    name: str,
    count: int,
    due: Callable[[float], int],
    rate: float | None = None,
) -> dict[str, Any]:
    """Send what is due by then (records, both halves together) until no more becomes due. Then wait
    for every receipt.
    """
    account = traffic.account
    account.seconds.clear()
    before, start, worked = account.rows(), time.monotonic(), hub.processor_s()
    sent = most = 0
    peak: dict[str, int] = {}
    offered_for = unanswered_then = 0.0
    while True:
        seconds = time.monotonic() - start
        if seconds > LONGEST_S:
            raise SystemExit(f"{traffic.unanswered} rows have no receipt: {hub.logs()}")
        more = min(due(seconds), sent + traffic.waiting) - sent
        if more > 0:
            sent += traffic.send(min(more, 10_000))
            offered_for, unanswered_then = time.monotonic() - start, traffic.unanswered
        traffic.receive(0.1)
        most = max(most, traffic.unanswered)
        for service, memory in hub.memory_mb().items():
            peak[service] = max(peak.get(service, 0), memory)
        if (
            more <= 0
            and not traffic.unanswered
            and (rate is None or seconds > OFFERED_S or not traffic.waiting)
        ):
            break
    receipted = time.monotonic() - start
    hub.wait_for_links(time.monotonic() + LONGEST_S)
    linked = time.monotonic() - start
    rows = account.rows()["encodings"] - before["encodings"]
    worked_now = hub.processor_s()
    found: dict[str, Any] = {
        "bench": "load",
        "phase": name,
        "partners": count,
        "rows": rows,
        "rows_per_s_offered": round(rate) if rate else None,
        "rows_per_s": round(rows / receipted),
        "offered_for_s": round(offered_for, 1),
        "s_to_last_receipt": round(receipted, 1),
        "s_to_last_link": round(linked, 1),
        "most_rows_without_receipt": most,
        "rows_without_receipt_when_offering_ended": round(unanswered_then),
        "median_s_to_receipt": account.wait_s(0.5),
        "p99_s_to_receipt": account.wait_s(0.99),
        "refused": account.refused,
        "gaps": account.gaps,
        "memory_mb": peak,
        "database_mb": hub.database_mb(),
        "processor_s": {name: round(worked_now[name] - worked[name], 1) for name in worked},
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found), flush=True)
    if account.refused:
        raise SystemExit(f"{account.refused} records or batches were refused")
    return found


if __name__ == "__main__":
    main()
