"""The customer system of a charity: attendances and questionnaires."""

from pathlib import Path
from typing import Any, Final

from childlink_local.synth import names
from childlink_local.synth.lives import Attendance, Lives
from childlink_local.synth.recording import Desk, Seen, by_chance
from childlink_local.synth.writing import Row, write_mapping, write_rows


def charity(lives: Lives, folder: Path, desk: Desk) -> None:
    """Attendance and questionnaires: names as people give them, few NHS numbers."""
    rows: list[Row] = []
    for attendance in lives.attendances:
        family = attendance.family
        child_part, adult_part = [""] * 7, [""] * 7
        if attendance.child:
            seen = desk.record.child(attendance.child, family, attendance.day)
            child_part = [desk.child_id(attendance.child, family), *_as_given(seen)]
        if attendance.adult:
            seen = desk.record.adult(attendance.adult, family, attendance.day)
            adult_part = [desk.adult_id(attendance.adult, family), *_as_given(seen)]
        relation = attendance.adult.relation.title() if attendance.adult else ""
        rows.append(
            [
                f"S{len(rows)}",
                *child_part,
                *adult_part,
                relation,
                attendance.service.replace("_", " ").title(),
                f"{attendance.day:%d %b %Y}",
                family.ethnicity.title(),
                str(family.imd_quintile),
                family.residence,
                *_visit(attendance),
            ]
        )
    who = ["id", "first name", "last name", "born", "gender", "postcode", "nhs number"]
    header = [
        "session id",
        *(f"child {w}" for w in who),
        *(f"adult {w}" for w in who),
        "adult is",
        "service",
        "date",
        "ethnicity",
        "imd",
        "lives",
        *_OF_A_VISIT.values(),
    ]
    write_rows(folder / desk.partner / "attendance.csv", header, rows)
    identity: dict[str, Any] = {}
    for role in ("child", "adult"):
        identity |= {
            f"{role}_id": f"{role} id",
            f"{role}_given_name": f"{role} first name",
            f"{role}_surname": f"{role} last name",
            f"{role}_date_of_birth": (f"{role} born", "%d %b %Y"),
            f"{role}_sex": f"{role} gender",
            f"{role}_postcode": f"{role} postcode",
            f"{role}_nhs_number": f"{role} nhs number",
        }
    services = {s.service.replace("_", " ").title(): s.service for s in lives.attendances}
    write_mapping(
        folder / desk.partner / "attendance.toml",
        "attendance",
        {"id_space": "crm"},
        {
            "row_id": "session id",
            **identity,
            "adult_relation": "adult is",
            "service": ("service", services),
            "session_date": ("date", "%d %b %Y"),
            "ethnicity": ("ethnicity", {g.title(): g for g in names.GROUPS}),
            "imd_quintile": "imd",
            "residence": "lives",
            **_OF_A_VISIT,
        },
    )
    forms: list[Row] = []
    for item in lives.questionnaires:
        seen = desk.record.adult(item.adult, item.family, item.day)
        forms.append(
            [
                f"Q{len(forms)}",
                desk.adult_id(item.adult, item.family),
                *_as_given(seen),
                item.service,
                item.instrument,
                item.timepoint.upper(),
                f"{item.score:g}",
                f"{item.day:%d %b %Y}",
            ]
        )
    write_rows(
        folder / desk.partner / "questionnaire.csv",
        ["form", *who, "programme", "tool", "when", "total", "date"],
        forms,
    )
    write_mapping(
        folder / desk.partner / "questionnaire.toml",
        "questionnaire",
        {"id_space": "crm"},
        {
            "row_id": "form",
            "adult_id": "id",
            "adult_given_name": "first name",
            "adult_surname": "last name",
            "adult_date_of_birth": ("born", "%d %b %Y"),
            "adult_sex": "gender",
            "adult_postcode": "postcode",
            "adult_nhs_number": "nhs number",
            "service": "programme",
            "instrument": "tool",
            "timepoint": ("when", {"PRE": "pre", "POST": "post"}),
            "score": "total",
            "completed_date": ("date", "%d %b %Y"),
        },
    )


_OF_A_VISIT: Final = {
    "mode": "how",
    "activity": "activity",
    "venue": "venue",
    "deliverer": "run by",
    "group_of_adult": "adult ethnicity",
    "english_additional": "adult EAL",
    "lone_parent": "lone parent",
    "pregnant": "expecting",
}
"""Fields of a visit beside its service, with their headers."""


def _visit(attendance: Attendance) -> list[str]:
    """Values of `_OF_A_VISIT`. They follow from the visit alone, so that they can be recomputed."""
    service, family = attendance.service, attendance.family
    person = family.mother.person
    visit = f"{service} {attendance.day}"
    online = 2020 <= attendance.day.year <= 2021 and by_chance(person, visit) < 0.6
    places = ("childrens_centre", "library", "park", "gp_surgery", "home")
    venue = places[int(by_chance(person, f"venue {visit}") * len(places))]
    targeted = service in ("pairs", "domestic_abuse_casework", "caseload_midwifery")
    activity = "one_to_one" if targeted else "course" if "real" in service else "drop_in"
    if service == "community_engagement" and by_chance(person, f"event {visit}") < 0.4:
        activity = "event"
    white = 0.6 if family.ethnicity == "white" else 0.0
    by = attendance.adult.person if attendance.adult else 0

    def yes(what: str, chance: float) -> str:
        return "" if not by else "Y" if by_chance(by, what) < chance else "N"

    group = "" if not by else "white_british" if by_chance(by, "group") < white else "others"
    before_birth = any(attendance.day < child.born for child in family.children)
    return [
        "online" if online else "in_person",
        activity,
        "online" if online else venue,
        ("trust", "council", "charity")[len(service) % 3],
        group,
        yes("eal", 0.4),
        yes("lone", 0.22),
        yes("pregnant", 0.5 if before_birth else 0.04),
    ]


def _as_given(seen: Seen) -> Row:
    sex = {"f": "girl/woman", "m": "boy/man"}[seen.sex].split("/")[0]
    return [
        seen.given_name,
        seen.surname,
        f"{seen.born:%d %b %Y}",
        sex,
        seen.postcode.lower(),
        seen.nhs_number,
    ]
