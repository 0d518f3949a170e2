"""Texts of `check`, `preview`, `run` and `status`.

Only `preview` shows values, and only on the site's own terminal.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from childlink_core.profiles import Profile

from childlink_ingest.errors import PastLostError
from childlink_ingest.mapping.apply import REPAIRED
from childlink_ingest.mapping.definition import Mapping
from childlink_ingest.model.rows import Rejection, Row
from childlink_ingest.pseudonymise.encoder import Encoder, carries_pass
from childlink_ingest.pseudonymise.split import Observation, Subject
from childlink_ingest.reporting import pages
from childlink_ingest.reporting.preview import (
    IDENTIFIERS,
    marks,
    uses_as_salt,
    uses_in_segments,
    what_is_in,
)
from childlink_ingest.runs.after_restore import check_past
from childlink_ingest.runs.prepare import wire_value
from childlink_ingest.spool import RunReport, Spool, explain

_EXAMPLES = 5
_MOST_VALUES = 10_000


class Summary:
    """The report of `check`: completeness of columns, values that count as missing, rejections.

    It keeps counts, not rows.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.read = self.rejected = self._deleted = 0
        self._filled: Counter[str] = Counter()
        self._values: dict[str, Counter[object]] = {
            field.name: Counter() for field in mapping.dataset.fields
        }
        self._notes: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._rejections: Counter[tuple[str, str, str]] = Counter()
        self._where: dict[tuple[str, str, str], list[str]] = {}

    def add(self, row: Row | Rejection) -> None:
        """Count a row."""
        self.read += 1
        if isinstance(row, Rejection):
            self.rejected += 1
            key = (row.column, row.reason, row.remedy)
            self._rejections[key] += 1
            where = self._where.setdefault(key, [])
            if len(where) < _EXAMPLES:
                where.append(str(row.row_number))
            return
        self._deleted += row.deleted
        self._notes.update(row.notes)
        for subject in self._mapping.dataset.subjects:
            person = getattr(row, subject)
            if person:
                self._filled.update(
                    f"{subject}_{name}" for name in IDENTIFIERS if getattr(person, name)
                )
        for name, value in row.attributes.items():
            if len(self._values[name]) < _MOST_VALUES or value in self._values[name]:
                self._values[name][value] += 1

    def leave_out(self, rows: Counter[str]) -> None:
        """Count rows that the mapping leaves out, by reason."""
        self._left_out.update(rows)

    def render(self) -> str:
        """The report as text."""
        good = self.read - self.rejected
        dataset = self._mapping.dataset
        lines = [
            (
                f"dataset {dataset.name} v{dataset.version}: {self.read:,} rows read, {good:,}"
                f" good, {self.rejected:,} rejected"
            ),
            *(
                [f"{self._deleted:,} rows are marked as deleted and would be withdrawn"]
                if self._deleted
                else []
            ),
            *(f"left out: {rows:,} rows ({why})" for why, rows in self._left_out.items()),
            "",
            f"{'column':28}{'filled':>9}  values",
        ]
        for subject in dataset.subjects:
            for name in IDENTIFIERS:
                column = f"{subject}_{name}"
                lines.append(
                    f"{column:28}{_share(self._filled[column], good):>9}  encoded, never sent"
                )
        for field in dataset.fields:
            values = self._values[field.name]
            lines.append(f"{field.name:28}{_share(values.total(), good):>9}  {_spread(values)}")
        repaired = Counter({t: n for t, n in self._notes.items() if t.endswith(REPAIRED)})
        lines += _counted("Repaired", repaired)
        lines += _counted("Taken as missing", self._notes - repaired)
        lines += [""] if self._rejections else []
        for key, count in self._rejections.most_common():
            column, reason, remedy = key
            more = ", ..." if count > _EXAMPLES else ""
            lines.append(
                f"rejected: column {column} {reason}: {count:,} rows (line"
                f" {', '.join(self._where[key])}{more})"
            )
            lines.append(f"  what to do: {remedy}")
        return "\n".join(lines)


def render_preview(
    rows: Sequence[Row],
    halves: Sequence[tuple[Subject | None, Subject | None, Observation]],
    encoder: Encoder,
    mapping: Mapping,
) -> str:
    """Show exactly what would be sent for a few rows: both halves, before sealing."""
    lines = []
    for row, (child, adult, observation) in zip(rows, halves, strict=True):
        lines.append(f"=== row {row.number} " + "=" * 60)
        for subject in (child, adult):
            if subject:
                lines += _preview_subject(subject, encoder)
        lines.append("  to analytics, sealed to its key:")
        lines.append(f"    row reference       {observation.row_reference.hex()}")
        for name, reference in (
            ("child", observation.child_reference),
            ("adult", observation.adult_reference),
        ):
            if reference:
                lines.append(f"    {name} reference     {reference.hex()}")
        for field in mapping.dataset.fields:
            value = observation.attributes.get(field.name)
            kind = wire_value(value).WhichOneof("kind")
            rule = "date to month" if field.type == "month" else "as is"
            lines.append(f"    {field.name:28}{'(missing)' if kind is None else value!s:20} {rule}")
    return "\n".join(lines)


def _preview_subject(subject: Subject, encoder: Encoder) -> list[str]:
    [record] = encoder.encode([subject])
    profile: Profile = encoder.profile
    lines = [f"  {subject.role}: stays here; encoded for the linker, sealed to its key:"]
    for name in (*IDENTIFIERS, "birth_order"):
        value = str(getattr(subject.identity, name) or "")
        uses = ["keyed hash"] if name == "nhs_number" and value else []
        for item in profile.passes:
            if carries_pass(subject, item):
                uses += (
                    [f"salt of pass {item.name}"] if uses_as_salt(item, name, subject.role) else []
                )
                what = "CLK" if item.clk else "segments"
                uses += [f"{what} of pass {item.name}"] if uses_in_segments(item, name) else []
        how = (
            ", ".join(uses) or ("in the clear: 1, 2, ..." if name == "birth_order" else "dropped")
            if value
            else "sets nothing"
        )
        lines.append(f"    {name:16}{value or '(missing)':28} {how}")
    lines.append(f"    leaves: link reference {record.link_reference.hex()}")
    if record.nhs_token:
        lines.append(f"    leaves: nhs token      {record.nhs_token.hex()}")
    for made in record.passes:
        lines.append(f"    leaves: pass {made.pass_number}         block {made.block_token.hex()}")
        lines.append("            {} {}".format(*what_is_in(made)))
    lines += [f"    leaves: mark           {words}" for words in marks(record)]
    for carer in record.carers:
        lines.append(
            f"    leaves: carer          {carer.link_reference.hex()} (relation {carer.relation})"
        )
    return lines


def render_run(report: RunReport) -> str:
    """The account of one run, as text."""
    lines = [
        f"run {report.run_id}: {report.extract}"
        + (f" as {report.dataset}" if report.dataset else ""),
        f"  rows read {report.rows_read:>9,}",
        f"  accepted  {report.accepted:>9,}",
        f"  refused   {report.refused:>9,}",
        f"  rejected  {report.rejected:>9,}",
        f"  waiting   {report.waiting:>9,}",
    ]
    if report.kind != "run":
        lines = lines[:1]
    lines += [f"  permitted out {report.permitted_out:>5,}"] if report.permitted_out else []
    lines += [f"  deleted in the source {report.deleted:,}"] if report.deleted else []
    lines += (
        [f"  withdrawn {report.withdrawn:>9,} (receipted {report.withdrawn_proved:,})"]
        if report.withdrawn
        else []
    )
    lines += [f"    permitted out: {why} ({rows:,} rows)" for why, rows in report.held]
    lines += [
        f"    rejected: {column}: {reason} ({rows:,} rows). {remedy}"
        for column, reason, remedy, rows in report.rejections
    ]
    lines += [
        f"    refused: {reason} ({rows:,} rows). {explain(reason)}"
        for reason, rows in report.refusals
    ]
    lines += [f"    note: {text} ({rows:,} rows)" for text, rows in report.notes]
    return "\n".join(lines)


def why_held(spool: Spool) -> str:
    """Why no extract may be run now; empty if extracts may be run."""
    try:
        check_past(spool)
    except PastLostError as error:
        return str(error)
    return ""


def render_status(
    reports: Sequence[RunReport],
    queued: int,
    sent: int,
    incidents: Sequence[tuple[str, int]],
    held: str,
) -> str:
    """The account of the spool, as text."""
    lines = [f"spool: {queued:,} batches to send, {sent:,} sent but not yet answered"]
    lines += [f"  no extract may be run: {held}"] if held else []
    lines += [
        f"  refused by a service on our topics: {reason}, {count} times. {explain(reason)}"
        for reason, count in incidents
    ]
    if not reports:
        lines.append("no run yet: `childlink-ingest run EXTRACT --mapping MAPPING`")
    return "\n".join(lines + [render_run(report) for report in reports])


def status_page(partner: str, spool: Spool, refresh: int | None = None) -> str:
    """The account of the spool as an HTML page.

    With `refresh`, the page reloads itself after that many seconds.
    """
    return pages.render(
        "status.html",
        partner=partner,
        queued=spool.count_batches("queued"),
        sent=spool.count_batches("sent"),
        incidents=[(reason, times, explain(reason)) for reason, times in spool.incidents()],
        held=why_held(spool),
        runs=[spool.report(run_id) for run_id in spool.runs()],
        explain=explain,
        refresh=refresh,
    )


def status_json(
    reports: Sequence[RunReport],
    queued: int,
    sent: int,
    incidents: Sequence[tuple[str, int]],
    held: str,
) -> str:
    """The account of the spool as JSON."""
    return json.dumps(
        {
            "queued_batches": queued,
            "unanswered_batches": sent,
            "incidents": dict(incidents),
            "held": held,
            "runs": [asdict(r) for r in reports],
        },
        indent=2,
    )


def _counted(title: str, counts: Counter[str]) -> list[str]:
    return (
        ["", f"{title}:"] + [f"  {text}: {count:,} rows" for text, count in counts.most_common()]
        if counts
        else []
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _spread(values: Counter[object]) -> str:
    if not values:
        return "(none)"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        numbers = sorted(float(str(value)) for value in values.elements())
        return f"{numbers[0]:g} to {numbers[-1]:g}, median {numbers[len(numbers) // 2]:g}"
    return ", ".join(
        f"{value} {_share(count, values.total())}" for value, count in values.most_common(6)
    )
