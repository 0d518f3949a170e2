"""Applies the family rule to all people a change may affect, and names the families. Called by
`linking.link`, `relinking` and `review`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_core.ids import new_id

from childlink_linker.clustering.families import (
    Relation,
    adults_anchor,
    count_children,
    primary_carers,
)
from childlink_linker.records import StoredSubject
from childlink_linker.store import tables as t
from childlink_linker.store.events import event
from childlink_linker.store.store import Store

_RELATION: Final[dict[int, Any]] = {
    wire.RELATION_MOTHER: "mother",
    wire.RELATION_FATHER: "father",
    wire.RELATION_CARER: "carer",
}


@dataclass(frozen=True)
class _Circle:
    """The people affected by a change: children and adults to place in families, and their
    relations.
    """

    children: set[str]
    adults: set[str]
    relations: list[Relation]
    key_of: dict[str, bytes]
    """Least key of each adult's subjects."""


def regroup_families(store: Store, person_ids: set[str]) -> dict[int, StoredSubject]:
    """Place these persons, and all persons whose family they may change, in families. Returns the
    subjects whose family changed.
    """
    circle = _circle(store, person_ids)
    children_of = count_children(circle.relations)
    anchor_of = _stored_anchors(store, {r.child for r in circle.relations} - circle.children)
    anchor_of |= primary_carers(sorted(circle.children), circle.relations, children_of)
    key_of = circle.key_of | least_keys(store, set(anchor_of.values()) - set(circle.key_of))
    by_adult: dict[str, list[Relation]] = defaultdict(list)
    for relation in circle.relations:
        by_adult[relation.adult].append(relation)
    placed = {child: anchor_of[child] for child in circle.children}
    for adult in circle.adults:
        placed[adult] = adults_anchor(adult, by_adult[adult], anchor_of, children_of, key_of)
    family_of_anchor = _name_families(
        store, placed, set(anchor_of.values()), person_ids | set(placed)
    )
    persons = store.persons(placed)
    family_of = {person: family_of_anchor[anchor] for person, anchor in placed.items()}
    changed = {
        person: family
        for person, family in family_of.items()
        if persons[person].family_id != family
    }
    store.set_families(changed)
    store.insert(
        t.event, [event("family", None, person, None, family) for person, family in changed.items()]
    )
    return store.subjects_of_persons(changed)


def _circle(store: Store, person_ids: Iterable[str]) -> _Circle:
    """The persons, the children of the adults among them, the carers of those children, and all
    children that these carers are declared for.

    This is one step further than the change itself, because the number of children of an adult
    decides whether the adult counts.
    """
    near = _ring(store, store.subjects_of_persons(person_ids))
    subjects = _ring(store, near)
    children = {s.person_id for s in near.values() if s.role == wire.ROLE_CHILD and s.person_id}
    rows = store.carers_of(s.subject_id for s in near.values() if s.role == wire.ROLE_CHILD)
    adults_by_key = {s.key: s for s in subjects.values() if s.role == wire.ROLE_ADULT}
    adults = {
        adults_by_key[r.partner, r.adult_reference].person_id
        for r in rows
        if (r.partner, r.adult_reference) in adults_by_key
    }
    adults |= {s.person_id for s in near.values() if s.role == wire.ROLE_ADULT}
    adult_subjects = store.subjects_of_persons(adult for adult in adults if adult)
    declared = {
        (r.record_id, r.partner, r.adult_reference, r.relation): r
        for r in [*rows, *store.children_of(adult_subjects.values())]
    }
    everyone = {
        **subjects,
        **adult_subjects,
        **store.subjects({r.child_subject_id for r in declared.values()}),
    }
    key_of = least_keys(
        store, {s.person_id for s in everyone.values() if s.role == wire.ROLE_ADULT and s.person_id}
    )
    return _Circle(
        children, {a for a in adults if a}, _relations(declared.values(), everyone, key_of), key_of
    )


def least_keys(store: Store, persons: set[str]) -> dict[str, bytes]:
    """The least key of each person's subjects. It orders persons independently of the order of
    arrival.
    """
    key_of: dict[str, bytes] = {}
    for subject in store.subjects_of_persons(persons).values():
        if subject.person_id:
            key = subject.partner.encode() + b"\0" + subject.link_reference
            key_of[subject.person_id] = min(key, key_of.get(subject.person_id, key))
    return key_of


def _ring(store: Store, subjects: Mapping[int, StoredSubject]) -> dict[int, StoredSubject]:
    """The subjects, the children of the adults and the carers of the children, each with all
    subjects of the person.
    """
    rows = store.carers_of(s.subject_id for s in subjects.values() if s.role == wire.ROLE_CHILD)
    carers = store.subjects_by_key([(r.partner, r.adult_reference) for r in rows])
    adults = {
        s.person_id
        for s in (*subjects.values(), *carers.values())
        if s.role == wire.ROLE_ADULT and s.person_id
    }
    adult_subjects = store.subjects_of_persons(adults)
    children = store.subjects(
        {r.child_subject_id for r in store.children_of(adult_subjects.values())}
    )
    of_children = store.subjects_of_persons({s.person_id for s in children.values() if s.person_id})
    return {**subjects, **adult_subjects, **of_children}


def _relations(
    rows: Iterable[Any], subjects: Mapping[int, StoredSubject], key_of: Mapping[str, bytes]
) -> list[Relation]:
    adults = {s.key: s.person_id for s in subjects.values() if s.role == wire.ROLE_ADULT}
    counts: Counter[tuple[str, str, int]] = Counter()
    for row in rows:
        child = (
            subjects[row.child_subject_id].person_id if row.child_subject_id in subjects else None
        )
        adult = adults.get((row.partner, row.adult_reference))
        if child and adult:
            counts[child, adult, row.relation] += 1
    return [
        Relation(child, adult, _RELATION[kind], count, key_of[adult])
        for (child, adult, kind), count in counts.items()
    ]


def _stored_anchors(store: Store, children: Iterable[str]) -> dict[str, str]:
    """The current anchors of children who are not placed now."""
    persons = store.persons(children)
    anchors = store.anchors_of_families(row.family_id for row in persons.values() if row.family_id)
    return {
        child: anchors[row.family_id] for child, row in persons.items() if row.family_id in anchors
    }


def _name_families(
    store: Store, placed: Mapping[str, str], anchors: set[str], concerned: set[str]
) -> dict[str, str]:
    """The family of each anchor. An anchor without a family takes over the one that its members
    leave, if it is free. Otherwise it gets a new family.
    """
    wanted = set(placed.values())
    existing = store.families_by_anchor(concerned | wanted)
    in_use = wanted | anchors
    free = {family for anchor, family in existing.items() if anchor not in in_use}
    named = {anchor: family for anchor, family in existing.items() if anchor in wanted}
    leaving: dict[str, Counter[str]] = defaultdict(Counter)
    persons = store.persons(placed)
    for person, anchor in placed.items():
        if persons[person].family_id in free:
            leaving[anchor][persons[person].family_id] += 1
    taken: dict[str, str] = {}
    for anchor in sorted(wanted - set(named)):
        heirs = [(-count, family) for family, count in leaving[anchor].items() if family in free]
        if heirs:
            family = min(heirs)[1]
            free.discard(family)
            taken[family] = anchor
            named[anchor] = family
    new = {anchor: new_id("F") for anchor in sorted(wanted - set(named))}
    store.delete_in(t.family.c.family_id, free)
    store.move_anchors(taken)
    store.insert(t.family, _rows(new))
    anchored = {**taken, **{family: anchor for anchor, family in new.items()}}
    store.insert(
        t.event,
        [
            *(event("ended", None, None, None, family) for family in sorted(free)),
            *(event("anchored", None, anchor, None, family) for family, anchor in anchored.items()),
        ],
    )
    return named | new


def _rows(families: Mapping[str, str]) -> Sequence[dict[str, str]]:
    return [
        {"family_id": family, "anchor_person_id": anchor} for anchor, family in families.items()
    ]
