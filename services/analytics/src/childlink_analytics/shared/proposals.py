"""Proposals of measures as files: the answering process writes them, and release managers read them
and may decline them. Adapter.

A proposal lies in the folder `proposals`, which only the answering process writes. A decision lies
beside the releases, where only the release managers write. So neither can change what the other
said.
"""

import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from childlink_catalogue.errors import CatalogueError
from childlink_catalogue.proposing import Proposal

MOST_KEPT: Final = 200
_DECISIONS: Final = "declined"


@dataclass(frozen=True)
class Stored:
    """A proposal, who made it and when."""

    text: str
    who: str
    on: str
    """YYYY-MM-DD."""
    measures: dict[str, str]
    """The titles of its measures, by id."""
    declined_by: str = ""
    why: str = ""

    @property
    def id(self) -> str:
        """Its name."""
        return Proposal(self.text).id

    def state(self, published: Collection[str]) -> str:
        """What became of it, given the measures of the newest release."""
        if self.declined_by:
            return "declined"
        return "published" if set(self.measures) <= set(published) else "waiting"


@dataclass(frozen=True)
class Proposals:
    """The proposals in a folder, with the decisions beside the releases."""

    folder: Path
    releases: Path

    def add(self, stored: Stored) -> bool:
        """Keep a proposal. False if the same one is there already. Raises CatalogueError."""
        path = self.folder / f"{stored.id}.json"
        if path.exists():
            return False
        if len(list(self.folder.glob("*.json"))) >= MOST_KEPT:
            raise CatalogueError(
                f"{MOST_KEPT} proposals are kept already.",
                "Ask the hub's operator to delete those that are decided.",
            )
        _write(path, asdict(stored))
        return True

    def all(self) -> list[Stored]:
        """All proposals, newest first. A damaged file is left out."""
        found = [self._read(path) for path in self.folder.glob("*.json")]
        return sorted((item for item in found if item), key=lambda item: (item.on, item.id))[::-1]

    def get(self, proposal_id: str) -> Stored:
        """A proposal by its name, or the beginning of it. Raises CatalogueError."""
        found = [item for item in self.all() if item.id.startswith(proposal_id)]
        if len(found) != 1 or not proposal_id:
            known = ", ".join(item.id for item in found or self.all())
            raise CatalogueError(
                f"Several proposals begin with {proposal_id!r}."
                if found
                else f"There is no proposal {proposal_id!r}.",
                f"Use one of: {known}." if known else "No one has proposed anything yet.",
            )
        return found[0]

    def decline(self, proposal_id: str, who: str, why: str) -> Stored:
        """Say that a proposal will not be published, and why. Analysts read it. Raises
        CatalogueError.
        """
        if not why.strip():
            raise CatalogueError("A decision needs a reason.", "Give --why: the proposer reads it.")
        found = self.get(proposal_id)
        said = {"declined_by": who, "why": why.strip()[:500]}
        _write(self.releases / _DECISIONS / f"{found.id}.json", said)
        return self.get(found.id)

    def _read(self, path: Path) -> Stored | None:
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            stored = Stored(said["text"], said["who"], said["on"], dict(said["measures"]))
            decision = self.releases / _DECISIONS / path.name
            if decision.exists():
                more = json.loads(decision.read_text(encoding="utf-8"))
                stored = Stored(
                    stored.text,
                    stored.who,
                    stored.on,
                    stored.measures,
                    more["declined_by"],
                    more["why"],
                )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return stored if f"{stored.id}.json" == path.name else None


def _write(path: Path, content: dict[str, object] | dict[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).rename(path)
    except OSError as error:
        raise CatalogueError(
            f"{path.parent} cannot be written ({error.strerror}).", "Check the folder."
        ) from None
