"""Questions that the linkage cases ask a linker."""

from collections.abc import Callable

from childlink_ingest.pseudonymise.split import Subject
from childlink_linker.review import cases as review
from childlink_linker.store.store import Store

from tests.support.people import VAULT, LinkerUnderTest

Sent = tuple[str, list[Subject]]
"""A batch: the partner, and the people that it sends."""
InEveryOrder = Callable[..., int]


def together(linker: LinkerUnderTest, *subjects: Subject) -> bool:
    """All records are one person."""
    persons = linker.persons(*subjects)
    return None not in persons and len(set(persons)) == 1


def apart(linker: LinkerUnderTest, *subjects: Subject) -> bool:
    """No two records are one person."""
    persons = linker.persons(*subjects)
    return None not in persons and len(set(persons)) == len(subjects)


def wait(linker: LinkerUnderTest, a: Subject, b: Subject) -> bool:
    """They are two persons, and a data steward is asked about them."""
    persons = set(linker.persons(a, b))
    with linker.engine.begin() as tx:
        return len(persons) == 2 and any(
            set(doubt.persons) == persons for doubt in review.doubts(Store(tx, VAULT))
        )


def found(linker: LinkerUnderTest, a: Subject, b: Subject) -> bool:
    """They are one person, or a data steward is asked. The match is not lost silently."""
    return together(linker, a, b) or wait(linker, a, b)


def one_family(linker: LinkerUnderTest, *subjects: Subject) -> bool:
    """All belong to one family."""
    families = linker.families(*subjects)
    return None not in families and len(set(families)) == 1


def separate_families(linker: LinkerUnderTest, *subjects: Subject) -> bool:
    """No two belong to one family."""
    families = linker.families(*subjects)
    return None not in families and len(set(families)) == len(subjects)
