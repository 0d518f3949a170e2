"""The gatekeeper's settings. Each can be set in the TOML file or as CHILDLINK_OPS_NAME in the
environment.
"""

from pathlib import Path

from childlink_core.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class GatekeeperSettings(ServiceSettings):
    """Of `gatekeeper`, `align` and `doctor`. The certificate must be an operator's."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_OPS_", extra="forbid")

    authority: Path = Path("authority")
    """Folder with the authority's public half: ca.pem, crl.pem, issued/."""
    replication: int = 3
    """Copies of each topic; 1 for a single broker."""
    retention_days: int = 14
    """How long topics keep what was sent: longer than the longest outage of a reader."""
    every_s: float = 15
    """Seconds between two looks: a revocation is honoured within this time."""
    disk: Path = Path()
    """Folder whose disk `doctor` looks at, beside the brokers' own."""
    time_server: str = ""
    """NTP server that `doctor` compares this machine's clock with; empty compares with none."""
