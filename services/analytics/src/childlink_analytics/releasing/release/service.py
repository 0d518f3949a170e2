"""The release managers' gRPC service, in the process that holds the store."""

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import grpc
from childlink.analytics.v1 import release_pb2 as pb
from childlink.analytics.v1 import release_pb2_grpc as pb_grpc
from childlink_access.guard import Rules, caller
from childlink_access.roles import ROLES
from childlink_access.serving import Port, start_server
from childlink_core.errors import UserError
from grpc_health.v1 import health, health_pb2_grpc

from childlink_analytics.releasing.metrics import StoreMetrics
from childlink_analytics.releasing.release.cut import Cut
from childlink_analytics.releasing.release.ledger import ReleaseRecord
from childlink_analytics.releasing.release.workflow import ReleaseWorkflow
from childlink_analytics.settings import StoreSettings

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["ReleaseService"].full_name
_THREADS: Final = 4
_LONGEST_CUT_S: Final = 3600.0
_MANAGERS, _READERS = frozenset(("release_manager",)), frozenset(("release_manager", "auditor"))
# Roles that may call each method. A method that is not listed is refused for everyone.
RULES: Final[Rules] = {
    f"/{_SERVICE}/CutRelease": _MANAGERS,
    f"/{_SERVICE}/CheckRelease": _READERS,
    f"/{_SERVICE}/PublishRelease": _MANAGERS,
    f"/{_SERVICE}/DiscardRelease": _MANAGERS,
    f"/{_SERVICE}/RecallRelease": _MANAGERS,
    f"/{_SERVICE}/ListAllReleases": _READERS,
    f"/{_SERVICE}/ShowRelease": _READERS,
    f"/{_SERVICE}/VerifyReleases": _READERS,
    "/grpc.health.v1.Health/Check": frozenset(ROLES),
    "/grpc.health.v1.Health/Watch": frozenset(ROLES),
}


class ReleaseService(pb_grpc.ReleaseServiceServicer):
    """See release.proto."""

    def __init__(self, desk: ReleaseWorkflow) -> None:
        self._desk = desk

    def CutRelease(
        self, request: pb.CutReleaseRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.CutReleaseResponse]:
        """See release.proto."""
        who = caller().name
        said: queue.SimpleQueue[str | Cut | BaseException] = queue.SimpleQueue()

        def cut() -> None:
            try:
                said.put(
                    self._desk.cut(
                        who, request.release_id, request.data_until, said.put, anyway=request.anyway
                    )
                )
            except BaseException as error:  # noqa: BLE001 - raised again in the thread that answers
                said.put(error)

        threading.Thread(target=cut, name="cut").start()
        while isinstance(item := said.get(), str):
            yield pb.CutReleaseResponse(progress=item)
        if isinstance(item, UserError):
            _refuse(context, item)
        if isinstance(item, BaseException):
            raise item
        yield pb.CutReleaseResponse(release=_known(self._desk.show(request.release_id)[0]))

    def CheckRelease(
        self, request: pb.CheckReleaseRequest, context: grpc.ServicerContext
    ) -> pb.CheckReleaseResponse:
        """See release.proto."""
        try:
            _, report = self._desk.check(caller().name, request.release_id)
        except UserError as error:
            _refuse(context, error)
        return pb.CheckReleaseResponse(attacked=report.attacked, narrowest=report.narrowest)

    def PublishRelease(
        self, request: pb.PublishReleaseRequest, context: grpc.ServicerContext
    ) -> pb.PublishReleaseResponse:
        """See release.proto."""
        try:
            return pb.PublishReleaseResponse(
                release=_known(self._desk.publish(caller().name, request.release_id))
            )
        except UserError as error:
            _refuse(context, error)

    def DiscardRelease(
        self, request: pb.DiscardReleaseRequest, context: grpc.ServicerContext
    ) -> pb.DiscardReleaseResponse:
        """See release.proto."""
        try:
            self._desk.discard(caller().name, request.release_id)
        except UserError as error:
            _refuse(context, error)
        return pb.DiscardReleaseResponse()

    def RecallRelease(
        self, request: pb.RecallReleaseRequest, context: grpc.ServicerContext
    ) -> pb.RecallReleaseResponse:
        """See release.proto."""
        try:
            found = self._desk.retract(caller().name, request.release_id, request.why)
        except UserError as error:
            _refuse(context, error)
        return pb.RecallReleaseResponse(release=_known(found))

    def ListAllReleases(
        self, request: pb.ListAllReleasesRequest, context: grpc.ServicerContext
    ) -> pb.ListAllReleasesResponse:
        """See release.proto."""
        return pb.ListAllReleasesResponse(releases=[_known(item) for item in self._desk.releases()])

    def ShowRelease(
        self, request: pb.ShowReleaseRequest, context: grpc.ServicerContext
    ) -> pb.ShowReleaseResponse:
        """See release.proto."""
        try:
            known, manifest = self._desk.show(request.release_id)
        except UserError as error:
            _refuse(context, error)
        return pb.ShowReleaseResponse(
            release=_known(known), manifest_json=json.dumps(manifest, sort_keys=True)
        )

    def VerifyReleases(
        self, request: pb.VerifyReleasesRequest, context: grpc.ServicerContext
    ) -> pb.VerifyReleasesResponse:
        """See release.proto."""
        try:
            checked = self._desk.verify(caller().name)
        except UserError as error:
            _refuse(context, error)
        return pb.VerifyReleasesResponse(releases=[_known(item) for item in checked])


def serve_releases(
    settings: StoreSettings, desk: ReleaseWorkflow, metrics: StoreMetrics
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
            lambda server: pb_grpc.add_ReleaseServiceServicer_to_server(
                ReleaseService(desk), server
            ),
            lambda server: health_pb2_grpc.add_HealthServicer_to_server(
                health.HealthServicer(), server
            ),
        ],
        RULES,
        metrics.refused,
        threads=_THREADS,
        longest_call_s=_LONGEST_CUT_S,
    )
    return server


def _refuse(context: grpc.ServicerContext, error: UserError) -> NoReturn:
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
    raise AssertionError


def _known(item: ReleaseRecord) -> pb.KnownRelease:
    facts: dict[str, Any] = {
        name: value
        for name in pb.KnownRelease.DESCRIPTOR.fields_by_name
        if (value := getattr(item, name)) is not None
    }
    return pb.KnownRelease(**facts)
