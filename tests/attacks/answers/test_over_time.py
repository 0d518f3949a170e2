"""A series of releases, attacked as one. `over_time` has the full attack; this is a small one."""

from dataclasses import replace

import pytest

from tests.attacks.answers.over_time import attack, catalogues, worlds
from tests.attacks.answers.world import Hub, partnership


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Three releases of a changing partnership."""
    hub = Hub(tmp_path_factory.mktemp("releases"), measures={})
    series = zip(range(3), worlds(partnership, 200, 7), catalogues(), strict=False)
    for number, world, measures in series:
        hub.measures = {
            name: measures[name]
            for name in ("asq3_by_dose", "asq3_by_mother_engaged", "linkage_rate", "review_missed")
        }
        hub.cut(world, f"r{number + 1}")
    return hub


def test_late_rows_withdrawals_and_people_who_turn_out_to_be_one_tell_nothing(hub):
    found = attack(hub, 150)
    assert found["targets"] > 30
    assert (found["exact"], found["within_2"], found["wrong"]) == (0, 0, 0)


def test_the_same_attack_finds_small_counts_if_each_figure_is_rounded_to_the_nearest_five(hub):
    """The usual rule, with no programme behind it and no memory of the release before."""
    weak = replace(hub, cuts=[])
    for cut in hub.cuts:
        populations = [
            replace(
                item,
                cells=replace(
                    item.cells,
                    protected={cell: 5 * round(n / 5) for cell, n in item.cells.counts.items()},
                ),
            )
            for item in cut.populations
        ]
        weak.cuts.append(replace(cut, populations=populations))
    found = attack(weak, 150, largest_error=2)
    assert found["within_2"] > 20
