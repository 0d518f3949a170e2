from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OwnCheckOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OWN_CHECK_OUTCOME_UNSPECIFIED: _ClassVar[OwnCheckOutcome]
    OWN_CHECK_OUTCOME_RIGHT: _ClassVar[OwnCheckOutcome]
    OWN_CHECK_OUTCOME_CORRECTED: _ClassVar[OwnCheckOutcome]
    OWN_CHECK_OUTCOME_CANNOT_TELL: _ClassVar[OwnCheckOutcome]

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_CHILD: _ClassVar[Role]
    ROLE_ADULT: _ClassVar[Role]

class Relation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELATION_UNSPECIFIED: _ClassVar[Relation]
    RELATION_MOTHER: _ClassVar[Relation]
    RELATION_FATHER: _ClassVar[Relation]
    RELATION_CARER: _ClassVar[Relation]
OWN_CHECK_OUTCOME_UNSPECIFIED: OwnCheckOutcome
OWN_CHECK_OUTCOME_RIGHT: OwnCheckOutcome
OWN_CHECK_OUTCOME_CORRECTED: OwnCheckOutcome
OWN_CHECK_OUTCOME_CANNOT_TELL: OwnCheckOutcome
ROLE_UNSPECIFIED: Role
ROLE_CHILD: Role
ROLE_ADULT: Role
RELATION_UNSPECIFIED: Relation
RELATION_MOTHER: Relation
RELATION_FATHER: Relation
RELATION_CARER: Relation

class EncodedBatch(_message.Message):
    __slots__ = ("profile_id", "profile_fingerprint", "key_version", "sealed_capsule_key", "records", "tombstones", "answers")
    PROFILE_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    KEY_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEALED_CAPSULE_KEY_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    TOMBSTONES_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    profile_id: str
    profile_fingerprint: bytes
    key_version: int
    sealed_capsule_key: bytes
    records: _containers.RepeatedCompositeFieldContainer[EncodedRecord]
    tombstones: _containers.RepeatedCompositeFieldContainer[Tombstone]
    answers: _containers.RepeatedCompositeFieldContainer[OwnCheckAnswer]
    def __init__(self, profile_id: _Optional[str] = ..., profile_fingerprint: _Optional[bytes] = ..., key_version: _Optional[int] = ..., sealed_capsule_key: _Optional[bytes] = ..., records: _Optional[_Iterable[_Union[EncodedRecord, _Mapping]]] = ..., tombstones: _Optional[_Iterable[_Union[Tombstone, _Mapping]]] = ..., answers: _Optional[_Iterable[_Union[OwnCheckAnswer, _Mapping]]] = ...) -> None: ...

class OwnCheckAnswer(_message.Message):
    __slots__ = ("request_id", "link_reference", "outcome")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    LINK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    request_id: bytes
    link_reference: bytes
    outcome: OwnCheckOutcome
    def __init__(self, request_id: _Optional[bytes] = ..., link_reference: _Optional[bytes] = ..., outcome: _Optional[_Union[OwnCheckOutcome, str]] = ...) -> None: ...

class EncodedRecord(_message.Message):
    __slots__ = ("link_reference", "facet", "role", "capsule", "nhs_token", "passes", "birth_order", "carers", "approximate_date", "many_ids", "untraced_number")
    LINK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    FACET_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CAPSULE_FIELD_NUMBER: _ClassVar[int]
    NHS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    BIRTH_ORDER_FIELD_NUMBER: _ClassVar[int]
    CARERS_FIELD_NUMBER: _ClassVar[int]
    APPROXIMATE_DATE_FIELD_NUMBER: _ClassVar[int]
    MANY_IDS_FIELD_NUMBER: _ClassVar[int]
    UNTRACED_NUMBER_FIELD_NUMBER: _ClassVar[int]
    link_reference: bytes
    facet: bytes
    role: Role
    capsule: bytes
    nhs_token: bytes
    passes: _containers.RepeatedCompositeFieldContainer[PassEncoding]
    birth_order: int
    carers: _containers.RepeatedCompositeFieldContainer[Carer]
    approximate_date: bool
    many_ids: bool
    untraced_number: bool
    def __init__(self, link_reference: _Optional[bytes] = ..., facet: _Optional[bytes] = ..., role: _Optional[_Union[Role, str]] = ..., capsule: _Optional[bytes] = ..., nhs_token: _Optional[bytes] = ..., passes: _Optional[_Iterable[_Union[PassEncoding, _Mapping]]] = ..., birth_order: _Optional[int] = ..., carers: _Optional[_Iterable[_Union[Carer, _Mapping]]] = ..., approximate_date: _Optional[bool] = ..., many_ids: _Optional[bool] = ..., untraced_number: _Optional[bool] = ...) -> None: ...

class PassEncoding(_message.Message):
    __slots__ = ("pass_number", "block_token", "filter", "present", "bloom_filters")
    PASS_NUMBER_FIELD_NUMBER: _ClassVar[int]
    BLOCK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    BLOOM_FILTERS_FIELD_NUMBER: _ClassVar[int]
    pass_number: int
    block_token: bytes
    filter: bytes
    present: int
    bloom_filters: bytes
    def __init__(self, pass_number: _Optional[int] = ..., block_token: _Optional[bytes] = ..., filter: _Optional[bytes] = ..., present: _Optional[int] = ..., bloom_filters: _Optional[bytes] = ...) -> None: ...

class Carer(_message.Message):
    __slots__ = ("link_reference", "relation")
    LINK_REFERENCE_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    link_reference: bytes
    relation: Relation
    def __init__(self, link_reference: _Optional[bytes] = ..., relation: _Optional[_Union[Relation, str]] = ...) -> None: ...

class Tombstone(_message.Message):
    __slots__ = ("reference", "facet")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    FACET_FIELD_NUMBER: _ClassVar[int]
    reference: bytes
    facet: bytes
    def __init__(self, reference: _Optional[bytes] = ..., facet: _Optional[bytes] = ...) -> None: ...
