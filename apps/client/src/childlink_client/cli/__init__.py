"""The commands of `childlink`."""

from childlink_client.cli import account, asking, exploring, reporting, studying
from childlink_client.cli.common import main

__all__ = ["account", "asking", "exploring", "main", "reporting", "studying"]
