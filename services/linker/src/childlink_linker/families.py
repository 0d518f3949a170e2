"""Which people are one family. Rule: plain values.

A child's family is that of its primary carer: the declared mother, else another carer who lives with it, else the father.
An adult belongs to the family that they are primary carer of, else to that of the child they are declared for. Only declared
parents and carers count, and an adult who is declared for very many children is a professional and makes no family.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

# More children than one mother or foster carer is likely to have in the years that a partnership covers.
MOST_CHILDREN_OF_A_CARER: Final = 12
_PRIORITY: Final = {"mother": 0, "carer": 1, "father": 2}


@dataclass(frozen=True)
class Relation:
    """A child person, an adult person, what the adult is, and in how many records it is declared."""

    child: str
    adult: str
    relation: Literal["mother", "father", "carer"]
    records: int
    adult_key: bytes
    """Least key of the adult's subjects: breaks ties without regard to arrival."""


def primary_carers(
    children: Sequence[str], relations: Sequence[Relation], children_of: Mapping[str, int]
) -> dict[str, str]:
    """Each child's primary carer; the child itself where none is declared.

    >>> r = [Relation("C1", "A1", "father", 3, b"a"), Relation("C1", "A2", "mother", 1, b"b")]
    >>> primary_carers(["C1", "C2"], r, {"A1": 1, "A2": 1})
    {'C1': 'A2', 'C2': 'C2'}
    >>> primary_carers(["C1"], r, {"A1": 1, "A2": 400})
    {'C1': 'A1'}
    """
    best: dict[str, tuple[int, int, bytes, str]] = {}
    for item in relations:
        if children_of.get(item.adult, 0) > MOST_CHILDREN_OF_A_CARER:
            continue
        rank = (_PRIORITY[item.relation], -item.records, item.adult_key, item.adult)
        if item.child not in best or rank < best[item.child]:  # no two adults share a key, so names never decide
            best[item.child] = rank
    return {child: best[child][3] if child in best else child for child in children}


def adults_anchor(
    adult: str,
    relations: Sequence[Relation],
    anchor_of: Mapping[str, str],
    children_of: Mapping[str, int],
    key_of: Mapping[str, bytes],
) -> str:
    """The person whose family an adult belongs to: itself, or the primary carer of the children it is declared for.

    >>> r = [Relation("C1", "A1", "father", 3, b"a")]
    >>> keys = {"A1": b"a", "A2": b"b", "C1": b"c"}
    >>> adults_anchor("A1", r, {"C1": "A2"}, {"A1": 1}, keys), adults_anchor("A2", [], {"C1": "A2"}, {"A2": 1}, keys)
    ('A2', 'A2')
    """
    if children_of.get(adult, 0) > MOST_CHILDREN_OF_A_CARER:
        return adult
    anchors: dict[str, int] = {}
    for item in relations:
        if item.adult == adult and item.child in anchor_of:
            anchor = anchor_of[item.child]
            anchors[anchor] = anchors.get(anchor, 0) + item.records
    if not anchors or adult in anchors:
        return adult
    return min(anchors, key=lambda anchor: (-anchors[anchor], key_of[anchor]))
