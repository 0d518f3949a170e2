"""anonlink's brute force: pairs a second on one core, and its recall at the best of its thresholds
(chosen with the truth).

Runs in the peers' own environment: `python peer_scale.py people.csv`. Prints one JSON line.
"""

import csv
import json
import sys
import time

import anonlink
import peer_clk
from clkhash import clk


def main() -> None:
    by_partner: dict[str, list[dict[str, str]]] = {}
    with open(sys.argv[1], newline="") as file:  # noqa: PTH123
        for row in csv.DictReader(file):
            by_partner.setdefault(row["partner"], []).append(row)
    people = [by_partner[partner] for partner in sorted(by_partner)]
    bits = {"given": 200, "surname": 200, "dob": 200, "sex": 40, "postcode": 200}
    fields = ("given", "surname", "dob", "sex", "postcode")
    keys = [
        clk.generate_clks(
            [[row[f] for f in fields] for row in rows],
            peer_clk.schema(bits),
            "bench",
            False,
            max_workers=1,
        )
        for rows in people
    ]
    started = time.perf_counter()
    anonlink.candidate_generation.find_candidate_pairs(
        keys, anonlink.similarities.dice_coefficient, 0.8, k=8
    )
    rate = len(people[0]) * len(people[1]) / (time.perf_counter() - started)
    pairs = peer_clk.candidates(people, keys)
    best = (0.0, 0.0, 0.0)
    for threshold in peer_clk.THRESHOLDS:
        groups = peer_clk.solve(pairs, threshold, anonlink.solving.greedy_solve)
        found = [{people[a][i]["person"] for a, i in group} for group in groups if len(group) == 2]
        right = sum(len(group) == 1 for group in found)
        recall, precision = right / len(people[0]), right / max(1, len(found))
        best = max(best, (2 * right / (len(people[0]) + len(found)), recall, precision))
    print(json.dumps({"pairs_per_s": rate, "f1": best[0], "recall": best[1], "precision": best[2]}))


if __name__ == "__main__":
    main()
