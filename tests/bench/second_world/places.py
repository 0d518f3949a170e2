"""Homes: made-up postcodes of a borough and of the places around it."""

import random
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from typing import Final

_INWARD: Final = "ABDEFGHJLNPQRSTUWXYZ"
_INSIDE: Final = ("SE1", "SE5", "SE11", "SE15", "SE16", "SE17", "SE21", "SE22", "SE24")
_OUTSIDE: Final = (
    "SE13",
    "SW2",
    "SW9",
    "E3",
    "E14",
    "N16",
    "CR0",
    "BR1",
    "DA8",
    "IG11",
    "M14",
    "LU1",
)

FAMILIES_PER_POSTCODE: Final = 3.0  # a postcode has about 15 homes, few with small children
HOSTELS: Final = 0.02  # families in temporary accommodation share a handful of postcodes


@dataclass(frozen=True)
class Home:
    """An address."""

    postcode: str
    uprn: str
    quintile: int


class Places:
    """The postcodes that families move between."""

    def __init__(self, families: int, rng: random.Random) -> None:
        self._rng = rng
        self._inside: dict[int, list[str]] = {quintile: [] for quintile in range(1, 6)}
        for _ in range(max(25, int(families / FAMILIES_PER_POSTCODE))):
            self._inside[rng.choices(range(1, 6), (36, 30, 18, 10, 6))[0]].append(
                self._postcode(_INSIDE)
            )
        for quintile, postcodes in self._inside.items():
            if not postcodes:
                self._inside[quintile].append(self._postcode(_INSIDE))
        self._hostels = [self._postcode(_INSIDE) for _ in range(4)]

    def _postcode(self, outward: tuple[str, ...]) -> str:
        rng = self._rng
        inward = f"{rng.randint(0, 9)}{rng.choice(_INWARD)}{rng.choice(_INWARD)}"
        return f"{rng.choice(outward)} {inward}"

    def home(self, poor: float, *, inside: bool) -> Home:
        """Draw a home for a family. `poor` is its chance of living in a deprived place."""
        rng = self._rng
        uprn = str(rng.randint(100_000_000_000, 200_999_999_999))
        quintile = rng.choice((1, 1, 2)) if rng.random() < poor else rng.choice((2, 3, 3, 4, 5))
        if not inside:
            return Home(self._postcode(_OUTSIDE), uprn, quintile)
        if rng.random() < HOSTELS:
            return Home(rng.choice(self._hostels), uprn, 1)
        known = self._inside[quintile]
        # Blocks of flats: the first postcodes of each list hold more families.
        return Home(known[int(len(known) * rng.random() ** 1.4)], uprn, quintile)


Homes = list[tuple[date, Home]]


def at(homes: Homes, when: date) -> Home:
    """The home on a day; the first one before that."""
    place = bisect_right([since for since, _ in homes], when)
    return homes[max(0, place - 1)][1]
