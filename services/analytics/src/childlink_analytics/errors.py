"""Analytics' errors. Only the gRPC layer turns a QuestionError into a status."""

from dataclasses import dataclass

from childlink_core.errors import UserError


class ProtectionError(UserError):
    """A cube cannot be protected as declared. Nothing of it is published."""


class ReleaseError(UserError):
    """A release file is missing or damaged."""


class RetractedError(ReleaseError):
    """A release was retracted."""


class ApprovalError(UserError):
    """One person tried to do what needs two, or the action does not fit the release's state."""


@dataclass
class QuestionError(Exception):
    """A question that cannot be answered: the wrong field, the problem, and the allowed values."""

    field: str
    problem: str
    allowed: list[str]
    not_found: bool = False
