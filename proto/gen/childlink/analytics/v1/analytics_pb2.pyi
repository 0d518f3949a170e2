from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Withheld(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITHHELD_UNSPECIFIED: _ClassVar[Withheld]
    WITHHELD_SMALL: _ClassVar[Withheld]
    WITHHELD_SMALL_BASE: _ClassVar[Withheld]
    WITHHELD_ALL_OR_NONE: _ClassVar[Withheld]
    WITHHELD_NOT_COLLECTED: _ClassVar[Withheld]
    WITHHELD_NO_POPULATION: _ClassVar[Withheld]
    WITHHELD_SUPPRESSED: _ClassVar[Withheld]
WITHHELD_UNSPECIFIED: Withheld
WITHHELD_SMALL: Withheld
WITHHELD_SMALL_BASE: Withheld
WITHHELD_ALL_OR_NONE: Withheld
WITHHELD_NOT_COLLECTED: Withheld
WITHHELD_NO_POPULATION: Withheld
WITHHELD_SUPPRESSED: Withheld

class ListReleasesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[ReleaseSummary]
    def __init__(self, releases: _Optional[_Iterable[_Union[ReleaseSummary, _Mapping]]] = ...) -> None: ...

class ReleaseSummary(_message.Message):
    __slots__ = ("release_id", "number", "data_until", "policy_id", "content_sha256")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DATA_UNTIL_FIELD_NUMBER: _ClassVar[int]
    POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    CONTENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    number: int
    data_until: str
    policy_id: str
    content_sha256: str
    def __init__(self, release_id: _Optional[str] = ..., number: _Optional[int] = ..., data_until: _Optional[str] = ..., policy_id: _Optional[str] = ..., content_sha256: _Optional[str] = ...) -> None: ...

class DescribeReleaseRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class DescribeReleaseResponse(_message.Message):
    __slots__ = ("summary", "policy_text", "datasets", "measure_ids", "cells", "cells_withheld", "largest_error", "attack_failures", "parameter_version", "attacked", "change_notes", "completeness")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    POLICY_TEXT_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    MEASURE_IDS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    CELLS_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    LARGEST_ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTACK_FAILURES_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_VERSION_FIELD_NUMBER: _ClassVar[int]
    ATTACKED_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NOTES_FIELD_NUMBER: _ClassVar[int]
    COMPLETENESS_FIELD_NUMBER: _ClassVar[int]
    summary: ReleaseSummary
    policy_text: str
    datasets: _containers.RepeatedCompositeFieldContainer[DatasetCount]
    measure_ids: _containers.RepeatedScalarFieldContainer[str]
    cells: int
    cells_withheld: int
    largest_error: int
    attack_failures: int
    parameter_version: str
    attacked: int
    change_notes: _containers.RepeatedScalarFieldContainer[str]
    completeness: _containers.RepeatedCompositeFieldContainer[PartnerRows]
    def __init__(self, summary: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., policy_text: _Optional[str] = ..., datasets: _Optional[_Iterable[_Union[DatasetCount, _Mapping]]] = ..., measure_ids: _Optional[_Iterable[str]] = ..., cells: _Optional[int] = ..., cells_withheld: _Optional[int] = ..., largest_error: _Optional[int] = ..., attack_failures: _Optional[int] = ..., parameter_version: _Optional[str] = ..., attacked: _Optional[int] = ..., change_notes: _Optional[_Iterable[str]] = ..., completeness: _Optional[_Iterable[_Union[PartnerRows, _Mapping]]] = ...) -> None: ...

class PartnerRows(_message.Message):
    __slots__ = ("dataset", "partner", "quarters", "few")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    QUARTERS_FIELD_NUMBER: _ClassVar[int]
    FEW_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    partner: str
    quarters: _containers.RepeatedCompositeFieldContainer[QuarterRows]
    few: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset: _Optional[str] = ..., partner: _Optional[str] = ..., quarters: _Optional[_Iterable[_Union[QuarterRows, _Mapping]]] = ..., few: _Optional[_Iterable[str]] = ...) -> None: ...

class QuarterRows(_message.Message):
    __slots__ = ("quarter", "rows")
    QUARTER_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    quarter: str
    rows: int
    def __init__(self, quarter: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class DatasetCount(_message.Message):
    __slots__ = ("dataset", "rows")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    rows: int
    def __init__(self, dataset: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class ListMeasuresRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class ListMeasuresResponse(_message.Message):
    __slots__ = ("measures",)
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    measures: _containers.RepeatedCompositeFieldContainer[Measure]
    def __init__(self, measures: _Optional[_Iterable[_Union[Measure, _Mapping]]] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("measure_id", "title", "description", "unit", "estimate", "dimensions", "cubes", "compares", "collected", "table", "estimate_of", "share_dimension_id")
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    CUBES_FIELD_NUMBER: _ClassVar[int]
    COMPARES_FIELD_NUMBER: _ClassVar[int]
    COLLECTED_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_OF_FIELD_NUMBER: _ClassVar[int]
    SHARE_DIMENSION_ID_FIELD_NUMBER: _ClassVar[int]
    measure_id: str
    title: str
    description: str
    unit: str
    estimate: str
    dimensions: _containers.RepeatedCompositeFieldContainer[Dimension]
    cubes: _containers.RepeatedCompositeFieldContainer[Cube]
    compares: _containers.RepeatedScalarFieldContainer[str]
    collected: bool
    table: bool
    estimate_of: str
    share_dimension_id: str
    def __init__(self, measure_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., unit: _Optional[str] = ..., estimate: _Optional[str] = ..., dimensions: _Optional[_Iterable[_Union[Dimension, _Mapping]]] = ..., cubes: _Optional[_Iterable[_Union[Cube, _Mapping]]] = ..., compares: _Optional[_Iterable[str]] = ..., collected: _Optional[bool] = ..., table: _Optional[bool] = ..., estimate_of: _Optional[str] = ..., share_dimension_id: _Optional[str] = ...) -> None: ...

class Cube(_message.Message):
    __slots__ = ("dimension_ids",)
    DIMENSION_IDS_FIELD_NUMBER: _ClassVar[int]
    dimension_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dimension_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Dimension(_message.Message):
    __slots__ = ("dimension_id", "title", "categories", "overlapping", "within", "ordered", "time")
    DIMENSION_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    OVERLAPPING_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    ORDERED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    dimension_id: str
    title: str
    categories: _containers.RepeatedCompositeFieldContainer[Category]
    overlapping: bool
    within: str
    ordered: bool
    time: bool
    def __init__(self, dimension_id: _Optional[str] = ..., title: _Optional[str] = ..., categories: _Optional[_Iterable[_Union[Category, _Mapping]]] = ..., overlapping: _Optional[bool] = ..., within: _Optional[str] = ..., ordered: _Optional[bool] = ..., time: _Optional[bool] = ...) -> None: ...

class Category(_message.Message):
    __slots__ = ("category_id", "title")
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    category_id: str
    title: str
    def __init__(self, category_id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "by", "where", "explain")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    by: _containers.RepeatedScalarFieldContainer[str]
    where: _containers.RepeatedCompositeFieldContainer[Filter]
    explain: bool
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., where: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ..., explain: _Optional[bool] = ...) -> None: ...

class StreamQueryRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: QueryRequest
    def __init__(self, query: _Optional[_Union[QueryRequest, _Mapping]] = ...) -> None: ...

class StreamQueryResponse(_message.Message):
    __slots__ = ("head", "cells")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    head: QueryResponse
    cells: _containers.RepeatedCompositeFieldContainer[Cell]
    def __init__(self, head: _Optional[_Union[QueryResponse, _Mapping]] = ..., cells: _Optional[_Iterable[_Union[Cell, _Mapping]]] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("dimension_id", "category_ids")
    DIMENSION_ID_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_IDS_FIELD_NUMBER: _ClassVar[int]
    dimension_id: str
    category_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dimension_id: _Optional[str] = ..., category_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class QueryResponse(_message.Message):
    __slots__ = ("release", "measure", "by", "cells", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    by: _containers.RepeatedScalarFieldContainer[str]
    cells: _containers.RepeatedCompositeFieldContainer[Cell]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., by: _Optional[_Iterable[str]] = ..., cells: _Optional[_Iterable[_Union[Cell, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class Cell(_message.Message):
    __slots__ = ("category_ids", "count", "estimate", "withheld", "estimate_withheld", "explanation", "estimate_low", "estimate_high")
    CATEGORY_IDS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_LOW_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_HIGH_FIELD_NUMBER: _ClassVar[int]
    category_ids: _containers.RepeatedScalarFieldContainer[str]
    count: int
    estimate: float
    withheld: Withheld
    estimate_withheld: Withheld
    explanation: _containers.RepeatedScalarFieldContainer[str]
    estimate_low: float
    estimate_high: float
    def __init__(self, category_ids: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ..., estimate: _Optional[float] = ..., withheld: _Optional[_Union[Withheld, str]] = ..., estimate_withheld: _Optional[_Union[Withheld, str]] = ..., explanation: _Optional[_Iterable[str]] = ..., estimate_low: _Optional[float] = ..., estimate_high: _Optional[float] = ...) -> None: ...

class Estimate(_message.Message):
    __slots__ = ("value", "low", "high", "withheld")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    value: float
    low: float
    high: float
    withheld: str
    def __init__(self, value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., withheld: _Optional[str] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "missed")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    missed: float
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., missed: _Optional[float] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("release", "measure", "groups", "shares", "crude_odds_ratio", "adjusted_odds_ratio", "crude_risk_ratio", "adjusted_risk_ratio", "adjusted_for", "strata_used", "strata", "notes", "missed", "corrected_odds_ratio", "corrected_risk_ratio")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    CRUDE_ODDS_RATIO_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_ODDS_RATIO_FIELD_NUMBER: _ClassVar[int]
    CRUDE_RISK_RATIO_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_RISK_RATIO_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_FOR_FIELD_NUMBER: _ClassVar[int]
    STRATA_USED_FIELD_NUMBER: _ClassVar[int]
    STRATA_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_ODDS_RATIO_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_RISK_RATIO_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    groups: _containers.RepeatedScalarFieldContainer[str]
    shares: _containers.RepeatedCompositeFieldContainer[Estimate]
    crude_odds_ratio: Estimate
    adjusted_odds_ratio: Estimate
    crude_risk_ratio: Estimate
    adjusted_risk_ratio: Estimate
    adjusted_for: _containers.RepeatedScalarFieldContainer[str]
    strata_used: int
    strata: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    missed: float
    corrected_odds_ratio: Estimate
    corrected_risk_ratio: Estimate
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., shares: _Optional[_Iterable[_Union[Estimate, _Mapping]]] = ..., crude_odds_ratio: _Optional[_Union[Estimate, _Mapping]] = ..., adjusted_odds_ratio: _Optional[_Union[Estimate, _Mapping]] = ..., crude_risk_ratio: _Optional[_Union[Estimate, _Mapping]] = ..., adjusted_risk_ratio: _Optional[_Union[Estimate, _Mapping]] = ..., adjusted_for: _Optional[_Iterable[str]] = ..., strata_used: _Optional[int] = ..., strata: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., missed: _Optional[float] = ..., corrected_odds_ratio: _Optional[_Union[Estimate, _Mapping]] = ..., corrected_risk_ratio: _Optional[_Union[Estimate, _Mapping]] = ...) -> None: ...

class ChangeRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "by")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    by: str
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., by: _Optional[str] = ...) -> None: ...

class ChangeRow(_message.Message):
    __slots__ = ("category_id", "count", "mean", "standardised", "p_value", "withheld")
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    STANDARDISED_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    category_id: str
    count: int
    mean: Estimate
    standardised: Estimate
    p_value: float
    withheld: Withheld
    def __init__(self, category_id: _Optional[str] = ..., count: _Optional[int] = ..., mean: _Optional[_Union[Estimate, _Mapping]] = ..., standardised: _Optional[_Union[Estimate, _Mapping]] = ..., p_value: _Optional[float] = ..., withheld: _Optional[_Union[Withheld, str]] = ...) -> None: ...

class ChangeResponse(_message.Message):
    __slots__ = ("release", "measure", "by", "rows", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    by: str
    rows: _containers.RepeatedCompositeFieldContainer[ChangeRow]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., by: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[ChangeRow, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class PathwaysRequest(_message.Message):
    __slots__ = ("release_id", "first_service")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SERVICE_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    first_service: str
    def __init__(self, release_id: _Optional[str] = ..., first_service: _Optional[str] = ...) -> None: ...

class Pathway(_message.Message):
    __slots__ = ("first_service", "families", "went_on", "next", "others_withheld", "withheld")
    FIRST_SERVICE_FIELD_NUMBER: _ClassVar[int]
    FAMILIES_FIELD_NUMBER: _ClassVar[int]
    WENT_ON_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    OTHERS_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    first_service: str
    families: int
    went_on: Estimate
    next: _containers.RepeatedCompositeFieldContainer[NextService]
    others_withheld: bool
    withheld: Withheld
    def __init__(self, first_service: _Optional[str] = ..., families: _Optional[int] = ..., went_on: _Optional[_Union[Estimate, _Mapping]] = ..., next: _Optional[_Iterable[_Union[NextService, _Mapping]]] = ..., others_withheld: _Optional[bool] = ..., withheld: _Optional[_Union[Withheld, str]] = ...) -> None: ...

class NextService(_message.Message):
    __slots__ = ("service", "families")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    FAMILIES_FIELD_NUMBER: _ClassVar[int]
    service: str
    families: int
    def __init__(self, service: _Optional[str] = ..., families: _Optional[int] = ...) -> None: ...

class PathwaysResponse(_message.Message):
    __slots__ = ("release", "measure", "pathways", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    PATHWAYS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    pathways: _containers.RepeatedCompositeFieldContainer[Pathway]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., pathways: _Optional[_Iterable[_Union[Pathway, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class TrendRequest(_message.Message):
    __slots__ = ("measure_id", "by", "where")
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    measure_id: str
    by: _containers.RepeatedScalarFieldContainer[str]
    where: _containers.RepeatedCompositeFieldContainer[Filter]
    def __init__(self, measure_id: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., where: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ...) -> None: ...

class TrendPoint(_message.Message):
    __slots__ = ("release", "cells")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    cells: _containers.RepeatedCompositeFieldContainer[Cell]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., cells: _Optional[_Iterable[_Union[Cell, _Mapping]]] = ...) -> None: ...

class TrendResponse(_message.Message):
    __slots__ = ("measure", "by", "points", "notes")
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    measure: Measure
    by: _containers.RepeatedScalarFieldContainer[str]
    points: _containers.RepeatedCompositeFieldContainer[TrendPoint]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, measure: _Optional[_Union[Measure, _Mapping]] = ..., by: _Optional[_Iterable[str]] = ..., points: _Optional[_Iterable[_Union[TrendPoint, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class InequalityRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "over")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    OVER_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    over: str
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., over: _Optional[str] = ...) -> None: ...

class InequalityResponse(_message.Message):
    __slots__ = ("release", "measure", "over", "ends", "gap", "ratio", "slope_index", "relative_index", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    OVER_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    SLOPE_INDEX_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_INDEX_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    over: str
    ends: _containers.RepeatedScalarFieldContainer[str]
    gap: Estimate
    ratio: Estimate
    slope_index: Estimate
    relative_index: Estimate
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., over: _Optional[str] = ..., ends: _Optional[_Iterable[str]] = ..., gap: _Optional[_Union[Estimate, _Mapping]] = ..., ratio: _Optional[_Union[Estimate, _Mapping]] = ..., slope_index: _Optional[_Union[Estimate, _Mapping]] = ..., relative_index: _Optional[_Union[Estimate, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class StandardiseRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "by", "standard")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    STANDARD_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    by: str
    standard: str
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., by: _Optional[str] = ..., standard: _Optional[str] = ...) -> None: ...

class StandardisedRow(_message.Message):
    __slots__ = ("category_id", "count", "withheld", "crude", "standardised")
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    CRUDE_FIELD_NUMBER: _ClassVar[int]
    STANDARDISED_FIELD_NUMBER: _ClassVar[int]
    category_id: str
    count: int
    withheld: Withheld
    crude: Estimate
    standardised: Estimate
    def __init__(self, category_id: _Optional[str] = ..., count: _Optional[int] = ..., withheld: _Optional[_Union[Withheld, str]] = ..., crude: _Optional[_Union[Estimate, _Mapping]] = ..., standardised: _Optional[_Union[Estimate, _Mapping]] = ...) -> None: ...

class StandardiseResponse(_message.Message):
    __slots__ = ("release", "measure", "by", "standard", "rows", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    STANDARD_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    by: str
    standard: str
    rows: _containers.RepeatedCompositeFieldContainer[StandardisedRow]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., by: _Optional[str] = ..., standard: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[StandardisedRow, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ContrastRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "by", "of", "against", "per_measure_id")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    PER_MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    by: str
    of: _containers.RepeatedCompositeFieldContainer[Filter]
    against: _containers.RepeatedCompositeFieldContainer[Filter]
    per_measure_id: str
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., by: _Optional[str] = ..., of: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ..., against: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ..., per_measure_id: _Optional[str] = ...) -> None: ...

class ContrastRow(_message.Message):
    __slots__ = ("category_id", "of", "against", "difference", "ratio", "beyond_first")
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    BEYOND_FIRST_FIELD_NUMBER: _ClassVar[int]
    category_id: str
    of: Cell
    against: Cell
    difference: Estimate
    ratio: Estimate
    beyond_first: Estimate
    def __init__(self, category_id: _Optional[str] = ..., of: _Optional[_Union[Cell, _Mapping]] = ..., against: _Optional[_Union[Cell, _Mapping]] = ..., difference: _Optional[_Union[Estimate, _Mapping]] = ..., ratio: _Optional[_Union[Estimate, _Mapping]] = ..., beyond_first: _Optional[_Union[Estimate, _Mapping]] = ...) -> None: ...

class ContrastResponse(_message.Message):
    __slots__ = ("release", "measure", "against_measure", "figure", "by", "rows", "notes")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    AGAINST_MEASURE_FIELD_NUMBER: _ClassVar[int]
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    release: ReleaseSummary
    measure: Measure
    against_measure: Measure
    figure: str
    by: str
    rows: _containers.RepeatedCompositeFieldContainer[ContrastRow]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, release: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., against_measure: _Optional[_Union[Measure, _Mapping]] = ..., figure: _Optional[str] = ..., by: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[ContrastRow, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ProposeRequest(_message.Message):
    __slots__ = ("text", "check_only")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHECK_ONLY_FIELD_NUMBER: _ClassVar[int]
    text: str
    check_only: bool
    def __init__(self, text: _Optional[str] = ..., check_only: _Optional[bool] = ...) -> None: ...

class ProposeResponse(_message.Message):
    __slots__ = ("proposal_id", "descriptions", "notes", "known")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    descriptions: _containers.RepeatedScalarFieldContainer[str]
    notes: _containers.RepeatedScalarFieldContainer[str]
    known: bool
    def __init__(self, proposal_id: _Optional[str] = ..., descriptions: _Optional[_Iterable[str]] = ..., notes: _Optional[_Iterable[str]] = ..., known: _Optional[bool] = ...) -> None: ...

class ListProposalsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProposalsResponse(_message.Message):
    __slots__ = ("proposals",)
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    proposals: _containers.RepeatedCompositeFieldContainer[Proposal]
    def __init__(self, proposals: _Optional[_Iterable[_Union[Proposal, _Mapping]]] = ...) -> None: ...

class Proposal(_message.Message):
    __slots__ = ("proposal_id", "who", "on", "titles", "state", "why")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    who: str
    on: str
    titles: _containers.RepeatedScalarFieldContainer[str]
    state: str
    why: str
    def __init__(self, proposal_id: _Optional[str] = ..., who: _Optional[str] = ..., on: _Optional[str] = ..., titles: _Optional[_Iterable[str]] = ..., state: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...
