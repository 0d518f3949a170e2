"""A proposed measure: a file that is not part of the catalogue yet. No I/O."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.describing import describe
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.measures import Measure

LARGEST: Final = 32 * 1024
"""Largest length of a proposal, in characters."""


@dataclass(frozen=True)
class Proposal:
    """A file of measures that someone would like to be published."""

    text: str

    @property
    def id(self) -> str:
        """The first digits of its SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    @property
    def file(self) -> str:
        """Its name as a file of the catalogue."""
        return f"measures/proposal-{self.id}.toml"

    def within(self, declared: Catalogue) -> Catalogue:
        """The catalogue with the proposal in it."""
        return Catalogue(declared.folder, {**declared.more, self.file: self.text})

    def measures(self, declared: Catalogue, until: date) -> Mapping[str, Measure]:
        """The proposed measures by id. Raises CatalogueError that says what is wrong with them."""
        return proposed([self], declared, until)[1]

    def described(
        self, declared: Catalogue, measures: Mapping[str, Measure]
    ) -> Mapping[str, list[str]]:
        """What each of its measures counts, in words."""
        with_it = self.within(declared)
        return {name: list(describe(with_it, measure)) for name, measure in measures.items()}


def proposed(
    proposals: Sequence[Proposal], declared: Catalogue, until: date
) -> tuple[Catalogue, Mapping[str, Measure]]:
    """The catalogue with all these proposals in it, and their measures by id, in their order.
    Raises CatalogueError if one does not fit the catalogue, or two do not fit each other.
    """
    together = declared
    for item in proposals:
        if len(item.text) > LARGEST:
            raise CatalogueError(
                f"The proposal is longer than {LARGEST:,} characters.", "Propose fewer measures."
            )
        together = item.within(together)
    wanted = [name for item in proposals for name in together.measure_ids_of(item.file)]
    if not wanted:
        raise CatalogueError(
            "The proposal declares no measure.",
            "Write a file like those in the catalogue's folder `measures`, with [[measure]].",
        )
    found = together.measures(until)
    return together, {name: found[name] for name in wanted}
