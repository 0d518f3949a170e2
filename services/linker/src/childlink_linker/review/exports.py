"""The two-person rule for exports: one person requests an export with a reason, and another makes
it. Rules only.

A failed attempt uses up the request. Request and export are entries of the audit trail, and the
rule reads them there. There is no other record that could be forged.
"""

from collections.abc import Iterable
from typing import Final

from childlink_core.audit import Entry

from childlink_linker.errors import ExportError

ASKED: Final = "export asked"
MADE: Final = "export"
_GOOD_FOR_MS: Final = 24 * 60 * 60 * 1000


def check_asked(trail: Iterable[Entry], who: str, now_ms: int) -> None:
    """Raise ExportError unless a person other than `who` requested an export within the last 24
    hours, and no export was made since.

    `trail` is the audit trail, or its entries ASKED and MADE, oldest first.
    """
    last = None
    for entry in trail:
        if entry.action in (ASKED, MADE):
            last = entry
    if last is None or last.action == MADE or now_ms - last.at_ms > _GOOD_FOR_MS:
        raise ExportError(
            "There is no unused request for an export from the last 24 hours.",
            "Have another person run: childlink-linker ask-export --why TEXT.",
        )
    if last.who == who:
        raise ExportError(
            f"{who} asked for this export, so another person must make it.",
            "Have another person run this.",
        )
