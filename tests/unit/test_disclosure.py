"""Rounded tables add up and stay near the true counts. The disclosure audit of a release finds
nothing in them, and does find what naive rules leave open.
"""

import itertools

import pytest
from childlink_analytics.releasing.protection.attack import attack
from childlink_analytics.releasing.protection.rounding import round_cells
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.cubes import LinkedCells, link_cells
from childlink_catalogue.dimensions import Dimension
from childlink_catalogue.measures import Measure


def dimension(name, size):
    return Dimension(name, name, {f"{name}{n}": f"{name}{n}" for n in range(size)})


def measure(cubes, sizes, columns=None):
    names = dict.fromkeys(name for cube in cubes for name in cube)
    return Measure(
        id="m",
        title="M",
        description="",
        unit="children",
        view="v",
        where="TRUE",
        columns=columns or {},
        cubes=tuple(cubes),
        dimensions={name: dimension(name, sizes[name]) for name in names},
        share=None,
        mean=None,
    )


def people(seed, count, sizes):
    """People with a category in every dimension. Small cells are common."""
    state = seed
    for _ in range(count):
        person = {}
        for name, size in sizes.items():
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            person[name] = (
                f"{name}{int((state >> 33) / 2**31 * size * (state >> 40) / 2**24) % size}"
            )
        yield person


def linked(cubes, sizes, seed=1, count=300):
    everyone = list(people(seed, count, sizes))
    declared = measure(cubes, sizes)
    cells = []
    for cube in cubes:
        inner = {}
        for person in everyone:
            key = tuple(person[name] for name in cube)
            inner[key] = inner.get(key, 0) + 1
        cells.append((declared, cube, inner))
    return link_cells(cells)


SIZES = {"a": 4, "b": 5, "c": 3}
CASES = [
    ([("a", "b")], 300),
    ([("a", "b"), ("b", "c")], 400),
    ([("a", "b", "c")], 500),
    ([("a",), ("b",), ("c",)], 60),
]


@pytest.mark.parametrize(("cubes", "count"), CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_protected_tables_add_up_are_near_and_show_no_small_count(cubes, count, seed):
    cells = linked(cubes, SIZES, seed, count)
    protected = round_cells(cells, b"secret", "test")
    for margin, parts in cells.sums:
        assert protected[margin] == sum(protected[part] for part in parts)
    for cell, true in cells.counts.items():
        assert protected[cell] % disclosure.BASE == 0
        assert abs(protected[cell] - true) <= disclosure.LARGEST_ERROR
        if true in disclosure.SMALL:
            assert disclosure.show_count(disclosure.group([protected[cell]])).value is None


@pytest.mark.parametrize(("cubes", "count"), CASES)
def test_our_attacker_bounds_no_small_count(cubes, count):
    cells = linked(cubes, SIZES, 5, count)
    report = attack(cells, round_cells(cells, b"secret", "test"))
    assert report.attacked > 0
    assert report.too_tight == []
    assert report.narrowest >= disclosure.NARROWEST_INTERVAL


def test_the_same_attacker_finds_small_counts_in_exact_tables():
    cells = linked([("a", "b")], SIZES, 5, 300)
    report = attack_knowing_errors_up_to(0, cells, dict(cells.counts))
    assert len(report.too_tight) == report.attacked > 0


def test_the_same_attacker_finds_small_counts_when_only_they_are_rounded():
    cells = linked([("a", "b")], SIZES, 5, 300)
    report = attack_knowing_errors_up_to(
        2, cells, {c: 5 * round(n / 5) for c, n in cells.counts.items()}
    )
    assert report.too_tight


def attack_knowing_errors_up_to(largest, cells, published):
    return attack(
        cells, published, possible=lambda count: (max(0, count - largest), count + largest)
    )


def test_the_same_inputs_and_key_give_the_same_figures_and_another_key_gives_others():
    cells = linked([("a", "b"), ("b", "c")], SIZES, 3, 400)
    assert round_cells(cells, b"one", "r") == round_cells(cells, b"one", "r")
    assert any(
        round_cells(cells, b"one", "r") != round_cells(cells, key, "r")
        for key in (b"two", b"three", b"four")
    )


def test_cubes_that_share_columns_share_their_cells():
    cells = linked([("a", "b"), ("b", "c")], SIZES)
    shared = [cell for cell in cells.counts if len(cell) == 1 and cell[0][0] == "b"]
    assert len(shared) == SIZES["b"]
    parts_of_total = [parts for margin, parts in cells.sums if margin == ()]
    assert len(parts_of_total) == 3


def test_cubes_that_disagree_are_refused():
    declared = measure([("a",), ("b",)], SIZES)
    with pytest.raises(ValueError, match="disagree"):
        link_cells([(declared, ("a",), {("a0",): 10}), (declared, ("b",), {("b0",): 11})])


def test_every_count_has_an_allowed_value_and_small_ones_are_never_shown():
    for true in range(200):
        allowed = list(disclosure.allowed_counts(true))
        assert allowed
        assert all(abs(value - true) <= disclosure.LARGEST_ERROR for value in allowed)
        shown = [disclosure.show_count(disclosure.group([value])).value for value in allowed]
        if true in disclosure.SMALL:
            assert shown == [None] * len(allowed)


def test_linked_cells_type_is_plain():
    cells = linked([("a",)], SIZES)
    assert isinstance(cells, LinkedCells)
    assert sum(cells.counts[part] for part in cells.sums[0][1]) == cells.counts[()]
    assert set(itertools.chain(*(parts for _, parts in cells.sums))) <= set(cells.counts)
