"""Writes the generated pages of docs/reference, or checks that they are current. Also checks that
relative links do not lead nowhere.
"""

import ast
import importlib
import re
import sys
from pathlib import Path

import catalogue_page
import click
import contracts as contract_pages
import exit_codes as exit_pages
import mapping_page
import questions_page
import worked_examples as example_pages
from childlink_analytics import cli as analytics_cli
from childlink_catalogue import cli as catalogue_cli
from childlink_catalogue.catalogue import all_datasets, catalogue, current
from childlink_client import cli as client_cli
from childlink_core.reasons import EXPLANATIONS
from childlink_core.topics import SERVICES
from childlink_ingest import cli as ingest_cli
from childlink_linker import cli as linker_cli
from childlink_local import cli as local_cli
from childlink_ops import cli as ops_cli
from childlink_ops.access import all_topics, grants

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
GENERATED = "<!-- Written by `make docs-generated`; `make check` proves it current. -->\n\n"


# The parts that have settings and metrics, and their source folders.
PARTS = {
    name: f"services/{name}/src/childlink_{name}" for name in ("ingest", "linker", "analytics")
}
PARTS["ops"] = "apps/ops/src/childlink_ops"

PROGRAMS = {
    "childlink": client_cli.main,
    "childlink-ingest": ingest_cli.main,
    "childlink-linker": linker_cli.main,
    "childlink-analytics": analytics_cli.main,
    "childlink-local": local_cli.main,
    "childlink-catalogue": catalogue_cli.main,
    "childlink-ops": ops_cli.main,
}


def commands() -> str:
    """Help of every command."""
    lines = ["# Commands", ""]
    for name, group in PROGRAMS.items():
        lines += [f"## {name}", "", *_help(group, name)]
    return "\n".join(lines)


def _help(command: click.Command, name: str) -> list[str]:
    context = click.Context(command, info_name=name, terminal_width=100, max_content_width=100)
    lines = ["```text", command.get_help(context).rstrip(), "```", ""]
    if isinstance(command, click.Group):
        for sub in sorted(command.commands):
            lines += [f"### {name} {sub}", "", *_help(command.commands[sub], f"{name} {sub}")]
    return lines


def datasets() -> str:
    """The data dictionary."""
    lines = [
        "# Datasets",
        "",
        "Identity columns are encoded and never sent. Attributes are sent to analytics only.",
        "",
    ]
    for dataset in all_datasets().values():
        lines += [f"## {dataset.name} (version {dataset.version}): {dataset.title}", ""]
        applies = "applies" if dataset.permitted_list else "does not apply"
        lines += [f"The national data opt-out {applies}.", ""]
        lines += [
            "| column | what | type | allowed | how disclosive |",
            "| --- | --- | --- | --- | --- |",
        ]
        fields = {field.name: field for field in dataset.fields}
        for name, title in dataset.columns.items():
            if field := fields.get(name):
                allowed = ", ".join(field.codes) or (
                    f"{field.range[0]:g} to {field.range[1]:g} {field.unit}" if field.range else ""
                )
                kind = (
                    field.type
                    + (", required" if field.required else "")
                    + (" (a date is cut to its month)" if field.type == "month" else "")
                )
                kind += f", or derived from the postcode ({field.derive})" if field.derive else ""
                kind += f", coding `{field.coding}`" if field.coding else ""
                lines.append(
                    f"| `{name}` | {title} | {kind} | {allowed.strip()} | {field.disclosive} |"
                )
            else:
                lines.append(f"| `{name}` | {title} | {_role_of(name)} | | |")
        lines.append("")
    return "\n".join(lines)


def _role_of(column: str) -> str:
    return {"row_id": "hashed", "deleted": "withdraws the row"}.get(
        column, "identity, stays at the site"
    )


def measures() -> str:
    """The measure catalogue."""
    lines = ["# Measures", ""]
    for measure in catalogue().values():
        lines += [f"## {measure.id}: {measure.title}", "", measure.description, ""]
        lines += [
            f"Counts {measure.unit}."
            + (f" Gives the {measure.estimate}." if measure.estimate else ""),
            "",
        ]
        lines += [
            "Published by: " + "; ".join(" x ".join(cube) for cube in measure.cubes) + ".",
            "",
        ]
        if measure.datasets:
            lines += [f"Made from: {', '.join(measure.datasets)}.", ""]
        for name, more in measure.dimension_datasets.items():
            lines += [f"By {name}, also from: {', '.join(more)}.", ""]
        overlapping = [name for name, item in measure.dimensions.items() if item.overlapping]
        if overlapping:
            lines += [
                f"Counts by {' and '.join(overlapping)} do not add up: one person can be in"
                " several categories.",
                "",
            ]
        if measure.compare:
            rule = measure.compare
            lines += [
                (
                    f"Compares {rule.of} with {rule.against}, adjusted for"
                    f" {', '.join(rule.adjusted_for)}."
                ),
                "",
            ]
    tables = current().tables()
    if tables:
        lines += [
            "# Tables beside",
            "",
            "These figures are not of linked people. They come from files that the hub keeps, and",
            "are published as they are.",
            "",
        ]
    for table in tables.values():
        lines += [f"## {table.id}: {table.title}", "", table.description, ""]
        cubes = "; ".join(" x ".join(cube) for cube in table.cubes)
        lines += [f"Counts {table.unit}. Published by: {cubes}.", ""]
    return "\n".join(lines)


def reasons() -> str:
    """Why batches and records are refused."""
    lines = [
        "# Why a batch or record is refused",
        "",
        "| reason | what it means and what to do |",
        "| --- | --- |",
    ]
    return "\n".join(
        [*lines, *(f"| `{code}` | {text} |" for code, text in EXPLANATIONS.items()), ""]
    )


def settings() -> str:
    """Every setting, from the comments in the settings classes."""
    lines = [
        "# Settings",
        "",
        (
            "Set them in a TOML file given with `--settings`, or in the environment with the"
            " prefix. Secrets are files."
        ),
        "",
    ]
    shared = _settings_of(ROOT / "libs/core/src/childlink_core/settings.py")["ServiceSettings"]
    of_catalogue = _settings_of(ROOT / "libs/catalogue/src/childlink_catalogue/settings.py")
    for service, folder in PARTS.items():
        for name, rows in _settings_of(ROOT / folder / "settings.py").items():
            lines += [
                f"## {service}: {name}",
                "",
                "| setting | default | what |",
                "| --- | --- | --- |",
            ]
            inherited = [] if name == "ServingSettings" else shared
            if service in ("ingest", "analytics"):
                inherited = inherited + of_catalogue["CatalogueSettings"]
            lines += [f"| `{n}` | {default} | {text} |" for n, default, text in rows + inherited]
            lines.append("")
    return "\n".join(lines)


def _settings_of(path: Path) -> dict[str, list[tuple[str, str, str]]]:
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            rows = []
            for item, after in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(item, ast.AnnAssign)
                    and isinstance(after, ast.Expr)
                    and isinstance(after.value, ast.Constant)
                ):
                    name = ast.unparse(item.target)
                    what = " ".join(str(after.value.value).split()).replace("|", "\\|")
                    rows.append((name, _default(path, node.name, name), what))
            found[node.name] = rows
    return found


def _default(path: Path, settings_class: str, name: str) -> str:
    module = ".".join(path.with_suffix("").parts[path.parts.index("src") + 1 :])
    field = getattr(importlib.import_module(module), settings_class).model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", (), {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def metrics() -> str:
    """Every metric, with the comment above it."""
    lines = ["# Metrics", ""]
    for service, folder in PARTS.items():
        files = sorted((ROOT / folder).rglob("metrics.py"))
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
        if "(StreamMetrics)" in text:
            shared = ROOT / "libs/bus/src/childlink_bus/stream_metrics.py"
            prefix = re.findall(r'super\(\).__init__\("(\w+)"\)', text)[0]
            text = shared.read_text(encoding="utf-8").replace('f"{prefix}_', f'"{prefix}_') + text
        lines += [f"## {service}", "", "| metric | what |", "| --- | --- |"]
        for match in re.finditer(
            r"((?: +# .*\n)+)( +self\.\w+ = (?:Counter|Gauge|Histogram|Info)\((?:.|\n)*?\n(?=      "
            r"  (?:#|self)|\n))",
            text,
        ):
            comment = " ".join(line.strip().lstrip("# ") for line in match[1].splitlines())
            for name in re.findall(r'"(childlink_\w+)"', match[2]):
                lines.append(f"| `{name}` | {comment} |")
        lines.append("")
    return "\n".join(lines)


def broker_access() -> str:
    """Who may read and write which topic, as `childlink-ops` sets it at the broker."""
    lines = [
        "# Who may read and write which topic",
        "",
        (
            "Example: a partnership with two partners, `p-p` and `q-q`. Access that is not"
            " listed is denied. Rights belong to one certificate:"
        ),
        (
            "the Kafka principal is `kind.name.serial`. Sources:"
            " `apps/ops/src/childlink_ops/access.py` and"
            " `libs/core/src/childlink_core/topics.py`."
        ),
        "",
        "| topic | written by | read by |",
        "| --- | --- | --- |",
    ]
    partners = ["p-p", "q-q"]
    bearers = [("partner", name) for name in partners] + [("service", name) for name in SERVICES]
    for topic in all_topics(partners):
        able = {
            right: ", ".join(
                name for kind, name in bearers if (right, topic) in _rights(kind, name, partners)
            )
            for right in ("write", "read")
        }
        lines.append(
            f"| `{topic}` | {able['write']} |"
            f" {able['read'] or 'no service; operators inspect it with care'} |"
        )
    return "\n".join([*lines, ""])


def _rights(kind: str, name: str, partners: list[str]) -> set[tuple[str, str]]:
    return {(grant.right, grant.topic) for grant in grants(kind, name, partners)}


def contracts() -> str:
    """The messages and services of proto/."""
    return contract_pages.render(ROOT / "proto")


def exit_codes() -> str:
    """The exit codes of commands."""
    return exit_pages.render(PROGRAMS)


def mapping() -> str:
    """The keys of a mapping file."""
    return mapping_page.render()


def worked_examples() -> str:
    """The rules of linkage and disclosure, from their tests."""
    return example_pages.render()


PAGES = {
    "broker-access.md": broker_access,
    "catalogue.md": catalogue_page.render,
    "commands.md": commands,
    "contracts.md": contracts,
    "datasets.md": datasets,
    "exit-codes.md": exit_codes,
    "mapping.md": mapping,
    "measures.md": measures,
    "questions.md": questions_page.render,
    "reasons.md": reasons,
    "settings.md": settings,
    "metrics.md": metrics,
    "worked-examples.md": worked_examples,
}


def broken_links() -> list[str]:
    """Relative links of Markdown pages whose target does not exist."""
    broken = []
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("proto/*.md"),
        *ROOT.glob("deploy/**/*.md"),
    ]:
        for target in re.findall(
            r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")
        ):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    return broken


def main() -> int:
    """Write the pages, or check them. Returns the exit code."""
    problems = []
    for name, make in PAGES.items():
        text, path = GENERATED + make().rstrip() + "\n", REFERENCE / name
        if "--write" in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            problems.append(f"docs/reference/{name} is not current: run make docs-generated")
    problems += [f"this link leads nowhere: {link}" for link in broken_links()]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
