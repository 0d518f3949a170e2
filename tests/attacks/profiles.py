"""More than a dozen profiles side by side: what a stolen store tells, what they link, how fast they
are. Prints JSON lines, and draws the plot of docs/explanation/encodings.md.

    python -m tests.attacks.profiles > rows.jsonl
    python -m tests.attacks.profiles --plot encodings.svg --rows rows.jsonl
    python -m tests.attacks.profiles --only "no district" --births 5 --blocks 1200 --seed 77

Attack: blocks of ten people without NHS numbers, edges as vectors (see `vectors`). Quality: febrl4
and children without numbers of the second made-up partnership, with the parameters that come with
childlink. Speed: records/s against clkhash in the same run, for people without numbers.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from childlink_core.keys import SecretKey
from childlink_core.profiles import Pass, Profile, get_profile
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.fields import value_of
from childlink_ingest.pseudonymise.split import Subject
from clkhash import clk
from clkhash.schema import from_json_dict

from tests.attacks.population import DOB, groups
from tests.attacks.vectors import attack_blocks, pass_channels, without_numbers
from tests.bench import linkage_childlink
from tests.bench.linkage_data import Population, public, second
from tests.bench.linkage_truth import summary

_BLOCK, _BLOCKS, _SEED = 10, 150, 31
_CHILDREN = 1_000
_ENCODED, _ROUNDS = 6_000, 3
_PLACES = ("postcode", "district")
_KEY = SecretKey("profiles", 1, b"P" * 32)


def variants() -> Iterator[tuple[str, Profile]]:
    """Profiles by name: those that come with childlink, and others that are one step away."""
    issued, dense = get_profile(), get_profile("cl-2026e-dense")
    own = issued.by_number[DOB]
    [filter_] = own.filters
    yield "cl-2026e", issued
    yield "cl-2026e-dense", dense
    yield "no filter", with_dob(issued, replace(own, filters=()))
    yield "dense, no filter", with_dob(dense, replace(dense.by_number[DOB], filters=()))
    for elements in (8, 16, 32):
        sized = replace(filter_, elements=elements, keys=min(filter_.keys, elements))
        yield f"{elements} elements", with_dob(issued, replace(own, filters=(sized,)))
    for bits in (256, 4_096):
        yield f"{bits} bits", with_dob(issued, replace(own, filters=(replace(filter_, bits=bits),)))
    for keys in (1, 16):
        yield (
            f"{keys} key{'s' if keys > 1 else ''}",
            with_dob(issued, replace(own, filters=(replace(filter_, keys=keys),))),
        )
    placeless = without(own, "district")
    yield "no district", with_dob(issued, placeless)
    short = (replace(filter_, bits=256),)
    yield "no district, 256 bits", with_dob(issued, replace(placeless, filters=short))
    yield "no letters left out", with_dob(issued, without(own, "_without_"))
    yield "no nicknames or second names", with_dob(issued, without(own, "_family", "_2", "_3"))
    yield "whole names and the filter", with_dob(issued, only(own, ("given", "surname")))
    yield (
        "the filter and the postcode",
        with_dob(issued, only(own, ("given", "surname"), ("postcode",))),
    )
    # Narrower salts: fewer people share one, and who differs in it is not compared there.
    for field in ("sex", "surname_sound", "given_sound", "district"):
        narrower = replace(own, salt=("date", field))
        yield f"salt: date and {field.replace('_', ' ')}", with_dob(issued, narrower)


def with_dob(profile: Profile, item: Pass) -> Profile:
    """The profile with another date-of-birth pass."""
    passes = tuple(item if one.number == DOB else one for one in profile.passes)
    return Profile(profile.id, passes, profile.fingerprint, profile.births_a_day)


def without(item: Pass, *words: str) -> Pass:
    """The pass without segments that name such fields."""
    kept = [s for s in item.segments if not any(word in name for name in s for word in words)]
    return replace(item, segments=tuple(kept))


def only(item: Pass, *segments: tuple[str, ...]) -> Pass:
    """The pass with these segments alone."""
    return replace(item, segments=segments)


def quality(populations: Sequence[Population], profile: Profile) -> dict[str, float]:
    """F1 on each population."""
    found = {}
    for population in populations:
        linked = linkage_childlink.run(population, profile=profile)
        keys = [key for key in population.truth if key[2] == "child"]
        found[population.name] = summary(keys, linked.persons(), population.truth, set())["f1"]
        linked.close()
    return found


def speed(subjects: Sequence[Subject], profile: Profile) -> float:
    """Times clkhash, the median of several rounds."""
    schema_of = get_profile("clk-2026a").clk_pass
    assert schema_of and schema_of.clk
    schema = from_json_dict(json.loads(schema_of.clk.schema))
    values = [[value_of(s, name) for name in schema_of.clk.fields] for s in subjects]
    theirs = partial(clk.generate_clks, values, schema, "secret", max_workers=1)
    ratios = []
    for _ in range(_ROUNDS):
        ours = partial(Encoder(profile, _KEY).encode_to_bytes, subjects)
        ratios.append(_seconds(theirs) / _seconds(ours))
    return statistics.median(ratios)


def _seconds(run: partial[object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw a row for each profile: gain with its interval, F1 on both sets, and speed."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "childlink"
    ordered = sorted(rows, key=lambda row: (row["f1"], row["profile"]))
    height = range(len(ordered))
    colours = ["#00527a" if row["profile"].startswith("cl-") else "#8a8a8a" for row in ordered]
    figure, panels = plt.subplots(
        1, 3, sharey=True, figsize=(11, 0.36 * len(rows) + 1.6), width_ratios=[3, 3, 2]
    )
    gain, quality_, speed_ = panels
    for at, row, colour in zip(height, ordered, colours, strict=True):
        gain.errorbar(row["gain"], at, xerr=1.96 * row["error"], fmt="o", color=colour)
        quality_.plot(row["f1"], at, "o", color=colour)
        quality_.plot(row["f1_second"], at, "D", color=colour, fillstyle="none")
        speed_.plot(row["speed"], at, "o", color=colour)
    gain.axvline(0, color="#cccccc", zorder=0)
    gain.set_xlabel("what a stolen store tells:\npoints above guessing, 95% interval")
    quality_.set_xlabel("F1: febrl4 (dots),\nmade-up children without numbers (diamonds)")
    speed_.set_xlabel("encoding speed,\ntimes clkhash")
    gain.set_yticks(list(height), [row["profile"] for row in ordered])
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(axis="y", color="#eeeeee")
    figure.suptitle(
        "Profiles for people without an NHS number, ten births a day", x=0.02, ha="left"
    )
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", help="names of profiles; default: all")
    parser.add_argument("--births", type=int, default=_BLOCK, help="people a block")
    parser.add_argument("--blocks", type=int, default=_BLOCKS)
    parser.add_argument("--seed", type=int, default=_SEED, help="of the people attacked")
    parser.add_argument("--plot", type=Path, help="draw --rows, and measure nothing")
    parser.add_argument("--rows", type=Path)
    options = parser.parse_args()
    if options.plot:
        lines = options.rows.read_text(encoding="utf-8").splitlines()
        plot([json.loads(text) for text in lines], options.plot)
        return
    blocks = without_numbers(groups(options.births, options.blocks, options.seed))
    world = second(_CHILDREN, 7)
    bare = {
        key: replace(s, identity=replace(s.identity, nhs_number=""))
        for key, s in world.subjects.items()
    }
    populations = [public("febrl4"), replace(world, subjects=bare)]
    subjects = list(bare.values())[:_ENCODED]
    for name, profile in variants():
        if options.only and name not in options.only:
            continue
        rate = attack_blocks(blocks, pass_channels(profile, DOB))
        scores = quality(populations, profile)
        row: dict[str, float | str] = {
            "profile": name,
            "gain": rate.gain,
            "error": rate.error,
            "most": rate.most,
            "sure": rate.sure,
            "f1": scores["febrl4"],
            "f1_second": scores["second"],
            "speed": speed(subjects, profile),
        }
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}
        print(json.dumps({"attack": "profiles", **rounded}), flush=True)


if __name__ == "__main__":
    main()
