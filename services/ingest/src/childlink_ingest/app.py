"""Composition root: builds a site, a plan and an exchange from the settings.

No other module builds adapters.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

import structlog
from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.ports import BusError, Subscriber
from childlink_core import telemetry, topics
from childlink_core.directory import read_directory
from childlink_core.errors import UserError
from childlink_core.keys import SecretKey, read_opening_key, read_secret_key, read_signing_key
from childlink_core.profiles import get_profile
from childlink_core.references import ReferenceKeys

from childlink_ingest.delivery.batches import SendingContext
from childlink_ingest.delivery.exchange import Exchange
from childlink_ingest.eligibility.lists import (
    read_nhs_numbers,
    read_objection_tokens,
    read_objections,
    read_permitted_list,
)
from childlink_ingest.eligibility.rules import (
    Objections,
    Permissions,
    objection_tokens,
)
from childlink_ingest.errors import MappingError
from childlink_ingest.geography.derive import AreaLookup
from childlink_ingest.geography.lookup import open_lookup
from childlink_ingest.mapping.approvals import check_approved, what
from childlink_ingest.mapping.bind import bind
from childlink_ingest.mapping.definition import Mapping
from childlink_ingest.mapping.parse import parse_mapping
from childlink_ingest.mapping.shape import choose, shape
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.readers import Extract, Source, open_extract
from childlink_ingest.readers.clk_file import read_clks
from childlink_ingest.runs.after_restore import check_past, repeat_withdrawals
from childlink_ingest.runs.prepare import EncodingPlan
from childlink_ingest.runs.run import Limits, prepared_by, send_extract
from childlink_ingest.settings import IngestSettings
from childlink_ingest.spool import Spool

log = structlog.get_logger()


def build_site(settings: IngestSettings) -> SendingContext:
    """Read the keys and the directory, and check that they belong together. Raises UserError."""
    directory = read_directory(settings.directory)
    signing = read_signing_key(settings.signing_key)
    if directory.verify_key(settings.partner, signing.key_id) is None:
        raise UserError(
            f"The directory does not list {settings.signing_key} as a key of {settings.partner}.",
            "Send the hub your public keys (`childlink-ingest keys show`), and fetch its current"
            " directory.",
        )
    profile = get_profile(settings.profile)
    return SendingContext(
        partner=settings.partner,
        directory=directory,
        signing_key=signing,
        references=ReferenceKeys.of(read_secret_key(settings.reference_key)),
        encoders=tuple(Encoder(profile, key) for key in linkage_keys(settings)),
    )


def linkage_keys(settings: IngestSettings) -> list[SecretKey]:
    """The linkage secret in use, and the next one if set.

    Both are checked against the check values of the directory. Raises UserError.
    """
    paths = [
        settings.linkage_key,
        *([settings.linkage_key_next] if settings.linkage_key_next else []),
    ]
    keys = [read_secret_key(path) for path in paths]
    directory = read_directory(settings.directory)
    for key in keys:
        directory.check_linkage(key)
    if len({key.version for key in keys}) < len(keys):
        raise UserError(
            "linkage_key and linkage_key_next have the same version.", "Unset linkage_key_next."
        )
    return keys


def objection_keys(settings: IngestSettings) -> dict[int, bytes]:
    """Keys of the tokens of partnership-wide objections, by version of the linkage secret.

    Raises UserError.
    """
    return {key.version: key.derive("objection") for key in linkage_keys(settings)}


def build_plan(
    settings: IngestSettings,
    site: SendingContext,
    mapping: Mapping,
    areas: AreaLookup | None,
    today: date,
) -> EncodingPlan:
    """Build the plan that decides what may be sent. Raises PermitError if that cannot be
    decided.
    """
    permitted = None
    if mapping.needs_permitted_list:
        permitted = read_permitted_list(
            settings.permitted_list, settings.permitted_list_max_age_days, datetime.now()
        )
    local = read_objections(settings.objections)
    keys = objection_keys(settings) if settings.partnership_objections else {}
    tokens = read_objection_tokens(settings.partnership_objections, keys)
    objections = Objections(local.nhs_numbers, local.local_ids, tokens)
    permissions = Permissions(permitted, objections, partial(objection_tokens, keys))
    clks = None
    if settings.clks:
        clks = read_clks(settings.clks, settings.clk_ids, site.encoder.profile)
        if len(site.encoders) > 1:
            raise UserError(
                "CLKs of a file are of one secret, and linkage_key_next is set.",
                "Leave --clks out until the rotation is over, or make the CLKs anew afterwards.",
            )
    return EncodingPlan(
        mapping, site.references, site.encoders, today, permissions, areas, clks=clks
    )


@dataclass(frozen=True)
class Job:
    """An open extract with its plan."""

    site: SendingContext
    plan: EncodingPlan
    extract: Extract


@contextmanager
def open_job(
    settings: IngestSettings, extract: Path, mapping: Mapping, *, site: SendingContext | None = None
) -> Iterator[Job]:
    """Open an extract with its mapping, and build its plan."""
    site = site or build_site(settings)
    with _areas(settings, mapping) as areas, open_mapped(extract, mapping, settings) as opened:
        yield Job(site, build_plan(settings, site, mapping, areas, date.today()), opened)


def run_extract(
    settings: IngestSettings,
    spool: Spool,
    extract: Path,
    mapping_file: Path,
    limits: Limits | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Stage and queue one approved extract. Returns the run's id."""
    check_past(spool)
    mapping = load_mapping(mapping_file)
    check_approved(
        settings.approvals, mapping_file, what(mapping_file, mapping, get_profile(settings.profile))
    )
    limits = limits or Limits(settings.max_reject_share, settings.max_withdrawn_share)
    traced = telemetry.span("run", partner=settings.partner, dataset=mapping.dataset.name)
    with traced, _no_collector(), open_job(settings, extract, mapping) as job:
        repeat_withdrawals(spool, job.site)
        withdrawn = spool.withdrawn_subjects()
        plan = replace(job.plan, withdrawn=withdrawn)
        limits = Limits(
            limits.max_reject_share, limits.max_withdrawn_share, _opted_out(settings, job)
        )
        if settings.workers < 2:
            return send_extract(
                extract.name, job.extract, plan, job.site, spool, limits, None, progress
            )
        with prepared_by(
            partial(_plan_of_worker, settings, mapping_file, withdrawn), settings.workers
        ) as prepare:
            return send_extract(
                extract.name, job.extract, plan, job.site, spool, limits, prepare, progress
            )


@contextmanager
def _no_collector() -> Iterator[None]:
    """Turn the garbage collector off. Millions of rows contain no cycles, so searching would waste
    time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# Resources of a worker process stay open for the life of the process.
_for_good = ExitStack()


def _plan_of_worker(
    settings: IngestSettings, mapping_file: Path, withdrawn: frozenset[bytes]
) -> EncodingPlan:
    mapping = load_mapping(mapping_file)
    areas = _for_good.enter_context(_areas(settings, mapping))
    return replace(
        build_plan(settings, build_site(settings), mapping, areas, date.today()),
        withdrawn=withdrawn,
    )


def _opted_out(settings: IngestSettings, job: Job) -> list[bytes]:
    """Keyed NHS numbers of people who were checked and are not permitted."""
    permitted = job.plan.permissions.permitted
    if permitted is None or settings.checked_list is None:
        return []
    numbers = (
        number for number in read_nhs_numbers(settings.checked_list) if number not in permitted
    )
    return [key for number in numbers if (key := job.site.references.nhs(number))]


@contextmanager
def _areas(settings: IngestSettings, mapping: Mapping) -> Iterator[AreaLookup | None]:
    if settings.area_lookup is None:
        if mapping.areas is not None:
            raise MappingError(
                "The mapping has an [area], but no area look-up is set.",
                "Set `area_lookup` in the settings.",
            )
        yield None
    else:
        with open_lookup(settings.area_lookup) as lookup:
            yield lookup


@contextmanager
def open_mapped(
    path: Path, mapping: Mapping, settings: IngestSettings | None = None
) -> Iterator[Extract]:
    """Open an extract as its mapping says: with the mapping's names of columns, and only the rows
    that it wants. Raises ExtractError or MappingError.
    """
    source, to_names = source_of(mapping, settings), partial(bind, mapping, where=path.name)
    choice = None
    if mapping.newest or mapping.pivot:
        with open_extract(path, source, to_names, mapping.used) as first:
            choice = choose(first, mapping)
    with open_extract(path, source, to_names, mapping.used) as opened:
        rows = shape(opened, mapping, choice, opened.left_out)
        yield replace(opened, records=rows)


def source_of(mapping: Mapping, settings: IngestSettings | None) -> Source:
    """How to read an extract: options of the mapping, and the database of the settings."""
    return replace(mapping.source, url_file=settings.source_url_file if settings else None)


@dataclass(frozen=True)
class Connection:
    """An exchange, and the subscriber for its receipts."""

    exchange: Exchange
    subscriber: Subscriber


@contextmanager
def connect(
    settings: IngestSettings, spool: Spool, on_log_lost: Callable[[str], None] = lambda _topic: None
) -> Iterator[Connection]:
    """Connect to Kafka. Raises BusError."""
    topic = topics.receipts(settings.partner)
    publisher = KafkaPublisher(settings)
    try:
        subscriber = KafkaSubscriber(settings, {topic: spool.inbox_offset(topic)}, max_messages=100)
        try:
            directory = read_directory(settings.directory)
            opening = read_opening_key(settings.opening_key)
            exchange = Exchange(
                settings.partner,
                spool,
                directory,
                opening,
                publisher,
                settings.window_bytes,
                on_log_lost,
            )
            yield Connection(exchange, subscriber)
        finally:
            subscriber.close()
    finally:
        publisher.close()


def catch_up(settings: IngestSettings, spool: Spool) -> None:
    """Read waiting receipts before a run takes sequence numbers.

    If the broker cannot be reached, the run is still staged.
    """
    try:
        with connect(settings, spool) as connection:
            connection.exchange.catch_up(connection.subscriber)
    except BusError as error:
        log.warning("receipts could not be read before the run", error_type=type(error).__name__)


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError."""

    def read(name: str) -> str:
        file = path.parent / name
        if file.parent.resolve() != path.parent.resolve():
            raise MappingError(
                f"The look-up file {name} is not beside {path.name}.",
                "Put it into the same folder.",
            )
        try:
            return file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise MappingError(
                f"The look-up file {file} cannot be read ({type(error).__name__}).",
                "Write it in UTF-8, beside the mapping.",
            ) from None

    try:
        return parse_mapping(path.read_text(encoding="utf-8"), str(path), read)
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(
            f"The mapping {path} cannot be read ({type(error).__name__}).", "Check the path."
        ) from None
