"""The commands of `childlink-linker`."""

from childlink_linker.cli import keys, looking, relinking, review, running
from childlink_linker.cli.common import main

__all__ = ["keys", "looking", "main", "relinking", "review", "running"]

main.add_command(relinking.relink)
main.add_command(relinking.proposals_group)
