"""The commands of `childlink-ops`."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core import __version__
from childlink_core.commands import Commands, configure_logs
from childlink_core.errors import UserError

from childlink_ops import access

if TYPE_CHECKING:
    from childlink_ops.authority import Issued

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW = click.Path(path_type=Path)
_SIGN_OF_LIFE = Path(tempfile.gettempdir()) / "childlink-gatekeeper"

_authority = click.option(
    "--authority", default="authority", show_default=True, type=NEW, help="The authority's folder."
)
_passphrase = click.option(
    "--passphrase-file", type=FILE, help="File with the passphrase of the authority's key."
)
_days = click.option(
    "--days",
    default=365,
    show_default=True,
    type=click.IntRange(1, 825),
    help="Days that it is valid.",
)


@click.group(cls=Commands)
@click.version_option(__version__)
def main() -> None:
    """Manage certificates, and the access rights to the broker's topics."""

    configure_logs("ops")


@main.group()
def ca() -> None:
    """The certificate authority: create it, issue, list and revoke certificates."""


@ca.command("new")
@_authority
@click.option("--title", default="childlink", show_default=True, help="Its display name.")
@_passphrase
def ca_new(authority: Path, title: str, passphrase_file: Path | None) -> None:
    """Make a certificate authority.

    Run this on a machine that is not a broker. Back up its folder, and keep it private.
    """

    from childlink_ops.authority import create

    create(authority, title, _read_passphrase(passphrase_file))
    click.echo(f"{authority}: ca.key (secret), ca.pem, crl.pem made")


@ca.command("issue")
@click.argument("kind", type=click.Choice([kind for kind in access.KINDS if kind != "partner"]))
@click.argument("name")
@click.option("--folder", required=True, type=NEW, help="Folder for tls.key and tls.pem.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="DNS name or address of the server. You can repeat this option.",
)
@_days
@_authority
@_passphrase
def ca_issue(
    kind: str,
    name: str,
    folder: Path,
    hosts: tuple[str, ...],
    days: int,
    authority: Path,
    passphrase_file: Path | None,
) -> None:
    """Make a key and its certificate for a component of the hub.

    Existing files are never overwritten: give another folder to renew.
    """

    from childlink_core.keys import write_private

    from childlink_ops.authority import Authority, new_request

    access.check_name(kind, name)
    signer = Authority(authority, _read_passphrase(passphrase_file))
    request, key = new_request(name)
    write_private(folder / "tls.key", key)
    (folder / "tls.pem").write_bytes(signer.sign(request, kind, name, hosts, days))
    click.echo(f"{folder}: tls.key (secret) and tls.pem made, for {kind} {name}, {days} days")


@ca.command("list")
@click.option(
    "--within",
    type=int,
    help="Only certificates that expire within this many days. Exit code 3 if there are any.",
)
@_authority
def ca_list(within: int | None, authority: Path) -> None:
    """List certificates by expiry, earliest first."""

    from childlink_ops.authority import Register

    now = datetime.now(UTC)
    shown = [
        item
        for item in Register(authority).certificates()
        if within is None or _ends_within(item, within)
    ]
    for item in shown:
        left = (item.expires - now).days
        state = "revoked" if item.revoked else f"{left} days left" if item.valid else "expired"
        click.echo(f"{item.serial}  {item.kind:8} {item.name:28} {item.expires:%Y-%m-%d}  {state}")
    if within is not None:
        sys.exit(3 if shown else 0)


@ca.command("revoke")
@click.argument("serials", nargs=-1, required=True)
@_authority
@_passphrase
def ca_revoke(serials: tuple[str, ...], authority: Path, passphrase_file: Path | None) -> None:
    """Revoke certificates by serial number (see `ca list`).

    The gatekeeper applies this as soon as it reads the new crl.pem.
    """

    from childlink_ops.authority import Authority, AuthorityError

    signer = Authority(authority, _read_passphrase(passphrase_file))
    known = {item.serial: item for item in signer.certificates()}
    if unknown := [serial for serial in serials if serial not in known]:
        raise AuthorityError(
            f"No certificate has the serial number {unknown[0]}.", "See `childlink-ops ca list`."
        )
    signer.revoke(serials)
    for serial in serials:
        click.echo(f"revoked: {known[serial].kind} {known[serial].name} {serial}")
    click.echo(f"publish {authority / 'crl.pem'} to the gatekeeper and the services")
    if any(known[serial].kind in ("broker", "operator") for serial in serials):
        click.echo(
            "If super.users in Kafka's server.properties contains this name, Kafka still accepts"
            " the certificate, because it reads no revocation list. Issue the next certificate"
            " under another name, put that name there, and restart the broker."
        )


@ca.command("refresh")
@_authority
@_passphrase
def ca_refresh(authority: Path, passphrase_file: Path | None) -> None:
    """Sign the revocation list again without a change, then use `ca publish`.

    The list expires after 400 days.
    """

    from childlink_ops.authority import Authority

    signer = Authority(authority, _read_passphrase(passphrase_file))
    signer.revoke(())
    click.echo(f"{authority / 'crl.pem'} is valid until {signer.list_ends():%Y-%m-%d}; publish it")


@ca.command("publish")
@click.argument("folder", type=NEW)
@click.option(
    "--flat", is_flag=True, help="Without a folder inside, as a config map of Kubernetes needs it."
)
@_authority
def ca_publish(folder: Path, flat: bool, authority: Path) -> None:
    """Copy the public half (ca.pem, crl.pem, issued/) to the folder that the gatekeeper or a
    service reads.
    """

    from childlink_ops.authority import Register

    Register(authority).publish(folder, flat=flat)
    click.echo(f"published to {folder}")


@main.command("directory")
@click.argument("keys_files", nargs=-1, required=True, type=FILE)
@click.option(
    "--linkage",
    multiple=True,
    metavar="VERSION=CHECK",
    help="Check value of a linkage secret, from its custodian.",
)
@click.option("--output", required=True, type=NEW, help="Directory file to write.")
def new_directory(keys_files: tuple[Path, ...], linkage: tuple[str, ...], output: Path) -> None:
    """Create the partnership's directory from the output of the services' `keys show`.

    Add partners with `partner onboard`.
    """

    from childlink_core.directory import read_directory, render_directory

    members = [member for path in keys_files for member in read_directory(path).members.values()]
    values = {}
    for text in linkage:
        version, is_pair, check = text.partition("=")
        if not (is_pair and version.isdigit() and check):
            raise UserError(
                f"--linkage {text} is not VERSION=CHECK.",
                "Write it as `keys new-linkage` prints it.",
            )
        values[int(version)] = check
    _write_new(output, render_directory(members, values).encode())
    click.echo(f"{output}: {', '.join(sorted(member.name for member in members))}")


@main.group()
def partner() -> None:
    """Partners: onboard, renew, suspend."""


@partner.command("onboard")
@click.argument("name")
@click.option("--request", "request_file", required=True, type=FILE, help="The partner's tls.csr.")
@click.option(
    "--keys", "keys_file", required=True, type=FILE, help="The output of the partner's `keys show`."
)
@click.option(
    "--directory",
    "directory_file",
    required=True,
    type=FILE,
    help="The partnership's directory file. The partner is added to it.",
)
@click.option(
    "--certificate", required=True, type=NEW, help="Certificate file to write, for the partner."
)
@click.option(
    "--confirmed",
    help=(
        "The ids of the signing and the sealing key, as the site read them to you by telephone."
        " Default: you are asked."
    ),
)
@_days
@_authority
@_passphrase
def onboard(
    name: str,
    request_file: Path,
    keys_file: Path,
    directory_file: Path,
    certificate: Path,
    confirmed: str | None,
    days: int,
    authority: Path,
    passphrase_file: Path | None,
) -> None:
    """Onboard a partner: sign its request, and add its public keys to the directory.

    The gatekeeper then creates its topics and rights. Have the site on the telephone, with a number
    that did not come by e-mail: it reads its key ids to you (`childlink-ingest keys show`), and you
    type them. Another key than the site's would let its owner read and send in the site's name.
    """

    from childlink_core.directory import read_directory, render_directory
    from childlink_core.keys import aloud, heard

    from childlink_ops.authority import Authority, read_request

    directory, offered = read_directory(directory_file), read_directory(keys_file)
    if set(offered.members) != {name}:
        raise UserError(
            f"{keys_file} contains keys of {', '.join(offered.members)}, not of {name}.",
            "Ask the partner for its own keys.",
        )
    if name in directory.members:
        raise UserError(
            f"{name} is already a member.",
            "Use `childlink-ops partner renew` for a new certificate.",
        )
    member = offered.members[name]
    if confirmed is None:
        confirmed = click.prompt(
            f"The ids of {name}'s signing and sealing key, as the site reads them to you", err=True
        )
    ids = [*(key.key_id for key in member.signing), *(key.key_id for key in member.sealing)]
    if heard(confirmed) != "".join(ids):
        raise UserError(
            f"{keys_file} does not hold the keys whose ids the site read to you. Nothing was"
            " signed.",
            "Let the site read both ids again, signing key first. If they still differ, the file"
            " is not the site's: somebody may have exchanged it.",
        )
    signer = Authority(authority, _read_passphrase(passphrase_file))
    _write_new(certificate, signer.sign(read_request(request_file), "partner", name, (), days))
    text = render_directory([*directory.members.values(), member], directory.linkage)
    directory_file.write_text(text, encoding="utf-8")
    click.echo(f"{certificate} for {name}, {days} days; {directory_file} lists it")
    click.echo(f"  signing key {', '.join(aloud(key.key_id) for key in member.signing)}")
    click.echo(f"  sealing key {', '.join(aloud(key.key_id) for key in member.sealing)}")
    click.echo(
        "  send the partner the certificate, ca.pem and the directory; restart linker and"
        " analytics, which read the directory at start"
    )


@partner.command("renew")
@click.argument("name")
@click.option(
    "--request", "request_file", required=True, type=FILE, help="The partner's tls-new.csr."
)
@click.option(
    "--certificate", required=True, type=NEW, help="Certificate file to write, for the partner."
)
@_days
@_authority
@_passphrase
def renew(
    name: str,
    request_file: Path,
    certificate: Path,
    days: int,
    authority: Path,
    passphrase_file: Path | None,
) -> None:
    """Sign a partner's new request. The old certificate stays valid until it expires.

    The site can therefore switch when it wants to.
    """

    from childlink_ops.authority import Authority, read_request

    signer = Authority(authority, _read_passphrase(passphrase_file))
    if not any(item.name == name and item.kind == "partner" for item in signer.certificates()):
        raise UserError(
            f"{name} has never had a certificate.", "Use `childlink-ops partner onboard`."
        )
    _write_new(certificate, signer.sign(read_request(request_file), "partner", name, (), days))
    click.echo(
        f"{certificate} for {name}, {days} days. If the old certificate must no longer be used,"
        " revoke it once the site uses the new one."
    )


@partner.command("suspend")
@click.argument("name")
@_authority
@_passphrase
def suspend(name: str, authority: Path, passphrase_file: Path | None) -> None:
    """Revoke every certificate of a partner. Its topics and data stay.

    `renew` gives it access again.
    """

    from childlink_ops.authority import Authority

    signer = Authority(authority, _read_passphrase(passphrase_file))
    serials = [
        i.serial
        for i in signer.certificates()
        if (i.kind, i.name) == ("partner", name) and not i.revoked
    ]
    if not serials:
        raise UserError(
            f"{name} has no certificate that could be revoked.", "See `childlink-ops ca list`."
        )
    signer.revoke(serials)
    click.echo(
        f"{name}: {len(serials)} certificates revoked; publish {authority / 'crl.pem'} to the"
        " gatekeeper"
    )


@main.command("gatekeeper")
@click.option(
    "--settings",
    "settings_file",
    type=NEW,
    envvar="CHILDLINK_OPS_SETTINGS",
    help="TOML settings file.",
)
def keep_gate(settings_file: Path | None) -> None:
    """Keep the broker's topics and rights up to date with the authority and the directory, until
    SIGTERM.
    """

    from childlink_ops import gatekeeper
    from childlink_ops.metrics import GatekeeperMetrics
    from childlink_ops.settings import GatekeeperSettings

    settings = GatekeeperSettings.load(settings_file)
    metrics = GatekeeperMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    gatekeeper.run(settings, metrics, stop, _SIGN_OF_LIFE)


@main.command("healthcheck")
def healthcheck() -> None:
    """Check that the gatekeeper's last check was successful and recent. For container health
    checks.
    """

    from childlink_ops import gatekeeper

    try:
        age = time.time() - _SIGN_OF_LIFE.stat().st_mtime
    except OSError:
        raise UserError("The gatekeeper has not yet updated the broker.", "See its log.") from None
    if age > gatekeeper.HEALTHY_FOR_S:
        raise UserError(
            f"The gatekeeper's last successful check was {age:.0f} s ago.", "See its log."
        )


@main.command("align")
@click.option(
    "--settings",
    "settings_file",
    type=NEW,
    envvar="CHILDLINK_OPS_SETTINGS",
    help="TOML settings file.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def align(settings_file: Path | None, dry_run: bool) -> None:
    """Update the broker's topics and rights once, and print the changes."""

    from childlink_ops import gatekeeper
    from childlink_ops.metrics import GatekeeperMetrics
    from childlink_ops.settings import GatekeeperSettings

    changes = gatekeeper.align(
        GatekeeperSettings.load(settings_file), GatekeeperMetrics(), dry_run=dry_run
    )
    for line in changes.lines():
        click.echo(line)
    if not changes:
        click.echo("Nothing to change.")


@main.command("doctor")
@click.option(
    "--settings",
    "settings_file",
    type=NEW,
    envvar="CHILDLINK_OPS_SETTINGS",
    help="TOML settings file.",
)
@click.option(
    "--keys",
    "key_folders",
    multiple=True,
    type=NEW,
    help="Folder of a service's keys. You can repeat this option.",
)
def run_doctor(settings_file: Path | None, key_folders: tuple[Path, ...]) -> None:
    """Check the hub's set-up, and say what to fix. Changes nothing.

    Checks directory, certificates, keys, disks, broker, topics, rights and clock. Run it on the
    gatekeeper's machine, with the gatekeeper's settings. Exit code 1 if there is anything to fix.
    """

    from childlink_core.checkup import examine, show

    from childlink_ops import doctor
    from childlink_ops.settings import GatekeeperSettings

    settings = GatekeeperSettings.load(settings_file)
    sys.exit(1 if show(examine(doctor.checks(settings, key_folders))) else 0)


def _ends_within(item: Issued, days: int) -> bool:
    return not item.revoked and (item.expires - datetime.now(UTC)).days < days


def _read_passphrase(path: Path | None) -> bytes | None:
    return path.read_bytes().rstrip(b"\r\n") if path else None


def _write_new(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UserError(f"{path} already exists.", "Give another name, or move the file.") from None
