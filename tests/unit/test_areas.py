"""Areas are declared once, in one hierarchy. Coarser tables are tied to finer ones, geographies
that do not nest are refused, and a boundary never moves under a code.
"""

import shutil
from types import SimpleNamespace

import pytest
from childlink_analytics.releasing.counting.counting import open_counter
from childlink_analytics.releasing.release import cut as cutting
from childlink_analytics.releasing.release.cut import count
from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.cli import main
from childlink_catalogue.datasets import Field
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.versions import changes
from childlink_ingest.geography.derive import AreaLookup, Place
from childlink_ingest.model.rows import Identity
from childlink_ingest.model.rows import Row as SentRow
from childlink_ingest.runs.prepare import _derive
from click.testing import CliRunner

from tests.attacks.answers.world import UNTIL, Row, World

AREAS = """
[harbour]
title = "Harbour"
level = "borough"

[other_boroughs]
title = "Other boroughs"
level = "borough"

[old_town]
title = "Old Town"
level = "locality"
within = "harbour"

[north_shore]
title = "North Shore"
level = "locality"
within = "harbour"

[rest]
title = "Elsewhere"
level = "locality"
within = "other_boroughs"
"""
WARDS = {
    "E05000001": ("Quay", "old_town"),
    "E05000002": ("Market", "old_town"),
    "E05000003": ("Dunes", "north_shore"),
    "elsewhere": ("Elsewhere", "rest"),
}
WARD_FIELD = """
[[field]]
name = "ward"
title = "Ward"
type = "code"
codes_from = "areas.ward"
derive = "ward"
disclosive = "medium"
"""
DIMENSIONS = "".join(
    f"""
[{level}]
title = "{level.title()}"
categories_from = "areas.{level}"
after = {{ not_recorded = "Not recorded" }}
"""
    for level in ("borough", "locality", "ward")
)
CHARACTERISTICS = """
[ward]
of = ["child"]
attribute = "ward"

[locality]
of = ["child"]
attribute = "ward.locality"

[borough]
of = ["child"]
attribute = "ward.borough"
"""
MEASURE = """
[[measure]]
id = "reach_by_area"
title = "Children reached by area"
description = "Distinct children who attended a service."
population = "reached_child"
cubes = [["borough", "sex"], ["locality", "sex"], ["ward", "sex"]]
"""


@pytest.fixture
def folder(tmp_path):
    """A small catalogue with three levels of areas."""
    made = CliRunner().invoke(main, ["new", str(tmp_path / "ours")], catch_exceptions=False)
    assert made.exit_code == 0
    wards = "".join(
        f'[{code}]\ntitle = "{title}"\nlevel = "ward"\nwithin = "{within}"\n'
        for code, (title, within) in WARDS.items()
    )
    for name, text in (
        ("areas.toml", AREAS + wards),
        ("shared_fields.toml", WARD_FIELD),
        ("dimensions.toml", DIMENSIONS),
        ("characteristics.toml", CHARACTERISTICS),
        ("measures/reach.toml", MEASURE),
    ):
        path = tmp_path / "ours" / name
        path.write_text((path.read_text() if path.exists() else "") + text)
    return tmp_path / "ours"


def edit(folder, name, old, new):
    path = folder / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def world():
    """Children of four wards, and some of whom no ward is known."""
    rows = []
    for number in range(1, 241):
        ward = [*WARDS, None][number * 7 % 5]
        said = {"service": "stay_and_play", "sex": "female" if number % 3 else "male"}
        more = {"ward": ward} if ward else {}
        rows.append(Row("charity", "attendance", "2023-05", number, {**said, **more}, number))
    return World(rows)


def test_children_are_counted_at_every_level_from_the_ward_alone(folder):
    declared = Catalogue(folder)
    measure = declared.measures(UNTIL)["reach_by_area"]
    observations, links = world().batches()
    with open_counter([observations], [links], UNTIL, declared=declared) as counter:
        linked = count([measure], counter)
    at = linked.counts
    for code, (_, locality) in WARDS.items():
        assert at[(("ward", code),)] == 48
        assert at[(("locality", locality),)] == 48 * sum(w[1] == locality for w in WARDS.values())
    assert at[(("borough", "harbour"),)] == 144
    assert at[(("borough", "not_recorded"),)] == 48
    ties = {(margin, tuple(parts)) for margin, parts in linked.sums}
    quay, market = (("ward", "E05000001"),), (("ward", "E05000002"),)
    assert ((("locality", "old_town"),), (quay, market)) in ties
    both = tuple((("sex", "male"), *ward) for ward in (quay, market))
    assert ((("locality", "old_town"), ("sex", "male")), both) in ties


def test_what_is_published_of_the_levels_adds_up(folder):
    declared = Catalogue(folder)
    measures = {"reach_by_area": declared.measures(UNTIL)["reach_by_area"]}
    plan = cutting.CutPlan("r1", 1, UNTIL.isoformat(), measures)
    observations, links = world().batches()
    with open_counter([observations], [links], UNTIL, declared=declared) as counter:
        [(done, lost)] = cutting.protect_all(measures, plan, counter, b"s" * 32)
    assert lost == []
    shown = done.cells.protected
    for sex in ((), (("sex", "male"),)):
        for locality in ("old_town", "north_shore", "rest"):
            inner = [code for code, (_, within) in WARDS.items() if within == locality]
            assert shown[tuple(sorted([("locality", locality), *sex]))] == sum(
                shown[tuple(sorted([("ward", code), *sex]))] for code in inner
            )


def test_two_geographies_that_do_not_nest_are_refused(folder):
    edit(
        folder,
        "shared_fields.toml",
        WARD_FIELD,
        WARD_FIELD
        + '[[field]]\nname = "residence"\ntitle = "R"\ntype = "code"\ncodes = ["area", "outside"]\n'
        'derive = "residence"\n',
    )
    more = '[residence]\nof = ["child"]\nattribute = "residence"\n'
    edit(folder, "characteristics.toml", "[locality]", f"{more}\n[locality]")
    categories = 'categories = { area = "Area", outside = "Outside", not_recorded = "?" }'
    edit(folder, "dimensions.toml", "[sex]", f'[residence]\ntitle = "R"\n{categories}\n[sex]')
    edit(folder, "measures/reach.toml", '["sex"]]', '["sex"], ["residence"]]')
    with pytest.raises(CatalogueError, match="do not nest"):
        Catalogue(folder).measures()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('within = "rest"', 'within = "nowhere"', "no area nowhere"),
        (
            'title = "Old Town"\nlevel = "locality"\nwithin = "harbour"',
            'title = "Old Town"\nlevel = "locality"',
            "within nothing",
        ),
        (
            'title = "Other boroughs"\nlevel = "borough"',
            'title = "Other boroughs"\nlevel = "borough"\nwithin = "harbour"',
            "a borough too",
        ),
        (
            '[harbour]\ntitle = "Harbour"\nlevel = "borough"\n\n[other_boroughs]\n'
            'title = "Other boroughs"\nlevel = "borough"',
            '[harbour]\ntitle = "Harbour"\nlevel = "borough"\nwithin = "E05000001"\n\n'
            '[other_boroughs]\ntitle = "O"\nlevel = "borough"\nwithin = "E05000001"',
            "within itself|lies within",
        ),
    ],
)
def test_areas_that_do_not_make_one_hierarchy_are_refused_with_the_place(folder, old, new, said):
    edit(folder, "areas.toml", old, new)
    with pytest.raises(CatalogueError, match=said):
        Catalogue(folder).measures()
    assert Catalogue(folder).problems()


def test_a_dimension_or_a_field_of_a_level_that_there_is_not_is_refused(folder):
    edit(folder, "dimensions.toml", "areas.locality", "areas.village")
    with pytest.raises(CatalogueError, match=r"areas\.village"):
        Catalogue(folder).measures()
    edit(folder, "shared_fields.toml", "areas.ward", "areas.parish")
    with pytest.raises(CatalogueError, match=r"areas\.parish"):
        _ = Catalogue(folder).datasets


def test_a_boundary_cannot_move_under_a_code(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "next")
    edit(tmp_path / "next", "catalogue.toml", "version = 1", "version = 2")
    edit(
        tmp_path / "next",
        "areas.toml",
        'title = "Market"\nlevel = "ward"\nwithin = "old_town"',
        'title = "Market"\nlevel = "ward"\nwithin = "north_shore"',
    )
    [refused] = [
        item for item in changes(Catalogue(folder), Catalogue(tmp_path / "next")) if item.refused
    ]
    assert "E05000002" in refused.what
    assert "another code" in refused.remedy


def test_a_place_in_no_declared_ward_is_elsewhere():
    ward = Field("ward", "Ward", "code", codes=tuple(WARDS), derive="ward")
    places = {"AB1 2CD": Place("E01000001", "E05000001", "E09000001", 2)}
    places["ZZ9 9ZZ"] = Place("E01000009", "E05999999", "E09000009", 2)
    plan = SimpleNamespace(
        mapping=SimpleNamespace(dataset=SimpleNamespace(fields=(ward,)), columns={}, areas=None),
        areas=AreaLookup({}, places.get),
    )
    derive = _derive(plan)
    found = [
        derive(SentRow(1, "", Identity("1", postcode=postcode), None, None, {})).attributes.get(
            "ward"
        )
        for postcode in ("AB1 2CD", "ZZ9 9ZZ", "QQ1 1QQ")
    ]
    assert found == ["E05000001", "elsewhere", None]
