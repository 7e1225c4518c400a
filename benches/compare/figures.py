"""Figures of several runs: their median, their spread, and ratios of what ran in the same round."""

import math
import statistics

median = statistics.median


def spread(values):
    """Half the distance between the quartiles as a share of the median: how far a run is from the middle one, usually."""
    values = sorted(values)
    middle = median(values)
    if len(values) < 2 or middle == 0:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / abs(middle)


def ratios(above, below):
    """Of each round what `above` measured by what `below` measured; rounds that one of them missed are left out."""
    return [a / b for a, b in zip(above, below) if a is not None and b]


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def short(value):
    """A figure for people: three digits that say something, thousands apart."""
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"
