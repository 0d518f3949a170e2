"""The duration of a question with 20 analysts at once over gRPC, with and without the audit trail,
and beside it that of an empty call to an empty server. Prints one JSON line each.

The server runs in its own process. The analysts are threads of this process, and each asks without
a pause (`pace` 0), so on two cores the analysts slow the server down. With a pace, each analyst
waits that many seconds on average between questions, as people do.

    make bench-query
    python -m tests.bench.bench_query [questions] [--pace SECONDS]
"""

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
import numpy as np
from childlink_analytics.answering.audit_trail import QuestionsTrail
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.service import Access, serve
from childlink_analytics.settings import ServingSettings
from childlink_catalogue.catalogue import catalogue
from childlink_client import Client
from childlink_core.garbage_collection import relax_garbage_collection
from google.protobuf import empty_pb2

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


def nothing(said: Connection) -> None:
    """Answer empty calls until told to stop."""
    relax_garbage_collection()
    handler = grpc.unary_unary_rpc_method_handler(
        lambda _request, _context: empty_pb2.Empty(),
        empty_pb2.Empty.FromString,
        empty_pb2.Empty.SerializeToString,
    )
    served = grpc.server(ThreadPoolExecutor(8))
    served.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Empty", {"Call": handler}),)
    )
    said.send(served.add_insecure_port("127.0.0.1:0"))
    served.start()
    said.recv()
    served.stop(0).wait()


def call_nothing(port: int, count: int, pace: float) -> list[float]:
    """Seconds for every empty call of all analysts."""

    def connect() -> Callable[[int], object]:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        call = channel.unary_unary(
            "/bench.Empty/Call", empty_pb2.Empty.SerializeToString, empty_pb2.Empty.FromString
        )
        return lambda _number: call(empty_pb2.Empty(), timeout=30.0)

    return taken_by(connect, count, pace)


def taken_by(
    connect: Callable[[], Callable[[int], object]], count: int, pace: float
) -> list[float]:
    """Seconds for every call of all analysts, who begin together."""
    seconds: list[float] = []
    ready = threading.Barrier(ANALYSTS)

    def work(number: int) -> None:
        rng = np.random.default_rng(number)
        call, mine = connect(), []
        call(number)
        ready.wait()
        for step in range(count // ANALYSTS):
            if pace:
                time.sleep(float(rng.exponential(pace)))
            begun = time.perf_counter()
            call(number + step)
            mine.append(time.perf_counter() - begun)
        seconds.extend(mine)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(ANALYSTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seconds


def ask(port: int, count: int, pace: float) -> list[float]:
    """Seconds for every question of all analysts."""

    def connect() -> Callable[[int], object]:
        client = Client(f"127.0.0.1:{port}")
        return lambda number: client.ask(*QUESTIONS[number % len(QUESTIONS)])

    return taken_by(connect, count, pace)


def measured(
    target: Callable[..., None],
    arguments: tuple[object, ...],
    calls: Callable[[int, int, float], list[float]],
    questions: int,
    pace: float,
) -> dict[str, object]:
    """Figures of one server in a process of its own."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=target, args=(*arguments, there))
    server.start()
    port = here.recv()
    begun = time.perf_counter()
    taken = np.array(calls(port, questions, pace)) * 1000
    whole = time.perf_counter() - begun
    here.send("stop")
    server.join()
    p50, p95, p99 = (round(float(np.percentile(taken, q)), 2) for q in (50, 95, 99))
    return {
        "questions": len(taken),
        "pace_s": pace,
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "questions_a_second": round(len(taken) / whole),
    }


def main() -> None:
    """Print a line for each way of asking."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=6_000)
    parser.add_argument("--pace", type=float, nargs="*", default=[0.0, 0.2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Hub(Path(folder) / "releases", measures=_MEASURES).cut(partnership(1, 800), "r1")
        for pace in options.pace:
            empty = measured(nothing, (), call_nothing, options.questions, pace)
            print(
                json.dumps({"bench": "empty gRPC call", "analysts": ANALYSTS, **empty}), flush=True
            )
            for trail in ("", f"sqlite:///{folder}/trail.sqlite"):
                found = measured(
                    answer, (f"{folder}/releases", trail), ask, options.questions, pace
                )
                line = {
                    "bench": "query",
                    "analysts": ANALYSTS,
                    "trail": bool(trail),
                    **found,
                    "p95_times_empty": round(found["p95_ms"] / empty["p95_ms"], 2),
                }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
