"""What documents mention exists: tests, files, commands and their options. Every page can be
reached.
"""

import re
import shlex
from pathlib import Path

import click
import pytest
from childlink_analytics.cli import main as analytics
from childlink_catalogue.cli import main as catalogue_cli
from childlink_client.cli import main as client
from childlink_ingest.cli import main as ingest
from childlink_linker.cli import main as linker
from childlink_local.cli import main as local
from childlink_ops.cli import main as ops

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "childlink": client,
    "childlink-ingest": ingest,
    "childlink-linker": linker,
    "childlink-analytics": analytics,
    "childlink-local": local,
    "childlink-ops": ops,
    "childlink-catalogue": catalogue_cli,
}
GENERATED = {
    path
    for path in ROOT.glob("docs/reference/*.md")
    if "make docs-generated" in path.read_text("utf-8")
}
PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")} - GENERATED
)
TABLES = ["threat-model.md", "attacks-and-faults.md"]
CODE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
BREAKS = {"|", "&", "&&", ";", ">", ">>", "<", "<<"}


def code(page):
    """The page's code: fenced blocks and inline spans, with continued lines joined."""
    text = page.read_text(encoding="utf-8")
    return [(match[1] or match[2]).replace("\\\n", " ") for match in CODE.finditer(text)]


def wrong(line):
    """What is wrong with the childlink commands in a line of code."""
    for start in re.finditer(
        r"(?<![\\\w./-])childlink(?:-\w+)?(?= +[\w-])", line := line.split(" # ")[0]
    ):
        name, *words = shlex.split(line[start.start() :], comments=True)
        command, words = PROGRAMS.get(name), iter(words)
        if command is None:
            yield f"{name} is no program"
            continue
        for word in words:
            if word in BREAKS:
                break
            options = {
                opt: p for p in command.params if isinstance(p, click.Option) for opt in p.opts
            }
            if word.startswith("--") and word != "--help":
                option = options.get(word.partition("=")[0])
                if option is None:
                    yield f"{command.name or name} has no option {word}"
                elif not option.is_flag and "=" not in word:
                    next(words, None)
            elif isinstance(command, click.Group):
                now = getattr(command, "former", {}).get(word, word)
                if now not in command.commands:
                    yield f"{name} has no command {word}"
                    break
                command = command.commands[now]


def navigation():
    """The pages that the navigation of docs/index.md links to."""
    index = ROOT / "docs" / "index.md"
    found = [index]
    for block in re.findall(
        r"^```\{toctree\}\n(.*?)^```", index.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        for entry in (line for line in block.splitlines() if line and not line.startswith(":")):
            pages = (
                list((ROOT / "docs").glob(f"{entry}.md"))
                if "*" in entry
                else [index.parent / f"{entry}.md"]
            )
            found += [page.resolve() for page in pages]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_test_a_file_or_a_command_that_a_page_names_exists(page):
    tests = set(
        re.findall(
            r"^\s*def (test_\w+)",
            "".join(p.read_text() for p in ROOT.glob("tests/**/test_*.py")),
            re.MULTILINE,
        )
    )
    problems = []
    for part in code(page):
        problems += [
            f"no test {name}"
            for name in re.findall(r"(?<![\w/])(test_\w+)(?!\.py|\w)", part)
            if name not in tests
        ]
        paths = re.findall(
            r"(?<![\w./-])((?:docs|tests|services|libs|deploy|tools|proto)/[\w./-]*\w)(?![\w./*-])",
            part,
        )
        problems += [f"no file {path}" for path in paths if not (ROOT / path).exists()]
        problems += [problem for line in part.splitlines() for problem in wrong(line)]
    assert problems == []


@pytest.mark.parametrize("name", TABLES)
def test_a_row_of_a_table_of_threats_names_a_test_or_says_what_remains(name):
    text = (ROOT / "docs" / "assurance" / name).read_text(encoding="utf-8")
    shown = re.compile(
        r"`test_\w+`|`(?:tests|proto)/|Remains|not tried|by hand: `make|\]\(\.\./reference/"
    )
    # A test that was run once by hand says so, with its command.
    text, _, _ = text.partition("\n## Soak")
    rows = [
        row
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        for row in table.splitlines()[2:]
    ]
    assert len(rows) > 30
    assert [row for row in rows if not shown.search(row)] == []


def test_every_page_can_be_reached_from_the_navigation():
    pages = navigation()
    assert [page for page in pages if not page.exists()] == []
    assert set(ROOT.glob("docs/**/*.md")) <= set(pages)
    assert {"GLOSSARY.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"} <= {
        page.name for page in pages
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("childlink-ingest no-such EXTRACT", "no command no-such"),
        ("childlink-ingest run a.csv --mappin m.toml", "no option --mappin"),
        ("docker compose exec linker childlink-linker review lst", "no command lst"),
        ("childlink-nothing run", "no program"),
    ],
)
def test_a_command_that_does_not_exist_is_found(line, says):
    assert says in "".join(wrong(line))


def test_every_rule_of_the_spec_is_among_the_worked_examples_as_a_sentence():
    page = (ROOT / "docs" / "reference" / "worked-examples.md").read_text("utf-8")
    sources = [path.read_text("utf-8") for path in (ROOT / "tests" / "spec").glob("test_*.py")]
    names = [
        name for source in sources for name in re.findall(r"^def test_(\w+)", source, re.MULTILINE)
    ]
    assert len(names) > 100
    sentences = [f"**{name[0].upper()}{name[1:]}.**".replace("_", " ") for name in names]
    assert [sentence for sentence in sentences if sentence not in page] == []
