"""The commands of `childlink`."""

from childlink_client.cli import (
    account,
    analysing,
    asking,
    exploring,
    proposing,
    releasing,
    reporting,
)
from childlink_client.cli.common import main

__all__ = [
    "account",
    "analysing",
    "asking",
    "exploring",
    "main",
    "proposing",
    "releasing",
    "reporting",
]
