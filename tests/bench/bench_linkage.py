"""Linkage quality: childlink on encodings beside peers, on the same people in the same run. Prints a JSON line a result.

python -m tests.bench.bench_linkage                              everything
python -m tests.bench.bench_linkage --only childlink --setting no-nhs --children 3000 --dump-errors errors.csv
"""

import argparse
import json
import sys
import time
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

from tests.bench import linkage_childlink
from tests.bench.linkage_data import FEBRL4, SETTINGS, Key, Population, febrl4, synthetic
from tests.bench.linkage_truth import summary

_SYSTEMS = ("childlink",)


def say(what: str) -> None:
    """Progress, beside the results."""
    print(what, file=sys.stderr, flush=True)


def systems(population: Population, only: list[str]) -> Iterator[tuple[str, float, Mapping[Key, Hashable]]]:
    """Each system's name, seconds, and groups of records."""
    if "childlink" in only:
        started = time.perf_counter()
        linked = linkage_childlink.run(population, say)
        yield "childlink, prior", time.perf_counter() - started, linked.persons()
        started = time.perf_counter()
        linked.estimate_and_relink()
        yield "childlink, estimated", time.perf_counter() - started, linked.persons()
        linked.close()


def report(population: Population, name: str, seconds: float, found: Mapping[Key, Hashable]) -> None:
    """Print a line for each role."""
    numbered = {key for key, plain in population.plain.items() if plain.identity.nhs_number}
    for role in population.roles():
        keys = [key for key in population.truth if key[2] == role]
        line = {"bench": "linkage", "setting": population.name, "system": name, "role": role}
        line |= summary(keys, found, population.truth, numbered) | {"seconds": round(seconds, 1)}
        print(json.dumps(rounded(line)), flush=True)


def rounded(value: object) -> object:
    """Floats at four digits, inside dictionaries too."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setting", action="append", choices=[*SETTINGS, FEBRL4], help="default: all")
    parser.add_argument("--only", action="append", choices=_SYSTEMS, help="default: all systems")
    parser.add_argument("--children", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dump-errors", type=Path, help="a CSV file of wrong pairs of childlink, in plain text")
    options = parser.parse_args()
    for setting in options.setting or [*SETTINGS, FEBRL4]:
        say(f"{setting}: making the people")
        population = febrl4() if setting == FEBRL4 else synthetic(setting, options.children, options.seed)
        for name, seconds, found in systems(population, options.only or list(_SYSTEMS)):
            report(population, name, seconds, found)


if __name__ == "__main__":
    main()
