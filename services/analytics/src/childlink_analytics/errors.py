"""Analytics' errors. The gRPC edge alone turns a QuestionError into a status."""

from dataclasses import dataclass

from childlink_core.errors import UserError


class ProtectionError(UserError):
    """A cube cannot be protected as it is declared. Nothing of it is published."""


class ReleaseError(UserError):
    """A release file is missing or damaged."""


class RetractedError(ReleaseError):
    """A release was taken back."""


class ApprovalError(UserError):
    """What needs two people was tried by one, or out of turn."""


@dataclass
class QuestionError(Exception):
    """A question that cannot be answered: which field is wrong, why, and what may stand there."""

    field: str
    problem: str
    allowed: list[str]
    not_found: bool = False
