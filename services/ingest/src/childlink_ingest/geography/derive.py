"""Derives the area or deprivation level that a contract asks for. No I/O; no postcode leaves the
site.

Deprivation deciles follow the English Indices: 1 is the most deprived tenth of neighbourhoods
(MHCLG, "English indices of deprivation").
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from childlink_catalogue.datasets import Area, Attribute

from childlink_ingest.errors import MappingError


@dataclass(frozen=True)
class Place:
    """The areas of a postcode, as ONS codes of nine characters. "" or None means unknown."""

    lsoa: str
    ward: str
    district: str
    imd_decile: int | None


@dataclass(frozen=True)
class AreaSets:
    """A partnership's own areas, from the mapping: ONS codes of LSOAs, wards or districts."""

    area: frozenset[str] = frozenset()
    borough: frozenset[str] = frozenset()

    def residence(self, place: Place) -> str | None:
        """Whether a place is in the programme's area, elsewhere in the borough, or outside.

        Returns None if the mapping declares no sets.

        >>> sets = AreaSets(frozenset({"E05000416"}), frozenset({"E09000022"}))
        >>> sets.residence(Place("E01003012", "E05000416", "E09000022", 2))
        'area'
        >>> sets.residence(Place("E01003012", "E05000417", "E09000022", 2))
        'borough'
        """
        if not self.area and not self.borough:
            return None
        codes = {place.lsoa, place.ward, place.district}
        return "area" if codes & self.area else "borough" if codes & self.borough else "outside"


@dataclass(frozen=True)
class AreaLookup:
    """An open area look-up."""

    sources: Mapping[str, str]
    """Names of the files it was built from, which identify the editions."""
    find: Callable[[str], Place | None] = field(repr=False)

    def derive(self, kind: Area, postcode: str, sets: AreaSets) -> Attribute | None:
        """The value for a contract's field of this kind; None if it is not known."""
        place = self.find(postcode) if postcode else None
        if place is None:
            return None
        match kind:
            case "lsoa":
                return place.lsoa or None
            case "ward":
                return place.ward or None
            case "imd_decile":
                return place.imd_decile
            case "imd_quintile":
                return (place.imd_decile + 1) // 2 if place.imd_decile else None
            case "residence":
                return sets.residence(place)


def parse_sets(content: Any, where: str) -> AreaSets:
    """Parse the [area] table of a mapping. Raises MappingError."""
    if not isinstance(content, dict) or not set(content) <= {"area", "borough"}:
        raise MappingError(
            f"{where}: [area] may only contain `area` and `borough`.",
            'Write area = ["E05000416"], borough = ["E09000022"]',
        )
    if not all(
        isinstance(codes, list)
        and all(isinstance(c, str) and re.fullmatch(r"[A-Z]\d{8}", c) for c in codes)
        for codes in content.values()
    ):
        raise MappingError(
            f"{where}: [area] must list ONS codes.",
            "A code is a letter and eight digits, for example E05000416.",
        )
    return AreaSets(frozenset(content.get("area", [])), frozenset(content.get("borough", [])))
