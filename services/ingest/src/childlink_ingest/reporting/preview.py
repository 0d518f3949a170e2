"""The content of the document for approval: the rule of each column, and both halves of made-up
rows.

No I/O, and no real rows. `report.render_preview` shows real rows, on the site's own terminal only.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from childlink.wire.v1 import encoded_pb2 as wire
from childlink_catalogue.datasets import Attribute, Field
from childlink_core.keys import SecretKey
from childlink_core.profiles import Pass, Profile
from childlink_core.references import ReferenceKeys

from childlink_ingest.mapping.definition import Mapping
from childlink_ingest.model.rows import Identity, Row
from childlink_ingest.pseudonymise.encoder import Encoder
from childlink_ingest.pseudonymise.fields import read_from
from childlink_ingest.pseudonymise.split import Subject, split

_PEOPLE: Final = (
    ("9990000018", "amina rose", "okafor smith", date(2020, 3, 14), "f", "ZY98JJ"),
    ("", "oliver", "khan", date(2019, 11, 2), "m", "ZY240AA"),
    ("9990000026", "", "nguyen", date(2021, 6, 30), "f", "ZY21AB"),
)
_PARENTS: Final = (
    ("9990000034", "grace", "okafor", date(1990, 5, 2), "f", "ZY98JJ"),
    ("9990000042", "sara", "khan", date(1988, 1, 19), "f", "ZY240AA"),
    ("", "linh", "nguyen", date(1994, 9, 9), "f", "ZY21AB"),
)
IDENTIFIERS: Final = (
    "nhs_number",
    "given_name",
    "known_as",
    "surname",
    "date_of_birth",
    "sex",
    "postcode",
)
"""The fields of an identity that are hashed, and never sent."""
_RULES: Final = {
    "nhs_number": "checked (modulus 11), then a keyed hash",
    "nhs_number_status": "sent as it is: the NHS number was traced, or not",
    "given_name": "normalised; hashed with other fields",
    "known_as": "normalised; hashed with other fields",
    "surname": "normalised; hashed with other fields",
    "date_of_birth": ("hashed with other fields; a keyed hash groups records to compare"),
    "date_approximate": "sent as it is: the date of birth is a guess, or not",
    "sex": "hashed with other fields",
    "postcode": "hashed with other fields; an area may be derived from it",
    "birth_order": "sent as it is: 1, 2, ...",
    "id": "becomes references: keyed hashes under keys that never leave this site",
}


@dataclass(frozen=True)
class ColumnRule:
    """The rule for one column of the extract."""

    source: str
    canonical: str
    rule: str
    leaves: str
    disclosive: str = ""


_DERIVED_FROM: Final = {"birth_year": "(date of birth)", "adult_role": "(relation)"}
"""What other fields than areas are derived from."""


def column_rules(mapping: Mapping, profile: Profile) -> list[ColumnRule]:
    """The rules of every column of the extract, and of every derived field."""
    fields = {field.name: field for field in mapping.dataset.fields}
    rules = []
    for name, column in mapping.columns.items():
        source = " + ".join(column.columns)
        if name in fields:
            field = fields[name]
            rule = "a date is cut to its month" if field.type == "month" else "sent as it is"
            rule = (
                f"coded: {len(column.codes)} codes are mapped"
                if column.codes and field.type != "month"
                else rule
            )
            rules.append(ColumnRule(source, name, rule, "analytics", field.disclosive))
        elif name in ("row_id", "deleted"):
            rule = (
                "becomes a reference: a keyed hash"
                if name == "row_id"
                else "a deleted row is withdrawn"
            )
            rules.append(
                ColumnRule(source, name, rule, "analytics" if name == "row_id" else "(not sent)")
            )
        elif name == "adult_relation":
            rules.append(ColumnRule(source, name, "sent as mother, father or carer", "linker"))
        else:
            role, _, kind = name.partition("_")
            how = _RULES[kind]
            passes = [item.name for item in profile.passes if _uses(item, role, kind)]
            how += f" (passes: {', '.join(passes)})" if passes else ""
            rules.append(
                ColumnRule(
                    source,
                    name,
                    how,
                    "linker" if kind != "id" else "linker and analytics, as different references",
                )
            )
    for field in mapping.dataset.fields:
        if field.derive and field.name not in mapping.columns:
            rules.append(
                ColumnRule(
                    _DERIVED_FROM.get(field.derive, "(postcode)"),
                    field.name,
                    f"derived: {field.title}",
                    "analytics"
                    if field.derive in _DERIVED_FROM
                    else "analytics, if a look-up is set",
                    field.disclosive,
                )
            )
    rules += [
        ColumnRule(name, "", "dropped: stays here", "(not sent)") for name in sorted(mapping.ignore)
    ]
    return rules


def _uses(item: Pass, role: str, kind: str) -> bool:
    return uses_as_salt(item, kind, role) or (role in item.roles and uses_in_segments(item, kind))


def uses_as_salt(item: Pass, kind: str, role: str) -> bool:
    """Whether a kind of field, of a subject with this role, is a salt of the pass.

    A mother's fields can be salts of her child's pass, and a child's of a pass of its parents.
    """
    salts = {kind for name in item.salt for kind in read_from(name)}
    other = f"mother_{kind}" if role == "adult" else f"child_{kind}"
    return (role in item.roles and kind in salts) or other in salts


def uses_in_segments(item: Pass, kind: str) -> bool:
    """Whether a kind of field is hashed into a segment of the pass, or into its CLK."""
    named = item.clk.fields if item.clk else [name for s in item.segments for name in s]
    return any(kind in read_from(name) for name in named)


def examples(mapping: Mapping, profile: Profile) -> list[dict[str, list[tuple[str, str]]]]:
    """Made-up rows, encoded under throw-away keys."""
    encoder = Encoder(profile, SecretKey.generate("preview"))
    keys = ReferenceKeys.of(SecretKey.generate("preview"))
    made = []
    for number, (person, parent) in enumerate(zip(_PEOPLE, _PARENTS, strict=True), start=1):
        subjects = mapping.dataset.subjects
        child = _identity("child", number, person, mapping) if "child" in subjects else None
        adult = _identity("adult", number, parent, mapping) if "adult" in subjects else None
        relation = "mother" if child and adult else None
        values = {
            f.name: v
            for f in mapping.dataset.fields
            if f.name in mapping.columns and (v := _example(f, number)) is not None
        }
        row = Row(number, f"row-{number}", child, adult, relation, values)  # type: ignore[arg-type]
        a, b, observation = split(row, mapping, keys)
        inside = [
            (f"{role} {name.replace('_', ' ')}", str(getattr(s.identity, name) or "(missing)"))
            for role, s in (("child", a), ("adult", b))
            if s
            for name in IDENTIFIERS
        ]
        linker = [
            pair
            for role, s in (("child", a), ("adult", b))
            if s
            for pair in _linker_half(role, s, encoder)
        ]
        analytics = [("row reference", observation.row_reference.hex())]
        analytics += [
            (f"{who} reference", ref.hex())
            for who, ref in (
                ("child", observation.child_reference),
                ("adult", observation.adult_reference),
            )
            if ref
        ]
        analytics += [
            (f.title, str(values.get(f.name, "(missing)"))) for f in mapping.dataset.fields
        ]
        made.append({"inside": inside, "linker": linker, "analytics": analytics})
    return made


def _identity(role: str, number: int, known: tuple[Any, ...], mapping: Mapping) -> Identity:
    """A made-up person. Person 1 has every mark that the mapping has a column for."""

    def has(field: str) -> bool:
        return f"{role}_{field}" in mapping.columns

    first = number == 1
    return replace(
        Identity(f"{role}-{number}", *known),
        birth_order=number if has("birth_order") else None,
        date_approximate=first and has("date_approximate"),
        number_untraced=first and has("nhs_number_status"),
    )


def marks(record: wire.EncodedRecord) -> list[str]:
    """What the linker can read of a record as plain words."""
    found = {
        "the date of birth is a guess": record.approximate_date,
        "the NHS number was not traced": record.untraced_number,
        "one person may have several ids": record.many_ids,
    }
    return [words for words, marked in found.items() if marked]


def what_is_in(made: wire.PassEncoding) -> tuple[str, str]:
    """What a pass holds, and the beginning of it."""
    content = made.filter or made.bloom_filters
    what = "segments" if made.filter else "CLK"
    return what, f"{content.hex()[:32]}... ({len(content)} bytes)"


def _linker_half(role: str, subject: Subject, encoder: Encoder) -> list[tuple[str, str]]:
    [record] = encoder.encode([subject])
    lines = [(f"{role} reference", record.link_reference.hex())]
    if record.nhs_token:
        lines.append((f"{role} NHS number, keyed hash", record.nhs_token.hex()))
    for made in record.passes:
        lines.append((f"{role} pass {made.pass_number}, block", made.block_token.hex()))
        lines.append(
            (f"{role} pass {made.pass_number}, {what_is_in(made)[0]}", what_is_in(made)[1])
        )
    if record.HasField("birth_order"):
        lines.append((f"{role} birth order", str(record.birth_order)))
    lines += [(f"{role} mark", words) for words in marks(record)]
    lines += [
        (f"{role}'s {'mother' if c.relation == 1 else 'carer'}", c.link_reference.hex())
        for c in record.carers
    ]
    return lines


def _example(field: Field, number: int) -> Attribute | None:
    match field.type:
        case "month":
            return f"2023-0{number}"
        case "code":
            return field.codes[number % len(field.codes)]
        case "flag":
            return number % 2 == 1
        case _:
            low, high = field.range or (0.0, 10.0)
            middle = low + (high - low) * (0.3 + 0.1 * number)
            return int(middle) if field.type == "integer" else round(middle, 1)


def explain_profile(profile: Profile) -> list[dict[str, Any]]:
    """Describe each pass."""

    def words(names: tuple[str, ...], between: str = ", ") -> str:
        return between.join(name.replace("_", " ") for name in names)

    def when(item: Pass) -> str:
        who = f"for a {' or '.join(item.roles)}"
        return (
            f"{who} that lacks its {words(item.only_without, ' or ')}" if item.only_without else who
        )

    def how(item: Pass) -> str:
        if item.clk:
            salt = (
                f" Only records with the same {words(item.salt)} are compared." if item.salt else ""
            )
            return (
                f"One Bloom filter (a CLK) of {words(item.clk.fields)}, under one secret for"
                f" everybody.{salt}"
            )
        together = "; ".join(words(segment, " with ") for segment in item.segments)
        return f"Keyed hashes of {words(item.salt)}, each together with: {together}."

    return [
        {
            "number": item.number,
            "name": item.name,
            "when": when(item),
            "how": how(item),
        }
        for item in profile.passes
    ]


def opt_out_in_words(mapping: Mapping) -> str:
    """Describe how the national data opt-out applies."""
    if not mapping.dataset.permitted_list:
        return "does not apply to this contract (it is not confidential patient information)"
    if mapping.opt_out_exempt:
        return f"not applied; the mapping states: {mapping.opt_out_exempt}"
    return "applied: only NHS numbers that the checking service returned are sent"
