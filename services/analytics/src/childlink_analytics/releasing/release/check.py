"""Attack a draft together with all releases that analysts have seen. A rule."""

from collections.abc import Mapping, Sequence

from childlink_catalogue.measures import Measure

from childlink_analytics.errors import ProtectionError
from childlink_analytics.releasing.protection.attack import AttackReport, PriorRelease, attack
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import inner_of, link_cells
from childlink_analytics.shared.release_files import Release


def check_together(
    release: Release,
    mine: Mapping[str, PriorRelease],
    earlier: Sequence[Mapping[str, PriorRelease]],
) -> AttackReport:
    """Attack a release with its own cells and those of earlier releases, by population. Raises
    ProtectionError if a small count is bounded too tightly.
    """
    attacked, narrowest = 0, 100
    by_population: dict[str, list[Measure]] = {}
    for published in release.measures.values():
        # Tables beside count no linked people, and nothing is counted of what was not collected.
        if published.measure.table or not published.cells:
            continue
        by_population.setdefault(published.measure.population, []).append(published.measure)
    for population, measures in by_population.items():
        cells = mine[population]
        linked = link_cells(
            (m, cube, inner_of(m, cube, cells.counts)) for m in measures for cube in m.cubes
        )
        before = [item[population] for item in earlier if population in item]
        # Only the rows show which attendances are unsafe. Those cells were attacked at the cut.
        policy = release.measures[measures[0].id].policy
        report = attack(linked, cells.protected, before, disclosure.possible(policy))
        if report.too_tight:
            raise ProtectionError(
                f"{release.release_id}, together with the releases published so far, bounds"
                f" {len(report.too_tight)} small counts of {population} too tightly.",
                "Discard the draft and cut it again. The new draft takes the published releases"
                " into account.",
            )
        attacked, narrowest = attacked + report.attacked, min(narrowest, report.narrowest)
    return AttackReport(attacked, [], narrowest)
