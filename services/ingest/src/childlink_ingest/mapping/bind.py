"""Binds a mapping to the header of an extract. No I/O."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from childlink_ingest.errors import MappingError
from childlink_ingest.mapping.definition import Mapping


def named(header: Sequence[str]) -> list[str]:
    """A different name for each column of a header.

    >>> named(["Name", "Name", "", "DOB"])
    ['Name', 'Name (2)', 'column 3', 'DOB']
    """
    seen: dict[str, int] = {}
    names = []
    for at, text in enumerate(header, start=1):
        name = text.strip()
        seen[name] = seen.get(name, 0) + 1
        names.append(
            f"column {at}" if not name else name if seen[name] == 1 else f"{name} ({seen[name]})"
        )
    return names


def bind(mapping: Mapping, header: Sequence[str], where: str) -> list[str]:
    """The names by which the mapping knows the columns of an extract, in their order.

    Raises MappingError if a column of the extract is neither mapped nor ignored, or a mapped column
    is missing. Columns without a header need not be ignored.
    """
    names = named(header)
    known = dict(zip(names, names, strict=True))
    for wanted, found in _found(mapping, names, where):
        if known[found] != found or (found != wanted and found in mapping.used):
            raise MappingError(
                f"{where}: the mapping names column {found!r} in two ways.",
                "Name it in the same way everywhere.",
            )
        known[found] = wanted
    used = mapping.used
    absent = sorted(used - set(known.values()))
    absent += sorted(
        name for name in mapping.ignore if "*" not in name and name not in known.values()
    )
    if absent:
        raise MappingError(
            f"{where}, line 1: there is no column {', '.join(absent)}.",
            f"The extract has: {', '.join(names)}. Correct the mapping or the extract.",
        )
    stray = [
        name
        for name, text in zip(names, header, strict=True)
        if text.strip()
        and known[name] not in used
        and not any(fnmatchcase(name, pattern) for pattern in mapping.ignore)
        and name not in mapping.ignore
    ]
    if stray:
        raise MappingError(
            f"{where}, line 1: column {', '.join(stray)} is not in the mapping.",
            "Map it, or add it to `ignore` to record that it is not sent. A header that repeats is"
            " called Name (2).",
        )
    return [known[name] for name in names]


def _found(mapping: Mapping, names: Sequence[str], where: str) -> list[tuple[str, str]]:
    """Pairs of the mapping's name of a column, and the extract's."""
    found = []
    for group in mapping.aliases:
        there = [name for name in names if name in group]
        if len(there) != 1:
            raise MappingError(
                f"{where}: the extract has {len(there)} of the columns {', '.join(group)}; it needs"
                " exactly one.",
                f"The extract has: {', '.join(names)}.",
            )
        found.append((group[0], there[0]))
    for wanted, pattern in mapping.patterns.items():
        there = [name for name in names if pattern.search(name)]
        if len(there) != 1:
            raise MappingError(
                f"{where}: {len(there)} columns match {pattern.pattern!r}; exactly one has to.",
                f"The extract has: {', '.join(names)}.",
            )
        found.append((wanted, there[0]))
    for wanted, number in mapping.positions.items():
        if number > len(names):
            raise MappingError(
                f"{where}: there is no column {number}; the extract has {len(names)}.",
                "Correct the position.",
            )
        found.append((wanted, names[number - 1]))
    return found
