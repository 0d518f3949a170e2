"""The policy file: people, how they prove who they are, and their roles. All others are refused.

    [[person]]
    name = "n.steward"
    roles = ["steward"]
    # Give one of these three proofs.
    token_sha256 = "..."                 # hash of an access token; `new_token` makes tokens
    certificate = "steward.example"      # DNS name, URI or common name of a client certificate
    subject = "n.steward@trust.example"  # value of the claim of an OpenID Connect token

    # The trusted token issuer. Only needed if a person has a `subject`.
    [oidc]
    issuer = "https://login.trust.example"
    audience = "childlink-linker"
    claim = "email"                      # the claim that names people; default "sub"
    jwks = "issuer-keys.json"            # the issuer's keys; default: fetched from the issuer

A person who is removed from the file is refused from their next call on.
"""

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from childlink_core.errors import UserError

from childlink_access.current import CurrentFile
from childlink_access.oidc import Issuer
from childlink_access.roles import ROLES

_BEGINS: Final = "cl_"
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_KNOWN: Final = {"name", "roles", "token_sha256", "certificate", "subject", "purposes"}
_KNOWN_OF_OIDC: Final = {"issuer", "audience", "claim", "jwks"}


class PolicyError(UserError):
    """The policy file cannot be used."""


@dataclass(frozen=True)
class Person:
    """A person (or a service) who may call."""

    name: str
    roles: frozenset[str]
    token_sha256: str = field(default="", repr=False)
    certificate: str = ""
    purposes: tuple[str, ...] = ()
    """Registered purposes under which an analyst works."""
    subject: str = ""


@dataclass(frozen=True)
class Policy:
    """All people who may call."""

    people: tuple[Person, ...]
    oidc: Issuer | None = None

    def by_token(self, token: str) -> Person | None:
        """The person with this access token, or None."""
        digest = sha256(token)
        found = [
            p for p in self.people if p.token_sha256 and hmac.compare_digest(p.token_sha256, digest)
        ]
        return found[0] if found else None

    def by_certificate(self, *names: str) -> Person | None:
        """The person with a client certificate of one of these names, or None.

        The connection has already checked the certificate.
        """
        return next((p for p in self.people if p.certificate and p.certificate in names), None)

    def by_subject(self, subject: str) -> Person | None:
        """The person whom the issuer's claim names, or None. The token has already been checked."""
        return next((p for p in self.people if p.subject and p.subject == subject), None)


def new_token() -> str:
    """A new access token: 256 random bits. Shown once; the policy file holds its hash."""
    return _BEGINS + secrets.token_urlsafe(32)


def sha256(token: str) -> str:
    """The hash of a token, for the policy file.

    It needs no salt and no stretching, because a token is random and cannot be guessed.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError that says what is wrong."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"), path.parent)
    except OSError as error:
        raise PolicyError(
            f"The policy file {path} cannot be read ({error.strerror}).", "Correct `policy`."
        ) from None
    except UnicodeDecodeError:
        raise PolicyError(f"The policy file {path} is not in UTF-8.", "Save it as UTF-8.") from None


def parse_policy(text: str, folder: Path = Path()) -> Policy:
    """Parse a policy file. Relative paths in it start at `folder`. Raises PolicyError.

    >>> text = '[[person]]\\nname = "n.steward"\\nroles = ["steward"]\\ncertificate = "s"'
    >>> parse_policy(text).people[0].name
    'n.steward'
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy file is not TOML: {error}.", "Correct it.") from None
    listed = content.get("person", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise PolicyError(
            "In the policy file, `person` must be a list.",
            "Write [[person]], with two brackets.",
        )
    people = tuple(_person(item) for item in listed)
    for what in ("name", "token_sha256", "certificate", "subject"):
        held = [value for person in people if (value := getattr(person, what))]
        if len(held) != len(set(held)):
            raise PolicyError(
                f"Two people in the policy file have the same {what}.",
                "Give each person their own.",
            )
    oidc = _issuer(content["oidc"], folder) if "oidc" in content else None
    if oidc is None and any(person.subject for person in people):
        raise PolicyError(
            "A person has a `subject`, but the policy file has no issuer.",
            "Add [oidc] to the policy file.",
        )
    return Policy(people, oidc)


def _issuer(item: Any, folder: Path) -> Issuer:
    if not isinstance(item, dict):
        raise PolicyError(
            "In the policy file, `oidc` must be a table.", "Write [oidc], with one bracket."
        )
    if unknown := sorted(set(item) - _KNOWN_OF_OIDC):
        raise PolicyError(
            f"[oidc]: unknown {unknown[0]!r}.", f"Known: {', '.join(sorted(_KNOWN_OF_OIDC))}."
        )
    for what in ("issuer", "audience"):
        if not isinstance(item.get(what), str) or not item[what]:
            raise PolicyError(
                f"[oidc] has no {what}.",
                "Ask the issuer's operator for issuer and audience, and set both.",
            )
    jwks = folder / str(item["jwks"]) if item.get("jwks") else None
    return Issuer(item["issuer"], item["audience"], str(item.get("claim", "sub")), jwks)


def _person(item: Mapping[str, Any]) -> Person:
    name = item.get("name", "")
    unknown = sorted(set(item) - _KNOWN)
    if unknown:
        raise PolicyError(
            f"{name or 'A person'}: unknown {unknown[0]!r}.", f"Known: {', '.join(sorted(_KNOWN))}."
        )
    roles = item.get("roles", [])
    if not isinstance(name, str) or not name or not isinstance(roles, list):
        raise PolicyError(
            "A person in the policy file has no name, or their roles are not a list.",
            "Correct it.",
        )
    strange = sorted(set(map(str, roles)) - set(ROLES))
    if strange:
        raise PolicyError(
            f"{name}: there is no role {strange[0]!r}.", f"Roles: {', '.join(ROLES)}."
        )
    if item.get("token_sha256") and not _DIGEST.fullmatch(str(item["token_sha256"]).lower()):
        raise PolicyError(
            f"{name}: token_sha256 is not a SHA-256 hash.",
            "Copy it from the command that made the token.",
        )
    if not any(item.get(proof) for proof in ("token_sha256", "certificate", "subject")):
        raise PolicyError(
            f"{name} has no way to prove who they are.",
            "Give token_sha256, certificate or subject.",
        )
    return Person(
        name,
        frozenset(roles),
        str(item.get("token_sha256", "")).lower(),
        str(item.get("certificate", "")),
        tuple(map(str, item.get("purposes", ()))),
        str(item.get("subject", "")),
    )


class PolicyFile(CurrentFile[Policy]):
    """The current policy. If the file cannot be read any longer, all callers are refused."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, read_policy)
