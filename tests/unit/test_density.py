"""The linker counts how many children share a date of birth, and says when that is more than the
profile is issued for.
"""

from threading import Event

import numpy as np
import pytest
from childlink_core.profiles import get_profile
from childlink_linker import app
from childlink_linker.matching.density import ChildrenOfADate, Density
from childlink_linker.matching.encodings import row_type, to_columns

PROFILE = get_profile()


def encodings(tokens, roles=None, profile=PROFILE):
    table = np.zeros(len(tokens), dtype=row_type(profile))
    table["role"] = roles or 1
    table["token 1"] = tokens
    return to_columns(table, profile)


def test_a_child_counts_once_for_its_date_however_many_records_it_has():
    dates = ChildrenOfADate(PROFILE)
    dates.add(encodings([7, 7, 7, 8]), ["a", "a", "b", "c"])
    dates.add(encodings([7, 0, 9]), ["a", "d", "e"])
    assert dates.density() == Density(usual=1, most=2, issued_for=10)


def test_adults_and_who_has_no_date_do_not_count():
    dates = ChildrenOfADate(PROFILE)
    dates.add(encodings([7, 0], [2, 1]), ["a", "b"])
    assert dates.density() is None


def test_a_profile_of_clks_is_issued_for_no_number_of_births():
    profile = get_profile("clk-2026a-dob")
    dates = ChildrenOfADate(profile)
    dates.add(to_columns(np.zeros(1, dtype=row_type(profile)), profile), ["a"])
    assert dates.density() is None


@pytest.mark.parametrize(
    ("usual", "says"),
    [
        (10, "nothing to do"),
        (11, "move to cl-2026e-dense: docs/runbooks/ProfileOutgrown.md"),
        (21, "no profile is issued for so many"),
    ],
)
def test_who_outgrows_a_profile_is_told_the_next(usual, says):
    assert Density(usual, 300, 10).advice().startswith(says)
    assert Density(usual, 300, 10).outgrown is (usual > 10)


def test_one_date_that_stands_for_unknown_dates_outgrows_nothing():
    dates = ChildrenOfADate(PROFILE)
    dates.add(encodings([1] * 50 + [2, 3]), [str(n) for n in range(52)])
    assert dates.density() == Density(usual=1, most=50, issued_for=10)


def test_a_running_linker_counts_and_sets_its_gauges(monkeypatch, tmp_path):
    from childlink_local.broker import mock_broker
    from childlink_local.workspace import create_workspace

    monkeypatch.setattr(app, "_FIRST_DENSITY_S", 0.0)
    stop = Event()
    found = []

    def counted(store, profile):
        stop.set()
        found.append(profile.id)
        return Density(14, 20, 10)

    monkeypatch.setattr(app, "children_of_a_date", counted)
    with mock_broker() as address:
        layout = create_workspace(tmp_path / "w", ["trust-a"], address)
        metrics = app.LinkerMetrics()
        linker = app.build(layout.linker, metrics)
        linker.watch_density(stop)
        linker.close()
    assert found == [PROFILE.id]
    assert metrics.children_of_a_date._value.get() == 14
    assert metrics.births_a_day._value.get() == 10
