"""A proposed measure: a file that is not part of the catalogue yet. No I/O."""

import hashlib
from collections.abc import Mapping
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
        if len(self.text) > LARGEST:
            raise CatalogueError(
                f"The proposal is longer than {LARGEST:,} characters.", "Propose fewer measures."
            )
        with_it = self.within(declared)
        wanted = with_it.measure_ids_of(self.file)
        if not wanted:
            raise CatalogueError(
                "The proposal declares no measure.",
                "Write a file like those in the catalogue's folder `measures`, with [[measure]].",
            )
        found = with_it.measures(until)
        return {name: found[name] for name in wanted}

    def described(self, declared: Catalogue, until: date) -> dict[str, list[str]]:
        """What each proposed measure counts, in words. Raises CatalogueError."""
        with_it = self.within(declared)
        return {
            name: list(describe(with_it, measure))
            for name, measure in self.measures(declared, until).items()
        }
