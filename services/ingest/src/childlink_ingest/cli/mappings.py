"""The commands `mapping check`, `mapping keys` and `mapping schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from childlink_ingest.cli.common import FILE


@click.group()
def mapping() -> None:
    """Check a mapping file, and look up what it may say."""


@mapping.command("check")
@click.argument("mapping_file", type=FILE)
@click.argument("extract", type=FILE, required=False)
@click.pass_obj
def check_mapping(settings_file: Path | None, mapping_file: Path, extract: Path | None) -> None:
    """Check a mapping file; with EXTRACT, whether it fits the extract's header. Reads no rows."""
    from childlink_ingest import app
    from childlink_ingest.mapping.parse import can_be_linked
    from childlink_ingest.settings import IngestSettings

    parsed = app.load_mapping(mapping_file)
    fields = {field.name: field for field in parsed.dataset.fields}
    left = [
        name
        for name in parsed.dataset.columns
        if name not in parsed.columns and not (name in fields and fields[name].derive)
    ]
    click.echo(f"{mapping_file.name} is a mapping to {parsed.dataset.name}.")
    if extract:
        settings = IngestSettings.load(settings_file) if extract.suffix.lower() == ".sql" else None
        with app.open_mapped(extract, parsed, settings) as opened:
            columns = len(opened.header)
        click.echo(f"It fits {extract.name}, which has {columns} columns.")
    if not can_be_linked(parsed):
        click.echo(
            "No one can be linked by it: it has neither an NHS number, nor a date of birth or a"
            " postcode beside a name. Every row would be rejected."
        )
    click.echo(f"Not mapped: {', '.join(left)}." if left else "All columns are mapped.")


@mapping.command("keys")
def show_keys() -> None:
    """List what a mapping may say, with examples."""
    from childlink_ingest.mapping import language

    for title, model in language.PARTS:
        click.echo(f"{title}")
        for name, info in model.model_fields.items():
            click.echo(f"  {name}")
            click.echo(f"      {info.description}")
            for example in info.examples or []:
                click.echo(
                    f"      {name} = {example}"
                    if model is language.MappingKeys
                    else f"      {example}"
                )
        click.echo()


@mapping.command("schema")
def show_schema() -> None:
    """Print the JSON Schema of a mapping file. Editors use it to complete and check.

    Save it as childlink-mapping.json. With the extension Even Better TOML, the first line of a
    mapping is then: #:schema ./childlink-mapping.json
    """
    from childlink_ingest.mapping.language import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
