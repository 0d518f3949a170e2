"""The current content of a file. It is read again when the file changes.

An entry that an operator removes therefore stops working at once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Content = TypeVar("Content")


class CurrentFile(Generic[Content]):
    """Caches the result of `read` for one file.

    `read` raises UserError for a file that cannot be used. The cache is then dropped, so a broken
    file never falls back to old content.
    """

    def __init__(self, path: Path, read: Callable[[Path], Content]) -> None:
        self._path, self._read = path, read
        self._held: tuple[tuple[int, int], Content] | None = None
        self.now()

    def now(self) -> Content:
        """The current content. Raises what `read` raises."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp = None
        held = self._held
        if held is None or held[0] != stamp:
            self._held = None
            content = self._read(self._path)
            self._held = (stamp, content) if stamp else None
            return content
        return held[1]
