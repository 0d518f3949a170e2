"""CLKs end to end, beside clkhash and anonlink: the same people, values, schema, secret and CLKs.
Prints one JSON line per result.

    make bench-clk
    python -m tests.bench.bench_clk [--setting febrl4] [--profile clk-2026a]

clkhash makes every CLK again and the two are compared bit for bit. Every similarity that anonlink
gives is compared with the linker's. Both systems are scored on every record of the truth. anonlink
is told that a source holds a person once; childlink is not.
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.profiles import CLK_PROFILES, get_profile
from childlink_ingest.pseudonymise.encoder import clk_secret
from childlink_ingest.pseudonymise.fields import value_of
from childlink_linker.linking.intake import TokenHasher, hashed_again
from childlink_linker.matching.encodings import from_rows
from childlink_linker.matching.similarity import dice

from tests.bench import linkage_childlink, linkage_peers
from tests.bench.bench_linkage import SETTINGS_OF_BENCH, population_of, rounded
from tests.bench.linkage_data import Population
from tests.bench.linkage_truth import summary

_PEER = Path(__file__).with_name("peer_same_clks.py")


def line(**values: object) -> None:
    """Print a result."""
    print(json.dumps(rounded({"bench": "clk", **values})), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setting", default="febrl4", choices=SETTINGS_OF_BENCH)
    parser.add_argument("--profile", default=CLK_PROFILES[0], choices=CLK_PROFILES)
    parser.add_argument("--children", type=int, default=1_500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    population = population_of(options.setting, options.children, options.seed)
    for role in population.roles():
        beside_anonlink(population, role, options.profile)
    by_childlink(population, options.profile)


def by_childlink(population: Population, profile_id: str) -> None:
    """Link through the linker, and report; then with estimated parameters."""
    started = time.perf_counter()
    linked = linkage_childlink.run(population, profile_id=profile_id)
    for name in ("childlink, prior", "childlink, estimated"):
        if name != "childlink, prior":
            linked.estimate_and_relink()
        seconds, found = time.perf_counter() - started, linked.persons()
        for role in population.roles():
            score(population, name, role, found, seconds)
    linked.close()


def beside_anonlink(population: Population, role: str, profile_id: str) -> None:
    """Compare CLKs and similarities, and report anonlink's groups."""
    profile = get_profile(profile_id)
    item = profile.clk_pass
    assert item and item.clk
    sources = defaultdict(list)
    records: list[wire.EncodedRecord] = []
    for batch in linkage_childlink.encode(population, profile):
        for record in wire.EncodedBatch.FromString(batch.payload).records:
            key = population.keys[batch.sender, record.link_reference]
            if key[2] == role and record.passes:
                sources[batch.sender, record.facet].append((key, record))
                records.append(record)
    subjects = {
        (partner, facet, reference): subject
        for (partner, facet, reference), subject in population.subjects.items()
    }
    given = {
        "schema": json.loads(item.clk.schema),
        "secret": clk_secret(linkage_childlink.LINKAGE).decode(),
        "sources": [
            {
                "values": [
                    [
                        value_of(subjects[partner, facet, record.link_reference], name)
                        for name in item.clk.fields
                    ]
                    for _, record in held
                ],
                "clks": [
                    base64.b64encode(record.passes[0].bloom_filters).decode() for _, record in held
                ],
            }
            for (partner, facet), held in sources.items()
        ],
    }
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        asked, answer = Path(name) / "in.json", Path(name) / "out.json"
        asked.write_text(json.dumps(given))
        subprocess.run(
            [linkage_peers.python(), "-W", "ignore", _PEER, asked, answer],
            check=True,
            stdout=sys.stderr,
        )
        said = json.loads(answer.read_text())
    seconds = time.perf_counter() - started
    line(
        what="CLKs the same as clkhash's",
        setting=population.name,
        role=role,
        of=len(records),
        same=said["same"],
    )
    ordered = [record for held in sources.values() for _, record in held]
    starts = np.cumsum([0, *(len(held) for held in sources.values())])
    # The linker's similarity, from stored rows. A salt would leave out pairs, so all get one token.
    for record in ordered:
        record.passes[0].block_token = bytes(16)
    rows = hashed_again(ordered, 1, profile, TokenHasher(b"t" * 32))
    pairs = np.array([[starts[a] + i, starts[b] + j] for _, a, i, b, j in said["pairs"]])
    theirs = np.array([pair[0] for pair in said["pairs"]])
    ours = dice(from_rows(rows, profile), pairs[:, 0], pairs[:, 1], profile)
    line(
        what="similarities the same as anonlink's",
        setting=population.name,
        role=role,
        of=len(theirs),
        greatest_difference=float(np.abs(ours - theirs).max()),
    )
    keys = [[key for key, _ in held] for held in sources.values()]
    for threshold, groups in said["groups"].items():
        found = {keys[a][i]: number for number, group in enumerate(groups) for a, i in group}
        score(population, f"anonlink, greedy at {threshold}", role, found, seconds)


def score(population: Population, name: str, role: str, found: object, seconds: float) -> None:
    """Print a line of a system's score."""
    keys = [key for key in population.truth if key[2] == role]
    result = summary(keys, found, population.truth, set())  # type: ignore[arg-type]
    wanted = ("false_pairs", "missed_pairs", "precision", "recall", "f1")
    line(
        what=name,
        setting=population.name,
        role=role,
        **{what: result[what] for what in wanted},
        seconds=seconds,
    )


if __name__ == "__main__":
    main()
