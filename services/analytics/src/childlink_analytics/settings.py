"""Analytics' settings: one class for the process that holds the store, and one for the answering
process.

The answering process has no setting that gives access to the store.
"""

from pathlib import Path
from typing import Literal

from childlink_catalogue.settings import CatalogueSettings
from childlink_core.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class StoreSettings(ServiceSettings, CatalogueSettings):
    """Settings of the process that stores and releases. Set each one in the TOML file, or as
    CHILDLINK_ANALYTICS_NAME. A secret is given as the path of a file.
    """

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_ANALYTICS_", extra="forbid")

    database: str = "sqlite:///analytics.sqlite"
    """SQLAlchemy URL without a password: postgresql+psycopg://user@host/name, or SQLite for pilots.
    With a standby, give both hosts: see how-to/back-up-and-restore.
    """
    database_password_file: Path | None = None
    """File with the database password."""
    backup_stamp: Path | None = None
    """File that the backup of the database writes if it has succeeded. Its age is a metric, with an
    alert if none has succeeded for 36 hours.
    """
    signing_key: Path = Path("keys/signing.key")
    """Analytics' Ed25519 signing key."""
    opening_key: Path = Path("keys/opening.key")
    """Analytics' X25519 opening key."""
    release_key: Path = Path("keys/release.key")
    """Key from which the secret random numbers of each release's rounding, and the key of the audit
    trail, are derived.
    """
    drafts: Path = Path("drafts")
    """Folder of drafts: releases that were cut and are not published yet. The answering process
    must not have access to it.
    """
    releases: Path = Path("releases")
    """Folder of published releases. The answering process reads it."""
    proposals: Path | None = None
    """Folder of analysts' proposals, which the answering process writes. It is only read."""
    disclosure: Literal["rounded-5-v1", "suppressed-5-v1"] = "rounded-5-v1"
    """The policy that protects releases. Do not change it later: comparing releases under both
    policies could reveal small counts.
    """
    one_person: bool = False
    """For pilots with made-up data: one person may cut a release and publish it."""
    schedule: Literal["", "monthly", "quarterly", "yearly"] = ""
    """Cut a draft automatically after each period. Empty: drafts are cut only by command."""
    schedule_after_days: int = 28
    """Days between the end of a period and its draft, to wait for late data."""
    denominators: Path | None = None
    """CSV file of public population counts, for shares of the population."""
    tables: Path | None = None
    """Folder of CSV files with the values of the catalogue's tables: costs, targets, benchmarks,
    sessions held. Each is named after its table.
    """
    purposes: Path | None = None
    """Register of purposes and retention periods (TOML)."""
    editions: str = ""
    """Editions of area boundaries and deprivation that sites use, as change notes show them: "ONSPD
    May 2025, IMD 2019".
    """
    cut_memory: str = "2GB"
    """Memory limit for counting. Data that does not fit is written to disk."""
    grpc_address: str = ""
    """host:port of the release managers' gRPC service. Empty: not served."""
    grpc_tls_certificate: Path | None = None
    """Certificate of the gRPC service."""
    grpc_tls_key: Path | None = None
    """File with the certificate's private key."""
    grpc_tls_client_ca: Path | None = None
    """CA of the callers' certificates."""
    grpc_tls_revoked: Path | None = None
    """The revocation list (PEM) of that CA. It is read again when it changes."""
    policy: Path | None = None
    """Who may call, and in which role. Without it, only callers on this host are served."""
    micro_batch: int = 16
    """Largest number of messages in one transaction."""


class ServingSettings(CatalogueSettings):
    """Settings of `serve`. Set each one in the TOML file, or as CHILDLINK_SERVE_NAME."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_SERVE_", extra="forbid")

    releases: Path = Path("releases")
    """Folder of published releases. It is only read."""
    policy: Path | None = None
    """Who may call, and in which role. Without it, only callers on this host are served."""
    purposes: Path | None = None
    """Register of purposes (TOML). An analyst sees the measures that the datasets of their purposes
    allow. Without it, every analyst sees everything.
    """
    proposals: Path | None = None
    """Folder in which analysts' proposals of measures are kept. Empty: none are taken."""
    audit: str = ""
    """SQLAlchemy URL of a separate SQLite database for the trail of questions, for example
    sqlite:////var/lib/childlink/questions.sqlite.
    """
    audit_key: Path | None = None
    """Key under which entries of the trail are hashed. Make one with `keys new-audit`."""
    address: str = "127.0.0.1:7443"
    """host:port to listen on."""
    tls_certificate: Path | None = None
    """Certificate of the server. Without one, only a loopback address is allowed."""
    tls_key: Path | None = None
    """File with the certificate's private key."""
    tls_client_ca: Path | None = None
    """CA of the callers' certificates. If it is set, callers without a certificate are refused."""
    tls_revoked: Path | None = None
    """The revocation list (PEM) of that CA. It is read again when it changes."""
    calls_a_minute: int = 600
    """Number of calls that one caller may make in a minute."""
    longest_call_s: float = 60
    """Longest deadline that a call may have, in seconds. Every call must set a deadline."""
    reflection: bool = False
    """Whether tools such as grpcurl can list the service's methods."""
    threads: int = 8
    """Number of questions answered at the same time."""
    metrics_port: int = 0
    """Port of the Prometheus metrics. 0: not served."""
    metrics_address: str = "127.0.0.1"
    """Address on which metrics are served."""
