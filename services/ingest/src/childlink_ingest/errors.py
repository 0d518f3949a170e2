"""Ingest's errors and exit codes."""

from typing import Final

from childlink_core.errors import UserError

EXIT_OK: Final = 0
EXIT_ERROR: Final = 1
"""Nothing was sent."""
EXIT_PARTIAL: Final = 3
"""Some rows were rejected here or refused by a service; the others went."""
EXIT_WAITING: Final = 4
"""Everything is safe in the spool, but some of it was not yet sent or not yet answered."""


class ExtractError(UserError):
    """The extract as a whole cannot be read."""


class MappingError(UserError):
    """The mapping file is wrong, or does not fit the extract."""


class SpoolError(UserError):
    """The spool cannot be used."""


class PastLostError(SpoolError):
    """The services have read what this spool does not know: it was put back from a backup, or made
    anew.
    """


class PermitError(UserError):
    """Whether people may be sent cannot be decided: a list is missing, too old or damaged."""


class NotApprovedError(UserError):
    """Nobody has approved this mapping, or it changed since."""


class TooManyRejectsError(UserError):
    """So many rows were rejected that the extract is not sent."""


class ContradictingIdsError(UserError):
    """Local ids of the extract are shared by different people."""
