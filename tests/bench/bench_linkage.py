"""Linkage quality: childlink on encodings compared with peers, on the same people in the same run.
Prints one JSON line per result.

    python -m tests.bench.bench_linkage          (everything)
    python -m tests.bench.bench_linkage --only childlink --setting no-nhs --children 3000 \
        --dump-errors errors.csv

Every system gets the same people as ingest maps them, and is scored on every record of the truth. A
record that a system does not place counts as alone. childlink gets each feed's last record of a
person; the peers get one row per person and partner, with the feeds combined. The peers are told
that a partner holds a person once (Splink's `components` uses this for pairs only); childlink is
not. childlink runs without broker and envelope, under one fixed linkage secret; another secret
changes febrl4's recall by about 0.002. With few children, the date of birth alone nearly identifies
a person; 14,028 is LEAP's scale.
"""

import argparse
import json
import sys
import time
from collections.abc import Hashable, Mapping
from pathlib import Path

from childlink_core.profiles import DEFAULT_PROFILE, PROFILES

from tests.bench import linkage_childlink, linkage_peers
from tests.bench.linkage_data import SETTINGS, Key, Population, public, second, synthetic
from tests.bench.linkage_errors import write_errors
from tests.bench.linkage_truth import summary
from tests.support.public_sets import PUBLIC_SETS

_SECOND = {"second": 1.0, "second-errors-x2": 2.0}
SETTINGS_OF_BENCH = (*SETTINGS, *_SECOND, *PUBLIC_SETS)
_SYSTEMS = ("childlink", *linkage_peers.PEERS)


def say(what: str) -> None:
    """Progress, apart from the results."""
    print(what, file=sys.stderr, flush=True)


def run_childlink(population: Population, dump: Path | None, profile_id: str) -> None:
    """Link and report; then estimate, link again and report."""
    started = time.perf_counter()
    linked = linkage_childlink.run(population, say, profile_id)
    for name in ("childlink, prior", "childlink, estimated"):
        if name != "childlink, prior":
            started = time.perf_counter()
            linked.estimate_and_relink()
        seconds, found = time.perf_counter() - started, linked.persons()
        for role in population.roles():
            report(population, name, role, seconds, found)
        certain, right = linked.certain()
        line = {"bench": "linkage-calibration", "setting": population.name, "system": name}
        share = right / certain if certain else 1.0
        print(json.dumps(line | {"pairs_at_99": certain, "right": round(share, 5)}), flush=True)
        if dump:
            pairs = write_errors(population, found, dump, name)
            print(
                json.dumps(
                    {
                        "bench": "linkage-causes",
                        "setting": population.name,
                        "system": name,
                        "pairs": pairs,
                    }
                )
            )
    linked.close()


def report(
    population: Population, name: str, role: str, seconds: float, found: Mapping[Key, Hashable]
) -> None:
    """Print a line."""
    numbered = {key for key, plain in population.plain.items() if plain.identity.nhs_number}
    keys = [key for key in population.truth if key[2] == role]
    line = {"bench": "linkage", "setting": population.name, "system": name, "role": role}
    if population.digest:
        line["sha256"] = population.digest
    line |= summary(keys, found, population.truth, numbered) | {"seconds": round(seconds, 1)}
    print(json.dumps(rounded(line)), flush=True)


def population_of(setting: str, children: int, seed: int) -> Population:
    if setting in PUBLIC_SETS:
        return public(setting)
    if setting in _SECOND:
        return second(children, seed, _SECOND[setting])
    return synthetic(setting, children, seed)


def rounded(value: object) -> object:
    """Round floats to four digits, inside dictionaries too."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--setting", action="append", choices=SETTINGS_OF_BENCH, help="default: all"
    )
    parser.add_argument("--only", action="append", choices=_SYSTEMS, help="default: all systems")
    parser.add_argument("--profile", default=DEFAULT_PROFILE, choices=PROFILES)
    parser.add_argument("--children", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--dump-errors", type=Path, help="a CSV file of wrong pairs of childlink, in plain text"
    )
    options = parser.parse_args()
    if options.dump_errors:
        options.dump_errors.unlink(missing_ok=True)
    for setting in options.setting or SETTINGS_OF_BENCH:
        say(f"{setting}: making the people")
        try:
            population = population_of(setting, options.children, options.seed)
        except FileNotFoundError as error:
            if options.setting:
                sys.exit(str(error))
            say(f"{setting} is left out. {error}")
            continue
        only = options.only or list(_SYSTEMS)
        if "childlink" in only:
            run_childlink(population, options.dump_errors, options.profile)
        for peer in linkage_peers.PEERS:
            if peer in only:
                say(f"{setting}: {peer}")
                for role, name, seconds, found in linkage_peers.run(population, peer):
                    report(population, name, role, seconds, found)


if __name__ == "__main__":
    main()
