"""Analytics' settings: one class for the process that holds the store, another for the one that
answers.

The answering process has no setting through which it could reach the store.
"""

from pathlib import Path
from typing import Literal

from childlink_core.settings import ServiceSettings, SettingsFile
from pydantic_settings import SettingsConfigDict


class StoreSettings(ServiceSettings):
    """Of `consume` and `cut`. Set in the TOML file or as CHILDLINK_ANALYTICS_NAME. Secrets are
    files.
    """

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_ANALYTICS_", extra="forbid")

    database: str = "sqlite:///analytics.sqlite"
    """SQLAlchemy URL without a password; postgresql+psycopg://user@host/name, or SQLite for pilots.
    With a standby: both hosts, see how-to/back-up-and-restore.
    """
    database_password_file: Path | None = None
    """File that holds the database password."""
    signing_key: Path = Path("keys/signing.key")
    """Analytics' Ed25519 key."""
    opening_key: Path = Path("keys/opening.key")
    """Analytics' X25519 key."""
    release_key: Path = Path("keys/release.key")
    """Key from which each release's rounding takes its secret numbers."""
    drafts: Path = Path("drafts")
    """Folder of releases that were cut and not published yet; the answering process must not see
    it.
    """
    releases: Path = Path("releases")
    """Folder of published releases, which the answering process reads."""
    disclosure: Literal["rounded-5-v1", "suppressed-5-v1"] = "rounded-5-v1"
    """The policy that protects releases. A partnership keeps to one: releases under both would tell
    on each other.
    """
    one_person: bool = False
    """For pilots with made-up data: whoever cuts a release may also publish it."""
    schedule: Literal["", "monthly", "quarterly", "yearly"] = ""
    """Cut a draft by itself after each period; empty: only when asked."""
    schedule_after_days: int = 28
    """Days after the end of a period until its draft is cut: for what comes late."""
    denominators: Path | None = None
    """CSV file of the population's public counts, for shares of the population."""
    purposes: Path | None = None
    """Register of purposes and retention periods (TOML)."""
    editions: str = ""
    """Area boundaries and deprivation edition that sites use, as change notes say them: "ONSPD May
    2025, IMD 2019".
    """
    cut_memory: str = "2GB"
    """Memory for counting; what does not fit waits on disk."""
    grpc_address: str = ""
    """host:port of the release managers' gRPC service; empty serves none."""
    grpc_tls_certificate: Path | None = None
    """Its certificate."""
    grpc_tls_key: Path | None = None
    """The certificate's private key file."""
    grpc_tls_client_ca: Path | None = None
    """CA of the callers' certificates."""
    grpc_tls_revoked: Path | None = None
    """That authority's revocation list (PEM); read again when it changes."""
    policy: Path | None = None
    """Who may call, and in which role. Without it, only this host is served."""
    micro_batch: int = 16
    """Most messages in one transaction."""


class ServingSettings(SettingsFile):
    """Of `serve`. Set in the TOML file or as CHILDLINK_SERVE_NAME."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_SERVE_", extra="forbid")

    releases: Path = Path("releases")
    """Folder of published releases; read only."""
    policy: Path | None = None
    """Who may call, and in which role. Without it, only this host is served."""
    purposes: Path | None = None
    """Register of purposes (TOML): an analyst sees what the datasets of their purposes allow.
    Without it, everything.
    """
    audit: str = ""
    """SQLAlchemy URL of a database of its own for the trail of questions, for example
    sqlite:////var/lib/childlink/questions.sqlite.
    """
    audit_key: Path | None = None
    """Key under which the trail's entries are hashed; `keys new-audit` makes one."""
    address: str = "127.0.0.1:7443"
    """host:port to listen on."""
    tls_certificate: Path | None = None
    """The server's certificate. Without one, only a loopback address is allowed."""
    tls_key: Path | None = None
    """The certificate's private key file."""
    tls_client_ca: Path | None = None
    """CA of the callers' certificates. With it, a caller without a certificate is refused."""
    tls_revoked: Path | None = None
    """That authority's revocation list (PEM); read again when it changes."""
    calls_a_minute: int = 600
    """Calls that one caller may make in a minute."""
    longest_call_s: float = 60
    """Every call has to set a deadline of at most this many seconds."""
    reflection: bool = False
    """Whether tools like grpcurl may list the service's methods."""
    threads: int = 8
    """Questions answered at a time."""
    metrics_port: int = 0
    """Port of Prometheus metrics; 0 serves none."""
    metrics_address: str = "127.0.0.1"
    """Address that metrics are served on."""
