"""Which services families used after their first service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from childlink_client.analyses.kind import Kind
from childlink_client.found import Found
from childlink_client.shown import Estimate, Intervals, Shown, Table, count_shown, hidden
from childlink_client.values import Measure, Release, why_suppressed

if TYPE_CHECKING:
    from childlink.analytics.v1 import analytics_pb2 as pb

    from childlink_client.client import Client
    from childlink_client.questions import Question

PATHWAYS: Final = "pathways"
"""Id of the measure behind pathways."""
FIRST, NEXT = "first_service", "next_service"
_MOST_NEXT: Final = 3


@dataclass(frozen=True)
class Pathway:
    """A first service and the services that followed. `next` holds (service, families), largest
    first.
    """

    first_service: str
    families: int | None
    families_withheld: str
    went_on: Estimate
    next: tuple[tuple[str, int], ...]
    others_withheld: bool


@dataclass(frozen=True)
class Pathways(Found):
    """Which services families used after their first service."""

    release: Release
    measure: Measure
    pathways: tuple[Pathway, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, message: pb.PathwaysResponse) -> Pathways:
        """Build from the protobuf message."""
        found = tuple(
            Pathway(
                item.first_service,
                item.families if item.HasField("families") else None,
                why_suppressed(item.withheld),
                Estimate.of(item.went_on),
                tuple((following.service, following.families) for following in item.next),
                item.others_withheld,
            )
            for item in message.pathways
        )
        return cls(
            Release.of(message.release), Measure.of(message.measure), found, tuple(message.notes)
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per first service."""
        first, following = self._titles()
        for item in self.pathways:
            yield {
                "first_service": first[item.first_service],
                "families": item.families,
                "families_withheld": item.families_withheld,
                "went_on": item.went_on.value,
                "low": item.went_on.low,
                "high": item.went_on.high,
                "withheld": item.went_on.withheld,
                "next": "; ".join(
                    f"{following[service]} {families}" for service, families in item.next
                ),
            }

    def table(self) -> Table:
        """One row per first service."""
        first, following = self._titles()
        rows = [
            (
                Shown(first[item.first_service]),
                count_shown(item.families, item.families_withheld),
                item.went_on.shown("{:.0%}"),
                Shown(
                    ", ".join(
                        f"{following[service]} {families}"
                        for service, families in item.next[:_MOST_NEXT]
                    )
                ),
            )
            for item in self.pathways
        ]
        return Table(
            ("First service", "Families", "Went on to another", "Next, of those shown"), tuple(rows)
        )

    def describe(self) -> str:
        """Describe after which first service families went on most often."""
        first, following = self._titles()
        shown = [item for item in self.pathways if item.went_on.value is not None]
        if not shown:
            return (
                "For every first service, there are too few families to show the share that"
                " went on."
            )
        if len(self.pathways) == 1:
            [item] = shown
            after = (
                f", most often to {following[item.next[0][0]]} ({item.next[0][1]:,})"
                if item.next
                else ""
            )
            families = (
                "Of the families" if item.families is None else f"Of {item.families:,} families"
            )
            return (
                f"{families} whose first contact was {first[item.first_service]},"
                f" {item.went_on.text('{:.0%}')} went on to another service{after}."
            )
        ranked = sorted(shown, key=lambda item: item.went_on.value or 0.0)
        low, high = ranked[0], ranked[-1]
        rest = hidden(len(self.pathways) - len(shown), len(self.pathways))
        return (
            f"Families went on most often after {first[high.first_service]},"
            f" {high.went_on.text('{:.0%}')}; least often of those shown after"
            f" {first[low.first_service]}, {low.went_on.text('{:.0%}')}.{rest}"
        )

    def chart(self) -> Intervals:
        """The share that went on to another service, for each first service."""
        first, _ = self._titles()
        shares = [(first[item.first_service], item.went_on.times(100)) for item in self.pathways]
        return Intervals("Went on to another service, %", shares, None, "{:.0f}%")

    def _titles(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        return self.measure.dimensions[FIRST].categories, self.measure.dimensions[NEXT].categories


def _put(client: Client, question: Question, release: str) -> Pathways:
    from childlink.analytics.v1 import analytics_pb2 as pb

    first = question.where.get(FIRST, ("",))[0]
    return Pathways.of(
        client.call("Pathways", pb.PathwaysRequest(release_id=release, first_service=first))
    )


KIND: Final = Kind(
    name="pathways",
    title="Pathways",
    help=(
        "Services that followed a first contact with SERVICE, or with each: childlink"
        " pathways community_engagement"
    ),
    takes=("service", "release"),
    fits=lambda measure: measure.id == PATHWAYS,
    put=_put,
)
