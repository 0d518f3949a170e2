"""Asks every question of the catalogue's bank, and counts which are shown."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from childlink_catalogue.language import QuestionKeys
from childlink_client import Client, ClientError
from childlink_client.analyses.change import Change
from childlink_client.analyses.comparison import Comparison
from childlink_client.analyses.contrast import Contrast
from childlink_client.analyses.inequality import Inequality
from childlink_client.answers import Answer
from childlink_client.found import Found

SHOWN, WITHHELD, NOT_ASKED = "shown", "withheld", "not"


@dataclass(frozen=True)
class Outcome:
    """What became of a question."""

    number: str
    keys: QuestionKeys
    state: str
    """`shown`: at least one figure is. `withheld`: it can be asked, and no figure is shown. `not`:
    it cannot be asked.
    """
    why: str = ""


def ask_all(client: Client, questions: Mapping[str, QuestionKeys]) -> Iterator[Outcome]:
    """Ask each question of the newest release."""
    for number, keys in questions.items():
        if keys.measure is None:
            yield Outcome(number, keys, NOT_ASKED, f"lacks {', '.join(keys.lacks)}")
            continue
        try:
            found = ask(client, keys)
        except ClientError as error:
            yield Outcome(number, keys, NOT_ASKED, str(error))
            continue
        if _is_shown(found):
            yield Outcome(number, keys, SHOWN)
        else:
            reasons = dict.fromkeys(reason.shown for reason in found.reasons())
            yield Outcome(number, keys, WITHHELD, "; ".join(reasons) or found.describe())


def ask(client: Client, keys: QuestionKeys) -> Found:
    """Ask one question. Raises ClientError."""
    measure = keys.measure or ""
    first = keys.by[0] if keys.by else ""
    match keys.by_means_of:
        case "compare":
            return client.compare(measure, missed=keys.missed)
        case "change":
            return client.change(measure, first)
        case "inequality":
            return client.inequality(measure, first)
        case "pathways":
            return client.pathways(first)
        case "contrast":
            return client.contrast(
                measure, dict(keys.where), dict(keys.against), first, keys.per or ""
            )
        case _:
            return client.ask(measure, keys.by, dict(keys.where), explain=True)


def _is_shown(found: Found) -> bool:
    if isinstance(found, Answer):
        return any(
            (cell.estimate if found.estimate else cell.count) is not None for cell in found.cells
        )
    match found:
        case Contrast():
            return any(row.ratio.value is not None for row in found.results)
        case Change():
            return any(row.mean.value is not None for row in found.changes)
        case Comparison():
            ratio = found.corrected_odds_ratio or found.adjusted_odds_ratio
            return ratio.value is not None
        case Inequality():
            return found.slope_index.value is not None
        case _:
            return any(isinstance(value, int) for row in found.rows() for value in row.values())


def by_theme(outcomes: list[Outcome]) -> list[tuple[str, int, int, int]]:
    """For each theme, and in all: the numbers of questions shown, withheld and not asked."""
    themes = dict.fromkeys(outcome.keys.theme for outcome in outcomes)
    rows = []
    for theme in [*themes, ""]:
        counted = Counter(o.state for o in outcomes if not theme or o.keys.theme == theme)
        rows.append((theme or "All", counted[SHOWN], counted[WITHHELD], counted[NOT_ASKED]))
    return rows
