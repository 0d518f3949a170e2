"""How many people the graph-matching attack finds: within groups whose members the attacker knows,
or in a store whose dates the attacker does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from childlink_ingest.pseudonymise.split import Subject
from scipy.optimize import linear_sum_assignment

from tests.attacks.matching import OWN_KEYS, expected, graph_of, improve, match
from tests.attacks.population import EncodeGroup


@dataclass(frozen=True)
class Rate:
    """Share of people found, compared with the average share found by guessing within their
    groups.
    """

    people: int
    found: float
    guessed: float
    ceiling: float
    """Share that a perfect search would find: with the attacker's best assignment or the one from a
    search that starts at the truth, whichever fits better. Protection must not depend on the search
    being hard.
    """

    @property
    def gain(self) -> float:
        """Percentage points above guessing, for a perfect search."""
        return 100.0 * (max(self.found, self.ceiling) - self.guessed)

    @property
    def error(self) -> float:
        """Standard error of the gain, in percentage points, as if people were independent."""
        return 100.0 * float(np.sqrt(max(self.found * (1.0 - self.found), 1e-4) / self.people))


def rate_within_groups(
    groups: Sequence[Sequence[Subject]],
    encode: EncodeGroup,
    known: Sequence[Sequence[Subject]] | None = None,
    stored: float = 1.0,
    own_keys: int = OWN_KEYS,
) -> Rate:
    """Attack each group, knowing its members.

    `known` are the same people as the attacker has them written. `stored` is the share of a group
    that the store holds.
    """
    right = total = guessed = best = 0
    for number, (group, plain_text) in enumerate(zip(groups, known or groups, strict=True)):
        order = np.random.default_rng(number).permutation(len(group))[
            : max(1, round(stored * len(group)))
        ]
        plain, node, edge = expected(plain_text, encode, own_keys)
        target = graph_of(encode([group[index] for index in order], number), node, edge)
        found, fit = match(target, plain, number)
        near_truth, other_fit = improve(target, plain, order)
        right += int((found == order).sum())
        best += int(((near_truth if other_fit < fit - 1e-6 else found) == order).sum())
        total += len(order)
        guessed += len(order) / len(group)
    return Rate(total, right / total, guessed / total, best / total)


def rate_without_dates(
    groups: Sequence[Sequence[Subject]], encode: EncodeGroup, own_keys: int = OWN_KEYS
) -> Rate:
    """Attack a whole store. Block tokens show which records share a date of birth; the attacker
    does not know which date.

    The attacker tries each block with each date that has as many people, and takes the dates that
    fit best together.
    """
    plains, nodes, edges = zip(
        *(expected(group, encode, own_keys) for group in groups), strict=True
    )
    sizes = np.array([len(group) for group in groups])
    # One unit for all, so that misfits can be compared.
    node, edge = (
        float(np.mean(nodes)),
        float(np.mean([e for e, s in zip(edges, sizes, strict=True) if s > 1] or [1.0])),
    )
    plains = [
        type(plain)(plain.ones * n / node, plain.apart * e / edge)
        for plain, n, e in zip(plains, nodes, edges, strict=True)
    ]
    orders = [np.random.default_rng(number).permutation(size) for number, size in enumerate(sizes)]
    misfits = np.full((len(groups), len(groups)), 1e12)
    found = {}
    for block, (group, order) in enumerate(zip(groups, orders, strict=True)):
        target = graph_of(encode([group[index] for index in order], block), node, edge)
        for day in np.flatnonzero(sizes == sizes[block]):
            found[block, int(day)], misfits[block, day] = match(target, plains[day], starts=6)
    days = linear_sum_assignment(misfits)[1]
    right = sum(
        int((found[block, block] == orders[block]).sum())
        for block, day in enumerate(days)
        if day == block
    )
    total = int(sizes.sum())
    return Rate(total, right / total, len(set(sizes.tolist())) / total, right / total)
