"""No holder of an analyst's token finds a small count, with any questions and with full knowledge
of the method and of their own rows.

A claim is an interval that certainly contains a count. In an interval of up to five values, one
guess is certainly within 2. The tests require that no claim is exact or within 2.
`CHILDLINK_ATTACK_FULL=1` attacks the whole catalogue with 1,000 groupings a table, and prints one
JSON line.
"""

import itertools
import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.protection.attack import AttackReport, attack, attack_as_partner
from childlink_analytics.releasing.release import cut as cut_release
from childlink_analytics.releasing.release.cut import count as count_cells
from childlink_analytics.releasing.release.cut import count_attendances, protect
from childlink_analytics.shared import disclosure
from childlink_analytics.shared.completeness import about_all
from childlink_analytics.shared.cubes import LinkedCells
from childlink_analytics.shared.disclosure import possible_counts
from childlink_analytics.shared.release_files import measure_content
from childlink_catalogue.catalogue import catalogue
from childlink_client import ClientError

from tests.attacks.answers.analyst import Analyst, attendances
from tests.attacks.answers.bounds import Claim, Knowledge, joint, possible, public_facts, score
from tests.attacks.answers.nhs import NhsRule, nhs_means, recover
from tests.attacks.answers.world import UNTIL, Hub, World, counts_of, partnership

FULL = bool(os.environ.get("CHILDLINK_ATTACK_FULL"))
MEASURES = {
    name: measure
    for name, measure in catalogue(UNTIL).items()
    if FULL
    or name
    in (
        "reach_children",
        "services_per_child",
        "sessions_per_child",
        "participants",
        "linkage_rate",
        "immunisation",
        "ncmp_weight",
        "change_mental_health",
        "pathways",
        "services_per_family",
        "attendances",
    )
}
PARTNERS = ("charity", "council", "gp", "trust")
# One measure of each population, so that the attack covers everything that connects its cells.
POOLED = {
    name: MEASURES[name]
    for name in ("services_per_child", "linkage_rate", "immunisation", "ncmp_weight")
}
FEW = {
    name: MEASURES[name]
    for name in ("reach_children", "sessions_per_child", "linkage_rate", "immunisation")
}


@pytest.fixture(scope="module", autouse=True)
def total():
    """At the end, print the number of questions that the servers counted."""
    yield
    print(json.dumps({"attack": "all of them", "questions": Hub.questions()}))


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A release of a partnership with many small cells."""
    hub = Hub(tmp_path_factory.mktemp("releases"), measures=MEASURES)
    hub.cut(partnership(1, 800), "r1")
    return hub


@pytest.fixture(scope="module")
def client(hub):
    with hub.analyst() as client:
        yield client


@pytest.fixture(scope="module")
def analyst(hub, client):
    """An analyst who has found every protected count that can be found."""
    analyst = Analyst(client, hub.measures)
    analyst.unmask()
    return analyst


def truth_of(hub, release=-1):
    truth = hub.truth(release)
    return lambda at: truth[at[0]].counts[at[1]]


def everything(analyst, largest_error):
    """Everything that one release and public knowledge say."""
    knowledge = Knowledge()
    knowledge.add_release(analyst.linked, analyst.known, largest_error, analyst.attendances)
    knowledge.lines += public_facts(analyst.linked)
    return knowledge


def small_cells(hub, at_most=10**9):
    """Small counts of people. For attendances, the sensitive cells are attacked."""
    people = {
        name: item for name, item in hub.truth().items() if name not in attendances(hub.measures)
    }
    cells = [
        (name, cell)
        for name, item in people.items()
        for cell, n in item.counts.items()
        if n in disclosure.SMALL
    ]
    return (
        cells
        if len(cells) <= at_most
        else [cells[at] for at in np.random.default_rng(1).permutation(len(cells))[:at_most]]
    )


def test_an_analyst_does_find_out_the_protected_counts_behind_less_than_10(hub, analyst):
    protected = {
        (name, cell): n for name, item in hub.truth().items() for cell, n in item.protected.items()
    }
    found = {(name, cell): n for name, cells in analyst.known.items() for cell, n in cells.items()}
    assert all(protected[at] == n for at, n in found.items())
    assert len(found) > 0.8 * len(protected), "otherwise the attacks below would prove little"


def test_linear_and_integer_bounds_over_everything_published_find_no_small_count(
    hub, analyst, client
):
    knowledge = everything(analyst, client.describe()["largest_error"])
    claims = knowledge.bound(small_cells(hub, 10**9 if FULL else 120))
    found = score(claims, truth_of(hub))
    tell("bounds", hub, analyst, **asdict(found))
    assert found.targets > 100
    assert found.wrong == 0
    assert not found.broken


def test_the_same_bounds_find_no_attendances_of_a_few_or_of_one_who_makes_most(
    hub, analyst, client
):
    """With all other knowledge as well: people who were reached attended, as often as their
    sessions say.
    """
    [measure] = [item for item in hub.measures.values() if item.unit == "attendances"]
    observations, links = partnership(1, 800).batches()
    with open_counter([observations], [links], UNTIL) as counter:
        unsafe = count_attendances([measure], counter)[1]
    claims = everything(analyst, client.describe()["largest_error"]).bound(
        ((measure.population, cell) for cell in unsafe), whole_below=max(unsafe.values()) + 1
    )
    too_tight = [at for at, claim in claims.items() if claim.width < unsafe[at[1]]]
    widths = [claim.width / unsafe[at[1]] for at, claim in claims.items()]
    tell(
        "attendances",
        hub,
        analyst,
        targets=len(claims),
        too_tight=len(too_tight),
        narrowest_of_needed=min(widths),
    )
    assert len(claims) > 20
    assert too_tight == []


def test_the_same_bounds_find_small_counts_of_a_release_whose_figures_moved_by_at_most_4(
    hub, analyst
):
    """These are bounds only. For that reason a release must not tell how far its own figures
    moved.
    """
    truth = {
        name: item for name, item in hub.truth().items() if name not in attendances(hub.measures)
    }
    linked = {name: analyst.linked[name] for name in truth}
    knowledge = Knowledge()
    knowledge.add_release(
        linked, {name: item.protected for name, item in truth.items()}, disclosure.LARGEST_ERROR
    )
    for name, item in truth.items():
        for cell, n in item.protected.items():
            if abs(n - item.counts[cell]) <= 4:
                knowledge.narrow((name, cell), n - 4, n + 4)
    claims = {at: Claim(*knowledge.intervals[at]) for at in small_cells(hub)}
    assert score(claims, truth_of(hub)).within_2 > 100


def test_a_release_does_not_tell_how_far_its_figures_moved_nor_how_many_counts_are_small(
    hub, client
):
    told = client.describe()
    moved = max(item.largest_error for item in hub.cuts[0].populations)
    assert moved < disclosure.LARGEST_ERROR == told["largest_error"]
    assert "attacked" not in told
    manifest = json.loads((hub.folder / "r1" / "manifest.json").read_text())
    assert "attacked" not in manifest
    content = json.loads((hub.folder / "r1" / "release.json").read_text())
    assert {item["rounding_sd"] for item in content["measures"]} == {2.0}


def test_a_partner_cannot_count_the_rows_of_others_by_adding_its_own():
    """Numbers of rows are rounded to a hundred, from an offset that only the release's key
    gives.
    """
    turns = {
        secret: next(n for n in range(100, 201) if about_all(n, secret, "eyfs") == 200)
        for secret in (b"one", b"two", b"three")
    }
    assert len(set(turns.values())) == 3, "the rounding offset differs from key to key"
    assert {about_all(n, b"one", "eyfs") for n in range(1, 101)} == {100}
    assert all(abs(about_all(n, b"one", "eyfs") - n) <= 100 for n in range(1, 1_000))


def test_no_grouping_says_more_than_the_sum_of_protected_counts(hub, analyst):
    """One-filter differences, complements, three-set splits, random groupings: each answer is a sum
    of counts that are already known.
    """
    rng = np.random.default_rng(2)
    before, checked = analyst.questions, 0
    for measure in hub.measures.values():
        exclusive = [n for n, d in measure.dimensions.items() if not d.overlapping and not d.within]
        for cube in measure.cubes:
            names = [name for name in cube if name in exclusive]
            for _ in range(1_000 if FULL else 25):
                kept = [name for name in names if rng.random() < 0.7]
                by = [name for name in names if name not in kept and rng.random() < 0.5]
                where = {}
                for name in kept:
                    categories = list(measure.dimensions[name].categories)
                    size = int(rng.integers(1, len(categories) + 1))
                    where[name] = [
                        categories[at]
                        for at in sorted(rng.permutation(len(categories))[:size].tolist())
                    ]
                told = analyst.ask(measure.id, by, where)
                for count, expected in zip(
                    told.values(), analyst.expected(measure, by, where), strict=True
                ):
                    if count is not None and expected is not None:
                        assert count == expected
                        checked += 1
    tell("groupings", hub, analyst, asked=analyst.questions - before, answers_checked=checked)
    assert checked > 300


def test_asking_again_or_otherwise_gives_the_same_answer(client, hub):
    every = list(hub.measures["reach_children"].dimensions["residence"].categories)
    by = ["ethnicity", "imd_quintile"]
    first = client.ask("reach_children", by).cells
    for other in (
        client.ask("reach_children", by),
        client.ask("reach_children", by, {}),
        client.trend("reach_children", by).points[0],
    ):
        assert other.cells == first
    turned = {
        cell.categories[::-1]: cell.count for cell in client.ask("reach_children", by[::-1]).cells
    }
    assert turned == {cell.categories: cell.count for cell in first}
    assert (
        client.ask("reach_children", where={"residence": every}).cells
        == client.ask("reach_children").cells
    )


def test_a_mean_is_made_of_protected_bands_so_that_one_child_more_does_not_show(analyst, hub):
    measure = hub.measures["sessions_per_child"]
    bands = measure.dimensions["sessions"].midpoints
    known = analyst.known[measure.population]
    [cell] = analyst.client.ask("sessions_per_child").cells
    counts = {band: known[(("sessions", band),)] for band in bands}
    assert cell.estimate == pytest.approx(
        sum(bands[b] * n for b, n in counts.items()) / sum(counts.values()), abs=1e-12
    )


def test_three_releases_of_a_changing_store_find_nothing_even_for_who_knows_each_change(tmp_path):
    """Between releases, 1 to 7 children come and go. The attacker is told by how many each count
    changed.
    """
    hub = Hub(tmp_path, measures=FEW)
    world = partnership(3, 400)
    hub.cut(world, "r1")
    world = world.with_rows(partnership(31, 5, first=9_000).rows)
    hub.cut(world, "r2")
    hub.cut(world.without(set(world.children[10:14])), "r3")
    told, questions = asked(hub)
    claims, truth = over_releases(hub, told)
    found = score(claims, lambda at: truth[at])
    tell("three releases", hub, None, **asdict(found), asked=questions)
    assert found.targets > 50
    assert found.wrong == 0
    assert not found.broken


def test_a_partner_who_adds_many_made_up_children_each_time_finds_nothing_certain(tmp_path):
    """Changes too large for the audit of a release to take as known: 20 to 60 synthetic children a
    release, known to the attacker who made them up.
    """
    hub = Hub(tmp_path, measures=FEW)
    world = partnership(4, 300)
    fakes: list = []
    for release in range(4):
        hub.cut(world.with_rows(fakes), f"r{release + 1}")
        fakes = [*fakes, *partnership(40 + release, 60, first=20_000 + 1_000 * release).rows]
    own = [
        counts_of(World([row for row in fakes if row.person < 20_000 + 1_000 * release]), FEW)
        for release in range(4)
    ]
    claims, right, near = {}, 0, 0
    first, (known, questions) = hub.truth(0), asked(hub)
    for name, item in first.items():
        for cell, count in item.counts.items():
            if count in disclosure.SMALL:
                told = []
                for release in range(4):
                    low, high = possible(known[release][name].get(cell))
                    made_up = own[release][name][cell]
                    told.append((max(0, low - made_up), high - made_up))
                claims[name, cell] = joint(told)
                guesses = [
                    known[release][name][cell] - own[release][name][cell]
                    for release in range(4)
                    if cell in known[release][name]
                ]
                if guesses:
                    right += round(float(np.mean(guesses))) == count
                    near += abs(float(np.mean(guesses)) - count) <= 2
    found = score(claims, lambda at: first[at[0]].counts[at[1]])
    tell(
        "made-up children",
        hub,
        None,
        **asdict(found),
        asked=questions,
        uncertain_guesses_right=right,
        uncertain_guesses_within_2=near,
    )
    assert found.wrong == 0
    assert not found.broken


def test_each_partner_knows_its_own_rows_and_finds_nothing_of_the_others(tmp_path):
    """One partner has sent real and made-up children of its own. What remains of each count is a
    target if it is 1 to 7.
    """
    hub = Hub(tmp_path, measures=FEW)
    mine = partnership(99, 300, first=100_001)
    hub.cut(partnership(5, 400).with_rows(mine.rows), "r1")
    own, truth = counts_of(mine, FEW), hub.truth()
    [known], questions = asked(hub)
    claims, known_error = {}, {}
    moved = max(item.largest_error for item in hub.cuts[0].populations)
    for name, item in truth.items():
        for cell in item.counts:
            protected = known[name].get(cell)
            low, high = possible(protected)
            n = own[name][cell]
            claims[name, cell] = Claim(max(low - n, 0), high - n)
            if protected is not None:
                known_error[name, cell] = Claim(max(low - n, 0), min(high, protected + moved) - n)
    found = score(claims, lambda at: truth[at[0]].counts[at[1]] - own[at[0]][at[1]])
    told = score(known_error, lambda at: truth[at[0]].counts[at[1]] - own[at[0]][at[1]])
    tell(
        "as a partner",
        hub,
        None,
        **asdict(found),
        asked=questions,
        within_2_if_the_largest_error_were_told=told.within_2,
    )
    assert found.targets > 100
    assert not found.broken
    assert told.within_2 > 0, (
        "the same partner succeeds if a release tells how far its figures moved"
    )


@pytest.mark.parametrize(
    "pool",
    [*itertools.combinations(PARTNERS, 2), *itertools.combinations(PARTNERS, 3)],
    ids=" and ".join,
)
def test_partners_who_pool_their_rows_find_nothing_of_the_others(small, pool):
    """The audit of a release simulates each partner alone. Several partners who collude, against
    their agreements, are tested only here.
    """
    hub, world = small
    together = World(
        [replace(row, partner="pool" if row.partner in pool else row.partner) for row in world.rows]
    )
    observations, links = together.batches()
    attacked, found = 0, []
    with open_counter([observations], [links], UNTIL) as counter:
        for measure in POOLED.values():
            own = count_cells([measure], counter, "pool").counts
            linked = count_cells([measure], counter)
            report = attack_as_partner(linked, hub.truth()[measure.population].protected, own)
            attacked, found = attacked + report.attacked, found + report.too_tight
    tell(f"pool of {', '.join(pool)}", hub, None, targets=attacked, too_tight=len(found))
    assert found == []


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A release of a small partnership. With one partner less, few children remain that the
    colluding partners do not know.
    """
    world = partnership(8, 150)
    hub = Hub(tmp_path_factory.mktemp("small"), measures=POOLED)
    hub.cut(world, "r1")
    return hub, world


def test_the_cut_refuses_figures_from_which_a_partner_would_find_the_only_child_of_another():
    """32 of 33 children are the partner's own, and the figure is 8 too low. Then there are at most
    2 others.
    """
    linked = LinkedCells({(): 33}, [])
    assert 25 in disclosure.allowed_counts(33)
    assert attack(linked, {(): 25}).too_tight == [], "everyone else learns nothing from it"
    assert attack_as_partner(linked, {(): 25}, {(): 32}).too_tight == [()]
    assert attack_as_partner(linked, {(): 35}, {(): 32}).too_tight == []


@pytest.mark.parametrize("others", [1, 2, 5])
def test_what_a_partner_would_find_out_is_rounded_again_until_it_does_not(others):
    for true in range(9, 60):
        linked, own = LinkedCells({(): true}, []), {(): true - others}
        done = protect("p", [], linked, bytes([true]), "r", own=[own])
        assert attack_as_partner(linked, done.cells.protected, own).too_tight == []


def test_a_cut_knows_whom_each_partner_knows():
    """Without that, the audit of a release would simulate no partner."""
    observations, links = partnership(1, 200).batches()
    with open_counter([observations], [links], UNTIL) as counter:
        everybody = count_cells([MEASURES["linkage_rate"]], counter).counts[()]
        partners = counter.partners(MEASURES["linkage_rate"])
        known = [
            count_cells([MEASURES["linkage_rate"]], counter, partner).counts[()]
            for partner in partners
        ]
        assert len(partners) > 1
        assert all(0 < count < everybody for count in known)
        assert counter.partners(MEASURES["reach_children"]) == [], (
            "a partner that sends all attendances has no others to find"
        )


def test_the_nhs_rule_on_each_answer_falls_to_the_same_groupings_that_find_nothing_here(
    hub, client
):
    """Otherwise the attacks above would prove nothing."""
    measure = hub.measures["reach_children"]
    one, other = (
        list(measure.dimensions[name].categories) for name in ("ethnicity", "imd_quintile")
    )
    counts = np.array(
        [
            [
                hub.truth()[measure.population].counts[(("ethnicity", a), ("imd_quintile", b))]
                for b in other
            ]
            for a in one
        ]
    )

    def ask(rows, columns):
        where = {
            "ethnicity": [one[at] for at in rows],
            "imd_quintile": [other[at] for at in columns],
        }
        return client.ask("reach_children", where=where).cells[0].count

    def means(said, cells):
        most = possible_counts(disclosure.BASE)[1]
        return (0, most * cells) if said is None else (max(0, said - 9 * cells), said + 9 * cells)

    shape = (len(one), len(other))
    small = (counts >= 1) & (counts <= 7)
    nhs, ours = (
        recover(NhsRule(counts).ask, nhs_means, shape, 1_500),
        recover(ask, means, shape, 400),
    )
    exact = {
        name: int(((low == high) & small).sum())
        for name, (low, high) in {"nhs": nhs, "ours": ours}.items()
    }
    within = {
        name: int(((high - low < 5) & small).sum())
        for name, (low, high) in {"nhs": nhs, "ours": ours}.items()
    }
    tell("groupings of one table", hub, None, small=int(small.sum()), exact=exact, within_2=within)
    assert (nhs[0] <= counts).all()
    assert (counts <= nhs[1]).all()
    assert exact["nhs"] > 0.8 * small.sum() > 0
    assert exact["ours"] == within["ours"] == 0


def test_refusals_say_the_same_whatever_the_store_holds(tmp_path):
    said = []
    for children in (1, 60):
        hub = Hub(tmp_path / str(children), measures={"immunisation": MEASURES["immunisation"]})
        hub.cut(partnership(6, children), "r1")
        with hub.analyst() as client:
            said.append([refusal(client, *question) for question in WRONG])
    assert said[0] == said[1]
    assert all(said[0])


def test_what_is_served_is_made_of_protected_counts_alone_so_that_no_time_it_takes_can_tell_more(
    monkeypatch,
):
    """An attacker is assumed to know every protected count. The answering process has nothing else,
    so its answers, its errors and its timing cannot depend on anything else.
    """
    measure = MEASURES["immunisation"]
    with open_counter(
        [*partnership(1, 200).batches()[:1]], [partnership(1, 200).batches()[1]], UNTIL
    ) as counter:
        linked = count_cells([measure], counter)
    rounded = cut_release.round_cells(linked, b"secret", "r")
    served = []
    for moved in (0, 1):
        # Another truth behind the same protected counts: one more in each count, if that keeps all
        # margins.
        counts = (
            {cell: n + moved * len(linked.counts) for cell, n in linked.counts.items()}
            if moved
            else linked.counts
        )
        monkeypatch.setattr(cut_release, "round_cells", lambda *_: dict(rounded))
        monkeypatch.setattr(cut_release, "attack", lambda *_: AttackReport(0, [], 99))
        done = protect("p", [measure], replace(linked, counts=counts), b"secret", "r")
        [content] = [measure_content(item) for item in done.published]
        served.append({name: value for name, value in content.items() if name != "rounding_sd"})
    assert served[0] == served[1]
    assert json.dumps(served[0]).count(str(max(rounded.values()))) >= 1


WRONG = [
    ("immunisatio",),
    ("immunisation", ["service"]),
    ("immunisation", ["ethnicity", "imd_quintile"]),
    ("immunisation", ["immunised"] * 2),
    ("immunisation", [], {"ethnicity": "purple"}),
    ("immunisation", [], {"ethnicity": []}),
    ("immunisation", [], {}, "r9"),
]


def refusal(client, *question):
    try:
        client.ask(*question)
    except ClientError as error:
        return str(error)
    return ""


def asked(hub):
    """The protected counts of every release by population and cell, as an analyst finds them by
    asking, and how many there were.
    """
    with hub.analyst() as client:
        analysts = [
            Analyst(client, hub.measures, release.id) for release in reversed(client.releases())
        ]
        for analyst in analysts:
            analyst.unmask()
    assert len(analysts) == len(hub.cuts)
    return [analyst.known for analyst in analysts], sum(analyst.questions for analyst in analysts)


def over_releases(hub, known):
    """Joint bounds on the newest counts, for an attacker who is told every change, however
    large.
    """
    newest, claims, truth = hub.truth(), {}, {}
    for name, item in newest.items():
        for cell, count in item.counts.items():
            told = []
            for release in range(len(hub.cuts)):
                then = hub.truth(release)[name]
                low, high = possible(known[release][name].get(cell))
                told.append((low + count - then.counts[cell], high + count - then.counts[cell]))
            claims[name, cell], truth[name, cell] = joint(told), count
    return {at: claim for at, claim in claims.items() if truth[at] in disclosure.SMALL}, truth


def tell(attack, hub, analyst, **figures):
    """Print one JSON line for the docs."""
    people = [
        item
        for item in hub.cuts[-1].populations
        if item.population not in attendances(hub.measures)
    ]
    cells = sum(len(item.cells.counts) for item in people)
    errors = [
        abs(item.cells.protected[cell] - n)
        for item in people
        for cell, n in item.cells.counts.items()
    ]
    line = {
        "attack": attack,
        **figures,
        "questions": analyst.questions if analyst else None,
        "cells": cells,
        "withheld": round(sum(item.withheld for item in people) / cells, 3),
        "mean_error": round(float(np.mean(errors)), 2),
        "largest_error": max(errors),
    }
    print(json.dumps(line))
