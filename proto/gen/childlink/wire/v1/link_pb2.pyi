from childlink.wire.v1 import encoded_pb2 as _encoded_pb2
from childlink.wire.v1 import observation_pb2 as _observation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkBatch(_message.Message):
    __slots__ = ("capsule_keys", "links", "parameter_version", "read_up_to")
    CAPSULE_KEYS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_VERSION_FIELD_NUMBER: _ClassVar[int]
    READ_UP_TO_FIELD_NUMBER: _ClassVar[int]
    capsule_keys: _containers.RepeatedCompositeFieldContainer[CapsuleKey]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    parameter_version: str
    read_up_to: _containers.RepeatedCompositeFieldContainer[ReadUpTo]
    def __init__(self, capsule_keys: _Optional[_Iterable[_Union[CapsuleKey, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., parameter_version: _Optional[str] = ..., read_up_to: _Optional[_Iterable[_Union[ReadUpTo, _Mapping]]] = ...) -> None: ...

class ReadUpTo(_message.Message):
    __slots__ = ("partner", "position")
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    partner: str
    position: _observation_pb2.StreamPosition
    def __init__(self, partner: _Optional[str] = ..., position: _Optional[_Union[_observation_pb2.StreamPosition, _Mapping]] = ...) -> None: ...

class CapsuleKey(_message.Message):
    __slots__ = ("partner", "sealed_key")
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    SEALED_KEY_FIELD_NUMBER: _ClassVar[int]
    partner: str
    sealed_key: bytes
    def __init__(self, partner: _Optional[str] = ..., sealed_key: _Optional[bytes] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("capsule_key", "capsule", "role", "person", "family", "version")
    CAPSULE_KEY_FIELD_NUMBER: _ClassVar[int]
    CAPSULE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    capsule_key: int
    capsule: bytes
    role: _encoded_pb2.Role
    person: bytes
    family: bytes
    version: int
    def __init__(self, capsule_key: _Optional[int] = ..., capsule: _Optional[bytes] = ..., role: _Optional[_Union[_encoded_pb2.Role, str]] = ..., person: _Optional[bytes] = ..., family: _Optional[bytes] = ..., version: _Optional[int] = ...) -> None: ...
