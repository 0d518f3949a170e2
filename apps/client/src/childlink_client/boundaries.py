"""The shapes of a partnership's areas, from files of GeoJSON (RFC 7946) or TopoJSON, such as those
of the ONS Open Geography portal. Nothing is fetched: maps work without a network.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from childlink_client.errors import ClientError
from childlink_client.shown import Shape

if TYPE_CHECKING:
    from childlink_client.values import Dimension

# Beyond these, coordinates are metres of a grid, such as the British National Grid.
_LARGEST_DEGREES: Final = 360.0
_ENOUGH_POINTS: Final = 3


@dataclass(frozen=True)
class Boundaries:
    """Areas with their properties (codes and names) and shapes."""

    areas: tuple[tuple[Mapping[str, str], Shape], ...]
    files: str
    """The files' names, for messages."""

    def of(self, dimension: Dimension) -> dict[str, Shape]:
        """The shapes of a dimension's categories, by category id. A file names an area by the
        category's id (such as an ONS code) or its title; the property that names most of them
        decides. Empty if the file does not have them.
        """
        keys = {key.casefold(): key for key in dimension.categories}
        found: dict[str, dict[str, Shape]] = {}
        for properties, shape in self.areas:
            for name, value in properties.items():
                if key := keys.get(value.casefold()):
                    parts = found.setdefault(name, {})
                    # An area of one code may come in several features.
                    parts[key] = parts.get(key, ()) + shape
        for name, parts in self._by_title(dimension).items():
            found[name] = parts | found.get(name, {})
        return max(found.values(), key=len, default={})

    def _by_title(self, dimension: Dimension) -> dict[str, dict[str, Shape]]:
        """Shapes by property and category, where a title means one area only: several boroughs have
        a ward of St Mary's.
        """
        categories = Counter(title.casefold() for title in dimension.categories.values())
        named = Counter(
            (name, value.casefold())
            for properties, _ in self.areas
            for name, value in properties.items()
        )
        found: dict[str, dict[str, Shape]] = {}
        for key, title in dimension.categories.items():
            word = title.casefold()
            for properties, shape in self.areas:
                for name, value in properties.items():
                    if value.casefold() == word and categories[word] == named[name, word] == 1:
                        found.setdefault(name, {})[key] = shape
        return found

    def sample(self) -> str:
        """One area's properties, for a message."""
        return ", ".join(f"{name} {value}" for name, value in self.areas[0][0].items())


def read_boundaries(paths: Iterable[Path]) -> Boundaries:
    """Read GeoJSON and TopoJSON files. Raises ClientError that says what to do."""
    paths = list(paths)
    areas = tuple(area for path in paths for area in _read(path))
    if len({_is_grid(shape) for _, shape in areas}) > 1:
        raise ClientError(
            "The boundary files do not fit together: one is in degrees and another in metres."
            " Export all as GeoJSON in degrees (WGS84)."
        )
    return Boundaries(areas, ", ".join(path.name for path in paths))


def _read(path: Path) -> Iterator[tuple[Mapping[str, str], Shape]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = _parse(text)
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise ClientError(
            f"{path.name} is neither GeoJSON nor TopoJSON. Boundaries are also offered as"
            " shapefile, KML or GeoPackage: download or export GeoJSON."
        ) from None
    try:
        found = [area for feature in _features(content) if (area := _area(feature))]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise ClientError(
            f"{path.name} is damaged: its areas have no outlines that can be read. Download or"
            " export it again."
        ) from None
    if not found:
        raise ClientError(
            f"{path.name} holds no areas: no polygons with properties. Download or export the"
            " areas as GeoJSON."
        )
    yield from found


def _parse(text: str) -> Any:
    """The content of a file: one JSON value, or one to a line (GeoJSON text sequences)."""
    try:
        return json.loads(text)
    except ValueError:
        lines = [line.strip("\x1e ") for line in text.splitlines()]
        return {"features": [json.loads(line) for line in lines if line]}


def _features(content: Any) -> list[Any]:
    if not isinstance(content, dict):
        return []
    if content.get("type") == "Topology":
        return list(_untangled(content))
    return [content] if content.get("type") == "Feature" else list(content.get("features", []))


def _untangled(topology: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The features of a TopoJSON file, whose areas share their borders (arcs). See the TopoJSON
    format specification, sections 2.1.3 and 2.1.4.
    """
    transform = topology.get("transform")
    arcs = [_points(arc, transform) for arc in topology["arcs"]]

    def ring(numbers: Sequence[int]) -> list[tuple[float, float]]:
        points: list[tuple[float, float]] = []
        for number in numbers:
            # ~number: the arc backwards. Each arc begins where the last one ended.
            part = arcs[number] if number >= 0 else arcs[~number][::-1]
            points += part[1:] if points else part
        return points

    for collection in topology["objects"].values():
        for item in collection.get("geometries", [collection]):
            parts = item.get("arcs", [])
            polygons = [parts] if item.get("type") == "Polygon" else parts
            if item.get("type") in ("Polygon", "MultiPolygon"):
                shape = [[ring(numbers) for numbers in rings] for rings in polygons]
                geometry = {"type": "MultiPolygon", "coordinates": shape}
                yield {**item, "geometry": geometry}


def _points(arc: Sequence[Sequence[float]], transform: Any) -> list[tuple[float, float]]:
    """An arc's points. With a transform they are steps on a grid."""
    if transform is None:
        return [(point[0], point[1]) for point in arc]
    (wide, high), (left, low) = transform["scale"], transform["translate"]
    steps = zip(accumulate(x for x, *_ in arc), accumulate(y for _, y, *_ in arc), strict=True)
    return [(left + wide * x, low + high * y) for x, y in steps]


def _area(feature: Any) -> tuple[Mapping[str, str], Shape] | None:
    """The properties and shape of an area. None for what is no area."""
    geometry = feature.get("geometry") or {}
    kinds = {"Polygon": lambda rings: [rings], "MultiPolygon": list}
    if geometry.get("type") not in kinds:
        return None
    polygons = kinds[geometry["type"]](geometry["coordinates"])
    shape = tuple(tuple(_ring(ring) for ring in rings) for rings in polygons if rings)
    named = {**(feature.get("properties") or {}), "id": feature.get("id")}
    words = {str(name): str(value) for name, value in named.items() if value is not None}
    return (words, shape) if shape and words else None


def _ring(points: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    if len(points) < _ENOUGH_POINTS:
        raise ValueError("a ring needs three points")
    ring = tuple((float(point[0]), float(point[1])) for point in points)
    return ring if ring[0] == ring[-1] else (*ring, ring[0])


def _is_grid(shape: Shape) -> bool:
    return any(abs(end) > _LARGEST_DEGREES for end in shape[0][0][0])
