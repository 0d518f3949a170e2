"""What happens to the people: which services reach them, how children develop, how they answer
questionnaires.

Effects are planted, so that tests can check whether the pipeline finds them: the odds of the
expected level for engaged against not engaged children, given need, deprivation and ethnicity; and
the improvement between the questionnaires before and after.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from childlink_catalogue.catalogue import instruments

from childlink_local.synth.people import Adult, Child, Family

ODDS_RATIOS: Final = {"overall": 1.4, "communication": 1.7, "personal_social": 1.5}
IMPROVEMENT_PERCENT: Final = {"mental_health": 12.0, "parenting_knowledge": 5.0}
# Of the people reached, 85% attend one service, 14% two to four, 1% more (LEAP's published reach).
SERVICES_ATTENDED: Final = {1: 0.85, 2: 0.09, 3: 0.035, 4: 0.015, 5: 0.006, 6: 0.004}
_ADULT_MIX: Final = {"mother": 0.87, "father": 0.07, "carer": 0.06}
# Popularity of each service, relative to the others.
SERVICES: Final = {
    "baby_steps": 4,
    "circle_of_security": 3,
    "pairs": 3,
    "empowering_parents": 4,
    "domestic_abuse_casework": 2,
    "caseload_midwifery": 7,
    "community_activity_nutrition": 5,
    "breastfeeding_peer_support": 11,
    "healthy_living": 6,
    "oral_health": 13,
    "enhanced_slt": 6,
    "making_it_real": 5,
    "sharing_real": 4,
    "natural_thinkers": 9,
    "community_engagement": 18,
}
_QUESTIONNAIRES: Final = {
    "baby_steps": ("mors_warmth", "mors_invasion", "pai"),
    "circle_of_security": ("prfq_interest", "prfq_certainty", "prfq_prementalising"),
    "pairs": ("core10", "epds"),
    "empowering_parents": ("core10", "gbo"),
    "making_it_real": ("hle_index",),
    "sharing_real": ("hle_index",),
}
"""The questionnaires of each programme. An adult fills in one of them."""
# Log odds of the expected level before engagement, and the effects of need, deprivation (per
# quintile) and ethnicity.
_BASE: Final = {"overall": 1.15, "communication": 1.75, "personal_social": 2.1}
_NEED, _PER_QUINTILE = -0.9, 0.13
_ETHNICITY: Final = {"asian": -0.1, "black": -0.15, "mixed": 0.0, "white": 0.1, "other": -0.1}


@dataclass(frozen=True)
class Attendance:
    """An attendance at a session: a child with an adult, a child alone or an adult alone."""

    service: str
    day: date
    child: Child | None
    adult: Adult | None
    family: Family


@dataclass(frozen=True)
class Review:
    """An ASQ-3 at two to two and a half years."""

    child: Child
    family: Family
    day: date
    engaged: bool
    domains: dict[str, bool]


@dataclass(frozen=True)
class Questionnaire:
    """An adult's questionnaire, before or after."""

    adult: Adult
    family: Family
    service: str
    instrument: str
    timepoint: str
    day: date
    score: float


@dataclass(frozen=True)
class Lives:
    """All records of the partnership."""

    families: list[Family]
    attendances: list[Attendance]
    reviews: list[Review]
    questionnaires: list[Questionnaire]


def live(
    families: list[Family], reached_children: int, reached_adults: int, rng: np.random.Generator
) -> Lives:
    """Generate attendances, reviews and questionnaires. Exactly `reached_children` children and
    `reached_adults` adults attend something.
    """
    engaged = _engaged_children(families, reached_children, rng)
    attendances = _attendances(families, engaged, reached_adults, rng)
    reviews = [
        _review(family, child, child.person in engaged, rng)
        for family in families
        for child in family.children
    ]
    return Lives(
        families, attendances, [r for r in reviews if r], _questionnaires(attendances, rng)
    )


def _engaged_children(families: list[Family], wanted: int, rng: np.random.Generator) -> set[int]:
    """Choose the children that services reach. Services reach more children in need, in deprived
    places and in the area. The analysis must adjust for this confounding.
    """
    children, weights = [], []
    for family in families:
        pull = {"area": 1.0, "borough": 0.75, "outside": 0.6}[family.residence]
        pull *= (
            (1.5 if family.need else 1.0)
            * (1.0 + 0.12 * (5 - family.imd_quintile))
            * np.exp(-_ETHNICITY[family.ethnicity])
        )
        for child in family.children:
            children.append(child.person)
            weights.append(pull)
    keys = rng.random(len(children)) ** (
        1.0 / np.array(weights)
    )  # Efraimidis & Spirakis 2006: weighted, without replacement
    return {children[i] for i in np.argsort(-keys)[:wanted]}


def _attendances(
    families: list[Family], engaged: set[int], reached_adults: int, rng: np.random.Generator
) -> list[Attendance]:
    attendances = []
    wanted = {relation: round(reached_adults * share) for relation, share in _ADULT_MIX.items()}
    wanted["mother"] += reached_adults - sum(wanted.values())
    # Families with an engaged child come first, so that children do not attend alone if an adult
    # can come.
    order = sorted(
        rng.permutation(len(families)).tolist(),
        key=lambda i: not any(c.person in engaged for c in families[i].children),
    )
    for index in order:
        family = families[index]
        adults = []
        for adult in (family.mother, family.father, family.carer):
            if adult and wanted[adult.relation] > 0:
                wanted[adult.relation] -= 1
                adults.append(adult)
        reached = [child for child in family.children if child.person in engaged]
        attendances += _family_attendances(family, reached, adults, rng)
    return attendances


def _family_attendances(
    family: Family, children: list[Child], adults: list[Adult], rng: np.random.Generator
) -> list[Attendance]:
    """Family members attend a service together: each child with an adult if there is one, and each
    remaining adult with a child or alone.
    """
    if not children and not adults:
        return []
    count = int(rng.choice(list(SERVICES_ATTENDED), p=list(SERVICES_ATTENDED.values())))
    share = np.array(list(SERVICES.values()), dtype=float)
    services = [
        str(s) for s in rng.choice(list(SERVICES), size=count, replace=False, p=share / share.sum())
    ]
    first = min(child.born for child in family.children)
    rows = []
    for service in services:
        for session in range(1 + int(rng.poisson(1.6))):
            for number in range(max(len(children), len(adults))):
                child = children[number % len(children)] if children else None
                adult = adults[number % len(adults)] if adults else None
                start = child.born if child else first
                # Before the two-year review, so that engagement precedes the outcome.
                day = start + timedelta(days=min(int(rng.gamma(2.0, 120.0)), 640) + 14 * session)
                rows.append(Attendance(service, day, child, adult, family))
    return rows


def _review(family: Family, child: Child, engaged: bool, rng: np.random.Generator) -> Review | None:
    """About two thirds of children have a review, more in families that services know."""
    if rng.random() > 0.66:
        return None
    day = child.born + timedelta(days=int(rng.integers(735, 900)))
    shift = (
        (_NEED if family.need else 0.0)
        + _PER_QUINTILE * (family.imd_quintile - 3)
        + _ETHNICITY[family.ethnicity]
    )
    chance = {
        name: _logistic(_BASE[name] + shift + (np.log(ODDS_RATIOS[name]) if engaged else 0.0))
        for name in _BASE
    }
    domains = dict.fromkeys(
        ("communication", "gross_motor", "fine_motor", "problem_solving", "personal_social"), True
    )
    if rng.random() >= chance["overall"]:
        # The child is below the expected level in at least one domain. Given that, these chances
        # make the planted odds ratios hold for communication and personal-social.
        below = 1.0 - chance["overall"]
        for name in ("communication", "personal_social"):
            domains[name] = bool(rng.random() >= (1.0 - chance[name]) / below)
        for name in ("gross_motor", "fine_motor", "problem_solving"):
            domains[name] = bool(rng.random() >= 0.3)
        if all(domains.values()):
            domains[str(rng.choice(["gross_motor", "fine_motor", "problem_solving"]))] = False
    return Review(child, family, day, engaged, domains)


def _questionnaires(attendances: list[Attendance], rng: np.random.Generator) -> list[Questionnaire]:
    done: set[tuple[int, str]] = set()
    rows = []
    for attendance in attendances:
        adult, service = attendance.adult, attendance.service
        if adult is None or service not in _QUESTIONNAIRES or (adult.person, service) in done:
            continue
        done.add((adult.person, service))
        code = _QUESTIONNAIRES[service][adult.person % len(_QUESTIONNAIRES[service])]
        scale = instruments()[code]
        low, high = scale.range
        span, sign = high - low, 1.0 if scale.better == "higher" else -1.0
        pre = rng.normal(0.5, 0.15)
        gain = rng.normal(IMPROVEMENT_PERCENT[scale.domain] / 100.0, 0.16)
        for timepoint, position, day in (
            ("pre", pre, attendance.day),
            ("post", pre + gain, attendance.day + timedelta(days=84)),
        ):
            if timepoint == "post" and rng.random() < 0.25:
                continue
            at = np.clip(position if sign > 0 else 1.0 - position, 0.0, 1.0)
            score = low + span * float(at)
            rows.append(
                Questionnaire(
                    adult,
                    attendance.family,
                    service,
                    code,
                    timepoint,
                    day,
                    round(score, 1 if span < 10 else 0),
                )
            )
    return rows


def _logistic(x: float) -> float:
    return float(1.0 / (1.0 + np.exp(-x)))
