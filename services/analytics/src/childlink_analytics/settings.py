"""Analytics' settings: one class for the process that holds the store, another for the one that answers.

The answering process has no setting through which it could reach the store.
"""

from pathlib import Path

from childlink_core.settings import ServiceSettings, SettingsFile
from pydantic_settings import SettingsConfigDict


class StoreSettings(ServiceSettings):
    """Of `consume` and `cut`. Set in the TOML file or as CHILDLINK_ANALYTICS_NAME. Secrets are files."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_ANALYTICS_", extra="forbid")

    database: str = "sqlite:///analytics.sqlite"
    """SQLAlchemy URL without a password; postgresql+psycopg://user@host/name, or SQLite for pilots."""
    database_password_file: Path | None = None
    """File that holds the database password."""
    signing_key: Path = Path("keys/signing.key")
    """Analytics' Ed25519 key."""
    opening_key: Path = Path("keys/opening.key")
    """Analytics' X25519 key."""
    release_key: Path = Path("keys/release.key")
    """Key from which each release's rounding takes its secret numbers."""
    releases: Path = Path("releases")
    """Folder that releases are written to."""
    micro_batch: int = 16
    """Most messages in one transaction."""


class ServingSettings(SettingsFile):
    """Of `serve`. Set in the TOML file or as CHILDLINK_SERVE_NAME."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_SERVE_", extra="forbid")

    releases: Path = Path("releases")
    """Folder of releases; read only."""
    address: str = "127.0.0.1:7443"
    """host:port to listen on."""
    tls_certificate: Path | None = None
    """The server's certificate. Without one, only a loopback address is allowed."""
    tls_key: Path | None = None
    """The certificate's private key file."""
    tls_client_ca: Path | None = None
    """CA of the callers' certificates. With it, a caller without a certificate is refused."""
    reflection: bool = False
    """Whether tools like grpcurl may list the service's methods."""
    threads: int = 8
    """Questions answered at a time."""
    metrics_port: int = 0
    """Port of Prometheus metrics; 0 serves none."""
    metrics_address: str = "127.0.0.1"
    """Address that metrics are served on."""
