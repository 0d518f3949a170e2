"""Read-only commands: why records are one person, how an identifier changed, how well linkage
works, and the audit trail.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.commands import os_user
from childlink_core.errors import UserError

from childlink_linker.cli.common import main

if TYPE_CHECKING:
    from childlink_linker.relinking import missed
    from childlink_linker.review import explain

_MISSED_COLUMNS = (
    *("partner", "role", "people", "numbered", "tested", "missed", "wrong"),
    *("share", "share_low", "share_high"),
)


@main.command("explain")
@click.argument("identifier")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def explain_person(settings_file: Path | None, identifier: str, as_json: bool) -> None:
    """Explain why the records of a person are one.

    For each pair of records it shows what they agree on, and what that alone would weigh, in bits.
    Fields overlap, so the parts do not add up to the match weight. No value, reference or partner
    is shown. Records are named by letters.
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
            "There is nothing to compare: the person has one record, or all records have the same"
            " local id at one partner.",
        )
    show_comparisons(found.comparisons)


@main.command("history")
@click.argument("identifier")
@click.pass_obj
def history_of(settings_file: Path | None, identifier: str) -> None:
    """Show all changes of an identifier, oldest first: assignments, merges, splits and
    withdrawals.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    for change in app.reading_desk(LinkerSettings.load(settings_file)).history(
        os_user(), identifier
    ):
        moved = f"{change.before or 'new'} -> {change.after or 'forgotten'}"
        if change.family:
            anchor = f"on {change.after}" if change.kind == "anchored" else change.after
            moved = f"{change.family} {anchor if change.after else ''}"
        what = f"subject {change.subject}" if change.subject else ""
        click.echo(f"{change.at:%Y-%m-%d %H:%M:%S}Z  {what:11} {change.kind:10} {moved}".rstrip())


@main.command("check-store")
@click.pass_obj
def check_store(settings_file: Path | None) -> None:
    """Check that the event log and the tables give the same identifiers. Use it after a restore, or
    when in doubt.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    subjects, families = app.reading_desk(LinkerSettings.load(settings_file)).check_store(os_user())
    click.echo(
        f"{subjects:,} subjects and {families:,} families: the event log and the tables agree"
    )


@main.command("quality")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def quality_of_linkage(settings_file: Path | None, as_json: bool) -> None:
    """Show how well linkage works, without known truth.

    For each dataset and version of the linkage secret, shows the shares of records that have a
    person in another dataset, that wait for review, that have an NHS number, and that carry each
    pass. Datasets are named by their facet. For the review queue, shows how many of its pairs are
    expected to be one person.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).quality(os_user())
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    if not found.datasets:
        click.echo("The store is empty.")
    for item in found.datasets:
        passes = ", ".join(f"{name} {share:.0%}" for name, share in item.passes.items() if share)
        click.echo(
            f"dataset {item.dataset}, secret version {item.key_version}: {item.records:,} records;"
            f" {item.matched:.1%} matched, {item.doubtful:.1%} in doubt, {item.numbered:.1%} with"
            f" NHS number; passes: {passes}"
        )
    if found.queue.pairs:
        click.echo(
            f"review queue: {found.queue.pairs:,} pairs; {found.queue.expected_same:.0%} are"
            " expected to be one person"
        )
    if dates := found.children_of_a_date:
        click.echo(
            f"children of one date of birth: usually {dates.usual:,}, at most {dates.most:,}; the"
            f" profile is issued for {dates.issued_for:,} births a day: {dates.advice()}"
        )


@main.command("missed")
@click.option(
    "--sample",
    default=300,
    show_default=True,
    type=click.IntRange(10),
    help="Test at most so many children and adults of each partner.",
)
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV file."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def missed_links(
    settings_file: Path | None, sample: int, csv_file: Path | None, as_json: bool
) -> None:
    """Estimate how many links are missed for want of an NHS number, without known truth.

    Records of two partners with one NHS number are one person. The command hides the number of
    one of them at a time, and decides again with the parameters in use. So it sees how often a
    record without a number is linked with none of the person's other records, or with a record
    that has another number. Nothing is changed. It takes about a minute for 3,000 tests.

    The estimate assumes that partners write names and dates as well for people without a number.
    An analyst gives the percentage to `childlink compare --missed`.
    """

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    settings = LinkerSettings.load(settings_file)
    if csv_file:
        try:
            csv_file.touch()
        except OSError as error:
            raise UserError(
                f"{csv_file} cannot be written: {error.strerror}.", "Give another file."
            ) from None
    app.reading_desk(settings).note(os_user(), "missed", sample=sample)
    with click.progressbar(length=1, label="Testing", file=sys.stderr) as bar:

        def progress(done: int, every: int) -> None:
            bar.length = every
            bar.update(1)

        found = app.missed_in_store(settings, sample, progress)
    rows = [_missed_row(item) for item in found]
    if csv_file:
        with csv_file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _MISSED_COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not found:
        click.echo("The store is empty.")
    for item, row in zip(found, rows, strict=True):
        start = f"{item.partner}, {row['role']}"
        people = f"{item.people:,} people, {item.numbered:.0%} with NHS number"
        if item.share is None:
            click.echo(f"{start}: not known, no number is at another partner too; {people}")
            continue
        share, low, high = item.share
        click.echo(
            f"{start}: {share:.2%} missed ({low:.2%} to {high:.2%}); of {item.tested:,} tested,"
            f" {item.missed:,} missed, {item.wrong:,} linked with another number; {people}"
        )


def _missed_row(item: missed.Missed) -> dict[str, str | int | float | None]:
    from childlink_linker.matching.parameters import ROLE_NAMES

    shares = [None if end is None else round(end, 5) for end in item.share or (None,) * 3]
    numbered = round(item.numbered, 4)
    tests = (item.tested, item.missed, item.wrong)
    values = (item.partner, ROLE_NAMES[item.role], item.people, numbered, *tests, *shares)
    return dict(zip(_MISSED_COLUMNS, values, strict=True))


def show_comparisons(found: Sequence[explain.Comparison]) -> None:
    """Print what records agree on."""
    for item in found:
        click.echo(f"\n{item.one} and {item.other}: {item.weight:+.0f} bits")
        for finding in item.findings:
            click.echo(f"    {finding.what:42} {finding.outcome:16} {finding.bits:+4.0f}")


@main.group()
def audit() -> None:
    """Show and verify the audit trail of the store: who viewed what, and who decided what."""


@audit.command("show")
@click.option("--after", default=0, help="Show only entries after this number.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON lines, for an archive or another system."
)
@click.pass_obj
def audit_show(settings_file: Path | None, after: int, as_json: bool) -> None:
    """Print the audit trail, oldest first."""

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
    help="NUMBER:HASH from an earlier `verify`. Detects entries removed from the end since then.",
)
@click.pass_obj
def audit_verify(settings_file: Path | None, noted: str) -> None:
    """Check that no entry was changed, removed or moved.

    Keep the printed line in another place, for --noted.
    """

    from childlink_core.audit_commands import echo_head, read_note

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    earlier = read_note(noted)
    echo_head(app.reading_desk(LinkerSettings.load(settings_file)).verify_audit(earlier))
