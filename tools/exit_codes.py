"""Writes docs/reference/exit-codes.md: the exit codes of each command, read from its source."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import ModuleType

import click
from childlink_ingest import errors


def render(groups: Mapping[str, click.Group]) -> str:
    """The whole page."""
    named = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    meaning = dict(_documented(errors))
    lines = [
        "# Exit codes",
        "",
        (
            "For schedulers and monitoring. Every command of every program ends with one of"
            " these codes:"
        ),
        "",
        "| code | what it means |",
        "| --- | --- |",
        "| 0 | all done |",
        (
            "| 1 | an error that you can correct: standard error says what is wrong and what"
            " to do, without a traceback |"
        ),
        "| 2 | wrong usage: an unknown command or option, or a file that is not there |",
        "",
        "Some commands end with further codes:",
        "",
        "| code | what it means |",
        "| --- | --- |",
        *(f"| {named[name]} | {text} |" for name, text in meaning.items() if named[name] > 1),
        "",
        "| command | codes |",
        "| --- | --- |",
    ]
    for program, group in groups.items():
        for name, command in _commands(program, group):
            more = sorted(_codes(command, named) - {0, 1})
            if more:
                lines.append(f"| `{name}` | {', '.join(map(str, [0, 1, 2, *more]))} |")
    lines += [
        "",
        (
            "`childlink-ops ca list --within DAYS` ends with 3 if a certificate expires"
            " within that many days."
        ),
    ]
    return "\n".join(lines)


def _documented(module: ModuleType) -> Iterator[tuple[str, str]]:
    body = ast.parse(inspect.getsource(module)).body
    for item, after in pairwise(body):
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield ast.unparse(item.target), str(after.value.value)


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for sub in sorted(command.commands):
            yield from _commands(f"{name} {sub}", command.commands[sub])
    else:
        yield name, command


def _codes(command: click.Command, named: Mapping[str, int]) -> set[int]:
    """The codes in `sys.exit(...)` of the command, and of the functions that it calls in its own
    module.
    """
    function = inspect.unwrap(command.callback) if command.callback else None
    if function is None:
        return set()
    module = inspect.getmodule(function)
    found: set[int] = set()
    waiting, seen = [function], set()
    while waiting:
        tree = ast.parse(textwrap.dedent(inspect.getsource(waiting.pop())))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "sys.exit":
                inside = [node for argument in call.args for node in ast.walk(argument)]
                found |= {
                    node.value
                    for node in inside
                    if isinstance(node, ast.Constant) and type(node.value) is int
                }
                found |= {
                    named[word]
                    for word in (ast.unparse(node).split(".")[-1] for node in inside)
                    if word in named
                }
            elif isinstance(call.func, ast.Name) and call.func.id not in seen:
                seen.add(call.func.id)
                helper = getattr(module, call.func.id, None)
                if inspect.isfunction(helper) and helper.__module__ == function.__module__:
                    waiting.append(helper)
    return found
