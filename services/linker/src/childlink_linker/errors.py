"""The linker's errors."""

from childlink_core.errors import UserError


class StoreError(UserError):
    """The database cannot be used in its present state."""


class UnknownIdentifierError(UserError):
    """No current or past person has this identifier."""


class ReviewError(UserError):
    """A review request that cannot be carried out."""


class NotAnEvaluationError(UserError):
    """The request is allowed only on an instance marked as an evaluation."""


class ExportError(UserError):
    """The export was not requested by a second person."""


class ProposalError(UserError):
    """A proposal that cannot be made or decided as requested."""


class SparkError(UserError):
    """Re-linkage on Spark that cannot run as requested."""
