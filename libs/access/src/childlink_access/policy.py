"""The policy file: who there is, how they prove it, and which roles they have. Nobody who is not in it gets in.

    [[person]]
    name = "n.steward"
    roles = ["steward"]
    token_sha256 = "..."                 # of an access token: `new_token` makes one
    certificate = "steward.example"      # or: a DNS name, URI or common name of a client certificate

Taking a person out of the file shuts them out with their next call.
"""

import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from childlink_core.errors import UserError

ROLES: Final = ("analyst", "steward", "operator", "release_manager", "auditor")
_BEGINS: Final = "cl_"
_KNOWN: Final = {"name", "roles", "token_sha256", "certificate", "purposes"}


class PolicyError(UserError):
    """The policy file cannot be used."""


@dataclass(frozen=True)
class Person:
    """Somebody (or a service) who may call."""

    name: str
    roles: frozenset[str]
    token_sha256: str = field(default="", repr=False)
    certificate: str = ""
    purposes: tuple[str, ...] = ()
    """Registered purposes that an analyst works under."""


@dataclass(frozen=True)
class Policy:
    """Everybody who may call."""

    people: tuple[Person, ...]

    def by_token(self, token: str) -> Person | None:
        """Whose access token this is."""
        digest = sha256(token)
        found = [p for p in self.people if p.token_sha256 and hmac.compare_digest(p.token_sha256, digest)]
        return found[0] if found else None

    def by_certificate(self, *names: str) -> Person | None:
        """Whose client certificate has one of these names. The connection has checked the certificate."""
        return next((p for p in self.people if p.certificate and p.certificate in names), None)


def new_token() -> str:
    """A new access token: 256 random bits. Shown once; the policy file holds its hash."""
    return _BEGINS + secrets.token_urlsafe(32)


def sha256(token: str) -> str:
    """What the policy file holds of a token. No salt and no stretching: a token is no password, it cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError that says what is wrong with it."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"The policy file {path} cannot be read ({error.strerror}).", "Correct `policy`.") from None


def parse_policy(text: str) -> Policy:
    """Parse a policy file.

    >>> parse_policy('[[person]]\\nname = "n.steward"\\nroles = ["steward"]\\ncertificate = "s"').people[0].name
    'n.steward'
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy file is no TOML: {error}.", "Correct it.") from None
    people = tuple(_person(item) for item in content.get("person", []))
    for what in ("name", "token_sha256", "certificate"):
        held = [value for person in people if (value := getattr(person, what))]
        if len(held) != len(set(held)):
            raise PolicyError(f"Two people of the policy file have the same {what}.", "Give each their own.")
    return Policy(people)


def _person(item: Mapping[str, Any]) -> Person:
    name = item.get("name", "")
    unknown = sorted(set(item) - _KNOWN)
    if unknown:
        raise PolicyError(f"{name or 'A person'}: unknown {unknown[0]!r}.", f"Known: {', '.join(sorted(_KNOWN))}.")
    roles = item.get("roles", [])
    if not isinstance(name, str) or not name or not isinstance(roles, list):
        raise PolicyError("A person of the policy file has no name, or roles that are no list.", "Correct it.")
    strange = sorted(set(map(str, roles)) - set(ROLES))
    if strange:
        raise PolicyError(f"{name}: there is no role {strange[0]!r}.", f"Roles: {', '.join(ROLES)}.")
    if not item.get("token_sha256") and not item.get("certificate"):
        raise PolicyError(f"{name} has no way to prove who they are.", "Give token_sha256, certificate or both.")
    return Person(
        name, frozenset(roles), str(item.get("token_sha256", "")).lower(), str(item.get("certificate", "")),
        tuple(map(str, item.get("purposes", ()))),
    )  # fmt: skip


class PolicyFile:
    """The policy as it is now: read again whenever the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._policy = Policy(())
        self.now()

    def now(self) -> Policy:
        """Today's policy. A file that cannot be read any more lets nobody in."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        if stamp is None or stamp != self._stamp:
            self._policy, self._stamp = Policy(()), None
            self._policy, self._stamp = read_policy(self._path), stamp
        return self._policy
