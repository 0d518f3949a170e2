"""How alike the CLKs of one person, of relatives and of strangers are, on a made-up partnership.
`matching/similarity.py` of the linker holds what this prints, smoothed.

    python -m tests.bench.clk_likelihoods [children] [--world second]
"""

import argparse
import json
from collections import defaultdict

import numpy as np
from childlink_core.keys import SecretKey
from childlink_core.profiles import get_profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_linker.matching.similarity import LEVELS, codes_of

from tests.bench.linkage_data import Population, second, synthetic

_ROWS_AT_A_TIME = 500


def tallies(population: Population, role: str) -> dict[str, np.ndarray]:
    """Pairs of records of different sources, by kind and band of their similarity."""
    subjects, persons, mothers, sources = [], [], [], []
    for (partner, facet, reference), subject in population.subjects.items():
        key = population.keys[partner, reference]
        if subject.role == role and key in population.truth:
            subjects.append(subject)
            persons.append(population.truth[key].person)
            mothers.append(population.truth[key].mother or f"none of {key}")
            sources.append(facet)
    encoder = Encoder(get_profile("clk-2026a"), SecretKey("likelihoods", 1, b"l" * 32))
    made = [r.passes[0].bloom_filters if r.passes else b"" for r in encoder.encode(subjects)]
    at = [number for number, clk in enumerate(made) if clk]
    bits = np.unpackbits(
        np.frombuffer(b"".join(made[n] for n in at), dtype=np.uint8).reshape(len(at), -1), axis=1
    ).astype(np.float32)
    person, mother, source = (
        np.unique([values[n] for n in at], return_inverse=True)[1]
        for values in (persons, mothers, sources)
    )
    size = bits.sum(axis=1)
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(LEVELS, dtype=np.int64))
    for start in range(0, len(at), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        dice = 2 * (bits[rows] @ bits.T) / (size[rows, None] + size)
        later = np.arange(len(at)) > np.arange(len(at))[rows, None]
        across = later & (source[rows, None] != source)
        same = person[rows, None] == person
        kin = (mother[rows, None] == mother) & ~same
        for kind, chosen in (("match", same), ("relative", kin), ("other", ~same & ~kin)):
            codes = codes_of(dice[across & chosen].astype(float))
            found[kind] += np.bincount(codes, minlength=LEVELS)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("children", type=int, nargs="?", default=2_000)
    parser.add_argument("--world", choices=("first", "second"), default="first")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    population = (
        second(options.children, options.seed)
        if options.world == "second"
        else synthetic("usual", options.children, options.seed)
    )
    for role in population.roles():
        for kind, counts in tallies(population, role).items():
            shares = counts[1:] / max(counts.sum(), 1)
            line = {"bench": "clk-likelihoods", "role": role, "kind": kind}
            line |= {"pairs": int(counts.sum()), "shares": [float(f"{x:.3g}") for x in shares]}
            print(json.dumps(line))


if __name__ == "__main__":
    main()
