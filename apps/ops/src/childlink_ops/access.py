"""The access rules: who may read and write which topic. No I/O (`broker.py` applies the rules).

>>> sorted(str(grant) for grant in grants("partner", "trust-a", ["trust-a", "council-b"]))
['read receipts.trust-a', 'write encodings.trust-a', 'write observations.trust-a']
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from childlink_core import topics
from childlink_core.errors import UserError

# Kinds of certificates. Brokers and operators are superusers of the broker. Servers and analysts
# have no access to it.
KINDS: Final = ("partner", "service", "broker", "operator", "server", "analyst")
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{0,62}[a-z0-9]")


@dataclass(frozen=True, order=True)
class Grant:
    """The right to read or to write a topic."""

    right: str
    topic: str

    def __str__(self) -> str:
        return f"{self.right} {self.topic}"


def check_name(kind: str, name: str) -> None:
    """Raise UserError if a certificate of this kind may not have this name."""
    if kind not in KINDS:
        raise UserError(
            f"{kind!r} is not a kind of certificate.", f"Use one of: {', '.join(KINDS)}."
        )
    if kind == "partner":
        topics.check_partner_name(name)
    if kind == "service" and name not in topics.SERVICES:
        raise UserError(f"{name!r} is not a service.", f"Use one of: {', '.join(topics.SERVICES)}.")
    if not _NAME.fullmatch(name):
        raise UserError(
            f"{name!r} cannot be a name in a certificate.",
            "Use lower-case letters, digits, '.' and '-'.",
        )


def principal(kind: str, name: str, serial: str) -> str:
    """Kafka's principal for the holder of a certificate."""
    return f"User:{kind}.{name}.{serial}"


def all_topics(partners: Iterable[str]) -> list[str]:
    """Every topic that must exist."""
    of_partners = [
        make(p)
        for p in partners
        for make in (topics.encodings, topics.observations, topics.receipts)
    ]
    return sorted(
        [*of_partners, topics.LINKS, *(topics.dead_letters(service) for service in topics.SERVICES)]
    )


def grants(kind: str, name: str, partners: Sequence[str]) -> set[Grant]:
    """The rights of a certificate's holder. Anything else is denied.

    A partner that is not a member has no rights.
    """
    if kind == "partner" and name in partners:
        writes, reads = [topics.encodings(name), topics.observations(name)], [topics.receipts(name)]
    elif (kind, name) == ("service", topics.LINKER):
        reads = [topics.encodings(partner) for partner in partners]
        writes = [topics.LINKS, *map(topics.receipts, partners), topics.dead_letters(name)]
    elif (kind, name) == ("service", topics.ANALYTICS):
        reads = [topics.LINKS, *map(topics.observations, partners)]
        writes = [*map(topics.receipts, partners), topics.dead_letters(name)]
    else:
        return set()
    return {Grant("read", topic) for topic in reads} | {Grant("write", topic) for topic in writes}
