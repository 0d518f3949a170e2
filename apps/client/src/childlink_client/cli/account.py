"""Commands that set up the connection."""

import json
from pathlib import Path
from typing import Any

import click

from childlink_client.cli.common import PATH, connect, main, remember_names, settings_folder
from childlink_client.errors import ClientError


@main.command()
@click.argument("address")
@click.option("--ca", type=PATH, help="CA certificate of the service (PEM).")
@click.option("--certificate", type=PATH, help="Your certificate (PEM).")
@click.option("--key", type=PATH, help="Your certificate's private key file (PEM).")
@click.option(
    "--token",
    is_flag=True,
    help="Ask for an access token and store it so that only you can read it.",
)
def login(address: str, token: bool, **files: Path | None) -> None:
    """Try the service at ADDRESS (host:port) and remember how to reach it. If that fails, nothing
    changes.
    """
    folder = settings_folder()
    told: dict[str, Any] = {"address": address} | {
        name: str(path.resolve()) for name, path in files.items() if path
    }
    folder.mkdir(parents=True, exist_ok=True)
    kept, tried = folder / "token", folder / "token.tried"
    try:
        if token:
            secret = click.prompt("Access token", hide_input=True)
            tried.touch(mode=0o600)
            tried.chmod(0o600)
            tried.write_text(secret.strip() + "\n", encoding="utf-8")
            told["token_file"] = str(tried)
        with connect(**told) as client:
            found = client.releases()
            remember_names(item.id for item in client.measures()) if found else None
        if token:
            tried.replace(kept)
            told["token_file"] = str(kept)
    finally:
        tried.unlink(missing_ok=True)
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items())
    (folder / "login.toml").write_text(text, encoding="utf-8")
    newest = (
        f"; the newest of {len(found)} releases is {found[0].id}"
        if found
        else "; there is no release yet"
    )
    click.echo(f"{address} answers{newest}. Saved in {folder / 'login.toml'}")


@main.command()
def logout() -> None:
    """Forget how to reach the service, and delete the access token."""
    for name in ("login.toml", "token", "measures.json"):
        (settings_folder() / name).unlink(missing_ok=True)
    click.echo("forgotten")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete commands and measures. For bash: eval "$(childlink
    completion bash)"
    """

    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise ClientError(f"There is no completion for {shell}.")
    click.echo(found(main, {}, "childlink", "_CHILDLINK_COMPLETE").source())
