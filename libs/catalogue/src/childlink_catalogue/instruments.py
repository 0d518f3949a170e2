"""The scales of questionnaires. Values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from childlink_catalogue.language import InstrumentKeys


@dataclass(frozen=True)
class Instrument:
    """The scale of a questionnaire."""

    title: str
    domain: str
    range: tuple[float, float]
    better: Literal["lower", "higher"]
    cut_offs: Mapping[str, float] = field(default_factory=dict)

    def improvement(self, pre: float, post: float) -> float:
        """Change in the good direction, as a percentage of the scale's range.

        >>> Instrument("CORE-10", "mental_health", (0, 40), "lower").improvement(20, 16)
        10.0
        """
        low, high = self.range
        change = 100.0 * (post - pre) / (high - low)
        return change if self.better == "higher" else -change


def instrument_of(keys: InstrumentKeys) -> Instrument:
    """An instrument of the catalogue."""
    cut_offs = {name: cut.at for name, cut in keys.cut_offs.items()}
    return Instrument(keys.title, keys.domain, keys.range, keys.better, cut_offs)
