"""The maternity trust, the community trust and the GP register."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from tests.bench.second_world.files import (
    Extract,
    World,
    british,
    ethnic_category,
    in_use,
    iso,
)
from tests.bench.second_world.habits import COMMUNITY, GP, MATERNITY, REGISTERED_AGAIN
from tests.bench.second_world.mappings import (
    ASQ_MAPPING,
    GP_MAPPING,
    MATERNITY_MAPPING,
    NCMP_MAPPING,
    SIX_WEEK_MAPPING,
)
from tests.bench.second_world.observe import Seen
from tests.bench.second_world.people import EXTRACTED, Person
from tests.bench.second_world.places import at

BORN_HERE: Final = 0.87  # of births to residents; with families that arrive later, 80% of children
ELSEWHERE_BORN_HERE: Final = 0.25  # of families that lived outside the borough then
NEW_HOSPITAL_NUMBER: Final = 0.03  # mothers who get a second hospital number for another birth
NAMED_AT_BIRTH: Final = 0.25  # babies whose given name reaches the maternity record
SEEN_BY_COMMUNITY: Final = 0.99  # with those missed at each review, about 95% have a record
SIX_WEEKS: Final = 0.90  # health visiting metrics (OHID): 80% to 90% have the review in time
AT_TWO: Final = 0.78  # health visiting metrics: reviews at 2 to 2.5 years
MEASURED: Final = 0.93  # NCMP: participation in Reception
ON_GP_REGISTER: Final = 0.94


def maternity(world: World) -> None:
    """Births: babies without a name of their own, mothers in full."""
    partner, rng = MATERNITY.partner, world.rng("maternity")
    extract = Extract(partner, "maternity", MATERNITY_MAPPING)
    for family in world.population.families:
        numbers: dict[date, str] = {}
        mother_id = ""
        loyal = rng.random() < BORN_HERE
        for child in family.children:
            if child.since > date.min:
                continue  # the new identity of an adopted child has no birth record
            if child.born not in numbers:  # one decision and one number for a birth of twins
                here = (
                    loyal if family.arrived <= child.born else (rng.random() < ELSEWHERE_BORN_HERE)
                )
                if not mother_id or rng.random() < NEW_HOSPITAL_NUMBER:
                    mother_id = world.new_id(partner, lambda: f"M{rng.randrange(10**7):07}")
                numbers[child.born] = mother_id if here else ""
            if numbers[child.born]:
                extract.rows.append(_birth(world, child, numbers[child.born], rng))
    world.extracts.append(extract)


def _birth(world: World, child: Person, mother_id: str, rng: random.Random) -> dict[str, str]:
    partner = MATERNITY.partner
    assert child.family is not None
    mother = child.family.mother
    local = world.new_id(partner, lambda: f"B{rng.randrange(10**7):07}")
    world.know(partner, local, "child", child)
    world.know(partner, mother_id, "adult", mother)
    baby = world.observer(MATERNITY, local).see(child, child.born)
    seen = world.observer(MATERNITY, mother_id).see(mother, child.born)
    many = 1 + len(child.twins)
    # The hospital writes the number 1 for most single babies, too.
    order = str(child.order) if many > 1 else rng.choice(("1", "1", "1", ""))
    if rng.random() >= NAMED_AT_BIRTH:
        baby.given = _placeholder(child, seen, rng)
    father = child.family.father
    own = father and rng.random() < 0.06
    weeks = max(24, min(42, round(rng.gauss(36 if many > 1 else 39.3, 1.6))))
    weight = max(600, round(rng.gauss(3380 - 190 * (39.3 - weeks), 420)))
    return {
        "Birth ID": world.new_id(partner, lambda: f"{rng.randrange(10**8):08}"),
        "Baby Hosp No": local,
        "Baby NHS No": _grouped(baby.nhs),
        "Baby NHS Status": baby.nhs_status,
        "Baby Forename": baby.given,
        "Baby SURNAME": father.name_at(child.born).last.upper() if own and father else seen.surname,
        "Baby DOB": british(baby.born),
        "Baby Sex": {"m": "1", "f": "2", "": "9"}[baby.sex],
        "No. in Birth": str(many),
        "Birth Order": order,
        "Delivery Date": british(child.born),
        "Birth Weight (g)": str(weight),
        "Gestation": str(weeks),
        "Mother Hosp No": mother_id,
        "Mother NHS No": _grouped(seen.nhs),
        "Mother NHS Status": seen.nhs_status,
        "Mother Forename": seen.given,
        "Mother Middle Name(s)": seen.middle,
        "Mother SURNAME": seen.surname,
        "Mother DOB": british(seen.born),
        "Mother Postcode": seen.postcode,
        "Mother UPRN": seen.uprn,
        "Ethnic Cat": ethnic_category(child, rng),
    }


def _placeholder(child: Person, mother: Seen, rng: random.Random) -> str:
    if child.twins:
        word = "TWIN" if len(child.twins) == 1 else "TRIPLET"
        orders = (f"{word} {child.order}", f"{word.title()} {child.order}", f"Baby {child.order}")
        return rng.choice((*orders, f"{word} {'I' * child.order}", ""))
    kind = "Boy" if child.sex == "m" else "Girl"
    forms = ("BABY", "Baby", f"Baby {kind}", f"Baby {kind} {mother.surname}", "")
    names = (*forms, f"Infant of {mother.given}")
    return rng.choices(names, (30, 10, 14, 12, 24, 10))[0]


def _grouped(nhs: str) -> str:
    return f"{nhs[:3]} {nhs[3:6]} {nhs[6:]}" if nhs else ""


def community(world: World) -> None:
    """Health visiting and school nursing: one id per person, details as of the extract."""
    partner, rng = COMMUNITY.partner, world.rng("community")
    six = Extract(partner, "six_week_review", SIX_WEEK_MAPPING)
    two = Extract(partner, "asq3", ASQ_MAPPING)
    weighed = Extract(partner, "ncmp", NCMP_MAPPING)
    mothers: dict[str, str] = {}
    for child in world.population.children:
        if rng.random() >= SEEN_BY_COMMUNITY or child.family is None:
            continue
        local = world.new_id(partner, lambda: f"{rng.randrange(10**6, 10**7)}")
        arrived = child.family.arrived
        day = in_use(child, child.born + timedelta(rng.randint(40, 60)))
        if day and child.since == date.min and arrived <= day and rng.random() < SIX_WEEKS:
            row = _contact(world, child, local, day, rng) | _mother(world, child, mothers, rng)
            six.rows.append(row | {"Feeding": rng.choices(("B", "M", "F", ""), (45, 22, 28, 5))[0]})
        day = in_use(child, child.born + timedelta(rng.randint(720, 930)))
        if day and arrived <= day and rng.random() < AT_TWO:
            row = _contact(world, child, local, day, rng) | _mother(world, child, mothers, rng)
            areas = ("Communication", "GrossMotor", "FineMotor", "ProblemSolving", "PersonalSocial")
            flags = {f"ASQ{area}": rng.choices(("Y", "N", ""), (85, 13, 2))[0] for area in areas}
            two.rows.append(row | flags)
        start = date(child.born.year + (5 if child.born.month > 8 else 4), 9, 1)
        day = in_use(child, start + timedelta(rng.randint(30, 290)))
        if day and arrived <= day and rng.random() < MEASURED:
            status = rng.choices(("UW", "HW", "OW", "OB", "U"), (1, 76, 12, 10, 1))[0]
            row = _contact(world, child, local, day, rng)
            weighed.rows.append(row | {"WeightCategory": status})
    world.extracts += [six, two, weighed]


def _contact(
    world: World, child: Person, local: str, day: date, rng: random.Random
) -> dict[str, str]:
    world.know(COMMUNITY.partner, local, "child", child)
    seen = world.observer(COMMUNITY, local).see(child, min(EXTRACTED, child.until))
    return {
        "ContactID": world.new_id(COMMUNITY.partner, lambda: f"C{rng.randrange(10**9):09}"),
        "ContactDate": iso(day),
        "ClientID": local,
        "NHSNumber": seen.nhs,
        "NHSNumberStatus": seen.nhs_status,
        "Forename": seen.given,
        "MiddleNames": seen.middle,
        "PreferredName": seen.known_as,
        "Surname": seen.surname,
        "DateOfBirth": iso(seen.born),
        "Gender": {"f": "F", "m": "M", "": "X"}[seen.sex],
        "Postcode": seen.postcode,
        "UPRN": seen.uprn,
        "EthnicCategory": ethnic_category(child, rng),
    }


def _mother(world: World, child: Person, ids: dict[str, str], rng: random.Random) -> dict[str, str]:
    names = ("ID", "NHSNumber", "Forename", "Surname", "DateOfBirth", "Postcode")
    if rng.random() < 0.07 or child.family is None:  # no mother linked to the child's record
        return {f"Mother{name}": "" for name in names}
    mother = child.family.mother
    if mother.id not in ids:
        ids[mother.id] = world.new_id(COMMUNITY.partner, lambda: f"{rng.randrange(10**6, 10**7)}")
    local = ids[mother.id]
    world.know(COMMUNITY.partner, local, "adult", mother)
    habit = replace(COMMUNITY, nhs_missing=0.12)  # parents are traced less often than children
    seen = world.observer(habit, local).see(mother, EXTRACTED)
    values = (local, seen.nhs, seen.given, seen.surname, iso(seen.born), seen.postcode)
    return {f"Mother{name}": value for name, value in zip(names, values, strict=True)}


def gp(world: World) -> None:
    """Immunisations: good NHS numbers, late addresses, some people registered twice."""
    partner, rng = GP.partner, world.rng("gp")
    extract = Extract(partner, "immunisation", GP_MAPPING)
    for child in world.population.children:
        if rng.random() >= ON_GP_REGISTER:
            continue
        planned = min(child.born + timedelta(731), EXTRACTED - timedelta(rng.randint(1, 40)))
        day = in_use(child, planned)
        if day is None:
            continue
        again = rng.random() < REGISTERED_AGAIN * world.errors
        for turn in range(1 + again):
            when = day if again and turn == 0 else min(EXTRACTED, child.until)
            local = world.new_id(partner, lambda: f"G{rng.randrange(10**6):06}")
            world.know(partner, local, "child", child)
            seen = world.observer(GP, local).see(child, when)
            done = rng.choices(("Y", "N", ""), (84, 13, 3), k=2)
            extract.rows.append(
                {
                    "Record": world.new_id(partner, lambda: f"R{rng.randrange(10**8):08}"),
                    "Patient Ref": local,
                    "NHS NUMBER": seen.nhs,
                    "Given Name": seen.given,
                    "Other Names": seen.middle,
                    "Known As": seen.known_as,
                    "Family Name": seen.surname,
                    "DOB": f"{seen.born:%d-%b-%Y}" if seen.born else "",
                    "Sex": {"f": "Female", "m": "Male", "": "Unknown"}[seen.sex],
                    "Post Code": seen.postcode.replace(" ", "") if turn else seen.postcode,
                    "UPRN": seen.uprn,
                    "Recorded": f"{day:%d-%b-%Y}",
                    "MMR 1": done[0],
                    "6-in-1 x3": done[1],
                    "Up To Date": "Y" if done == ["Y", "Y"] else "N",
                    "Practice": str(1 + int(at(child.homes, when).uprn[-3:]) % 9),
                }
            )
    world.extracts.append(extract)
