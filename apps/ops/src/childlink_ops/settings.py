"""The gatekeeper's settings. Set each in the TOML file, or in the environment as
CHILDLINK_OPS_NAME.
"""

from pathlib import Path

from childlink_core.settings import ServiceSettings
from pydantic_settings import SettingsConfigDict


class GatekeeperSettings(ServiceSettings):
    """Settings of `gatekeeper`, `align` and `doctor`. The certificate must be an operator's."""

    model_config = SettingsConfigDict(env_prefix="CHILDLINK_OPS_", extra="forbid")

    authority: Path = Path("authority")
    """Folder with the authority's public half: ca.pem, crl.pem, issued/."""
    replication: int = 3
    """Number of copies of each topic; 1 for a single broker."""
    retention_days: int = 14
    """How many days topics keep messages. It must be longer than the longest outage of a reader."""
    every_s: float = 15
    """Seconds between two checks. A revocation takes effect within this time."""
    disk: Path = Path()
    """Folder whose disk `doctor` checks, in addition to the brokers' disks."""
    time_server: str = ""
    """NTP server with which `doctor` compares this machine's clock; empty for no comparison."""
