"""Ingest's settings. Each can be set in the TOML file or as CHILDLINK_INGEST_NAME in the environment."""

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
    reference_key: Path = Path("keys/reference.key")
    """This site's reference key. Losing it loses the thread to earlier rows."""
    signing_key: Path = Path("keys/signing.key")
    """This site's Ed25519 key."""
    opening_key: Path = Path("keys/opening.key")
    """This site's X25519 key, which opens receipts."""
    profile: str = DEFAULT_PROFILE
    """The partnership's encoding profile."""
    window_bytes: int = 0
    """Most bytes to have sent and not answered; 0 for no bound."""

    @field_validator("partner")
    @classmethod
    def _check_partner(cls, name: str) -> str:
        return check_partner_name(name)
