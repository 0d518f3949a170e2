"""Whether `childlink-linker missed` is right: what it estimates without truth, beside the truth.
Prints one JSON line per partner and role, and one for each setting.

    make bench-missed
    python -m tests.bench.bench_missed --setting second-errors-x2 --seed 1 --seed 2

`estimated` is the share of people without a number whom the linker would miss, as measured on those
with one. `true` is the share of people without a number, known to another partner as well, who were
linked with none of that partner's records. `agree`: the 95% interval of their difference (Newcombe
1998) holds 0.
"""

import argparse
import json
from collections import defaultdict

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_analytics.answering import estimates
from childlink_linker.relinking.missed import Missed, missed_links
from childlink_linker.store.store import Store

from tests.bench import linkage_childlink
from tests.bench.bench_linkage import population_of, rounded
from tests.bench.linkage_data import SETTINGS, Population

_ROLES = {wire.ROLE_CHILD: "child", wire.ROLE_ADULT: "adult"}
_SETTINGS = (*SETTINGS, "second", "second-errors-x2")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setting", action="append", choices=_SETTINGS)
    parser.add_argument("--seed", action="append", type=int)
    parser.add_argument("--children", type=int, default=1_500)
    parser.add_argument("--sample", type=int, default=300)
    options = parser.parse_args()
    settings = options.setting or ["nhs-x0.5-errors-x2", "second", "second-errors-x2"]
    for setting in settings:
        measured = agreed = 0
        expected = actual = 0.0
        for seed in options.seed or [1]:
            population = population_of(setting, options.children, seed)
            linked = linkage_childlink.run(population)
            truth = missed_in_truth(population, linked.persons())
            with linked.engine.begin() as tx:
                store = Store(tx, linkage_childlink._VAULT)
                found = missed_links(store, linked.profile, linked.parameters, options.sample)
            linked.close()
            for item in found:
                of, missed = truth.get((item.partner, _ROLES[item.role]), (0, 0))
                if not item.tested or not of:
                    continue
                line = _line(item, of, missed)
                print(json.dumps(rounded({"setting": setting, "seed": seed, **line})), flush=True)
                measured += 1
                agreed += bool(line["agree"])
                expected += line["estimated"] * of
                actual += missed
        whole = {"setting": setting, "groups": measured, "agree": agreed}
        print(json.dumps(rounded(whole | {"expected": expected, "missed": actual})), flush=True)


def _line(item: Missed, of: int, missed: int) -> dict[str, object]:
    share, low, high = (end / (1.0 - item.numbered) for end in item.share)
    return {
        "partner": item.partner,
        "role": _ROLES[item.role],
        "numbered": item.numbered,
        "tested": item.tested,
        "estimated": share,
        "low": low,
        "high": high,
        "true": missed / of,
        "of": of,
        "agree": _agree((item.missed, item.tested), (missed, of)),
        "wrong": item.wrong,
    }


def _agree(one: tuple[int, int], other: tuple[int, int]) -> bool:
    shares = [part / of for part, of in (one, other)]
    figured = [
        (share, *estimates.of_share(part, of - part, 0.0, 0.0))
        for share, (part, of) in zip(shares, (one, other), strict=True)
    ]
    found = estimates.difference_of(*figured)
    return found.low <= 0.0 <= found.high


def missed_in_truth(population: Population, found: dict) -> dict[tuple[str, str], tuple[int, int]]:
    """For each partner and role: people without a number whom another partner knows, and those of
    them who are linked with none of its records.
    """
    records = defaultdict(list)
    for key, person in population.truth.items():
        records[person.person, key[2]].append(key)
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for keys in records.values():
        for key in keys:
            elsewhere = [other for other in keys if other[0] != key[0] and other in found]
            plain = population.plain.get(key)
            if key not in found or not elsewhere or not plain or plain.identity.nhs_number:
                continue
            counts[key[0], key[2]][0] += 1
            counts[key[0], key[2]][1] += all(found[other] != found[key] for other in elsewhere)
    return {group: (of, missed) for group, (of, missed) in counts.items()}


if __name__ == "__main__":
    main()
