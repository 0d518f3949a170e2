from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KnownRelease(_message.Message):
    __slots__ = ("release_id", "number", "state", "data_until", "content_sha256", "cut_by", "published_by", "recall_asked_by", "recalled_by", "recall_why")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DATA_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CONTENT_SHA256_FIELD_NUMBER: _ClassVar[int]
    CUT_BY_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_BY_FIELD_NUMBER: _ClassVar[int]
    RECALL_ASKED_BY_FIELD_NUMBER: _ClassVar[int]
    RECALLED_BY_FIELD_NUMBER: _ClassVar[int]
    RECALL_WHY_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    number: int
    state: str
    data_until: str
    content_sha256: str
    cut_by: str
    published_by: str
    recall_asked_by: str
    recalled_by: str
    recall_why: str
    def __init__(self, release_id: _Optional[str] = ..., number: _Optional[int] = ..., state: _Optional[str] = ..., data_until: _Optional[str] = ..., content_sha256: _Optional[str] = ..., cut_by: _Optional[str] = ..., published_by: _Optional[str] = ..., recall_asked_by: _Optional[str] = ..., recalled_by: _Optional[str] = ..., recall_why: _Optional[str] = ...) -> None: ...

class CutReleaseRequest(_message.Message):
    __slots__ = ("release_id", "data_until", "anyway")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ANYWAY_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    data_until: str
    anyway: bool
    def __init__(self, release_id: _Optional[str] = ..., data_until: _Optional[str] = ..., anyway: _Optional[bool] = ...) -> None: ...

class CutReleaseResponse(_message.Message):
    __slots__ = ("progress", "release")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    progress: str
    release: KnownRelease
    def __init__(self, progress: _Optional[str] = ..., release: _Optional[_Union[KnownRelease, _Mapping]] = ...) -> None: ...

class CheckReleaseRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class CheckReleaseResponse(_message.Message):
    __slots__ = ("attacked", "narrowest")
    ATTACKED_FIELD_NUMBER: _ClassVar[int]
    NARROWEST_FIELD_NUMBER: _ClassVar[int]
    attacked: int
    narrowest: int
    def __init__(self, attacked: _Optional[int] = ..., narrowest: _Optional[int] = ...) -> None: ...

class PublishReleaseRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class PublishReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: KnownRelease
    def __init__(self, release: _Optional[_Union[KnownRelease, _Mapping]] = ...) -> None: ...

class DiscardReleaseRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class DiscardReleaseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RecallReleaseRequest(_message.Message):
    __slots__ = ("release_id", "why")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    why: str
    def __init__(self, release_id: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class RecallReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: KnownRelease
    def __init__(self, release: _Optional[_Union[KnownRelease, _Mapping]] = ...) -> None: ...

class ListAllReleasesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListAllReleasesResponse(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[KnownRelease]
    def __init__(self, releases: _Optional[_Iterable[_Union[KnownRelease, _Mapping]]] = ...) -> None: ...

class ShowReleaseRequest(_message.Message):
    __slots__ = ("release_id",)
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    def __init__(self, release_id: _Optional[str] = ...) -> None: ...

class ShowReleaseResponse(_message.Message):
    __slots__ = ("release", "manifest_json")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_JSON_FIELD_NUMBER: _ClassVar[int]
    release: KnownRelease
    manifest_json: str
    def __init__(self, release: _Optional[_Union[KnownRelease, _Mapping]] = ..., manifest_json: _Optional[str] = ...) -> None: ...

class VerifyReleasesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyReleasesResponse(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[KnownRelease]
    def __init__(self, releases: _Optional[_Iterable[_Union[KnownRelease, _Mapping]]] = ...) -> None: ...
