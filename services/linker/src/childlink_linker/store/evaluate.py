"""For an instance marked as an evaluation: exports the person of each link reference, to score
linkage against known truth.
"""

from collections.abc import Iterator

import sqlalchemy as sa

from childlink_linker.store import tables as t


def export(tx: sa.Connection) -> Iterator[tuple[str, str, str, str]]:
    """Yield partner, link reference (hexadecimal), person and family. Identifiers are numbered
    afresh for this export.
    """
    numbers: dict[str, str] = {}

    def fresh(identifier: str | None) -> str:
        return numbers.setdefault(identifier, f"E{len(numbers) + 1:07d}") if identifier else ""

    rows = tx.execute(
        sa.select(
            t.subject.c.partner,
            t.subject.c.link_reference,
            t.person.c.person_id,
            t.person.c.family_id,
        )
        .join(t.person, t.person.c.person_id == t.subject.c.person_id)
        .order_by(t.subject.c.partner, t.subject.c.link_reference)
    )
    for partner, reference, person, family in rows:
        yield partner, reference.hex(), fresh(person), fresh(family)
