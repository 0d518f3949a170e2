"""Nobody takes data out of the linker alone: one person asks for an export and says why, another
makes it. Rules only.

An attempt that fails has used the asking up. Both are entries of the audit trail, and the trail is
where they are looked up: there is nothing else to be forged.
"""

from collections.abc import Iterable
from typing import Final

from childlink_core.audit import Entry

from childlink_linker.errors import ExportError

ASKED: Final = "export asked"
MADE: Final = "export"
_GOOD_FOR_MS: Final = 24 * 60 * 60 * 1000


def check_asked(trail: Iterable[Entry], who: str, now_ms: int) -> None:
    """Raise ExportError unless somebody else than `who` asked for an export within a day, and none
    was made since.

    `trail` is the audit trail, or its entries of ASKED and MADE, oldest first.
    """
    last = None
    for entry in trail:
        if entry.action in (ASKED, MADE):
            last = entry
    if last is None or last.action == MADE or now_ms - last.at_ms > _GOOD_FOR_MS:
        raise ExportError(
            "Nobody has asked for an export within a day that was not made since.",
            "Have another person run: childlink-linker ask-export --why TEXT.",
        )
    if last.who == who:
        raise ExportError(
            f"{who} asked for this export: somebody else has to make it.",
            "Have another person run this.",
        )
