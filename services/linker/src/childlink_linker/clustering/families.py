"""Decides which people are one family. Rule: plain values.

A child's family is the family of the primary carer. This is the declared mother; otherwise another
carer who lives with the child; otherwise the father.

An adult belongs to the family of which they are the primary carer; otherwise to the family of the
child they are declared for. A carer of children in several families belongs to none of those
families.

Only declared parents and carers count. An adult who is declared mother, father or carer of very
many children is treated as a professional in that relation, which is then ignored.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

# More children than one mother or foster carer is likely to have in the years that a partnership
# covers.
MOST_CHILDREN_OF_A_CARER: Final = 12
_PRIORITY: Final = {"mother": 0, "carer": 1, "father": 2}


@dataclass(frozen=True)
class Relation:
    """A relation between a child and an adult, and the number of records that declare it."""

    child: str
    adult: str
    relation: Literal["mother", "father", "carer"]
    records: int
    adult_key: bytes
    """Least key of the adult's subjects. It breaks ties independently of the order of arrival."""


ChildrenOf = Mapping[tuple[str, str], int]
"""Number of children that an adult is declared for, by adult and relation."""


def count_children(relations: Sequence[Relation]) -> ChildrenOf:
    """See `ChildrenOf`."""
    return Counter(
        (adult, relation)
        for _, adult, relation in {(r.child, r.adult, r.relation) for r in relations}
    )


def primary_carers(
    children: Sequence[str], relations: Sequence[Relation], children_of: ChildrenOf
) -> dict[str, str]:
    """Each child's primary carer, or the child itself if there is none.

    >>> r = [Relation("C1", "A1", "father", 3, b"a"), Relation("C1", "A2", "mother", 1, b"b")]
    >>> primary_carers(["C1", "C2"], r, count_children(r))
    {'C1': 'A2', 'C2': 'C2'}
    >>> primary_carers(["C1"], r, {("A2", "mother"): 400})
    {'C1': 'A1'}
    """
    best: dict[str, tuple[int, int, bytes, str]] = {}
    for item in relations:
        if children_of.get((item.adult, item.relation), 0) > MOST_CHILDREN_OF_A_CARER:
            continue
        rank = (_PRIORITY[item.relation], -item.records, item.adult_key, item.adult)
        if (
            item.child not in best or rank < best[item.child]
        ):  # no two adults share a key, so names never decide
            best[item.child] = rank
    return {child: best[child][3] if child in best else child for child in children}


def adults_anchor(
    adult: str,
    relations: Sequence[Relation],
    anchor_of: Mapping[str, str],
    children_of: ChildrenOf,
    key_of: Mapping[str, bytes],
) -> str:
    """The person whose family an adult belongs to: the adult, or the primary carer of the children
    that the adult is declared for.

    >>> r = [Relation("C1", "A1", "father", 3, b"a")]
    >>> keys = {"A1": b"a", "A2": b"b", "C1": b"c"}
    >>> adults_anchor("A1", r, {"C1": "A2"}, {}, keys)
    'A2'
    >>> adults_anchor("A2", [], {"C1": "A2"}, {}, keys)
    'A2'
    >>> fosters = [Relation("C1", "A1", "carer", 1, b"a"), Relation("C2", "A1", "carer", 1, b"a")]
    >>> adults_anchor("A1", fosters, {"C1": "A2", "C2": "A3"}, {}, keys)
    'A1'
    """
    anchors: dict[str, int] = {}
    parent = False
    for item in relations:
        if children_of.get((adult, item.relation), 0) > MOST_CHILDREN_OF_A_CARER:
            continue
        if item.adult == adult and item.child in anchor_of:
            anchor = anchor_of[item.child]
            anchors[anchor] = anchors.get(anchor, 0) + item.records
            parent |= item.relation != "carer"
    if not anchors or adult in anchors or (len(anchors) > 1 and not parent):
        return adult
    return min(anchors, key=lambda anchor: (-anchors[anchor], key_of[anchor]))
