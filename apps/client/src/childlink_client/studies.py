"""Comparisons, changes, pathways, trends and inequality, as plain values."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from childlink.analytics.v1 import analytics_pb2 as pb

from childlink_client.answers import WITHHELD, Cell, Measure, Release, estimate_of
from childlink_client.study import Estimate, Study


@dataclass(frozen=True)
class Comparison(Study):
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

    @classmethod
    def of(cls, message: pb.CompareResponse) -> "Comparison":
        """From the wire."""
        crude_or, adjusted_or = map(Estimate.of, (message.crude_odds_ratio, message.adjusted_odds_ratio))
        crude_rr, adjusted_rr = map(Estimate.of, (message.crude_risk_ratio, message.adjusted_risk_ratio))
        return cls(
            Release.of(message.release), Measure.of(message.measure), tuple(message.groups), tuple(map(Estimate.of, message.shares)),
            crude_or, adjusted_or, crude_rr, adjusted_rr, tuple(message.adjusted_for), message.strata_used, message.strata,
            tuple(message.notes),
        )  # fmt: skip

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per figure."""
        for group, share in zip(self.groups, self.shares, strict=True):
            yield {"figure": f"share, {group}", **asdict(share)}
        for name in ("crude_odds_ratio", "adjusted_odds_ratio", "crude_risk_ratio", "adjusted_risk_ratio"):
            yield {"figure": name.replace("_", " "), **asdict(getattr(self, name))}


@dataclass(frozen=True)
class ChangeRow:
    """One group's change from before to after."""

    category: str
    count: int | None
    count_withheld: str
    mean: Estimate
    standardised: Estimate
    p_value: float | None


@dataclass(frozen=True)
class Change(Study):
    """Mean changes."""

    release: Release
    measure: Measure
    by: str
    changes: tuple[ChangeRow, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.ChangeResponse) -> "Change":
        """From the wire."""
        rows = tuple(
            ChangeRow(
                row.category_id, row.count if row.HasField("count") else None, WITHHELD.get(row.withheld, "withheld"),
                Estimate.of(row.mean), Estimate.of(row.standardised), row.p_value if row.HasField("p_value") else None,
            )
            for row in message.rows
        )  # fmt: skip
        return cls(Release.of(message.release), Measure.of(message.measure), message.by, rows, tuple(message.notes))

    def title(self, row: ChangeRow) -> str:
        """What a row's group is called."""
        return self.measure.dimensions[self.by].categories[row.category] if self.by else "All"

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per group."""
        for row in self.changes:
            yield {
                "group": self.title(row), "count": row.count, "count_withheld": row.count_withheld,
                "mean_change": row.mean.value, "low": row.mean.low, "high": row.mean.high,
                "standardised": row.standardised.value, "p": row.p_value, "withheld": row.mean.withheld,
            }  # fmt: skip


@dataclass(frozen=True)
class Pathway:
    """A first service and what followed; `next` is (service, families), most first."""

    first_service: str
    families: int | None
    families_withheld: str
    went_on: Estimate
    next: tuple[tuple[str, int], ...]
    others_withheld: bool


@dataclass(frozen=True)
class Pathways(Study):
    """What followed the first service."""

    release: Release
    measure: Measure
    pathways: tuple[Pathway, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.PathwaysResponse) -> "Pathways":
        """From the wire."""
        found = tuple(
            Pathway(
                item.first_service, item.families if item.HasField("families") else None, WITHHELD.get(item.withheld, "withheld"),
                Estimate.of(item.went_on), tuple((following.service, following.families) for following in item.next),
                item.others_withheld,
            )
            for item in message.pathways
        )  # fmt: skip
        return cls(Release.of(message.release), Measure.of(message.measure), found, tuple(message.notes))

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per first service."""
        first, following = (self.measure.dimensions[name].categories for name in ("first_service", "next_service"))
        for item in self.pathways:
            yield {
                "first_service": first[item.first_service], "families": item.families, "families_withheld": item.families_withheld,
                "went_on": item.went_on.value,
                "low": item.went_on.low, "high": item.went_on.high, "withheld": item.went_on.withheld,
                "next": "; ".join(f"{following[service]} {families}" for service, families in item.next),
            }  # fmt: skip


@dataclass(frozen=True)
class TrendPoint:
    """One release's answer."""

    release: Release
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Trend(Study):
    """One question asked of every release, oldest first."""

    measure: Measure
    by: tuple[str, ...]
    points: tuple[TrendPoint, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.TrendResponse) -> "Trend":
        """From the wire."""
        points = tuple(TrendPoint(Release.of(p.release), tuple(map(Cell.of, p.cells))) for p in message.points)
        return cls(Measure.of(message.measure), tuple(message.by), points, tuple(message.notes))

    @property
    def release(self) -> Release:  # type: ignore[override]
        """The newest release."""
        return self.points[-1].release

    @property
    def estimate(self) -> str:
        """What the cells' estimates are; empty where there are none."""
        return estimate_of(self.measure, (cell for point in self.points for cell in point.cells))

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per release and cell."""
        for point in self.points:
            for cell in point.cells:
                titles = self.titles(cell.categories)
                row: dict[str, Any] = {"release": point.release.id, "data_until": point.release.data_until, **titles}
                row |= {"count": cell.count, "count_withheld": cell.count_withheld}
                if self.measure.estimate:
                    row |= {
                        self.measure.estimate: cell.estimate,
                        f"{self.measure.estimate}_withheld": cell.estimate_withheld,
                    }
                yield row

    def titles(self, categories: Sequence[str]) -> dict[str, str]:
        """Categories' titles by dimension. A later release may have categories (quarters) that an earlier one had not."""
        return {
            name: self.measure.dimensions[name].categories.get(category, category)
            for name, category in zip(self.by, categories, strict=True)
        }


@dataclass(frozen=True)
class Inequality(Study):
    """How unequal an outcome is over an ordered dimension."""

    release: Release
    measure: Measure
    over: str
    ends: tuple[str, ...]
    gap: Estimate
    ratio: Estimate
    slope_index: Estimate
    relative_index: Estimate
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.InequalityResponse) -> "Inequality":
        """From the wire."""
        gap, ratio = map(Estimate.of, (message.gap, message.ratio))
        slope, relative = map(Estimate.of, (message.slope_index, message.relative_index))
        release, measure = Release.of(message.release), Measure.of(message.measure)
        return cls(
            release, measure, message.over, tuple(message.ends), gap, ratio, slope, relative, tuple(message.notes)
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per figure."""
        for name in ("gap", "ratio", "slope_index", "relative_index"):
            yield {"figure": name.replace("_", " "), **asdict(getattr(self, name))}
