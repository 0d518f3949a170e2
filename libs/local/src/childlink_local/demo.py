"""The demo: LEAP's partnership made up at its published scale, linked, and asked what LEAP's annual reports ask."""

import shutil
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from childlink_client import Answer, Client
from childlink_ingest.area_lookup import build_lookup

from childlink_local import pilot, score
from childlink_local.broker import mock_broker
from childlink_local.odds import odds_ratios
from childlink_local.pilot import Extract
from childlink_local.progress import Line
from childlink_local.site import lay_out
from childlink_local.synth import synthesise

RELEASE = "demo-1"
DATA_UNTIL = "2024-12-31"


def find_extracts(folder: Path) -> list[Extract]:
    """Every CSV file with a mapping of the same name beside it, partner by folder."""
    return [
        Extract(mapping.parent.name, mapping.with_suffix(".csv"), mapping)
        for mapping in sorted(folder.glob("*/*.toml"))
        if mapping.with_suffix(".csv").exists()
    ]


def own_settings(data: Path, lookup: Path, extracts: list[Extract]) -> dict[str, dict[str, Any]]:
    """Every partner's permitted list, and the area look-up, which is built here, of a made-up partnership in `data`."""
    build_lookup(data / "areas" / "ONSPD_made_up.csv", data / "areas" / "IMD_made_up.csv", lookup, lambda _count: None)
    return {
        partner: {"permitted_list": data / partner / "permitted.dat", "area_lookup": lookup}
        for partner in {extract.partner for extract in extracts}
    }


def run(folder: Path, children: int, seed: int) -> None:
    """Run the demo in `folder`, from nothing."""
    started = time.monotonic()
    if folder.exists():
        shutil.rmtree(folder)
    data = folder / "data"
    with _step(f"1. Making up a partnership of {children:,} children (seed {seed})"):
        synthesise(data, seed, children)
    extracts = find_extracts(data)
    click.echo(f"   {len(extracts)} extracts of {len({e.partner for e in extracts})} partners in {data}")
    with mock_broker() as address:
        layout = lay_out(
            folder,
            sorted({e.partner for e in extracts}),
            address,
            own=own_settings(data, folder / "areas.sqlite", extracts),
        )
        with pilot.open_hub(layout) as hub:
            line = Line()
            with _step("2. Every partner's ingest, sealed batches over Kafka, linker and analytics"):
                reports = pilot.send(layout, hub, extracts, line)
                line.done()
            for report in reports:
                click.echo(
                    f"   {report.extract:20} {report.rows_read:>7,} rows: {report.accepted:,} accepted, {report.refused:,} refused, "
                    f"{report.rejected:,} rejected, {report.permitted_out:,} opted out, {report.waiting:,} waiting"
                )
            with _step("3. Scoring the identifiers against the truth, which childlink never saw"):
                pilot.write_links(layout, hub, extracts, folder / "links.csv")
            for item in score.score(folder / "links.csv", data / "truth.csv"):
                click.echo(
                    f"   {item.role:6} precision {item.precision:.4f}  recall {item.recall:.4f}  F1 {item.f1:.4f}  "
                    f"({item.subjects:,} records of {item.true_persons:,} people got {item.persons:,} identifiers)"
                )
        with _step("4. Cutting a release: counting, rounding, attacking it ourselves"):
            cut = pilot.cut(layout, RELEASE, DATA_UNTIL)
        cells = sum(item.cells for item in cut.populations)
        attacked = sum(item.attack.attacked for item in cut.populations)
        found = sum(len(item.attack.too_tight) for item in cut.populations)
        click.echo(f"   {cells:,} protected cells; {attacked} small counts attacked, {found} found")
        click.echo("5. Five questions, answered over gRPC by a process that holds the release alone")
        charts = folder / "charts"
        charts.mkdir()
        with pilot.answering(layout) as client:
            ask_five(client, charts)
    click.echo(f"\nCharts in {charts}. Done in {time.monotonic() - started:.0f} s.")
    click.echo("The demo runs every trust zone on this one machine; a deployment never does.")


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
    _show("Q3. How many services does a family use?", client.ask("services_per_family", ["services"]), charts)
    for measure in ("asq3_overall", "asq3_communication", "asq3_personal_social"):
        answer = client.ask(measure, ["engaged"])
        _show("Q4. Do more engaged children reach the expected level at two and a half?", answer, charts)
        crude, adjusted = odds_ratios(client, measure)
        click.echo(
            f"  odds ratio, engaged against not: crude {crude}; adjusted for health visiting offer and deprivation {adjusted}"
        )
    for measure in ("change_mental_health", "change_parenting_knowledge"):
        _show("Q5. Do parents' scores change from before to after?", client.ask(measure), charts)


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
