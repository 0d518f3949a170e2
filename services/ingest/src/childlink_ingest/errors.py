"""Ingest's errors and exit codes."""

from typing import Final

from childlink_core.errors import UserError

EXIT_OK: Final = 0
EXIT_ERROR: Final = 1
"""Nothing was sent."""
EXIT_PARTIAL: Final = 3
"""Some rows were rejected here or refused by a service. The others were sent."""
EXIT_WAITING: Final = 4
"""Everything is safe in the spool, but some of it is not yet sent or not yet answered."""

EXIT_QUESTIONS: Final = 5
"""The proposed mapping has questions that a person has to decide. They stand in it."""


class ExtractError(UserError):
    """The extract cannot be read."""


class MappingError(UserError):
    """The mapping file is wrong, or does not fit the extract."""


class SpoolError(UserError):
    """The spool cannot be used."""


class PastLostError(SpoolError):
    """The services have read batches that this spool does not know.

    The spool was restored from a backup, or newly made.
    """


class PermitError(UserError):
    """It cannot be decided who may be sent: a list is missing, too old or damaged."""


class NotApprovedError(UserError):
    """The mapping is not approved, or changed since its approval."""


class TooManyRejectsError(UserError):
    """Too many rows are rejected or withdrawn. Nothing is sent."""


class ContradictingIdsError(UserError):
    """Different people share local ids of the extract."""
