# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures should be, and whether they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from . import queries, stats, waits, ways
from .results import Result
from .scale import Scale

MAX_MEMORY = 150.0
MAX_CONNECTIONS = 16.0
# A round is proportional to tasks / connections when this factor hardly differs between numbers of tasks.
MAX_FACTOR_DIFFERENCE = 1.25


@dataclasses.dataclass(frozen=True)
class Goal:
    """One figure and its bound."""

    part: str
    text: str
    bound: float
    value: float

    @property
    def met(self) -> bool:
        """Whether the figure keeps its bound."""
        return self.value <= self.bound

    @property
    def verdict(self) -> str:
        """Met or missed, and by how much."""
        return f"{'met' if self.met else 'missed'} by {abs(self.value / self.bound - 1):.0%}"


def goals(results: Mapping[str, Result]) -> list[Goal]:
    """Those of the parts that have been measured."""
    makers = {"query": _query, waits.WAIT: _wait, waits.MANY: _many, "slow": _slow}
    return [goal for part, make in makers.items() if part in results for goal in make(results[part])]


def _query(result: Result) -> list[Goal]:
    return [
        Goal(
            "query",
            f"`{queries.module_of(service)}`: wall time, by that of `uri`",
            0.95,
            stats.median(stats.ratios(result.runs, queries.module_of(service), f"uri {service}", "wall")),
        )
        for service in queries.QUERIES
    ]


def _wait(result: Result) -> list[Goal]:
    return [
        Goal(
            waits.WAIT,
            f"{ways.TITLES[way]}: CPU, by that of `uri` + `until`",
            bound,
            stats.median(stats.ratios(result.runs, way, ways.URI, "cpu")),
        )
        for way, bound in ((ways.MODULE, 0.2), (ways.PROGRESS, 0.5))
    ]


def _many(result: Result) -> list[Goal]:
    return [goal for way in (ways.MODULE, ways.PROGRESS) for goal in _many_of(result, way, result.scale)]


def _many_of(result: Result, way: str, scale: Scale) -> list[Goal]:
    key, head = f"{way}@{scale.many}", f"{ways.TITLES[way]}, {scale.many:,} tasks"

    def goal(text: str, bound: float, values: list[float]) -> Goal:
        named = text if text.startswith("...") else f"{head}: {text}"
        return Goal(waits.MANY, named, bound, stats.median(values))

    per_poll = stats.ratios(result.runs, key, f"{ways.BARE}@{scale.many}", "cpu_per_poll")
    made = [
        goal("detection lag p95, seconds", scale.sleep + 1, stats.series(result.runs, key, "lag_p95")),
        goal("CPU per poll, by that of the bare loop", 1.5, per_poll),
        goal("... without what Ansible takes for a task that only sleeps", 1.5, _alone(result, key)),
        goal("memory, MiB", MAX_MEMORY, stats.series(result.runs, key, "memory")),
        goal("connections at once", MAX_CONNECTIONS, stats.series(result.runs, key, "peak_connections")),
    ]
    # With progress each poll is a module run of its own, which no goal compares with a bare loop.
    return made if way == ways.MODULE else [made[0], *made[3:]]


def _alone(result: Result, key: str) -> list[float]:
    """CPU per poll by that of the bare loop, for the wait alone."""
    count = result.scale.many
    cpu = stats.beyond(result.runs, key, f"{ways.NOTHING}@{count}", "cpu")
    polls = stats.series(result.runs, key, "requests")
    bare = stats.series(result.runs, f"{ways.BARE}@{count}", "cpu_per_poll")
    return [mine / number / its for mine, number, its in zip(cpu, polls, bare)]


def _slow(result: Result) -> list[Goal]:
    factors = [stats.median(stats.series(result.runs, str(count), "factor")) for count in result.scale.slow_counts]
    text = "time of a round by tasks / connections: largest by smallest"
    return [Goal("slow", text, MAX_FACTOR_DIFFERENCE, max(factors) / min(factors))]
