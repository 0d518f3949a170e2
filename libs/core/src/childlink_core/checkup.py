"""Building blocks of the `doctor` commands.

Checks only read. A failed check says what is wrong and what to do.

>>> def fails() -> str:
...     raise UserError("The disk is full.", "Free space.")
>>> checks = [("disk", fails), ("clock", lambda: "right")]
>>> [(finding.what, finding.ok) for finding in examine(checks)]
[('disk', False), ('clock', True)]
"""

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
"""Name of the check, and the check itself. It returns what it found, or raises UserError."""


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    what: str
    ok: bool
    says: str
    remedy: str = ""


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Run every check. A failed check does not stop the others."""
    for what, check in checks:
        try:
            yield Finding(what, True, check())
        except UserError as error:
            yield Finding(what, False, error.problem, error.remedy)


def show(findings: Iterable[Finding]) -> int:
    """Print each finding as it arrives. Returns the number of failed checks."""
    bad = 0
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FIX '} {finding.what}: {finding.says}")
        if not finding.ok:
            bad += 1
            click.echo(f"       what to do: {finding.remedy}")
    click.echo("All checks passed." if not bad else f"{bad} to fix.")
    return bad


def free_space(folder: Path, least_bytes: int, why: str) -> str:
    """Raise UserError unless at least `least_bytes` are free on the disk that holds `folder`."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise UserError(
            f"{folder} cannot be read ({error.strerror}).", "Correct the setting."
        ) from None
    if free < least_bytes:
        raise UserError(f"Only {free / 1e9:.1f} GB are free at {folder}.", f"Free space: {why}")
    return f"{free / 1e9:.0f} GB free at {folder}"


def read_certificates(path: Path) -> Sequence[x509.Certificate]:
    """Read the certificates of a PEM file (at least one). Raises UserError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a certificate ({type(error).__name__}).", "Correct the setting."
        ) from None


def certificates_last(paths: Iterable[Path], remedy: str) -> str:
    """Raise UserError if one of these certificates has expired or expires within 30 days."""
    ends = {
        path: min(item.not_valid_after_utc for item in read_certificates(path)) for path in paths
    }
    soonest = min(ends, key=lambda path: ends[path])
    days = (ends[soonest] - datetime.now(UTC)).days
    if days < CERTIFICATE_WARNING_DAYS:
        said = "expired" if days < 0 else "expires"
        raise UserError(f"{soonest} {said} on {ends[soonest]:%Y-%m-%d}.", remedy)
    return f"valid for {days} more days"
