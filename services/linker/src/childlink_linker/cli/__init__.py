"""The commands of `childlink-linker`."""

from childlink_linker.cli import keys, looking, review, running
from childlink_linker.cli.common import main

__all__ = ["keys", "looking", "main", "review", "running"]
