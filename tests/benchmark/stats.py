# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, extremes, percentiles and ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from .bench import Figures

Runs = Sequence[dict[str, Figures]]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(math.ceil(len(ranked) * percent / 100) - 1, 0)]


def series(runs: Runs, key: str, figure: str) -> list[float]:
    """A figure of all runs; empty where it was not measured."""
    return [run[key][figure] for run in runs if figure in run.get(key, {})]


def ratios(runs: Runs, key: str, other: str, figure: str) -> list[float]:
    """A figure of one thing, divided by that of another in the same run."""
    pairs = zip(series(runs, key, figure), series(runs, other, figure))
    return [mine / its for mine, its in pairs]


def beyond(runs: Runs, key: str, other: str, figure: str) -> list[float]:
    """A figure of one thing, less that of another in the same run."""
    pairs = zip(series(runs, key, figure), series(runs, other, figure))
    return [mine - its for mine, its in pairs]


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def spread(values: Sequence[float], digits: int, factor: float = 1.0) -> str:
    """Median with minimum and maximum, for a table."""
    if not values:
        return "-"
    low, middle, high = (factor * value for value in (min(values), median(values), max(values)))
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"
