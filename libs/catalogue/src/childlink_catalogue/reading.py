"""Reads a TOML text into keys. An error names the file, the line and what to write. No I/O."""

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from childlink_catalogue.errors import CatalogueError

Keys = TypeVar("Keys")


class FileKeys(BaseModel):
    """Keys of a file. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Place:
    """A place in a file of the catalogue, as errors name it."""

    file: str
    text: str
    line: int
    what: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}{', ' if self.what else ''}{self.what}"

    def inside(self, what: str) -> "Place":
        """A place inside this one: the line on which a word first stands after it."""
        return replace(self.near(what), what=f"{self.what}, {what}" if self.what else what)

    def near(self, word: str) -> "Place":
        """The same place, at the line on which a word first stands after it."""
        pattern = re.compile(rf"(?<![\w.]){re.escape(word)}(?![\w.])")
        lines = self.text.splitlines()
        for number in range(self.line - 1, len(lines)):
            if number >= self.line and lines[number].startswith("[["):
                break
            if pattern.search(lines[number].split("#")[0]):
                return replace(self, line=number + 1)
        return self


def place_of(file: str, text: str, at: Sequence[str | int], what: str = "") -> Place:
    """The place of a key."""
    return Place(file, text, line_of(text, at), what)


def read_keys(kind: type[Keys], text: str, where: str, tables: Sequence[type[BaseModel]]) -> Keys:
    """The keys of a file, which consists of these tables. Raises CatalogueError."""
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        twice = re.search(r"Cannot declare \('(\w+)',\) twice", str(error))
        raise CatalogueError(
            f"{where} is not TOML: {error}.",
            f"Write [[{twice[1]}]], with two brackets, for each one of a list."
            if twice
            else "Correct that line, or the one before it.",
        ) from None
    except ValidationError as error:
        first = _plainest(error)
        at = [step for step in first["loc"] if not _is_alternative(step)]
        raise CatalogueError(
            f"{where}, line {line_of(text, at)}: {named(at)} {_said(first)}.",
            _remedy(first, at, tables),
        ) from None


def _plainest(error: ValidationError) -> Mapping[str, Any]:
    """The problem to name first: an unknown key, or else the one that lies deepest."""
    problems = error.errors(include_url=False)
    return max(problems, key=lambda item: (item["type"] == "extra_forbidden", len(item["loc"])))


def _is_alternative(step: str | int) -> bool:
    """Whether a step of a place is pydantic's name of an alternative, and no key."""
    return isinstance(step, str) and not re.fullmatch(r"[a-z0-9_.]+", step)


def _said(problem: Mapping[str, Any]) -> str:
    context = problem.get("ctx", {})
    plain = {
        "extra_forbidden": "is no key here",
        "missing": "is missing",
        "string_type": "must be a text in quotes",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "list_type": "must be a list in [ ]",
        "tuple_type": "must be a list in [ ]",
        "dict_type": "must be a table in { }",
        "model_type": "must be a table in { }",
        "too_short": "is too short",
        "string_too_short": "must not be empty",
        "literal_error": f"must be {context.get('expected')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "string_pattern_mismatch": "must be small letters, digits and _, and begin with a letter",
    }
    said = problem["msg"].removeprefix("Value error, ")
    return plain.get(problem["type"], f"is wrong: {said[:1].lower()}{said[1:]}")


def _remedy(
    problem: Mapping[str, Any], at: Sequence[str | int], tables: Sequence[type[BaseModel]]
) -> str:
    key = next((step for step in reversed(at) if isinstance(step, str)), "")
    fields = {
        info.alias or name: info for table in tables for name, info in table.model_fields.items()
    }
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, fields, n=1)
        return f"Did you mean {near[0]}?" if near else f"Its keys are: {', '.join(fields)}."
    info = fields.get(key)
    if info is None or not info.description:
        return "`childlink-catalogue keys` lists what each file may say, with examples."
    example = f" For example: {key} = {info.examples[0]}" if info.examples else ""
    return f"{info.description.rstrip('.')}.{example}"


def named(at: Sequence[str | int]) -> str:
    """A place in a file, as people write it.

    >>> named(("measure", 2, "cubes", 0))
    'measure 3, cubes'
    """
    words: list[str] = []
    for step in at:
        if isinstance(step, int):
            if len(words) == 1:
                words[-1] += f" {step + 1}"
        elif re.fullmatch(r"[a-z0-9_.]+", step):
            words.append(step)
    return ", ".join(words) or "the file"


def line_of(text: str, at: Sequence[str | int]) -> int:
    """The line of a place in a TOML text. The line of what encloses it, if it has none of its own.

    >>> line_of('a = 1\\n[[m]]\\nid = "x"\\n[[m]]\\nid = "y"\\ncubes = []\\n', ("m", 1, "cubes"))
    6
    >>> line_of('[one]\\ntitle = "x"\\n[two]\\ntitle = 3\\n', ("two", "title"))
    4
    """
    lines = text.splitlines()
    found, start = 1, 0
    steps = list(at)
    while steps:
        step = steps.pop(0)
        if isinstance(step, int):
            continue
        count = steps[0] + 1 if steps and isinstance(steps[0], int) else 1
        array = re.compile(rf"\s*\[\[(\w+\.)*{re.escape(step)}\]\]")
        other = re.compile(
            rf"\s*(\[(\w+\.)*{re.escape(step)}\]|\"?{re.escape(step)}\"?\s*=|.*[{{,]\s*"
            rf"\"?{re.escape(step)}\"?\s*=)"
        )
        tables = [number for number, line in enumerate(lines) if array.match(line)]
        if len(tables) >= count and tables[count - 1] >= start:
            start = tables[count - 1]
            found = start + 1
            continue
        for number in range(start, len(lines)):
            if other.match(lines[number]):
                start, found = number, number + 1
                break
    return found
