"""The linker's settings. Set each one in the TOML file, or as CHILDLINK_LINKER_NAME in the
environment.
"""

from pathlib import Path

from childlink_core.profiles import DEFAULT_PROFILE
from childlink_core.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict

from childlink_linker.matching.parameters import DEFAULT_PARAMETERS


class LinkerSettings(ServiceSettings):
    """Settings that an operator sets. A secret is given as the path of a file, never as a value."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_LINKER_", extra="forbid")

    database: str = "sqlite:///linker.sqlite"
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
    """The linker's Ed25519 signing key."""
    opening_key: Path = Path("keys/opening.key")
    """The linker's X25519 opening key."""
    token_key: Path = Path("keys/token.key")
    """The linker's secret key. Tokens are hashed again under keys that are derived from it. Other
    derived keys protect the stored encodings, the identifiers for analytics, the audit trail and
    the sessions of the review page.
    """
    profile: str = DEFAULT_PROFILE
    """The partnership's encoding profile."""
    key_versions: tuple[int, ...] = (1,)
    """Versions of the linkage secret that this linker accepts."""
    parameters: str = DEFAULT_PARAMETERS
    """Match parameters: the name of a bundled version, or the path of a file."""
    grpc_address: str = ""
    """host:port of the gRPC services. Empty: not served. Without certificates, only a loopback
    address is allowed.
    """
    grpc_tls_certificate: Path | None = None
    """Certificate of the gRPC services and the review page."""
    grpc_tls_key: Path | None = None
    """Private key of that certificate."""
    grpc_tls_client_ca: Path | None = None
    """CA of the callers' certificates. If it is set, every caller needs a certificate."""
    grpc_tls_revoked: Path | None = None
    """The revocation list (crl.pem) of that CA. It is read again when it changes. While it cannot
    be read, all certificates are refused.
    """
    grpc_calls_a_minute: int = 300
    """Number of calls that one caller may make in a minute, at once or spread out. Also the number
    of pages that one steward may load in a minute.
    """
    grpc_longest_call_s: float = 60
    """Longest deadline that a call may have, in seconds. A call without a deadline is refused."""
    policy: Path | None = None
    """Who may call, and in which role: see how-to/who-gets-in. Without it, only callers on this
    host are served.
    """
    review_address: str = ""
    """host:port of the data stewards' page. Empty: not served. Needs `policy`."""
    review_behind_tls: bool = False
    """The review page is behind a TLS proxy: its cookies are sent over TLS only."""
    review_views_a_day: int = 300
    """Number of doubtful pairs that one steward may view in 24 hours."""
    evaluation: bool = False
    """Marks an instance that holds made-up data or approved evaluation data. `export` is allowed
    only there.
    """
    one_person: bool = False
    """For pilots with made-up data: one person may make an export without a request by a second
    person.
    """
    density_check_hours: float = 24
    """How often to count the children of each date of birth. It reads all records. 0: never."""
    micro_batch: int = 16
    """Largest number of messages in one transaction."""
