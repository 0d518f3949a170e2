"""Fixtures of the linkage cases."""

from collections.abc import Callable
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from childlink_ingest.pseudonymise.split import Subject

from tests.spec.cases import InEveryOrder, Sent
from tests.support.people import Partnership, open_linker


@pytest.fixture
def adult(partnership: Partnership) -> Callable[..., Subject]:
    """Builds Grace Okafor as a partner records her. Any field can be replaced."""

    def make(partner: str, person_id: str, **who: Any) -> Subject:
        defaults = {
            "given": "Grace",
            "surname": "Okafor",
            "born": date(1990, 5, 2),
            "sex": "f",
            "postcode": "SW9 8JJ",
        }
        return partnership.subject(partner, person_id, "adult", **{**defaults, **who})

    return make


@pytest.fixture
def outcomes_of_every_order(partnership: Partnership, tmp_path: Path) -> InEveryOrder:
    """The number of different outcomes (who is with whom, in which family) over all orders of the
    batches.
    """

    def outcomes(*batches: Sent) -> int:
        seen = set()
        for number, order in enumerate(permutations(batches)):
            folder = tmp_path / str(number)
            folder.mkdir()
            anew = Partnership(partnership.directory, partnership.signing, partnership.opening)
            linker = open_linker(anew, folder)
            try:
                for partner, subjects in order:
                    linker.send(partner, *subjects)
                seen.add((frozenset(linker.partition()), frozenset(linker.family_partition())))
            finally:
                linker.close()
        return len(seen)

    return outcomes
