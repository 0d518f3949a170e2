"""The releases in the folder that the answering process serves. Adapter."""

import threading
import time
from pathlib import Path
from typing import Final

import structlog

from childlink_analytics.answering.metrics import ServingMetrics
from childlink_analytics.errors import QuestionError, ReleaseError, RetractedError
from childlink_analytics.shared.release_files import Release, read_release, release_ids

log = structlog.get_logger()
_LOOK_AGAIN_S: Final = 2.0


class ReleaseRepository:
    """The releases in a folder. A new or retracted release is noticed within seconds; the first one
    at once. Damaged releases are not served.

    For use by many threads. While one thread reads the folder, the others see the previous
    releases, or wait if there were none.
    """

    def __init__(self, folder: Path, metrics: ServingMetrics) -> None:
        self._folder, self._metrics = folder, metrics
        self._releases: dict[str, Release] = {}
        self._damaged: set[str] = set()
        self._retracted: dict[str, str] = {}
        self._looking = threading.Lock()
        self._look()

    def all(self) -> list[Release]:
        """All releases, newest first."""
        if self._is_due() and self._looking.acquire(blocking=not self._releases):
            try:
                if self._is_due():
                    self._look()
            finally:
                self._looking.release()
        return sorted(self._releases.values(), key=lambda release: -release.number)

    def get(self, release_id: str) -> Release:
        """A release by name, or the newest one. Raises QuestionError."""
        releases = self.all()
        if not releases:
            raise QuestionError("release_id", "there is no release yet", [], True)
        if not release_id:
            return releases[0]
        for release in releases:
            if release.release_id == release_id:
                return release
        if release_id in self._retracted:
            raise QuestionError(
                "release_id", self._retracted[release_id], [r.release_id for r in releases], True
            )
        raise QuestionError(
            "release_id",
            f"there is no release {release_id!r}",
            [r.release_id for r in releases],
            True,
        )

    def _is_due(self) -> bool:
        return not self._releases or time.monotonic() - self._looked_at > _LOOK_AGAIN_S

    def _look(self) -> None:
        names = release_ids(self._folder)
        kept = {name for name in names if not (self._folder / name / "recalled.json").exists()}
        releases = {name: release for name, release in self._releases.items() if name in kept}
        for name in names:
            if name not in releases and name not in self._damaged and name not in self._retracted:
                try:
                    releases[name] = read_release(self._folder, name)
                except RetractedError as error:
                    self._retracted[name] = error.problem.rstrip(".")
                except (ReleaseError, KeyError, TypeError, ValueError) as error:
                    self._damaged.add(name)
                    log.error("release not served", release=name, error_type=type(error).__name__)
        self._releases = releases
        self._looked_at = time.monotonic()
        self._metrics.releases.set(len(self._releases))
        self._metrics.damaged.set(len(self._damaged))
