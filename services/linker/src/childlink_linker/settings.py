"""The linker's settings. Each can be set in the TOML file or as CHILDLINK_LINKER_NAME in the
environment.
"""

from pathlib import Path

from childlink_core.profiles import DEFAULT_PROFILE
from childlink_core.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict

from childlink_linker.matching.parameters import DEFAULT_PARAMETERS


class LinkerSettings(ServiceSettings):
    """What a linker's operator sets. Secrets are files; none is a value here."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_LINKER_", extra="forbid")

    database: str = "sqlite:///linker.sqlite"
    """SQLAlchemy URL without a password; postgresql+psycopg://user@host/name, or SQLite for pilots.
    With a standby: both hosts, see how-to/back-up-and-restore.
    """
    database_password_file: Path | None = None
    """File that holds the database password."""
    signing_key: Path = Path("keys/signing.key")
    """The linker's Ed25519 key."""
    opening_key: Path = Path("keys/opening.key")
    """The linker's X25519 key."""
    token_key: Path = Path("keys/token.key")
    """Key under which every token is hashed once more, and identifiers are re-keyed for analytics.
    """
    profile: str = DEFAULT_PROFILE
    """The partnership's encoding profile."""
    key_versions: tuple[int, ...] = (1,)
    """Versions of the linkage secret in use."""
    parameters: str = DEFAULT_PARAMETERS
    """Match parameters: the name of a bundled version, or a file."""
    grpc_address: str = ""
    """host:port of the operators' gRPC service; empty serves none. Only loopback while there are no
    certificates.
    """
    grpc_tls_certificate: Path | None = None
    """The gRPC services' and the review page's certificate."""
    grpc_tls_key: Path | None = None
    """Its private key."""
    grpc_tls_client_ca: Path | None = None
    """CA of the callers' certificates. With it, every caller needs one."""
    grpc_tls_revoked: Path | None = None
    """The revocation list (crl.pem) of that CA. It is read again whenever it changes; while it
    cannot be read, no certificate gets in.
    """
    grpc_calls_a_minute: int = 300
    """Calls that one caller may make in a minute, or all at once; and pages that one steward may
    load.
    """
    grpc_longest_call_s: float = 60
    """Longest deadline of a call. One without a deadline is refused."""
    policy: Path | None = None
    """Who may call, and in which role: see how-to/who-gets-in. Without it, only this host is
    served.
    """
    review_address: str = ""
    """host:port of the data stewards' page; empty serves none. Needs `policy`."""
    review_behind_tls: bool = False
    """A TLS proxy stands before the review page: cookies are sent over TLS only."""
    review_views_a_day: int = 300
    """Doubtful pairs that one steward may look at in 24 hours."""
    evaluation: bool = False
    """Marks an instance that holds made-up or approved evaluation data, where `export` is allowed.
    """
    one_person: bool = False
    """For pilots with made-up data: whoever wants an export may make it without being asked by
    somebody else.
    """
    micro_batch: int = 16
    """Most messages in one transaction."""
