"""The commands of `childlink-catalogue`."""

import difflib
import json
import re
import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core import __version__
from childlink_core.commands import Commands
from childlink_core.errors import UserError

from childlink_catalogue.catalogue import Catalogue

if TYPE_CHECKING:
    from childlink_catalogue.versions import Change

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_LARGEST = 5
_MOST_PROBLEMS = 20
_SIGNER = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")


@click.group(cls=Commands)
@click.version_option(__version__)
def main() -> None:
    """Write, check and sign a partnership's catalogue: the folder of files that declares what is
    collected and counted.
    """


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--like",
    default="starter",
    type=click.Choice(["starter", "leap"]),
    show_default=True,
    help="What to begin with: a small catalogue, or that of the example partnership.",
)
def new(folder: Path, like: str) -> None:
    """Make a catalogue in a new FOLDER."""
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty.", "Give the name of a new folder.")
    shutil.copytree(Path(str(files("childlink_catalogue") / like)), folder, dirs_exist_ok=True)
    click.echo(f"{folder} made. Change its files, then run: childlink-catalogue check {folder}")


@main.command()
@click.argument("folder", type=_FOLDER)
@click.pass_context
def check(ctx: click.Context, folder: Path) -> None:
    """Check every file of a catalogue, and say how large it is."""
    from childlink_catalogue.remarks import remarks

    declared = Catalogue(folder)
    if found := declared.problems():
        for error in found[:_MOST_PROBLEMS]:
            click.echo(error.render(), err=True)
        more = f", of which {_MOST_PROBLEMS} are shown" if len(found) > _MOST_PROBLEMS else ""
        click.echo(f"{len(found)} problem{'s' if len(found) > 1 else ''}{more}.", err=True)
        ctx.exit(1)
    about, measures = declared.about, declared.measures()
    click.echo(f"{about.title}: version {about.version}, {declared.digest[:16]}")
    click.echo(
        f"  {len(declared.datasets)} datasets, {len(declared.services)} services,"
        f" {len(declared.instruments)} instruments, {len(declared.populations)} populations,"
        f" {len(measures)} measures"
        + (f", {len(declared.table_keys)} tables beside" if declared.table_keys else "")
    )
    largest = sorted(measures.values(), key=lambda item: -item.cells)[:_LARGEST]
    click.echo(f"  {sum(item.cells for item in measures.values()):,} cells to protect; most in:")
    for item in largest:
        click.echo(f"  {item.cells:9,}  {item.id}")
    for remark in remarks(declared, measures):
        click.echo(f"  {remark}")


@main.command()
@click.argument("folder", type=_FOLDER)
@click.argument("measure", required=False)
def explain(folder: Path, measure: str | None) -> None:
    """Say in words what MEASURE counts, or list the measures."""
    from childlink_catalogue.describing import describe, describe_table

    declared = Catalogue(folder)
    measures = declared.measures()
    if measure is None:
        for item in measures.values():
            click.echo(f"{item.id:32} {item.title}")
        for keys in declared.table_keys.values():
            click.echo(f"{keys.id:32} {keys.title} (a table beside)")
        return
    if measure in declared.table_keys:
        for line in describe_table(declared.tables()[measure]):
            click.echo(line)
        return
    if measure not in measures:
        near = difflib.get_close_matches(measure, [*measures, *declared.table_keys], n=5)
        raise UserError(
            f"There is no measure {measure!r}.",
            f"Did you mean {' or '.join(near)}?" if near else "`explain FOLDER` lists them all.",
        )
    for line in describe(declared, measures[measure]):
        click.echo(line)


@main.command()
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@click.pass_context
def diff(ctx: click.Context, old: Path, new: Path) -> None:
    """Say what changed from the catalogue OLD to NEW. Ends with code 1 if NEW would change the
    meaning of stored rows.
    """
    from childlink_catalogue.versions import changes

    found = changes(Catalogue(old), Catalogue(new))
    _show(found)
    if any(item.refused for item in found):
        ctx.exit(1)


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your signing key (see `new-key`).",
)
@click.option("--previous", type=_FOLDER, help="The version in use, to compare with.")
@click.option("--first", is_flag=True, help="There is no version in use yet.")
def sign(folder: Path, key: Path, previous: Path | None, first: bool) -> None:
    """Sign a version of a catalogue. Two people sign, each with a key of their own.

    A version that would change the meaning of stored rows is refused.
    """
    from childlink_core.keys import read_signing_key

    from childlink_catalogue.signing import NEEDED
    from childlink_catalogue.signing import sign as add
    from childlink_catalogue.versions import changes

    declared = Catalogue(folder)
    declared.measures()
    if (previous is None) != first:
        raise UserError(
            "Say which version is in use.", "Give --previous FOLDER; or --first, if there is none."
        )
    if previous:
        found = changes(Catalogue(previous), declared)
        _show(found)
        if any(item.refused for item in found):
            raise UserError(
                f"{folder} is not signed: it would change the meaning of stored rows.",
                "Mend what is listed above.",
            )
    signed = add(declared, read_signing_key(key))
    click.echo(f"version {declared.about.version} signed by {' and '.join(signed)}")
    if len(signed) < NEEDED:
        click.echo("A second person must sign it.")


@main.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--keys",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of the public keys.",
)
def verify(folder: Path, keys: Path) -> None:
    """Check that two people signed what is in FOLDER."""
    from childlink_catalogue.signing import verify as check_signatures

    declared = Catalogue(folder)
    signed = check_signatures(declared, keys)
    click.echo(f"version {declared.about.version} is signed by {' and '.join(signed)}")


@main.command("new-key")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def new_key(name: str, file: Path) -> None:
    """Make NAME's signing key in a new FILE, and print its public half for the file of keys."""
    from childlink_core.directory import Member, render_directory
    from childlink_core.keys import SigningKey, write_key

    if not _SIGNER.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be a signer's name.",
            "Use 3 to 32 small letters, digits and hyphens, such as governance-lead.",
        )
    key = SigningKey.generate(name)
    write_key(file, key)
    click.echo(render_directory([Member(name, name, (key.public(),), ())]), nl=False)


@main.command()
def keys() -> None:
    """List what each file of a catalogue may say, with examples."""
    from childlink_catalogue.language import FILES

    for name, _, tables in FILES:
        click.echo(name)
        for table in tables:
            click.echo(f"  {' '.join((table.__doc__ or '').split())}")
            for key, info in table.model_fields.items():
                click.echo(f"    {info.alias or key}: {info.description or ''}")
                for example in info.examples or []:
                    click.echo(f"        {example}")
        click.echo()


@main.command()
@click.argument("file")
def schema(file: str) -> None:
    """Print the JSON Schema of a FILE of a catalogue, such as datasets/speech.toml. Editors
    complete and check with it: with Even Better TOML, the first line is #:schema ./services.json
    """
    from childlink_catalogue.language import FILES, json_schema

    names = [name for name, *_ in FILES]
    found = next((name for name in names if fnmatchcase(file, name) or file == name), None)
    if found is None:
        raise UserError(f"There is no file {file!r}.", f"Use one of: {', '.join(names)}.")
    click.echo(json.dumps(json_schema(found), indent=2))


def _show(found: Iterable["Change"]) -> None:

    shown = False
    for item in found:
        shown = True
        click.echo(f"{'refused' if item.refused else '       '}  {item.what}")
        if item.remedy:
            click.echo(f"           what to do: {item.remedy}")
    if not shown:
        click.echo("Nothing changed.")
