"""Odds ratios from protected cells, for the demo: crude, and adjusted by strata (Mantel & Haenszel 1959)."""

import itertools
import math
from collections.abc import Sequence

from childlink_client import Client

Table = tuple[float, float, float, float]
"""Engaged at expected, engaged below, not engaged at expected, not engaged below."""


def odds_ratios(client: Client, measure: str) -> tuple[str, str]:
    """Crude and stratified odds ratio as text, each with a 95% interval. Strata that are withheld in part are left out."""
    declared = next(item for item in client.measures() if item.id == measure)
    strata = [declared.dimensions[name].categories for name in ("offer", "imd_quintile")]
    crude = _tables(client, measure, [()], ())
    parts = _tables(client, measure, list(itertools.product(*strata)), ("offer", "imd_quintile"))
    return _text(crude), _text(parts)


def mantel_haenszel(tables: Sequence[Table]) -> tuple[float, float, float]:
    """Pooled odds ratio and its 95% interval (Robins, Breslow & Greenland 1986).

    >>> tuple(round(x, 2) for x in mantel_haenszel([(40, 10, 60, 40)]))
    (2.67, 1.2, 5.94)
    """
    r = s = pr = ps_qr = qs = 0.0
    for a, b, c, d in tables:
        n = a + b + c + d
        ri, si, pi, qi = a * d / n, b * c / n, (a + d) / n, (b + c) / n
        r, s = r + ri, s + si
        pr, ps_qr, qs = pr + pi * ri, ps_qr + pi * si + qi * ri, qs + qi * si
    ratio = r / s
    spread = math.sqrt(pr / (2 * r * r) + ps_qr / (2 * r * s) + qs / (2 * s * s))
    return ratio, ratio * math.exp(-1.96 * spread), ratio * math.exp(1.96 * spread)


def _tables(client: Client, measure: str, strata: Sequence[tuple[str, ...]], names: Sequence[str]) -> list[Table]:
    answer = client.ask(measure, [*names, "engaged", "level"])
    tables = []
    for stratum in strata:
        cells = [answer.cell(*stratum, e, o).count for e in ("engaged", "not_engaged") for o in ("expected", "below")]
        if all(count is not None for count in cells):
            a, b, c, d = (float(count or 0) for count in cells)
            tables.append((a, b, c, d))
    return tables


def _text(tables: Sequence[Table]) -> str:
    if not tables:
        return "withheld (too few in every stratum)"
    ratio, low, high = mantel_haenszel(tables)
    return f"{ratio:.2f} (95% interval {low:.2f} to {high:.2f})"
