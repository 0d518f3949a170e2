"""The register of approvals of mapping, dataset contract and encoding profile, each by hash.

The register is a JSON file next to the settings. `run` sends nothing if the mapping is not
approved, or has changed since.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

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


def approve(register: Path, mapping_file: Path, approved: Approved, by: str) -> Approval:
    """Add an approval to the register."""
    approval = Approval(
        mapping_file.name, by, datetime.now(UTC).isoformat(timespec="seconds"), approved
    )
    content = [asdict(item) for item in read_register(register)] + [asdict(approval)]
    register.parent.mkdir(parents=True, exist_ok=True)
    unfinished = register.with_suffix(".part")
    unfinished.write_text(
        json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    unfinished.replace(register)
    return approval


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
    if not register.exists():
        return []
    try:
        content = json.loads(register.read_text(encoding="utf-8"))
        return [
            Approval(item["file"], item["by"], item["at"], Approved(**item["of"]))
            for item in content
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotApprovedError(
            f"{register} is not a register of approvals ({type(error).__name__}).",
            "Restore it from its backup, or approve the mappings again.",
        ) from None
