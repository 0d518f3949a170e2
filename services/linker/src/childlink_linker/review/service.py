"""The data stewards' gRPC service. It offers the functions of the review page to other tools."""

import grpc
from childlink.linker.v1 import review_pb2 as pb
from childlink.linker.v1 import review_pb2_grpc
from childlink_access.guard import caller
from childlink_core.errors import UserError

from childlink_linker.clustering.verdicts import PROPOSALS, Verdict
from childlink_linker.review.cases import Case, Decision, Doubt, Pair
from childlink_linker.review.explain import Comparison, Finding
from childlink_linker.review.patterns import Pattern
from childlink_linker.review.workflow import ReviewWorkflow

_VERDICTS: dict[pb.Verdict, Verdict] = {
    pb.VERDICT_SAME: "same",
    pb.VERDICT_DIFFERENT: "different",
    pb.VERDICT_UNSURE: "unsure",
    pb.VERDICT_PASSED: "passed",
}
_NUMBERS = {verdict: number for number, verdict in _VERDICTS.items()}


class ReviewService(review_pb2_grpc.ReviewServiceServicer):
    """See review.proto."""

    def __init__(self, desk: ReviewWorkflow) -> None:
        self._desk = desk

    def ListCases(
        self, request: pb.ListCasesRequest, context: grpc.ServicerContext
    ) -> pb.ListCasesResponse:
        """See review.proto."""
        return pb.ListCasesResponse(cases=[_case(item) for item in self._desk.cases(caller().name)])

    def GetCase(
        self, request: pb.GetCaseRequest, context: grpc.ServicerContext
    ) -> pb.GetCaseResponse:
        """See review.proto."""
        try:
            found, comparisons = self._desk.case(caller().name, request.number)
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        answer = _case(found)
        for doubt, items in zip(answer.doubts, comparisons, strict=True):
            doubt.comparisons.extend(_comparison(item) for item in items)
        return pb.GetCaseResponse(case=answer)

    def Decide(self, request: pb.DecideRequest, context: grpc.ServicerContext) -> pb.DecideResponse:
        """See review.proto."""
        if not request.verdicts or any(item.verdict not in _VERDICTS for item in request.verdicts):
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, "Give at least one pair, each with a verdict."
            )
        said = [
            ((item.pair.smaller, item.pair.larger), _VERDICTS[item.verdict])
            for item in request.verdicts
        ]
        try:
            outcome = self._desk.decide(
                caller().name, said, request.reason, asks_second=request.asks_second
            )
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        return pb.DecideResponse(links_changed=len(outcome.linked))

    def ListPatterns(
        self, request: pb.ListPatternsRequest, context: grpc.ServicerContext
    ) -> pb.ListPatternsResponse:
        """See review.proto."""
        return pb.ListPatternsResponse(
            patterns=[_pattern(item) for item in self._desk.patterns(caller().name)]
        )

    def GetPattern(
        self, request: pb.GetPatternRequest, context: grpc.ServicerContext
    ) -> pb.GetPatternResponse:
        """See review.proto."""
        try:
            found = self._desk.pattern(caller().name, request.name)
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        answer = _pattern(found)
        answer.findings.extend(_finding(finding) for finding in found.findings)
        answer.examples.extend(_pair(pair) for pair in found.examples)
        return pb.GetPatternResponse(pattern=answer)

    def Propose(
        self, request: pb.ProposeRequest, context: grpc.ServicerContext
    ) -> pb.ProposeResponse:
        """See review.proto."""
        verdict = next((v for v in PROPOSALS if _NUMBERS[v] == request.verdict), None)
        if verdict is None:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                "A verdict on a pattern is VERDICT_SAME or VERDICT_DIFFERENT.",
            )
        try:
            pairs, outcome = self._desk.propose(
                caller().name, request.pattern, verdict, request.reason
            )
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        return pb.ProposeResponse(pairs=pairs, links_changed=len(outcome.linked))

    def AskPartner(
        self, request: pb.AskPartnerRequest, context: grpc.ServicerContext
    ) -> pb.AskPartnerResponse:
        """See review.proto."""
        try:
            self._desk.ask_partner(
                caller().name, (request.pair.smaller, request.pair.larger), larger=request.larger
            )
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        return pb.AskPartnerResponse()

    def UndoDecision(
        self, request: pb.UndoDecisionRequest, context: grpc.ServicerContext
    ) -> pb.UndoDecisionResponse:
        """See review.proto."""
        try:
            outcome = self._desk.undo(caller().name, request.decision_id, whole=request.whole)
        except UserError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, error.render())
        return pb.UndoDecisionResponse(links_changed=len(outcome.linked))

    def ListDecisions(
        self, request: pb.ListDecisionsRequest, context: grpc.ServicerContext
    ) -> pb.ListDecisionsResponse:
        """See review.proto."""
        return pb.ListDecisionsResponse(
            decisions=[_decision(item) for item in self._desk.decisions(caller().name)]
        )


def _case(item: Case) -> pb.Case:
    return pb.Case(
        number=item.number,
        since_ms=item.since_ms,
        doubts=[_doubt(item, doubt) for doubt in item.doubts],
    )


def _doubt(case: Case, doubt: Doubt) -> pb.Doubt:
    one, other = (case.letters[person] for person in doubt.persons)
    return pb.Doubt(
        pair=_pair(doubt.pair),
        weight_bits=round(doubt.weight),
        one=one,
        other=other,
        unsure=doubt.unsure,
        asks_second=doubt.asks_second,
    )


def _comparison(item: Comparison) -> pb.Comparison:
    return pb.Comparison(
        one=item.one,
        other=item.other,
        weight_bits=round(item.weight),
        findings=[_finding(finding) for finding in item.findings],
    )


def _finding(item: Finding) -> pb.Finding:
    return pb.Finding(what=item.what, outcome=item.outcome, bits=round(item.bits))


def _pattern(item: Pattern) -> pb.Pattern:
    return pb.Pattern(
        name=item.name,
        pairs=len(item.doubts),
        expected_same=item.expected_same,
        proposed_same=item.proposed("same"),
        proposed_different=item.proposed("different"),
    )


def _decision(item: Decision) -> pb.Decision:
    return pb.Decision(
        decision_id=item.decision_id,
        at_ms=item.at_ms,
        steward=item.steward,
        pair=_pair(item.pair),
        verdict=_NUMBERS[item.verdict],
        reason=item.reason,
        asks_second=item.asks_second,
        undone_by=item.undone_by or "",
    )


def _pair(pair: Pair) -> pb.Pair:
    return pb.Pair(smaller=pair[0], larger=pair[1])
