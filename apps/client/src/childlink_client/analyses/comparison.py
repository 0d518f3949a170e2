"""Two groups' shares of an outcome, crude and adjusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.found import Found
from childlink_client.shown import Estimate, Intervals, Shown, Table
from childlink_client.values import Dimension, Measure, Release

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

_CORRECTED: Final = {
    "corrected_odds_ratio": "Odds ratio, corrected for missed links",
    "corrected_risk_ratio": "Risk ratio, corrected for missed links",
}
_RATIOS: Final = {
    "crude_odds_ratio": "Odds ratio, crude",
    "adjusted_odds_ratio": "Odds ratio, adjusted",
    "crude_risk_ratio": "Risk ratio, crude",
    "adjusted_risk_ratio": "Risk ratio, adjusted",
}


@dataclass(frozen=True)
class Comparison(Found):
    """Two groups' shares of an outcome, crude and adjusted."""

    release: Release
    measure: Measure
    groups: tuple[str, ...]
    shares: tuple[Estimate, ...]
    crude_odds_ratio: Estimate
    adjusted_odds_ratio: Estimate
    crude_risk_ratio: Estimate
    adjusted_risk_ratio: Estimate
    adjusted_for: tuple[str, ...]
    strata_used: int
    strata: int
    notes: tuple[str, ...]
    missed: float = 0.0
    """The share of the first group that is counted in the other, because their link is missed."""
    corrected_odds_ratio: Estimate | None = None
    """The adjusted odds ratio if so many links are missed. None if none are supposed."""
    corrected_risk_ratio: Estimate | None = None

    @classmethod
    def of(cls, message: pb.CompareResponse) -> Comparison:
        """Build from the protobuf message."""
        return cls(
            Release.of(message.release),
            Measure.of(message.measure),
            tuple(message.groups),
            tuple(map(Estimate.of, message.shares)),
            Estimate.of(message.crude_odds_ratio),
            Estimate.of(message.adjusted_odds_ratio),
            Estimate.of(message.crude_risk_ratio),
            Estimate.of(message.adjusted_risk_ratio),
            tuple(message.adjusted_for),
            message.strata_used,
            message.strata,
            tuple(message.notes),
            message.missed,
            *(
                Estimate.of(getattr(message, name)) if message.HasField(name) else None
                for name in _CORRECTED
            ),
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per figure."""
        for group, share in zip(self.groups, self.shares, strict=True):
            yield {"figure": f"share, {group}", **asdict(share)}
        for name, _, ratio in self._ratios():
            yield {"figure": name.replace("_", " "), **asdict(ratio)}

    def table(self) -> Table:
        """Shares and ratios with their intervals."""
        titles = self._dimension().categories
        rows = [
            (Shown(f"Share, {titles[group].lower()}"), share.shown("{:.1%}"))
            for group, share in zip(self.groups, self.shares, strict=True)
        ]
        rows += [(Shown(title), ratio.shown()) for _, title, ratio in self._ratios()]
        return Table(("Figure", "With 95% interval"), tuple(rows))

    def describe(self) -> str:
        """Describe both shares and the adjusted ratios."""
        titles = self._dimension().categories
        shares = "; ".join(
            f"{titles[group]}: {share.text('{:.1%}')}"
            for group, share in zip(self.groups, self.shares, strict=True)
        )
        odds, risk = self.adjusted_odds_ratio, self.adjusted_risk_ratio
        if odds.value is None:
            return f"{shares}. The adjusted ratios are withheld: {odds.withheld}."
        return (
            f"{shares}. Adjusted for recorded differences between the groups, the odds ratio"
            f" is {odds.text()} and the risk ratio {risk.text()}."
            f" {odds.certainty(1.0, 'no difference')}{self._said_of_missed()}"
        )

    def chart(self) -> Intervals:
        """The ratios."""
        of, against = (self._dimension().categories[group].lower() for group in self.groups)
        ratios = [(title, ratio) for _, title, ratio in self._ratios()]
        return Intervals(f"Ratio, {of} to {against}", ratios, 1.0, "{:.2f}")

    def _ratios(self) -> list[tuple[str, str, Estimate]]:
        """Name, title and figure of each ratio."""
        every = {**_RATIOS, **_CORRECTED}
        return [
            (name, title, ratio)
            for name, title in every.items()
            if (ratio := getattr(self, name)) is not None
        ]

    def _said_of_missed(self) -> str:
        if self.corrected_odds_ratio is None:
            return ""
        ratio = self.corrected_odds_ratio
        found = ratio.text() if ratio.value is not None else f"withheld: {ratio.withheld}"
        return (
            f" If {self.missed * 100:g}% of the first group stand among the others for want of a"
            f" link, the odds ratio is {found}."
        )

    def _dimension(self) -> Dimension:
        return next(
            d for d in self.measure.dimensions.values() if set(self.groups) <= set(d.categories)
        )


def _put(client: Client, question: Question, release: str) -> Comparison:
    from childlink.analytics.v1 import analytics_pb2 as pb

    request = pb.CompareRequest(
        release_id=release, measure_id=question.measure, missed=question.missed
    )
    return Comparison.of(client.call("Compare", request))


def _explain(measure: Measure) -> str:
    of, against = (
        dimension.categories[group]
        for group in measure.compares
        for dimension in measure.dimensions.values()
        if group in dimension.categories
    )
    return (
        f"{of} against {against.lower()}: crude, and adjusted for recorded differences between the"
        " groups."
    )


KIND: Final = Kind(
    name="compare",
    title="Compare",
    help=(
        "Compare people who engaged with people who did not, crude and adjusted: childlink"
        " compare asq3_overall"
    ),
    takes=("measure", "missed", "release"),
    fits=lambda measure: bool(measure.compares),
    put=_put,
    explains=_explain,
)
