"""What the store remembers of releases: their states, and the cells that analysts have seen.
Adapter of SQLAlchemy.

Each function works within the transaction of its caller.
"""

import time
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from childlink_analytics.errors import ApprovalError
from childlink_analytics.releasing.protection.attack import PriorRelease
from childlink_analytics.releasing.release.cut import Cut, CutPlan
from childlink_analytics.releasing.store import tables as t

_CHANGE_LOCK: Final = 0x636C_0005


@dataclass(frozen=True)
class ReleaseRecord:
    """A release as recorded in the store."""

    release_id: str
    number: int
    state: str
    data_until: str
    content_sha256: str
    cut_by: str
    cut_at_ms: int
    published_by: str | None
    published_at_ms: int | None
    recall_asked_by: str | None
    recalled_by: str | None
    recall_why: str | None


def all_releases(tx: sa.Connection) -> list[ReleaseRecord]:
    """All releases, newest first."""
    rows = tx.execute(sa.select(t.release).order_by(t.release.c.number.desc()))
    return [ReleaseRecord(**row._mapping) for row in rows]


def find(tx: sa.Connection, release_id: str) -> ReleaseRecord | None:
    """The release of this name."""
    wanted = sa.select(t.release).where(t.release.c.release_id == release_id)
    row = tx.execute(wanted).first()
    return ReleaseRecord(**row._mapping) if row else None


def remember(tx: sa.Connection, who: str, plan: CutPlan, done: Cut) -> None:
    """Remember a draft and its cells. Raises IntegrityError if its name or number is taken."""
    tx.execute(
        t.release.insert().values(
            release_id=plan.release_id,
            number=plan.number,
            state="draft",
            data_until=plan.data_until,
            content_sha256=done.content_sha256,
            cut_by=who,
            cut_at_ms=now(),
        )
    )
    for item in done.populations:
        cells = t.to_json(item.cells.counts, item.cells.protected)
        tx.execute(
            t.release_cells.insert().values(
                release_id=plan.release_id, population=item.population, cells=cells
            )
        )


def next_number(tx: sa.Connection) -> int:
    """The number of the next release. Numbers are not used twice."""
    return (tx.execute(sa.select(sa.func.max(t.release.c.number))).scalar() or 0) + 1


def earlier(tx: sa.Connection) -> list[dict[str, PriorRelease]]:
    """The cells of every release that analysts have seen, oldest first."""
    return [cells(tx, name) for name in seen(tx)]


def seen(tx: sa.Connection) -> list[str]:
    """Names of the releases that analysts have seen, oldest first. A retracted one counts."""
    c = t.release.c
    wanted = sa.select(c.release_id).where(c.state.in_(("published", "recalling", "recalled")))
    return list(tx.execute(wanted.order_by(c.number)).scalars())


def cells(tx: sa.Connection, release_id: str) -> dict[str, PriorRelease]:
    """The cells of a release, by population."""
    rows = tx.execute(sa.select(t.release_cells).where(t.release_cells.c.release_id == release_id))
    return {row.population: PriorRelease(*t.from_json(row.cells)) for row in rows}


def change(tx: sa.Connection, release_id: str, was: str, **values: Any) -> None:
    """Change a release's state, one change at a time. Raises ApprovalError if another person
    changed it first.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGE_LOCK})
    c = t.release.c
    changed = tx.execute(
        t.release.update().where(c.release_id == release_id, c.state == was).values(**values)
    )
    if changed.rowcount != 1:
        raise ApprovalError(
            f"Release {release_id} is no longer {was}: another person changed it first.",
            "See `release list`.",
        )


def now() -> int:
    """The time, in milliseconds since 1970."""
    return int(time.time() * 1000)
