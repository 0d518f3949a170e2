"""Test coverage by room, and the floor that each room must keep: `python tools/coverage_floors.py
REPORT`.

The floors are in `coverage_floors.toml`, beside this file, and only rise. `--raise` replaces each
floor by today's coverage if that is higher.
"""

import json
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Final

FLOORS: Final = Path(__file__).with_suffix(".toml")


def by_room(report: Path) -> dict[str, float]:
    """Share of lines and branches covered, in percent, by source folder."""
    files = json.loads(report.read_text())["files"]
    reached: dict[str, int] = defaultdict(int)
    there: dict[str, int] = defaultdict(int)
    for name, content in files.items():
        room = room_of(name)
        if room is None:
            continue
        summary = content["summary"]
        reached[room] += summary["covered_lines"] + summary.get("covered_branches", 0)
        there[room] += summary["num_statements"] + summary.get("num_branches", 0)
    return {room: 100 * reached[room] / there[room] for room in sorted(there) if there[room]}


def room_of(name: str) -> str | None:
    """The room of a source file: its package and the folder inside it. None if the file is not
    source.

    >>> room_of("services/linker/src/childlink_linker/matching/block.py")
    'childlink_linker/matching'
    >>> room_of("services/linker/src/childlink_linker/app.py")
    'childlink_linker'
    """
    parts = Path(name).parts
    if "src" not in parts or "migrations" in parts:
        return None
    package, *inside = parts[parts.index("src") + 1 :]
    return f"{package}/{inside[0]}" if len(inside) > 1 else package


def main(report: Path, *, raise_floors: bool) -> int:
    """Print a table. Returns 1 if a room is below its floor, otherwise 0."""
    floors = tomllib.loads(FLOORS.read_text()) if FLOORS.exists() else {}
    found = by_room(report)
    below = [room for room, share in found.items() if share < floors.get(room, 0)]
    for room, share in found.items():
        sys.stdout.write(
            f"{room:48}{share:7.1f}%   floor"
            f" {floors.get(room, 0):3d}%{'   BELOW' if room in below else ''}\n"
        )
    if raise_floors:
        kept = {room: max(floors.get(room, 0), int(share)) for room, share in found.items()}
        FLOORS.write_text("".join(f'"{room}" = {floor}\n' for room, floor in kept.items()))
    if below:
        sys.stderr.write(
            f"Coverage fell below the floor in: {', '.join(below)}. Add tests for the new code"
            " there.\n"
        )
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), raise_floors="--raise" in sys.argv))
