"""Further extracts of the partners: referrals, assessments, feedback, hospital and social care,
school, early education, health visiting, needs, and the programme's own practitioners. They are
written only if a partnership is made up with everything, and change nothing else of it.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from childlink_catalogue.catalogue import get_dataset, instruments

from childlink_local.synth.lives import SERVICES, Lives
from childlink_local.synth.people import Adult, Child, Family, People
from childlink_local.synth.recording import Desk
from childlink_local.synth.writing import Row, write_mapping, write_rows

LAST_DAY: Final = date(2024, 12, 31)
WORKERS: Final = 1_700
"""LEAP supported 1,681 practitioners."""
_FIRST_FAMILY: Final = 900_000
_IDENTITY: Final = (
    "id",
    "nhs_number",
    "surname",
    "given_name",
    "date_of_birth",
    "sex",
    "postcode",
)
_SPACES: Final = {
    "early-years-charity": "crm",
    "st-anns-trust": "pas",
    "borough-council": "upn",
    "community-health": "child-health",
}
Values = dict[str, object]

_REFERRED: Final = ("enhanced_slt", "breastfeeding_peer_support", "community_engagement", "pairs")
_SOURCES: Final = {
    "self": 6,
    "health_visitor": 5,
    "midwife": 3,
    "gp": 3,
    "social_care": 3,
    "nursery": 2,
    "outreach": 2,
    "another_service": 2,
    "school": 1,
}
_LANGUAGES: Final = {
    "portuguese": 4,
    "spanish": 4,
    "somali": 3,
    "arabic": 2,
    "french": 2,
    "other": 3,
}
_OUTCOMES: Final = {"attended": 12, "did_not_attend": 3, "declined": 2, "waiting": 1}
_WAITS: Final = {"within_2_weeks": 5, "2_to_6_weeks": 6, "6_to_18_weeks": 4, "over_18_weeks": 2}
_HELP: Final = {
    "none": 8,
    "nursery_place": 3,
    "benefit_card": 3,
    "food": 2,
    "laptop": 1,
    "housing_move": 1,
}
_SETTINGS: Final = {
    "nursery_school": 4,
    "private_nursery": 4,
    "childrens_centre": 3,
    "childminder": 2,
    "home": 1,
}
_CAUSES: Final = {
    "other": 8,
    "injury": 4,
    "bronchiolitis": 3,
    "gastroenteritis": 2,
    "tooth_extraction": 1,
}
_ANSWERS: Final = {
    "strongly_agree": 10,
    "agree": 8,
    "neither": 3,
    "disagree": 2,
    "strongly_disagree": 1,
}
_PROGRAMMES: Final = {
    "wellcomm": 4,
    "mandatory": 4,
    "circle_of_security": 2,
    "oral_health": 3,
    "breastfeeding": 3,
    "leuven": 2,
    "domestic_abuse": 2,
}
_PARTS: Final = {
    "practitioner": 20,
    "volunteer": 6,
    "forum_parent": 4,
    "interviewed": 3,
    "facilitator": 2,
    "peer_researcher": 1,
}


_ITEMS_OF_WORKERS: Final = {
    "practitioner": ("changed_practice", "recommend_training"),
    "volunteer": ("own_gains",),
}


@dataclass
class _File:
    """The rows of one extract."""

    dataset: str
    feed: str = ""
    """Its name, if the partner has several files of the dataset."""
    rows: list[tuple[tuple[Child | Adult, ...], Family, date, Values]] = field(default_factory=list)

    def add(self, who: Child | Adult, family: Family, day: date, said: Values) -> None:
        """Add a row about a person (of a birth: about the mother too), unless it lies after the
        last day.
        """
        both = self.dataset == "maternity_care"
        if day <= LAST_DAY:
            self.rows.append(((who, *([family.mother] if both else [])), family, day, said))


def records(lives: Lives, folder: Path, desks: Mapping[str, Desk], seed: int) -> None:
    """Write the further extracts of each partner. `desks` are the partners' by name."""
    rng = np.random.default_rng([seed, 77])
    for partner, make in (
        ("early-years-charity", _of_charity),
        ("st-anns-trust", _of_trust),
        ("borough-council", _of_council),
        ("community-health", _of_health_visiting),
    ):
        for file in make(lives, rng):
            _write(file, folder / partner, desks[partner])
    for file in _of_workforce(rng):
        _write(file, folder / "early-years-charity", desks["early-years-charity"])


def _of_charity(lives: Lives, rng: np.random.Generator) -> Iterator[_File]:
    referral, assessment = _File("referral"), _File("assessment")
    feedback, needs = _File("feedback"), _File("needs")
    active = _File("questionnaire", feed="active_days")
    items = list(get_dataset("feedback").field("item").codes)
    for family in lives.families:
        child, mother = family.children[0], family.mother
        if rng.random() < 0.4:
            day = _after(child.born, rng, -120, 900)
            said = _referral(family, rng)
            who = child if said["service"] == "enhanced_slt" and day > child.born else mother
            referral.add(who, family, day, said)
        if rng.random() < 0.3:
            for item in rng.choice(items[:11], size=4, replace=False):
                said = {"service": _service(rng), "item": str(item)}
                said["answer"] = _pick(_ANSWERS, rng)
                feedback.add(mother, family, _after(child.born, rng, 60, 1400), said)
        if rng.random() < 0.35:
            needs.add(mother, family, _after(child.born, rng, 30, 1200), _needs(family, rng))
        if rng.random() < 0.12:
            _before_and_after(active, mother, family, "active_days", -150, rng)
        for one in family.children:
            if rng.random() < 0.25:
                codes = get_dataset("assessment").field("instrument").codes
                weights = [4, 4, 6, 2, 1]
                code = str(rng.choice(codes, p=np.array(weights) / sum(weights)))
                _before_and_after(assessment, one, family, code, 900, rng)
    yield from (referral, assessment, feedback, needs, active)


def _referral(family: Family, rng: np.random.Generator) -> Values:
    source = _pick(_SOURCES, rng)
    needs_english = rng.random() < 0.3
    said: Values = {
        "service": str(rng.choice(_REFERRED)) if rng.random() < 0.7 else _service(rng),
        "source": source,
        "support": "group" if source == "self" and rng.random() < 0.7 else "one_to_one",
        "reason": str(rng.choice(get_dataset("referral").field("reason").codes)),
        "fits": rng.random() < 0.8,
        "language_need": needs_english,
        "outcome": _pick(_OUTCOMES, rng),
        "wait": _pick(_WAITS, rng),
        "in_time": rng.random() < (0.65 if family.need else 0.75),
        "next_step": str(rng.choice(["signed_up", "followed_up", "signposted", "none"])),
        "heard_before": rng.random() < 0.4,
        "help": _pick(_HELP, rng),
    }
    if source == "another_service":
        said["from_service"] = _service(rng)
    if needs_english:
        said["main_language"] = _pick(_LANGUAGES, rng)
    return said


def _needs(family: Family, rng: np.random.Generator) -> Values:
    poor = (5 - family.imd_quintile) / 20 + (0.15 if family.need else 0.0)
    count = int(min(12, rng.poisson(1.0 + 6 * poor)))
    abuse = rng.random() < 0.08 + poor / 4
    said: Values = {
        "overcrowded": rng.random() < 0.1 + poor,
        "housing": rng.random() < 0.12 + poor,
        "money": rng.random() < 0.15 + poor,
        "domestic_abuse": abuse,
        "needs_known": count,
        "kept": rng.random() < 0.6,
        "refugee": rng.random() < 0.07,
    }
    if abuse:
        said["abuse_ended"] = rng.random() < 0.36
    return said


def _before_and_after(
    file: _File,
    who: Child | Adult,
    family: Family,
    code: str,
    after: int,
    rng: np.random.Generator,
) -> None:
    scale = instruments()[code]
    low, high = scale.range
    before = rng.normal(0.45, 0.16)
    first = _after(family.children[0].born if isinstance(who, Adult) else who.born, rng, 0, 60)
    setting = _pick(_SETTINGS, rng)
    service = "natural_thinkers" if code.startswith("leuven") else "enhanced_slt"
    if code == "active_days":
        service = "community_activity_nutrition"
    for timepoint, at, days in (
        ("pre", before, after),
        ("post", before + rng.normal(0.1, 0.14), after + 90),
    ):
        position = float(np.clip(at, 0.0, 1.0))
        better = position if scale.better == "higher" else 1.0 - position
        said: Values = {
            "service": service,
            "instrument": code,
            "timepoint": timepoint,
            "score": round(low + (high - low) * better),
        }
        if file.dataset == "assessment":
            said["setting"] = setting
            said["referred"] = rng.random() < 0.5 - 0.4 * position
            if code == "wellcomm":
                colours = ("red", "amber", "green")
                said["colour"] = colours[min(2, int(position * 3.2))]
        file.add(who, family, first + timedelta(days=days), said)


def _of_trust(lives: Lives, rng: np.random.Generator) -> Iterator[_File]:
    hospital, care = _File("hospital"), _File("maternity_care")
    for family in lives.families:
        poor = (3 - family.imd_quintile) / 40
        for child in family.children:
            if rng.random() < 0.9:
                said: Values = {
                    "tear": rng.random() < 0.03,
                    "haemorrhage": rng.random() < 0.03,
                    "first_milk": rng.random() < 0.72 - poor,
                    "illness": rng.random() < 0.14 + poor,
                    "result": "live",
                }
                care.add(child, family, child.born, said)
            for _ in range(int(rng.poisson(0.5 + 2 * max(0.0, poor)))):
                kind = "emergency_attendance" if rng.random() < 0.7 else "emergency_admission"
                cause = _pick(_CAUSES, rng)
                day = _after(child.born, rng, 30, 1800)
                hospital.add(child, family, day, {"kind": kind, "cause": cause})
    yield from (hospital, care)


def _of_council(lives: Lives, rng: np.random.Generator) -> Iterator[_File]:
    care, school = _File("social_care"), _File("school_outcome")
    early = _File("early_education")
    for family in lives.families:
        poor = (3 - family.imd_quintile) / 40 + (0.08 if family.need else 0.0)
        for child in family.children:
            if rng.random() < 0.07 + max(0.0, poor):
                said: Values = {
                    "status": str(
                        rng.choice(
                            ["assessed_no_need", "in_need", "protection_plan", "looked_after"],
                            p=[0.45, 0.4, 0.1, 0.05],
                        )
                    ),
                    "domestic_abuse": rng.random() < 0.4,
                    "again": rng.random() < 0.2,
                }
                care.add(child, family, _after(child.born, rng, 60, 1700), said)
            eligible = rng.random() < 0.25 + 2 * poor
            if rng.random() < 0.6:
                taken = eligible and rng.random() < 0.65
                day = _after(child.born, rng, 760, 860)
                early.add(child, family, day, {"eligible": eligible, "taken": taken})
            start = child.born.year + (5 if child.born.month < 9 else 6)
            if family.residence != "outside" and rng.random() < 0.75:
                school.add(child, family, date(start, 7, 10), _school(poor, rng))
    yield from (care, school, early)


def _school(poor: float, rng: np.random.Generator) -> Values:
    send = str(rng.choice(["none", "support", "plan"], p=[0.82, 0.14, 0.04]))
    said: Values = {
        "goal_social": rng.random() < 0.8 - poor,
        "goal_language": rng.random() < 0.78 - poor,
        "send": send,
        "absence": str(rng.choice(["under_5", "5_to_10", "10_or_more"], p=[0.5, 0.32, 0.18])),
        "attainment": "expected" if rng.random() < 0.68 - poor else "below",
    }
    if send == "plan":
        said["plan_in_time"] = rng.random() < 0.55
    return said


def _of_health_visiting(lives: Lives, rng: np.random.Generator) -> Iterator[_File]:
    review = _File("health_review")
    contacts = {"antenatal": -40, "new_birth": 12, "six_weeks": 45, "one_year": 365}
    contacts["two_years"] = 760
    for family in lives.families:
        poor = (3 - family.imd_quintile) / 40
        for child in family.children:
            for contact, days in contacts.items():
                if rng.random() > 0.82:
                    continue
                said: Values = {"contact": contact, "in_time": rng.random() < 0.88}
                if contact == "new_birth":
                    said["within_48_hours"] = rng.random() < 0.9
                    said["breastfed_14_days"] = rng.random() < 0.7 - poor
                    said["looked_after"] = rng.random() < 0.006
                if contact == "one_year":
                    said["breastfed_six_months"] = rng.random() < 0.4 - poor
                    said["solids_before_six_months"] = rng.random() < 0.2 + poor
                if contact == "two_years":
                    said["tooth_decay"] = rng.random() < 0.12 + 2 * poor
                    said["vitamin_deficiency"] = rng.random() < 0.05
                # A contact before birth is recorded with it, because the child is known then.
                review.add(child, family, child.born + timedelta(days=max(0, days)), said)
    yield review


def _of_workforce(rng: np.random.Generator) -> tuple[_File, _File]:
    """Practitioners and volunteers: people of their own, who are no parents of the programme. What
    they did, and what they say of it.
    """
    file, said_by_them = _File("workforce"), _File("feedback", feed="feedback_of_workers")
    made = People(rng).families(WORKERS)
    for number, family in enumerate(made[:WORKERS]):
        worker, own = family.mother, family
        worker.person += 10 * _FIRST_FAMILY
        # They give none. Numbers of a second list of people could be those of parents.
        worker.nhs_number = ""
        own.family = _FIRST_FAMILY + number
        part = _pick(_PARTS, rng)
        for _ in range(int(rng.integers(1, 4))):
            said: Values = {
                "part": part,
                "programme": _pick(_PROGRAMMES, rng),
                "employer": str(rng.choice(["trust", "council", "charity", "school", "nursery"])),
                "setting": _pick(_SETTINGS, rng),
                "completed": rng.random() < 0.78,
            }
            if part == "practitioner":
                said["competent"] = rng.random() < 0.7
                said["caseload"] = int(min(60, rng.poisson(22)))
            if part == "volunteer":
                said["hours"] = int(min(80, rng.gamma(2.0, 12.0)))
                said["other_language"] = rng.random() < 0.45
                said["priority_group"] = rng.random() < 0.6
            file.add(worker, own, _after(date(2021, 1, 1), rng, 0, 1400), said)
        for item in _ITEMS_OF_WORKERS.get(part, ()):
            said = {"service": _service(rng), "item": item, "answer": _pick(_ANSWERS, rng)}
            said_by_them.add(worker, own, _after(date(2022, 1, 1), rng, 0, 1000), said)
    return file, said_by_them


def _write(file: _File, folder: Path, desk: Desk) -> None:
    """Write an extract and its mapping, with the headers of the contract."""
    contract = get_dataset(file.dataset)
    named = [
        item.name
        for item in contract.fields
        if any(item.name in said for *_, said in file.rows) and item.name != contract.event
    ]
    roles: list[str] = list(contract.subjects)
    rows: list[Row] = []
    for people, family, day, said in file.rows:
        identity = {role: [""] * len(_IDENTITY) for role in roles}
        for person in people:
            identity |= _identity(person, family, day, desk)
        rows.append(
            [
                f"{file.dataset[:3]}{len(rows)}",
                *itertools.chain.from_iterable(identity[role] for role in roles),
                f"{day:%Y-%m-%d}",
                *(_text(said.get(name)) for name in named),
            ]
        )
    who = {f"{role}_{name}": f"{role} {name}" for role in roles for name in _IDENTITY}
    name = file.feed or file.dataset
    write_rows(folder / f"{name}.csv", ["row", *who.values(), "day", *named], rows)
    write_mapping(
        folder / f"{name}.toml",
        file.dataset,
        {"id_space": _SPACES[desk.partner], **({"feed": file.feed} if file.feed else {})},
        {
            "row_id": "row",
            **who,
            contract.event: "day",
            **{name: name for name in named},
        },
    )


def _identity(person: Child | Adult, family: Family, day: date, desk: Desk) -> dict[str, list[str]]:
    """Values of `_IDENTITY`, by role."""
    if isinstance(person, Child):
        role, local, seen = (
            "child",
            desk.child_id(person, family),
            desk.record.child(person, family, day),
        )
    else:
        role, local, seen = (
            "adult",
            desk.adult_id(person, family),
            desk.record.adult(person, family, day),
        )
    born = f"{seen.born:%Y-%m-%d}"
    values = [local, seen.nhs_number, seen.surname, seen.given_name, born, seen.sex, seen.postcode]
    return {role: values}


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _after(born: date, rng: np.random.Generator, low: int, high: int) -> date:
    return born + timedelta(days=int(rng.integers(low, high + 1)))


def _pick(weighted: Mapping[str, int], rng: np.random.Generator) -> str:
    weights = np.array(list(weighted.values()), dtype=float)
    return str(rng.choice(list(weighted), p=weights / weights.sum()))


def _service(rng: np.random.Generator) -> str:
    return _pick(SERVICES, rng)
