"""Checks the hub's set-up as its operator sees it, and says what to fix. It only reads.

Checks that need no broker come first, so that an expired certificate is named before the connection
that fails because of it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from childlink_core import topics
from childlink_core.checkup import CERTIFICATE_WARNING_DAYS, MOST_CLOCK_SKEW_S, Check, free_space
from childlink_core.directory import Directory, read_directory
from childlink_core.errors import UserError
from childlink_core.keys import OpeningKey, SigningKey, read_any_key

from childlink_ops.authority import Register
from childlink_ops.broker import Changes, open_broker
from childlink_ops.clock import ahead_of
from childlink_ops.own_certificate import check_own_certificate
from childlink_ops.settings import GatekeeperSettings

_LEAST_FREE_BYTES: Final = 2 * 1024**3
_LEAST_FREE_BROKER_BYTES: Final = 5 * 1024**3
_SHOWN: Final = 5


@dataclass(frozen=True)
class BrokerLook:
    """What the broker reports."""

    changes: Changes
    """The changes needed for the right topics and rights."""
    newest_ms: dict[str, int]
    free_bytes: dict[str, int]


Look = Callable[[], BrokerLook]


def checks(
    settings: GatekeeperSettings, key_folders: Sequence[Path] = (), look: Look | None = None
) -> list[Check]:
    """All checks, in order. `look` asks the broker; it is called once."""
    asked = _Once(look or partial(look_at_broker, settings))
    return [
        ("directory", partial(_directory, settings)),
        ("authority", partial(_authority, settings)),
        ("members' certificates", partial(_members, settings)),
        ("own certificate", partial(check_own_certificate, settings)),
        *((f"keys in {folder}", partial(_keys, settings, folder)) for folder in key_folders),
        (
            "disk",
            partial(
                free_space, settings.disk, _LEAST_FREE_BYTES, "this service needs it to write."
            ),
        ),
        ("broker", partial(_broker, settings, asked)),
        ("topics and rights", partial(_rights, asked)),
        ("brokers' disks", partial(_broker_disks, asked)),
        ("clock", partial(_clock, settings, asked)),
    ]


def look_at_broker(settings: GatekeeperSettings) -> BrokerLook:
    """Ask the broker for everything, over one connection. Raises UserError."""
    partners = read_directory(settings.directory).partners
    certificates = Register(settings.authority).certificates()
    with open_broker(settings, settings.replication, settings.retention_days) as broker:
        changes = broker.align(partners, certificates, dry_run=True)
        return BrokerLook(changes, broker.newest(partners), broker.free_bytes())


class _Once:
    """Asks the broker once. After a failure, the other checks refer to the `broker` check."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._found: BrokerLook | None = None

    def first(self) -> BrokerLook:
        self._found = self._look()
        return self._found

    def __call__(self) -> BrokerLook:
        if self._found is None:
            raise UserError("Not checked, because the broker check failed.", "Fix `broker` first.")
        return self._found


def _directory(settings: GatekeeperSettings) -> str:
    directory = read_directory(settings.directory)
    for service in topics.SERVICES:
        if service not in directory.members:
            raise UserError(
                f"The directory does not list {service}.",
                "Add the output of its `keys show`.",
            )
    owners: dict[bytes, str] = {}
    for member in directory.members.values():
        if not member.signing or not member.sealing:
            raise UserError(
                f"{member.name} has no signing or no sealing key.",
                "Ask for the output of its `keys show`.",
            )
        for public in {
            *(key.public for key in member.signing),
            *(key.public for key in member.sealing),
        }:
            if owners.setdefault(public, member.name) != member.name:
                raise UserError(
                    f"{member.name} and {owners[public]} have the same key.",
                    "One of them copied the other's key. Ask both to make new keys, then correct"
                    " the"
                    " directory.",
                )
    if not directory.linkage:
        raise UserError(
            "The directory has no check value of the linkage secret. Without it, records of a site"
            " with a wrong secret would silently not link.",
            "Ask the custodian for it, and add it under [linkage].",
        )
    return (
        f"{len(directory.partners)} partners, linkage secret of version"
        f" {', '.join(map(str, directory.linkage))}"
    )


def _authority(settings: GatekeeperSettings) -> str:
    register = Register(settings.authority)
    known = register.certificates()
    if (settings.authority / "ca.key").exists():
        raise UserError(
            "The authority's private key is on the gatekeeper's machine.",
            "Move it to a separate machine. The gatekeeper only needs the files of `ca publish`.",
        )
    for what, ends, remedy in (
        (
            "The authority's certificate",
            register.certificate.not_valid_after_utc,
            "Make a new authority, and issue all certificates again.",
        ),
        (
            "The revocation list",
            register.list_ends(),
            "Run `childlink-ops ca refresh`, then `ca publish`.",
        ),
    ):
        if (ends - datetime.now(UTC)).days < CERTIFICATE_WARNING_DAYS:
            raise UserError(f"{what} expires on {ends:%Y-%m-%d}.", remedy)
    return (
        f"{len(known)} certificates signed, {sum(item.revoked for item in known)} of them revoked"
    )


def _members(settings: GatekeeperSettings) -> str:
    directory: Directory = read_directory(settings.directory)
    ends: dict[tuple[str, str], datetime] = {}
    for item in Register(settings.authority).certificates():
        if item.valid:
            ends[item.kind, item.name] = max(
                item.expires, ends.get((item.kind, item.name), item.expires)
            )
    must_have = [("partner", name) for name in directory.partners] + [
        ("service", name) for name in topics.SERVICES
    ]
    if without := [name for kind, name in must_have if (kind, name) not in ends]:
        raise UserError(
            f"No valid certificate: {_some(without)}.",
            "Run `childlink-ops partner renew` or `ca issue`. If a partner left, remove it from the"
            " directory.",
        )
    strangers = [name for kind, name in ends if kind == "partner" and name not in directory.members]
    if strangers:
        raise UserError(
            f"Certificates of partners that the directory does not list: {_some(strangers)}.",
            "Run `childlink-ops partner suspend`, or add them to the directory.",
        )
    soon = [
        f"{name} ({at:%Y-%m-%d})"
        for (_, name), at in ends.items()
        if (at - datetime.now(UTC)).days < CERTIFICATE_WARNING_DAYS
    ]
    if soon:
        raise UserError(
            f"Certificates expire soon: {_some(soon)}.", "See how-to/onboard-a-partner, Renewing."
        )
    return f"{len(ends)} members have a valid certificate"


def _keys(settings: GatekeeperSettings, folder: Path) -> str:
    directory = read_directory(settings.directory)
    members = directory.members.values()
    listed = {key.key_id for member in members for key in member.signing}
    listed |= {key.key_id for member in members for key in member.sealing}
    files = sorted(path for path in folder.glob("*.key") if not path.name.startswith("tls"))
    if not files:
        raise UserError(
            f"{folder} contains no key.", "Make keys with `keys new`, or correct --keys."
        )
    for path in files:
        key = read_any_key(path)
        if isinstance(key, SigningKey | OpeningKey) and key.public().key_id not in listed:
            raise UserError(
                f"The directory does not list the key {path}. Its batches would be refused, or"
                " could not be read.",
                "Add the output of `keys show` to the directory, or restore the key that the"
                " directory lists.",
            )
    return f"{len(files)} keys, readable only by their owner, and in the directory"


def _broker(settings: GatekeeperSettings, asked: _Once) -> str:
    asked.first()
    return f"{settings.bootstrap_servers} answers and accepts this operator certificate"


def _rights(asked: _Once) -> str:
    if changes := asked().changes:
        raise UserError(
            f"Changes needed: {_some(changes.lines())}.",
            "The gatekeeper fixes this within seconds. Check that it runs, and see its log."
            " `childlink-ops align` fixes it at once.",
        )
    return "match the authority and the directory"


def _broker_disks(asked: _Once) -> str:
    free = asked().free_bytes
    for where, left in free.items():
        if left < _LEAST_FREE_BROKER_BYTES:
            raise UserError(
                f"Only {left / 1e9:.1f} GB are free at {where}.",
                "Use a larger disk, or shorten retention_days. A full broker accepts no messages.",
            )
    return (
        "; ".join(f"{left / 1e9:.0f} GB free at {where}" for where, left in free.items())
        or "the broker does not report it"
    )


def _clock(settings: GatekeeperSettings, asked: _Once) -> str:
    if settings.time_server:
        ahead = ahead_of(settings.time_server)
        if abs(ahead) > MOST_CLOCK_SKEW_S:
            way = "ahead of" if ahead > 0 else "behind"
            raise UserError(
                f"This clock is {abs(ahead):.0f} s {way} {settings.time_server}.",
                "Synchronise it with NTP.",
            )
    # A time in the future means that the writer's clock is fast, or ours is slow.
    now = time.time()
    signed = Register(settings.authority).list_signed().timestamp()
    times = {"the revocation list": signed} | {
        f"topic {t}": ms / 1000 for t, ms in asked().newest_ms.items()
    }
    late = [what for what, at in times.items() if at - now > MOST_CLOCK_SKEW_S]
    if late:
        worst = max(times[what] for what in late) - now
        raise UserError(
            f"{_some(late)}: written up to {worst:.0f} s in the future of this clock.",
            "If it is one topic, its writer's clock is fast. If it is several, this clock is slow."
            " Synchronise it with NTP.",
        )
    compared = (
        f"agrees with {settings.time_server}" if settings.time_server else "no time_server is set"
    )
    return f"{compared}; nothing has a time in the future"


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + more
