"""What every study has and can do; the kinds are in `studies`."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from childlink.analytics.v1 import analytics_pb2 as pb

from childlink_client.answers import Measure, Release, csv_text
from childlink_client.errors import ClientError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    withheld: str

    @classmethod
    def of(cls, message: pb.Estimate) -> "Estimate":
        """From the wire."""
        found = {name: getattr(message, name) if message.HasField(name) else None for name in ("value", "low", "high")}
        return cls(found["value"], found["low"], found["high"], message.withheld)

    def text(self, style: str = "{:.2f}") -> str:
        """The figure and its interval, or why there is none."""
        if self.value is None:
            return f"withheld: {self.withheld}"
        if self.low is None or self.high is None:
            return style.format(self.value)
        return f"{style.format(self.value)} ({style.format(self.low)} to {style.format(self.high)})"

    def times(self, factor: float) -> "Estimate":
        """The same in another unit, for example a share in percent."""
        value, low, high = (None if end is None else end * factor for end in (self.value, self.low, self.high))
        return Estimate(value, low, high, self.withheld)


class Study:
    """What every study can do."""

    release: Release
    measure: Measure
    notes: tuple[str, ...]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat dictionary per row."""
        raise NotImplementedError

    def citation(self) -> str:
        """What to write under a table or chart."""
        return f"{self.measure.title}. {self.release.citation()}"

    def to_pandas(self) -> "pd.DataFrame":
        """A DataFrame."""
        try:
            import pandas as pd
        except ImportError:
            raise ClientError("pandas is not installed: pip install 'childlink-client[pandas]'.") from None
        return pd.DataFrame(list(self.rows()))

    def to_csv(self) -> str:
        """CSV text with a header."""
        return csv_text(self.rows())

    def to_json(self) -> str:
        """JSON for programs."""
        facts = {
            "release": asdict(self.release), "measure": self.measure.id, "rows": list(self.rows()), "notes": list(self.notes),
        }  # fmt: skip
        return json.dumps(facts, indent=2, ensure_ascii=False)

    def plot(self) -> "Figure":
        """A chart as a matplotlib Figure; a notebook shows it."""
        from childlink_client.study_charts import draw_study

        return draw_study(self)

    def save_chart(self, path: str | Path) -> None:
        """Write a chart as PNG or SVG, by the file's ending."""
        from childlink_client.charts import check_chart, save

        check_chart((), Path(path))
        save(self.plot(), Path(path))

    def _repr_html_(self) -> str:
        from childlink_client.render import as_html

        return as_html(self)

    def __str__(self) -> str:
        from childlink_client.render import render

        return render(self)
