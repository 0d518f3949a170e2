"""The desk of release managers and auditors: cut, check, publish, discard and retract releases over
gRPC. The service knows each person by their certificate or token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
from childlink.analytics.v1 import release_pb2 as pb
from childlink.analytics.v1 import release_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from childlink_client.client import Client

_LONGEST_CUT_S: Final = 3600.0


@dataclass(frozen=True)
class KnownRelease:
    """A release as the store knows it."""

    id: str
    number: int
    state: str
    """`draft`, `published`, `recalling`, `recalled` or `discarded`."""
    data_until: str
    sha256: str
    cut_by: str
    published_by: str
    recall_asked_by: str
    recall_why: str

    @classmethod
    def of(cls, message: pb.KnownRelease) -> KnownRelease:
        """Build from the protobuf message."""
        return cls(
            message.release_id,
            message.number,
            message.state,
            message.data_until,
            message.content_sha256,
            message.cut_by,
            message.published_by,
            message.recall_asked_by,
            message.recall_why,
        )

    def line(self) -> str:
        """The release in one line."""
        by = f"cut by {self.cut_by}"
        if self.published_by:
            by += f", published by {self.published_by}"
        if self.recall_asked_by:
            by += f"; retraction asked for by {self.recall_asked_by}: {self.recall_why}"
        return f"{self.number:4} {self.id:14} {self.state:10} data until {self.data_until}; {by}"


class ReleaseDesk:
    """Releases, through an open connection to the release managers' service."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stub = pb_grpc.ReleaseServiceStub(client.channel)

    def cut(
        self,
        release_id: str,
        data_until: str,
        progress: Callable[[str], None] = lambda _what: None,
        *,
        anyway: bool = False,
    ) -> KnownRelease:
        """Cut a draft. Raises ClientError."""
        request = pb.CutReleaseRequest(release_id=release_id, data_until=data_until, anyway=anyway)
        found: KnownRelease | None = None
        for message in self._stream(self._stub.CutRelease, request):
            if message.progress:
                progress(message.progress)
            if message.HasField("release"):
                found = KnownRelease.of(message.release)
        assert found is not None  # noqa: S101 - the last message of a whole stream has it
        return found

    def check(self, release_id: str) -> tuple[int, int]:
        """Attack a draft again. Returns how many small counts were attacked, and the narrowest
        interval. Raises ClientError.
        """
        found = self._call(self._stub.CheckRelease, pb.CheckReleaseRequest(release_id=release_id))
        return found.attacked, found.narrowest

    def publish(self, release_id: str) -> KnownRelease:
        """Publish a draft, as another person than the one who cut it. Raises ClientError."""
        request = pb.PublishReleaseRequest(release_id=release_id)
        return KnownRelease.of(self._call(self._stub.PublishRelease, request).release)

    def discard(self, release_id: str) -> None:
        """Discard a draft. Raises ClientError."""
        self._call(self._stub.DiscardRelease, pb.DiscardReleaseRequest(release_id=release_id))

    def retract(self, release_id: str, why: str = "") -> KnownRelease:
        """Ask for a retraction, or do what another person asked for. Raises ClientError."""
        request = pb.RecallReleaseRequest(release_id=release_id, why=why)
        return KnownRelease.of(self._call(self._stub.RecallRelease, request).release)

    def all(self) -> list[KnownRelease]:
        """All releases, newest first."""
        found = self._call(self._stub.ListAllReleases, pb.ListAllReleasesRequest())
        return [KnownRelease.of(item) for item in found.releases]

    def show(self, release_id: str) -> tuple[KnownRelease, str]:
        """One release, with its manifest as JSON."""
        found = self._call(self._stub.ShowRelease, pb.ShowReleaseRequest(release_id=release_id))
        return KnownRelease.of(found.release), found.manifest_json

    def verify(self) -> list[KnownRelease]:
        """Check that every release is what was cut. Raises ClientError."""
        found = self._call(self._stub.VerifyReleases, pb.VerifyReleasesRequest())
        return [KnownRelease.of(item) for item in found.releases]

    def _call(self, method: Callable[..., Any], request: object) -> Any:
        return self._client.put(method, request, _LONGEST_CUT_S)

    def _stream(self, method: Callable[..., Any], request: object) -> Iterator[Any]:
        stream = self._client.put(method, request, _LONGEST_CUT_S)
        try:
            yield from stream
        except grpc.RpcError as error:
            raise self._client.explained(error) from None
