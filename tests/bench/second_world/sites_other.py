"""The council, the charity and the referral service."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from tests.bench.second_world.files import Extract, World, british, in_use, iso
from tests.bench.second_world.habits import CHARITY, COUNCIL, REFERRALS
from tests.bench.second_world.mappings import (
    CENSUS_MAPPING,
    CENTRE_MAPPING,
    CHARITY_MAPPING,
    FORMS_MAPPING,
    REFERRAL_MAPPING,
)
from tests.bench.second_world.people import EXTRACTED, FIRST_BIRTH, Family, Person

KNOWN_TO_COUNCIL: Final = 0.72  # uses a children's centre or a school of the borough
IN_CHILDRENS_CENTRE: Final = 0.75  # of those
IN_SCHOOL: Final = 0.93  # of those who have finished Reception
KNOWN_TO_CHARITY: Final = 0.32  # of families: so that 25% of children are known
KNOWN_TO_REFERRALS: Final = 0.12
UNBORN: Final = 0.12  # of the referred children were referred before birth
UNBORN_KEEPS_ID: Final = 0.4  # and keep their id after it
REGISTRATIONS: Final = (0.55, 0.30, 0.15)  # families who fill in the form once, twice, three times
PARENTS_SURNAME: Final = 0.06  # forms with the surname of the adult who brought the child
VAGUE_DATE: Final = 0.004  # "Mar 2021": no mapping can read it, so the row is rejected
NOT_KNOWN: Final = 0.02  # referrals without a child's given name
ADULTS: Final = ("mother", "father", "carer", "")


def _adult(
    family: Family, shares: tuple[float, ...], rng: random.Random
) -> tuple[str, Person | None]:
    role = rng.choices(ADULTS, shares)[0]
    people = {"mother": family.mother, "father": family.father, "carer": family.carer}
    person = people.get(role)
    return (role, person) if person or not role else ("mother", family.mother)


def _id_of(
    world: World, partner: str, person: Person, ids: dict[str, str], rng: random.Random
) -> str:
    """The partner's one id for a person."""
    if person.id not in ids:
        ids[person.id] = world.new_id(partner, lambda: f"{rng.randrange(10**5, 10**6)}")
    return ids[person.id]


def council(world: World) -> None:
    """Children's centres, and the Reception assessments of schools."""
    partner, rng = COUNCIL.partner, world.rng("council")
    centres = Extract(partner, "attendance", CENTRE_MAPPING)
    census = Extract(partner, "eyfs", CENSUS_MAPPING)
    ids: dict[str, str] = {}
    for child in world.population.children:
        if rng.random() >= KNOWN_TO_COUNCIL or child.family is None:
            continue
        year = child.born.year + (6 if child.born.month > 8 else 5)
        assessed = in_use(child, date(year, 6, rng.randint(1, 28)))
        if assessed and rng.random() < IN_SCHOOL:
            census.rows.append(_pupil(world, child, assessed, rng))
        elif assessed:
            continue
        if not assessed or rng.random() < IN_CHILDRENS_CENTRE:
            local = _id_of(world, partner, child, ids, rng)
            first = child.born + timedelta(rng.randint(60, 1300))
            if first >= EXTRACTED:
                first = child.born + timedelta((EXTRACTED - child.born).days * 2 // 3)
            day = in_use(child, first)
            role, adult = _adult(child.family, (0.78, 0.14, 0.04, 0.04), rng)
            for _ in range(rng.choices((1, 2, 3, 4), (45, 30, 15, 10))[0]):
                if day is None:
                    break
                row = _visit(world, child, local, first, day, rng)
                centres.rows.append(row | _accompanying(world, role, adult, ids, first, rng))
                day = in_use(child, day + timedelta(rng.randint(7, 60)))
    world.extracts += [centres, census]


def _pupil(world: World, child: Person, day: date, rng: random.Random) -> dict[str, str]:
    partner = COUNCIL.partner
    local = world.new_id(
        partner, lambda: f"{rng.choice('ABCDEFGHJKLMNPQRTUVWXYZ')}{rng.randrange(10**12):012}"
    )
    world.know(partner, local, "child", child)
    seen = world.observer(COUNCIL, local).see(child, day)
    english = child.tradition in ("english", "irish", "caribbean")
    return {
        "UPN": local,
        "Census": f"{day.year} Summer",
        "Legal forename(s)": seen.given,
        "Legal surname": seen.surname,
        "Preferred forename": seen.known_as or seen.given.split(" ")[0],
        "DoB": british(seen.born),
        "Sex": {"f": "F", "m": "M", "": "?"}[seen.sex],
        "Postcode": seen.postcode.replace(" ", ""),
        "UPRN": seen.uprn,
        "Assessed": british(day),
        "GLD": rng.choices(("Y", "N"), (67, 33))[0],
        "Language": rng.choices(("ENG", "OTH", "NOT"), (95, 2, 3) if english else (30, 65, 5))[0],
    }


def _visit(
    world: World, child: Person, local: str, first: date, day: date, rng: random.Random
) -> dict[str, str]:
    partner = COUNCIL.partner
    world.know(partner, local, "child", child)
    seen = world.observer(COUNCIL, local).see(child, first)
    return {
        "Visit ref": world.new_id(partner, lambda: f"V{rng.randrange(10**8):08}"),
        "Visit date": british(day),
        "Programme": rng.choice(("making_it_real", "natural_thinkers", "healthy_living")),
        "Child ref": local,
        "NHS number": seen.nhs,
        "Legal forename(s)": seen.given,
        "Legal surname": seen.surname,
        "Known as": seen.known_as,
        "DoB": british(seen.born),
        "Sex": {"f": "F", "m": "M", "": "?"}[seen.sex],
        "Postcode": seen.postcode,
        "UPRN": seen.uprn,
    }


def _accompanying(
    world: World,
    role: str,
    adult: Person | None,
    ids: dict[str, str],
    when: date,
    rng: random.Random,
) -> dict[str, str]:
    names = ("ref", "first name", "last name", "DoB", "postcode")
    values: tuple[str, ...] = ("",) * 5
    if adult:
        local = _id_of(world, COUNCIL.partner, adult, ids, rng)
        world.know(COUNCIL.partner, local, "adult", adult)
        habit = replace(COUNCIL, born_missing=0.35, middle="dropped", known_as=0.25)
        seen = world.observer(habit, local).see(adult, when)
        values = (local, seen.given, seen.surname, british(seen.born), seen.postcode)
    row = {f"Adult {name}": value for name, value in zip(names, values, strict=True)}
    words = {"mother": "Mum", "father": "Dad", "carer": "Grandparent", "": ""}
    return row | {"Relationship": words[role]}


def charity(world: World) -> None:
    """Paper forms: new ids for each registration, names by ear, guessed dates."""
    partner, rng = CHARITY.partner, world.rng("charity")
    visits = Extract(partner, "attendance", CHARITY_MAPPING)
    forms = Extract(partner, "questionnaire", FORMS_MAPPING)
    for family in world.population.families:
        if rng.random() >= KNOWN_TO_CHARITY:
            continue
        day = max(FIRST_BIRTH, family.children[0].born) + timedelta(rng.randint(30, 700))
        for _ in range(rng.choices((1, 2, 3), REGISTRATIONS)[0]):
            if day < EXTRACTED:
                _registration(world, family, day, visits, forms, rng)
            day += timedelta(rng.randint(90, 700))
    world.extracts += [visits, forms]


def _registration(
    world: World, family: Family, day: date, visits: Extract, forms: Extract, rng: random.Random
) -> None:
    partner = CHARITY.partner
    role, adult = _adult(family, (0.8, 0.11, 0.05, 0.04), rng)
    habit = replace(CHARITY, born_missing=0.6, names=3.0, postcodes=2.0, postcode_partial=0.01)
    adult_id = form_day = postcode = given = surname = ""
    if adult:
        adult_id = world.new_id(partner, lambda: f"A{rng.randrange(10**6):06}")
        world.know(partner, adult_id, "adult", adult)
        seen = world.observer(habit, adult_id).see(adult, day)
        given, surname, form_day = seen.given, seen.surname, british(seen.born)
        postcode = seen.postcode
    for child in family.children:
        if child.born > day or not in_use(child, day) or child.since > day:
            continue
        local = world.new_id(partner, lambda: f"C{rng.randrange(10**6):06}")
        world.know(partner, local, "child", child)
        note = world.observer(CHARITY, local).see(child, day)
        if surname and rng.random() < PARENTS_SURNAME * world.errors:
            note.surname = surname
        born = british(note.born) or rng.choice(("", "not known"))
        if note.born and rng.random() < VAGUE_DATE * world.errors:
            born = f"{note.born:%b %Y}"
        sure = "guess" if note.guessed else rng.choice(("yes", "")) if note.born else ""
        for visit in range(rng.choices((1, 2, 3), (60, 25, 15))[0]):
            visits.rows.append(
                {
                    "Line": world.new_id(partner, lambda: f"L{rng.randrange(10**7):07}"),
                    "Session": british(day + timedelta(7 * visit)),
                    "Group": rng.choice(("Stay & play", "Breastfeeding cafe", "Cook and eat")),
                    "Form no (child)": local,
                    "NHS no (red book)": note.nhs,
                    "Child first name": note.given,
                    "Child family name": note.surname,
                    "Birthday": born,
                    "Birthday sure?": sure,
                    "Boy/Girl": {"f": "Girl", "m": "Boy", "": ""}[note.sex],
                    "Postcode": note.postcode if role == "" else postcode,
                    "Form no (adult)": adult_id,
                    "Your first name": given,
                    "Your last name": surname,
                    "Your birthday": form_day,
                    "You are the child's": {"mother": "mum", "father": "dad", "carer": "nan"}.get(
                        role, ""
                    ),
                }
            )
    if adult and rng.random() < 0.35:
        if rng.random() < 0.4:  # a new form for the course
            adult_id = world.new_id(partner, lambda: f"A{rng.randrange(10**6):06}")
            world.know(partner, adult_id, "adult", adult)
            seen = world.observer(habit, adult_id).see(adult, day)
        for when, shift in (("first", 0), ("last", 70)):
            forms.rows.append(
                {
                    "Sheet": world.new_id(partner, lambda: f"Q{rng.randrange(10**7):07}"),
                    "Date": british(day + timedelta(shift)),
                    "Course": "Baby Steps",
                    "Scale": "CORE-10",
                    "When": when,
                    "Total": str(max(0, min(40, round(rng.gauss(12 if shift == 0 else 9, 6))))),
                    "Form no (adult)": adult_id,
                    "Your first name": seen.given,
                    "Your last name": seen.surname,
                    "Usually called": seen.known_as,
                    "Your birthday": british(seen.born),
                    "Postcode": seen.postcode,
                }
            )


def referrals(world: World) -> None:
    """Speech therapy and social care: unborn children, unknown names, parents' details."""
    partner, rng = REFERRALS.partner, world.rng("referrals")
    extract = Extract(partner, "attendance", REFERRAL_MAPPING)
    ids: dict[str, str] = {}
    for child in world.population.children:
        if rng.random() >= KNOWN_TO_REFERRALS or child.family is None:
            continue
        role, adult = _adult(child.family, (0.75, 0.11, 0.04, 0.10), rng)
        local = _id_of(world, partner, child, ids, rng)
        if rng.random() < UNBORN and child.order < 2 and child.since == date.min:
            before = child.born - timedelta(rng.randint(20, 150))
            keeps = rng.random() < UNBORN_KEEPS_ID
            early = local if keeps else _id_of(world, partner, child, {}, rng)
            row = _referral(world, child, early, before, "MAT", rng)
            born = keeps and rng.random() < 0.5
            if not born:  # else the system shows the child's present details in the old referral
                due = child.born + timedelta(round(rng.gauss(0, 10)))
                row |= _unborn(child.family.mother, due, before, rng)
            row |= _parent(world, "mother", child.family.mother, ids, before, rng)
            extract.rows.append(row)
            if keeps and not born:
                continue
        age = (EXTRACTED - child.born).days
        day = in_use(child, child.born + timedelta(rng.randint(80, max(90, min(1900, age)))))
        if day:
            row = _referral(world, child, local, day, rng.choice(("SLT", "SLT", "DA")), rng)
            extract.rows.append(row | _parent(world, role, adult, ids, day, rng))
    world.extracts.append(extract)


def _unborn(mother: Person, due: date, day: date, rng: random.Random) -> dict[str, str]:
    surname = mother.name_at(day).last
    first, last = rng.choice((("Baby", "UNBORN"), ("", "UNBORN"), ("Unborn", surname)))
    return {
        "NHS": "",
        "NHSStatus": "",
        "FirstNames": first,
        "LastName": last,
        "PreferredName": "",
        "DOB": iso(due),
        "DOBType": "D",
        "Sex": "Unborn",
    }


def _referral(
    world: World, child: Person, local: str, day: date, team: str, rng: random.Random
) -> dict[str, str]:
    partner = REFERRALS.partner
    world.know(partner, local, "child", child)
    seen = world.observer(REFERRALS, local).see(child, day)
    if rng.random() < NOT_KNOWN * world.errors:
        seen.given = rng.choice(("Not known", "NK", "Unknown", ""))
    kind = "" if seen.born is None else "E" if seen.guessed else "A"
    return {
        "ReferralNo": world.new_id(partner, lambda: f"R{rng.randrange(10**7):07}"),
        "ReferralDate": iso(day),
        "Team": team,
        "PersonID": local,
        "NHS": seen.nhs,
        "NHSStatus": seen.nhs_status,
        "FirstNames": seen.given,
        "LastName": seen.surname,
        "PreferredName": seen.known_as,
        "DOB": iso(seen.born),
        "DOBType": kind,
        "Sex": {"f": "Female", "m": "Male", "": "Not known"}[seen.sex],
        "Postcode": seen.postcode,
        "UPRN": seen.uprn,
    }


def _parent(
    world: World,
    role: str,
    adult: Person | None,
    ids: dict[str, str],
    day: date,
    rng: random.Random,
) -> dict[str, str]:
    names = ("PersonID", "NHS", "FirstNames", "LastName", "DOB", "Sex", "Postcode", "Role")
    values: tuple[str, ...] = ("TBC" if rng.random() < 0.2 else "", *[""] * 7)
    if adult:
        local = _id_of(world, REFERRALS.partner, adult, ids, rng)
        world.know(REFERRALS.partner, local, "adult", adult)
        habit = replace(REFERRALS, nhs_missing=0.45, born_missing=0.15)
        seen = world.observer(habit, local).see(adult, day)
        born, sex = iso(seen.born), seen.sex.upper()
        values = (local, seen.nhs, seen.given, seen.surname, born, sex, seen.postcode, role.title())
    return {f"Adult{name}": value for name, value in zip(names, values, strict=True)}
