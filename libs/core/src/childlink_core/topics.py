"""Names of the Kafka topics, and of the services that use them."""

import re
from typing import Final

from childlink_core.errors import UserError

LINKER: Final = "linker"
ANALYTICS: Final = "analytics"
SERVICES: Final = (LINKER, ANALYTICS)
LINKS: Final = "links"

_PARTNER = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")


def check_partner_name(name: str) -> str:
    """Return `name` if it is a valid partner name. Raises UserError otherwise.

    The name becomes part of topic names and certificates.
    """
    if not _PARTNER.fullmatch(name) or name in SERVICES:
        raise UserError(
            f"{name!r} cannot be a partner's name.",
            "Use 3 to 32 lower-case letters, digits and hyphens, starting with a letter, for"
            " example 'st-thomas-trust'.",
        )
    return name


def encodings(partner: str) -> str:
    """Topic of a partner's encoded halves, which the linker reads."""
    return f"encodings.{partner}"


def observations(partner: str) -> str:
    """Topic of a partner's attribute halves, which analytics reads."""
    return f"observations.{partner}"


def receipts(sender: str) -> str:
    """Topic of the receipts for a sender."""
    return f"receipts.{sender}"


def dead_letters(service: str) -> str:
    """Topic of the sealed messages that a service refused."""
    return f"deadletter.{service}"
