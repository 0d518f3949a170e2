"""Commands for data stewards, who decide doubtful links. The review page has the same functions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_core.commands import os_user

from childlink_linker.cli.common import main
from childlink_linker.clustering.verdicts import PROPOSALS, VERDICTS

if TYPE_CHECKING:
    from childlink_linker.clustering.verdicts import Proposal, Verdict
    from childlink_linker.review.cases import Pair
    from childlink_linker.review.patterns import Pattern
    from childlink_linker.review.workflow import ReviewWorkflow


@main.group("review")
def review_group() -> None:
    """List doubtful pairs, compare their records, decide and undo."""


def _pair(_context: click.Context, _parameter: click.Parameter, value: str) -> Pair:
    one, dash, other = value.partition("-")
    if not (dash and one.isdigit() and other.isdigit()):
        raise click.BadParameter("give a pair as two numbers, such as 12-57; see `review list`")
    return int(one), int(other)


_steward = click.option(
    "--by", "steward", required=True, help="Name of the person who decides, as others know it."
)


@contextmanager
def _deciding(settings_file: Path | None) -> Iterator[ReviewWorkflow]:
    from childlink_linker import app
    from childlink_linker.metrics import LinkerMetrics
    from childlink_linker.settings import LinkerSettings

    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        yield linker.desk()
    finally:
        linker.close()


@review_group.command("list")
@click.option("--most", default=20, show_default=True, help="Number of cases to show.")
@click.pass_obj
def review_list(settings_file: Path | None, most: int) -> None:
    """List the waiting pairs, clearest first. Pairs with people in common are one case."""

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    waiting = app.reading_desk(LinkerSettings.load(settings_file)).cases(os_user())
    pairs = sum(len(case.doubts) for case in waiting)
    click.echo(
        f"{pairs:,} pairs wait, in {len(waiting):,} cases"
        if waiting
        else "No pairs wait for a decision."
    )
    for case in waiting[:most]:
        since = datetime.fromtimestamp(case.since_ms / 1000, UTC)
        click.echo(f"  case {case.number}, since {since:%Y-%m-%d}")
        for doubt in case.doubts:
            again = f", {doubt.unsure} did not know" if doubt.unsure else ""
            again += ", second opinion requested" if doubt.asks_second else ""
            again += "".join(
                f", {name}'s partner: {said}"
                for name, said in zip("AB", doubt.own_checks, strict=True)
                if said
            )
            pair = f"{doubt.pair[0]}-{doubt.pair[1]}"
            click.echo(
                f"    {pair:15} {doubt.weight:+4.0f} bits  {doubt.persons[0]} and"
                f" {doubt.persons[1]}{again}"
            )


@review_group.command("show")
@click.argument("pair", callback=_pair)
@click.pass_obj
def review_show(settings_file: Path | None, pair: Pair) -> None:
    """Show what the records of two people (A1, A2, ... and B1, B2, ...) agree on, and what that
    alone would weigh. No values are shown.
    """

    from childlink_linker import app
    from childlink_linker.cli.looking import show_comparisons
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).show(os_user(), pair)
    if not found:
        click.echo("The records of these two people have nothing to compare.")
    show_comparisons(found)


@review_group.command("decide")
@click.argument("pair", callback=_pair)
@click.argument("verdict", type=click.Choice(VERDICTS))
@_steward
@click.option(
    "--why", "reason", required=True, help="What you know. Do not give names, dates or numbers."
)
@click.option(
    "--second-opinion", is_flag=True, help="Your verdict counts when another steward agrees."
)
@click.pass_obj
def review_decide(
    settings_file: Path | None,
    pair: Pair,
    verdict: Verdict,
    steward: str,
    reason: str,
    second_opinion: bool,
) -> None:
    """Record a verdict on a pair: same person, different people, unsure, or passed (for example
    because you know one of them).

    A decision is kept when records are re-linked. It can be undone.
    """
    with _deciding(settings_file) as desk:
        outcome = desk.decide(steward, [(pair, verdict)], reason, asks_second=second_opinion)
    click.echo(f"recorded; {len(outcome.linked):,} links changed")


@review_group.command("patterns")
@_steward
@click.pass_obj
def review_patterns(settings_file: Path | None, steward: str) -> None:
    """List the patterns that wait for you: pairs whose records agree and differ in the same fields.

    `review propose` gives one verdict on all pairs of a pattern.
    """
    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).patterns(steward)
    if not found:
        click.echo("No pattern has two or more pairs that wait for you. See `review list`.")
    for item in found:
        click.echo(_pattern_line(item))


@review_group.command("pattern")
@click.argument("pattern")
@_steward
@click.pass_obj
def review_pattern(settings_file: Path | None, pattern: str, steward: str) -> None:
    """Show what the pairs of a pattern agree on, and some of its pairs."""
    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).pattern(steward, pattern)
    click.echo(_pattern_line(found))
    for finding in found.findings:
        click.echo(f"  {finding.what:50} {finding.outcome:16} {finding.bits:+4.0f} bits")
    click.echo("  such as " + ", ".join(f"{one}-{other}" for one, other in found.examples))


def _pattern_line(item: Pattern) -> str:
    said = "".join(
        f", {count:,} proposed as {verdict}"
        for verdict in PROPOSALS
        if (count := item.proposed(verdict))
    )
    return (
        f"pattern {item.name}: {len(item.doubts):,} pairs, {item.expected_same:.0%} expected to be"
        f" one person{said}"
    )


@review_group.command("propose")
@click.argument("pattern")
@click.argument("verdict", type=click.Choice(PROPOSALS))
@_steward
@click.option(
    "--why", "reason", required=True, help="What you know. Do not give names, dates or numbers."
)
@click.pass_obj
def review_propose(
    settings_file: Path | None, pattern: str, verdict: Proposal, steward: str, reason: str
) -> None:
    """Propose a verdict on all pairs of a pattern. It counts when another steward proposes the
    same.
    """
    with _deciding(settings_file) as desk:
        pairs, outcome = desk.propose(steward, pattern, verdict, reason)
    click.echo(f"recorded for {pairs:,} pairs; {len(outcome.linked):,} links changed")


@review_group.command("ask")
@click.argument("pair", callback=_pair)
@click.argument("whose", type=click.Choice(("A", "B")))
@_steward
@click.pass_obj
def review_ask(settings_file: Path | None, pair: Pair, whose: str, steward: str) -> None:
    """Ask the partner that recorded A (the first of the pair) or B to check its own row. The
    partner sees it among decoys.
    """
    with _deciding(settings_file) as desk:
        desk.ask_partner(steward, pair, larger=whose == "B")
    click.echo("asked; `review list` shows the answer when it comes")


@review_group.command("decisions")
@click.pass_obj
def review_decisions(settings_file: Path | None) -> None:
    """List all decisions, oldest first: what, who, when, why, and whether each was undone."""

    from childlink_linker import app
    from childlink_linker.settings import LinkerSettings

    found = app.reading_desk(LinkerSettings.load(settings_file)).decisions(os_user())
    if not found:
        click.echo("There are no decisions yet.")
    for item in found:
        at = datetime.fromtimestamp(item.at_ms / 1000, UTC)
        more = " (second opinion requested)" if item.asks_second else ""
        more += f" (undone by {item.undone_by})" if item.undone_by else ""
        pair = f"{item.pair[0]}-{item.pair[1]}"
        click.echo(
            f"{item.decision_id:4} {at:%Y-%m-%d %H:%M}Z {pair:15} {item.verdict:9} {item.steward}:"
            f" {item.reason}{more}"
        )


@review_group.command("undo")
@click.argument("decision_id", type=int)
@_steward
@click.option(
    "--whole",
    is_flag=True,
    help="Also undo what the same steward decided in the same step, such as a pattern.",
)
@click.pass_obj
def review_undo(settings_file: Path | None, decision_id: int, steward: str, whole: bool) -> None:
    """Undo a decision. It stays in the record."""
    with _deciding(settings_file) as desk:
        outcome = desk.undo(steward, decision_id, whole=whole)
    click.echo(f"undone; {len(outcome.linked):,} links changed")
