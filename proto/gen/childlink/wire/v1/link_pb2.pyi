from childlink.wire.v1 import encoded_pb2 as _encoded_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkBatch(_message.Message):
    __slots__ = ("capsule_keys", "links")
    CAPSULE_KEYS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    capsule_keys: _containers.RepeatedCompositeFieldContainer[CapsuleKey]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    def __init__(self, capsule_keys: _Optional[_Iterable[_Union[CapsuleKey, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ...) -> None: ...

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
