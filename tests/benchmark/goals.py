# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures should be, and whether they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from . import hosts, limits, queries, stats, waits, ways
from .results import Result

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
        if not self.bound:
            return "met" if self.met else f"missed by {self.value:g}"
        return f"{'met' if self.met else 'missed'} by {abs(self.value / self.bound - 1):.0%}"


def goals(results: Mapping[str, Result]) -> list[Goal]:
    """Those of the parts that have been measured."""
    makers = {
        "query": _query,
        waits.WAIT: _wait,
        hosts.NAME: _hosts,
        waits.MANY: _many,
        limits.NAME: _limits,
        "slow": _slow,
    }
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
    def goal(way: str, other: str, bound: float, by: str) -> Goal:
        value = stats.median(stats.ratios(result.runs, way, other, "cpu"))
        return Goal(waits.WAIT, f"{ways.TITLES[way]}: CPU, by that {by}", bound, value)

    made = [goal(way, ways.URI, 0.45, "of `uri` + `until`") for way in (ways.MODULE, ways.PROGRESS)]
    made.append(goal(ways.PROGRESS, ways.MODULE, 1.05, "without"))
    if not stats.series(result.runs, ways.PROGRESS, "past_end"):
        return made
    # Both see the end at the next poll; what comes after is the result's way to the command's end.
    late = stats.median(stats.beyond(result.runs, ways.PROGRESS, ways.MODULE, "past_end"))
    text = f"{ways.TITLES[ways.PROGRESS]}: seconds from the task's end to the command's, beyond those without"
    return [*made, Goal(waits.WAIT, text, 1, late)]


def _hosts(result: Result) -> list[Goal]:
    head = f"{result.scale.hosts} hosts at once"
    return [
        Goal(
            hosts.NAME,
            f"{head}, {ways.TITLES[way]}: CPU, by that of `command: sleep`",
            2,
            stats.median(stats.ratios(result.runs, way, ways.NOTHING, "cpu")),
        )
        for way in (ways.MODULE, ways.PROGRESS)
    ]


def _limits(result: Result) -> list[Goal]:
    """The worst cell of each table, and the lists."""
    found = result.runs[0]
    made = []
    for name, cells in (("one wait", limits.alone()), ("several waits", limits.together())):
        figures = [found[cell.key] for cell in cells if cell.key in found]
        worst = {key: max(each[key] for each in figures) for key in ("failed", "lag")}
        least = {key: min(each[key] for each in figures) for key in ("granted", "used")}
        head = f"request limits, {name}, worst of {len(figures)} cells"
        made += [
            Goal(limits.NAME, f"{head}: failed waits", 0, worst["failed"]),
            Goal(limits.NAME, f"{head}: share of requests refused", 1 - limits.LEAST_GRANTED, 1 - least["granted"]),
            Goal(limits.NAME, f"{head}: share of the limit not used", 1 - limits.LEAST_USED, 1 - least["used"]),
            Goal(limits.NAME, f"{head}: detection lag p95, rounds", limits.MOST_LAG, worst["lag"]),
        ]
    if limits.LISTED in found:
        text = "1,000 TaurusDB tasks within an hour at 200 requests in 5 minutes: detection lag p95, seconds"
        made.append(Goal(limits.NAME, text, 60, found[limits.LISTED]["lag_p95"]))
    return made


def _many(result: Result) -> list[Goal]:
    runs, scale = result.runs, result.scale

    def goal(way: str, text: str, bound: float, values: list[float]) -> Goal:
        return Goal(waits.MANY, f"{ways.TITLES[way]}, {scale.many:,} tasks: {text}", bound, stats.median(values))

    made = []
    for way in (ways.MODULE, ways.PROGRESS, ways.BY_ID, ways.LIMITED):
        key = f"{way}@{scale.many}"
        # At a limit that grants so many tasks no poll each pause, the list is what keeps the lag short.
        if stats.series(runs, key, "lag_p95"):
            made += [
                goal(way, "detection lag p95, seconds", scale.sleep + 1, stats.series(runs, key, "lag_p95")),
                goal(way, "memory, MiB", MAX_MEMORY, stats.series(runs, key, "memory")),
                goal(way, "connections at once", MAX_CONNECTIONS, stats.series(runs, key, "peak_connections")),
            ]
    by_id = f"{ways.BY_ID}@{scale.many}"
    if stats.series(runs, by_id, "cpu"):
        per_poll = stats.ratios(runs, by_id, f"{ways.BARE}@{scale.many}", "cpu_per_poll")
        made.append(goal(ways.BY_ID, "CPU per poll, by that of the bare loop", 1.5, per_poll))
        text = "... without what Ansible takes for a task that only sleeps"
        made.append(Goal(waits.MANY, text, 1.5, stats.median(_alone(result, by_id))))
    return made


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
