"""Accounts for every row of a run."""

import time
from dataclasses import dataclass, field

from childlink_core.reasons import EXPLANATIONS

from childlink_ingest.model.items import DELETED
from childlink_ingest.model.rows import Rejection
from childlink_ingest.spool.part import Part


@dataclass(frozen=True)
class RunReport:
    """All rows of one run by outcome.

    Rows read = rejected + permitted out + deleted + accepted + refused + waiting.
    """

    run_id: int
    extract: str
    dataset: str
    rows_read: int
    rejected: int
    accepted: int
    refused: int
    waiting: int
    rejections: list[tuple[str, str, str, int]]
    """Column, reason, remedy, number of rows."""
    refusals: list[tuple[str, int]]
    """Reason, number of rows."""
    notes: list[tuple[str, int]]
    """Note on a value that counts as missing, number of rows."""
    permitted_out: int = 0
    held: list[tuple[str, int]] = field(default_factory=list)
    """Reason why rows may not be sent, number of rows."""
    deleted: int = 0
    """Rows that the source marks as deleted."""
    withdrawn: int = 0
    """Rows and subjects that this run withdrew."""
    withdrawn_proved: int = 0
    """Number of those withdrawals with a receipt."""
    kind: str = "run"


def explain(reason: str) -> str:
    """The explanation of a refusal code."""
    return EXPLANATIONS.get(reason, reason)


class Accounts(Part):
    """Part of the spool."""

    def report(self, run_id: int) -> RunReport:
        """Account for every row of a run."""
        extract, dataset, read, kind = self._db.execute(
            "SELECT extract, dataset, rows_read, kind FROM run WHERE run_id = ?", (run_id,)
        ).fetchone()
        states, refusals = self._fates(run_id)
        held = self._all("SELECT why, rows FROM held WHERE run_id = ? ORDER BY rows DESC", run_id)
        withdrawn, proved = self._db.execute(
            "SELECT count(*), coalesce(sum(b.state = 'accepted'), 0) FROM withdrawal w JOIN batch b"
            " USING (half, epoch, sequence) WHERE w.run_id = ?",
            (run_id,),
        ).fetchone()
        return RunReport(
            run_id,
            extract,
            dataset,
            read,
            rejected=int(self._one("SELECT count(*) FROM rejection WHERE run_id = ?", run_id)),
            accepted=states.get("accepted", 0),
            refused=states.get("refused", 0),
            waiting=states.get("waiting", 0),
            rejections=self._all(
                "SELECT column_name, reason, remedy, count(*) FROM rejection WHERE run_id = ? GROUP"
                " BY 1, 2, 3 ORDER BY 4 DESC",
                run_id,
            ),
            refusals=refusals,
            notes=self._all(
                "SELECT text, rows FROM note WHERE run_id = ? ORDER BY rows DESC", run_id
            ),
            held=[(why, count) for why, count in held if why != DELETED],
            permitted_out=sum(count for why, count in held if why != DELETED),
            deleted=sum(count for why, count in held if why == DELETED),
            withdrawn=withdrawn,
            withdrawn_proved=proved,
            kind=kind,
        )

    def _fates(self, run_id: int) -> tuple[dict[str, int], list[tuple[str, int]]]:
        """The rows of a run by state (accepted, waiting or refused), and the reasons of the refused
        ones.
        """
        newest = (
            self._one(
                "SELECT max(n.run_id) FROM run r JOIN run n USING (feed) WHERE r.run_id = ?", run_id
            )
            == run_id
        )
        if newest:
            # All items of a feed's newest run are marked. If they all have one state, there is no
            # need to look at millions of rows.
            fates = [
                row[0]
                for row in self._all("SELECT DISTINCT state FROM item WHERE seen_run = ?", run_id)
            ]
            if fates in (["waiting"], ["accepted"]):
                return {
                    fates[0]: int(
                        self._one("SELECT count(*) FROM run_row WHERE run_id = ?", run_id)
                    )
                }, []
        states = self._all(
            "SELECT CASE WHEN 'refused' IN (o, c, a) THEN 'refused' WHEN 'waiting' IN (o, c, a)"
            " THEN 'waiting' ELSE 'accepted' END AS state, count(*) FROM row_state WHERE run_id = ?"
            " GROUP BY 1",
            run_id,
        )
        refusals = self._all(
            "WITH state AS (SELECT * FROM row_state WHERE run_id = ?) SELECT why, count(DISTINCT"
            " row_number) FROM (SELECT row_number, why_o AS why, o AS now FROM state UNION ALL"
            " SELECT row_number, why_c, c FROM state UNION ALL SELECT row_number, why_a, a FROM"
            " state) WHERE now = 'refused' GROUP BY why ORDER BY 2 DESC",
            run_id,
        )
        return dict(states), refusals

    def rejections(self, run_id: int) -> list[Rejection]:
        """Every rejected row of a run, in file order."""
        rows = self._all(
            "SELECT row_number, column_name, reason, remedy FROM rejection WHERE run_id = ? ORDER"
            " BY row_number",
            run_id,
        )
        return [Rejection(*row) for row in rows]

    def oldest_waiting_run_age(self) -> float:
        """Seconds since the start of the oldest run with an unanswered item; 0 if there is none."""
        started = self._one(
            "SELECT min(started_at) FROM run WHERE run_id IN (SELECT DISTINCT sent_run FROM item"
            " WHERE state = 'waiting')"
        )
        return time.time() - started if started else 0.0
