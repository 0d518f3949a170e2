"""The commands of `childlink-analytics`."""

from childlink_analytics.cli import keys, releasing, running, trails
from childlink_analytics.cli.common import main

__all__ = ["keys", "main", "releasing", "running", "trails"]
