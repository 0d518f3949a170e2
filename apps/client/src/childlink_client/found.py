"""What every answer and every analysis has in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from childlink_client.errors import ClientError
from childlink_client.values import Measure, Release, csv_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from childlink_client.client import Client
    from childlink_client.shown import Chart, Table


@dataclass(frozen=True)
class Reason:
    """A text shown in place of a figure, what it means, and the groups that it applies to."""

    shown: str
    why: str
    groups: tuple[str, ...]


class Found(ABC):
    """The result of a question. Each kind says what to show; renderers decide how it looks."""

    release: Release
    measure: Measure
    notes: tuple[str, ...]

    @abstractmethod
    def rows(self) -> Iterator[dict[str, Any]]:
        """One flat dictionary per row."""

    @abstractmethod
    def table(self) -> Table:
        """The figures, as text."""

    @abstractmethod
    def describe(self) -> str:
        """A summary in one or two sentences. It never mentions a withheld figure."""

    @abstractmethod
    def chart(self) -> Chart:
        """The chart to show. Raises ClientError if there is too much to draw."""

    def drawn(self, client: Client) -> Found | None:
        """What to draw beside the table; None if a chart would add nothing."""
        return self

    def reasons(self) -> list[Reason]:
        """Why figures are withheld, each reason once. Empty for an analysis, which gives reasons
        beside its figures.
        """
        return []

    def explanations(self) -> Iterator[str]:
        """For each figure, rule by rule, why it is shown or withheld. Only if the question asked
        for it.
        """
        return iter(())

    def citation(self) -> str:
        """The citation to write under a table or chart."""
        return f"{self.measure.title}. {self.release.citation(policy=not self.measure.table)}"

    def to_pandas(self) -> pd.DataFrame:
        """A DataFrame."""
        try:
            import pandas as pd
        except ImportError:
            raise ClientError(
                "pandas is not installed: pip install 'childlink-client[pandas]'."
            ) from None
        return pd.DataFrame(list(self.rows()))

    def to_csv(self) -> str:
        """CSV text with a header."""
        return csv_text(self.rows())

    def to_json(self) -> str:
        """JSON for programs."""
        return json.dumps(self._facts(), indent=2, ensure_ascii=False)

    def plot(self) -> Figure:
        """A chart as a matplotlib Figure; a notebook shows it."""
        from childlink_client.charts import draw

        return draw(self.chart(), self.measure.title, self.citation())

    def save_chart(self, path: str | Path) -> None:
        """Write a chart as PNG or SVG, depending on the file extension."""
        from childlink_client.charts import check_file, save

        check_file(Path(path))
        save(self.plot(), Path(path))

    def _facts(self) -> dict[str, Any]:
        return {
            "release": asdict(self.release),
            "measure": self.measure.id,
            "rows": list(self.rows()),
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        from childlink_client.render import as_html

        return as_html(self)

    def __str__(self) -> str:
        from childlink_client.render import render

        return render(self)
