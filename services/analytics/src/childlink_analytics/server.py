"""The analysts' gRPC service over a folder of releases. The edge: here alone values become messages and errors a status."""

import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import grpc
import structlog
from childlink.analytics.v1 import analytics_pb2 as pb
from childlink.analytics.v1 import analytics_pb2_grpc as pb_grpc
from childlink_core.errors import UserError
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from childlink_analytics import disclosure
from childlink_analytics.errors import QuestionError, ReleaseError
from childlink_analytics.measures import Measure
from childlink_analytics.metrics import ServingMetrics
from childlink_analytics.question import Answer, Question, answer
from childlink_analytics.releases import Release, read_release, release_ids
from childlink_analytics.settings import ServingSettings

log = structlog.get_logger()

_WITHHELD: Final = {
    "": pb.WITHHELD_UNSPECIFIED,
    "small": pb.WITHHELD_SMALL,
    "small_base": pb.WITHHELD_SMALL_BASE,
    "all_or_none": pb.WITHHELD_ALL_OR_NONE,
    "not_collected": pb.WITHHELD_NOT_COLLECTED,
}
_LOOK_AGAIN_S: Final = 2.0
_MOST_REQUEST_BYTES: Final = 64 * 1024
Request = TypeVar("Request")
Response = TypeVar("Response")


class Shelf:
    """The releases of a folder. A new one is found within seconds; a damaged one is not served."""

    def __init__(self, folder: Path, metrics: ServingMetrics) -> None:
        self._folder, self._metrics = folder, metrics
        self._releases: dict[str, Release] = {}
        self._damaged: set[str] = set()
        self._looked_at = float("-inf")

    def all(self) -> list[Release]:
        """Releases, newest first."""
        if time.monotonic() - self._looked_at > _LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            self._look()
        return sorted(self._releases.values(), key=lambda release: -release.number)

    def get(self, release_id: str) -> Release:
        """A release by name, or the newest."""
        releases = self.all()
        if not releases:
            raise QuestionError("release_id", "there is no release yet", [], True)
        if not release_id:
            return releases[0]
        for release in releases:
            if release.release_id == release_id:
                return release
        raise QuestionError("release_id", f"there is no release {release_id!r}", [r.release_id for r in releases], True)

    def _look(self) -> None:
        names = release_ids(self._folder)
        self._releases = {name: release for name, release in self._releases.items() if name in names}
        for name in names:
            if name not in self._releases and name not in self._damaged:
                try:
                    self._releases[name] = read_release(self._folder, name)
                except (ReleaseError, KeyError, TypeError) as error:
                    self._damaged.add(name)
                    log.error("release not served", release=name, error_type=type(error).__name__)
        self._metrics.releases.set(len(self._releases))
        self._metrics.damaged.set(len(self._damaged))


def _edge(method: Callable[[Any, Request], Response]) -> Callable[[Any, Request, grpc.ServicerContext], Response]:
    """Turns QuestionError into a rich status, times and counts the call."""

    @functools.wraps(method)
    def call(self: "AnalyticsService", request: Request, context: grpc.ServicerContext) -> Response:
        started, outcome = time.perf_counter(), "OK"
        try:
            return method(self, request)
        except QuestionError as error:
            outcome = "NOT_FOUND" if error.not_found else "INVALID_ARGUMENT"
            context.abort_with_status(rpc_status.to_status(_status(error)))
            raise
        finally:
            self.metrics.calls.labels(method.__name__, outcome).inc()
            self.metrics.seconds.labels(method.__name__).observe(time.perf_counter() - started)

    return call


class AnalyticsService(pb_grpc.AnalyticsServiceServicer):
    """See analytics.proto."""

    def __init__(self, shelf: Shelf, metrics: ServingMetrics) -> None:
        self.shelf, self.metrics = shelf, metrics

    @_edge
    def ListReleases(self, request: pb.ListReleasesRequest) -> pb.ListReleasesResponse:
        """See analytics.proto."""
        return pb.ListReleasesResponse(releases=[_summary(release) for release in self.shelf.all()])

    @_edge
    def DescribeRelease(self, request: pb.DescribeReleaseRequest) -> pb.DescribeReleaseResponse:
        """See analytics.proto."""
        release = self.shelf.get(request.release_id)
        facts = release.manifest
        return pb.DescribeReleaseResponse(
            summary=_summary(release),
            policy_text=facts["policy_text"],
            datasets=[pb.DatasetCount(dataset=name, rows=rows) for name, rows in sorted(facts["datasets"].items())],
            measure_ids=list(release.measures),
            cells=facts["cells"],
            cells_withheld=facts["cells_withheld"],
            largest_error=facts["largest_error"],
            attack_failures=facts["attack_failures"],
            parameter_version=facts.get("parameter_version", ""),
        )

    @_edge
    def ListMeasures(self, request: pb.ListMeasuresRequest) -> pb.ListMeasuresResponse:
        """See analytics.proto."""
        measures = self.shelf.get(request.release_id).measures.values()
        return pb.ListMeasuresResponse(measures=[_measure(item.measure) for item in measures])

    @_edge
    def Query(self, request: pb.QueryRequest) -> pb.QueryResponse:
        """See analytics.proto."""
        release = self.shelf.get(request.release_id)
        where: dict[str, tuple[str, ...]] = {}
        for item in request.where:
            if item.dimension_id in where:
                raise QuestionError("where", f"{item.dimension_id} is filtered twice", [])
            where[item.dimension_id] = tuple(item.category_ids)
        result = answer(release, Question(request.measure_id, tuple(request.by), where))
        for cell in result.cells:
            if cell.count.withheld:
                self.metrics.withheld.labels(cell.count.withheld).inc()
        return _response(release, result)


def serve(settings: ServingSettings, metrics: ServingMetrics) -> tuple[grpc.Server, int]:
    """Start the server. Returns it with the port it listens on. The caller stops it."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=settings.threads),
        options=[("grpc.max_receive_message_length", _MOST_REQUEST_BYTES), ("grpc.so_reuseport", 0)],
    )
    service = pb.DESCRIPTOR.services_by_name["AnalyticsService"].full_name
    pb_grpc.add_AnalyticsServiceServicer_to_server(AnalyticsService(Shelf(settings.releases, metrics), metrics), server)
    health_service = health.HealthServicer()
    health_service.set(service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    if settings.reflection:
        reflection.enable_server_reflection([service, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    try:
        port = _listen(server, settings)
    except RuntimeError:
        raise UserError(
            f"{settings.address} cannot be listened on.", "Is another process using it? Set another address."
        ) from None
    server.start()
    return server, port


def _listen(server: grpc.Server, settings: ServingSettings) -> int:
    if settings.tls_certificate and settings.tls_key:
        pair = (settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())
        ca = settings.tls_client_ca.read_bytes() if settings.tls_client_ca else None
        return server.add_secure_port(
            settings.address, grpc.ssl_server_credentials([pair], ca, require_client_auth=ca is not None)
        )
    host = settings.address.rsplit(":", 1)[0]
    if host not in ("127.0.0.1", "localhost", "[::1]"):
        raise UserError(
            f"{settings.address} is open to the network and there is no certificate.",
            "Set tls_certificate and tls_key.",
        )
    return server.add_insecure_port(settings.address)


def _status(error: QuestionError) -> status_pb2.Status:
    allowed = f"; use one of: {', '.join(error.allowed)}" if error.allowed else ""
    violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.problem + allowed)
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    code = code_pb2.NOT_FOUND if error.not_found else code_pb2.INVALID_ARGUMENT
    return status_pb2.Status(code=code, message=f"{error.field}: {error.problem}{allowed}", details=[detail])


def _summary(release: Release) -> pb.ReleaseSummary:
    return pb.ReleaseSummary(
        release_id=release.release_id,
        number=release.number,
        data_until=release.manifest["data_until"],
        policy_id=release.manifest["policy_id"],
        content_sha256=release.manifest["content_sha256"],
    )


def _measure(measure: Measure) -> pb.Measure:
    return pb.Measure(
        measure_id=measure.id,
        title=measure.title,
        description=measure.description,
        unit=measure.unit,
        estimate=measure.estimate,
        dimensions=[
            pb.Dimension(
                dimension_id=item.id,
                title=item.title,
                categories=[pb.Category(category_id=key, title=title) for key, title in item.categories.items()],
            )
            for item in measure.dimensions.values()
        ],
    )


def _response(release: Release, result: Answer) -> pb.QueryResponse:
    cells = []
    for cell in result.cells:
        estimate: disclosure.Shown | None = cell.estimate
        cells.append(
            pb.Cell(
                category_ids=cell.categories,
                count=int(cell.count.value) if cell.count.value is not None else None,
                estimate=estimate.value if estimate else None,
                withheld=_WITHHELD[cell.count.withheld],
                estimate_withheld=_WITHHELD[estimate.withheld if estimate else ""],
            )
        )
    return pb.QueryResponse(
        release=_summary(release), measure=_measure(result.measure), by=result.by, cells=cells, notes=result.notes
    )
