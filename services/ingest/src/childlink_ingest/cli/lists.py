"""Commands that prepare input of `run`: opt-out requests, partnership-wide objections, area
look-up.
"""

from pathlib import Path

import click
from childlink_core.errors import UserError

from childlink_ingest.cli.common import FILE, Progress, extract_argument, mapping_option, write_text


@click.group("opt-out")
def opt_out() -> None:
    """The national data opt-out."""


@opt_out.command("request")
@extract_argument
@mapping_option
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="File to send to the checking service.",
)
@click.pass_obj
def request(settings_file: Path | None, extract: Path, mapping_file: Path, output: Path) -> None:
    """Write the NHS numbers of an extract for the checking service (MESH): one per line, with a
    comma.

    Set `checked_list` to this file and `permitted_list` to the answer.
    """

    from childlink_ingest import app
    from childlink_ingest.mapping.apply import text_reader
    from childlink_ingest.model.rows import Rejection
    from childlink_ingest.settings import IngestSettings
    from childlink_ingest.standardise.normalise import nhs_number

    mapping = app.load_mapping(mapping_file)
    columns = [
        text_reader(mapping.columns[name])
        for name in ("child_nhs_number", "adult_nhs_number")
        if name in mapping.columns
    ]
    if not columns:
        raise UserError(
            "The mapping has no column of NHS numbers.", "Without one, nothing can be checked."
        )
    settings = IngestSettings.load(settings_file) if extract.suffix.lower() == ".sql" else None
    numbers = set()
    with app.open_mapped(extract, mapping, settings) as opened:
        for record in opened:
            if not isinstance(record, Rejection):
                numbers |= {nhs_number(read(record.values)) for read in columns}
    numbers.discard("")
    write_text(output, "".join(f"{number},\n" for number in sorted(numbers)))
    click.echo(
        f"{len(numbers):,} NHS numbers written to {output}. The file is personal data. Delete it"
        " once you use the answer."
    )


@click.group()
def objections() -> None:
    """Objections that apply to the whole partnership."""


@objections.command("export")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="File for the partnership."
)
@click.pass_obj
def export(settings_file: Path | None, output: Path) -> None:
    """Write this site's objections for the other partners.

    They are keyed hashes of NHS numbers under the linkage secret. While `linkage_key_next` is set,
    they are made under the next secret, so that the list still holds after the rotation.
    """

    from childlink_ingest import app
    from childlink_ingest.eligibility.lists import read_objections
    from childlink_ingest.eligibility.rules import objection_tokens
    from childlink_ingest.settings import IngestSettings

    settings = IngestSettings.load(settings_file)
    local = read_objections(settings.objections)
    keys = app.objection_keys(settings)
    newest = {max(keys): keys[max(keys)]}
    tokens = sorted(t for number in local.nhs_numbers for t in objection_tokens(newest, number))
    write_text(output, "".join(f"{token}\n" for token in tokens))
    click.echo(
        f"{len(tokens):,} objections written to {output}. Objections without an NHS number apply at"
        " this site only."
    )


@click.group()
def area() -> None:
    """Areas and deprivation. Postcodes stay at this site."""


@area.command("build")
@click.option(
    "--postcodes",
    required=True,
    type=FILE,
    help="The CSV of the ONS Postcode Directory, as published.",
)
@click.option(
    "--deprivation",
    required=True,
    type=FILE,
    help="The CSV of ranks and deciles of the indices of deprivation, as published.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Look-up file to write; set `area_lookup` to it.",
)
def build(postcodes: Path, deprivation: Path, output: Path) -> None:
    """Build the look-up from the two published files. It takes about half a minute for the whole
    UK.
    """

    from childlink_ingest.geography.lookup import build_lookup

    shown = Progress("postcodes read")
    found, neighbourhoods = build_lookup(postcodes, deprivation, output, shown)
    shown.done()
    click.echo(f"{output}: {found:,} postcodes, deprivation of {neighbourhoods:,} neighbourhoods")
