"""Compares encodings: which fields agree in a pair of records, and the match weight in bits. Rule:
arrays in, arrays out.

`observe` records the agreements of a pair as codes; `weights` turns codes into weights. A pair with
nothing to compare is *uninformative*: its weight has no meaning and is left out of averages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from childlink_core.profiles import Profile
from numpy.typing import NDArray

from childlink_linker.matching.blocking import (
    CHILD_NAME_PASS,
    CHILD_NUMBER_PASS,
    DOB_PASS,
    MOTHER_NAME_PASS,
    MOTHER_NUMBER_PASS,
    NAME_PASS,
    NUMBER_PASS,
    PLACE_PASS,
)
from childlink_linker.matching.encodings import Encodings, PassColumns
from childlink_linker.matching.parameters import Parameters
from childlink_linker.matching.similarity import codes_of, dice
from childlink_linker.matching.weights import (
    AGREE,
    DIFFERENT,
    DISAGREE,
    DISAGREE_UNTRACED,
    EXACT,
    NEAR,
    UNKNOWN,
    VARIABLES,
    Observed,
    weigh,
)

Indexes = NDArray[np.int64]
Codes = NDArray[np.int8]
# Variables that depend on which of two names is the given name.
_OF_ONE_NAME: Final = (
    "given_place",
    "surname_place",
    "initial_place",
    "given_area",
    "given_and_date",
    "given",
    "strict_given",
    "surname",
    "sounds",
    "part_of_given",
    "part_of_surname",
)
_OTHER_NAMES: Final = ("given_2", "given_3")
_PAIRS_AT_A_TIME: Final = 200_000
MUCH: Final = 7
SOMETHING: Final = 4
"""Common bits of two filters with 24 elements in 1,024 bits. Strangers in febrl4 have four in one
pair of 600.
"""


@dataclass(frozen=True)
class Outcomes:
    """What pairs agree on, and other facts about them."""

    observed: Observed
    same_source: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    co_twins: NDArray[np.bool_]
    """Their orders of birth are known and differ."""
    named: NDArray[np.bool_]
    """Given names were compared, or the NHS numbers are equal."""
    strict_given: Codes
    """As `observed.given`, but only names that are equal, sound alike, or are another name of the
    same person count as near.
    """


@dataclass(frozen=True)
class PairWeights:
    """Match weights of pairs."""

    weight: NDArray[np.float64]
    informative: NDArray[np.bool_]
    forbidden: NDArray[np.bool_]
    """Hard evidence that the two are different people. It overrides the weight."""
    co_twins: NDArray[np.bool_]
    """Their orders of birth are known and differ: if they share a birth, they are twins."""
    codes: Codes
    """What the pairs agree on: (pairs, `weights.VARIABLES`)."""
    same_source: NDArray[np.bool_]
    named: NDArray[np.bool_]
    """The two were compared by name or share an NHS number, so not only by what twins have in
    common.
    """
    relatives: NDArray[np.bool_]
    """They look more like brothers, sisters or twins than like one person."""


def observe(encodings: Encodings, left: Indexes, right: Indexes, profile: Profile) -> Outcomes:
    """What the pairs (left[k], right[k]) agree on."""
    if profile.clk_pass:
        counted = _agreements_of_clks(encodings, left, right, profile)
    else:
        counted = _counted_once(_unswapped(_agreements(encodings, left, right, profile)))
    observed = Observed(**{name: counted[name].astype(np.int8) for name in VARIABLES})
    orders_left, orders_right = encodings.birth_order[left], encodings.birth_order[right]
    co_twins = (orders_left > 0) & (orders_right > 0) & (orders_left != orders_right)
    incomparable = (encodings.role[left] != encodings.role[right]) | (
        encodings.key_version[left] != encodings.key_version[right]
    )
    named = observed.nhs == AGREE
    for codes in (observed.names, observed.given_place, observed.given, observed.similarity):
        named |= codes != UNKNOWN
    return Outcomes(
        observed=observed,
        same_source=_same_source(encodings, left, right),
        forbidden=incomparable | co_twins,
        co_twins=co_twins,
        named=named,
        strict_given=counted["strict_given"],
    )


def _same_source(encodings: Encodings, left: Indexes, right: Indexes) -> NDArray[np.bool_]:
    """Whether two records are of one source that holds each person once."""
    once: NDArray[np.bool_] = (encodings.source[left] == encodings.source[right]) & ~(
        encodings.many_ids[left] | encodings.many_ids[right]
    )
    return once


def _agreements_of_clks(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile
) -> dict[str, Codes]:
    """The NHS number and the similarity of the CLKs. Nothing else can be compared."""
    nothing = np.zeros(len(left), dtype=np.int8)
    return dict.fromkeys((*VARIABLES, "strict_given"), nothing) | {
        "nhs": _numbers(encodings, left, right),
        "guessed": (encodings.guessed[left] | encodings.guessed[right]).astype(np.int8),
        "similarity": codes_of(dice(encodings, left, right, profile)),
    }


def _agreements(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile
) -> dict[str, Codes]:
    """Codes by variable: see `weights.Observed`."""
    tokens = {
        number: _state(columns.tokens, left, right) for number, columns in encodings.passes.items()
    }
    equal: dict[tuple[int, tuple[str, ...]], Codes] = {}
    for item in profile.passes:
        found = _equal(encodings.passes[item.number], tokens[item.number], left, right)
        equal |= {(item.number, segment): found[:, at] for at, segment in enumerate(item.segments)}

    nothing = np.zeros(len(left), dtype=np.int8)

    def of(number: int, *fields: str) -> Codes:
        """Whether a segment agrees; unknown if the profile does not have it."""
        return equal.get((number, fields), nothing)

    def dob(*fields: str) -> Codes:
        return of(DOB_PASS, *fields)

    def spelling(field: str) -> Codes:
        return _spelling(encodings.passes[DOB_PASS], tokens[DOB_PASS], left, right, profile, field)

    def other_name(number: int, *beside: str) -> Codes:
        """Whether one record's given name is another name or a nickname of the other's. Two second
        names may agree by chance: brothers share them.
        """
        segments = profile_pass(number)
        if ("given", *beside) not in segments:
            return nothing
        place = segments.index
        first = place(("given", *beside))
        others = [place((n, *beside)) for n in _OTHER_NAMES if (n, *beside) in segments]
        held = encodings.passes[number], tokens[number]
        return _any_of(
            _any_equal(*held, left, right, [first], others),
            _any_equal(*held, right, left, [first], others),
            of(number, "given_family", *beside),
        )

    def profile_pass(number: int) -> tuple[tuple[str, ...], ...]:
        item = profile.get_pass(number)
        return item.segments if item else ()

    mothers = (MOTHER_NUMBER_PASS, MOTHER_NAME_PASS)
    mother = _any_of(*(tokens[number] for number in mothers))
    # Different numbers of mothers who share a first name and birthday: treated as unknown.
    mother = np.where((tokens[MOTHER_NUMBER_PASS] == DISAGREE) & (mother == AGREE), UNKNOWN, mother)
    # The child of both adults, and the same relation to it.
    children = (CHILD_NUMBER_PASS, CHILD_NAME_PASS)
    child = _any_of(*(of(number, "relation") for number in children))
    child = np.where(child == DISAGREE, UNKNOWN, child)
    parts = ("date_day_month", "date_month_year", "date_day_year", "month")
    nameless_left, nameless_right = (nameless(encodings, ends, profile) for ends in (left, right))
    # The token of the place pass holds the sound of the given name and the postcode. That of the
    # name pass holds both sounds and the district.
    at_one_place = np.where(tokens[PLACE_PASS] == AGREE, AGREE, UNKNOWN)
    in_one_district = np.where(tokens[NAME_PASS] == AGREE, AGREE, UNKNOWN)
    place = _first(dob("postcode"), at_one_place)
    with_dates = (NUMBER_PASS, PLACE_PASS)
    months, years = (
        _first(*(of(number, part) for number in with_dates), of(NAME_PASS, "given", part))
        for part in ("month", "year")
    )
    date = tokens[DOB_PASS]
    parts_of_date = _first(
        *(_any_of(*(of(number, part) for part in parts)) for number in with_dates)
    )
    guessed = encodings.guessed[left] | encodings.guessed[right]
    return {
        "nhs": _numbers(encodings, left, right),
        # The mother's tokens belong to one birth, because they contain the date.
        "dob": _first(date, np.where(mother == AGREE, AGREE, UNKNOWN)),
        # What two children have in common, or two adults: their mother, or their child.
        "mother": _first(mother, child),
        "straight": dob("given_start", "surname"),
        # Names of one source are written with care: the same beginning does not make them one.
        "strict_given": _first(
            *(
                _level(of(number, "given"), _any_of(of(number, "given_sound"), other_name(number)))
                for number in (NUMBER_PASS, *mothers)
            )
        ),
        "names": _first(dob("given", "surname"), of(NAME_PASS, "given", "surname")),
        "sounds": _first(dob("given_sound", "surname_sound"), in_one_district),
        "part_of_given": _any_of(
            spelling("given"),
            dob("given_start", "surname"),
            dob("given_end", "surname"),
            other_name(DOB_PASS, "surname"),
        ),
        "part_of_surname": _any_of(
            spelling("surname"), dob("given", "surname_start"), dob("given", "surname_end")
        ),
        "alike": _alike(encodings.passes[DOB_PASS], tokens[DOB_PASS], left, right),
        "given_place": _first(
            _level(
                dob("given", "postcode"),
                _any_of(dob("given_sound", "postcode"), other_name(DOB_PASS, "postcode")),
            ),
            _level(of(PLACE_PASS, "given"), at_one_place),
            _level(of(NAME_PASS, "given", "postcode"), np.zeros_like(date)),
        ),
        "surname_place": _first(
            _level(dob("surname", "postcode"), dob("surname_sound", "postcode")),
            _level(
                of(PLACE_PASS, "surname"),
                _any_of(
                    *(of(PLACE_PASS, f"surname_{shape}") for shape in ("sound", "start", "end"))
                ),
            ),
        ),
        "initial_place": dob("given_initial", "postcode"),
        "given_area": dob("given", "district"),
        "place": place,
        "sex": _first(
            np.where(place == AGREE, dob("postcode", "sex"), UNKNOWN),
            *(of(number, "sex") for number in (PLACE_PASS, *mothers, NUMBER_PASS, *children)),
        ),
        "given_and_date": _any_of(*(of(NAME_PASS, "given", part) for part in parts)),
        "given": _first(
            _level(
                of(NUMBER_PASS, "given"),
                _any_of(
                    *(of(NUMBER_PASS, f"given_{shape}") for shape in ("sound", "start", "end")),
                    other_name(NUMBER_PASS),
                ),
            ),
            *(
                _level(of(number, "given"), _any_of(of(number, "given_sound"), other_name(number)))
                for number in (*mothers, *children)
            ),
        ),
        "surname": _first(
            _level(
                of(NUMBER_PASS, "surname"),
                _any_of(
                    *(of(NUMBER_PASS, f"surname_{shape}") for shape in ("sound", "start", "end"))
                ),
            ),
            *(_level(of(number, "surname"), of(number, "surname_sound")) for number in children),
        ),
        "date": np.where(
            parts_of_date == UNKNOWN,
            UNKNOWN,
            _level(_first(of(NUMBER_PASS, "date"), date), parts_of_date),
        ),
        # Where a source knows only the month or the year, or guesses: the month agrees, the year
        # agrees but not the month, or neither.
        "part_of_date": np.where(
            (date == UNKNOWN) | ((date == DISAGREE) & (guessed > 0)),
            _level(months, years),
            UNKNOWN,
        ),
        "similarity": nothing,
        "guessed": guessed.astype(np.int8),
        "nameless": (nameless_left | nameless_right).astype(np.int8),
        "multiple": (
            (
                (nameless_left & encodings.multiple[left] & (encodings.birth_order[right] == 0))
                | (nameless_right & encodings.multiple[right] & (encodings.birth_order[left] == 0))
            ).astype(np.int8)
        ),
    }


def _numbers(encodings: Encodings, left: Indexes, right: Indexes) -> Codes:
    """Whether the NHS numbers agree, disagree, or disagree where one was not traced."""
    state = _state(encodings.nhs, left, right)
    untraced = encodings.untraced[left] | encodings.untraced[right]
    return np.where((state == DISAGREE) & untraced, DISAGREE_UNTRACED, state)


def _unswapped(found: dict[str, Codes]) -> dict[str, Codes]:
    """Where the two names are swapped, the segments of one name are not comparable: set to
    unknown. Swapped names give the same pair, but no longer once a letter is left out of one.
    """
    swapped = (found["names"] == AGREE) & (
        (found["straight"] == DISAGREE)
        | ((found["place"] == AGREE) & (found["given_place"] == DIFFERENT))
        | ((found["dob"] == AGREE) & (found["given_and_date"] == DISAGREE))
        | ((found["given"] == DIFFERENT) & (found["surname"] == DIFFERENT))
    )
    unknown = {name: np.where(swapped, UNKNOWN, found[name]) for name in _OF_ONE_NAME}
    return found | unknown


def _counted_once(found: dict[str, Codes]) -> dict[str, Codes]:
    """Count once what names have in common, and what they do not.

    Names that sound alike, or are alike in part, also agree in other comparisons, and have the same
    initial. Those agreements are set to unknown. If one name sounds different, the two names
    together do, too. If only the given names differ, they differ in every comparison.
    """
    sounds = found["sounds"] == AGREE
    alike = {
        "given": sounds | (found["part_of_given"] == AGREE),
        "surname": sounds | (found["part_of_surname"] == AGREE),
    }
    once = {
        name: np.where(alike[field] & (found[name] == NEAR), UNKNOWN, found[name])
        for field in alike
        for name in (field, f"{field}_place")
    }
    one_differs = (found["given_place"] == DIFFERENT) | (found["surname_place"] == DIFFERENT)
    once["sounds"] = np.where((found["sounds"] == DISAGREE) & one_differs, UNKNOWN, found["sounds"])
    for field, other in (("given", "surname"), ("surname", "given")):
        other_same = (found[other] == EXACT) | (found[f"{other}_place"] == EXACT)
        told = (found[f"part_of_{field}"] == DISAGREE) & other_same
        once[field] = np.where(told & (found[field] == DIFFERENT), UNKNOWN, once[field])
    # The filters of names that agree in any other way have bits in common, too. Where filters have
    # nothing in common, the segments of the names say so already.
    told = (found["names"] == AGREE) | alike["given"] | alike["surname"]
    once["alike"] = np.where(told | (found["alike"] == DIFFERENT), UNKNOWN, found["alike"])
    same_initial = alike["given"] | np.isin(found["given_place"], (EXACT, NEAR))
    return found | once | {"initial_place": np.where(same_initial, UNKNOWN, found["initial_place"])}


def _first(*alike: Codes) -> Codes:
    """The first code that is known."""
    codes = alike[0]
    for other in alike[1:]:
        codes = np.where(codes == UNKNOWN, other, codes)
    return codes


def _any_of(*alike: Codes) -> Codes:
    """AGREE where any of them agrees."""
    return np.where(
        np.any([codes == AGREE for codes in alike], axis=0), AGREE, np.max(alike, axis=0)
    )


def compare(
    encodings: Encodings, left: Indexes, right: Indexes, profile: Profile, parameters: Parameters
) -> PairWeights:
    """Match weights of the pairs (left[k], right[k])."""
    weight = np.full(len(left), -np.inf)
    informative = np.zeros(len(left), dtype=bool)
    forbidden, co_twins = np.ones(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    codes = np.zeros((len(left), len(VARIABLES)), dtype=np.int8)
    same_source = _same_source(encodings, left, right)
    named, relatives = np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    for role, weights in parameters.roles.items():
        of_role = np.flatnonzero((encodings.role[left] == role) & (encodings.role[right] == role))
        for start in range(0, len(of_role), _PAIRS_AT_A_TIME):
            at = of_role[start : start + _PAIRS_AT_A_TIME]
            outcomes = observe(encodings, left[at], right[at], profile)
            found = weigh(outcomes.observed, weights)
            weight[at] = found.bits + np.where(outcomes.same_source, weights.same_source, 0.0)
            informative[at], codes[at] = found.informative, outcomes.observed.codes()
            co_twins[at] = outcomes.co_twins
            named[at], relatives[at] = outcomes.named, (found.kinship > 0) & outcomes.named
            # If one source holds two children with the same birthday under different names, they
            # are two people: twins, of whom one may carry the other's number.
            seen = outcomes.observed
            unlike = (outcomes.strict_given == DIFFERENT) | (
                (outcomes.strict_given == UNKNOWN) & relatives[at]
            )
            forbidden[at] = outcomes.forbidden | (
                outcomes.same_source & (seen.dob == AGREE) & unlike
            )
    return PairWeights(
        weight, informative, forbidden, co_twins, codes, same_source, named, relatives
    )


def _state(tokens: NDArray[np.uint64], left: Indexes, right: Indexes) -> Codes:
    a, b = tokens[left], tokens[right]
    return np.where((a > 0) & (b > 0), np.where(a == b, AGREE, DISAGREE), UNKNOWN).astype(np.int8)


def _equal(columns: PassColumns, state: Codes, left: Indexes, right: Indexes) -> Codes:
    """Which segments are equal. Compared only where both records have the segment and the same
    token: (pairs, segments).
    """
    codes = np.zeros((len(left), columns.segments.shape[1]), dtype=np.int8)
    at = np.flatnonzero(state == AGREE)
    a, b = columns.segments[left[at]], columns.segments[right[at]]
    codes[at] = np.where((a > 0) & (b > 0), np.where(a == b, AGREE, DISAGREE), UNKNOWN)
    return codes


def _spelling(
    columns: PassColumns, state: Codes, left: Indexes, right: Indexes, profile: Profile, field: str
) -> Codes:
    """Whether the names of the two records are equal, or differ by a typing error in `field`.
    Compares the whole names, and the names with one letter of `field` left out.
    """
    item = profile.get_pass(DOB_PASS)
    shapes = (
        [at for at, segment in enumerate(item.segments) if _is_spelling(segment, field)]
        if item
        else []
    )
    return _any_equal(columns, state, left, right, shapes, shapes)


def _alike(columns: PassColumns, state: Codes, left: Indexes, right: Indexes) -> Codes:
    """How much two names have in common, by the bits that their filters have in common: EXACT
    (much), NEAR (something) or DIFFERENT (nothing, or chance).
    """
    codes = np.zeros(len(left), dtype=np.int8)
    at = np.flatnonzero(state == AGREE)
    a, b = columns.filters[left[at]], columns.filters[right[at]]
    common = np.bitwise_count(a & b).sum(axis=1)
    levels = np.where(common >= MUCH, EXACT, np.where(common >= SOMETHING, NEAR, DIFFERENT))
    codes[at] = np.where(a.any(axis=1) & b.any(axis=1), levels, UNKNOWN)
    return codes


def _any_equal(
    columns: PassColumns,
    state: Codes,
    left: Indexes,
    right: Indexes,
    of_left: Sequence[int],
    of_right: Sequence[int],
) -> Codes:
    """Whether any of some segments of one record equals any of some of the other."""
    codes = np.zeros(len(left), dtype=np.int8)
    at = np.flatnonzero(state == AGREE)
    a, b = columns.segments[left[at]][:, of_left], columns.segments[right[at]][:, of_right]
    both = (a > 0).any(axis=1) & (b > 0).any(axis=1)
    alike = ((a[:, :, None] == b[:, None, :]) & (a[:, :, None] > 0)).any(axis=(1, 2))
    codes[at] = np.where(both, np.where(alike, AGREE, DISAGREE), UNKNOWN)
    return codes


def _is_spelling(segment: tuple[str, ...], field: str) -> bool:
    """Whether a segment holds both names, with `field` whole or with one letter left out."""
    other = "surname" if field == "given" else "given"
    return (
        len(segment) == 2
        and other in segment
        and any(name == field or name.startswith(f"{field}_without_") for name in segment)
    )


def _level(whole: Codes, part: Codes) -> Codes:
    """Code levels: EXACT, NEAR (equal in part) or DIFFERENT."""
    levels = np.where(whole == AGREE, EXACT, np.where(part == AGREE, NEAR, DIFFERENT))
    return np.where((whole == UNKNOWN) & (part == UNKNOWN), UNKNOWN, levels)


def nameless(encodings: Encodings, ends: Indexes, profile: Profile) -> NDArray[np.bool_]:
    """Which records have a date of birth but no given name."""
    item = profile.get_pass(DOB_PASS)
    columns = encodings.passes[DOB_PASS]
    named = [at for at, segment in enumerate(item.segments) if "given" in segment] if item else []
    return (columns.tokens[ends] > 0) & ~(columns.segments[ends][:, named] > 0).any(axis=1)
