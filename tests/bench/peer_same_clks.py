"""clkhash and anonlink on childlink's own values, schema, secret and CLKs.

Runs in the peers' own environment: `python peer_same_clks.py in.json out.json`. Says how many CLKs
clkhash makes the same, what similarity anonlink gives each pair, and anonlink's groups.
"""

import base64
import json
import sys
import warnings

warnings.simplefilter("ignore")
import anonlink  # noqa: E402
from bitarray import bitarray  # noqa: E402
from clkhash import clk  # noqa: E402
from clkhash.schema import from_json_dict  # noqa: E402

THRESHOLDS = (0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def main() -> None:
    with open(sys.argv[1]) as file:  # noqa: PTH123
        given = json.load(file)
    schema = from_json_dict(given["schema"])
    same, of_sources = 0, []
    for source in given["sources"]:
        made = clk.generate_clks(source["values"], schema, given["secret"], max_workers=1)
        ours = []
        for text, theirs in zip(source["clks"], made, strict=True):
            bits = bitarray(endian="big")
            bits.frombytes(base64.b64decode(text))
            same += bits == theirs
            ours.append(bits)
        of_sources.append(ours)
    found = anonlink.candidate_generation.find_candidate_pairs(
        of_sources, anonlink.similarities.dice_coefficient, min(THRESHOLDS)
    )
    pairs = [
        [float(s), int(a), int(i), int(b), int(j)]
        for s, a, b, i, j in zip(found[0], *found[1], *found[2], strict=True)
    ]
    groups = {}
    for threshold in THRESHOLDS:
        kept = anonlink.candidate_generation.find_candidate_pairs(
            of_sources, anonlink.similarities.dice_coefficient, threshold
        )
        groups[threshold] = [
            [[int(a), int(i)] for a, i in group] for group in anonlink.solving.greedy_solve(kept)
        ]
    with open(sys.argv[2], "w") as file:  # noqa: PTH123
        json.dump({"same": same, "pairs": pairs, "groups": groups}, file)


if __name__ == "__main__":
    main()
