"""What a catalogue may say and probably does not mean. Rule: a catalogue in, words out."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from childlink_catalogue.catalogue import Catalogue
from childlink_catalogue.language import ServiceKeys
from childlink_catalogue.measures import Measure

_NEARLY_THE_SAME: Final = 0.85


def remarks(declared: Catalogue, measures: Mapping[str, Measure]) -> list[str]:
    """Sentences about what no measure uses, and what is probably misspelt or forgotten."""
    counted = {item.view for item in measures.values()}
    made_from = {name for item in measures.values() for name in item.all_datasets}
    return [
        *_not_in("No measure counts", declared.populations, counted),
        *_not_in("No measure is made from", declared.datasets, made_from),
        *_not_in(
            "No dataset and no dimension takes its codes from",
            {f"areas.{item.level}" for item in declared.areas.values()},
            declared.lists_used,
        ),
        *_of_services(declared.services),
    ]


def _not_in(words: str, declared: Iterable[str], used: Iterable[str]) -> list[str]:
    unused = sorted(set(declared) - set(used))
    return [f"{words}: {', '.join(unused)}."] if unused else []


def _of_services(services: Mapping[str, ServiceKeys]) -> Iterable[str]:
    """Properties that some services lack, and values that look like another's misspelt."""
    for name in ("strand", "kind", "provider"):
        values = {code: getattr(item, name) for code, item in services.items()}
        without = [code for code, value in values.items() if not value]
        if without and len(without) < len(values):
            yield (
                f"Services without {name}, which no group by {name} counts: {', '.join(without)}."
            )
        seen: list[str] = []
        for value in sorted({value for value in values.values() if value}):
            for other in get_close_matches(value, seen, cutoff=_NEARLY_THE_SAME):
                yield f"Services have the {name} {other!r} and {value!r}. Is one misspelt?"
            seen.append(value)
