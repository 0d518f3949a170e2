"""The use case of `watch`: run each complete file of a folder once, then move it.

It stops between two extracts:

    inbox/births.csv  -> done/2026-11-24T023000-births.csv
    inbox/broken.csv  -> failed/2026-11-24T023000-broken.csv
                         failed/2026-11-24T023000-broken.csv.why.txt

A mapping names its files (`files = "births*.csv"`). Several mappings may name one workbook, if each
is for another sheet. A query (.sql) stays in the inbox, and runs daily at its mapping's `schedule`.
A mapping that cannot be used stops its own extracts only.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

import structlog
from childlink_core.errors import UserError

from childlink_ingest.app import load_mapping
from childlink_ingest.errors import MappingError

log = structlog.get_logger()

Run = Callable[[Path, Path], int]


@dataclass(frozen=True)
class _Rule:
    """Which files a mapping is for."""

    pattern: str
    schedule: str
    sheet: str


@dataclass
class Watcher:
    """A watched folder."""

    folder: Path
    mappings: Path
    run: Run
    """Runs (extract, mapping file), and returns the run's id."""
    settle_s: float = 10.0
    """A file is complete if its size and time did not change for this many seconds."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with the mappings, as of the last step."""
    _seen: dict[Path, tuple[int, int, float]] = field(default_factory=dict)

    def step(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
        """Run the extracts that are complete and due. Returns their number."""
        rules = self._rules()
        done = 0
        for path in self._files():
            if stop():
                break
            mappings = self._mappings_of(path, rules)
            if not mappings and self.problems:
                # It may belong to a mapping that cannot be read, so it waits.
                continue
            if path.suffix.lower() == ".sql":
                due = bool(mappings) and self._is_due(path, rules[mappings[0]].schedule, now)
            else:
                due = self._is_complete(path, now)
            if due:
                self._take(path, mappings, now)
                done += 1
        return done

    def _rules(self) -> dict[Path, "_Rule"]:
        rules = {}
        problems = []
        for file in sorted(self.mappings.glob("*.toml")):
            try:
                mapping = load_mapping(file)
            except UserError as error:
                problems.append(f"{file.name}: {error.render()}")
                continue
            if mapping.files:
                rules[file] = _Rule(mapping.files, mapping.schedule, mapping.source.sheet)
        if not rules and not problems:
            nothing = MappingError(
                f"No mapping in {self.mappings} names its files.",
                'Add files = "births*.csv" to each mapping.',
            )
            problems.append(nothing.render())
        self.problems = problems
        return rules

    def _files(self) -> Sequence[Path]:
        inbox = self.folder / "inbox"
        inbox.mkdir(parents=True, exist_ok=True)
        found = sorted(
            path
            for path in inbox.iterdir()
            if path.is_file() and not path.name.startswith((".", "~"))
        )
        self._seen = {path: state for path, state in self._seen.items() if path in found}
        return [
            path for path in found if path.suffix.lower() not in (".part", ".tmp", ".crdownload")
        ]

    @staticmethod
    def _mappings_of(path: Path, rules: dict[Path, "_Rule"]) -> list[Path]:
        """The mapping of a file, or those of a workbook's sheets. Empty if that is not clear."""
        fitting = [
            file for file, rule in rules.items() if fnmatch(path.name.lower(), rule.pattern.lower())
        ]
        sheets = {rules[file].sheet for file in fitting}
        return fitting if len(sheets) == len(fitting) else []

    def _is_complete(self, path: Path, now: datetime) -> bool:
        state = path.stat()
        before = self._seen.get(path)
        if before is None or before[:2] != (state.st_size, state.st_mtime_ns):
            self._seen[path] = (state.st_size, state.st_mtime_ns, now.timestamp())
            return self.settle_s == 0
        return now.timestamp() - before[2] >= self.settle_s

    def _is_due(self, path: Path, schedule: str, now: datetime) -> bool:
        ran = self._schedule().get(path.name, "")
        return bool(schedule) and f"{now:%H:%M}" >= schedule and ran < f"{now:%Y-%m-%d}"

    def _schedule(self) -> dict[str, str]:
        file = self.folder / "schedule.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def _take(self, path: Path, mappings: Sequence[Path], now: datetime) -> None:
        # A query is tried once a day, even if it fails. A file is moved in either case.
        if path.suffix.lower() == ".sql":
            ran = self._schedule() | {path.name: f"{now:%Y-%m-%d}"}
            (self.folder / "schedule.json").write_text(json.dumps(ran), encoding="utf-8")
        failures = []
        if not mappings:
            unclear = MappingError(
                "No mapping, or more than one for the same sheet, matches this file name.",
                "Correct the `files` of the mappings.",
            )
            failures.append(unclear.render())
        for mapping in mappings:
            try:
                run_id = self.run(path, mapping)
            except UserError as error:
                log.warning("extract failed", path=path.name, error_type=type(error).__name__)
                of_sheet = f"{mapping.name}: " if len(mappings) > 1 else ""
                failures.append(of_sheet + error.render())
            else:
                log.info("extract queued", path=path.name, run=run_id)
        self._put_away(path, "failed" if failures else "done", now, "\n".join(failures))

    def _put_away(self, path: Path, where: str, now: datetime, why: str = "") -> None:
        target = self.folder / where / f"{now:%Y-%m-%dT%H%M%S}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() != ".sql":
            shutil.move(path, target)
        if why:
            target.with_name(target.name + ".why.txt").write_text(why + "\n", encoding="utf-8")
        self._seen.pop(path, None)
