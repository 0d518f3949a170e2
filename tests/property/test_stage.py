"""The stage returns what was put in: by reference, the last of several, and without rows that
repeat an earlier row's id.
"""

import tempfile
from pathlib import Path

import numpy as np
from childlink_ingest.model.items import StagedItem, StagedRow
from childlink_ingest.spool.packing import (
    BUCKETS,
    bucket_range,
    has_role,
    pack_items,
    pack_rows,
    unpack_items,
    unpack_rows,
    without_rows,
)
from childlink_ingest.spool.stage import open_stage
from hypothesis import given
from hypothesis import strategies as st

references = st.binary(min_size=16, max_size=16)
items = st.builds(
    StagedItem,
    references,
    st.sampled_from([b"", b"face"]),
    references,
    st.binary(max_size=40),
    st.none() | references,
    st.none() | references,
)


@given(st.lists(items, max_size=30))
def test_items_come_back_whole_and_by_bucket(staged):
    packed = pack_items(staged)
    back = [(bucket, item) for bucket, content in packed.items() for item in unpack_items(content)]
    assert sorted(item for _, item in back if item.companion and item.also) == sorted(
        item for item in staged if item.companion and item.also
    )
    assert len(back) == len(staged)
    for bucket, item in back:
        least, beyond = bucket_range(bucket)
        assert least <= item.reference < beyond


@given(st.lists(st.lists(items, max_size=10), max_size=4))
def test_a_stage_gives_items_in_the_order_of_references_and_of_each_the_last(chunks):
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stage(Path(folder) / "spool.sqlite") as stage,
    ):
        for chunk in chunks:
            stage.add("encodings", pack_items(chunk))
        found = [item for _, bucket in stage.items("encodings") for item in bucket]
    newest = {(item.reference, item.facet): item for chunk in chunks for item in chunk}
    assert found == [newest[key] for key in sorted(newest)]


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.none() | references, st.none() | references), max_size=30
    ),
    st.integers(1, 30),
)
def test_rows_whose_id_an_earlier_row_has_are_told_wherever_the_chunks_are_cut(drawn, size):
    rows = [
        StagedRow(at, bytes([n]) * 16, child, adult) for at, (n, child, adult) in enumerate(drawn)
    ]
    seen, expected = set(), set()
    for row in rows:
        expected |= {row.number} if row.observation in seen else set()
        seen.add(row.observation)
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stage(Path(folder) / "spool.sqlite") as stage,
    ):
        found = set()
        for at in range(0, len(rows), size):
            found |= stage.repeats(pack_rows(rows[at : at + size]).values())
    assert found == expected


@given(
    st.lists(
        st.tuples(references, st.none() | references),
        min_size=1,
        max_size=20,
        unique_by=lambda r: r[0],
    ),
    st.data(),
)
def test_a_row_is_taken_out_with_its_observation_and_the_subjects_of_no_other_row(drawn, data):
    rows = [
        StagedRow(at, observation, child, None) for at, (observation, child) in enumerate(drawn)
    ]
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    blank = b"d" * 16
    observations = pack_items(StagedItem(row.observation, b"", blank, b"") for row in rows)
    subjects = pack_items(StagedItem(row.child, b"face", blank, b"") for row in rows if row.child)
    kept, kept_observations, kept_subjects = without_rows(
        pack_rows(rows), observations, subjects, gone
    )
    left = [row for row in rows if row.number not in gone]
    assert {int(n) for content in kept.values() for n in unpack_rows(content)["number"]} == {
        r.number for r in left
    }
    assert {i.reference for c in kept_observations.values() for i in unpack_items(c)} == {
        r.observation for r in left
    }
    assert {i.reference for c in kept_subjects.values() for i in unpack_items(c)} == {
        r.child for r in left if r.child
    }


def test_rows_know_who_they_are_about():
    found = np.concatenate(
        [unpack_rows(c) for c in pack_rows([StagedRow(1, b"o" * 16, None, b"a" * 16)]).values()]
    )
    assert (has_role(found, "child").tolist(), has_role(found, "adult").tolist()) == (
        [False],
        [True],
    )
    assert bucket_range(BUCKETS - 1)[1] > b"\xff" * 16
