"""The duration of a question with 20 analysts at once over gRPC, with and without the audit trail.
Prints one JSON line each.

The server runs in its own process. The analysts are threads of this process, and each asks without
a pause (`pace` 0), so on two cores the analysts slow the server down. With a pace, each analyst
waits that many seconds on average between questions, as people do.

    make bench-query
    python -m tests.bench.bench_query [questions] [--pace SECONDS]
"""

import argparse
import itertools
import json
import multiprocessing
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from childlink_analytics.answering.audit_trail import QuestionsTrail
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.settings import ServingSettings
from childlink_catalogue.catalogue import catalogue
from childlink_client import Client
from childlink_core.garbage_collection import relax_garbage_collection

from tests.attacks.answers.world import Hub, partnership

ANALYSTS = 20
QUESTIONS = [
    ("reach_children", ["residence"], {}),
    ("reach_children", ["ethnicity", "imd_quintile"], {}),
    ("reach_children", ["service"], {}),
    ("reach_children", ["quarter"], {"residence": ["area", "borough"]}),
    ("immunisation", ["ethnicity"], {}),
    ("sessions_per_child", ["residence"], {}),
    ("services_per_family", ["ethnicity"], {}),
]
_MEASURES = {
    name: catalogue()[name]
    for name in ("reach_children", "immunisation", "sessions_per_child", "services_per_family")
}


def answer(folder: str, trail: str, said: Connection) -> None:
    """Serve until told to stop."""
    relax_garbage_collection()
    written = QuestionsTrail(trail, b"k" * 32) if trail else None
    server, port = serve(
        ServingSettings(releases=Path(folder), address="127.0.0.1:0"),
        ServingMetrics(),
        Access(None, written),
    )
    said.send(port)
    said.recv()
    server.stop(0).wait()
    if written:
        written.close()


def ask(port: int, count: int, pace: float) -> list[float]:
    """Seconds for every question of all analysts."""
    seconds: list[float] = []
    ready = threading.Barrier(ANALYSTS)

    def work(number: int) -> None:
        rng = np.random.default_rng(number)
        with Client(f"127.0.0.1:{port}") as client:
            client.releases()
            ready.wait()
            mine = []
            for question in itertools.islice(
                itertools.cycle(QUESTIONS), number, number + count // ANALYSTS
            ):
                if pace:
                    time.sleep(float(rng.exponential(pace)))
                begun = time.perf_counter()
                client.ask(*question)
                mine.append(time.perf_counter() - begun)
        seconds.extend(mine)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(ANALYSTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def main() -> None:
    """Print a line for each way of asking."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=6_000)
    parser.add_argument("--pace", type=float, nargs="*", default=[0.0, 0.2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Hub(Path(folder) / "releases", measures=_MEASURES).cut(partnership(1, 800), "r1")
        for pace, trail in itertools.product(
            options.pace, ("", f"sqlite:///{folder}/trail.sqlite")
        ):
            here, there = multiprocessing.Pipe()
            server = multiprocessing.get_context("spawn").Process(
                target=answer, args=(f"{folder}/releases", trail, there)
            )
            server.start()
            begun = time.perf_counter()
            port = here.recv()
            begun = time.perf_counter()
            taken = np.array(ask(port, options.questions, pace)) * 1000
            whole = time.perf_counter() - begun
            here.send("stop")
            server.join()
            p50, p95, p99 = (round(float(np.percentile(taken, q)), 2) for q in (50, 95, 99))
            line = {
                "bench": "query",
                "analysts": ANALYSTS,
                "questions": len(taken),
                "pace_s": pace,
                "trail": bool(trail),
                "p50_ms": p50,
                "p95_ms": p95,
                "p99_ms": p99,
                "questions_a_second": round(len(taken) / whole),
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
