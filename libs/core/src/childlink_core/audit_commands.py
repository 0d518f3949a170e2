"""Print audit trails, and parse a noted entry."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

import click

from childlink_core.audit import Entry, Head


def echo_trail(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Print an audit trail, for people or as JSON lines."""
    for entry in entries:
        if as_json:
            click.echo(json.dumps({**asdict(entry), "digest": entry.digest.hex()}))
        else:
            detail = ", ".join(f"{name} {value}" for name, value in entry.detail.items())
            at = datetime.fromtimestamp(entry.at_ms / 1000, UTC)
            line = f"{entry.number:6} {at:%Y-%m-%d %H:%M:%S}Z  {entry.who}: {entry.action} {detail}"
            click.echo(line.rstrip())


def read_note(noted: str) -> Head | None:
    """Parse a noted entry, in the form that `echo_head` prints."""
    number, _, digest = noted.partition(":")
    try:
        return Head(int(number), bytes.fromhex(digest)) if noted else None
    except ValueError:
        raise click.BadParameter(
            "give NUMBER:HASH, as `audit verify` prints it", param_hint="--noted"
        ) from None


def echo_head(head: Head) -> None:
    """Print the last entry of a verified trail."""
    click.echo(f"{head.number:,} entries, none changed. Note: {head.number}:{head.digest.hex()}")
