"""Areas and deprivation without postcodes leaving: which level of a postcode's area a contract asks
for. Rule: no I/O.

Deprivation deciles are those of the English Indices: 1 is the most deprived tenth of neighbourhoods
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
    """Where a postcode lies. Codes are the ONS's nine characters; "" or None where it is not
    known.
    """

    lsoa: str
    ward: str
    district: str
    imd_decile: int | None


@dataclass(frozen=True)
class AreaSets:
    """A partnership's own areas, from the mapping: ONS codes of any of LSOAs, wards and
    districts.
    """

    area: frozenset[str] = frozenset()
    borough: frozenset[str] = frozenset()

    def residence(self, place: Place) -> str | None:
        """In the programme's area, elsewhere in the borough, or outside; None when no sets are
        declared.

        >>> sets = AreaSets(frozenset({"E05000416"}), frozenset({"E09000022"}))
        >>> [sets.residence(Place("E01003012", ward, "E09000022", 2)) for ward in ("E05000416", "E05000417")]
        ['area', 'borough']
        """  # noqa: E501
        if not self.area and not self.borough:
            return None
        codes = {place.lsoa, place.ward, place.district}
        return "area" if codes & self.area else "borough" if codes & self.borough else "outside"


@dataclass(frozen=True)
class AreaLookup:
    """An open look-up."""

    sources: Mapping[str, str]
    """File names of what it was built from: the editions."""
    find: Callable[[str], Place | None] = field(repr=False)

    def derive(self, kind: Area, postcode: str, sets: AreaSets) -> Attribute | None:
        """The level of area that a contract's field asks for; None where it is not known."""
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
    """The [area] table of a mapping."""
    if not isinstance(content, dict) or not set(content) <= {"area", "borough"}:
        raise MappingError(
            f"{where}: [area] has `area` and `borough`.",
            'Write area = ["E05000416"], borough = ["E09000022"]',
        )
    if not all(
        isinstance(codes, list)
        and all(isinstance(c, str) and re.fullmatch(r"[A-Z]\d{8}", c) for c in codes)
        for codes in content.values()
    ):
        raise MappingError(
            f"{where}: [area] lists ONS codes.",
            "They have a letter and eight digits, as E05000416.",
        )
    return AreaSets(frozenset(content.get("area", [])), frozenset(content.get("borough", [])))
