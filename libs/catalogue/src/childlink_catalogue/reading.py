"""Reads a TOML text into keys. An error names the file, the line and what to write. No I/O."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from childlink_catalogue.errors import CatalogueError

Keys = TypeVar("Keys")


class FileKeys(BaseModel):
    """Keys of a file. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_keys(kind: type[Keys], text: str, where: str) -> Keys:
    """The keys of a file. Raises CatalogueError."""
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{where} is not TOML: {error}.", "Correct that line.") from None
    except ValidationError as error:
        first = _deepest(error)
        at = first["loc"]
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = "there is no such key here"
        raise CatalogueError(
            f"{where}, line {line_of(text, at)}: {named(at)}: {said[:1].lower()}{said[1:]}.",
            "`childlink-catalogue keys` lists what each file may say, with examples.",
        ) from None


def _deepest(error: ValidationError) -> Mapping[str, Any]:
    """The problem that says most: of the alternatives of a key, the one that fits furthest."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return max(problems, key=lambda item: len(item["loc"]))


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
