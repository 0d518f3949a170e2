"""Ratios, differences and means of protected counts, with intervals for chance and rounding. Rule:
numbers in, numbers out.

Each figure is a function of protected counts. The delta method gives its variance. Each group's
count with the outcome is binomial. Each protected count also has an independent rounding error,
whose size the release gives. Ratios use the log scale.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from childlink_analytics.shared import disclosure

_Z: Final = NormalDist().inv_cdf(0.975)
Counts = NDArray[np.float64]
"""Groups by (with the outcome, without): shape (groups, 2)."""
Figure = Callable[[Counts], float]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% interval, or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    withheld: str = ""


@dataclass(frozen=True)
class Change:
    """A mean change from before to after."""

    mean: Estimate
    standardised: Estimate
    p_value: float | None


def interval(
    figure: Figure, counts: Counts, rounding_sd: float | Counts, *, ratio: bool
) -> Estimate:
    """Calculate a figure from groups' counts, with its interval. Ratios use the log scale.
    `rounding_sd`: of every count, or of each.

    >>> found = interval(odds_ratio, np.array([[400.0, 100.0], [600.0, 400.0]]), 2.0, ratio=True)
    >>> [round(x, 2) for x in (found.value, found.low, found.high)]
    [2.67, 2.06, 3.45]
    """

    def scaled(x: Counts) -> float:
        return math.log(figure(x)) if ratio else figure(x)

    try:
        centre = scaled(counts)
        slopes = np.empty_like(counts)
        for at in np.ndindex(counts.shape):
            step = 1e-3 * max(1.0, float(counts[at]))
            up, down = counts.copy(), counts.copy()
            up[at] += step
            down[at] -= step
            slopes[at] = (scaled(up) - scaled(down)) / (2.0 * step)
    except (ValueError, ZeroDivisionError):
        return Estimate(
            None, withheld="it is not defined: a group has all or none with the outcome"
        )
    totals = counts.sum(axis=1)
    spread = counts.prod(axis=1) / np.maximum(totals, 1.0)
    chance = ((slopes[:, 0] - slopes[:, 1]) ** 2 * spread).sum()
    variance = float(chance + (slopes**2 * np.square(rounding_sd)).sum())
    ends = [centre, centre - _Z * math.sqrt(variance), centre + _Z * math.sqrt(variance)]
    if not all(map(math.isfinite, ends)):
        return Estimate(
            None, withheld="it is not defined: a group has all or none with the outcome"
        )
    value, low, high = map(math.exp, ends) if ratio else ends
    return Estimate(value, low, high)


def of_share(part: float, rest: float, part_sd: float, rest_sd: float) -> tuple[float, float]:
    """The 95% interval of a share: Wilson's score interval (1927), as in OHID's technical guide for
    proportions. The rounding of both counts is added in quadrature to each side (Newcombe 1998).

    >>> [round(end, 3) for end in of_share(360.0, 140.0, 0.0, 0.0)]
    [0.679, 0.758]
    >>> [round(end, 3) for end in of_share(360.0, 140.0, 3.0, 3.0)]
    [0.678, 0.759]
    >>> [round(end, 2) for end in of_share(20.0, 0.0, 3.0, 3.0)]
    [0.66, 1.0]
    """
    n = part + rest
    p = part / n
    return _wilson(p, n, ((1.0 - p) ** 2 * part_sd**2 + p**2 * rest_sd**2) / n**2)


def of_rate(counted: float, population: float, sd: float) -> tuple[float, float]:
    """The 95% interval of a share of a public population count, as `of_share`."""
    return _wilson(counted / population, population, (sd / population) ** 2)


def of_count(counted: float, sd: float) -> tuple[float, float]:
    """The 95% interval of a count: Byar's for a Poisson count (Breslow & Day 1987), as in OHID's
    technical guide. The rounding is added in quadrature to each side.

    >>> [round(end, 1) for end in of_count(100.0, 0.0)]
    [81.4, 121.6]
    >>> [round(end, 1) for end in of_count(100.0, 3.0)]
    [80.5, 122.4]
    """
    low = counted * (1.0 - 1.0 / (9.0 * counted) - _Z / (3.0 * math.sqrt(counted))) ** 3
    above = counted + 1.0
    high = above * (1.0 - 1.0 / (9.0 * above) + _Z / (3.0 * math.sqrt(above))) ** 3
    return (
        max(0.0, counted - math.hypot(counted - low, _Z * sd)),
        counted + math.hypot(high - counted, _Z * sd),
    )


Figured = tuple[float, float, float]
"""A figure, and both ends of its 95% interval."""


def difference_of(one: Figured, other: Figured) -> Estimate:
    """The difference of two figures of separate groups, one minus the other, from their intervals:
    the method of variance estimates recovery (Newcombe 1998, Zou & Donner 2008).

    >>> found = difference_of((0.8, 0.76, 0.83), (0.6, 0.57, 0.63))
    >>> [round(x, 3) for x in (found.value, found.low, found.high)]
    [0.2, 0.15, 0.242]
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    value = a - b
    return Estimate(
        value,
        value - math.hypot(a - a_low, b_high - b),
        value + math.hypot(a_high - a, b - b_low),
    )


def ratio_of(one: Figured, other: Figured) -> Estimate:
    """The ratio of two positive figures of separate groups, from their intervals: the same method
    for ratios (Donner & Zou 2012).

    >>> found = ratio_of((0.8, 0.76, 0.83), (0.6, 0.57, 0.63))
    >>> [round(x, 2) for x in (found.value, found.low, found.high)]
    [1.33, 1.24, 1.42]
    >>> ratio_of((0.8, 0.7, 0.9), (0.1, 0.0, 0.2)).withheld
    'the other figure may be 0'
    """
    (a, a_low, a_high), (b, b_low, b_high) = one, other
    if b_low <= 0.0:
        return Estimate(None, withheld="the other figure may be 0")
    inside_low = (a * b) ** 2 - a_low * b_high * (2.0 * a - a_low) * (2.0 * b - b_high)
    inside_high = (a * b) ** 2 - a_high * b_low * (2.0 * a - a_high) * (2.0 * b - b_low)
    below, above = b_high * (2.0 * b - b_high), b_low * (2.0 * b - b_low)
    low = (a * b - math.sqrt(max(0.0, inside_low))) / below if below > 0.0 else 0.0
    return Estimate(a / b, max(0.0, low), (a * b + math.sqrt(max(0.0, inside_high))) / above)


def of_mean(midpoints: Sequence[float], counts: Sequence[float], sd: float) -> tuple[float, float]:
    """The 95% interval of a mean of people in bands: Student's, with the rounding of each band.

    >>> [round(end, 2) for end in of_mean([0.0, 10.0, 20.0], [50.0, 100.0, 50.0], 2.0)]
    [8.97, 11.03]
    """
    at, n = np.asarray(midpoints, dtype=float), np.asarray(counts, dtype=float)
    total = float(n.sum())
    mean = float((at * n).sum() / total)
    variance = float((n * (at - mean) ** 2).sum() / (total - 1.0))
    rounding = float((((at - mean) / total) ** 2).sum()) * sd**2
    reach = _student(total - 1.0) * math.sqrt(variance / total + rounding)
    return mean - reach, mean + reach


def _wilson(p: float, n: float, rounding: float) -> tuple[float, float]:
    """`rounding` is the variance that the rounding adds."""
    centre = (p + _Z**2 / (2.0 * n)) / (1.0 + _Z**2 / n)
    reach = _Z * math.sqrt(p * (1.0 - p) / n + _Z**2 / (4.0 * n**2)) / (1.0 + _Z**2 / n)
    low, high = centre - reach, centre + reach
    return (
        max(0.0, p - math.hypot(p - low, _Z * math.sqrt(rounding))),
        min(1.0, p + math.hypot(high - p, _Z * math.sqrt(rounding))),
    )


def _student(freedom: float) -> float:
    """The 97.5% point of Student's distribution, by Cornish and Fisher's expansion: right to .002
    from 10 degrees of freedom on.
    """
    z = _Z
    return z + (z**3 + z) / (4.0 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96.0 * freedom**2)


def recovered(x: Counts, missed: float) -> Counts:
    """Pairs of groups (of interest, compared with) as they would be with all links, if a share
    `missed` of the first group is counted in the second. Misclassification of an exposure with
    sensitivity 1 - `missed` and specificity 1 (Lash, Fox & Fink 2009, chapter 6).

    >>> recovered(np.array([[90.0, 45.0], [60.0, 45.0]]), 0.1).tolist()
    [[100.0, 50.0], [50.0, 40.0]]
    """
    found = x.copy()
    found[0::2] = x[0::2] / (1.0 - missed)
    found[1::2] = x[1::2] - (found[0::2] - x[0::2])
    return found


def corrected(figure: Figure, missed: float) -> Figure:
    """A ratio of pairs of groups, corrected for missed links: times what the correction does to the
    ratio of all strata together. One stratum alone may be too small to take people out of it.
    """

    def of_all(x: Counts) -> float:
        together = np.stack([x[0::2].sum(axis=0), x[1::2].sum(axis=0)])
        return figure(x) * figure(recovered(together, missed)) / figure(together)

    return of_all


def most_missed(x: Counts, fewest: float) -> float:
    """The largest share of the first group that may be missed, so that `fewest` of each kind are
    left in the second.

    >>> round(most_missed(np.array([[90.0, 45.0], [60.0, 45.0]]), 10.0), 3)
    0.357
    """
    odds = max(0.0, float(((x[1] - fewest) / np.maximum(x[0], 1.0)).min()))
    return odds / (1.0 + odds)


def odds_ratio(x: Counts) -> float:
    """Odds ratio of pairs of groups (of interest, compared with), one pair for each stratum: Mantel
    & Haenszel (1959).

    >>> round(odds_ratio(np.array([[40.0, 10.0], [60.0, 40.0]])), 2)
    2.67
    """
    a, b, c, d, n = _strata(x)
    return _divide((a * d / n).sum(), (b * c / n).sum())


def risk_ratio(x: Counts) -> float:
    """Risk ratio of pairs of groups, one pair for each stratum: Greenland & Robins (1985).

    >>> round(risk_ratio(np.array([[40.0, 10.0], [60.0, 40.0]])), 2)
    1.33
    """
    a, b, c, d, n = _strata(x)
    return _divide((a * (c + d) / n).sum(), (c * (a + b) / n).sum())


def share(x: Counts) -> float:
    """The share of a group with the outcome."""
    return _divide(x[0, 0], x[0].sum())


def gap(x: Counts) -> float:
    """The last group's share minus the first group's."""
    return share(x[-1:]) - share(x[:1])


def share_ratio(x: Counts) -> float:
    """The last group's share divided by the first group's."""
    return _divide(share(x[-1:]), share(x[:1]))


def slope_index(x: Counts) -> float:
    """Slope index of inequality (Mackenbach & Kunst 1997): the slope of the share over the ranked
    population, by least squares weighted by size. Groups must be in order. Positive if the last
    group has the larger share.

    >>> round(slope_index(np.array([[10.0, 90.0], [20.0, 80.0], [30.0, 70.0], [40.0, 60.0]])), 2)
    0.4
    """
    totals = x.sum(axis=1)
    rank = (np.cumsum(totals) - totals / 2.0) / totals.sum()
    shares = x[:, 0] / totals
    middle = np.average(rank, weights=totals)
    return _divide((totals * (rank - middle) * shares).sum(), (totals * (rank - middle) ** 2).sum())


def relative_index(x: Counts) -> float:
    """Relative index of inequality: the slope index divided by the mean share."""
    return slope_index(x) / _divide(x[:, 0].sum(), x.sum())


def change(midpoints: Sequence[float], counts: Sequence[float], rounding_sd: float) -> Change:
    """Mean change of people in bands, also in standard deviations, and the p value of the paired t
    test for no change.

    >>> found = change([-5.0, 5.0, 15.0, 25.0], [50, 100, 100, 50], 2.0)
    >>> round(found.mean.value, 1), round(found.mean.low, 1), round(found.mean.high, 1)
    (10.0, 8.9, 11.1)
    >>> round(found.standardised.value, 2)
    1.04
    """
    # Imported here because it takes a second to load.
    from scipy import stats

    at, n = np.asarray(midpoints, dtype=float), np.asarray(counts, dtype=float)
    total = float(n.sum())
    if total < disclosure.FEWEST_IN_BASE:
        small = Estimate(
            None, withheld=f"fewer than {disclosure.FEWEST_IN_BASE} have both questionnaires"
        )
        return Change(small, small, None)
    mean = float((at * n).sum() / total)
    variance = float((n * (at - mean) ** 2).sum() / (total - 1.0))
    if variance == 0.0:
        return Change(
            Estimate(mean, withheld=""), Estimate(None, withheld="all people are in one band"), None
        )
    rounding = float((((at - mean) / total) ** 2).sum()) * rounding_sd**2
    error = math.sqrt(variance / total + rounding)
    reach = float(stats.t.ppf(0.975, total - 1.0)) * error
    effect = mean / math.sqrt(variance)
    effect_error = math.sqrt(1.0 / total + effect**2 / (2.0 * total) + rounding / variance)
    return Change(
        Estimate(mean, mean - reach, mean + reach),
        Estimate(effect, effect - _Z * effect_error, effect + _Z * effect_error),
        float(2.0 * stats.t.sf(abs(mean) / error, total - 1.0)),
    )


def _strata(x: Counts) -> tuple[Counts, Counts, Counts, Counts, Counts]:
    """The four counts of each stratum's table, and its size. A stratum without anybody says nothing
    and is left out.
    """
    filled = x[0::2].sum(axis=1) + x[1::2].sum(axis=1) != 0
    first, second = x[0::2][filled], x[1::2][filled]
    a, b, c, d = first[:, 0], first[:, 1], second[:, 0], second[:, 1]
    return a, b, c, d, a + b + c + d


def _divide(one: float, other: float) -> float:
    if other == 0.0:
        raise ZeroDivisionError
    return float(one / other)
