"""The commands of `childlink-ingest`."""

import sys
import time
from datetime import date
from pathlib import Path

import click
from childlink_core import __version__, logs
from childlink_core.commands import Commands
from childlink_core.datasets import all_datasets
from childlink_core.directory import Member, render_directory
from childlink_core.errors import UserError
from childlink_core.keys import OpeningKey, SecretKey, SigningKey, read_opening_key, read_signing_key, write_key
from childlink_core.profiles import get_profile
from childlink_core.topics import check_partner_name

from childlink_ingest import app, errors, report
from childlink_ingest.mapping import check_header
from childlink_ingest.metrics import IngestMetrics
from childlink_ingest.readers import open_csv
from childlink_ingest.rows import Rejection
from childlink_ingest.send_extract import map_rows, send_extract, without_repeats
from childlink_ingest.settings import IngestSettings
from childlink_ingest.split import split
from childlink_ingest.spool import Spool, open_spool

_PROGRESS_EVERY_S = 5.0


_EXTRACT = click.Path(exists=True, dir_okay=False, path_type=Path)
_extract = click.argument("extract", type=_EXTRACT)
_mapping = click.option(
    "--mapping", "mapping_file", required=True, type=_EXTRACT, help="TOML file that maps the extract's columns."
)


@click.group(cls=Commands)
@click.version_option(__version__)
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path),
    envvar="CHILDLINK_INGEST_SETTINGS",
    help="TOML settings file.",
)
@click.pass_context
def main(ctx: click.Context, settings_file: Path | None) -> None:
    """Encode, split, seal and send a partner's extracts. Names, dates of birth and NHS numbers stay here.

    Exit codes: 0 all done; 1 nothing was sent; 2 wrong usage; 3 some rows were rejected or refused, the rest went;
    4 everything is safe in the spool, but not all of it is answered yet.
    """
    logs.configure("ingest")
    ctx.obj = settings_file


@main.command()
def datasets() -> None:
    """List the dataset contracts and their columns."""
    for dataset in all_datasets().values():
        click.echo(f"{dataset.name} v{dataset.version}: {dataset.title}")
        for name, title in dataset.columns.items():
            click.echo(f"    {name:28} {title}")


@main.command()
@_extract
@_mapping
def check(extract: Path, mapping_file: Path) -> None:
    """Validate and profile an extract. Sends nothing and needs no keys."""
    mapping = app.load_mapping(mapping_file)
    with open_csv(extract, mapping.encoding, mapping.delimiter) as records:
        check_header(mapping, records.header, extract.name)
        rows, rejections = map_rows(list(records), mapping, get_profile(), date.today())
        rows, repeats = without_repeats(rows, mapping, lambda _ids: set())
    if not rows and not rejections:
        raise errors.ExtractError(f"{extract.name} has a header and no rows.", "Export it again.")
    rejections += repeats
    click.echo(report.render_check(rows, rejections, mapping))
    sys.exit(errors.EXIT_PARTIAL if rejections else errors.EXIT_OK)


@main.command()
@_extract
@_mapping
@click.option(
    "--rows", "wanted", default=3, type=click.IntRange(1, 1000), show_default=True, help="How many good rows to show."
)
@click.pass_obj
def preview(settings_file: Path | None, extract: Path, mapping_file: Path, wanted: int) -> None:
    """Show exactly what would leave the site for a few rows, both halves, before sealing."""
    site = app.build_site(IngestSettings.load(settings_file))
    mapping = app.load_mapping(mapping_file)
    with open_csv(extract, mapping.encoding, mapping.delimiter) as records:
        check_header(mapping, records.header, extract.name)
        rows = []
        for record in records:
            rows += map_rows([record], mapping, site.encoder.profile, date.today())[0]
            if len(rows) >= wanted:
                break
    halves = [split(row, mapping, site.references) for row in rows]
    click.echo(report.render_preview(rows, halves, site.encoder, mapping))


@main.command()
@_extract
@_mapping
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for receipts; 0 sends and leaves.")
@click.pass_obj
def run(settings_file: Path | None, extract: Path, mapping_file: Path, wait: float) -> None:
    """Encode, split, seal, spool and send an extract. Run it again at any time: what did not change is not sent."""
    settings = IngestSettings.load(settings_file)
    site = app.build_site(settings)
    mapping = app.load_mapping(mapping_file)
    metrics = IngestMetrics()
    metrics.serve(settings.metrics_port, settings.metrics_address)
    with open_spool(settings.spool) as spool:
        with open_csv(extract, mapping.encoding, mapping.delimiter) as records:
            check_header(mapping, records.header, extract.name)
            run_id = send_extract(extract.name, records, mapping, site, spool, date.today(), _Progress("rows read"))
        metrics.run_staged(spool.report(run_id))
        _exchange(settings, spool, metrics, wait)
        outcome = spool.report(run_id)
    click.echo(report.render_run(outcome))
    if outcome.rejected or outcome.refused:
        sys.exit(errors.EXIT_PARTIAL)
    sys.exit(errors.EXIT_WAITING if outcome.waiting else errors.EXIT_OK)


@main.command()
@click.option("--wait", default=30.0, show_default=True, help="Seconds to wait for receipts.")
@click.pass_obj
def send(settings_file: Path | None, wait: float) -> None:
    """Send what is still in the spool and fetch receipts."""
    settings = IngestSettings.load(settings_file)
    with open_spool(settings.spool) as spool:
        _exchange(settings, spool, IngestMetrics(), wait)
        left = spool.count_batches("queued", "sent")
    click.echo(f"{left:,} batches are not answered yet")
    sys.exit(errors.EXIT_WAITING if left else errors.EXIT_OK)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--rejects", type=click.Path(path_type=Path), help="Write the newest run's rejected rows to this CSV file."
)
@click.pass_obj
def status(settings_file: Path | None, as_json: bool, rejects: Path | None) -> None:
    """Show the spool and, for each run, every row as accepted, refused (why), rejected (why) or waiting."""
    settings = IngestSettings.load(settings_file)
    with open_spool(settings.spool) as spool:
        reports = [spool.report(run_id) for run_id in spool.runs()]
        state = (reports, spool.count_batches("queued"), spool.count_batches("sent"), spool.incidents())
        click.echo(report.status_json(*state) if as_json else report.render_status(*state))
        if rejects is not None and reports:
            _write_rejects(rejects, spool.rejections(reports[0].run_id))


@main.group()
def keys() -> None:
    """Make and show this site's keys."""


@keys.command("new")
@click.argument("partner")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_new(partner: str, folder: Path) -> None:
    """Make this site's signing, opening and reference keys. Back the reference key up: it cannot be made again."""
    check_partner_name(partner)
    write_key(folder / "signing.key", SigningKey.generate(partner))
    write_key(folder / "opening.key", OpeningKey.generate(partner))
    write_key(folder / "reference.key", SecretKey.generate(partner))
    click.echo(
        f"{folder}: signing.key, opening.key, reference.key made. `childlink-ingest keys show` prints what the hub needs."
    )


@keys.command("show")
@click.option("--folder", default="keys", show_default=True, type=click.Path(path_type=Path))
def keys_show(folder: Path) -> None:
    """Print this site's public keys in the form of the directory file. Holds no secret."""
    signing = read_signing_key(folder / "signing.key")
    opening = read_opening_key(folder / "opening.key")
    click.echo(
        render_directory([Member(signing.owner, signing.owner, (signing.public(),), (opening.public(),))]), nl=False
    )


@main.command()
@_extract
@_mapping
@click.option("--output", required=True, type=click.Path(path_type=Path), help="CSV file to write.")
@click.pass_obj
def refs(settings_file: Path | None, extract: Path, mapping_file: Path, output: Path) -> None:
    """For an evaluation against known truth: write local id, role and link reference of an extract's subjects.

    The file ties your own ids to what the linker holds. It is for pilots and evaluations on made-up or approved data.
    """
    site = app.build_site(IngestSettings.load(settings_file))
    mapping = app.load_mapping(mapping_file)
    found: dict[bytes, tuple[str, str]] = {}
    with open_csv(extract, mapping.encoding, mapping.delimiter) as records:
        check_header(mapping, records.header, extract.name)
        for row in map_rows(list(records), mapping, site.encoder.profile, date.today())[0]:
            for subject in split(row, mapping, site.references)[:2]:
                if subject:
                    found[subject.link_reference] = (subject.identity.person_id, subject.role)
    lines = ["local_id,role,link_reference", *(f"{_csv(i)},{role},{ref.hex()}" for ref, (i, role) in found.items())]
    _write(output, lines)
    click.echo(f"{len(found):,} subjects written to {output}")


def _exchange(settings: IngestSettings, spool: Spool, metrics: IngestMetrics, wait: float) -> None:
    deadline = time.monotonic() + wait
    shown = _Progress("batches to go")
    with app.connect(settings, spool) as connection:
        exchange = connection.exchange
        exchange.run(
            connection.subscriber,
            done=lambda: exchange.settled() or (time.monotonic() > deadline and not spool.count_batches("queued")),
            progress=lambda: shown(spool.count_batches("queued", "sent")),
        )
        metrics.spool_state(spool, connection.subscriber.lag())


class _Progress:
    """A line that renews itself on a terminal, and a line every few seconds in a log."""

    def __init__(self, what: str) -> None:
        self._what, self._started, self._shown = what, time.monotonic(), time.monotonic()

    def __call__(self, count: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty():
            click.echo(f"\r{count:,} {self._what}, {now - self._started:.0f} s ", nl=False, err=True)
        elif now - self._shown > _PROGRESS_EVERY_S:
            click.echo(f"{count:,} {self._what}, {now - self._started:.0f} s", err=True)
            self._shown = now


def _write_rejects(path: Path, rejections: list[Rejection]) -> None:
    lines = ["line,column,reason,what_to_do"]
    lines += [f"{r.row_number},{_csv(r.column)},{_csv(r.reason)},{_csv(r.remedy)}" for r in rejections]
    _write(path, lines)


def _write(path: Path, lines: list[str]) -> None:
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Give another path.") from None


def _csv(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
