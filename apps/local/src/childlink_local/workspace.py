"""Creates a pilot's working folder: keys, directory and settings for every partner, the linker and
analytics.

Everything is on one machine under one operator, which is not allowed in a deployment: here, trust
zones are only folders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from childlink_analytics.settings import ServingSettings, StoreSettings
from childlink_core import topics
from childlink_core.directory import Member, read_directory, render_directory
from childlink_core.keys import OpeningKey, SecretKey, SigningKey, read_secret_key, write_key
from childlink_core.topics import check_partner_name
from childlink_ingest.settings import IngestSettings
from childlink_linker.settings import LinkerSettings

from childlink_local.broker import API_VERSION, WINDOW_BYTES

# A pilot sends whole extracts at once. Large micro-batches save time, and the delay before the
# first link does not matter.
_MICRO_BATCH = 40


@dataclass(frozen=True)
class Layout:
    """The settings of every part."""

    folder: Path
    ingest: dict[str, IngestSettings]
    linker: LinkerSettings
    store: StoreSettings
    serving: ServingSettings


def create_workspace(
    folder: Path,
    partners: Sequence[str],
    bootstrap_servers: str,
    *,
    mock: bool = True,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Layout:
    """Create what is missing in `folder` and return the settings of every part. Keys are made once
    and kept.

    `own` holds ingest settings by partner, for example the path of its permitted list. `beside`
    holds the paths of public figures, if there are any: `denominators` and `tables`.
    """
    directory = folder / "directory.toml"
    for name in partners:
        check_partner_name(name)
    # The folder holds local ids next to identifiers, so only its owner may read it.
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _make_keys(folder, partners, directory)
    bus: dict[str, Any] = {
        "directory": directory,
        "bootstrap_servers": bootstrap_servers,
        "kafka_api_version": API_VERSION if mock else None,
    }

    def keys(owner: str, *names: str) -> dict[str, Any]:
        return {f"{name}_key": folder / owner / "keys" / f"{name}.key" for name in names}

    window = WINDOW_BYTES if mock else 0
    ingest = {
        name: IngestSettings(
            partner=name,
            spool=folder / name / "spool.sqlite",
            approvals=folder / name / "approvals.json",
            rejects=folder / name / "rejects",
            window_bytes=window,
            # A pilot reports what is wrong with an extract and does not stop at it.
            **{"max_reject_share": 1.0, "max_withdrawn_share": 1.0, **(own or {}).get(name, {})},
            **keys(name, "linkage", "reference", "signing", "opening"),
            **bus,
        )
        for name in partners
    }
    linker = LinkerSettings(
        database=f"sqlite:///{folder / 'linker' / 'linker.sqlite'}",
        evaluation=True,
        micro_batch=_MICRO_BATCH,
        **keys("linker", "token", "signing", "opening"),
        **bus,
    )
    releases = folder / "analytics" / "releases"
    store = StoreSettings(
        database=f"sqlite:///{folder / 'analytics' / 'analytics.sqlite'}",
        drafts=folder / "analytics" / "drafts",
        releases=releases,
        **(beside or {}),
        one_person=True,
        micro_batch=_MICRO_BATCH,
        **keys("analytics", "release", "signing", "opening"),
        **bus,
    )
    return Layout(
        folder, ingest, linker, store, ServingSettings(releases=releases, address="127.0.0.1:0")
    )


def _make_keys(folder: Path, partners: Sequence[str], directory: Path) -> None:
    """Make keys for members that have none yet. New partners get the linkage secret that the others
    hold.
    """
    members = dict(read_directory(directory).members) if directory.exists() else {}
    held = sorted(folder.glob("*/keys/linkage.key"))
    linkage = read_secret_key(held[0]) if held else SecretKey.generate("partnership")
    for name in (*partners, *topics.SERVICES):
        if name in members:
            continue
        signing, opening = SigningKey.generate(name), OpeningKey.generate(name)
        keys = folder / name / "keys"
        write_key(keys / "signing.key", signing)
        write_key(keys / "opening.key", opening)
        own = {topics.LINKER: "token", topics.ANALYTICS: "release"}.get(name, "reference")
        write_key(keys / f"{own}.key", SecretKey.generate(name))
        if name in partners:
            write_key(keys / "linkage.key", linkage)
        members[name] = Member(name, name, (signing.public(),), (opening.public(),))
    text = render_directory(members.values(), {linkage.version: linkage.check_value})
    directory.write_text(text, encoding="utf-8")
