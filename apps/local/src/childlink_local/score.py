"""Scores links against truth: pairwise precision, recall and F1 within a role, as in the
record-linkage literature.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from childlink_core.errors import UserError


@dataclass(frozen=True)
class Score:
    """Pairwise quality of one role."""

    role: str
    subjects: int
    persons: int
    true_persons: int
    precision: float
    recall: float
    unsent: int = 0
    """Records that could not be sent. They count as alone."""

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return (
            2 * self.precision * self.recall / (self.precision + self.recall)
            if self.precision + self.recall
            else 0.0
        )


def score(links: Path, truth: Path) -> list[Score]:
    """Score `links.csv` against a truth file (partner, local_id, role, person, ...). Raises
    UserError if either cannot be read.

    A record that could not be sent costs recall: its links are missing. Records of extracts that
    were not read do not count.
    """
    linked, true = read_people(links), read_people(truth)
    scores = []
    for role in ("child", "adult"):
        keys = [key for key in true if key[2] == role and key in linked]
        if not keys:
            continue
        unsent = sum(not linked[key] for key in keys)
        found = {key: linked[key] or f"alone: {key}" for key in keys}
        together = Counter((found[key], true[key]) for key in keys)
        by_found, by_true = Counter(found.values()), Counter(true[key] for key in keys)
        right, joined, real = (
            sum(n * (n - 1) // 2 for n in counts.values())
            for counts in (together, by_found, by_true)
        )
        scores.append(
            Score(
                role,
                len(keys),
                len(by_found) - unsent,
                len(by_true),
                right / joined if joined else 1.0,
                right / real if real else 1.0,
                unsent,
            )
        )
    return scores


def read_people(path: Path) -> dict[tuple[str, str, str], str]:
    """The person of each (partner, local id, role). Raises UserError."""
    try:
        # A spreadsheet may save UTF-8 with a byte order mark.
        with path.open(newline="", encoding="utf-8-sig") as file:
            return {
                (row["partner"], row["local_id"], row["role"]): row["person"]
                for row in csv.DictReader(file)
            }
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).", "Correct its path.") from None
    except (KeyError, ValueError, csv.Error):
        raise UserError(
            f"{path} does not have the columns of a truth file.",
            "Use a CSV file in UTF-8 with the columns partner, local_id, role and person.",
        ) from None
