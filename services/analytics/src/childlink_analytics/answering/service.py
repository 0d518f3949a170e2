"""The analysts' gRPC service over a folder of releases. It turns errors into a status, and counts
and records every call.
"""

import functools
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeVar

import grpc
from childlink.analytics.v1 import analytics_pb2 as pb
from childlink.analytics.v1 import analytics_pb2_grpc as pb_grpc
from childlink_access.guard import Rules, caller
from childlink_access.roles import ROLES
from childlink_access.serving import Port, start_server
from childlink_catalogue.catalogue import current
from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.measures import Measure
from childlink_catalogue.proposing import Proposal
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from childlink_analytics.answering import analyses as study
from childlink_analytics.answering import messages
from childlink_analytics.answering.audit_trail import QuestionsTrail
from childlink_analytics.answering.contrasts import contrast
from childlink_analytics.answering.feasibility import feasibility
from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.answering.question import Answer, Question, answer
from childlink_analytics.answering.release_repository import ReleaseRepository
from childlink_analytics.answering.remembered import Remembered
from childlink_analytics.answering.standardisation import standardise
from childlink_analytics.errors import QuestionError
from childlink_analytics.settings import ServingSettings
from childlink_analytics.shared.proposals import Proposals, Stored
from childlink_analytics.shared.purposes import Register
from childlink_analytics.shared.release_files import Release

_MOST_CALLS: Final = 64
_MOST_SEEN: Final = 64
_CELLS_A_MESSAGE: Final = 500
Request = TypeVar("Request")
Response = TypeVar("Response")
_SERVICE: Final = pb.DESCRIPTOR.services_by_name["AnalyticsService"]

# Roles that may call each method. A method that is not listed is refused for everyone.
RULES: Final[Rules] = {
    **{
        f"/{_SERVICE.full_name}/{method}": frozenset(("analyst", "release_manager", "auditor"))
        for method in ("ListReleases", "DescribeRelease", "ListMeasures", "ListProposals")
    },
    **{
        f"/{_SERVICE.full_name}/{method}": frozenset(("analyst",))
        for method in (
            "Query",
            "StreamQuery",
            "Compare",
            "Change",
            "Pathways",
            "Trend",
            "Inequality",
            "Contrast",
            "Standardise",
            "Propose",
        )
    },
    "/grpc.health.v1.Health/Check": frozenset(ROLES),
    "/grpc.health.v1.Health/Watch": frozenset(ROLES),
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": frozenset(ROLES),
}


@dataclass(frozen=True)
class Access:
    """What callers may see, and where their calls are recorded."""

    register: Register | None
    """The register of purposes. Without one, every permitted caller sees every measure."""
    trail: QuestionsTrail | None = None
    _seen: dict[tuple[str, str, tuple[frozenset[str], ...]], Release] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was visible of a release for some purposes. A release never changes."""

    def datasets(self) -> frozenset[str] | None:
        """The datasets that any of the caller's purposes allows. None if there is no register of
        purposes.
        """
        return (
            None
            if self.register is None
            else frozenset().union(*self._of_each_purpose(self.register))
        )

    def visible(self, release: Release) -> Release:
        """A release with only the measures and breakdowns that one of the caller's purposes allows,
        with all the datasets that they are made from.
        """
        if self.register is None:
            return release
        allowed = tuple(self._of_each_purpose(self.register))
        key = (release.release_id, str(release.manifest.get("content_sha256")), allowed)
        if key not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen[key] = Release(
                release.release_id,
                release.number,
                release.manifest,
                {
                    name: replace(item, measure=measure)
                    for name, item in release.measures.items()
                    if (measure := item.measure.only_from(allowed))
                },
            )
        return self._seen[key]

    def key(self, release: Release, request: pb.QueryRequest) -> Hashable:
        """What an answer depends on: the release's content, the question, and the datasets that the
        caller's purposes allow.
        """
        allowed = () if self.register is None else tuple(self._of_each_purpose(self.register))
        asked = pb.QueryRequest()
        asked.CopyFrom(request)
        asked.release_id = str(release.manifest.get("content_sha256", release.release_id))
        return release.release_id, allowed, asked.SerializeToString(deterministic=True)

    def _of_each_purpose(self, register: Register) -> list[frozenset[str]]:
        return register.datasets_for(caller().purposes, date.today())

    def check_purpose(self, measure: Measure) -> None:
        """Raise QuestionError if no purpose of the caller allows everything of a measure."""
        if self.register is None:
            return
        needed = frozenset(measure.all_datasets)
        if not any(needed <= datasets for datasets in self._of_each_purpose(self.register)):
            raise QuestionError(
                "proposal",
                f"{measure.id} is made from {', '.join(sorted(needed))}, and none of your purposes"
                " covers all of these",
                [],
            )

    def note(self, method: str, outcome: str, **detail: str) -> None:
        """Record a call in the trail of questions."""
        if self.trail:
            self.trail.append(caller().name, method, outcome=outcome, **detail)


def _edge(
    method: Callable[[Any, Request], Response],
) -> Callable[[Any, Request, grpc.ServicerContext], Response]:
    """Wrap a method: turn QuestionError into a rich status, and time, count and record the call."""

    @functools.wraps(method)
    def call(self: "AnalyticsService", request: Request, context: grpc.ServicerContext) -> Response:
        with self.called(method.__name__, request, context):
            return method(self, request)

    return call


class _Called:
    """A call in progress."""

    def __init__(
        self, service: "AnalyticsService", name: str, request: Any, context: grpc.ServicerContext
    ) -> None:
        self._service, self._name, self._request, self._context = service, name, request, context
        self._started = time.perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        outcome = "OK" if error is None else "INTERNAL"
        if isinstance(error, QuestionError):
            outcome = "NOT_FOUND" if error.not_found else "INVALID_ARGUMENT"
        asked = {
            name: str(value)[:200]
            for name in ("release_id", "measure_id")
            if (value := getattr(getattr(self._request, "query", self._request), name, ""))
        }
        by = list(getattr(getattr(self._request, "query", self._request), "by", ()))
        if by:
            asked["by"] = " ".join(by)[:200]
        self._service.metrics.calls.labels(self._name, outcome).inc()
        self._service.metrics.seconds.labels(self._name).observe(
            time.perf_counter() - self._started
        )
        self._service.access.note(self._name, outcome, **asked)
        if isinstance(error, QuestionError):
            self._context.abort_with_status(rpc_status.to_status(messages.status(error)))


class AnalyticsService(pb_grpc.AnalyticsServiceServicer):
    """See analytics.proto."""

    def __init__(
        self,
        repository: ReleaseRepository,
        metrics: ServingMetrics,
        access: Access,
        proposals: Proposals | None = None,
    ) -> None:
        self.repository, self.metrics, self.access = repository, metrics, access
        self.proposals = proposals
        self.remembered = Remembered()

    def called(self, name: str, request: Any, context: grpc.ServicerContext) -> _Called:
        """A context for a call. It times, counts and records the call, and turns QuestionError into
        a status.
        """
        return _Called(self, name, request, context)

    @_edge
    def ListReleases(self, request: pb.ListReleasesRequest) -> pb.ListReleasesResponse:
        """See analytics.proto."""
        return pb.ListReleasesResponse(
            releases=[messages.summary(release) for release in self.repository.all()]
        )

    @_edge
    def DescribeRelease(self, request: pb.DescribeReleaseRequest) -> pb.DescribeReleaseResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        return messages.description(release, self.access.datasets())

    @_edge
    def ListMeasures(self, request: pb.ListMeasuresRequest) -> pb.ListMeasuresResponse:
        """See analytics.proto."""
        measures = self._release(request.release_id).measures.values()
        return pb.ListMeasuresResponse(measures=[messages.measure(item) for item in measures])

    @_edge
    def Query(self, request: pb.QueryRequest) -> pb.QueryResponse:
        """See analytics.proto."""
        key = self.access.key(self.repository.get(request.release_id), request)
        found = self.remembered.get(key)
        if found is None:
            release, result = self._answer(request)
            withheld = Counter(str(c.count.withheld) for c in result.cells)
            answered = messages.response(release, result, _used(request))
            found = self.remembered.put(key, answered, withheld)
        self._count_withheld(found.withheld)
        return found.response

    def StreamQuery(
        self, request: pb.StreamQueryRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamQueryResponse]:
        """See analytics.proto."""
        with self.called("StreamQuery", request, context):
            release, result = self._answer(request.query)
            self._count_withheld(Counter(str(c.count.withheld) for c in result.cells))
        head = messages.response(release, result, _used(request.query), cells=False)
        yield pb.StreamQueryResponse(head=head)
        for part in _parts(result.explained()):
            yield pb.StreamQueryResponse(
                cells=[messages.cell(item, explained) for item, explained in part]
            )

    @_edge
    def Compare(self, request: pb.CompareRequest) -> pb.CompareResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        found = study.compare(release, request.measure_id, request.missed)
        return messages.comparison(release, found, release.measures[request.measure_id])

    @_edge
    def Change(self, request: pb.ChangeRequest) -> pb.ChangeResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        _, rows, notes = study.change(release, request.measure_id, request.by)
        return pb.ChangeResponse(
            release=messages.summary(release),
            measure=messages.measure(release.measures[request.measure_id]),
            by=request.by,
            rows=[messages.change_row(row) for row in rows],
            notes=messages.notes(release, notes, (request.measure_id, [request.by])),
        )

    @_edge
    def Pathways(self, request: pb.PathwaysRequest) -> pb.PathwaysResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        measure, found, notes = study.pathways(release, request.first_service)
        return pb.PathwaysResponse(
            release=messages.summary(release),
            measure=messages.measure(release.measures[measure.id]),
            pathways=[messages.pathway(item) for item in found],
            notes=messages.notes(release, notes, ("pathways", ())),
        )

    @_edge
    def Trend(self, request: pb.TrendRequest) -> pb.TrendResponse:
        """See analytics.proto."""
        releases = [self.access.visible(release) for release in self.repository.all()]
        if not releases:
            raise QuestionError("release_id", "there is no release yet", [], True)
        question = Question(request.measure_id, tuple(request.by), _where(request.where))
        points, notes = study.trend(releases, question)
        newest, latest = points[-1]
        return pb.TrendResponse(
            measure=messages.measure(newest.measures[request.measure_id]),
            by=latest.by,
            notes=messages.notes(
                newest, notes, (request.measure_id, [*latest.by, *_where(request.where)])
            ),
            points=[
                pb.TrendPoint(
                    release=messages.summary(release),
                    cells=[messages.cell(cell, []) for cell in found.cells],
                )
                for release, found in points
            ],
        )

    @_edge
    def Inequality(self, request: pb.InequalityRequest) -> pb.InequalityResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        found = study.inequality(release, request.measure_id, request.over)
        return pb.InequalityResponse(
            release=messages.summary(release),
            measure=messages.measure(release.measures[request.measure_id]),
            over=found.over,
            ends=found.ends,
            gap=messages.estimate(found.gap),
            ratio=messages.estimate(found.ratio),
            slope_index=messages.estimate(found.slope_index),
            relative_index=messages.estimate(found.relative_index),
            notes=messages.notes(release, found.notes, (request.measure_id, [found.over])),
        )

    @_edge
    def Contrast(self, request: pb.ContrastRequest) -> pb.ContrastResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        found = contrast(
            release,
            request.measure_id,
            request.by,
            _where(request.of),
            _where(request.against),
            request.per_measure_id,
        )
        of, against = (
            {item.dimension_id for item in kept} for kept in (request.of, request.against)
        )
        return messages.contrast(release, found, of, against)

    @_edge
    def Standardise(self, request: pb.StandardiseRequest) -> pb.StandardiseResponse:
        """See analytics.proto."""
        release = self._release(request.release_id)
        found = standardise(release, request.measure_id, request.by, request.standard)
        return messages.standardised(release, found)

    @_edge
    def Propose(self, request: pb.ProposeRequest) -> pb.ProposeResponse:
        """See analytics.proto."""
        proposals, declared = self._proposals(), current()
        proposal = Proposal(request.text)
        release = self._release("")
        until = date.fromisoformat(str(release.manifest["data_until"]))
        try:
            measures = proposal.measures(declared, until)
            said = proposal.described(declared, measures)
            for measure in measures.values():
                self.access.check_purpose(measure)
            stored = Stored(
                request.text,
                caller().name,
                date.today().isoformat(),
                {name: measure.title for name, measure in measures.items()},
            )
            new = not request.check_only and proposals.add(stored)
        except CatalogueError as error:
            raise QuestionError("proposal", f"{error.problem} {error.remedy}".strip(), []) from None
        return pb.ProposeResponse(
            proposal_id=proposal.id,
            descriptions=["\n".join(lines) for lines in said.values()],
            notes=[line for measure in measures.values() for line in feasibility(measure, release)],
            known=not new and not request.check_only,
        )

    @_edge
    def ListProposals(self, request: pb.ListProposalsRequest) -> pb.ListProposalsResponse:
        """See analytics.proto."""
        releases = self.repository.all()
        published = releases[0].measures if releases else {}
        return pb.ListProposalsResponse(
            proposals=[
                pb.Proposal(
                    proposal_id=item.id,
                    who=item.who,
                    on=item.on,
                    titles=list(item.measures.values()),
                    state=item.state(published),
                    why=item.why,
                )
                for item in self._proposals().all()
            ]
        )

    def _proposals(self) -> Proposals:
        if self.proposals is None:
            raise QuestionError(
                "proposal", "this service takes no proposals: its setting `proposals` is empty", []
            )
        return self.proposals

    def _release(self, release_id: str) -> Release:
        return self.access.visible(self.repository.get(release_id))

    def _answer(self, request: pb.QueryRequest) -> tuple[Release, Answer]:
        release = self._release(request.release_id)
        question = Question(
            request.measure_id, tuple(request.by), _where(request.where), request.explain
        )
        return release, answer(release, question)

    def _count_withheld(self, reasons: Mapping[str, int]) -> None:
        for reason, count in reasons.items():
            if reason:
                self.metrics.withheld.labels(reason).inc(count)


def serve(
    settings: ServingSettings, metrics: ServingMetrics, access: Access
) -> tuple[grpc.Server, int]:
    """Start the server. Returns the server and its port. The caller must stop it."""
    proposals = Proposals(settings.proposals, settings.releases) if settings.proposals else None
    repository = ReleaseRepository(settings.releases, metrics)
    service = AnalyticsService(repository, metrics, access, proposals)

    def add_health(server: grpc.Server) -> None:
        health_service = health.HealthServicer()
        health_service.set(_SERVICE.full_name, health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(health_service, server)

    def add_reflection(server: grpc.Server) -> None:
        if settings.reflection:
            names = [_SERVICE.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME]
            reflection.enable_server_reflection(names, server)

    return start_server(
        Port(
            settings.address,
            settings.tls_certificate,
            settings.tls_key,
            settings.tls_client_ca,
            settings.tls_revoked,
            settings.policy,
        ),
        [
            lambda server: pb_grpc.add_AnalyticsServiceServicer_to_server(service, server),
            add_health,
            add_reflection,
        ],
        RULES,
        metrics.refused,
        threads=settings.threads,
        most_calls=_MOST_CALLS,
        calls_a_minute=settings.calls_a_minute if settings.policy else None,
        longest_call_s=settings.longest_call_s,
    )


def _where(filters: Sequence[pb.Filter]) -> dict[str, tuple[str, ...]]:
    where: dict[str, tuple[str, ...]] = {}
    for item in filters:
        if item.dimension_id in where:
            raise QuestionError("where", f"{item.dimension_id} is filtered twice", [])
        where[item.dimension_id] = tuple(item.category_ids)
    return where


def _parts(cells: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for at in range(0, len(cells), _CELLS_A_MESSAGE):
        yield cells[at : at + _CELLS_A_MESSAGE]


def _used(request: pb.QueryRequest) -> set[str]:
    """The dimensions that a question uses."""
    return {*request.by, *(item.dimension_id for item in request.where)}
