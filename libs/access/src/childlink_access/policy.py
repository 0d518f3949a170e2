"""The policy file: who there is, how they prove it, and which roles they have. Nobody who is not
in it gets in.

    [[person]]
    name = "n.steward"
    roles = ["steward"]
    token_sha256 = "..."                 # of an access token: `new_token` makes one
    certificate = "steward.example"      # or: a DNS name, URI or common name of a client certificate
    subject = "n.steward@trust.example"  # or: what the claim of an OpenID Connect token says

    [oidc]                               # whose tokens are believed; only where somebody has a `subject`
    issuer = "https://login.trust.example"
    audience = "childlink-linker"
    claim = "email"                      # the claim that names people; default "sub"
    jwks = "issuer-keys.json"            # the issuer's keys; without it, they are fetched from the issuer

Taking a person out of the file shuts them out with their next call.
"""  # noqa: E501

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
    """Somebody (or a service) who may call."""

    name: str
    roles: frozenset[str]
    token_sha256: str = field(default="", repr=False)
    certificate: str = ""
    purposes: tuple[str, ...] = ()
    """Registered purposes that an analyst works under."""
    subject: str = ""


@dataclass(frozen=True)
class Policy:
    """Everybody who may call."""

    people: tuple[Person, ...]
    oidc: Issuer | None = None

    def by_token(self, token: str) -> Person | None:
        """Whose access token this is."""
        digest = sha256(token)
        found = [
            p for p in self.people if p.token_sha256 and hmac.compare_digest(p.token_sha256, digest)
        ]
        return found[0] if found else None

    def by_certificate(self, *names: str) -> Person | None:
        """Whose client certificate has one of these names. The connection has checked the
        certificate.
        """
        return next((p for p in self.people if p.certificate and p.certificate in names), None)

    def by_subject(self, subject: str) -> Person | None:
        """Whom the issuer's claim names. The token has been checked."""
        return next((p for p in self.people if p.subject and p.subject == subject), None)


def new_token() -> str:
    """A new access token: 256 random bits. Shown once; the policy file holds its hash."""
    return _BEGINS + secrets.token_urlsafe(32)


def sha256(token: str) -> str:
    """What the policy file holds of a token. No salt and no stretching: a token is no password, it
    cannot be guessed.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError that says what is wrong with it."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"), path.parent)
    except OSError as error:
        raise PolicyError(
            f"The policy file {path} cannot be read ({error.strerror}).", "Correct `policy`."
        ) from None
    except UnicodeDecodeError:
        raise PolicyError(f"The policy file {path} is not in UTF-8.", "Save it as UTF-8.") from None


def parse_policy(text: str, folder: Path = Path()) -> Policy:
    """Parse a policy file; paths in it are relative to `folder`.

    >>> parse_policy('[[person]]\\nname = "n.steward"\\nroles = ["steward"]\\ncertificate = "s"').people[0].name
    'n.steward'
    """  # noqa: E501
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"The policy file is no TOML: {error}.", "Correct it.") from None
    listed = content.get("person", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise PolicyError(
            "`person` of the policy file is no list of people.",
            "Write [[person]], with two brackets.",
        )
    people = tuple(_person(item) for item in listed)
    for what in ("name", "token_sha256", "certificate", "subject"):
        held = [value for person in people if (value := getattr(person, what))]
        if len(held) != len(set(held)):
            raise PolicyError(
                f"Two people of the policy file have the same {what}.", "Give each their own."
            )
    oidc = _issuer(content["oidc"], folder) if "oidc" in content else None
    if oidc is None and any(person.subject for person in people):
        raise PolicyError(
            "Somebody has a `subject`, but no issuer is named.", "Add [oidc] to the policy file."
        )
    return Policy(people, oidc)


def _issuer(item: Any, folder: Path) -> Issuer:
    if not isinstance(item, dict):
        raise PolicyError(
            "`oidc` of the policy file is no table.", "Write [oidc], with one bracket."
        )
    if unknown := sorted(set(item) - _KNOWN_OF_OIDC):
        raise PolicyError(
            f"[oidc]: unknown {unknown[0]!r}.", f"Known: {', '.join(sorted(_KNOWN_OF_OIDC))}."
        )
    for what in ("issuer", "audience"):
        if not isinstance(item.get(what), str) or not item[what]:
            raise PolicyError(
                f"[oidc] has no {what}.", "Give issuer and audience, as the issuer's operator says."
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
            "A person of the policy file has no name, or roles that are no list.", "Correct it."
        )
    strange = sorted(set(map(str, roles)) - set(ROLES))
    if strange:
        raise PolicyError(
            f"{name}: there is no role {strange[0]!r}.", f"Roles: {', '.join(ROLES)}."
        )
    if item.get("token_sha256") and not _DIGEST.fullmatch(str(item["token_sha256"]).lower()):
        raise PolicyError(
            f"{name}: token_sha256 is no SHA-256.", "Take it from the command that made the token."
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
    """The policy as it is now. A file that cannot be read any more lets nobody in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, read_policy)
