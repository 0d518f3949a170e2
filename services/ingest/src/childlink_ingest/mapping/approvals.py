"""The registers of previews and approvals of mapping, dataset contract and encoding profile, each
by hash.

Both are JSON files next to the settings. A mapping can be approved only as it was previewed. `run`
sends nothing if the mapping is not approved, or has changed since.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from childlink_core.profiles import Profile

from childlink_ingest.errors import NotApprovedError
from childlink_ingest.mapping.definition import Mapping


@dataclass(frozen=True)
class Approved:
    """What an approval covers."""

    mapping: str
    """SHA-256 of the mapping file, byte for byte, and of the look-up files that it names."""
    dataset: str
    """Name, version and fingerprint of the contract."""
    profile: str
    """Id and fingerprint of the encoding profile."""


@dataclass(frozen=True)
class Approval:
    """One approval."""

    file: str
    by: str
    at: str
    """UTC, in ISO 8601."""
    of: Approved
    account: str = ""
    """The operating-system account that recorded it. Approvals of older versions have none."""


@dataclass(frozen=True)
class Preview:
    """One look at what would be sent."""

    file: str
    extract: str
    account: str
    at: str
    """UTC, in ISO 8601."""
    of: Approved


def what(mapping_file: Path, mapping: Mapping, profile: Profile) -> Approved:
    """What an approval of this mapping would cover."""
    dataset = mapping.dataset
    return Approved(
        hashlib.sha256(
            b"\0".join([mapping_file.read_bytes(), *(text.encode() for text in mapping.lookups)])
        ).hexdigest(),
        f"{dataset.name} v{dataset.version} {dataset.fingerprint[:16]}",
        f"{profile.id} {profile.fingerprint.hex()[:16]}",
    )


def approve(
    register: Path, mapping_file: Path, approved: Approved, by: str, account: str = ""
) -> Approval:
    """Add an approval to the register."""
    approval = Approval(mapping_file.name, by, _now(), approved, account)
    _write(register, [*read_register(register), approval])
    return approval


def note_preview(
    register: Path, mapping_file: Path, extract: Path, shown: Approved, account: str
) -> None:
    """Note that somebody looked at what would be sent. Only the newest look at a mapping counts."""
    others = [item for item in read_previews(register) if item.file != mapping_file.name]
    _write(register, [*others, Preview(mapping_file.name, extract.name, account, _now(), shown)])


def check_previewed(register: Path, mapping_file: Path, wanted: Approved) -> Preview:
    """The preview of exactly this content. Raises NotApprovedError if there is none."""
    found = [item for item in read_previews(register) if item.file == mapping_file.name]
    for item in found:
        if item.of == wanted:
            return item
    why = f"changed since its preview on {found[0].at[:10]}" if found else "was not previewed"
    raise NotApprovedError(
        f"{mapping_file.name} {why}, so nobody has seen what it would send.",
        f"Look at it first: childlink-ingest preview EXTRACT --mapping {mapping_file.name} --html"
        " preview.html. Then approve it.",
    )


def check_approved(register: Path, mapping_file: Path, wanted: Approved) -> Approval:
    """The newest approval of exactly this content.

    Raises NotApprovedError that says what changed since the last approval.
    """
    approvals = [item for item in read_register(register) if item.file == mapping_file.name]
    for item in reversed(approvals):
        if item.of == wanted:
            return item
    how = (
        f"childlink-ingest preview EXTRACT --mapping {mapping_file.name} --html preview.html, then"
        " childlink-ingest approve"
    )
    if not approvals:
        raise NotApprovedError(
            f"{mapping_file.name} is not approved.",
            f"Review what would be sent, then approve it: {how}.",
        )
    last = approvals[-1]
    changed = [
        name
        for name in ("mapping", "dataset", "profile")
        if getattr(last.of, name) != getattr(wanted, name)
    ]
    raise NotApprovedError(
        f"The {' and the '.join(changed)} of {mapping_file.name} changed since {last.by} approved"
        f" it on {last.at[:10]}.",
        f"Nothing was sent. Review what would now be sent, then approve it again: {how}.",
    )


def read_register(register: Path) -> list[Approval]:
    """Every approval, oldest first. Raises NotApprovedError."""
    return [
        Approval(item["file"], item["by"], item["at"], Approved(**item["of"]), item["account"])
        for item in _read(register, {"file", "by", "at", "of"})
    ]


def read_previews(register: Path) -> list[Preview]:
    """The newest preview of each mapping. Raises NotApprovedError."""
    return [
        Preview(item["file"], item["extract"], item["account"], item["at"], Approved(**item["of"]))
        for item in _read(register, {"file", "extract", "at", "of"})
    ]


def _read(register: Path, needed: set[str]) -> list[dict[str, Any]]:
    if not register.exists():
        return []
    try:
        content = json.loads(register.read_text(encoding="utf-8"))
        whole = all(
            needed <= set(item) and set(item["of"]) == {"mapping", "dataset", "profile"}
            for item in content
        )
    except (OSError, ValueError, TypeError):
        whole = False
    if not whole:
        raise NotApprovedError(
            f"{register} is damaged.",
            "Restore it from its backup, or delete it, and preview and approve the mappings again.",
        )
    return [{"account": "", **item} for item in content]


def _write(register: Path, items: Sequence[Approval | Preview]) -> None:
    register.parent.mkdir(parents=True, exist_ok=True)
    unfinished = register.with_suffix(".part")
    text = json.dumps([asdict(item) for item in items], indent=2, ensure_ascii=False)
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(register)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
