"""Checks the policy before each gRPC call. A method without a rule is refused (deny by default).

The guard checks the caller before it waits for the request message, so a stranger who never sends
one holds no thread. An admitted caller must set a deadline, which limits how long an unfinished
call can hold resources (ADR 19).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final, NoReturn

import grpc
import structlog

from childlink_access.limits import Limiter
from childlink_access.oidc import BearerTokens
from childlink_access.policy import Person, Policy, PolicyError
from childlink_access.revoked import NO_LIST, REVOKED, RevokedCertificates

log = structlog.get_logger()

Rules = Mapping[str, frozenset[str]]
"""Full method name ("/package.Service/Method") to the roles that may call it."""
Refused = Callable[[str, str, str], None]
"""Is told of a refused call: who called, the method, and why it was refused."""
_caller: ContextVar[Person | None] = ContextVar("childlink_caller", default=None)
# A service without a policy listens on its own host only (see `serving`). Any local caller counts
# as its operator.
LOCAL: Final = Person(
    "local", frozenset(("analyst", "steward", "operator", "release_manager", "auditor"))
)
# Allows for the transit time of a deadline and for gRPC's rounding.
_ROUNDING_S: Final = 1.0


def caller() -> Person:
    """The caller of the call in progress. Raises RuntimeError outside a call."""
    person = _caller.get()
    if person is None:
        raise RuntimeError("no call is being answered")
    return person


_IN_WORDS: Final = {
    REVOKED: "This certificate is revoked.",
    NO_LIST: "This service cannot tell which certificates are revoked. Tell its operators.",
}


class Guard(grpc.ServerInterceptor):
    """Admits a call if its caller is known and has a role that the method's rule names.

    `refused` is called with caller, method and reason for each refused call. `revoked` knows the
    revoked certificates. `limiter` limits the calls of each caller. No call may last longer than
    `longest_call_s`.
    """

    def __init__(
        self,
        policy: Callable[[], Policy] | None,
        rules: Rules,
        refused: Refused = lambda _who, _method, _why: None,
        *,
        revoked: RevokedCertificates | None = None,
        limiter: Limiter | None = None,
        longest_call_s: float | None = None,
    ) -> None:
        self._policy, self._rules, self._refused = policy, rules, refused
        self._revoked, self._limiter, self._longest_call_s = revoked, limiter, longest_call_s
        self._tokens = BearerTokens()

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """See grpc.ServerInterceptor."""
        handler = continuation(details)
        if handler is None:
            return None
        return _Wrapped(self, details.method, handler).as_handler()

    def admit(self, method: str, context: grpc.ServicerContext) -> Person:
        """Return the caller, or end the call."""
        shown: Iterable[Any] = context.auth_context().get("x509_pem_cert", ())
        why = next((why for pem in shown if (why := self._refusal(pem))), "")
        if why:
            self.refuse("", method, why, context, grpc.StatusCode.UNAUTHENTICATED, _IN_WORDS[why])
        person = LOCAL if self._policy is None else self._identify(self._policy, context)
        if person is None:
            says = "Send an access token, or use a certificate that the policy names."
            self.refuse(
                "", method, "unauthenticated", context, grpc.StatusCode.UNAUTHENTICATED, says
            )
        if self._limiter and (wait := self._limiter.wait_s(person.name)):
            says = (
                f"More than {self._limiter.calls_a_minute} calls a minute. Call again in {wait:.1f}"
                " seconds."
            )
            self.refuse(
                person.name, method, "too_many", context, grpc.StatusCode.RESOURCE_EXHAUSTED, says
            )
        roles = self._rules.get(method, frozenset())
        if not person.roles & roles:
            needed = " or ".join(sorted(roles))
            name = method.rpartition("/")[2]
            says = f"{name} needs the role {needed}." if needed else f"No role may call {name}."
            self.refuse(
                person.name, method, "denied", context, grpc.StatusCode.PERMISSION_DENIED, says
            )
        left = context.time_remaining()
        if self._longest_call_s and (left is None or left > self._longest_call_s + _ROUNDING_S):
            says = f"Set a deadline of at most {self._longest_call_s:.0f} seconds."
            self.refuse(
                person.name, method, "no_deadline", context, grpc.StatusCode.INVALID_ARGUMENT, says
            )
        return person

    def _refusal(self, pem: bytes) -> str:
        return self._revoked.refuses(pem) if self._revoked else ""

    def refuse(
        self,
        who: str,
        method: str,
        why: str,
        context: grpc.ServicerContext,
        code: grpc.StatusCode,
        says: str,
    ) -> NoReturn:
        """Count a refused call, and end it."""
        self._refused(who, method, why)
        log.warning("call refused", caller=who or "unknown", method=method, reason=why)
        context.abort(code, says)

    def _identify(
        self, policy: Callable[[], Policy], context: grpc.ServicerContext
    ) -> Person | None:
        try:
            people = policy()
        except PolicyError:
            return None
        header = dict(context.invocation_metadata()).get("authorization", "")
        if isinstance(header, str) and header.startswith("Bearer "):
            return self._by_bearer(people, header.removeprefix("Bearer "))
        auth = context.auth_context()
        names = [*auth.get("x509_subject_alternative_name", ()), *auth.get("x509_common_name", ())]
        return people.by_certificate(*(name.decode(errors="replace") for name in names))

    def _by_bearer(self, people: Policy, token: str) -> Person | None:
        person = people.by_token(token)
        if person is not None or people.oidc is None:
            return person
        subject = self._tokens.subject(people.oidc, token)
        return people.by_subject(subject) if subject else None


class _Wrapped:
    """Wraps a handler so that it runs only after the guard admitted the caller.

    gRPC's own single-message handlers wait for the message in a worker thread before they call any
    code. A few callers who never send it would block every thread. Therefore all handlers are
    registered as stream handlers; the bytes on the wire are the same. Messages are parsed here as
    well. If gRPC parsed them, each malformed message would leave a traceback in the log and a
    stream that is never released.
    """

    def __init__(self, guard: Guard, method: str, handler: Any) -> None:
        self._guard, self._method, self._handler = guard, method, handler
        self._behaviour = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )
        self._parse: Callable[[bytes], Any] = handler.request_deserializer or bytes

    def as_handler(self) -> Any:
        if self._handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._stream, None, self._handler.response_serializer
            )
        return grpc.stream_unary_rpc_method_handler(
            self._unary, None, self._handler.response_serializer
        )

    def _unary(self, messages: Iterator[bytes], context: Any) -> Any:
        before = _caller.set(None)
        try:
            _caller.set(self._guard.admit(self._method, context))
            return self._behaviour(self._request(messages, context), context)
        except Exception as error:
            self._hide(error, context)
            raise
        finally:
            _caller.reset(before)

    def _stream(self, messages: Iterator[bytes], context: Any) -> Iterator[Any]:
        try:
            _caller.set(self._guard.admit(self._method, context))
            yield from self._behaviour(self._request(messages, context), context)
        except Exception as error:
            self._hide(error, context)
            raise

    def _request(self, messages: Iterator[bytes], context: grpc.ServicerContext) -> Any:
        parsed = (self._parse_one(message, context) for message in messages)
        if self._handler.request_streaming:
            return parsed
        try:
            return next(parsed)
        except (StopIteration, grpc.RpcError):
            # Too large, compressed, or never sent.
            return self._unreadable(context)

    def _parse_one(self, message: bytes, context: grpc.ServicerContext) -> Any:
        try:
            return self._parse(message)
        except Exception:  # noqa: BLE001 (a parser may raise anything)
            return self._unreadable(context)

    def _unreadable(self, context: grpc.ServicerContext) -> NoReturn:
        says = "The request message is missing or cannot be read."
        code = grpc.StatusCode.INVALID_ARGUMENT
        self._guard.refuse(caller().name, self._method, "unreadable", context, code, says)

    def _hide(self, error: Exception, context: Any) -> None:
        # gRPC would send the text of an unexpected error to the caller, including any data that the
        # database put into it.
        if context.code() is None:
            log.error("call failed", method=self._method, error_type=type(error).__name__)
            says = "An internal error occurred. Tell the service's operator the time of this call."
            context.abort(grpc.StatusCode.INTERNAL, says)
