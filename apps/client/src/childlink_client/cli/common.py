"""The top-level command group, and what the commands share."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from childlink_client.errors import ClientError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from childlink_client.client import Client

PATH: Final = click.Path(path_type=Path)
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
RELEASE: Final = click.option("--release", default="", help="The release; the newest by default.")
BOUNDARIES: Final = click.option(
    "--boundaries",
    type=FILE,
    multiple=True,
    envvar="CHILDLINK_BOUNDARIES",
    help="A GeoJSON or TopoJSON file of areas, to draw maps; repeat for more.",
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Group(click.Group):
    """A command group that prints a ClientError without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)


def settings_folder() -> Path:
    """The folder where `login` stores its settings."""
    return Path(click.get_app_dir("childlink"))


def remembered() -> dict[str, Any]:
    """The settings that `login` stored. Raises ClientError if they cannot be read."""
    path = settings_folder() / "login.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ClientError(
            f"{path} cannot be read ({type(error).__name__}). Run: childlink login"
        ) from None


@click.group(cls=_Group)
@click.version_option(package_name="childlink-client")
@click.option(
    "--address",
    envvar="CHILDLINK_ADDRESS",
    help="host:port of the service. Default: the address from `login`, else 127.0.0.1:7443.",
)
@click.option("--ca", type=PATH, envvar="CHILDLINK_CA", help="CA certificate of the service (PEM).")
@click.option(
    "--certificate", type=PATH, envvar="CHILDLINK_CERTIFICATE", help="Your certificate (PEM)."
)
@click.option(
    "--key", type=PATH, envvar="CHILDLINK_KEY", help="Your certificate's private key file (PEM)."
)
@click.option(
    "--token-file",
    type=PATH,
    envvar="CHILDLINK_TOKEN_FILE",
    help="File that holds your access token.",
)
@click.pass_context
def main(ctx: click.Context, /, **given: Any) -> None:
    """Ask aggregate questions about linked child data. Small numbers are protected. Every answer
    names its release.

    Start with: childlink login, childlink measures, childlink ask reach_children --by residence
    """
    # A help text needs no connection.
    if ctx.invoked_subcommand in ("login", "logout", "completion") or "--help" in sys.argv[1:]:
        return
    known = {**remembered(), **{name: value for name, value in given.items() if value is not None}}
    ctx.obj = ctx.with_resource(connect(**known))


def connect(
    address: str = "127.0.0.1:7443",
    ca: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    token_file: str | Path | None = None,
) -> Client:
    """Open a client. Raises ClientError."""

    from childlink_client.client import Client

    try:
        token = Path(token_file).read_text(encoding="utf-8").strip() if token_file else ""
    except OSError as error:
        raise ClientError(f"{token_file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ClientError(f"{token_file} does not hold an access token: it is not text.") from None
    return Client(address, ca=ca, certificate=certificate, key=key, token=token)


def show(text: str) -> None:
    """Print. Use a pager if the text is longer than the terminal."""
    if sys.stdout.isatty() and text.count("\n") >= shutil.get_terminal_size().lines:
        click.echo_via_pager(text)
    else:
        click.echo(text)


def filters(where: tuple[str, ...], option: str = "where") -> dict[str, list[str]]:
    """Read `--where` or `--against` options as filters. Raises ClientError."""
    found: dict[str, list[str]] = {}
    for item in where:
        name, equals, categories = item.partition("=")
        if not equals or not categories:
            raise ClientError(f"--{option} {item}: write DIMENSION=CATEGORY or DIMENSION=A,B.")
        found.setdefault(name, []).extend(categories.split(","))
    return found


def remember_names(names: Iterable[str]) -> None:
    """Store the measures' names for shell completion."""
    folder = settings_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "measures.json").write_text(json.dumps(sorted(names)), encoding="utf-8")
    except OSError:
        # Completion is only a convenience: a home folder that is not writable must not fail the
        # question.
        return


class MeasureName(click.ParamType[str]):
    """A measure's name, completed from the names that were last listed."""

    name = "measure"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """See click: completes a measure's name."""

        from click.shell_completion import CompletionItem

        path = settings_folder() / "measures.json"
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]


MEASURE: Final = MeasureName()
