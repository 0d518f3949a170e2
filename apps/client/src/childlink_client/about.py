"""A question that is built step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from childlink_client.analyses.change import Change
    from childlink_client.analyses.comparison import Comparison
    from childlink_client.analyses.contrast import Contrast
    from childlink_client.analyses.inequality import Inequality
    from childlink_client.analyses.standardisation import Standardised
    from childlink_client.analyses.trend import Trend
    from childlink_client.answers import Answer
    from childlink_client.client import Client

Category = str | int | Sequence[str | int]


@dataclass(frozen=True)
class About:
    """What to ask of a measure. Each step gives a new value, so a beginning can be used again:

    >>> girls = client.about("eyfs_good_level").where(sex="female")  # doctest: +SKIP
    >>> girls.by("school_year").ask().plot()  # doctest: +SKIP
    >>> girls.against(sex="male").contrast()  # doctest: +SKIP
    """

    client: Client
    measure: str
    breakdown: tuple[str, ...] = ()
    kept: Mapping[str, Category] = field(default_factory=dict)
    other: Mapping[str, Category] = field(default_factory=dict)
    release: str = ""

    def by(self, *dimensions: str) -> About:
        """Break down by these dimensions, after those before."""
        return replace(self, breakdown=(*self.breakdown, *dimensions))

    def where(self, **kept: Category) -> About:
        """Keep these categories. A dimension that is named again is replaced."""
        return replace(self, kept={**self.kept, **kept})

    def against(self, **kept: Category) -> About:
        """The other group of a contrast."""
        return replace(self, other={**self.other, **kept})

    def of(self, release: str) -> About:
        """Ask this release, and not the newest."""
        return replace(self, release=release)

    def ask(self, *, explain: bool = False) -> Answer:
        """The measure, broken down. Raises ClientError."""
        self._without("ask", other=self.other)
        return self.client.ask(
            self.measure, self.breakdown, self.kept, self.release, explain=explain
        )

    def trend(self) -> Trend:
        """The same of every release. Raises ClientError."""
        self._without("trend", other=self.other, release=self.release)
        return self.client.trend(self.measure, self.breakdown, self.kept)

    def contrast(self, per: str = "") -> Contrast:
        """The difference and ratio of two groups. Raises ClientError."""
        return self.client.contrast(
            self.measure, self.kept, self.other, self._one("contrast"), per, self.release
        )

    def compare(self, *, missed: float = 0.0) -> Comparison:
        """The engaged against the others, crude and adjusted. Raises ClientError."""
        self._without("compare", breakdown=self.breakdown, kept=self.kept, other=self.other)
        return self.client.compare(self.measure, self.release, missed=missed)

    def change(self) -> Change:
        """The mean change from before to after. Raises ClientError."""
        self._without("change", kept=self.kept, other=self.other)
        return self.client.change(self.measure, self._one("change"), self.release)

    def inequality(self) -> Inequality:
        """How unequal it is across an ordered dimension. Raises ClientError."""
        self._without("inequality", kept=self.kept, other=self.other)
        return self.client.inequality(self.measure, self._one("inequality"), self.release)

    def standardised_for(self, standard: str) -> Standardised:
        """Shares of the groups as if all were mixed alike by `standard`. Raises ClientError."""
        self._without("standardised_for", kept=self.kept, other=self.other)
        by = self._one("standardised_for")
        return self.client.standardise(self.measure, by, standard, self.release)

    def _one(self, asked: str) -> str:
        """The one dimension of the breakdown, or none."""
        if len(self.breakdown) > 1:
            raise ClientError(
                f"{asked} takes one dimension, and by() named {', '.join(self.breakdown)}."
            )
        return self.breakdown[0] if self.breakdown else ""

    def _without(self, asked: str, **given: object) -> None:
        """Refuse steps that would have no effect: a reader would take them for granted."""
        named = {"breakdown": "by", "kept": "where", "other": "against", "release": "of"}
        if ignored := [f"{named[name]}()" for name, value in given.items() if value]:
            raise ClientError(f"{asked} cannot use {' and '.join(ignored)}: leave it out.")
