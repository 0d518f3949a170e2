from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PayloadKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYLOAD_KIND_UNSPECIFIED: _ClassVar[PayloadKind]
    PAYLOAD_KIND_ENCODED: _ClassVar[PayloadKind]
    PAYLOAD_KIND_OBSERVATION: _ClassVar[PayloadKind]
    PAYLOAD_KIND_LINK: _ClassVar[PayloadKind]
    PAYLOAD_KIND_RECEIPT: _ClassVar[PayloadKind]
PAYLOAD_KIND_UNSPECIFIED: PayloadKind
PAYLOAD_KIND_ENCODED: PayloadKind
PAYLOAD_KIND_OBSERVATION: PayloadKind
PAYLOAD_KIND_LINK: PayloadKind
PAYLOAD_KIND_RECEIPT: PayloadKind

class SealedBatch(_message.Message):
    __slots__ = ("header", "sealed", "signature")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEALED_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    sealed: bytes
    signature: bytes
    def __init__(self, header: _Optional[bytes] = ..., sealed: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("schema_version", "sender", "signing_key_id", "reader", "sealing_key_id", "topic", "kind", "epoch", "sequence", "sealed_at_ms", "traceparent")
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    SIGNING_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    READER_FIELD_NUMBER: _ClassVar[int]
    SEALING_KEY_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SEALED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    schema_version: int
    sender: str
    signing_key_id: str
    reader: str
    sealing_key_id: str
    topic: str
    kind: PayloadKind
    epoch: int
    sequence: int
    sealed_at_ms: int
    traceparent: str
    def __init__(self, schema_version: _Optional[int] = ..., sender: _Optional[str] = ..., signing_key_id: _Optional[str] = ..., reader: _Optional[str] = ..., sealing_key_id: _Optional[str] = ..., topic: _Optional[str] = ..., kind: _Optional[_Union[PayloadKind, str]] = ..., epoch: _Optional[int] = ..., sequence: _Optional[int] = ..., sealed_at_ms: _Optional[int] = ..., traceparent: _Optional[str] = ...) -> None: ...
