"""Asks the policy before every gRPC call. A method without a rule is nobody's: deny by default."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

import grpc

from childlink_access.policy import Person, Policy, PolicyError

Rules = Mapping[str, frozenset[str]]
"""Full method name ("/package.Service/Method") to the roles that may call it."""
_caller: ContextVar[Person | None] = ContextVar("childlink_caller", default=None)
# A service without a policy serves its own host alone (see `serving`): whoever is there is taken for its operator.
LOCAL: Final = Person("local", frozenset(("analyst", "steward", "operator", "release_manager", "auditor")))


def caller() -> Person:
    """Who makes the call that is being answered."""
    person = _caller.get()
    if person is None:
        raise RuntimeError("no call is being answered")
    return person


class Guard(grpc.ServerInterceptor):
    """Lets a call through if its caller is known and has a role that the method's rule names."""

    def __init__(
        self,
        policy: Callable[[], Policy] | None,
        rules: Rules,
        refused: Callable[[str, str, str], None] = lambda _who, _method, _why: None,
    ) -> None:
        self._policy, self._rules, self._refused = policy, rules, refused

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        """See grpc.ServerInterceptor."""
        handler = continuation(details)
        if handler is None:
            return None
        return _Wrapped(self, details.method, handler).as_handler()

    def admit(self, method: str, context: grpc.ServicerContext) -> Person:
        """The caller, or the end of the call."""
        person = LOCAL if self._policy is None else _identify(self._policy, context)
        if person is None:
            self._refused("", method, "unauthenticated")
            context.abort(
                grpc.StatusCode.UNAUTHENTICATED, "Send an access token, or use a certificate that the policy names."
            )
        roles = self._rules.get(method, frozenset())
        if not person.roles & roles:
            self._refused(person.name, method, "denied")
            needed = " or ".join(sorted(roles)) or "nobody's"
            context.abort(grpc.StatusCode.PERMISSION_DENIED, f"{method.rpartition('/')[2]} is for the role {needed}.")
        return person


def _identify(policy: Callable[[], Policy], context: grpc.ServicerContext) -> Person | None:
    try:
        people = policy()
    except PolicyError:
        return None
    token = dict(context.invocation_metadata()).get("authorization", "")
    if isinstance(token, str) and token.startswith("Bearer "):
        return people.by_token(token.removeprefix("Bearer "))
    auth = context.auth_context()
    names = [*auth.get("x509_subject_alternative_name", ()), *auth.get("x509_common_name", ())]
    return people.by_certificate(*(name.decode(errors="replace") for name in names))


class _Wrapped:
    def __init__(self, guard: Guard, method: str, handler: Any) -> None:
        self._guard, self._method, self._handler = guard, method, handler

    def as_handler(self) -> Any:
        handler = self._handler
        makers = {
            (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary, self._unary),
            (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream, self._stream),
            (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary, self._unary),
            (True, True): (grpc.stream_stream_rpc_method_handler, handler.stream_stream, self._stream),
        }
        make, behaviour, wrap = makers[bool(handler.request_streaming), bool(handler.response_streaming)]
        return make(wrap(behaviour), handler.request_deserializer, handler.response_serializer)

    def _unary(self, behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            token = _caller.set(self._guard.admit(self._method, context))
            try:
                return behaviour(request, context)
            finally:
                _caller.reset(token)

        return answer

    def _stream(self, behaviour: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            _caller.set(self._guard.admit(self._method, context))
            yield from behaviour(request, context)

        return answer
