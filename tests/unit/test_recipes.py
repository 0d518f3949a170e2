"""Known exports are recognised by their headers. What a recipe says counts only as far as the
values fit.
"""

import shutil
import tomllib
from datetime import date, timedelta

import pytest
from childlink_catalogue.catalogue import bundled, get_dataset
from childlink_ingest.cli import main
from childlink_ingest.errors import MappingError
from childlink_ingest.proposing.propose import propose
from childlink_ingest.proposing.recipe import known_recipes, parse_recipe, recognised
from click.testing import CliRunner

OWN = """
name = "Our nursery system"
version = "1"
source = "its manual, page 3"
dataset = "children"
recognise = ["Kind", "Name A", "Name B"]
never = []
[columns]
row_id = "Kind"
child_id = "Kind"
child_given_name = "Name A"
child_surname = "Name B"
"""


def value(canonical, n):
    """A value that fits a column of a contract."""
    match canonical.split("_", 1)[-1]:
        case "nhs_number":
            return ("9990000018", "9990000026", "9990000034", "9990000042")[n % 4]
        case "nhs_number_status":
            return "01"
        case "sex" | "x":
            return "12"[n % 2]
        case "date_of_birth" | "date":
            return (date(2019, 1, 1) + timedelta(days=5 * n)).isoformat()
        case "birth_order":
            return "1"
        case "postcode":
            return "SW9 8JJ"
        case "given_name" | "surname" | "known_as":
            return ("Nia", "Bao", "Zofia")[n % 3]
    if canonical.startswith("ethnicity"):
        return "A"
    return str(1 + n % 10) if canonical == "imd_quintile" else f"K{n}"


@pytest.mark.parametrize("recipe", known_recipes(), ids=lambda recipe: recipe.name)
def test_a_known_export_is_recognised_and_mapped_as_its_recipe_says(recipe):
    header = [*dict.fromkeys([*recipe.columns.values(), *recipe.recognise, *recipe.never])]
    of_header = {column: canonical for canonical, column in recipe.columns.items()}
    rows = [{name: value(of_header.get(name, ""), n) for name in header} for n in range(40)]
    assert recognised(header, recipe.dataset, known_recipes()) == recipe
    found = propose(header, rows, get_dataset(recipe.dataset), {}, recipe=recipe)
    assert recipe.name in found.text
    columns = tomllib.loads(found.text)["columns"]
    for canonical, name in recipe.columns.items():
        entry = columns[canonical]
        assert (entry if isinstance(entry, str) else entry["column"]) == name
    assert not recipe.never & {str(entry) for entry in columns.values()}


def test_every_recipe_says_where_its_headers_are_described():
    assert all(recipe.source and recipe.version for recipe in known_recipes())


def test_a_recipe_does_not_make_an_empty_column_an_id(tmp_path):
    recipe = parse_recipe(OWN, "own.toml")
    rows = [{"Kind": "", "Name A": "Nia", "Name B": f"Smith{n}"} for n in range(40)]
    found = propose(list(rows[0]), rows, get_dataset("children"), {}, recipe=recipe)
    assert "child_id" not in tomllib.loads(found.text)["columns"]


def test_a_site_has_recipes_of_its_own(tmp_path):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "own.toml").write_text(OWN)
    lines = ["Kind,Name A,Name B", *(f"K{n},Nia,Smith" for n in range(40))]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    done = CliRunner().invoke(
        main,
        [
            *("map", str(tmp_path / "x.csv"), "--dataset", "children"),
            *("--recipes", str(tmp_path / "recipes")),
        ],
    )
    assert "recognised: Our nursery system, version 1" in done.stderr
    assert tomllib.loads(done.stdout)["columns"]["child_given_name"] == "Name A"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[columns]", "[colums]"), "colums"),
        (("child_surname", "child_sirname"), "does not have child_sirname"),
        (('dataset = "children"', 'dataset = "kids"'), "There is no dataset"),
        (('version = "1"', "version = "), "is not TOML"),
    ],
)
def test_a_recipe_with_a_mistake_is_refused_by_name(change, words):
    with pytest.raises(Exception, match=words) as error:
        parse_recipe(OWN.replace(*change), "own.toml")
    assert isinstance(error.value, MappingError) or "Use one of" in str(error.value)


def test_another_partnership_s_catalogue_has_its_own_recipes_and_no_other(tmp_path, monkeypatch):
    """The recipes of the example name datasets that another catalogue does not have."""
    shutil.copytree(bundled().parent / "starter", tmp_path / "ours")
    monkeypatch.setenv("CHILDLINK_CATALOGUE", str(tmp_path / "ours"))
    assert known_recipes() == ()
    (tmp_path / "ours" / "recipes").mkdir()
    text = OWN.replace('"children"', '"review"')
    (tmp_path / "ours" / "recipes" / "own.toml").write_text(text)
    [recipe] = known_recipes()
    assert recipe.dataset == "review"
