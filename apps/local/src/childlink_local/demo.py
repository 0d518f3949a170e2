"""The demo makes up a partnership like LEAP's, links it, and asks what LEAP's reports asked."""

import csv
import itertools
import shutil
import sys
import textwrap
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from childlink_client import Answer, Client, Found
from childlink_client.report import make_report
from childlink_ingest.app import load_mapping
from childlink_ingest.geography.lookup import build_lookup
from childlink_ingest.proposing.propose import propose
from childlink_ingest.readers import Record, Source, open_extract

from childlink_local import pilot, score
from childlink_local.broker import mock_broker
from childlink_local.pilot import Extract
from childlink_local.progress import Line
from childlink_local.score import Score
from childlink_local.synth import synthesise
from childlink_local.workspace import Layout, create_workspace

DEFAULT_FOLDER: Final = Path(".demo")
WIDTH: Final = 98
RELEASE = "demo-1"
DATA_UNTIL = "2024-12-31"
SERVICE = "baby_steps"


def find_extracts(folder: Path) -> list[Extract]:
    """Every CSV file with a mapping of the same name beside it, partner by folder."""
    return [
        Extract(mapping.parent.name, mapping.with_suffix(".csv"), mapping)
        for mapping in sorted(folder.glob("*/*.toml"))
        if mapping.with_suffix(".csv").exists()
    ]


def own_settings(data: Path, lookup: Path, extracts: list[Extract]) -> dict[str, dict[str, Any]]:
    """Every partner's permitted list, and the area look-up, which is built here, of a made-up
    partnership in `data`.
    """
    build_lookup(
        data / "areas" / "ONSPD_made_up.csv",
        data / "areas" / "IMD_made_up.csv",
        lookup,
        lambda _count: None,
    )
    return {
        partner: {"permitted_list": data / partner / "permitted.dat", "area_lookup": lookup}
        for partner in {extract.partner for extract in extracts}
    }


def run(folder: Path, children: int, seed: int, *, everything: bool = False) -> None:
    """Run the demo in `folder`, from nothing. With `everything`, partners send all that the
    catalogue declares.
    """
    started = time.monotonic()
    if folder.exists():
        shutil.rmtree(folder)
    data = folder / "data"
    with _step(f"1. Making up a partnership of {children:,} children (seed {seed})"):
        synthesise(data, seed, children, everything=everything)
    extracts = find_extracts(data)
    click.echo(
        f"   {len(extracts)} extracts of {len({e.partner for e in extracts})} partners in {data}"
    )
    propose_mappings(extracts)
    with mock_broker() as address:
        layout = create_workspace(
            folder,
            sorted({e.partner for e in extracts}),
            address,
            own=own_settings(data, folder / "areas.sqlite", extracts),
            beside={"tables": data / "tables"} if everything else None,
        )
        with pilot.open_hub(layout) as hub:
            line = Line()
            with _step(
                "2. Every partner's ingest, sealed batches over Kafka, linker and analytics"
            ):
                reports = pilot.send(layout, hub, extracts, line)
                line.done()
            for report in reports:
                click.echo(
                    f"   {report.extract:20} {report.rows_read:>7,} rows: {report.accepted:,}"
                    f" accepted, {report.refused:,} refused, {report.rejected:,} rejected,"
                    f" {report.permitted_out:,} opted out, {report.waiting:,} waiting"
                )
            with _step("3. Scoring the identifiers against the truth, which childlink never saw"):
                pilot.write_links(layout, hub, extracts, folder / "links.csv")
            scores = score.score(folder / "links.csv", data / "truth.csv")
            for item in scores:
                click.echo(
                    f"   {item.role:6} precision {item.precision:.4f}  recall {item.recall:.4f}  F1"
                    f" {item.f1:.4f}  ({item.subjects:,} records of {item.true_persons:,} people"
                    f" got {item.persons:,} identifiers)"
                )
            with _step(
                "4. A child's family objects, and a file goes out by mistake: both are taken back"
            ):
                take_back(layout, hub, extracts, folder)
        with _step("5. Cutting a release: counting, rounding, attacking it ourselves"):
            cut = pilot.cut(layout, RELEASE, DATA_UNTIL)
        cells = sum(len(item.cells.counts) for item in cut.populations)
        attacked = sum(item.attack.attacked for item in cut.populations)
        found = sum(len(item.attack.too_tight) for item in cut.populations)
        click.echo(f"   {cells:,} protected cells; {attacked} small counts attacked, {found} found")
        click.echo(
            "6. Five questions, answered over gRPC by a process that holds the release alone"
        )
        charts = folder / "charts"
        charts.mkdir()
        with pilot.answering(layout) as client:
            ask_five(client, charts)
            write_reports(client, charts)
            answers = three_answers(client)
    click.echo(
        summary(
            f"A partnership of {children:,} children, in {time.monotonic() - started:.0f} s",
            f"{len(reports)} extracts",
            scores,
            f"{cells:,} cells; our own attack on {attacked} small counts found {found}",
            answers,
            folder,
        )
    )


def three_answers(client: Client) -> dict[str, str]:
    """What the last screen says of the partnership, by question."""
    asked: dict[str, Found] = {
        "Where do the children live who were reached?": client.ask("reach_children", ["residence"]),
        "Do engaged children develop as expected more often?": client.compare("asq3_overall"),
        "Does a programme change parents' mental health?": client.change("change_mental_health"),
    }
    return {question: found.describe() for question, found in asked.items()}


def summary(
    title: str,
    linked: str,
    scores: Sequence[Score],
    protected: str,
    answers: Mapping[str, str],
    folder: Path,
) -> str:
    """The last screen: what was linked, how well, three answers, and where to look."""
    command = "childlink-local" if shutil.which("childlink-local") else sys.argv[0]
    where = "" if folder == DEFAULT_FOLDER else f" {folder}"
    lines = ["", "─" * WIDTH, title, "", f"Linked     {linked}"]
    lines += [
        f"           {item.role}: {item.subjects:,} records under {item.persons:,} identifiers, of"
        f" {item.true_persons:,} people; precision {item.precision:.4f}, recall {item.recall:.4f}"
        for item in scores
    ]
    lines += [f"Protected  {protected}", ""]
    for question, answer in answers.items():
        lines += [question, textwrap.indent(textwrap.fill(answer, WIDTH - 3), "   "), ""]
    lines += [
        f"Charts and three reports: {folder / 'charts'}",
        f"Look around in a browser: {command} explore{where}",
        "Everybody is made up. All trust zones run on this machine; a deployment never does that.",
    ]
    return "\n".join(lines)


def propose_mappings(extracts: list[Extract]) -> None:
    """What `childlink-ingest map` proposes for each extract, beside what a person mapped."""
    for extract in extracts:
        mapping = load_mapping(extract.mapping)
        with open_extract(
            extract.path, Source(mapping.source.encoding, mapping.source.delimiter)
        ) as opened:
            rows = [
                record.values
                for record in itertools.islice(opened, 500)
                if isinstance(record, Record)
            ]
            for _ in opened:  # to the end, so that a file that changes meanwhile is noticed
                pass
        text = propose(opened.header, rows, mapping.dataset, {}).text
        proposed = tomllib.loads(text)["columns"]
        same = sum(
            _columns(proposed[name]) == column.columns
            for name, column in mapping.columns.items()
            if name in proposed
        )
        click.echo(
            f"   map proposes {same} of the {len(mapping.columns)} columns of {extract.path.name}"
            " as a person mapped them"
        )


def _columns(entry: Any) -> tuple[str, ...]:
    named = entry["column"] if isinstance(entry, dict) else entry
    return tuple(named) if isinstance(named, list) else (named,)


def take_back(layout: Layout, hub: pilot.Hub, extracts: list[Extract], folder: Path) -> None:
    """Withdraw a child, and retract a run, with the receipts that prove it."""
    extract = extracts[0]
    mapping = load_mapping(extract.mapping)
    with extract.path.open(newline="", encoding=mapping.source.encoding) as file:
        rows = list(itertools.islice(csv.DictReader(file, delimiter=mapping.source.delimiter), 100))
    [child_id] = mapping.columns["child_id"].columns
    report = pilot.withdraw(layout, hub, extract, rows[0][child_id])
    click.echo(
        f"   withdrawn: {report.withdrawn} messages, {report.withdrawn_proved} of them receipted by"
        " linker and analytics"
    )
    wrong = Extract(extract.partner, folder / "wrong.csv", folder / "wrong.toml")
    with wrong.path.open("w", newline="", encoding=mapping.source.encoding) as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=mapping.source.delimiter)
        writer.writeheader()
        writer.writerows(rows)
    wrong.mapping.write_text(
        'feed = "sent by mistake"\n' + extract.mapping.read_text(encoding="utf-8"), encoding="utf-8"
    )
    [sent] = pilot.send(layout, hub, [wrong])
    report = pilot.retract(layout, hub, wrong.partner, sent.run_id)
    click.echo(
        f"   retracted: {sent.accepted} rows that were accepted; {report.withdrawn} messages,"
        f" {report.withdrawn_proved} receipted"
    )


def ask_five(client: Client, charts: Path) -> None:
    """LEAP's five questions, as tables and charts."""
    _show(
        "Q1. How many children were reached, and where do they live?",
        client.ask("reach_children", ["residence"]),
        charts,
    )
    _show(
        "Q2. Who are they, by ethnic group and deprivation?",
        client.ask("reach_children", ["ethnicity", "imd_quintile"]),
        charts,
    )
    _show(
        "Q3. How many services does a family use?",
        client.ask("services_per_family", ["services"]),
        charts,
    )
    for measure in ("asq3_overall", "asq3_communication", "asq3_personal_social"):
        answer = client.ask(measure, ["engaged"])
        _show(
            "Q4. Do more engaged children reach the expected level at two and a half?",
            answer,
            charts,
        )
        found = client.compare(measure)
        click.echo(
            f"  odds ratio, engaged against not: crude {found.crude_odds_ratio.text()}; adjusted"
            f" {found.adjusted_odds_ratio.text()}; risk ratio, adjusted"
            f" {found.adjusted_risk_ratio.text()}"
        )
    for measure in ("change_mental_health", "change_parenting_knowledge"):
        click.echo(
            f"\nQ5. Do parents' scores change from before to after?\n{client.change(measure)}"
        )


def write_reports(client: Client, folder: Path) -> None:
    """The partnership's annual report, its evaluation, and a service lead's quarterly one."""
    for kind in ("annual", "evaluation"):
        page = make_report(client, kind=kind)
        (folder / f"{kind}-report.html").write_text(page, encoding="utf-8")
    page = make_report(client, kind="quarterly", service=SERVICE)
    (folder / f"quarterly-report-{SERVICE}.html").write_text(page, encoding="utf-8")


def _show(question: str, answer: Answer, charts: Path) -> None:
    click.echo(f"\n{question}\n{answer}")
    if answer.by:
        answer.save_chart(charts / f"{answer.measure.id}-by-{'-'.join(answer.by)}.png")


@contextmanager
def _step(title: str, echo: Callable[[str], None] = click.echo):  # type: ignore[no-untyped-def]  # noqa: ANN202
    started = time.monotonic()
    echo(title)
    yield
    echo(f"   {time.monotonic() - started:.1f} s")
