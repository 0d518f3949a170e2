"""The commands of `childlink-local`."""

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import click
from childlink_core import __version__
from childlink_core.commands import Commands, configure_logs
from childlink_core.errors import UserError
from childlink_ingest.errors import EXIT_PARTIAL

from childlink_local.sizes import LEAP_CHILDREN


class _Commands(Commands):
    """Shows the client's errors in the same way."""

    def invoke(self, ctx: click.Context) -> Any:
        from childlink_client import ClientError

        try:
            return super().invoke(ctx)
        except ClientError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(1)


@click.group(cls=_Commands)
@click.version_option(__version__)
def main() -> None:
    """The whole childlink pipeline in one process: demo, pilots, synthetic data. Not for
    production.
    """

    # Every pilot has a broker of its own, which is no loss to warn of; what is refused, a run's
    # report says.
    configure_logs("local", level="ERROR")


@main.command()
@click.option(
    "--folder",
    default=".demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Working folder; emptied first.",
)
@click.option(
    "--size",
    default="fifth",
    show_default=True,
    type=click.Choice(["fifth", "leap"]),
    help="A fifth of LEAP's children, or all 14,028 of them.",
)
@click.option("--children", type=click.IntRange(50), help="So many children instead.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--everything",
    is_flag=True,
    help="Partners also send referrals, assessments, feedback, hospital, school, needs and staff.",
)
def demo(folder: Path, size: str, children: int | None, seed: int, everything: bool) -> None:
    """Make up a partnership, link it, cut a release, and ask LEAP's five questions."""

    from childlink_local import demo as demo_module

    of_size = LEAP_CHILDREN if size == "leap" else LEAP_CHILDREN // 5
    demo_module.run(folder, children or of_size, seed, everything=everything)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--children", default=LEAP_CHILDREN, show_default=True, help="Children whom services reach."
)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--errors",
    "error_times",
    default=1.0,
    show_default=True,
    help="How much dirtier than usual the records are.",
)
@click.option(
    "--nhs",
    "nhs_times",
    default=1.0,
    show_default=True,
    help="Scales the share of records with an NHS number.",
)
def synth(folder: Path, children: int, seed: int, error_times: float, nhs_times: float) -> None:
    """Write a made-up, LEAP-shaped partnership: extracts, mappings and a truth file. The same seed,
    the same bytes.
    """

    from childlink_local.synth import synthesise

    synthesise(folder, seed, children, error_times, nhs_times)
    click.echo(f"written to {folder}")


@main.command()
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def run(config: Path) -> None:
    """Run a pilot on files of your own, as CONFIG.toml says:

    \b
        folder = "work"                  # working folder, kept between runs
        catalogue = "ours"               # optional: folder of your own catalogue
        release = "pilot-1"              # optional: cut a release with this name; a new name for each
        data_until = "2026-09-30"        # optional: the last day of data that the release covers; default today
        truth = "truth.csv"              # optional: score links.csv against it
        denominators = "population.csv"  # optional: public counts of the population, for rates
        tables = "tables"                # optional: folder of the catalogue's tables, with costs and targets
        estimate = true                  # optional: estimate match parameters from these files, and link again with them
        [[extract]]
        partner = "trust-a"
        file = "births.csv"
        mapping = "births.toml"
        [partners.trust-a]               # optional: settings of a partner's ingest; paths are relative to this file
        permitted_list = "permitted.dat"

    One run at a time in a folder.
    """  # noqa: E501

    from childlink_analytics.shared.release_files import check_release_name, release_ids
    from childlink_ingest.reporting.report import render_run

    from childlink_local import pilot
    from childlink_local import score as scoring
    from childlink_local.broker import mock_broker
    from childlink_local.lock import only_one
    from childlink_local.pilot import Extract
    from childlink_local.progress import Line
    from childlink_local.workspace import create_workspace

    content = _read_config(config)
    base = config.parent
    _use_catalogue(content, base)
    extracts = [
        Extract(str(item["partner"]), base / item["file"], base / item["mapping"])
        for item in content["extract"]
    ]
    folder = base / content.get("folder", "work")
    if "truth" in content:
        # Before anything is sent: a run takes long.
        scoring.read_people(base / content["truth"])
    if "release" in content:
        check_release_name(content["release"])
        if content["release"] in release_ids(folder / "analytics" / "releases"):
            raise UserError(
                f"Release {content['release']} exists already.",
                "A release is never edited; give it another name.",
            )
    with only_one(folder), mock_broker() as address:
        own = {name: _own(table, base) for name, table in content.get("partners", {}).items()}
        partners = sorted({extract.partner for extract in extracts})
        beside: dict[str, Any] = {
            name: base / content[name] for name in ("denominators", "tables") if name in content
        }
        layout = create_workspace(folder, partners, address, own=own, beside=beside)
        line = Line()
        with pilot.open_hub(layout) as hub:
            reports = pilot.send(layout, hub, extracts, line)
            line.done()
            for report in reports:
                click.echo(render_run(report))
            if content.get("estimate"):
                outcome = pilot.estimate_and_relink(layout, hub)
                click.echo(
                    f"match parameters estimated ({layout.folder / 'linker' / 'parameters.toml'}); "
                    f"{len(outcome.linked):,} links changed"
                )
            subjects = pilot.write_links(layout, hub, extracts, folder / "links.csv")
            click.echo(f"{subjects:,} subjects in {folder / 'links.csv'}")
        if "truth" in content:
            _score(folder / "links.csv", base / content["truth"])
        if "release" in content:
            pilot.cut(
                layout, content["release"], content.get("data_until", date.today().isoformat())
            )
            where = layout.store.releases / content["release"]
            click.echo(
                f"release {content['release']} in {where}; ask it with: childlink-local serve"
                f" {config}"
            )
    if any(report.rejected or report.refused for report in reports):
        sys.exit(EXIT_PARTIAL)


_WHERE = click.argument(
    "where", default=".demo", metavar="[WHERE]", type=click.Path(path_type=Path)
)


@main.command()
@_WHERE
def serve(where: Path) -> None:
    """Answer questions on 127.0.0.1:7443, until interrupted. WHERE is a pilot's CONFIG.toml or its
    working folder; without it, what the demo left.
    """
    from childlink_local.answering import serve_releases

    server, port = serve_releases(_releases(where), "127.0.0.1:7443")
    click.echo(f"answering on 127.0.0.1:{port}; try: childlink measures")
    server.wait_for_termination()


@main.command()
@_WHERE
@click.option("--port", default=0, help="Where to serve the explorer; default a free port.")
@click.option("--browser/--no-browser", default=True, help="Open the browser.")
def explore(where: Path, port: int, browser: bool) -> None:
    """Open the explorer on what the demo left, or on a pilot's releases (WHERE as for `serve`)."""
    from childlink_client import Client
    from childlink_client.cli.exploring import run_explorer

    from childlink_local.answering import serve_releases

    server, answering_port = serve_releases(_releases(where), "127.0.0.1:0")
    try:
        with Client(f"127.0.0.1:{answering_port}") as client:
            run_explorer(client, port=port, browser=browser)
    finally:
        server.stop(grace=1)


@main.command()
@_WHERE
@click.option("--all", "whole", is_flag=True, help="List every question, with its command.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per question.")
def questions(where: Path, whole: bool, as_json: bool) -> None:
    """Ask every question of the catalogue's bank of what the demo left, or of a pilot's releases
    (WHERE as for `serve`), and count which are shown.
    """
    import json

    from childlink_catalogue.catalogue import current
    from childlink_client import Client

    from childlink_local.answering import serve_releases
    from childlink_local.questions import ask_all, by_theme

    server, port = serve_releases(_releases(where), "127.0.0.1:0")
    try:
        with Client(f"127.0.0.1:{port}") as client:
            outcomes = list(ask_all(client, current().questions))
    finally:
        server.stop(grace=1)
    for item in outcomes if whole or as_json else ():
        said = item.why if item.keys.measure is None else item.keys.command
        line = {"question": item.number, "state": item.state, "command": said, "why": item.why}
        click.echo(
            json.dumps(line) if as_json else f"{item.number.upper():5} {item.state:9} {said}"
        )
    if not as_json:
        click.echo(f"{'theme':48} {'shown':>6} {'withheld':>9} {'not':>5}")
        for theme, shown, withheld, lacking in by_theme(outcomes):
            click.echo(f"{theme:48} {shown:6} {withheld:9} {lacking:5}")


def _releases(where: Path) -> Path:
    """The folder of releases of a pilot, by its configuration or its working folder."""
    if where.is_file():
        where = where.parent / _read_config(where).get("folder", "work")
    releases = where / "analytics" / "releases"
    if not releases.is_dir() or not any(releases.iterdir()):
        raise UserError(
            f"There is no release in {where}.",
            "Run `make demo` first; or name a pilot's CONFIG.toml, or its working folder.",
        )
    return releases


@main.command()
@click.argument("links", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("truth", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def score(links: Path, truth: Path) -> None:
    """Score LINKS (from `run`) against a TRUTH file."""
    _score(links, truth)


def _score(links: Path, truth: Path) -> None:
    from childlink_local import score as scoring

    for item in scoring.score(links, truth):
        click.echo(
            f"{item.role}: precision {item.precision:.4f}, recall {item.recall:.4f}, F1"
            f" {item.f1:.4f} ({item.subjects:,} records, {item.true_persons:,} people,"
            f" {item.persons:,} identifiers, {item.unsent:,} records not sent)"
        )


_OWN_PATHS = (
    "permitted_list",
    "checked_list",
    "objections",
    "partnership_objections",
    "area_lookup",
    "source_url_file",
)
_OWN = (
    *_OWN_PATHS,
    "permitted_list_max_age_days",
    "max_reject_share",
    "max_withdrawn_share",
    "workers",
)


def _own(table: Any, base: Path) -> dict[str, Any]:
    unknown = set(table) - set(_OWN) if isinstance(table, dict) else {"[partners]"}
    if unknown:
        raise UserError(
            f"{', '.join(sorted(unknown))} cannot be set for a partner of a pilot.",
            f"Use: {', '.join(_OWN)}.",
        )
    return {name: base / value if name in _OWN_PATHS else value for name, value in table.items()}


def _use_catalogue(content: dict[str, Any], base: Path) -> None:
    from childlink_catalogue.catalogue import current, use

    if "catalogue" in content:
        use((base / content["catalogue"]).resolve())
        current().measures()


def _read_config(config: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{config} is not TOML: {error}.", "Correct that line.") from None
    help_text = "See childlink-local run --help."
    extracts = content.get("extract")
    needed = ("partner", "file", "mapping")
    if (
        not isinstance(extracts, list)
        or not extracts
        or not all(isinstance(item, dict) for item in extracts)
    ):
        raise UserError(f"{config} needs at least one [[extract]] table.", help_text)
    if not all(isinstance(item.get(name), str) for item in extracts for name in needed):
        raise UserError(
            f"{config}: each [[extract]] needs partner, file and mapping, as texts.", help_text
        )
    kinds = {
        "folder": str,
        "truth": str,
        "estimate": bool,
        "release": str,
        "data_until": str,
        "extract": list,
        "catalogue": str,
        "denominators": str,
        "tables": str,
        "partners": dict,
    }
    for name, value in content.items():
        if name not in kinds:
            raise UserError(f"{config}: {name} is not known.", f"Use: {', '.join(kinds)}.")
        if not isinstance(value, kinds[name]):
            raise UserError(
                f"{config}: {name} is not a"
                f" {'yes or no (true or false)' if kinds[name] is bool else 'text'}.",
                help_text,
            )
    return content
