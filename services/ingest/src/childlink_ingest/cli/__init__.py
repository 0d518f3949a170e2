"""The commands of `childlink-ingest`."""

from pathlib import Path

import click
from childlink_core import __version__
from childlink_core.commands import Commands, configure_logs

from childlink_ingest.cli import checking, extracts, keys, lists, look, sending, takeback


@click.group(cls=Commands, former={"recall": "retract"})
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
    """Encode, split, seal and send a partner's extracts. Names, dates of birth and NHS numbers stay
    here.

    For a new extract: `map` proposes a mapping, `check` profiles the extract, `preview` shows what
    would be sent, `approve` records the approval, `run` sends the extract, and `status` accounts
    for every row.

    Exit codes: 0 all done; 1 nothing was sent; 2 wrong usage; 3 some rows were rejected or refused,
    the others were sent; 4 everything is safe in the spool, but some of it is not answered yet.
    """

    configure_logs("ingest")
    ctx.obj = settings_file


for _command in (
    look.datasets,
    look.map_extract,
    look.check,
    look.preview,
    extracts.approve,
    extracts.run,
    extracts.rekey,
    extracts.watch,
    sending.send,
    sending.status,
    sending.doctor,
    takeback.withdraw,
    takeback.retract,
    takeback.after_restore,
    lists.opt_out,
    lists.objections,
    lists.area,
    checking.checks,
    checking.checked,
    keys.keys,
    look.refs,
    look.clk,
    look.verify_encoding,
):
    main.add_command(_command)
