"""Commands for the linker's questions about the site's own people: checks, checked."""

from datetime import date
from pathlib import Path

import click

from childlink_ingest.cli.common import exchange, extract_argument, mapping_option


@click.command()
@extract_argument
@mapping_option
@click.pass_obj
def checks(settings_file: Path | None, extract: Path, mapping_file: Path) -> None:
    """List the people of your site that the linker asks about.

    Look them up in your source, correct errors, then answer with `checked`. The list shows the ids
    in EXTRACT; it contains no information from other partners. Most people are decoys: being on the
    list has no meaning.
    """

    from childlink_ingest import app
    from childlink_ingest.mapping.apply import RowMapper
    from childlink_ingest.pseudonymise.split import split
    from childlink_ingest.runs.prepare import map_rows
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    mapping = app.load_mapping(mapping_file)
    with open_spool(settings.spool) as spool:
        open_requests = spool.own_checks()
    if not open_requests:
        click.echo("The linker has no questions.")
        return
    wanted = {reference for _, references in open_requests.values() for reference in references}
    found: dict[bytes, str] = {}
    with app.open_job(settings, extract, mapping) as job:
        mapper = RowMapper(mapping, date.today())
        for record in job.extract:
            for row in map_rows([record], mapper, job.plan)[0]:
                for subject in split(row, mapping, job.site.references)[:2]:
                    if subject and subject.link_reference in wanted:
                        found[subject.link_reference] = (
                            f"{subject.role} {subject.identity.person_id}"
                        )
    for number, (_, references) in open_requests.items():
        here = sorted(found[reference] for reference in references if reference in found)
        click.echo(
            f"request {number}: does your source have the right NHS number, names, date of birth,"
            " sex and postcode for these people?"
        )
        for person in here:
            click.echo(f"  {person}")
        if len(here) < len(references):
            click.echo(f"  and {len(references) - len(here)} people who are not in this extract")


@click.command()
@click.argument("request", type=int)
@click.option(
    "--corrected",
    multiple=True,
    help=(
        "Local id of a person whose row was wrong and is now corrected. You can repeat this option."
    ),
)
@click.option("--cannot-tell", multiple=True, help="Local id of a person whom you cannot verify.")
@click.option(
    "--role",
    default="child",
    show_default=True,
    type=click.Choice(["child", "adult"]),
    help="The role of the people with these ids.",
)
@click.option(
    "--id-space",
    default="default",
    show_default=True,
    help="The mapping's id_space (or adult_id_space).",
)
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for the receipt.")
@click.pass_obj
def checked(
    settings_file: Path | None,
    request: int,
    corrected: tuple[str, ...],
    cannot_tell: tuple[str, ...],
    role: str,
    id_space: str,
    wait: float,
) -> None:
    """Answer REQUEST: all people in it are recorded correctly, except those you name.

    Then run the corrected extract.
    """

    from childlink_ingest import app
    from childlink_ingest.metrics import IngestMetrics
    from childlink_ingest.runs import source_verification as own_checks
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.spool import open_spool

    settings = IngestSettings.load(settings_file)
    site = app.build_site(settings)
    wrong, unknown = (
        {site.references.link(id_space, local, role) for local in ids}
        for ids in (corrected, cannot_tell)
    )
    with open_spool(settings.spool) as spool:
        app.catch_up(settings, spool)
        people = own_checks.answer(spool, site, request, wrong, unknown)
        exchange(settings, spool, IngestMetrics(), wait)
    click.echo(
        f"answered for {people} people: {len(wrong)} corrected, {len(unknown)} could not be"
        " verified"
    )
