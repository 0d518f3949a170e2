"""Texts of `check`, `preview`, `run` and `status`. `preview` alone shows values, and only on the site's own terminal."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from childlink_core.profiles import Profile

from childlink_ingest.encode import Encoder, carries_pass, field_value
from childlink_ingest.mapping import Mapping
from childlink_ingest.rows import Rejection, Row
from childlink_ingest.send_extract import wire_value
from childlink_ingest.split import Observation, Subject
from childlink_ingest.spool import RunReport, explain

_EXAMPLES = 5


def render_check(rows: Sequence[Row], rejections: Sequence[Rejection], mapping: Mapping) -> str:
    """What `check` says: completeness of each column, what was taken as missing, what would be rejected."""
    read = len(rows) + len(rejections)
    lines = [
        f"dataset {mapping.dataset.name} v{mapping.dataset.version}: {read:,} rows read, {len(rows):,} good, {len(rejections):,} rejected",
        "",
    ]
    lines.append(f"{'column':28}{'filled':>9}  values")
    for subject in mapping.dataset.subjects:
        people = [person for row in rows if (person := getattr(row, subject))]
        for name in ("nhs_number", "given_name", "surname", "date_of_birth", "sex", "postcode"):
            filled = sum(1 for person in people if getattr(person, name))
            lines.append(f"{subject + '_' + name:28}{_share(filled, len(rows)):>9}  encoded, never sent")
    for field in mapping.dataset.fields:
        values = [row.attributes[field.name] for row in rows if field.name in row.attributes]
        lines.append(f"{field.name:28}{_share(len(values), len(rows)):>9}  {_spread(values)}")
    lines += _counted("Taken as missing", Counter(note for row in rows for note in row.notes))
    lines += _rejected(rejections)
    return "\n".join(lines)


def render_preview(
    rows: Sequence[Row],
    halves: Sequence[tuple[Subject | None, Subject | None, Observation]],
    encoder: Encoder,
    mapping: Mapping,
) -> str:
    """Exactly what would leave the site for a few rows: both halves, before sealing."""
    lines = []
    for row, (child, adult, observation) in zip(rows, halves, strict=True):
        lines.append(f"=== row {row.number} " + "=" * 60)
        for subject in (child, adult):
            if subject:
                lines += _preview_subject(subject, encoder)
        lines.append("  to analytics, sealed to it alone:")
        lines.append(f"    row reference       {observation.row_reference.hex()}")
        for name, reference in (("child", observation.child_reference), ("adult", observation.adult_reference)):
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
    lines = [f"  {subject.role}: stays here, and is encoded for the linker, sealed to it alone:"]
    for name in ("nhs_number", "given_name", "surname", "date_of_birth", "sex", "postcode", "birth_order"):
        value = field_value(subject, name)
        uses = ["keyed hash"] if name == "nhs_number" and value else []
        for item in profile.passes:
            if carries_pass(subject, item):
                uses += [f"salt of pass {item.name}"] if any(salt.startswith(name) for salt in item.salt) else []
                uses += [f"filter of pass {item.name}"] if any(f.field == name for f in item.filter) else []
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
        ones = int.from_bytes(made.filter, "little").bit_count()
        lines.append(f"    leaves: pass {made.pass_number}         block {made.block_token.hex()}")
        lines.append(f"            filter {made.filter.hex()[:48]}... ({ones} of {len(made.filter) * 8} bits set)")
    for carer in record.carers:
        lines.append(f"    leaves: carer          {carer.link_reference.hex()} (relation {carer.relation})")
    return lines


def render_run(report: RunReport) -> str:
    """The account of one run, for people."""
    lines = [
        f"run {report.run_id}: {report.extract} as {report.dataset}",
        f"  rows read {report.rows_read:>9,}",
        f"  accepted  {report.accepted:>9,}",
        f"  refused   {report.refused:>9,}",
        f"  rejected  {report.rejected:>9,}",
        f"  waiting   {report.waiting:>9,}",
    ]
    lines += [
        f"    rejected: {column}: {reason} ({rows:,} rows). {remedy}"
        for column, reason, remedy, rows in report.rejections
    ]
    lines += [f"    refused: {reason} ({rows:,} rows). {explain(reason)}" for reason, rows in report.refusals]
    lines += [f"    note: {text} ({rows:,} rows)" for text, rows in report.notes]
    return "\n".join(lines)


def render_status(reports: Sequence[RunReport], queued: int, sent: int, incidents: Sequence[tuple[str, int]]) -> str:
    """The account of the spool, for people."""
    lines = [f"spool: {queued:,} batches to send, {sent:,} sent and not yet answered"]
    lines += [
        f"  refused by a service on our topics: {reason}, {count} times. {explain(reason)}"
        for reason, count in incidents
    ]
    if not reports:
        lines.append("no run yet: `childlink-ingest run EXTRACT --mapping MAPPING`")
    return "\n".join(lines + [render_run(report) for report in reports])


def status_json(reports: Sequence[RunReport], queued: int, sent: int, incidents: Sequence[tuple[str, int]]) -> str:
    """The same for programs."""
    return json.dumps(
        {
            "queued_batches": queued,
            "unanswered_batches": sent,
            "incidents": dict(incidents),
            "runs": [asdict(r) for r in reports],
        },
        indent=2,
    )


def _rejected(rejections: Sequence[Rejection]) -> list[str]:
    lines = [""] if rejections else []
    for (column, reason, remedy), count in Counter((r.column, r.reason, r.remedy) for r in rejections).most_common():
        where = [str(r.row_number) for r in rejections if (r.column, r.reason) == (column, reason)][:_EXAMPLES]
        lines.append(
            f"rejected: column {column} {reason}: {count:,} rows (line {', '.join(where)}{', ...' if count > _EXAMPLES else ''})"
        )
        lines.append(f"  what to do: {remedy}")
    return lines


def _counted(title: str, counts: Counter[str]) -> list[str]:
    return ["", f"{title}:"] + [f"  {text}: {count:,} rows" for text, count in counts.most_common()] if counts else []


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _spread(values: Sequence[object]) -> str:
    if not values:
        return "(none)"
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        numbers = sorted(float(str(value)) for value in values)
        return f"{numbers[0]:g} to {numbers[-1]:g}, median {numbers[len(numbers) // 2]:g}"
    common = Counter(map(str, values)).most_common(6)
    return ", ".join(f"{value} {_share(count, len(values))}" for value, count in common)
