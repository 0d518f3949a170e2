"""Commands for the linker's questions about the site's own rows: checks, checked."""

from datetime import date
from pathlib import Path

import click

from childlink_ingest.cli.common import exchange, extract_argument, mapping_option


@click.command()
@extract_argument
@mapping_option
@click.pass_obj
def checks(settings_file: Path | None, extract: Path, mapping_file: Path) -> None:
    """Which of your own people the linker asks about: look them up in your source, correct what is
    wrong, then `checked`.

    Shows the ids that EXTRACT gives them; nothing about them came from outside. Most are decoys:
    nobody may conclude anything from being asked.
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
        click.echo("The linker asks nothing.")
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
            f"request {number}: are NHS number, names, date of birth, sex and postcode of these"
            " right in your source?"
        )
        for person in here:
            click.echo(f"  {person}")
        if len(here) < len(references):
            click.echo(f"  and {len(references) - len(here)} who are not in this extract")


@click.command()
@click.argument("request", type=int)
@click.option(
    "--corrected",
    multiple=True,
    help=(
        "Local id of a person whose row was wrong and is corrected now; may be given several times."
    ),
)
@click.option("--cannot-tell", multiple=True, help="Local id of a person of whom nobody can tell.")
@click.option(
    "--role",
    default="child",
    show_default=True,
    type=click.Choice(["child", "adult"]),
    help="Whose ids these are.",
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
    """Answer REQUEST: everybody in it is recorded right, but for those named. Then run the
    corrected extract.
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
        f"answered for {people} people: {len(wrong)} corrected, {len(unknown)} of whom nobody can"
        " tell"
    )
