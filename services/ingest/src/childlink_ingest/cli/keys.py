"""Key commands: a site's own keys, and the transfer of the linkage secret from custodian to
site.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.errors import UserError

from childlink_ingest.cli.common import FILE, read_text, write_text

if TYPE_CHECKING:
    from childlink_core.profiles import Profile

_folder = click.option(
    "--folder", default="keys", show_default=True, type=click.Path(path_type=Path)
)


@click.group()
def keys() -> None:
    """Make, show, back up and exchange keys."""


@keys.command("new")
@click.argument("partner")
@_folder
def new(partner: str, folder: Path) -> None:
    """Make this site's signing, opening and reference keys, and a certificate request.

    Then back up the reference key.
    """

    from childlink_core.keys import OpeningKey, SecretKey, SigningKey, write_key
    from childlink_core.topics import check_partner_name

    from childlink_ingest.certificates import new_request

    check_partner_name(partner)
    signing, opening = SigningKey.generate(partner), OpeningKey.generate(partner)
    write_key(folder / "signing.key", signing)
    write_key(folder / "opening.key", opening)
    write_key(folder / "reference.key", SecretKey.generate(partner))
    new_request(partner, folder / "tls.key", folder / "tls.csr")
    click.echo(
        f"{folder}: signing.key, opening.key, reference.key, tls.key and tls.csr made. Next:"
    )
    click.echo(
        "  send the hub tls.csr and the output of `childlink-ingest keys show` (neither is secret)"
    )
    click.echo(
        "  back up the reference key, which cannot be recreated: childlink-ingest keys backup"
        " --help"
    )
    _say_ids(signing.public().key_id, opening.public().key_id)


@keys.command("request")
@click.argument("partner")
@_folder
def request(partner: str, folder: Path) -> None:
    """Make a certificate request with a new key, for a renewal: tls-new.key and tls-new.csr."""

    from childlink_core.topics import check_partner_name

    from childlink_ingest.certificates import new_request

    check_partner_name(partner)
    new_request(partner, folder / "tls-new.key", folder / "tls-new.csr")
    click.echo(
        f"{folder / 'tls-new.csr'} made. Send it to the hub. Keep the old key until you have the"
        " certificate."
    )


@keys.command("show")
@_folder
def show(folder: Path) -> None:
    """Print this site's public keys in the format of the directory file. It contains no secret.

    The ids of the keys, to read to the hub by telephone, are printed beside it.
    """

    from childlink_core.directory import Member, render_directory
    from childlink_core.keys import read_opening_key, read_signing_key

    signing = read_signing_key(folder / "signing.key")
    opening = read_opening_key(folder / "opening.key")
    click.echo(
        render_directory(
            [Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))]
        ),
        nl=False,
    )
    _say_ids(signing.public().key_id, opening.public().key_id)


def _say_ids(signing: str, sealing: str) -> None:
    """The ids of both public keys, for the telephone. Not on standard output, which is sent."""
    from childlink_core.keys import aloud

    click.echo("Read these ids to the hub by telephone, when it calls you:", err=True)
    click.echo(f"  signing key  {aloud(signing)}", err=True)
    click.echo(f"  sealing key  {aloud(sealing)}", err=True)


@keys.command("backup")
@click.option(
    "--key",
    "key_file",
    default="keys/reference.key",
    show_default=True,
    type=FILE,
    help="The key to back up.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="New file. Store it away from this machine.",
)
@click.option(
    "--passphrase-file", type=FILE, help="File with the passphrase. Default: you are asked for it."
)
def backup(key_file: Path, output: Path, passphrase_file: Path | None) -> None:
    """Write an encrypted backup of the reference key.

    Set reference_key_backup to a copy, so that `doctor` can check it.
    """

    from childlink_core import custody
    from childlink_core.keys import read_secret_key

    key = read_secret_key(key_file)
    write_text(output, custody.back_up(key, _passphrase(passphrase_file, confirm=True)), fresh=True)
    click.echo(f"{output} written, check value {key.check_value}. Store the passphrase separately.")


@keys.command("restore")
@click.argument("backup_file", type=FILE)
@click.option(
    "--output",
    default="keys/reference.key",
    show_default=True,
    type=click.Path(path_type=Path),
    help="New key file.",
)
@click.option(
    "--passphrase-file", type=FILE, help="File with the passphrase. Default: you are asked for it."
)
def restore(backup_file: Path, output: Path, passphrase_file: Path | None) -> None:
    """Restore a key from its backup."""

    from childlink_core import custody
    from childlink_core.keys import write_key

    key = custody.restore(read_text(backup_file), _passphrase(passphrase_file, confirm=False))
    write_key(output, key)
    click.echo(f"{output} restored, check value {key.check_value}")


@keys.command("new-linkage")
@click.option(
    "--version",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="The last version plus one.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="New key file, on the custodian's laptop.",
)
def new_linkage(version: int, output: Path) -> None:
    """Custodian: make the partnership's linkage secret.

    Run this on an offline laptop, never on a service of the hub.
    """

    from childlink_core.keys import SecretKey, write_key

    key = SecretKey.generate("partnership", version)
    write_key(output, key)
    click.echo(f"{output} made: version {version}, check value {key.check_value}")
    click.echo(f'  for the directory:  [linkage]  "{version}" = "{key.check_value}"')


@keys.command("issue-linkage")
@click.argument("partner")
@click.option("--linkage", "linkage_file", required=True, type=FILE, help="The linkage secret.")
@click.option(
    "--directory",
    "directory_file",
    required=True,
    type=FILE,
    help="The partnership's directory file.",
)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="File to send to the site."
)
@click.option(
    "--births-a-day",
    type=click.IntRange(1),
    help="Births a year in the whole area, divided by 365. Says which encoding profile to use.",
)
@click.option(
    "--profile",
    "profile_id",
    help="The encoding profile, if the number of births does not decide it.",
)
def issue_linkage(
    partner: str,
    linkage_file: Path,
    directory_file: Path,
    output: Path,
    births_a_day: int | None,
    profile_id: str | None,
) -> None:
    """Custodian: seal the linkage secret to one site's public key. Only that site can open the
    file.

    All sites and the linker use one encoding profile. Give --births-a-day to be told which.
    """

    from childlink_core import custody
    from childlink_core.directory import read_directory
    from childlink_core.keys import read_secret_key
    from childlink_core.profiles import get_profile, profile_for

    profile = profile_for(births_a_day) if births_a_day else None
    if profile_id:
        profile = get_profile(profile_id)
        _warn_of(profile, births_a_day)
    directory = read_directory(directory_file)
    if partner not in directory.partners:
        raise UserError(
            f"The directory has no partner {partner!r}.",
            f"It has: {', '.join(directory.partners)}.",
        )
    key = read_secret_key(linkage_file)
    directory.check_linkage(key)
    site = directory.seal_key(partner)
    write_text(output, custody.seal_linkage(key, site), fresh=True)
    click.echo(f"{output}: version {key.version} for {partner}, sealed to its key {site.key_id}")
    click.echo(
        f"  tell the site by telephone: its key id must be {site.key_id}, the check value"
        f" {key.check_value}"
    )
    if profile:
        click.echo(
            f'  and the setting of every site and of the linker: profile = "{profile.id}"'
            + (f" (for up to {profile.births_a_day} births a day)" if profile.births_a_day else "")
        )


def _warn_of(profile: Profile, births_a_day: int | None) -> None:
    """Warn the custodian of a profile that protects less than its encodings usually do."""
    from childlink_core.profiles import WHAT_CLKS_TELL

    if profile.kind == "clk":
        click.echo(f"warning: {WHAT_CLKS_TELL}", err=True)
    elif births_a_day and births_a_day > profile.births_a_day:
        click.echo(
            f"warning: {profile.id} is issued for up to {profile.births_a_day} births a day, not"
            f" {births_a_day}. No attack on it was measured there.",
            err=True,
        )


@keys.command("open-linkage")
@click.argument("sealed_file", type=FILE)
@click.option(
    "--check-value", required=True, help="The check value that the custodian told you by telephone."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="New key file. Default: linkage.key or, if it exists, linkage-VERSION.key.",
)
@_folder
def open_sealed(sealed_file: Path, check_value: str, output: Path | None, folder: Path) -> None:
    """Site: open the sealed linkage secret and write it to a key file. It is never shown."""

    from childlink_core import custody
    from childlink_core.keys import read_opening_key, write_key

    key = custody.open_linkage(read_text(sealed_file), read_opening_key(folder / "opening.key"))
    if key.check_value != check_value.strip().lower():
        raise UserError(
            f"The secret in the file has check value {key.check_value}, not the one you gave.",
            "Do not use it. Call the custodian: the file may be a forgery.",
        )
    path = output or (
        folder / "linkage.key"
        if not (folder / "linkage.key").exists()
        else folder / f"linkage-{key.version}.key"
    )
    write_key(path, key)
    click.echo(f"{path} made: version {key.version}, check value {key.check_value}")


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is not None:
        return read_text(file).rstrip("\r\n")
    asked: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm)
    return asked
