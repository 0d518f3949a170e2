from childlink.wire.v1 import encoded_pb2 as _encoded_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObservationBatch(_message.Message):
    __slots__ = ("dataset", "dataset_version", "fields", "observations", "tombstones", "after_encodings")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONES_FIELD_NUMBER: _ClassVar[int]
    AFTER_ENCODINGS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    dataset_version: int
    fields: _containers.RepeatedScalarFieldContainer[str]
    observations: _containers.RepeatedCompositeFieldContainer[Observation]
    tombstones: _containers.RepeatedCompositeFieldContainer[_encoded_pb2.Tombstone]
    after_encodings: StreamPosition
    def __init__(self, dataset: _Optional[str] = ..., dataset_version: _Optional[int] = ..., fields: _Optional[_Iterable[str]] = ..., observations: _Optional[_Iterable[_Union[Observation, _Mapping]]] = ..., tombstones: _Optional[_Iterable[_Union[_encoded_pb2.Tombstone, _Mapping]]] = ..., after_encodings: _Optional[_Union[StreamPosition, _Mapping]] = ...) -> None: ...

class StreamPosition(_message.Message):
    __slots__ = ("epoch", "sequence")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    sequence: int
    def __init__(self, epoch: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...

class Observation(_message.Message):
    __slots__ = ("row_reference", "child_reference", "adult_reference", "values")
    ROW_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    CHILD_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    ADULT_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    row_reference: bytes
    child_reference: bytes
    adult_reference: bytes
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, row_reference: _Optional[bytes] = ..., child_reference: _Optional[bytes] = ..., adult_reference: _Optional[bytes] = ..., values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("text", "integer", "number", "flag")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    text: str
    integer: int
    number: float
    flag: bool
    def __init__(self, text: _Optional[str] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., flag: _Optional[bool] = ...) -> None: ...
