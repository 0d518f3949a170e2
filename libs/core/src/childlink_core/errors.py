"""The base class of errors that a person caused or can fix."""


class UserError(Exception):
    """An error that the user can fix. Shown without a traceback; the program exits non-zero.

    `problem` says what is wrong, `remedy` says what to do. Neither may contain an identifier or a
    secret.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy

    def render(self) -> str:
        """The text for the terminal."""
        return f"error: {self.problem}" + (f"\n  what to do: {self.remedy}" if self.remedy else "")


class BatchRefusedError(Exception):
    """A batch that a reader must refuse. `reason` is a code of `childlink_core.reasons`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
