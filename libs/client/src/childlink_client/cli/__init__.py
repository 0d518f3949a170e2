"""The commands of `childlink`."""

from childlink_client.cli import account, asking, reporting, studying
from childlink_client.cli.common import main

__all__ = ["account", "asking", "main", "reporting", "studying"]
