"""Checks bearer tokens of an OpenID Connect issuer (signed JWT, RFC 7519) and finds their subject.

The issuer's keys come from a file (JWKS, RFC 7517), or from the issuer through OpenID Connect
Discovery. A file is safer: the service needs no outgoing network access, and only its operator can
change the keys.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import structlog
from childlink_core.errors import UserError

from childlink_access.current import CurrentFile

log = structlog.get_logger()

# Signatures only. Never "none", and no shared secrets: with a shared secret, any service that
# checks tokens could also make them.
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_CLOCKS_DIFFER_S: Final = 30
_KEEP_KEYS_S: Final = 3600
# Ask the issuer at most this often, regardless of the tokens that callers send.
_ASK_AGAIN_S: Final = 30
_ASK_TIMEOUT_S: Final = 5
_MOST_ANSWER_BYTES: Final = 1_000_000
Keys = Mapping[str, jwt.PyJWK]


@dataclass(frozen=True)
class Issuer:
    """The issuer of tokens, their audience, and the claim that names a person of the policy
    file.
    """

    issuer: str
    audience: str
    claim: str = "sub"
    jwks: Path | None = None


class BearerTokens:
    """Checks tokens. Caches the issuer's keys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: Issuer | None = None
        self._find: Callable[[str], jwt.PyJWK | None] = lambda _: None

    def subject(self, issuer: Issuer, token: str) -> str | None:
        """The value of the issuer's claim in a token. Returns None if the token is not valid."""
        try:
            key = self._finder(issuer)(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None or key.algorithm_name not in _ALGORITHMS:
                return None
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=issuer.issuer,
                audience=issuer.audience,
                leeway=_CLOCKS_DIFFER_S,
                options={"require": ["exp", "iss", "aud", issuer.claim]},
            )
        except (jwt.PyJWTError, UserError) as error:
            log.info("token refused", error_type=type(error).__name__)
            return None
        if issuer.claim == "email" and claims.get("email_verified") is not True:
            # With many issuers, a user can enter any address. Only a verified address names its
            # owner.
            return None
        named = claims[issuer.claim]
        return named if isinstance(named, str) and named else None

    def _finder(self, issuer: Issuer) -> Callable[[str], jwt.PyJWK | None]:
        with self._lock:
            if self._of != issuer:
                self._find = _in_file(issuer.jwks) if issuer.jwks else _Online(issuer.issuer).find
                self._of = issuer
            return self._find


def _in_file(path: Path) -> Callable[[str], jwt.PyJWK | None]:
    keys = CurrentFile(path, _read_keys)
    return lambda kid: keys.now().get(kid)


def _read_keys(path: Path) -> Keys:
    try:
        return parse_keys(path.read_bytes())
    except (OSError, UserError) as error:
        raise UserError(
            f"The issuer's keys {path} cannot be used ({type(error).__name__}).", "Correct jwks."
        ) from None


def parse_keys(text: bytes) -> Keys:
    """Parse the keys of a JWKS, by key id. Raises UserError."""
    try:
        return {key.key_id or "": key for key in jwt.PyJWKSet.from_dict(json.loads(text)).keys}
    except (jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"This is not a JWKS ({type(error).__name__}).", "Fetch the issuer's JWKS again."
        ) from None


class _Online:
    """The keys that the issuer publishes, cached for one hour.

    A token with an unknown key id makes it ask the issuer again, at most once every 30 seconds.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer.rstrip("/")
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._fetched_at = self._asked_at = float("-inf")

    def find(self, kid: str) -> jwt.PyJWK | None:
        with self._lock:
            now = time.monotonic()
            stale = kid not in self._keys or now - self._fetched_at > _KEEP_KEYS_S
            if stale and now - self._asked_at > _ASK_AGAIN_S:
                self._asked_at = now
                try:
                    self._keys, self._fetched_at = self._fetch(), now
                except UserError as error:
                    # If the issuer cannot be reached, keys up to two hours old are used rather than
                    # refusing all callers. Older keys are not trusted.
                    log.warning("issuer not asked", error_type=type(error).__name__)
            return self._keys.get(kid) if now - self._fetched_at <= 2 * _KEEP_KEYS_S else None

    def _fetch(self) -> Keys:
        try:
            facts = dict(json.loads(_get(f"{self._issuer}/.well-known/openid-configuration")))
        except (ValueError, TypeError):
            raise UserError(
                "The issuer's answer is not an OpenID configuration.", "Correct issuer."
            ) from None
        if str(facts.get("issuer", "")).rstrip("/") != self._issuer:
            raise UserError("The issuer's configuration names another issuer.", "Correct issuer.")
        return parse_keys(_get(str(facts.get("jwks_uri", ""))))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Refuse redirects: an answer must not choose where keys come from."""


def _get(url: str) -> bytes:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    ):
        raise UserError("Keys are only fetched over https.", "Correct issuer.")
    try:
        with urllib.request.build_opener(_NoRedirects).open(url, timeout=_ASK_TIMEOUT_S) as answer:
            return bytes(answer.read(_MOST_ANSWER_BYTES))
    except OSError as error:
        raise UserError(
            f"The issuer does not answer ({type(error).__name__}).", "Check the network."
        ) from None
