"""What every `doctor` command is made of: checks that read and change nothing, and say of what
is wrong what to do about it.

>>> def fails() -> str:
...     raise UserError("The disk is full.", "Free space.")
>>> [(finding.what, finding.ok) for finding in examine([("disk", fails), ("clock", lambda: "right")])]
[('disk', False), ('clock', True)]
"""  # noqa: E501

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from cryptography import x509

from childlink_core.errors import UserError

CERTIFICATE_WARNING_DAYS: Final = 30
MOST_CLOCK_SKEW_S: Final = 60.0

Check = tuple[str, Callable[[], str]]
"""What is checked, and the check: it returns what it found, or raises UserError."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    what: str
    ok: bool
    says: str
    remedy: str = ""


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run every check; one that fails does not stop the others."""
    for what, check in checks:
        try:
            yield Finding(what, True, check())
        except UserError as error:
            yield Finding(what, False, error.problem, error.remedy)


def show(findings: Iterable[Finding]) -> int:
    """Print findings as they come. Returns how many are to be fixed."""
    bad = 0
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FIX '} {finding.what}: {finding.says}")
        if not finding.ok:
            bad += 1
            click.echo(f"       what to do: {finding.remedy}")
    click.echo("All is well." if not bad else f"{bad} to fix.")
    return bad


def free_space(folder: Path, least_bytes: int, why: str) -> str:
    """Raise UserError unless so much is free where `folder` is."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise UserError(
            f"{folder} cannot be looked at ({error.strerror}).", "Correct the setting."
        ) from None
    if free < least_bytes:
        raise UserError(f"Only {free / 1e9:.1f} GB are free at {folder}.", f"Free space: {why}")
    return f"{free / 1e9:.0f} GB free at {folder}"


def read_certificates(path: Path) -> Sequence[x509.Certificate]:
    """The certificates of a PEM file, at least one; or UserError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a certificate ({type(error).__name__}).", "Correct the setting."
        ) from None


def certificates_last(paths: Iterable[Path], remedy: str) -> str:
    """Raise UserError if one of these certificates has ended or ends soon."""
    ends = {
        path: min(item.not_valid_after_utc for item in read_certificates(path)) for path in paths
    }
    soonest = min(ends, key=lambda path: ends[path])
    days = (ends[soonest] - datetime.now(UTC)).days
    if days < CERTIFICATE_WARNING_DAYS:
        said = "ended" if days < 0 else "ends"
        raise UserError(f"{soonest} {said} on {ends[soonest]:%Y-%m-%d}.", remedy)
    return f"valid for {days} more days"
