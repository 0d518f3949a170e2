"""Recipes: which column of a known export is which column of a contract. They are data, recognised
by headers. Those that come with childlink are in `recipes/`; a site or a partnership may have more.
No I/O: the caller reads files of its own.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from childlink_catalogue.catalogue import current, get_dataset

from childlink_ingest.errors import MappingError

_KEYS: Final = frozenset(["name", "version", "source", "dataset", "recognise", "never", "columns"])


@dataclass(frozen=True)
class Recipe:
    """How a known export is mapped."""

    name: str
    version: str
    source: str
    """Where the headers are described."""
    dataset: str
    recognise: frozenset[str]
    """Headers that an extract of this kind has, all of them."""
    never: frozenset[str]
    """Columns that look like something that they are not."""
    columns: Mapping[str, str]
    """Headers, by column of the contract. An extract may lack some."""
    left_out: frozenset[str] = frozenset()
    """Columns of the contract for which the extract has none, as a person said."""

    def with_answers(self, answers: Mapping[str, str]) -> "Recipe":
        """The recipe with a person's answers: a header, or "" for none, by column of the
        contract.
        """
        given = {canonical: header for canonical, header in answers.items() if header}
        return replace(
            self,
            columns={**self.columns, **given},
            left_out=frozenset(answers) - given.keys(),
            never=self.never - set(given.values()),
        )


def parse_recipe(text: str, where: str) -> Recipe:
    """Parse a recipe. Raises MappingError that names what is wrong."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{where} is not TOML: {error}.", "Correct that line.") from None
    if set(content) != _KEYS or not isinstance(content["columns"], dict):
        wrong = ", ".join(sorted(set(content) ^ _KEYS)) or "columns"
        raise MappingError(
            f"{where} is not a recipe: {wrong} is missing or unknown.",
            f"A recipe has exactly: {', '.join(sorted(_KEYS))}.",
        )
    dataset = get_dataset(str(content["dataset"]))
    if unknown := set(content["columns"]) - set(dataset.columns):
        raise MappingError(
            f"{where}: dataset {dataset.name} does not have {', '.join(sorted(unknown))}.",
            f"Its columns are: {', '.join(dataset.columns)}.",
        )
    return Recipe(
        str(content["name"]),
        str(content["version"]),
        str(content["source"]),
        dataset.name,
        frozenset(content["recognise"]),
        frozenset(content["never"]),
        content["columns"],
    )


NO_RECIPE: Final = Recipe("", "", "", "", frozenset(), frozenset(), {})
"""That of an export that is not known."""


def known_recipes() -> tuple[Recipe, ...]:
    """The recipes of the partnership's catalogue, by file name."""
    return tuple(parse_recipe(text, name) for name, text in current().texts("recipes").items())


def recognised(header: Sequence[str], dataset: str, recipes: Iterable[Recipe]) -> Recipe | None:
    """The recipe for an extract with this header; the most special one if several fit."""
    fitting = [
        recipe
        for recipe in recipes
        if recipe.dataset == dataset and recipe.recognise and recipe.recognise <= set(header)
    ]
    return max(fitting, key=lambda recipe: len(recipe.recognise), default=None)
