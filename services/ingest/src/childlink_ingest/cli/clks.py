"""Commands for CLKs: clk, clk-kit, verify-encoding."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.errors import UserError

from childlink_ingest.cli.common import FILE, read_text, write_text

if TYPE_CHECKING:
    from childlink_ingest.pseudonymise.clk import ClkEncoder


@click.command()
@click.argument("people", type=FILE)
@click.argument("schema", type=FILE)
@click.option(
    "--secret-file",
    required=True,
    type=FILE,
    help="File with the project's secret. Its last newline is ignored.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help='JSON file to write: {"clks": [...]}, the format of clkhash.',
)
def clk(people: Path, schema: Path, secret_file: Path, output: Path) -> None:
    """Compatibility mode: encode a CSV file with a linkage schema (version 3), exactly as clkhash
    does.

    For projects that use anonlink or CODI's tools. childlink's own linker takes such filters only
    under a profile of CLKs: published attacks break one unsalted filter of all fields.
    """

    from childlink_ingest.pseudonymise.clk import to_text

    records, encoder = _clk_input(people, schema, secret_file)
    clks = _encode_clks(encoder, records)
    write_text(output, json.dumps({"clks": [to_text(item) for item in clks]}))
    click.echo(f"{len(clks):,} filters written to {output}")


@click.command("clk-kit")
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def clk_kit(settings_file: Path | None, folder: Path) -> None:
    """Write the schema and the secret with which clkutil makes this partnership's CLKs.

    Only under a profile of CLKs. With the secret, guesses can be tested against CLKs. Keep it
    like the linkage secret, and delete it when the CLKs are made.
    """

    from childlink_core.keys import read_secret_key
    from childlink_core.profiles import get_profile

    from childlink_ingest.pseudonymise.encoder import clk_secret
    from childlink_ingest.settings import IngestSettings

    settings = IngestSettings.load(settings_file)
    profile = get_profile(settings.profile)
    if profile.clk_pass is None or profile.clk_pass.clk is None:
        raise UserError(
            f"The partnership's profile is {profile.id}. It has no CLKs.",
            "See docs/how-to/use-clkhash.md.",
        )
    clk = profile.clk_pass.clk
    schema, secret = folder / "schema.json", folder / "secret.txt"
    if schema.exists() or secret.exists():
        raise UserError(f"{folder} holds a kit already.", "Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(schema, json.dumps(json.loads(clk.schema), indent=2) + "\n")
    key = read_secret_key(settings.linkage_key)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(clk_secret(key))
    click.echo(f"{schema}: its features are {', '.join(clk.fields)}, normalised as in `preview`")
    click.echo(f"{secret}: from version {key.version} of the linkage secret; never send it")


@click.command("verify-encoding")
@click.argument("people", type=FILE)
@click.argument("schema", type=FILE)
@click.option("--secret-file", required=True, type=FILE, help="File with the project's secret.")
def verify_encoding(people: Path, schema: Path, secret_file: Path) -> None:
    """Compare the filters of compatibility mode with those of an installed clkhash, record by
    record.
    """
    try:
        from clkhash import clk as clkhash_clk
        from clkhash.schema import from_json_dict
    except ImportError:
        raise UserError(
            "clkhash is not installed here.",
            "Install it in a separate environment, because it needs cryptography<41.",
        ) from None
    records, encoder = _clk_input(people, schema, secret_file)
    ours = _encode_clks(encoder, records)
    content = from_json_dict(json.loads(read_text(schema)))
    secret = read_text(secret_file).rstrip("\r\n")
    theirs = clkhash_clk.generate_clks([r for _, r in records], content, secret, max_workers=1)
    different = [
        number for (number, _), a, b in zip(records, ours, theirs, strict=True) if a != b.tobytes()
    ]
    if different:
        raise UserError(
            f"{len(different):,} of {len(ours):,} filters differ; the first is line"
            f" {different[0]}.",
            "Report this as a defect.",
        )
    click.echo(f"{len(ours):,} filters, all identical to clkhash's")


def _clk_input(
    people: Path, schema: Path, secret_file: Path
) -> tuple[list[tuple[int, list[str]]], ClkEncoder]:
    from childlink_ingest import errors
    from childlink_ingest.pseudonymise.clk import ClkEncoder, SchemaError, parse_schema

    try:
        parsed = parse_schema(json.loads(read_text(schema)))
    except json.JSONDecodeError as error:
        raise SchemaError(f"{schema} is not JSON, line {error.lineno}.", "Correct it.") from None
    encoder = ClkEncoder(parsed, read_text(secret_file).rstrip("\r\n").encode())
    with people.open(encoding="utf-8-sig", newline="") as file:
        try:
            reader = csv.reader(file)
            header = next(reader, [])
            wanted = [field.name for field in parsed.fields]
            if header != wanted:
                raise errors.ExtractError(
                    f"{people.name} has the columns {', '.join(header)}.",
                    f"The schema needs: {', '.join(wanted)}.",
                )
            records = []
            for cells in reader:
                if len(cells) != len(header):
                    raise errors.ExtractError(
                        f"{people.name}, line {reader.line_num} has {len(cells)} fields, not"
                        f" {len(header)}.",
                        "Correct the row.",
                    )
                records.append((reader.line_num, cells))
        except (csv.Error, UnicodeDecodeError) as error:
            raise errors.ExtractError(
                f"{people.name} cannot be read ({type(error).__name__}).",
                "Use a CSV file in UTF-8.",
            ) from None
    return records, encoder


def _encode_clks(encoder: ClkEncoder, records: list[tuple[int, list[str]]]) -> list[bytes]:
    from childlink_ingest import errors
    from childlink_ingest.pseudonymise.clk import EntryError

    try:
        return encoder.encode(cells for _, cells in records)
    except EntryError:
        for number, cells in records:
            try:
                encoder.encode([cells])
            except EntryError as error:
                raise errors.ExtractError(
                    f"Line {number}: {error}.", "Correct the value, or the schema."
                ) from None
        raise
