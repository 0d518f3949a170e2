"""What every answer and every analysis has and can do."""

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
    """What stands in place of a figure, why, and for which groups."""

    shown: str
    why: str
    groups: tuple[str, ...]


class Found(ABC):
    """What came of a question. Each kind says what it shows; how that looks, renderers know."""

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
        """The gist in a sentence or two; never of a figure that is withheld."""

    @abstractmethod
    def chart(self) -> Chart:
        """What a chart shows. Raises ClientError where there is too much of it."""

    def drawn(self, client: Client) -> Found | None:
        """What is drawn beside the table; None where a chart says no more than it."""
        return self

    def reasons(self) -> list[Reason]:
        """Why figures are withheld, each reason once; an analysis says its own beside each
        figure.
        """
        return []

    def explanations(self) -> Iterator[str]:
        """Rule by rule, why each figure is shown or not; where the question asked for it."""
        return iter(())

    def citation(self) -> str:
        """What to write under a table or chart."""
        return f"{self.measure.title}. {self.release.citation()}"

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
        """Write a chart as PNG or SVG, by the file's ending."""
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
