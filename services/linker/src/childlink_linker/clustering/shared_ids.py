"""Finds local ids that a partner gave to different people: the records of one subject contradict
each other. Rule: arrays in, ids out.

Ingest stops an extract with such ids; older versions of ingest do not. The linker treats one
partner's id as one person, so a shared id would join all the people it was given to. It is
therefore not linked until the partner's records agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.blocking import DOB_PASS
from childlink_linker.matching.encodings import from_rows, row_type
from childlink_linker.matching.similarity import LIKE_STRANGERS, dice
from childlink_linker.records import StoredRecord

_FEWEST_WITHOUT_NUMBERS = 3


def shared_ids(records: Sequence[StoredRecord], profile: Profile) -> set[int]:
    """Subject ids with records that contradict each other.

    Either two of the records differ in both NHS number and date of birth, or there are at least
    three records and they all differ in date of birth. The contradicting records must also have no
    NHS number and no token of any pass in common.
    """
    of_subject: dict[int, list[int]] = defaultdict(list)
    for at, record in enumerate(records):
        of_subject[record.subject_id].append(at)
    several = {subject: at for subject, at in of_subject.items() if len(at) > 1}
    if not several:
        return set()
    left, right, owner = _pairs(several)
    if profile.clk_pass:
        return _unlike(records, left, right, owner, profile)
    table = np.frombuffer(b"".join(record.encoding for record in records), dtype=row_type(profile))
    tokens = [table["nhs"], *(table[f"token {item.number}"] for item in profile.passes)]
    versions = table["key_version"]
    comparable = versions[left] == versions[right]
    agree = np.zeros(len(left), dtype=bool)
    for column in tokens:
        agree |= (column[left] != 0) & (column[left] == column[right])
    apart = comparable & ~agree & _both_differ(table[f"token {DOB_PASS}"], left, right)
    shared = set(owner[apart & _both_differ(table["nhs"], left, right)].tolist())
    pairs_apart = Counter(owner[apart].tolist())
    for subject, pairs in pairs_apart.items():
        count = len(several[subject])
        if count >= _FEWEST_WITHOUT_NUMBERS and pairs == count * (count - 1) // 2:
            shared.add(subject)
    return shared


def _unlike(
    records: Sequence[StoredRecord],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    owner: NDArray[np.int64],
    profile: Profile,
) -> set[int]:
    """The same under a profile of CLKs: two records whose CLKs are as unlike as strangers' and
    whose NHS numbers do not agree.
    """
    rows = from_rows((record.encoding for record in records), profile)
    nhs = rows.nhs
    comparable = rows.key_version[left] == rows.key_version[right]
    same_number = (nhs[left] == nhs[right]) & (nhs[left] != 0)
    # NaN, where the CLKs cannot be compared, is never below.
    unlike = dice(rows, left, right, profile) < LIKE_STRANGERS
    return set(owner[comparable & unlike & ~same_number].tolist())


def without_shared_ids(
    records: Iterable[StoredRecord],
    shared: set[int],
    edges: Iterable[tuple[int, int]],
    verdicts: Mapping[tuple[int, int], int],
) -> tuple[list[tuple[int, int]], dict[tuple[int, int], int]]:
    """The edges (pairs of record ids) and verdicts (pairs of subject ids) that do not involve a
    shared id.
    """
    barred = {record.record_id for record in records if record.subject_id in shared}
    return (
        [pair for pair in edges if barred.isdisjoint(pair)],
        {pair: verdict for pair, verdict in verdicts.items() if shared.isdisjoint(pair)},
    )


def _pairs(
    groups: Mapping[int, Sequence[int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of records of one subject, and the subject of each pair."""
    left, right, owner = [], [], []
    for subject, at in groups.items():
        for number, one in enumerate(at):
            for other in at[number + 1 :]:
                left.append(one)
                right.append(other)
                owner.append(subject)
    return (
        np.array(left, dtype=np.int64),
        np.array(right, dtype=np.int64),
        np.array(owner, dtype=np.int64),
    )


def _both_differ(
    column: NDArray[np.uint64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    differ: NDArray[np.bool_] = (
        (column[left] != 0) & (column[right] != 0) & (column[left] != column[right])
    )
    return differ
