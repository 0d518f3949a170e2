"""Ingest's settings. Each can be set in the TOML file or as CHILDLINK_INGEST_NAME in the
environment.
"""

from pathlib import Path

from childlink_core.profiles import DEFAULT_PROFILE
from childlink_core.settings import ServiceSettings
from childlink_core.topics import check_partner_name
from pydantic import field_validator
from pydantic_settings import SettingsConfigDict


class IngestSettings(ServiceSettings):
    """What a site sets. Secrets are files; none is a value here."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_INGEST_", extra="forbid")

    partner: str
    """The site's name in the directory."""
    spool: Path = Path("spool.sqlite")
    """File of the spool, on a disk that is backed up."""
    linkage_key: Path = Path("keys/linkage.key")
    """The partnership's linkage secret."""
    linkage_key_next: Path | None = None
    """The linkage secret that is being introduced: while it is set, both versions are sent. See
    docs/how-to/rotate-the-linkage-secret.md.
    """
    reference_key: Path = Path("keys/reference.key")
    """This site's reference key. Losing it loses the thread to earlier rows."""
    signing_key: Path = Path("keys/signing.key")
    """This site's Ed25519 key."""
    opening_key: Path = Path("keys/opening.key")
    """This site's X25519 key, which opens receipts."""
    profile: str = DEFAULT_PROFILE
    """The partnership's encoding profile."""
    approvals: Path = Path("approvals.json")
    """Register of who approved which mapping."""
    permitted_list: Path | None = None
    """NHS numbers that came back from the national data opt-out's checking service, one a line."""
    checked_list: Path | None = None
    """The NHS numbers that were sent to be checked. With it, someone who opts out later is
    withdrawn even if no row names them.
    """
    permitted_list_max_age_days: float = 7
    """How old the permitted list may be, by the file's modification time."""
    objections: Path | None = None
    """The site's own list of people who object: a CSV file nhs_number,role,local_id."""
    partnership_objections: Path | None = None
    """The partnership's list of people who object, as keyed hashes."""
    area_lookup: Path | None = None
    """File that `childlink-ingest area build` made: areas and deprivation by postcode."""
    source_url_file: Path | None = None
    """File that holds the SQLAlchemy URL of the database that .sql extracts ask."""
    max_reject_share: float = 0.1
    """A run with a greater share of rejected rows sends nothing."""
    max_withdrawn_share: float = 0.2
    """A snapshot that would withdraw a greater share of its feed's rows sends nothing."""
    workers: int = 1
    """Processes that map and encode."""
    rejects: Path = Path("rejects")
    """Folder for the files of rejected rows: row number, column, reason, remedy. They stay on site
    and hold no value.
    """
    reference_key_backup: Path | None = None
    """The backup that `keys backup` made, so that `doctor` can check it."""
    push_gateway: str = ""
    """URL of a Prometheus Pushgateway, for sites that allow nothing inbound; pushed to after each
    run, and by `watch` each minute.
    """
    window_bytes: int = 0
    """Most bytes to have sent and not answered; 0 for no bound."""

    @field_validator("partner")
    @classmethod
    def _check_partner(cls, name: str) -> str:
        return check_partner_name(name)
