"""Rebuilds all identifiers from the event log alone. Rule: plain values.

The event log records every change of an identifier. `childlink-linker check-store` (after a
restore) and a property test check that log and tables agree.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["assigned", "withdrawn", "family", "anchored", "ended"]


@dataclass(frozen=True)
class Event:
    """A change of an identifier."""

    kind: Kind
    subject_id: int | None
    person_id: str | None
    family_id: str | None


@dataclass
class Identifiers:
    """Current identifiers."""

    persons: dict[int, str] = field(default_factory=dict)
    """The person of each subject."""
    families: dict[str, str] = field(default_factory=dict)
    """The family of each person."""
    anchors: dict[str, str] = field(default_factory=dict)
    """The person that anchors each family."""


def replay(events: Iterable[Event]) -> Identifiers:
    """The identifiers after all these events.

    >>> replay(
    ...     [
    ...         Event("assigned", 1, "C1", None),
    ...         Event("anchored", None, "C1", "F1"),
    ...         Event("family", None, "C1", "F1"),
    ...     ]
    ... )
    Identifiers(persons={1: 'C1'}, families={'C1': 'F1'}, anchors={'F1': 'C1'})
    """
    made = Identifiers()
    for event in events:
        if event.kind == "assigned" and event.subject_id is not None and event.person_id:
            made.persons[event.subject_id] = event.person_id
        elif event.kind == "withdrawn" and event.subject_id is not None:
            made.persons.pop(event.subject_id, None)
        elif event.kind == "family" and event.person_id and event.family_id:
            made.families[event.person_id] = event.family_id
        elif event.kind == "anchored" and event.person_id and event.family_id:
            made.anchors[event.family_id] = event.person_id
        elif event.kind == "ended" and event.family_id:
            made.anchors.pop(event.family_id, None)
    # A person without subjects no longer exists: their last subject moved or was withdrawn.
    there = set(made.persons.values())
    made.families = {person: family for person, family in made.families.items() if person in there}
    return made
