from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_SAME: _ClassVar[Verdict]
    VERDICT_DIFFERENT: _ClassVar[Verdict]
    VERDICT_UNSURE: _ClassVar[Verdict]
    VERDICT_PASSED: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
VERDICT_SAME: Verdict
VERDICT_DIFFERENT: Verdict
VERDICT_UNSURE: Verdict
VERDICT_PASSED: Verdict

class ListCasesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCasesResponse(_message.Message):
    __slots__ = ("cases",)
    CASES_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[Case]
    def __init__(self, cases: _Optional[_Iterable[_Union[Case, _Mapping]]] = ...) -> None: ...

class GetCaseRequest(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class GetCaseResponse(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: Case
    def __init__(self, case: _Optional[_Union[Case, _Mapping]] = ...) -> None: ...

class Case(_message.Message):
    __slots__ = ("number", "since_ms", "doubts")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SINCE_MS_FIELD_NUMBER: _ClassVar[int]
    DOUBTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    since_ms: int
    doubts: _containers.RepeatedCompositeFieldContainer[Doubt]
    def __init__(self, number: _Optional[int] = ..., since_ms: _Optional[int] = ..., doubts: _Optional[_Iterable[_Union[Doubt, _Mapping]]] = ...) -> None: ...

class Doubt(_message.Message):
    __slots__ = ("pair", "weight_bits", "one", "other", "unsure", "asks_second", "comparisons")
    PAIR_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BITS_FIELD_NUMBER: _ClassVar[int]
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    UNSURE_FIELD_NUMBER: _ClassVar[int]
    ASKS_SECOND_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    pair: Pair
    weight_bits: int
    one: str
    other: str
    unsure: int
    asks_second: bool
    comparisons: _containers.RepeatedCompositeFieldContainer[Comparison]
    def __init__(self, pair: _Optional[_Union[Pair, _Mapping]] = ..., weight_bits: _Optional[int] = ..., one: _Optional[str] = ..., other: _Optional[str] = ..., unsure: _Optional[int] = ..., asks_second: _Optional[bool] = ..., comparisons: _Optional[_Iterable[_Union[Comparison, _Mapping]]] = ...) -> None: ...

class Pair(_message.Message):
    __slots__ = ("smaller", "larger")
    SMALLER_FIELD_NUMBER: _ClassVar[int]
    LARGER_FIELD_NUMBER: _ClassVar[int]
    smaller: int
    larger: int
    def __init__(self, smaller: _Optional[int] = ..., larger: _Optional[int] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("one", "other", "weight_bits", "findings")
    ONE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BITS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    one: str
    other: str
    weight_bits: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, one: _Optional[str] = ..., other: _Optional[str] = ..., weight_bits: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("what", "outcome", "bits")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    BITS_FIELD_NUMBER: _ClassVar[int]
    what: str
    outcome: str
    bits: int
    def __init__(self, what: _Optional[str] = ..., outcome: _Optional[str] = ..., bits: _Optional[int] = ...) -> None: ...

class DecideRequest(_message.Message):
    __slots__ = ("verdicts", "reason", "asks_second")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ASKS_SECOND_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[PairVerdict]
    reason: str
    asks_second: bool
    def __init__(self, verdicts: _Optional[_Iterable[_Union[PairVerdict, _Mapping]]] = ..., reason: _Optional[str] = ..., asks_second: _Optional[bool] = ...) -> None: ...

class PairVerdict(_message.Message):
    __slots__ = ("pair", "verdict")
    PAIR_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    pair: Pair
    verdict: Verdict
    def __init__(self, pair: _Optional[_Union[Pair, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, str]] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("links_changed",)
    LINKS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    links_changed: int
    def __init__(self, links_changed: _Optional[int] = ...) -> None: ...

class ListPatternsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPatternsResponse(_message.Message):
    __slots__ = ("patterns",)
    PATTERNS_FIELD_NUMBER: _ClassVar[int]
    patterns: _containers.RepeatedCompositeFieldContainer[Pattern]
    def __init__(self, patterns: _Optional[_Iterable[_Union[Pattern, _Mapping]]] = ...) -> None: ...

class GetPatternRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetPatternResponse(_message.Message):
    __slots__ = ("pattern",)
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    pattern: Pattern
    def __init__(self, pattern: _Optional[_Union[Pattern, _Mapping]] = ...) -> None: ...

class Pattern(_message.Message):
    __slots__ = ("name", "pairs", "findings", "expected_same", "proposed_same", "proposed_different", "examples")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SAME_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_SAME_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_DIFFERENT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    pairs: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    expected_same: float
    proposed_same: int
    proposed_different: int
    examples: _containers.RepeatedCompositeFieldContainer[Pair]
    def __init__(self, name: _Optional[str] = ..., pairs: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., expected_same: _Optional[float] = ..., proposed_same: _Optional[int] = ..., proposed_different: _Optional[int] = ..., examples: _Optional[_Iterable[_Union[Pair, _Mapping]]] = ...) -> None: ...

class ProposeRequest(_message.Message):
    __slots__ = ("pattern", "verdict", "reason")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    verdict: Verdict
    reason: str
    def __init__(self, pattern: _Optional[str] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class ProposeResponse(_message.Message):
    __slots__ = ("pairs", "links_changed")
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    LINKS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    pairs: int
    links_changed: int
    def __init__(self, pairs: _Optional[int] = ..., links_changed: _Optional[int] = ...) -> None: ...

class AskPartnerRequest(_message.Message):
    __slots__ = ("pair", "larger")
    PAIR_FIELD_NUMBER: _ClassVar[int]
    LARGER_FIELD_NUMBER: _ClassVar[int]
    pair: Pair
    larger: bool
    def __init__(self, pair: _Optional[_Union[Pair, _Mapping]] = ..., larger: _Optional[bool] = ...) -> None: ...

class AskPartnerResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UndoDecisionRequest(_message.Message):
    __slots__ = ("decision_id", "whole")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    decision_id: int
    whole: bool
    def __init__(self, decision_id: _Optional[int] = ..., whole: _Optional[bool] = ...) -> None: ...

class UndoDecisionResponse(_message.Message):
    __slots__ = ("links_changed",)
    LINKS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    links_changed: int
    def __init__(self, links_changed: _Optional[int] = ...) -> None: ...

class ListDecisionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDecisionsResponse(_message.Message):
    __slots__ = ("decisions",)
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[Decision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[Decision, _Mapping]]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("decision_id", "at_ms", "steward", "pair", "verdict", "reason", "asks_second", "undone_by")
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    STEWARD_FIELD_NUMBER: _ClassVar[int]
    PAIR_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ASKS_SECOND_FIELD_NUMBER: _ClassVar[int]
    UNDONE_BY_FIELD_NUMBER: _ClassVar[int]
    decision_id: int
    at_ms: int
    steward: str
    pair: Pair
    verdict: Verdict
    reason: str
    asks_second: bool
    undone_by: str
    def __init__(self, decision_id: _Optional[int] = ..., at_ms: _Optional[int] = ..., steward: _Optional[str] = ..., pair: _Optional[_Union[Pair, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., reason: _Optional[str] = ..., asks_second: _Optional[bool] = ..., undone_by: _Optional[str] = ...) -> None: ...
