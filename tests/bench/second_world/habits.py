"""Every error rate, once, and how much care each partner takes.

A rate is the share of records at an NHS trust that checks its data against the national index. A
partner's `Habit` multiplies it. `--errors` multiplies all of them again. Where no public figure
exists, the comment says that the rate is our judgement.
"""

from dataclasses import dataclass
from typing import Final, Literal

# Names. Studies of linked hospital and registration records find names that differ in 1% to 5%.
TYPING_SLIP: Final = 0.012  # one key wrong, missing, doubled or transposed
TWO_SLIPS: Final = 0.0015  # two of them in one name
BY_EAR: Final = 0.006  # written as it sounds
OTHER_SPELLING: Final = 0.03  # Mohammed and Muhammad: of names that have several spellings
NAMES_SWAPPED: Final = 0.003  # given name and surname in each other's box: judgement
GIVEN_MISSING: Final = 0.003  # judgement
OLD_SURNAME: Final = 0.08  # of people who changed it: the mother's maiden name, mostly
HALF_SURNAME: Final = 0.15  # of double-barrelled surnames: judgement

# Dates of birth. 0.1% to 0.3% of hospital records disagree with the national index.
BORN_WRONG: Final = 0.002
BORN_MISSING: Final = 0.0005
BORN_GUESSED: Final = 0.0006  # 1 January, or the first of the month

SEX_WRONG: Final = 0.0015  # 0.1% to 0.3%, as for dates
SEX_MISSING: Final = 0.004  # recorded as not known

# Postcodes. About half of the pairs of records of one child differ after some years, because
# families move. The delay until a move is known is in the habit.
POSTCODE_SLIP: Final = 0.008
POSTCODE_MISSING: Final = 0.005
POSTCODE_PSEUDO: Final = 0.003  # ZZ99 3VZ: no fixed abode, or not known

# NHS numbers. How many are missing is in the habit.
NHS_MISTYPED: Final = 0.0008  # fails its check digit
NHS_OLD: Final = 0.3  # of records of people who have a superseded number
NHS_OF_RELATIVE: Final = 0.002  # a sibling's or the mother's, in a child's record
NHS_OF_TWIN: Final = 0.003  # of twins: the co-twin's

FOREIGN_SCRIPT: Final = 0.06  # charity, of traditions with another script: judgement
REGISTERED_AGAIN: Final = 0.015  # GP: one person under two ids


@dataclass(frozen=True)
class Habit:
    """How one partner writes down people: numbers multiply the rates above, or are shares."""

    partner: str
    names: float = 1.0
    forms: float = 1.0
    """How often a name's legal form is departed from: less if names come from the index."""
    dates: float = 1.0
    sexes: float = 1.0
    postcodes: float = 1.0
    nhs_missing: float = 0.02
    """Share without an NHS number."""
    nhs_is_error: bool = True
    """Whether `--errors` multiplies `nhs_missing`; not if the partner has none by its nature."""
    known_as: float = 0.02
    """Share of people with a name in daily use who are recorded under it."""
    move_delay: float = 0.3
    """Mean years until a move is recorded."""
    born_missing: float = 0.0
    """Additional share without a date of birth."""
    born_guessed: float = 0.0
    """Additional share with a guessed date of birth."""
    postcode_partial: float = 0.0
    """Share with the outward half of the postcode only."""
    plain: float = 0.9
    """Share of names written without diacritics."""
    middle: Literal["column", "appended", "dropped"] = "column"
    upper: bool = False
    script: bool = False
    """Whether forms may be filled in in another script."""
    pseudo: bool = True
    """Whether the partner knows the NHS's pseudo postcodes."""


MATERNITY: Final = Habit(
    "st-brides-maternity", forms=0.7, nhs_missing=0.025, move_delay=0.1, upper=True, plain=1.0
)
COMMUNITY: Final = Habit(
    "lark-hill-community-health",
    nhs_missing=0.03,
    names=1.3,
    forms=0.5,
    known_as=0.04,
    move_delay=0.15,
)
COUNCIL: Final = Habit(
    "borough-council",
    names=1.8,
    dates=1.5,
    postcodes=1.5,
    nhs_missing=0.6,
    nhs_is_error=False,
    known_as=0.06,
    move_delay=0.8,
    plain=0.6,
    middle="appended",
    pseudo=False,
)
GP: Final = Habit(
    "gp-hub", forms=0.4, nhs_missing=0.01, known_as=0.03, move_delay=0.6, middle="column"
)
CHARITY: Final = Habit(
    "early-years-charity",
    names=5.0,
    forms=1.6,
    dates=10.0,
    sexes=6.0,
    postcodes=4.0,
    nhs_missing=0.9,
    nhs_is_error=False,
    known_as=0.6,
    move_delay=0.02,
    born_missing=0.04,
    born_guessed=0.05,
    postcode_partial=0.05,
    plain=0.7,
    middle="dropped",
    script=True,
    pseudo=False,
)
REFERRALS: Final = Habit(
    "riverside-childrens-services",
    names=2.2,
    forms=1.2,
    dates=4.0,
    sexes=5.0,
    postcodes=2.5,
    nhs_missing=0.18,
    nhs_is_error=False,
    known_as=0.12,
    move_delay=0.3,
    born_missing=0.02,
    born_guessed=0.01,
    middle="appended",
)
