"""How much of a mapping `map` gets right, against mappings that people wrote by hand.

    python -m tests.bench.bench_mapping
    python -m tests.bench.bench_mapping --folder FOLDER   # more extracts: x.csv beside its x.toml

The extracts are those of the demo's partnership and of the second generator. For each column of the
contract that the hand mapping has, the proposal is

* right: the same columns of the extract, and dates that read alike;
* asked: not proposed, or proposed with a question;
* wrong in silence: another column, and no question.

A column that only the proposal has counts as wrong in silence if no question names it, unless it is
the sex as an attribute, or the status of a number. Prints a line
of JSON for each extract, and one for all.
"""

import argparse
import json
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from childlink_ingest.app import load_mapping
from childlink_ingest.mapping.dates import parse_date
from childlink_ingest.mapping.definition import Column, Mapping
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.proposing.propose import propose
from childlink_ingest.proposing.recipe import NO_RECIPE, known_recipes, recognised
from childlink_ingest.proposing.survey import survey
from childlink_ingest.readers import Source, read_ends
from childlink_ingest.readers.sniff import sniff
from childlink_local.demo import find_extracts
from childlink_local.synth import synthesise

from tests.bench.second_world import generate


def extracts(folder: Path, more: Path | None) -> Iterator[tuple[str, Path, Path]]:
    """Name, extract and hand mapping."""
    first, second = folder / "first", folder / "second"
    for made in (first, second):
        made.mkdir()
    synthesise(first, 7, 400)
    for item in find_extracts(first):
        yield f"demo {item.partner} {item.path.stem}", item.path, item.mapping
    generate(second, 400, 7, 1.0)
    for mapping in sorted(second.rglob("*.toml")):
        for path in sorted(mapping.parent.glob(f"{mapping.stem}.*")):
            if path != mapping:
                yield f"second {path.stem}", path, mapping
    for mapping in sorted(more.rglob("*.toml") if more else ()):
        for path in sorted(mapping.parent.glob(f"{mapping.stem}.*")):
            if path != mapping:
                yield f"more {path.parent.name} {path.stem}", path, mapping


def judge(extract: Path, hand: Mapping) -> dict[str, list[str]]:
    """Columns of the contract, by how well `map` did."""
    found = sniff(extract)
    source = Source(found.encoding, found.delimiter, hand.source.sheet)
    first, last = read_ends(extract, source, 5_000, 20)
    seen = survey(first, last)
    recipe = recognised(seen.header, hand.dataset.name, known_recipes()) or NO_RECIPE
    proposal = propose(seen.header, seen.rows, hand.dataset, seen.options, seen.odd, recipe)
    content = tomllib.loads(proposal.text)
    asked = " ".join([*seen.questions, *proposal.questions])
    proposed = _columns(proposal.text, content)
    result: dict[str, list[str]] = {"right": [], "asked": [], "wrong": []}
    for name, column in hand.columns.items():
        other = proposed.get(name)
        same = other is not None and _same(column, other, seen.rows)
        if name == "row_id" and other is not None:
            ids = [tuple(row[part] for part in other.columns) for row in seen.rows]
            same = len(set(ids)) == len(ids) and set(other.columns) <= set(column.columns)
        if same:
            result["right"].append(name)
        elif other is None or f"{name}:" in asked or f"{name} and" in asked:
            result["asked"].append(name)
        else:
            result["wrong"].append(name)
    extra = {
        name
        for name in set(proposed) - set(hand.columns) - {"sex"}
        if not name.endswith("_nhs_number_status")
    }
    result["wrong"] += sorted(name for name in extra if f"{name}:" not in asked)
    return result


def _columns(text: str, content: dict[str, object]) -> dict[str, Column]:
    columns = content["columns"]
    assert isinstance(columns, dict)
    # Proposals may lack required columns, which a mapping must have.
    found = {}
    for name, entry in columns.items():
        lines = f"dataset = {json.dumps(content['dataset'])}\n"
        try:
            one = {**{"row_id": "x", "child_id": "x", "adult_id": "x"}, name: entry}
            found[name] = _parse_alone(lines, one, str(content["dataset"]))[name]
        except KeyError:
            continue
    return found


def _parse_alone(lines: str, entries: dict[str, object], dataset: str) -> dict[str, Column]:
    from childlink_catalogue.catalogue import get_dataset

    contract = get_dataset(dataset)
    known = {name: entry for name, entry in entries.items() if name in contract.columns}
    for field in contract.fields:
        if field.required:
            known.setdefault(field.name, "x")
    body = "\n".join(f"{name} = {_toml(entry)}" for name, entry in known.items())
    return dict(parse_mapping(f"{lines}[columns]\n{body}\n", "proposal").columns)


def _toml(entry: object) -> str:
    if isinstance(entry, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in entry.items()) + " }"
    if isinstance(entry, list):
        return "[" + ", ".join(map(_toml, entry)) + "]"
    return json.dumps(entry, ensure_ascii=False)


def _same(hand: Column, other: Column, rows: list[dict[str, str]]) -> bool:
    if hand.columns != other.columns:
        return False
    if not hand.formats or not other.formats:
        return True
    texts = ["|".join(row.get(name, "") for name in hand.columns) for row in rows[:200]]
    read = [(parse_date(t, hand.formats), parse_date(t, other.formats)) for t in texts]
    return all(one is None or one == two for one, two in read)


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="more extracts, each beside its mapping")
    options = parser.parse_args()
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for title, extract, mapping in extracts(Path(name), options.folder):
            found = judge(extract, load_mapping(mapping))
            total.update({kind: len(names) for kind, names in found.items()})
            print(json.dumps({"extract": title, **found}), flush=True)
    columns = total.total()
    shares = {f"{kind}_share": round(count / columns, 3) for kind, count in total.items()}
    print(json.dumps({"extract": "all", "columns": columns, **total, **shares}), flush=True)


if __name__ == "__main__":
    main()
