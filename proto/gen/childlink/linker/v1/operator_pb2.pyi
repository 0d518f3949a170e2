from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("profile_ids", "parameter_version", "records", "children", "adults", "families", "streams")
    PROFILE_IDS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_VERSION_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    ADULTS_FIELD_NUMBER: _ClassVar[int]
    FAMILIES_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    profile_ids: _containers.RepeatedScalarFieldContainer[str]
    parameter_version: str
    records: int
    children: int
    adults: int
    families: int
    streams: _containers.RepeatedCompositeFieldContainer[Stream]
    def __init__(self, profile_ids: _Optional[_Iterable[str]] = ..., parameter_version: _Optional[str] = ..., records: _Optional[int] = ..., children: _Optional[int] = ..., adults: _Optional[int] = ..., families: _Optional[int] = ..., streams: _Optional[_Iterable[_Union[Stream, _Mapping]]] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("sender", "topic", "epoch", "next_sequence")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    sender: str
    topic: str
    epoch: int
    next_sequence: int
    def __init__(self, sender: _Optional[str] = ..., topic: _Optional[str] = ..., epoch: _Optional[int] = ..., next_sequence: _Optional[int] = ...) -> None: ...
