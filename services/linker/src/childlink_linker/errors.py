"""The linker's errors."""

from childlink_core.errors import UserError


class StoreError(UserError):
    """The database cannot be used as it is."""


class UnknownIdentifierError(UserError):
    """No person has, or ever had, this identifier."""


class ReviewError(UserError):
    """A review that cannot be as asked."""


class NotAnEvaluationError(UserError):
    """Asked for something that only an instance marked as an evaluation may do."""


class ExportError(UserError):
    """An export that nobody else asked for."""


class ProposalError(UserError):
    """A proposal that cannot be made, or decided, as asked."""


class SparkError(UserError):
    """Re-linkage on Spark that cannot run as asked."""
