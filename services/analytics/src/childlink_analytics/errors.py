"""Analytics' errors. Only the gRPC layer turns a QuestionError into a status."""

from collections.abc import Collection
from dataclasses import dataclass

from childlink_core.errors import UserError


class ProtectionError(UserError):
    """A population cannot be protected as declared. `cells` are those that an attacker bounded too
    tightly, if it got that far.
    """

    def __init__(
        self, problem: str, remedy: str, cells: Collection[tuple[tuple[str, str], ...]] = ()
    ) -> None:
        super().__init__(problem, remedy)
        self.cells = frozenset(cells)


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
