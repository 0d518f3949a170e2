"""The commands of `childlink-linker`."""

import csv
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from childlink_bus.database import migrate, open_database
from childlink_bus.ports import BusError, Subscriber
from childlink_core import __version__, logs, topics
from childlink_core.commands import Commands
from childlink_core.directory import Member, render_directory
from childlink_core.keys import OpeningKey, SecretKey, SigningKey, read_opening_key, read_signing_key, write_key
from childlink_core.profiles import get_profile

from childlink_linker import app, evaluate, explain, relink_commands, review, tables
from childlink_linker.errors import NotAnEvaluationError
from childlink_linker.metrics import LinkerMetrics
from childlink_linker.parameters import load_parameters, render_parameters
from childlink_linker.server import OperatorService, holdings, serve
from childlink_linker.settings import LinkerSettings
from childlink_linker.store import Store

_GAUGES_EVERY_S = 5.0
_RETRY_AFTER_S = 3.0


@click.group(cls=Commands)
@click.version_option(__version__)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    envvar="CHILDLINK_LINKER_SETTINGS",
    help="TOML settings file.",
)
@click.pass_context
def main(ctx: click.Context, settings_file: Path | None) -> None:
    """Assign child, adult and family identifiers from encodings. Holds no name, date of birth, number or attribute."""
    logs.configure("linker")
    ctx.obj = settings_file


@main.command()
@click.pass_obj
def run(settings_file: Path | None) -> None:
    """Consume encodings, assign identifiers, publish links and receipts; until SIGTERM."""
    settings = LinkerSettings.load(settings_file)
    metrics = LinkerMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    linker = app.build(settings, metrics)
    server = None
    if settings.grpc_address:
        service = OperatorService(linker.engine, [settings.profile], linker.handler.parameters.version)
        server = serve(service, settings.grpc_address)
    observed_at = 0.0

    def observe(subscriber: Subscriber) -> None:
        nonlocal observed_at
        if time.monotonic() - observed_at > _GAUGES_EVERY_S:
            linker.observe(subscriber)
            observed_at = time.monotonic()

    click.echo(f"linker: reading from {len(linker.pump.sources)} partners; stop with SIGTERM", err=True)
    try:
        while not stop.is_set():
            try:
                linker.pump.run(stop.is_set, observe)
            except BusError as error:
                click.echo(error.render(), err=True)
                stop.wait(_RETRY_AFTER_S)
    finally:
        if server:
            server.stop(grace=2).wait()
        linker.close()


@main.command()
@click.pass_obj
def status(settings_file: Path | None) -> None:
    """Show how much is linked and how far each partner's stream was read."""
    engine = app.open_store(LinkerSettings.load(settings_file))
    with engine.connect() as tx:
        records, children, adults, families, pairs = holdings(tx)
        click.echo(
            f"{records:,} records: {children:,} children, {adults:,} adults, {families:,} families; {pairs:,} pairs to review"
        )
        for row in tx.execute(tables.ledger.streams.select()):
            click.echo(f"  {row.topic}: epoch {row.epoch}, read up to batch {row.next_sequence - 1}")


@main.command()
@click.option("--revision", default="head", show_default=True, help="'head', 'base' or a revision.")
@click.pass_obj
def migrate_store(settings_file: Path | None, revision: str) -> None:
    """Bring the database's tables to a revision."""
    settings = LinkerSettings.load(settings_file)
    migrate(open_database(settings.database, settings.database_password_file), "childlink_linker", revision)
    click.echo(f"tables are at {revision}")


@main.command()
@click.pass_obj
def republish(settings_file: Path | None) -> None:
    """Send every link again, for an analytics store that lost them."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        click.echo(f"{linker.republish():,} batches sent to {topics.LINKS}")
    finally:
        linker.close()


@main.command()
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Parameter file to write.")
@click.option("--version", "version", required=True, help="Name of the new parameters, for example 'lambeth-2026-11'.")
@click.pass_obj
def estimate(settings_file: Path | None, output: Path, version: str) -> None:
    """Estimate match parameters from the encodings in the store. Changes nothing: `relink` puts them to use."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        parameters = linker.estimate(version)
    finally:
        linker.close()
    output.write_text(render_parameters(parameters, f"Estimated from the store by childlink-linker {__version__}."))
    click.echo(f"{output} written; compare it with the parameters in use, then: childlink-linker relink {output}")


main.add_command(relink_commands.relink)
main.add_command(relink_commands.proposals_group)


@main.command("explain")
@click.argument("identifier")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def explain_person(settings_file: Path | None, identifier: str, as_json: bool) -> None:
    """Why are the records of this person one? What each two agree on, and what that alone would weigh, in bits.

    Fields overlap, so the parts do not add up to the match weight. No value, reference or partner is shown; records are letters.
    """
    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        found = explain.explain(
            Store(tx, app.vault_of(settings)),
            identifier,
            get_profile(settings.profile),
            load_parameters(settings.parameters),
        )
    if as_json:
        click.echo(json.dumps(asdict(found), indent=1))
        return
    family = f", of family {found.family_id}" if found.family_id else ""
    click.echo(f"{found.person_id}{family}: {found.records} records of {found.sources} datasets")
    if not found.comparisons:
        click.echo(
            "There is nothing to compare: one record, or records of one subject, which are one person by its partner's word."
        )
    _show_comparisons(found.comparisons)


@main.command("history")
@click.argument("identifier")
@click.pass_obj
def history_of(settings_file: Path | None, identifier: str) -> None:
    """What became of an identifier: who was given it, merges, splits and withdrawals, oldest first."""
    with app.open_store(LinkerSettings.load(settings_file)).connect() as tx:
        for change in explain.history(tx, identifier):
            moved = f"{change.before or 'new'} -> {change.after or 'forgotten'}"
            click.echo(f"{change.at:%Y-%m-%d %H:%M:%S}Z  subject {change.subject:3} {change.kind:10} {moved}")


@main.command("quality")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def quality_of_linkage(settings_file: Path | None, as_json: bool) -> None:
    """How linkage does, without truth: for each dataset and version of the linkage secret, the share of records whose person another
    dataset knows too, that is in doubt, that has an NHS number, and that carries each pass. Datasets are told by their facet."""
    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        found = explain.quality(Store(tx, app.vault_of(settings)), get_profile(settings.profile))
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found], indent=1))
        return
    if not found:
        click.echo("The store is empty.")
    for item in found:
        passes = ", ".join(f"{name} {share:.0%}" for name, share in item.passes.items() if share)
        click.echo(
            f"dataset {item.dataset}, secret version {item.key_version}: {item.records:,} records; {item.matched:.1%} matched, "
            f"{item.doubtful:.1%} in doubt, {item.numbered:.1%} with NHS number; passes: {passes}"
        )


@main.group("review")
def review_group() -> None:
    """Doubtful pairs, for a data steward: list them, see what two people's records agree on, decide, undo."""


def _pair(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, int]:
    one, dash, other = value.partition("-")
    if not (dash and one.isdigit() and other.isdigit()):
        raise click.BadParameter("a pair is two numbers, such as 12-57; see `review list`")
    return int(one), int(other)


_steward = click.option("--by", "steward", required=True, help="Who decides: a name that others know.")


@review_group.command("list")
@click.option("--most", default=20, show_default=True, help="How many.")
@click.pass_obj
def review_list(settings_file: Path | None, most: int) -> None:
    """What waits, the likeliest first."""
    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        waiting = review.doubts(Store(tx, app.vault_of(settings)))
    click.echo(f"{len(waiting):,} pairs wait" if waiting else "Nothing waits for a decision.")
    for doubt in waiting[:most]:
        again = f", {doubt.unsure} did not know" if doubt.unsure else ""
        pair = f"{doubt.pair[0]}-{doubt.pair[1]}"
        click.echo(f"  {pair:15} {doubt.weight:+6.1f} bits  {doubt.persons[0]} and {doubt.persons[1]}{again}")


@review_group.command("show")
@click.argument("pair", callback=_pair)
@click.pass_obj
def review_show(settings_file: Path | None, pair: tuple[int, int]) -> None:
    """What the records of two people (A1, A2, ... and B1, B2, ...) agree on, and what that alone would weigh. No values."""
    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        store = Store(tx, app.vault_of(settings))
        found = review.show(store, pair, get_profile(settings.profile), load_parameters(settings.parameters))
    if not found:
        click.echo("Nothing of the two can be compared.")
    _show_comparisons(found)


@review_group.command("decide")
@click.argument("pair", callback=_pair)
@click.argument("verdict", type=click.Choice(review.VERDICTS))
@_steward
@click.option("--why", "reason", required=True, help="What you know; no names, dates or numbers.")
@click.pass_obj
def review_decide(
    settings_file: Path | None, pair: tuple[int, int], verdict: review.Verdict, steward: str, reason: str
) -> None:
    """Decide that two people are the same, are different, or that you do not know. Outlives re-linking; can be undone."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        outcome = linker.decide(pair, verdict, steward, reason)
    finally:
        linker.close()
    click.echo(f"decided; {len(outcome.linked):,} links changed")


@review_group.command("decisions")
@click.pass_obj
def review_decisions(settings_file: Path | None) -> None:
    """Every decision, oldest first: what, who, when, why, and whether it was undone."""
    settings = LinkerSettings.load(settings_file)
    with app.open_store(settings).connect() as tx:
        found = review.decisions(Store(tx, app.vault_of(settings)))
    if not found:
        click.echo("Nothing was decided yet.")
    for item in found:
        at = datetime.fromtimestamp(item.at_ms / 1000, UTC)
        undone = f" (undone by {item.undone_by})" if item.undone_by else ""
        pair = f"{item.pair[0]}-{item.pair[1]}"
        click.echo(
            f"{item.decision_id:4} {at:%Y-%m-%d %H:%M}Z {pair:15} {item.verdict:9} {item.steward}: {item.reason}{undone}"
        )


@review_group.command("undo")
@click.argument("decision_id", type=int)
@_steward
@click.pass_obj
def review_undo(settings_file: Path | None, decision_id: int, steward: str) -> None:
    """Take a decision back. It stays in the record."""
    linker = app.build(LinkerSettings.load(settings_file), LinkerMetrics())
    try:
        outcome = linker.undo(decision_id, steward)
    finally:
        linker.close()
    click.echo(f"undone; {len(outcome.linked):,} links changed")


def _show_comparisons(found: Sequence[explain.Comparison]) -> None:
    for item in found:
        click.echo(f"\n{item.one} and {item.other}: {item.weight:+.1f} bits")
        for finding in item.findings:
            click.echo(f"    {finding.what:42} {finding.outcome:16} {finding.bits:+6.1f}")


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="CSV file; default standard output.")
@click.pass_obj
def export(settings_file: Path | None, output: Path | None) -> None:
    """For an evaluation: write partner, link reference, person, family. Refused unless the instance is marked as one."""
    settings = LinkerSettings.load(settings_file)
    if not settings.evaluation:
        raise NotAnEvaluationError(
            "This linker is not marked as an evaluation.",
            "Set evaluation = true only where the data are made up, or approved for evaluation.",
        )
    engine = app.open_store(settings)
    file = output.open("w", newline="", encoding="utf-8") if output else sys.stdout
    with engine.connect() as tx, file:
        writer = csv.writer(file)
        writer.writerow(["partner", "link_reference", "person", "family"])
        writer.writerows(evaluate.export(tx))


@main.group()
def keys() -> None:
    """Make and show the linker's keys."""


@keys.command("new")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_new(folder: Path) -> None:
    """Make the linker's signing, opening and token keys."""
    write_key(folder / "signing.key", SigningKey.generate(topics.LINKER))
    write_key(folder / "opening.key", OpeningKey.generate(topics.LINKER))
    write_key(folder / "token.key", SecretKey.generate(topics.LINKER))
    click.echo(f"{folder}: signing.key, opening.key, token.key made")


@keys.command("show")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_show(folder: Path) -> None:
    """Print the linker's public keys in the form of the directory file. Holds no secret."""
    signing, opening = read_signing_key(folder / "signing.key"), read_opening_key(folder / "opening.key")
    click.echo(
        render_directory([Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))]), nl=False
    )
