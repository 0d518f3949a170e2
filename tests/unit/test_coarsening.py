"""What cannot be protected is published coarser, in the catalogue's order, and the release says so.
Counts that two populations share leave room for both.
"""

import json
from dataclasses import replace

import pytest
from childlink_analytics.errors import ProtectionError
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.protection.attack import attack, small_differences
from childlink_analytics.releasing.release import cut as cutting
from childlink_analytics.releasing.release.coarsening import coarsened
from childlink_analytics.shared.change_notes import change_notes
from childlink_analytics.shared.cubes import LinkedCells
from childlink_analytics.shared.release_files import read_release
from childlink_catalogue.catalogue import catalogue

from tests.attacks.answers.world import UNTIL, Hub, partnership

MEASURES = catalogue(UNTIL)


def cubes_of(measures):
    return {measure.id: measure.cubes for measure in measures}


def test_the_last_dimension_of_the_last_cube_of_the_last_measure_goes_first():
    first, last = MEASURES["asq3_communication"], MEASURES["asq3_by_dose"]
    rest, (measure, cube) = coarsened([first, last])
    assert (measure.id, cube) == ("asq3_by_dose", ("level", "services_before"))
    assert cubes_of(rest)[first.id] == first.cubes
    # The outcome stays: an answer gives the share of its categories. It is in the other cube.
    assert cubes_of(rest)[last.id] == (("level", "sessions_before"),)
    assert "services_before" not in rest[1].dimensions


def test_a_measure_of_a_greater_rank_goes_before_one_that_is_declared_later():
    first = replace(MEASURES["asq3_communication"], rank=9)
    rest, (measure, _) = coarsened([first, MEASURES["asq3_by_dose"]])
    assert measure.id == "asq3_communication"
    assert cubes_of(rest)["asq3_by_dose"] == MEASURES["asq3_by_dose"].cubes


def test_only_cubes_with_a_cell_that_was_found_become_coarser():
    measures = [MEASURES["asq3_by_dose"], MEASURES["asq3_by_birth"]]
    found = [(("overall", "below"), ("sessions_before", "none"))]
    _, (measure, cube) = coarsened(measures, found)
    assert (measure.id, cube) == ("asq3_by_dose", ("level", "sessions_before"))


def test_what_is_compared_stays_only_while_a_cube_has_both_dimensions():
    measure = MEASURES["asq3_by_mother_engaged"]
    assert measure.compare
    rest, _ = coarsened([measure])
    assert rest[0].cubes == (("engaged", "level"),)
    assert rest[0].compare is None


def test_a_dimension_within_another_goes_with_it():
    measure = MEASURES["participants"]
    inner = next(name for name, item in measure.dimensions.items() if item.within)
    outer = measure.dimensions[inner].within
    measure = measure.with_cubes([(inner, outer)])
    assert coarsened([measure]) is None, "nothing is left"


def test_in_the_end_nothing_is_left():
    rest = [MEASURES["asq3_by_dose"]]
    steps = 0
    while found := coarsened(rest):
        rest, _ = found
        steps += 1
    assert steps == 2


def test_a_release_goes_out_without_what_cannot_be_protected_and_says_so(tmp_path, monkeypatch):
    real = cutting.protect

    def stubborn(population, measures, linked, *more, **named):
        if any("ethnicity" in cube for measure in measures for cube in measure.cubes):
            found = [cell for cell in linked.counts if "ethnicity" in dict(cell)]
            raise ProtectionError("Too tight.", "Use a coarser level.", found)
        return real(population, measures, linked, *more, **named)

    monkeypatch.setattr(cutting, "protect", stubborn)
    names = ("reach_children", "breastfeeding", "sessions_per_child")
    hub = Hub(tmp_path, measures={name: MEASURES[name] for name in names})
    done = hub.cut(partnership(1, 300), "r1")
    release = read_release(tmp_path, "r1")
    assert release.measures.keys() == set(names)
    for item in release.measures.values():
        assert not any("ethnicity" in cube for cube in item.measure.cubes)
        assert all("ethnicity" not in dict(cell) for cell in item.cells)
    lost = json.loads((tmp_path / "r1" / "manifest.json").read_text())["not_protected"]
    assert lost == done.not_protected
    assert {item["measure"] for item in lost} >= {"reach_children", "breastfeeding"}
    notes = change_notes(release.manifest, release.measures)
    assert any("could not be protected" in note and "ethnicity" in note for note in notes)


def test_a_population_of_which_nothing_can_be_protected_does_not_stop_the_release(
    tmp_path, monkeypatch
):
    real = cutting.protect

    def stubborn(population, *more, **named):
        if population.startswith("reached_child"):
            raise ProtectionError("Too tight.", "Use a coarser level.")
        return real(population, *more, **named)

    monkeypatch.setattr(cutting, "protect", stubborn)
    hub = Hub(tmp_path, measures={n: MEASURES[n] for n in ("reach_children", "breastfeeding")})
    hub.cut(partnership(1, 300), "r1")
    assert read_release(tmp_path, "r1").measures.keys() == {"breastfeeding"}
    monkeypatch.setattr(cutting, "protect", lambda *_, **__: stubborn("reached_child"))
    with pytest.raises(ProtectionError, match="Nothing of r2"):
        hub.cut(partnership(1, 300), "r2")
    assert not (tmp_path / "r2").exists()


@pytest.mark.parametrize("children", [60, 500])
def test_counts_that_two_populations_share_leave_room_for_a_third_that_has_both(children):
    """With 500 children, 27 of 29 outside the borough are reached, and 23 are reviewed. If these
    are rounded to 30 and 20 first, no count of all of them fits both.
    """
    names = ("asq3_overall", "reach_children", "linkage_rate", "reached_of_known", "review_missed")
    measures = {name: MEASURES[name] for name in names}
    plan = cutting.CutPlan("r1", 1, UNTIL.isoformat(), measures)
    observations, links = partnership(1, children).batches()
    with open_counter([observations], [links], UNTIL) as counter:
        outcomes = cutting.protect_all(measures, plan, counter, b"s" * 32)
    assert [lost for _, lost in outcomes] == [[], [], []]
    cells = {item.population: item.cells.protected for item, _ in outcomes}
    everybody = cells["linked_child WHERE TRUE"]
    shared = 0
    for cell, value in cells["reached_child WHERE TRUE"].items():
        same = tuple(sorted([*cell, ("in_attendance", "reached")]))
        if same in everybody:
            assert everybody[same] == value
            shared += 1
    assert shared > 10


def test_a_small_difference_of_two_counts_is_attacked_like_a_small_count():
    one, other = (("service", "a"),), (("service", "b"),)
    covered = LinkedCells({(): 43, one: 40, other: 20}, [], covers=[((), [one, other])])
    assert list(small_differences(covered).values()) == [(one, ())]
    exactly = lambda protected: (protected, protected)  # noqa: E731
    report = attack(covered, covered.counts, possible=exactly)
    assert set(report.too_tight) == {(), one}
    assert attack(covered, {(): 45, one: 40, other: 20}).too_tight == []
