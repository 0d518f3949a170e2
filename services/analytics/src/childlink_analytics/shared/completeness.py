"""How complete a release's data is: rows by dataset, partner and quarter, and what came late. Rule:
rows and manifests in, facts and sentences out.

Rows are given in hundreds, rounded from a secret offset for each figure. With a known offset, a
partner that adds rows of its own could count the rows of others. Months would be too small: most
would be under a hundred.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any, Final

ROWS_TO: Final = 100
_MOST_NAMED: Final = 2
_WORTH_SAYING: Final = 3 * ROWS_TO
"""Where a usual quarter has so many rows, one that is not told is a gap."""
Completeness = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Rows in hundreds by dataset, partner and quarter (2024-Q3). A quarter that rounds to none is not
there: it has under a hundred.
"""


def about(rows: int, secret: bytes, what: str) -> int:
    """The number of rows, rounded to hundreds from a secret offset; 0 if it is fewer than that."""
    digest = hashlib.blake2b(f"rows of {what}".encode(), key=secret, digest_size=4).digest()
    return (rows + int.from_bytes(digest, "big") % ROWS_TO) // ROWS_TO * ROWS_TO


def about_all(rows: int, secret: bytes, dataset: str) -> int:
    """The number of a dataset's rows, which are at least one, as `about`; never 0."""
    return max(ROWS_TO, about(rows, secret, dataset))


def completeness(
    rows: Mapping[tuple[str, str, str], int], secret: bytes
) -> dict[str, dict[str, dict[str, int]]]:
    """Rows by dataset, partner and quarter, as a release may tell them."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (dataset, partner, quarter), number in sorted(rows.items()):
        told = about(number, secret, f"{dataset} {partner} {quarter}")
        quarters = found.setdefault(dataset, {}).setdefault(partner, {})
        if told:
            quarters[quarter] = told
    return found


def since(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Why figures may differ from those of the release before, from the manifests of both: rows
    that came late or are gone, other match parameters, another catalogue, another policy. What the
    older manifest does not say is left out.
    """
    ended = _last_full_quarter(str(before["data_until"]))
    late: dict[str, int] = {}
    gone: dict[str, int] = {}
    for dataset, partners in now.get("completeness", {}).items():
        had = before.get("completeness", {}).get(dataset)
        if had is None:
            continue
        moved = [
            _rows(partners.get(partner, {}), ended) - _rows(had.get(partner, {}), ended)
            for partner in sorted({*partners, *had})
        ]
        for found, sign in ((late, 1), (gone, -1)):
            if rows := sum(sign * more for more in moved if sign * more > 0):
                found[dataset] = rows
    named: dict[str, Any] = {"release": before["release_id"], "late": late, "gone": gone}
    for what in ("parameter_version", "policy_id"):
        if before.get(what) and now.get(what) and before[what] != now[what]:
            named[what] = [before[what], now[what]]
    versions = [_version(item) for item in (before, now)]
    if all(versions) and versions[0] != versions[1]:
        named["catalogue"] = versions
    return named


def since_notes(named: Mapping[str, Any], datasets: Collection[str] | None = None) -> list[str]:
    """The same in sentences. Only `datasets` are named (None: all)."""
    if not named:
        return []
    notes = []
    for what, said in (("late", "came late"), ("gone", "are gone")):
        rows = [
            f"about {number:,} of {name}"
            for name, number in named[what].items()
            if datasets is None or name in datasets
        ]
        if rows:
            notes.append(
                f"Rows of quarters that {named['release']} had too {said}: {', '.join(rows)}."
            )
    for what, said in (
        ("parameter_version", "Linked again with other match parameters"),
        ("policy_id", "Protected under another policy"),
        ("catalogue", "Another catalogue, so definitions may differ"),
    ):
        if what in named:
            before, now = named[what]
            notes.append(f"{said}: {now}, before it {before}.")
    return notes


def data_notes(facts: Mapping[str, Any], datasets: Collection[str]) -> list[str]:
    """Which partners' rows a measure's figures come from, and in which quarters there are few."""
    known: Completeness = facts.get("completeness", {})
    named = [name for name in datasets if name in known]
    if len(named) > _MOST_NAMED:
        return [f"Its rows are of {len(named)} datasets. `describe` tells how complete each is."]
    return [f"Rows of {name}: {_of_partners(known[name])}." for name in named]


def between(first: str, last: str) -> list[str]:
    """All quarters from one to another.

    >>> between("2023-Q4", "2024-Q2")
    ['2023-Q4', '2024-Q1', '2024-Q2']
    """
    start, end = (int(item[:4]) * 4 + int(item[-1]) - 1 for item in (first, last))
    return [f"{at // 4}-Q{at % 4 + 1}" for at in range(start, end + 1)]


def few(quarters: Mapping[str, int]) -> list[str]:
    """The gaps: quarters between the first and the last that are not told, where a usual quarter
    has several hundred rows. Data that come once a year have none.
    """
    if not quarters:
        return []
    every = between(min(quarters), max(quarters))
    usual = sorted(quarters.values())[len(quarters) // 2]
    if usual < _WORTH_SAYING or 2 * len(quarters) < len(every):
        return []
    return [item for item in every if item not in quarters]


def _of_partners(partners: Mapping[str, Mapping[str, int]]) -> str:
    said = []
    for partner, quarters in partners.items():
        if not quarters:
            said.append(f"{partner}, few in each quarter")
            continue
        gaps = few(quarters)
        more = f" and {len(gaps) - 1} other quarters" if len(gaps) > 1 else ""
        gap = f" (few in {gaps[0]}{more})" if gaps else ""
        said.append(f"{partner}, {min(quarters)} to {max(quarters)}{gap}")
    return "; ".join(said)


def _rows(quarters: Mapping[str, int], until: str) -> int:
    return sum(rows for quarter, rows in quarters.items() if quarter <= until)


def _last_full_quarter(day: str) -> str:
    """The last quarter that a day ends or comes after.

    >>> _last_full_quarter("2024-12-31"), _last_full_quarter("2024-12-30")
    ('2024-Q4', '2024-Q3')
    """
    after = date.fromisoformat(day) + timedelta(days=1)
    at = after.year * 4 + (after.month - 1) // 3 - 1
    return f"{at // 4}-Q{at % 4 + 1}"


def _version(facts: Mapping[str, Any]) -> str:
    declared = facts.get("catalogue") or {}
    return f"{declared['id']} {declared['version']}" if declared else ""
