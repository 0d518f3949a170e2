"""The commands of `childlink-ingest`."""

from childlink_catalogue.choosing import choose
from childlink_core.commands import service_group

from childlink_ingest.cli import (
    checking,
    clks,
    extracts,
    keys,
    lists,
    look,
    mappings,
    sending,
    takeback,
)

main = service_group(
    "ingest",
    """Encode, split, seal and send a partner's extracts. Names, dates of birth and NHS numbers stay
here.

For a new extract: `map` proposes a mapping, `check` profiles the extract, `preview` shows what
would be sent, `approve` records the approval, `run` sends the extract, and `status` accounts
for every row.

Exit codes: 0 all done; 1 nothing was sent; 2 wrong usage; 3 some rows were rejected or refused,
the others were sent; 4 everything is safe in the spool, but some of it is not answered yet.
""",
    former={"recall": "retract"},
    prepare=choose,
)


for _command in (
    look.datasets,
    look.map_extract,
    mappings.mapping,
    look.check,
    look.worklist,
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
    clks.clk,
    clks.clk_kit,
    clks.verify_encoding,
):
    main.add_command(_command)
