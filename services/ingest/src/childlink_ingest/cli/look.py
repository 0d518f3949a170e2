"""Commands that read an extract and send nothing: datasets, map, check, preview, refs."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path

import click

from childlink_ingest.cli.common import (
    Progress,
    extract_argument,
    mapping_option,
    read_text,
    write_csv,
    write_text,
)

_SAMPLE_ROWS = 5_000
_LAST_ROWS = 20


@click.command()
@click.argument("name", required=False)
def datasets(name: str | None) -> None:
    """List the dataset contracts; with NAME, its columns, codes and ranges."""

    from childlink_catalogue.catalogue import all_datasets, get_dataset

    if name is None:
        for dataset in all_datasets().values():
            click.echo(f"{dataset.name:16} v{dataset.version}  {dataset.title}")
        click.echo("\nchildlink-ingest datasets NAME lists a dataset's columns.")
        return
    dataset = get_dataset(name)
    click.echo(f"{dataset.name} v{dataset.version}: {dataset.title}")
    fields = {field.name: field for field in dataset.fields}
    for column, title in dataset.columns.items():
        field = fields.get(column)
        allowed = ""
        if field:
            span = (
                f"{field.range[0]:g} to {field.range[1]:g} {field.unit}".strip()
                if field.range
                else ""
            )
            allowed = (
                ", ".join(field.codes)
                or span
                or {"month": "a date; only its month is sent", "flag": "yes or no"}.get(
                    field.type, ""
                )
            )
            allowed = f" [{allowed}]" + (" REQUIRED" if field.required else "")
        click.echo(f"    {column:28} {title}{allowed}")


@click.command("map")
@extract_argument
@click.option(
    "--dataset",
    "dataset_name",
    required=True,
    help="The dataset contract to map to (see `datasets`).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the mapping to this new file. Default: print it.",
)
@click.option("--sheet", default="", help="Sheet of a spreadsheet.")
@click.option(
    "--recipes",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with more recipes (.toml) for known exports.",
)
@click.option("--no-questions", "quiet", is_flag=True, help="Ask nothing, even on a terminal.")
@click.pass_obj
def map_extract(
    settings_file: Path | None,
    extract: Path,
    dataset_name: str,
    output: Path | None,
    sheet: str,
    folder: Path | None,
    quiet: bool,
) -> None:
    """Propose a mapping from an extract's headers and values, for a person to correct.

    On a terminal, with --output, it asks about everything that is uncertain. You can stop it and go
    on later. Otherwise the questions are written into the mapping. Known exports, such as the
    NCMP's, are recognised by their headers.
    """

    from childlink_catalogue.catalogue import get_dataset

    from childlink_ingest import errors
    from childlink_ingest.cli.conversation import Answers, converse
    from childlink_ingest.proposing.propose import Proposal, propose
    from childlink_ingest.proposing.recipe import (
        NO_RECIPE,
        Recipe,
        known_recipes,
        parse_recipe,
        recognised,
    )
    from childlink_ingest.proposing.survey import survey
    from childlink_ingest.readers import Source, read_ends
    from childlink_ingest.readers.sniff import sniff
    from childlink_ingest.settings import IngestSettings

    dataset = get_dataset(dataset_name)
    found = sniff(extract)
    url_file = (
        IngestSettings.load(settings_file).source_url_file
        if extract.suffix.lower() == ".sql"
        else None
    )
    source = Source(found.encoding, found.delimiter, sheet, url_file=url_file)
    first, last = read_ends(extract, source, _SAMPLE_ROWS, _LAST_ROWS)
    if not any(map(any, first)):
        raise errors.ExtractError(f"{extract.name} is empty.", "Export it again, with a header.")
    seen = survey(first, last)
    if not seen.rows:
        raise errors.ExtractError(f"{extract.name} has a header but no rows.", "Export it again.")
    options: dict[str, object] = {}
    options |= {"encoding": found.encoding} if found.encoding != "utf-8" else {}
    options |= {"delimiter": found.delimiter} if found.delimiter != "," else {}
    options |= {"sheet": sheet} if sheet else {}
    more = [
        parse_recipe(read_text(file), file.name)
        for file in sorted(folder.glob("*.toml") if folder else ())
    ]
    recipe = recognised(seen.header, dataset.name, [*more, *known_recipes()])
    if recipe:
        click.echo(f"recognised: {recipe.name}, version {recipe.version}", err=True)

    def proposed(under: Recipe) -> Proposal:
        return propose(seen.header, seen.rows, dataset, options | seen.options, seen.odd, under)

    if output and not quiet and sys.stdin.isatty() and sys.stdout.isatty():
        answers = Answers(output.with_suffix(".answers"))
        for question in seen.questions:
            click.echo(f"Please check: {question}")
        proposal = converse(proposed, recipe or NO_RECIPE, seen.rows, dataset, answers)
        write_text(output, proposal.text, fresh=True)
        answers.done()
        click.echo(f"\n{output} written. Next: childlink-ingest check {extract} --mapping {output}")
        return
    proposal = proposed(recipe or NO_RECIPE)
    questions = [*seen.questions, *proposal.questions]
    text = "".join(f"# to decide: {question}\n" for question in questions) + proposal.text
    if output:
        write_text(output, text, fresh=True)
        click.echo(
            f"{output} written. Correct it, then run: childlink-ingest check {extract} --mapping"
            f" {output}"
        )
    else:
        click.echo(text, nl=False)
    for question in questions:
        click.echo(f"to decide: {question}", err=True)
    sys.exit(errors.EXIT_QUESTIONS if questions else errors.EXIT_OK)


@click.command()
@extract_argument
@mapping_option
def check(extract: Path, mapping_file: Path) -> None:
    """Validate and profile an extract. Sends nothing and needs no keys.

    A .sql extract needs the settings of `run`: use `preview` instead.
    """

    from childlink_core.profiles import get_profile

    from childlink_ingest import app, errors
    from childlink_ingest.eligibility.contradictions import IdentityCheck, claims_of, refuse
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.model.rows import Rejection, Row
    from childlink_ingest.reporting import report
    from childlink_ingest.runs.prepare import count_filled, too_empty, without_unlinkable

    mapping = app.load_mapping(mapping_file)
    profile = get_profile()
    mapper = RowMapper(mapping, date.today())
    summary = report.Summary(mapping)
    ids, waiting = IdentityCheck(), []
    filled: Counter[str] = Counter()
    shown = Progress("rows read", rate=True)
    with app.open_mapped(extract, mapping) as opened:
        used: set[str] = set()
        for record in opened:
            row = record if isinstance(record, Rejection) else mapper(record.number, record.values)
            row = (
                without_unlinkable(row, profile)
                if isinstance(row, Row) and not row.deleted
                else row
            )
            if isinstance(row, Row) and row.row_id in used:
                column = mapping.columns["row_id"].name
                remedy = (
                    "Row ids must be unique in an extract. If no column is unique, name several for"
                    " row_id."
                )
                row = Rejection(row.number, column, "repeats the row id of an earlier row", remedy)
            elif isinstance(row, Row):
                used.add(row.row_id)
            summary.add(row)
            if isinstance(row, Row) and not row.deleted:
                waiting.append(row)
            if summary.read % 10_000 == 0:
                ids.add(claims_of(waiting))
                filled.update(count_filled(waiting, mapping))
                waiting.clear()
                shown(summary.read)
        summary.leave_out(opened.left_out)
    ids.add(claims_of(waiting))
    filled.update(count_filled(waiting, mapping))
    if not summary.read:
        raise errors.ExtractError(f"{extract.name} has a header but no rows.", "Export it again.")
    click.echo(summary.render())
    if shared := ids.contradictions():
        raise refuse(shared, mapping.id_columns)
    if problem := too_empty(filled, summary.read - summary.rejected, mapping):
        raise errors.TooManyRejectsError(problem, "`run` would send nothing.")
    sys.exit(errors.EXIT_PARTIAL if summary.rejected else errors.EXIT_OK)


@click.command()
@extract_argument
@mapping_option
@click.option("--output", required=True, type=click.Path(path_type=Path), help="CSV file to write.")
@click.pass_obj
def worklist(settings_file: Path | None, extract: Path, mapping_file: Path, output: Path) -> None:
    """List duplicates and contradictions among your own records, for your data-quality team.

    It uses this extract and nothing else. The list holds local ids and line numbers, and stays
    here. Nothing is sent.
    """
    from childlink_ingest import app
    from childlink_ingest.eligibility.worklist import Worklist
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.model.rows import Rejection, Row
    from childlink_ingest.settings import IngestSettings

    mapping = app.load_mapping(mapping_file)
    mapper, found = RowMapper(mapping, date.today()), Worklist()
    shown = Progress("rows read", rate=True)
    settings = IngestSettings.load(settings_file) if extract.suffix.lower() == ".sql" else None
    with app.open_mapped(extract, mapping, settings) as opened:
        for count, record in enumerate(opened, start=1):
            row = None if isinstance(record, Rejection) else mapper(record.number, record.values)
            if isinstance(row, Row) and not row.deleted:
                found.add(row)
            if count % 10_000 == 0:
                shown(count)
    findings = found.findings()
    write_csv(
        output,
        ["what", "who", "ids", "lines", "to do"],
        [
            (
                item.kind,
                item.role,
                " ".join(item.ids),
                " ".join(map(str, item.rows)),
                item.todo,
            )
            for item in findings
        ],
    )
    for kind, number in Counter(item.kind for item in findings).items():
        click.echo(f"{number:6,}  {kind}")
    click.echo(
        f"{len(findings):,} findings written to {output}. The file holds your local ids: keep it"
        " here."
    )


@click.command()
@extract_argument
@mapping_option
@click.option(
    "--rows",
    "wanted",
    default=3,
    type=click.IntRange(1, 1000),
    show_default=True,
    help="Number of good rows to show.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path),
    help="Write the document for approval, with made-up rows, to this file.",
)
@click.option("--profile", "explain", is_flag=True, help="Explain the encoding profile.")
@click.pass_obj
def preview(
    settings_file: Path | None,
    extract: Path,
    mapping_file: Path,
    wanted: int,
    page: Path | None,
    explain: bool,
) -> None:
    """Show exactly what would be sent for a few rows: both halves, before sealing.

    Real rows are only shown on this terminal. The page of --html contains made-up rows of the same
    shape, encoded under throw-away keys. An information-governance lead signs that page.
    """

    from childlink_core import __version__
    from childlink_core.commands import os_user
    from childlink_core.profiles import WHAT_CLKS_TELL, get_profile

    from childlink_ingest import app
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.mapping.approvals import note_preview, what
    from childlink_ingest.pseudonymise.split import split
    from childlink_ingest.reporting import pages, report
    from childlink_ingest.reporting import preview as previews
    from childlink_ingest.runs.prepare import map_rows
    from childlink_ingest.settings import IngestSettings

    settings = IngestSettings.load(settings_file)
    mapping = app.load_mapping(mapping_file)
    profile = get_profile(settings.profile)
    shown = what(mapping_file, mapping, profile)
    if page:
        with app.open_mapped(extract, mapping, settings):
            pass
        write_text(
            page,
            pages.render(
                "preview.html",
                partner=settings.partner,
                dataset=mapping.dataset,
                mapping=mapping,
                mapping_file=mapping_file.name,
                version=__version__,
                approved=shown,
                opt_out=previews.opt_out_in_words(mapping),
                columns=previews.column_rules(mapping, profile),
                examples=previews.examples(mapping, profile),
                profile=previews.explain_profile(profile),
                warning=WHAT_CLKS_TELL if profile.kind == "clk" else "",
            ),
        )
        note_preview(settings.previews, mapping_file, extract, shown, os_user())
        click.echo(f"{page} written. It shows what would be sent, with made-up rows.")
    if explain:
        for item in previews.explain_profile(profile):
            click.echo(f"pass {item['number']} ({item['name']}), made {item['when']}:")
            click.echo(f"    {item['how']}")
        if profile.kind == "clk":
            click.echo(WHAT_CLKS_TELL)
    if page or explain:
        return
    with app.open_job(settings, extract, mapping) as job:
        rows = []
        mapper = RowMapper(mapping, date.today())
        for record in job.extract:
            rows += map_rows([record], mapper, job.plan)[0]
            if len(rows) >= wanted:
                break
        halves = [split(row, mapping, job.site.references) for row in rows]
        click.echo(
            report.render_preview(rows, halves, job.site.encoder, mapping)
            if rows
            else "No row of this extract would be sent."
        )
    if rows:
        note_preview(settings.previews, mapping_file, extract, shown, os_user())


@click.command()
@extract_argument
@mapping_option
@click.option("--output", required=True, type=click.Path(path_type=Path), help="CSV file to write.")
@click.pass_obj
def refs(settings_file: Path | None, extract: Path, mapping_file: Path, output: Path) -> None:
    """Write local id, role and link reference of an extract's subjects, to evaluate linkage
    quality.

    The file connects your own ids to the linker's references. Use it only for pilots and
    evaluations with made-up or approved data.
    """

    from childlink_ingest import app
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.pseudonymise.split import split
    from childlink_ingest.runs.prepare import map_rows
    from childlink_ingest.settings import IngestSettings

    found: dict[bytes, tuple[str, str]] = {}
    mapping = app.load_mapping(mapping_file)
    with app.open_job(IngestSettings.load(settings_file), extract, mapping) as job:
        mapper = RowMapper(mapping, date.today())
        for record in job.extract:
            for row in map_rows([record], mapper, job.plan)[0]:
                for subject in split(row, mapping, job.site.references)[:2]:
                    if subject:
                        found[subject.link_reference] = (subject.identity.person_id, subject.role)
    write_csv(
        output,
        ["local_id", "role", "link_reference"],
        [(local, role, ref.hex()) for ref, (local, role) in found.items()],
    )
    click.echo(f"{len(found):,} subjects written to {output}")
