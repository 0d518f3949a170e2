"""What we assume about each name tradition: size, ethnic group, marriage and deprivation.

The shares describe no real borough. They follow the order of size of the groups in the Census 2021
for Lambeth, Southwark and Tower Hamlets taken together.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Tradition:
    """One tradition's families."""

    share: float
    ethnicity: str
    married: float
    """Share of couples who are married when they have children."""
    takes_name: float
    """Share of wives who take the husband's surname."""
    poor: float
    """Share of families in the two most deprived quintiles."""


TRADITIONS: Final[dict[str, Tradition]] = {
    "english": Tradition(0.25, "white", 0.50, 0.60, 0.35),
    "caribbean": Tradition(0.10, "black", 0.30, 0.60, 0.75),
    "nigerian_yoruba": Tradition(0.09, "black", 0.75, 0.80, 0.70),
    "bengali": Tradition(0.08, "asian", 0.95, 0.05, 0.80),
    "arabic": Tradition(0.06, "other", 0.90, 0.05, 0.75),
    "somali": Tradition(0.06, "black", 0.85, 0.00, 0.85),
    "spanish_latin": Tradition(0.06, "other", 0.35, 0.03, 0.75),
    "polish": Tradition(0.05, "white", 0.55, 0.85, 0.55),
    "ghanaian": Tradition(0.05, "black", 0.60, 0.70, 0.70),
    "portuguese": Tradition(0.045, "white", 0.40, 0.20, 0.70),
    "pakistani": Tradition(0.04, "asian", 0.93, 0.25, 0.65),
    "irish": Tradition(0.025, "white", 0.50, 0.50, 0.40),
    "chinese": Tradition(0.03, "asian", 0.85, 0.03, 0.45),
    "eritrean": Tradition(0.025, "black", 0.60, 0.00, 0.85),
    "turkish": Tradition(0.02, "white", 0.80, 0.85, 0.65),
    "vietnamese": Tradition(0.02, "asian", 0.70, 0.03, 0.70),
    "punjabi_sikh": Tradition(0.02, "asian", 0.90, 0.40, 0.40),
    "ukrainian": Tradition(0.015, "white", 0.80, 0.80, 0.60),
}
