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
WITHHELD_UNSPECIFIED: Withheld
WITHHELD_SMALL: Withheld
WITHHELD_SMALL_BASE: Withheld
WITHHELD_ALL_OR_NONE: Withheld
WITHHELD_NOT_COLLECTED: Withheld

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
    __slots__ = ("summary", "policy_text", "datasets", "measure_ids", "cells", "cells_withheld", "largest_error", "attack_failures", "parameter_version")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    POLICY_TEXT_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    MEASURE_IDS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    CELLS_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    LARGEST_ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTACK_FAILURES_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_VERSION_FIELD_NUMBER: _ClassVar[int]
    summary: ReleaseSummary
    policy_text: str
    datasets: _containers.RepeatedCompositeFieldContainer[DatasetCount]
    measure_ids: _containers.RepeatedScalarFieldContainer[str]
    cells: int
    cells_withheld: int
    largest_error: int
    attack_failures: int
    parameter_version: str
    def __init__(self, summary: _Optional[_Union[ReleaseSummary, _Mapping]] = ..., policy_text: _Optional[str] = ..., datasets: _Optional[_Iterable[_Union[DatasetCount, _Mapping]]] = ..., measure_ids: _Optional[_Iterable[str]] = ..., cells: _Optional[int] = ..., cells_withheld: _Optional[int] = ..., largest_error: _Optional[int] = ..., attack_failures: _Optional[int] = ..., parameter_version: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("measure_id", "title", "description", "unit", "estimate", "dimensions")
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    measure_id: str
    title: str
    description: str
    unit: str
    estimate: str
    dimensions: _containers.RepeatedCompositeFieldContainer[Dimension]
    def __init__(self, measure_id: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., unit: _Optional[str] = ..., estimate: _Optional[str] = ..., dimensions: _Optional[_Iterable[_Union[Dimension, _Mapping]]] = ...) -> None: ...

class Dimension(_message.Message):
    __slots__ = ("dimension_id", "title", "categories")
    DIMENSION_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    dimension_id: str
    title: str
    categories: _containers.RepeatedCompositeFieldContainer[Category]
    def __init__(self, dimension_id: _Optional[str] = ..., title: _Optional[str] = ..., categories: _Optional[_Iterable[_Union[Category, _Mapping]]] = ...) -> None: ...

class Category(_message.Message):
    __slots__ = ("category_id", "title")
    CATEGORY_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    category_id: str
    title: str
    def __init__(self, category_id: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class QueryRequest(_message.Message):
    __slots__ = ("release_id", "measure_id", "by", "where")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    measure_id: str
    by: _containers.RepeatedScalarFieldContainer[str]
    where: _containers.RepeatedCompositeFieldContainer[Filter]
    def __init__(self, release_id: _Optional[str] = ..., measure_id: _Optional[str] = ..., by: _Optional[_Iterable[str]] = ..., where: _Optional[_Iterable[_Union[Filter, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("category_ids", "count", "estimate", "withheld", "estimate_withheld")
    CATEGORY_IDS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_WITHHELD_FIELD_NUMBER: _ClassVar[int]
    category_ids: _containers.RepeatedScalarFieldContainer[str]
    count: int
    estimate: float
    withheld: Withheld
    estimate_withheld: Withheld
    def __init__(self, category_ids: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ..., estimate: _Optional[float] = ..., withheld: _Optional[_Union[Withheld, str]] = ..., estimate_withheld: _Optional[_Union[Withheld, str]] = ...) -> None: ...
