"""Ingest's settings. Set each in the TOML file, or in the environment as CHILDLINK_INGEST_NAME."""

from pathlib import Path

from childlink_catalogue.settings import CatalogueSettings
from childlink_core.profiles import DEFAULT_PROFILE
from childlink_core.settings import ServiceSettings
from childlink_core.topics import check_partner_name
from pydantic import field_validator
from pydantic_settings import SettingsConfigDict


class IngestSettings(ServiceSettings, CatalogueSettings):
    """The settings of a site. Secrets are given as files, never as values."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_INGEST_", extra="forbid")

    partner: str
    """The site's name in the directory."""
    spool: Path = Path("spool.sqlite")
    """File of the spool, on a disk that is backed up."""
    linkage_key: Path = Path("keys/linkage.key")
    """The partnership's linkage secret."""
    linkage_key_next: Path | None = None
    """The next linkage secret, during a rotation. While it is set, encodings under both versions
    are sent. See docs/how-to/rotate-the-linkage-secret.md.
    """
    reference_key: Path = Path("keys/reference.key")
    """This site's reference key. Without it, new extracts cannot be matched to earlier rows."""
    signing_key: Path = Path("keys/signing.key")
    """This site's Ed25519 key, which signs batches."""
    opening_key: Path = Path("keys/opening.key")
    """This site's X25519 key, which opens receipts."""
    profile: str = DEFAULT_PROFILE
    """The partnership's encoding profile."""
    clks: Path | None = None
    """CLKs that another tool made, as JSON. Only under a profile of CLKs."""
    clk_ids: Path | None = None
    """The local id of each of those CLKs: a CSV file with the column id."""
    approvals: Path = Path("approvals.json")
    """Register of approvals of mappings. previews.json beside it notes what was previewed."""
    permitted_list: Path | None = None
    """NHS numbers that the checking service of the national data opt-out returned, one per line."""
    checked_list: Path | None = None
    """The NHS numbers that were sent to be checked. With it, people who opt out later are withdrawn
    even if no row names them.
    """
    permitted_list_max_age_days: float = 7
    """Maximum age of the permitted list in days, by the file's modification time."""
    objections: Path | None = None
    """The site's own objections: a CSV file with the columns nhs_number,role,local_id."""
    partnership_objections: Path | None = None
    """The partnership's objections, as keyed hashes."""
    area_lookup: Path | None = None
    """File made by `childlink-ingest area build`: areas and deprivation by postcode."""
    source_url_file: Path | None = None
    """File with the SQLAlchemy URL of the database that .sql extracts query."""
    max_reject_share: float = 0.1
    """Largest share of rejected rows. A run with more sends nothing."""
    max_withdrawn_share: float = 0.2
    """Largest share of its feed's rows that a snapshot may withdraw. A snapshot that would withdraw
    more sends nothing.
    """
    workers: int = 1
    """Number of processes that map and encode."""
    rejects: Path = Path("rejects")
    """Folder for the files of rejected rows: row number, column, reason, remedy. The files stay at
    the site and contain no values.
    """
    reference_key_backup: Path | None = None
    """The backup made by `keys backup`, so that `doctor` can check it."""
    push_gateway: str = ""
    """URL of a Prometheus Pushgateway, for sites that allow no inbound connections. Metrics are
    pushed after each run, and every minute by `watch`.
    """
    window_bytes: int = 0
    """Limit of bytes that are sent but not answered; 0 means no limit."""

    @property
    def previews(self) -> Path:
        """Register of previews of mappings."""
        return self.approvals.with_name("previews.json")

    @field_validator("partner")
    @classmethod
    def _check_partner(cls, name: str) -> str:
        return check_partner_name(name)
