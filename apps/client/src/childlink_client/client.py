"""The connection to an analytics service."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from childlink.analytics.v1 import analytics_pb2 as pb
from childlink.analytics.v1 import analytics_pb2_grpc as pb_grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from childlink_client.about import About
from childlink_client.analyses import (
    change,
    comparison,
    contrast,
    inequality,
    pathways,
    standardisation,
    trend,
)
from childlink_client.analyses.change import Change
from childlink_client.analyses.comparison import Comparison
from childlink_client.analyses.contrast import Contrast
from childlink_client.analyses.inequality import Inequality
from childlink_client.analyses.pathways import PATHWAYS, Pathways
from childlink_client.analyses.standardisation import Standardised
from childlink_client.analyses.trend import Trend
from childlink_client.answers import Answer
from childlink_client.errors import ClientError
from childlink_client.found import Found
from childlink_client.questions import Question
from childlink_client.values import Measure, Release

Where = Mapping[str, str | int | Sequence[str | int]] | None
"""Categories to keep, by dimension."""

Response = TypeVar("Response")
Analysis = TypeVar("Analysis", bound=Found)
_DEADLINE_S = 30.0


class Client:
    """A connection that asks questions. Close it, or use it in a `with` statement.

    Give `ca` (and `certificate` and `key`, if the service asks for them) as paths of PEM files.
    Without `ca` the connection is not encrypted; services allow that on loopback only. `token` is
    your access token, if you have one.
    """

    def __init__(
        self,
        address: str,
        *,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        token: str = "",
    ) -> None:
        self.address = address
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.channel = self._open(address, ca, certificate, key)
        """The gRPC channel, for other services behind the same address."""
        self._stub = pb_grpc.AnalyticsServiceStub(self.channel)

    def releases(self) -> list[Release]:
        """Published releases, newest first."""
        return [
            Release.of(item)
            for item in self._call(self._stub.ListReleases, pb.ListReleasesRequest()).releases
        ]

    def describe(self, release: str = "") -> dict[str, Any]:
        """What a release contains and how it is protected."""
        found = self._call(
            self._stub.DescribeRelease, pb.DescribeReleaseRequest(release_id=release)
        )
        return {
            "release": vars(Release.of(found.summary)),
            "policy": found.policy_text,
            "rows": {
                item.dataset: item.rows if item.HasField("rows") else "<10"
                for item in found.datasets
            },
            "measures": list(found.measure_ids),
            "cells": found.cells,
            "cells_withheld": found.cells_withheld,
            "largest_error": found.largest_error,
            "attack_failures": found.attack_failures,
            "parameters": found.parameter_version,
            "changes": list(found.change_notes),
            "completeness": [
                {
                    "dataset": item.dataset,
                    "partner": item.partner,
                    "rows": {part.quarter: part.rows for part in item.quarters},
                    "few": list(item.few),
                }
                for item in found.completeness
            ],
        }

    def measures(self, release: str = "") -> list[Measure]:
        """The measures of a release."""
        return [
            Measure.of(item)
            for item in self._call(
                self._stub.ListMeasures, pb.ListMeasuresRequest(release_id=release)
            ).measures
        ]

    def about(self, measure: str) -> About:
        """A question about a measure, to be built step by step:
        `client.about("reach_children").where(sex="female").by("residence").ask()`.
        """
        return About(self, measure)

    def ask(
        self,
        measure: str,
        by: str | Sequence[str] = (),
        where: Where = None,
        release: str = "",
        *,
        explain: bool = False,
    ) -> Answer:
        """Ask for a measure, broken down `by` dimensions, keeping only the categories in `where`.
        The release is the newest by default.

        With `explain`, each cell says, rule by rule, why it is shown or withheld.
        """
        request = pb.QueryRequest(
            release_id=release,
            measure_id=measure,
            by=list(names_of(by)),
            where=filters(where),
            explain=explain,
        )
        return Answer.of(self._call(self._stub.Query, request))

    def compare(self, measure: str, release: str = "", *, missed: float = 0.0) -> Comparison:
        """Compare two groups' shares of an outcome (engaged against not engaged), crude and
        adjusted. With `missed`, also as if that share of the engaged were counted among the others
        because their link is missed.
        """
        question = Question(comparison.KIND.name, measure, missed=missed)
        return self._analyse(Comparison, question, release)

    def change(self, measure: str, by: str = "", release: str = "") -> Change:
        """The mean change from before to after, for all or by a dimension."""
        return self._analyse(
            Change, Question(change.KIND.name, measure, (by,) if by else ()), release
        )

    def pathways(self, first_service: str = "", release: str = "") -> Pathways:
        """Services that followed each first service, or one first service."""
        where = {pathways.FIRST: (first_service,)} if first_service else {}
        return self._analyse(Pathways, Question(pathways.KIND.name, PATHWAYS, (), where), release)

    def trend(
        self,
        measure: str,
        by: str | Sequence[str] = (),
        where: Where = None,
    ) -> Trend:
        """Ask one question of every release."""
        kept = {name: tuple(names_of(keep)) for name, keep in (where or {}).items()}
        question = Question(trend.KIND.name, measure, tuple(names_of(by)), kept)
        return self._analyse(Trend, question, "")

    def inequality(self, measure: str, over: str = "", release: str = "") -> Inequality:
        """How unequal an outcome is across an ordered dimension (deprivation by default)."""
        return self._analyse(
            Inequality, Question(inequality.KIND.name, measure, (over,) if over else ()), release
        )

    def contrast(
        self,
        measure: str,
        where: Where = None,
        against: Where = None,
        by: str = "",
        per: str = "",
        release: str = "",
    ) -> Contrast:
        """The difference and ratio of two groups of a measure: those in `where`, and those in
        `against`. With `per`, the other group is of another measure.
        """
        of, other = (
            {name: tuple(names_of(keep)) for name, keep in (kept or {}).items()}
            for kept in (where, against)
        )
        breakdown = (by,) if by else ()
        question = Question(contrast.KIND.name, measure, breakdown, of, other, per)
        return self._analyse(Contrast, question, release)

    def standardise(self, measure: str, by: str, standard: str, release: str = "") -> Standardised:
        """Shares of the groups of `by`, as they would be if all groups were mixed alike by
        `standard`.
        """
        question = Question(standardisation.KIND.name, measure, (by, standard))
        return self._analyse(Standardised, question, release)

    def propose(self, text: str, *, check_only: bool = False) -> dict[str, Any]:
        """Propose measures that are not published yet: the text of a catalogue's file of measures.

        Returns the proposal's name, what it counts in words, and what published figures say about
        its size. With `check_only`, nothing is kept.
        """
        request = pb.ProposeRequest(text=text, check_only=check_only)
        found = self._call(self._stub.Propose, request)
        return {
            "id": found.proposal_id,
            "descriptions": list(found.descriptions),
            "notes": list(found.notes),
            "known": found.known,
        }

    def proposals(self) -> list[dict[str, Any]]:
        """The proposals of all analysts and what became of them, newest first."""
        found = self._call(self._stub.ListProposals, pb.ListProposalsRequest())
        return [
            {
                "id": item.proposal_id,
                "who": item.who,
                "on": item.on,
                "titles": list(item.titles),
                "state": item.state,
                "why": item.why,
            }
            for item in found.proposals
        ]

    def call(self, method: str, request: object) -> Any:
        """Call a method of the service by its name. Used by the kinds of analysis. Raises
        ClientError.
        """
        return self._call(getattr(self._stub, method), request)

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _analyse(self, kind: type[Analysis], question: Question, release: str) -> Analysis:
        found = question.put(self, release)
        assert isinstance(found, kind)  # noqa: S101 - each kind of question has one kind of answer
        return found

    def _call(self, method: Callable[..., Response], request: object) -> Response:
        return self.put(method, request, _DEADLINE_S)

    def put(self, method: Callable[..., Response], request: object, seconds: float) -> Response:
        """Call a method of a stub, with a deadline. Raises ClientError."""
        try:
            return method(request, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self.explained(error) from None

    def explained(self, error: grpc.RpcError) -> ClientError:
        """The error of a call, in words."""
        return ClientError(self._explain(error))

    def _explain(self, error: Any) -> str:
        try:
            status = rpc_status.from_call(error)
        except ValueError:
            # A proxy or gRPC itself replaced the service's error, for example because it is long.
            status = None
        for detail in status.details if status else ():
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                return "; ".join(
                    f"{item.field}: {item.description}" for item in bad.field_violations
                )
        if error.code() == grpc.StatusCode.UNAVAILABLE:
            return (
                f"{self.address or '(no address)'} does not answer. Check the address, the network"
                " and the certificates."
            )
        if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"{self.address} did not answer in {_DEADLINE_S:.0f} s."
        if error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            return f"{error.details()} Ask the people who keep the service's access policy."
        return f"{error.code().name}: {error.details()}"

    @staticmethod
    def _open(
        address: str, ca: str | Path | None, certificate: str | Path | None, key: str | Path | None
    ) -> grpc.Channel:
        if ca is None and (certificate or key):
            raise ClientError(
                "A certificate needs --ca as well: the CA certificate of the service."
            )
        if ca is None:
            return grpc.insecure_channel(address)
        try:
            pem = [Path(path).read_bytes() if path else None for path in (ca, key, certificate)]
        except OSError as error:
            raise ClientError(f"{error.filename} cannot be read: {error.strerror}.") from None
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(*pem))


def names_of(said: str | int | Sequence[str | int]) -> list[str]:
    """One name or several, as texts.

    >>> names_of("residence"), names_of([1, 2]), names_of(("sex", "residence"))
    (['residence'], ['1', '2'], ['sex', 'residence'])
    """
    return [str(said)] if isinstance(said, str | int) else [str(name) for name in said]


def filters(where: Where) -> list[pb.Filter]:
    """Categories to keep, as protobuf messages."""
    return [
        pb.Filter(dimension_id=name, category_ids=names_of(keep))
        for name, keep in (where or {}).items()
    ]
