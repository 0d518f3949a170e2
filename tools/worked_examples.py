"""Writes docs/reference/worked-examples.md: the rules of linkage and disclosure with examples, from
the tests in tests/spec.
"""

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
# In reading order. All other files follow.
FIRST = ("test_disclosure_rules", "test_linking_cases")

_INTRODUCTION = """# Worked examples

The rules of [disclosure control](../explanation/disclosure.md) and of
[linkage](../explanation/linkage.md), one sentence each, with examples. This page is generated from
the tests: each sentence is the name of a test, and each row of a table is tested at every change of
the software.

**Not yet** marks a rule that the software does not keep yet, with the reason. Such a test is
expected to fail. Once it passes, the mark is removed.

A rule without a table shows its example as test code:

* `child("council-b", "1", postcode="SE24 0AA")` is a record of the council with number 1. Unless
  other values are given, the child is Amina Okafor, a girl born on 14 March 2020 who lives at
  SW9 8JJ.
* `adult` and `mother` are Grace Okafor, born on 2 May 1990, at the same address.
* `NHS` holds NHS numbers for tests.
* `together`: the records are one person. `apart`: no two of them are the same person. `wait`: they
  are two persons, and a data steward decides. `found`: `together` or `wait`.

"""


def render() -> str:
    """The whole page."""
    sys.path.insert(0, str(ROOT))
    names = sorted(path.stem for path in (ROOT / "tests" / "spec").glob("test_*.py"))
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    lines = _INTRODUCTION.splitlines()
    for name in names:
        lines += _section(importlib.import_module(f"tests.spec.{name}"), name)
    return "\n".join(lines)


def _section(module: ModuleType, name: str) -> list[str]:
    lines = [f"## {_capital(name.removeprefix('test_').replace('_', ' '))}", "", _text(module), ""]
    lines += [f"From `tests/spec/{name}.py`.", ""]
    for test in vars(module).values():
        if (
            isinstance(test, FunctionType)
            and test.__name__.startswith("test_")
            and test.__module__ == module.__name__
        ):
            lines += _rule(test)
    return lines


def _rule(test: Callable[..., None]) -> list[str]:
    lines = [f"**{_capital(test.__name__.removeprefix('test_').replace('_', ' '))}.**", ""]
    lines += [_text(test), ""] if test.__doc__ else []
    # Decorators are applied from the bottom up.
    marks = list(reversed(getattr(test, "pytestmark", [])))
    lines += [
        line
        for mark in marks
        if mark.name == "xfail"
        for line in (f"**Not yet:** {mark.kwargs['reason']}.", "")
    ]
    tables = [mark for mark in marks if mark.name == "parametrize"]
    for mark in tables:
        lines += [*_table(mark.args[0], mark.args[1], mark.kwargs.get("ids")), ""]
    return lines if tables else [*lines, "```python", *_body(test), "```", ""]


def _body(test: Callable[..., None]) -> list[str]:
    """The body of a test, without its signature and docstring."""
    lines = inspect.getsource(test).splitlines()
    [function] = ast.parse("\n".join(lines)).body
    assert isinstance(function, ast.FunctionDef)  # noqa: S101 - a module's function, in its own source
    first = function.body[1 if ast.get_docstring(function) else 0]
    return textwrap.dedent("\n".join(lines[first.lineno - 1 :])).splitlines()


def _table(arguments: str | tuple[str, ...], cases: list[Any], ids: Any) -> list[str]:
    """The examples of a rule. If a table has ids, they replace the values: they are easier to
    read.
    """
    columns = [arguments] if isinstance(arguments, str) else list(arguments)
    rows, reasons = [], []
    for case in cases:
        marks = getattr(case, "marks", ())
        values = (
            case.values if hasattr(case, "marks") else (case,) if len(columns) == 1 else tuple(case)
        )
        rows.append([_cell(value) for value in values])
        reasons.append("; ".join(mark.kwargs["reason"] for mark in marks))
    if isinstance(ids, list):
        columns, rows = ["example"], [[name] for name in ids]
    if any(reasons):
        columns.append("not yet")
        rows = [[*row, reason] for row, reason in zip(rows, reasons, strict=True)]
    heads = [column.replace("_", " ") for column in columns]
    return [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/').replace('<', '&lt;') for cell in cells)} |"


def _cell(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case date():
            return value.isoformat()
        case str():
            return value.replace("_", " ") or "(empty)"
        case Mapping():
            return ", ".join(
                f"{name.replace('_', ' ')} {_cell(item)}" for name, item in value.items()
            )
        case tuple() if all(isinstance(item, str) and item for item in value):
            return " ".join(value)
        case list() | tuple():
            return ", ".join(map(_cell, value)) or "none"
        case FunctionType():
            return _capital(value.__name__.replace("_", " "))
        case _:
            return str(value)


def _text(of: Any) -> str:
    # Escape "<10", which Markdown would read as a tag.
    return (inspect.getdoc(of) or "").replace("<", "&lt;")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
