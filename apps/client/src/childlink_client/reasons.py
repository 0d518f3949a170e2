"""Why figures are withheld, each reason once with the groups that it holds for."""

from dataclasses import dataclass

from childlink_client.answers import Answer
from childlink_client.study import Study
from childlink_client.tables import titles


@dataclass(frozen=True)
class Reason:
    """What stands in place of a figure, why, and for which groups."""

    shown: str
    why: str
    groups: tuple[str, ...]


def reasons(found: Answer | Study) -> list[Reason]:
    """The reasons of an answer's withheld figures; a study says its own beside each figure."""
    if not isinstance(found, Answer):
        return []
    groups: dict[tuple[str, str], list[str]] = {}
    for cell in found.cells:
        # The first rule is on the count, the second on the estimate.
        texts = ((cell.count is None, cell.count_withheld), (bool(cell.estimate_withheld), cell.estimate_withheld))
        for (withheld, shown), why in zip(texts, cell.explanation, strict=False):
            if withheld:
                groups.setdefault((shown, why), []).append(", ".join(titles(found, cell)) or "All")
    return [Reason(shown, why, tuple(held)) for (shown, why), held in groups.items()]
