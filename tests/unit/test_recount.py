"""Every measure of the example catalogue, counted twice: by the compiled SQL, and in pandas."""

from datetime import date

import pytest
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_catalogue.catalogue import Catalogue, bundled

from tests.attacks.answers.world import partnership, rich
from tests.support.records import with_records
from tests.support.recount import Recount, table_of

UNTIL = date(2024, 12, 31)
DECLARED = Catalogue(bundled())
MEASURES = DECLARED.measures(UNTIL)


@pytest.fixture(scope="module")
def both():
    """The SQL's counter, and the recount, of the same rows."""
    observations, links = with_records(rich(partnership(9, 900)), DECLARED).batches()
    with open_counter([observations], [links], UNTIL, declared=DECLARED) as counter:
        yield counter, Recount(DECLARED, table_of(observations, links), UNTIL)


@pytest.mark.parametrize("name", MEASURES)
def test_the_compiled_sql_counts_what_a_recount_in_pandas_counts(both, name):
    counter, recount = both
    measure = MEASURES[name]
    strata = {measure.compare.strata} if measure.compare else set()
    shown = 0
    for cube in measure.cubes:
        # The strata are fitted and not counted: tests of the score hold them.
        kept = tuple(dimension for dimension in cube if dimension not in strata)
        if measure.unit == "attendances":
            cells = {c: facts[0] for c, facts in counter.attendances(measure, kept).items()}
        else:
            cells = counter.inner_cells(measure, kept)
        found = {cell: n for cell, n in cells.items() if None not in cell and n}
        assert found == recount.cells(measure, kept), cube
        shown += len(found)
    assert shown > 0, "this partnership has nobody to count"
