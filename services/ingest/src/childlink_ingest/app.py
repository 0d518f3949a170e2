"""Composition root: settings become a site, a spool and an exchange. Nothing else builds adapters."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from childlink_bus.kafka import KafkaPublisher, KafkaSubscriber
from childlink_bus.ports import Subscriber
from childlink_core import topics
from childlink_core.directory import read_directory
from childlink_core.errors import UserError
from childlink_core.keys import read_opening_key, read_secret_key, read_signing_key
from childlink_core.profiles import get_profile
from childlink_core.references import ReferenceKeys

from childlink_ingest.encode import Encoder
from childlink_ingest.errors import MappingError
from childlink_ingest.exchange import Exchange
from childlink_ingest.mapping import Mapping, parse_mapping
from childlink_ingest.send_extract import Site
from childlink_ingest.settings import IngestSettings
from childlink_ingest.spool import Spool


def build_site(settings: IngestSettings) -> Site:
    """Read the keys and the directory, and make sure that they belong together."""
    directory = read_directory(settings.directory)
    signing = read_signing_key(settings.signing_key)
    if directory.verify_key(settings.partner, signing.key_id) is None:
        raise UserError(
            f"The directory does not list {settings.signing_key} as a key of {settings.partner}.",
            "Send the hub your public keys (`childlink-ingest keys show`), and fetch its current directory.",
        )
    return Site(
        partner=settings.partner,
        directory=directory,
        signing_key=signing,
        references=ReferenceKeys.of(read_secret_key(settings.reference_key)),
        encoder=Encoder(get_profile(settings.profile), read_secret_key(settings.linkage_key)),
    )


@dataclass(frozen=True)
class Connection:
    """An exchange, and the subscriber that its receipts come from."""

    exchange: Exchange
    subscriber: Subscriber


@contextmanager
def connect(settings: IngestSettings, spool: Spool) -> Iterator[Connection]:
    """Connect to Kafka."""
    topic = topics.receipts(settings.partner)
    publisher = KafkaPublisher(settings)
    try:
        subscriber = KafkaSubscriber(settings, {topic: spool.inbox_offset(topic)}, max_messages=100)
        try:
            directory = read_directory(settings.directory)
            opening = read_opening_key(settings.opening_key)
            yield Connection(
                Exchange(settings.partner, spool, directory, opening, publisher, settings.window_bytes), subscriber
            )
        finally:
            subscriber.close()
    finally:
        publisher.close()


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file."""
    try:
        return parse_mapping(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"The mapping {path} cannot be read ({type(error).__name__}).", "Check the path.") from None
