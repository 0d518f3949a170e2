"""The root of every error that a person caused or can mend."""


class UserError(Exception):
    """Something a user can put right. Shown without a traceback; the program exits non-zero.

    `problem` says what is wrong, `remedy` what to do about it. Neither may hold an identifier or a
    secret.
    """

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem} {remedy}".strip())
        self.problem = problem
        self.remedy = remedy

    def render(self) -> str:
        """The text that a terminal shows."""
        return f"error: {self.problem}" + (f"\n  what to do: {self.remedy}" if self.remedy else "")


class BatchRefusedError(Exception):
    """A batch that a reader must refuse. `reason` is a code of the error list (see
    `childlink_core.reasons`).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
