"""How long commands take to start: processor seconds of each command's `--help`.

    python -m tests.bench.bench_startup [RUNS]

One JSON line a command: median of the runs, and its ratio to an empty Python in the same run. What
every command pays is imports, so this counts processor time of the whole process, not wall time:
machines here are shared.
"""

import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

BIN: Final = Path(sys.executable).parent
PROGRAMS: Final = {
    "childlink": "childlink_client.cli",
    "childlink-ingest": "childlink_ingest.cli",
    "childlink-linker": "childlink_linker.cli",
    "childlink-analytics": "childlink_analytics.cli",
    "childlink-local": "childlink_local.cli",
    "childlink-ops": "childlink_ops.cli",
}
GOAL_S: Final = 0.4


def commands(module: str) -> Iterator[tuple[str, ...]]:
    """Every command of a program, and the program itself, by the words after its name."""
    main = __import__(module, fromlist=["main"]).main
    waiting: list[tuple[tuple[str, ...], click.Command]] = [((), main)]
    while waiting:
        words, command = waiting.pop(0)
        yield words
        if isinstance(command, click.Group):
            waiting += [((*words, name), inner) for name, inner in sorted(command.commands.items())]


def processor_s(command: Sequence[str | Path]) -> float:
    """Processor seconds of one run of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(runs: int) -> None:
    """Measure, and print."""
    empty = statistics.median(processor_s([sys.executable, "-c", "pass"]) for _ in range(runs))
    slowest = 0.0
    for program, module in PROGRAMS.items():
        for words in commands(module):
            asked = [BIN / program, *words, "--help"]
            seconds = statistics.median(processor_s(asked) for _ in range(runs))
            slowest = max(slowest, seconds)
            line = {
                "command": " ".join((program, *words)),
                "processor_s": round(seconds, 3),
                "times_an_empty_python": round(seconds / empty, 1),
            }
            print(json.dumps(line))
    print(
        json.dumps(
            {"slowest_s": round(slowest, 3), "goal_s": GOAL_S, "empty_python_s": round(empty, 3)}
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
