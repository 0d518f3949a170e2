"""Commands for the audit trails: actions on releases, and analysts' questions."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from childlink_catalogue.errors import CatalogueError

from childlink_analytics.cli.common import main

if TYPE_CHECKING:
    from childlink_analytics.answering.audit_trail import QuestionsTrail
    from childlink_analytics.releasing.release.workflow import ReleaseWorkflow


@main.group()
def audit() -> None:
    """Show who did what with releases. With --questions, show who asked what (on the answering
    host).
    """


_questions = click.option(
    "--questions", is_flag=True, help="Use the answering process's trail of questions."
)


@audit.command("show")
@click.option("--after", default=0, help="Show only entries after this number.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON lines, for an archive or another system."
)
@_questions
@click.pass_obj
def audit_show(settings_file: Path | None, after: int, as_json: bool, questions: bool) -> None:
    """Print the audit trail, oldest first."""

    from childlink_core.audit_commands import echo_trail

    if questions:
        trail = _trail(settings_file)
        entries = trail.read(after)
        trail.close()
    else:
        entries = _desk(settings_file).audit_trail(after)
    echo_trail(entries, as_json=as_json)


@audit.command("verify")
@click.option(
    "--noted",
    default="",
    help="NUMBER:HASH from an earlier `verify`. Detects entries removed from the end since then.",
)
@_questions
@click.pass_obj
def audit_verify(settings_file: Path | None, noted: str, questions: bool) -> None:
    """Check that no entry was changed, removed or moved.

    Keep the printed line in another place, for --noted.
    """

    from childlink_core.audit_commands import echo_head, read_note

    earlier = read_note(noted)
    if questions:
        trail = _trail(settings_file)
        head = trail.verify(earlier)
        trail.close()
    else:
        head = _desk(settings_file).verify_audit(earlier)
    echo_head(head)


def _desk(settings_file: Path | None) -> ReleaseWorkflow:
    if find_spec("sqlalchemy") is None:
        raise CatalogueError(
            "This installation only answers questions and has no audit trail of releases.",
            "Use --questions, or run this on the host that holds the store"
            " (childlink-analytics[releasing]).",
        )
    from childlink_analytics.releasing import app
    from childlink_analytics.settings import StoreSettings

    return app.build_desk(StoreSettings.load(settings_file))


def _trail(settings_file: Path | None) -> QuestionsTrail:
    from childlink_analytics.answering.app import build_access
    from childlink_analytics.settings import ServingSettings

    trail = build_access(ServingSettings.load(settings_file)).trail
    if trail is None:
        raise CatalogueError(
            "This installation keeps no trail of questions.",
            "Set audit and audit_key for the answering process.",
        )
    return trail
