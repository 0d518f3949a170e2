"""What every answer and every analysis has in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink_client.errors import ClientError
from childlink_client.values import Measure, Release, csv_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from childlink_client.boundaries import Boundaries
    from childlink_client.client import Client
    from childlink_client.shown import Chart, Map, Table


@dataclass(frozen=True)
class Reason:
    """A text shown in place of a figure, what it means, and the groups that it applies to."""

    shown: str
    why: str
    groups: tuple[str, ...]


_DECIMALS: Final = 5


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """A row without more decimals than a protected figure can have."""
    return {
        name: round(value, _DECIMALS) if isinstance(value, float) else value
        for name, value in row.items()
    }


def _datatype(column: Iterable[object]) -> str:
    """The type of a column, from the values that are not withheld."""
    values = [value for value in column if value is not None]
    if values and all(isinstance(value, int) for value in values):
        return "integer"
    numbers = values and all(isinstance(value, int | float) for value in values)
    return "number" if numbers else "string"


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

    def mapped(self, boundaries: Boundaries) -> Map | None:
        """A map of the groups; None if the boundaries do not have them."""
        return None

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
        frame = pd.DataFrame(list(self.rows()))
        frame.attrs = {
            "measure": self.measure.id,
            "title": self.measure.title,
            "release": self.release.id,
            "policy": self.release.policy,
            "citation": self.citation(),
            "notes": list(self.notes),
        }
        return frame

    def to_csv(self) -> str:
        """CSV text with a header. Each row names its release and policy, so that a file says where
        it comes from.
        """
        source = {"release": self.release.id, "policy": self.release.policy}
        return csv_text({**_rounded(row), **source} for row in self.exported())

    def exported(self) -> Iterator[dict[str, Any]]:
        """The rows of a file."""
        return self.rows()

    def metadata(self, file: str) -> str:
        """Metadata of a CSV file in JSON (W3C, Metadata Vocabulary for Tabular Data, 2015): what it
        is, what its columns are, and how to cite it.
        """
        rows = list(self.exported())
        columns = [*(rows[0] if rows else ()), "release", "policy"]
        described = {
            "@context": "http://www.w3.org/ns/csvw",
            "url": file,
            "dc:title": self.measure.title,
            "dc:description": self.measure.description,
            "dc:source": self.citation(),
            "dc:identifier": f"sha256:{self.release.sha256}",
            "rdfs:comment": list(self.notes),
            "tableSchema": {
                "columns": [
                    {
                        "name": name,
                        "titles": name,
                        "datatype": _datatype(row.get(name) for row in rows),
                    }
                    for name in columns
                ]
            },
        }
        return json.dumps(described, indent=2, ensure_ascii=False) + "\n"

    def save_csv(self, path: str | Path) -> None:
        """Write a CSV file, and its metadata beside it (`NAME.csv-metadata.json`)."""
        path = Path(path)
        path.write_text(self.to_csv(), encoding="utf-8")
        beside = path.with_name(f"{path.name}-metadata.json")
        beside.write_text(self.metadata(path.name), encoding="utf-8")

    def to_json(self) -> str:
        """JSON for programs."""
        return json.dumps(self._facts(), indent=2, ensure_ascii=False)

    def plot(self) -> Figure:
        """A chart as a matplotlib Figure; a notebook shows it."""
        return self._draw(self.chart())

    def plot_map(self, boundaries: str | Path) -> Figure:
        """A map as a matplotlib Figure. `boundaries` is a GeoJSON file of the areas. Raises
        ClientError.
        """
        from childlink_client.boundaries import read_boundaries

        return self._draw(self._on(read_boundaries([Path(boundaries)])))

    def save_chart(self, path: str | Path, boundaries: Boundaries | None = None) -> None:
        """Write a chart, or with boundaries a map, as PNG or SVG, depending on the file extension.
        Raises ClientError.
        """
        from childlink_client.charts import check_file, save

        check_file(Path(path))
        save(self._draw(self._on(boundaries)) if boundaries else self.plot(), Path(path))

    def _on(self, boundaries: Boundaries) -> Map:
        if made := self.mapped(boundaries):
            return made
        raise ClientError(
            "A map needs one breakdown, whose categories are areas of"
            f" {boundaries.files} (by id or title). There, an area has: {boundaries.sample()}."
        )

    def _draw(self, chart: Chart) -> Figure:
        from childlink_client.charts import draw

        return draw(chart, self.measure.title, self.citation())

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
