"""Checks a site's set-up, and says what to fix. It only reads."""

import time
from collections.abc import Callable
from functools import partial

from childlink_bus.kafka import existing_topics
from childlink_core import topics
from childlink_core.checkup import MOST_CLOCK_SKEW_S, Check, certificates_last, free_space
from childlink_core.custody import backup_check_value
from childlink_core.directory import read_directory
from childlink_core.errors import UserError
from childlink_core.keys import aloud, read_opening_key, read_secret_key

from childlink_ingest.app import build_site, linkage_keys, objection_keys
from childlink_ingest.eligibility.lists import read_objection_tokens, read_objections
from childlink_ingest.geography.lookup import open_lookup
from childlink_ingest.runs.after_restore import check_past
from childlink_ingest.settings import IngestSettings
from childlink_ingest.spool import open_spool

_LEAST_FREE_BYTES = 2 * 1024**3


def checks(settings: IngestSettings) -> list[Check]:
    """All checks, in order."""
    found: list[tuple[str, Callable[[IngestSettings], str]]] = [
        ("keys and directory", _keys),
        ("linkage secret", _linkage),
        ("backup of the reference key", _backup),
        ("spool", _spool),
        ("disk", _disk),
        ("lists", _lists),
        ("area look-up", _areas),
        ("certificate", _certificate),
        ("broker and topics", _broker),
        ("clock", _clock),
    ]
    return [(what, partial(check, settings)) for what, check in found]


def _keys(settings: IngestSettings) -> str:
    site = build_site(settings)
    opening = read_opening_key(settings.opening_key)
    member = site.directory.members[settings.partner]
    if opening.public().key_id not in {key.key_id for key in member.sealing}:
        raise UserError(
            "The directory does not list this site's opening key, so receipts cannot be read.",
            "Send the hub the output of `childlink-ingest keys show`.",
        )
    for service in topics.SERVICES:
        site.directory.seal_key(service)
    return (
        f"{settings.partner} signs with key {aloud(site.signing_key.key_id)}, and is sealed to with"
        f" key {aloud(opening.public().key_id)}; the directory lists both"
    )


def _linkage(settings: IngestSettings) -> str:
    keys = linkage_keys(settings)
    known = read_directory(settings.directory).linkage
    checked = (
        "check value agrees with the directory"
        if known
        else "the directory has no check values: compare this one with the custodian's"
    )
    return (
        ", ".join(f"version {key.version}, check value {key.check_value}" for key in keys)
        + f"; {checked}"
    )


def _backup(settings: IngestSettings) -> str:
    if settings.reference_key_backup is None:
        raise UserError(
            "No backup of the reference key is set. If you lose the key, new extracts can no longer"
            " be matched to earlier rows.",
            "Make one (`childlink-ingest keys backup`), store it elsewhere, and set"
            " reference_key_backup.",
        )
    try:
        text = settings.reference_key_backup.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The backup {settings.reference_key_backup} cannot be read ({type(error).__name__}).",
            "Correct reference_key_backup.",
        ) from None
    key = read_secret_key(settings.reference_key)
    if backup_check_value(text) != key.check_value:
        raise UserError(
            "The backup contains another key.", "Make a new one: `childlink-ingest keys backup`."
        )
    return "matches the key"


def _spool(settings: IngestSettings) -> str:
    with open_spool(settings.spool) as spool:
        waiting = spool.count_batches("queued", "sent")
        age = spool.oldest_waiting_run_age() / 3600
        check_past(spool)
    if age > 24:
        raise UserError(
            f"{waiting:,} batches are waiting; the oldest run is {age:.0f} hours old.",
            "Run `childlink-ingest send`, then see `status`.",
        )
    return f"{waiting:,} batches are waiting"


def _disk(settings: IngestSettings) -> str:
    folder = settings.spool.resolve().parent
    return free_space(folder, _LEAST_FREE_BYTES, "a run of two million rows needs about 3 GB.")


def _lists(settings: IngestSettings) -> str:
    objections = read_objections(settings.objections)
    keys = objection_keys(settings) if settings.partnership_objections else {}
    tokens = read_objection_tokens(settings.partnership_objections, keys)
    said = [
        f"{len(objections.nhs_numbers) + len(objections.local_ids):,} local objections,"
        f" {len(tokens):,} partnership-wide"
    ]
    if settings.permitted_list is None:
        said.append("no permitted list (datasets of patient information will not run)")
    elif not settings.permitted_list.is_file():
        raise UserError(
            f"The permitted list {settings.permitted_list} does not exist.",
            "Correct permitted_list.",
        )
    else:
        age = (time.time() - settings.permitted_list.stat().st_mtime) / 86_400
        if age > settings.permitted_list_max_age_days:
            raise UserError(
                f"The permitted list is {age:.1f} days old.", "Have the numbers checked again."
            )
        said.append(f"permitted list {age:.1f} days old")
    return "; ".join(said)


def _areas(settings: IngestSettings) -> str:
    if settings.area_lookup is None:
        return "not set: areas and deprivation only come from the extract's own columns"
    with open_lookup(settings.area_lookup) as lookup:
        return ", ".join(f"{name}: {file}" for name, file in lookup.sources.items())


def _certificate(settings: IngestSettings) -> str:
    if settings.kafka_tls_ca is None:
        return "not set: only suitable for a broker on this machine"
    paths = [path for path in (settings.kafka_tls_ca, settings.kafka_tls_certificate) if path]
    return certificates_last(paths, "Make a new request (`keys request`) and send it to the hub.")


def _broker(settings: IngestSettings) -> str:
    there = existing_topics(settings)
    wanted = [
        topics.encodings(settings.partner),
        topics.observations(settings.partner),
        topics.receipts(settings.partner),
    ]
    if missing := [name for name in wanted if name not in there]:
        raise UserError(
            f"The broker has no topic {', '.join(missing)}, or does not let this site see it.",
            "Ask the hub to onboard this site.",
        )
    return f"{settings.bootstrap_servers} answers and has this site's topics"


def _clock(settings: IngestSettings) -> str:
    with open_spool(settings.spool) as spool:
        ahead = spool.hub_ahead_s()
    if ahead > MOST_CLOCK_SKEW_S:
        raise UserError(
            f"This machine's clock is at least {ahead:.0f} s behind the hub's.",
            "Synchronise it with NTP.",
        )
    return "no receipt has a time in the future"
