"""The gRPC server: the operators' service (counts and versions) and the stewards' service."""

from collections.abc import Sequence
from typing import Final

import grpc
import sqlalchemy as sa
from childlink.linker.v1 import operator_pb2, operator_pb2_grpc, review_pb2_grpc
from childlink.wire.v1 import encoded_pb2
from childlink_access.guard import Refused, Rules
from childlink_access.roles import ROLES
from childlink_access.serving import Port, start_server
from grpc_health.v1 import health, health_pb2_grpc

from childlink_linker.review.service import ReviewService
from childlink_linker.settings import LinkerSettings
from childlink_linker.store import tables as t

_THREADS: Final = 8
# Limit on calls that are running or waiting for a thread. Further calls are refused at once.
_MOST_CALLS: Final = 64


def holdings(tx: sa.Connection) -> tuple[int, int, int, int, int]:
    """The numbers of records, children, adults, families and review pairs."""
    roles = {
        row.role: row.n
        for row in tx.execute(
            sa.select(t.person.c.role, sa.func.count().label("n")).group_by(t.person.c.role)
        )
    }
    records, families, pairs = (
        tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in (t.record, t.family, t.review_pair)
    )
    return (
        records,
        roles.get(encoded_pb2.ROLE_CHILD, 0),
        roles.get(encoded_pb2.ROLE_ADULT, 0),
        families,
        pairs,
    )


class OperatorService(operator_pb2_grpc.OperatorServiceServicer):
    """See operator.proto."""

    def __init__(
        self, engine: sa.Engine, profile_ids: Sequence[str], parameter_version: str
    ) -> None:
        self._engine = engine
        self._profile_ids = profile_ids
        self._parameter_version = parameter_version

    def GetStatus(
        self, request: operator_pb2.GetStatusRequest, context: grpc.ServicerContext
    ) -> operator_pb2.GetStatusResponse:
        """See operator.proto."""
        with self._engine.connect() as tx:
            records, children, adults, families, _ = holdings(tx)
            streams = tx.execute(
                sa.select(t.stream_state.streams).order_by(*t.stream_state.streams.primary_key)
            ).all()
        return operator_pb2.GetStatusResponse(
            profile_ids=self._profile_ids,
            parameter_version=self._parameter_version,
            records=records,
            children=children,
            adults=adults,
            families=families,
            streams=[
                operator_pb2.Stream(
                    sender=s.sender, topic=s.topic, epoch=s.epoch, next_sequence=s.next_sequence
                )
                for s in streams
            ],
        )


# Roles that may call each method. A method that is not listed is refused for everyone. For example,
# Health/Watch would hold a thread for as long as its caller likes.
RULES: Final[Rules] = {
    "/childlink.linker.v1.OperatorService/GetStatus": frozenset(("operator", "auditor")),
    "/childlink.linker.v1.ReviewService/ListCases": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/GetCase": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/Decide": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/ListPatterns": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/GetPattern": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/Propose": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/AskPartner": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/UndoDecision": frozenset(("steward",)),
    "/childlink.linker.v1.ReviewService/ListDecisions": frozenset(("steward", "auditor")),
    "/grpc.health.v1.Health/Check": frozenset(ROLES),
}


def serve(
    settings: LinkerSettings, operators: OperatorService, stewards: ReviewService, refused: Refused
) -> grpc.Server:
    """Start the server. The caller must stop it."""
    server, _ = start_server(
        Port(
            settings.grpc_address,
            settings.grpc_tls_certificate,
            settings.grpc_tls_key,
            settings.grpc_tls_client_ca,
            settings.grpc_tls_revoked,
            settings.policy,
        ),
        [
            lambda server: operator_pb2_grpc.add_OperatorServiceServicer_to_server(
                operators, server
            ),
            lambda server: review_pb2_grpc.add_ReviewServiceServicer_to_server(stewards, server),
            lambda server: health_pb2_grpc.add_HealthServicer_to_server(
                health.HealthServicer(), server
            ),
        ],
        RULES,
        refused,
        threads=_THREADS,
        most_calls=_MOST_CALLS,
        calls_a_minute=settings.grpc_calls_a_minute,
        longest_call_s=settings.grpc_longest_call_s,
    )
    return server
