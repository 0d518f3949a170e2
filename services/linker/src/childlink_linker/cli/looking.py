"""Commands that look: why records are one person, what became of an identifier, how linkage does,
who looked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.commands import os_user

from childlink_linker.cli.common import main

if TYPE_CHECKING:
    from childlink_linker.review import explain


@main.command("explain")
@click.argument("identifier")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def explain_person(settings_file: Path | None, identifier: str, as_json: bool) -> None:
    """Why are the records of this person one? What each two agree on, and what that alone would
    weigh, in bits.

    Fields overlap, so the parts do not add up to the match weight. No value, reference or partner
    is shown; records are letters.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).explain(os_user(), identifier)
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    family = f", of family {found.family_id}" if found.family_id else ""
    click.echo(f"{found.person_id}{family}: {found.records} records of {found.sources} datasets")
    if not found.comparisons:
        click.echo(
            "There is nothing to compare: one record, or records of one subject, which are one"
            " person by its partner's word."
        )
    show_comparisons(found.comparisons)


@main.command("history")
@click.argument("identifier")
@click.pass_obj
def history_of(settings_file: Path | None, identifier: str) -> None:
    """What became of an identifier: who was given it, merges, splits and withdrawals, oldest
    first.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    for change in app.reading_desk(LinkerSettings.load(settings_file)).history(
        os_user(), identifier
    ):
        moved = f"{change.before or 'new'} -> {change.after or 'forgotten'}"
        if change.family:
            moved = (
                f"{change.family}"
                f" {'on ' + change.after if change.kind == 'anchored' and change.after else change.after or ''}"  # noqa: E501
            )
        what = f"subject {change.subject}" if change.subject else ""
        click.echo(f"{change.at:%Y-%m-%d %H:%M:%S}Z  {what:11} {change.kind:10} {moved}".rstrip())


@main.command("check-store")
@click.pass_obj
def check_store(settings_file: Path | None) -> None:
    """Replay the event log and compare what it makes with the tables: after a restore, or when in
    doubt.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    subjects, families = app.reading_desk(LinkerSettings.load(settings_file)).check_store(os_user())
    click.echo(
        f"{subjects:,} subjects and {families:,} families: the event log and the tables say the"
        " same"
    )


@main.command("quality")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def quality_of_linkage(settings_file: Path | None, as_json: bool) -> None:
    """How linkage does, without truth: for each dataset and version of the linkage secret, the
    share of records whose person another dataset knows too, that is in doubt, that has an NHS
    number, and that carries each pass. Datasets are told by their facet.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).quality(os_user())
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found], indent=1))
        return
    if not found:
        click.echo("The store is empty.")
    for item in found:
        passes = ", ".join(f"{name} {share:.0%}" for name, share in item.passes.items() if share)
        click.echo(
            f"dataset {item.dataset}, secret version {item.key_version}: {item.records:,} records;"
            f" {item.matched:.1%} matched, {item.doubtful:.1%} in doubt, {item.numbered:.1%} with"
            f" NHS number; passes: {passes}"
        )


def show_comparisons(found: Sequence[explain.Comparison]) -> None:
    """Print what records agree on."""
    for item in found:
        click.echo(f"\n{item.one} and {item.other}: {item.weight:+.0f} bits")
        for finding in item.findings:
            click.echo(f"    {finding.what:42} {finding.outcome:16} {finding.bits:+4.0f}")


@main.group()
def audit() -> None:
    """Who looked at what and decided what: every look at the store by a person is in this trail."""


@audit.command("show")
@click.option("--after", default=0, help="Leave out entries up to this number.")
@click.option(
    "--json", "as_json", is_flag=True, help="JSON lines, for an archive or another system."
)
@click.pass_obj
def audit_show(settings_file: Path | None, after: int, as_json: bool) -> None:
    """The audit trail, oldest first."""

    from childlink_core.audit_commands import echo_trail

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    echo_trail(
        app.reading_desk(LinkerSettings.load(settings_file)).audit_trail(after), as_json=as_json
    )


@audit.command("verify")
@click.option(
    "--noted",
    default="",
    help="NUMBER:HASH as an earlier `verify` printed it: finds entries cut off since.",
)
@click.pass_obj
def audit_verify(settings_file: Path | None, noted: str) -> None:
    """Check that no entry was changed, removed or moved. Note the line that it prints somewhere
    else.
    """

    from childlink_core.audit_commands import echo_head, read_note

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    earlier = read_note(noted)
    echo_head(app.reading_desk(LinkerSettings.load(settings_file)).verify_audit(earlier))
