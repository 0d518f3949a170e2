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
    "--passphrase-file", type=FILE, help="File that holds the passphrase of the authority's key."
)
_days = click.option(
    "--days",
    default=365,
    show_default=True,
    type=click.IntRange(1, 825),
    help="How long it is valid.",
)


@click.group(cls=Commands)
@click.version_option(__version__)
def main() -> None:
    """Certificates, and who may read and write which topic of the broker."""

    configure_logs("ops")


@main.group()
def ca() -> None:
    """The certificate authority: make it, issue, list, revoke."""


@ca.command("new")
@_authority
@click.option("--title", default="childlink", show_default=True, help="Its name, for people.")
@_passphrase
def ca_new(authority: Path, title: str, passphrase_file: Path | None) -> None:
    """Make a certificate authority. On a machine that is not a broker; keep its folder backed up
    and to yourself.
    """

    from childlink_ops.authority import create

    create(authority, title, _read_passphrase(passphrase_file))
    click.echo(f"{authority}: ca.key (secret), ca.pem, crl.pem made")


@ca.command("issue")
@click.argument("kind", type=click.Choice([kind for kind in access.KINDS if kind != "partner"]))
@click.argument("name")
@click.option("--folder", required=True, type=NEW, help="Where tls.key and tls.pem are written.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    help="DNS name or address that it answers at; repeat for more.",
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
    """Make a key and its certificate for something of the hub's own. Existing files stay: give
    another folder to renew.
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
    "--within", type=int, help="Only what ends within so many days; exit code 3 if there is any."
)
@_authority
def ca_list(within: int | None, authority: Path) -> None:
    """List certificates, the ones that end first first."""

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
    """Revoke certificates by serial number (see `ca list`). The gatekeeper honours it as soon as it
    sees the new crl.pem.
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
            "If super.users of Kafka's server.properties holds this name, Kafka goes on letting it"
            " in, for it reads no list: issue the next certificate under another name, put that"
            " name there, and restart the broker."
        )


@ca.command("refresh")
@_authority
@_passphrase
def ca_refresh(authority: Path, passphrase_file: Path | None) -> None:
    """Sign the revocation list anew, revoking nobody: it must be younger than 400 days. Then `ca
    publish`.
    """

    from childlink_ops.authority import Authority

    signer = Authority(authority, _read_passphrase(passphrase_file))
    signer.revoke(())
    click.echo(f"{authority / 'crl.pem'} is good until {signer.list_ends():%Y-%m-%d}; publish it")


@ca.command("publish")
@click.argument("folder", type=NEW)
@_authority
def ca_publish(folder: Path, authority: Path) -> None:
    """Copy the public half (ca.pem, crl.pem, issued/) to where the gatekeeper and the services read
    it.
    """

    from childlink_ops.authority import Register

    Register(authority).publish(folder)
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
    """Begin the partnership's directory from what the services' `keys show` printed. Partners come
    by `partner onboard`.
    """

    from childlink_core.directory import read_directory, render_directory

    members = [member for path in keys_files for member in read_directory(path).members.values()]
    values = {}
    for text in linkage:
        version, is_pair, check = text.partition("=")
        if not (is_pair and version.isdigit() and check):
            raise UserError(
                f"--linkage {text} is not VERSION=CHECK.",
                "Write it as `keys new-linkage` printed it.",
            )
        values[int(version)] = check
    _write_new(output, render_directory(members, values).encode())
    click.echo(f"{output}: {', '.join(sorted(member.name for member in members))}")


@main.group()
def partner() -> None:
    """A partner: onboard, renew, suspend."""


@partner.command("onboard")
@click.argument("name")
@click.option("--request", "request_file", required=True, type=FILE, help="The partner's tls.csr.")
@click.option(
    "--keys", "keys_file", required=True, type=FILE, help="What the partner's `keys show` printed."
)
@click.option(
    "--directory",
    "directory_file",
    required=True,
    type=FILE,
    help="The partnership's directory; it is extended.",
)
@click.option(
    "--certificate", required=True, type=NEW, help="Certificate file to write, for the partner."
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
    days: int,
    authority: Path,
    passphrase_file: Path | None,
) -> None:
    """Take a partner in: sign its request, and add its public keys to the directory. The gatekeeper
    then makes its topics and rights.

    Compare the key ids that this prints with the partner, by telephone, before you publish the
    directory.
    """

    from childlink_core.directory import read_directory, render_directory

    from childlink_ops.authority import Authority, read_request

    directory, offered = read_directory(directory_file), read_directory(keys_file)
    if set(offered.members) != {name}:
        raise UserError(
            f"{keys_file} holds keys of {', '.join(offered.members)}, not of {name}.",
            "Ask for its own.",
        )
    if name in directory.members:
        raise UserError(
            f"{name} is a member already.",
            "Use `childlink-ops partner renew` for a new certificate.",
        )
    signer = Authority(authority, _read_passphrase(passphrase_file))
    _write_new(certificate, signer.sign(read_request(request_file), "partner", name, (), days))
    member = offered.members[name]
    text = render_directory([*directory.members.values(), member], directory.linkage)
    directory_file.write_text(text, encoding="utf-8")
    click.echo(f"{certificate} for {name}, {days} days; {directory_file} lists it")
    click.echo(f"  signs with {', '.join(key.key_id for key in member.signing)}")
    click.echo(f"  is sealed to {', '.join(key.key_id for key in member.sealing)}")
    click.echo(
        "  send it the certificate, ca.pem and the directory; restart linker and analytics, which"
        " read the directory at start"
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
    """Sign a partner's new request. The old certificate stays valid until it ends, so that the site
    changes over when it likes.
    """

    from childlink_ops.authority import Authority, read_request

    signer = Authority(authority, _read_passphrase(passphrase_file))
    if not any(item.name == name and item.kind == "partner" for item in signer.certificates()):
        raise UserError(f"{name} never had a certificate.", "Use `childlink-ops partner onboard`.")
    _write_new(certificate, signer.sign(read_request(request_file), "partner", name, (), days))
    click.echo(
        f"{certificate} for {name}, {days} days. Revoke the old one once the site uses it, if it"
        " must not be used any more."
    )


@partner.command("suspend")
@click.argument("name")
@_authority
@_passphrase
def suspend(name: str, authority: Path, passphrase_file: Path | None) -> None:
    """Revoke every certificate of a partner. Its topics and what it sent stay; `renew` lets it in
    again.
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
    """Keep the broker's topics and rights as the authority and the directory say; until SIGTERM."""

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
    """Whether the gatekeeper's last look went well, lately. For the container's health check."""

    from childlink_ops import gatekeeper

    try:
        age = time.time() - _SIGN_OF_LIFE.stat().st_mtime
    except OSError:
        raise UserError(
            "The gatekeeper has not yet brought the broker into line.", "See its log."
        ) from None
    if age > gatekeeper.HEALTHY_FOR_S:
        raise UserError(f"The gatekeeper's last good look was {age:.0f} s ago.", "See its log.")


@main.command("align")
@click.option(
    "--settings",
    "settings_file",
    type=NEW,
    envvar="CHILDLINK_OPS_SETTINGS",
    help="TOML settings file.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def align(settings_file: Path | None, dry_run: bool) -> None:
    """Bring the broker's topics and rights into line once, and say what changed."""

    from childlink_ops import gatekeeper
    from childlink_ops.metrics import GatekeeperMetrics
    from childlink_ops.settings import GatekeeperSettings

    changes = gatekeeper.align(
        GatekeeperSettings.load(settings_file), GatekeeperMetrics(), dry_run=dry_run
    )
    for line in changes.lines():
        click.echo(line)
    if not changes:
        click.echo("All is as it should be.")


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
    help="Folder of a service's keys; repeat for more.",
)
def run_doctor(settings_file: Path | None, key_folders: tuple[Path, ...]) -> None:
    """Check the hub's set-up: directory, certificates, keys, disks, broker, topics and rights,
    clock. Says what to fix; changes nothing.

    Run it where the gatekeeper runs, with its settings. Exit code 1 if there is anything to fix.
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
        raise UserError(f"{path} exists already.", "Give another name, or move it away.") from None
