"""Change notes of a release in sentences. Rule: a manifest in, text out."""

from collections.abc import Collection, Mapping
from typing import Any

from childlink_analytics.shared.completeness import since_notes
from childlink_analytics.shared.release_files import Published


def change_notes(
    facts: Mapping[str, Any],
    measures: Mapping[str, Published],
    datasets: Collection[str] | None = None,
) -> list[str]:
    """The change notes of a manifest in sentences. Measures are named by their titles. Only the
    given measures and datasets (None: all) are named.
    """
    changes = facts.get("changes", {"first": True})
    notes = (
        [f"Area boundaries and deprivation: {facts['editions']}."] if facts.get("editions") else []
    )
    if facts.get("behind"):
        notes.append(
            f"Cut before the links of all rows of {', '.join(facts['behind'])} had arrived: their"
            " people are undercounted.",
        )
    partly = [
        measures[name].measure.title for name in facts.get("left_out", ()) if name in measures
    ]
    if partly:
        notes.append(
            f"Left out in part, because other tables have it: {'; '.join(sorted(partly))}."
        )
    lost = sorted(
        {
            f"{item['title']} by {item['by']}"
            for item in facts.get("not_protected", ())
            if item["measure"] in measures
        }
    )
    if lost:
        notes.append(
            f"Not published in this detail, because it could not be protected: {'; '.join(lost)}."
        )
    if changes["first"]:
        return [*notes, "The first release."]
    notes += since_notes(facts.get("since", {}), datasets)
    moved = changes["cells_of_the_population_that_moved"]
    said = {
        "New measures": changes["new_measures"],
        "As in the release before": [name for name, item in moved.items() if item["moved"] == 0],
        "Revised or added to since the release before": [
            name for name, item in moved.items() if item["moved"]
        ],
    }
    for what, names in said.items():
        # Titles contain commas and colons, so they are separated by semicolons.
        titles = sorted(measures[name].measure.title for name in names if name in measures)
        if titles:
            notes.append(f"{what}: {'; '.join(titles)}.")
    return notes
