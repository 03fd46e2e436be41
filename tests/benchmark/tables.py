# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables in Markdown, one or more for each part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import hosts, queries, startup, stats, waits, ways
from .results import Result

MS = 1000.0


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are figures."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def query(result: Result) -> str:
    """Modules and uri, by wall, CPU and memory."""
    runs = result.runs
    rows = []
    for service in queries.QUERIES:
        module, uri = queries.module_of(service), f"uri {service}"
        for key in (module, uri):
            rows.append(
                [
                    f"`{module}`" if key == module else "`uri` on its address",
                    stats.spread(stats.series(runs, key, "wall"), 0, MS),
                    stats.spread(stats.ratios(runs, key, uri, "wall"), 2),
                    stats.spread(stats.series(runs, key, "cpu"), 0, MS),
                    stats.spread(stats.ratios(runs, key, uri, "cpu"), 2),
                    stats.spread(stats.series(runs, key, "memory"), 0),
                ]
            )
    return table(["", "wall, ms", "by `uri`", "CPU, ms", "by `uri`", "memory, MiB"], rows)


def wait(result: Result) -> str:
    """The ways to wait for one task."""
    runs = result.runs
    rows = [
        [
            ways.TITLES[way],
            stats.spread(stats.series(runs, way, "cpu"), 2),
            stats.spread(stats.ratios(runs, way, ways.URI, "cpu"), 2),
            stats.spread(stats.beyond(runs, way, ways.NOTHING, "cpu"), 2) if way != ways.SDK else "-",
            stats.spread(stats.series(runs, way, "requests"), 0),
            stats.spread(stats.series(runs, way, "lag_p50"), 1),
            stats.spread(stats.series(runs, way, "past_end"), 1),
            stats.spread(stats.series(runs, way, "memory"), 0),
        ]
        for way in (ways.NOTHING, ways.URI, ways.SDK, ways.MODULE, ways.PROGRESS)
    ]
    ends = ["lag, s", "end of the command after the task's, s"]
    return table(["", "CPU, s", "by `uri`", "CPU beyond `sleep`, s", "requests", *ends, "memory, MiB"], rows)


def many_hosts(result: Result) -> str:
    """What it takes when all hosts of a play do the same at once."""
    runs = result.runs
    rows = [
        [
            ways.TITLES[way],
            stats.spread(stats.series(runs, way, "cpu"), 1),
            stats.spread(stats.ratios(runs, way, ways.NOTHING, "cpu"), 2),
            stats.spread(stats.series(runs, way, "wall"), 0),
            stats.spread(stats.series(runs, way, "requests"), 0),
            stats.spread(stats.series(runs, way, "memory"), 0),
            stats.spread(stats.series(runs, way, "memory_per_host"), 0),
        ]
        for way in (ways.NOTHING, ways.MODULE, ways.PROGRESS)
    ]
    return table(["", "CPU, s", "by `sleep`", "wall, s", "requests", "memory, MiB", "a host, MiB"], rows)


def many(result: Result) -> str:
    """The ways to wait for many tasks: first when their ends are known, then what that costs."""
    scale, runs = result.scale, result.runs
    keys = [f"{way}@{count}" for count in scale.counts for way in ways.TITLES]
    keys = [key for key in keys if key in runs[0]]
    lags = [
        [*_title(key), *(stats.spread(stats.series(runs, key, name), 1) for name in ("lag_p50", "lag_p95", "lag_p99"))]
        + [stats.spread(stats.series(runs, key, "past_end"), 1)]
        for key in keys
        if key.partition("@")[0] not in (ways.BARE, ways.NOTHING)
    ]
    costs = [
        [
            *_title(key),
            stats.spread(stats.series(runs, key, "cpu"), 1),
            stats.spread(stats.series(runs, key, "requests"), 0),
            stats.spread(stats.series(runs, key, "pages"), 0),
            stats.spread(stats.series(runs, key, "cpu_per_poll"), 2, MS),
            stats.spread(stats.ratios(runs, key, f"{ways.BARE}@{key.partition('@')[2]}", "cpu_per_poll"), 2),
            stats.spread(stats.series(runs, key, "memory"), 0),
            stats.spread(stats.series(runs, key, "peak_connections"), 0),
        ]
        for key in keys
    ]
    seen = ["", "tasks", "lag p50, s", "lag p95, s", "lag p99, s", "end of the command after the last task's, s"]
    cost = ["", "tasks", "CPU, s", "requests by id", "to the list", "CPU per request by id, ms", "by the bare loop"]
    cost += ["memory, MiB", "connections"]
    return "\n\n".join((table(seen, lags), table(cost, costs)))


def _title(key: str) -> list[str]:
    way, dummy, count = key.partition("@")
    return [ways.TITLES[way], f"{int(count):,}"]


def slow(result: Result) -> str:
    """How long a round takes."""
    rows = [
        [
            f"{count:,}",
            stats.spread(stats.series(result.runs, str(count), "peak_connections"), 0),
            stats.spread(stats.series(result.runs, str(count), "least"), 1),
            stats.spread(stats.series(result.runs, str(count), "round"), 1),
            stats.spread(stats.series(result.runs, str(count), "factor"), 2),
        ]
        for count in result.scale.slow_counts
    ]
    return table(["tasks", "connections", "least that its connections allow, s", "round, s", "factor"], rows)


def start(result: Result) -> str:
    """What modules import and what that costs, then the collection's own files."""
    runs = result.runs
    groups = [name for name, dummy_heads in startup.GROUPS]
    rows = [
        [
            f"`{module}`",
            stats.spread(stats.series(runs, module, "payload"), 0),
            stats.spread(stats.series(runs, module, "imports"), 0),
            *(stats.spread(stats.series(runs, module, group), 0, MS) for group in (*groups, "standard")),
            stats.spread(stats.series(runs, module, "cpu"), 0, MS),
        ]
        for module in runs[0]
    ]
    head = ["", "payload, KiB", "imports", "own, ms", "Ansible's, ms", "requests', ms", "Python's, ms", "CPU, ms"]
    return "\n\n".join((table(head, rows), _files(result)))


def _files(result: Result) -> str:
    runs = result.runs
    modules = [module for module in runs[0] if module != "uri"]
    names = sorted({name for run in runs for figures in run.values() for name in figures if name.startswith("file ")})
    rows = [
        [
            f"`{name.removeprefix('file ')}`",
            *(stats.spread(stats.series(runs, module, name), 1, MS) for module in modules),
        ]
        for name in names
    ]
    return table(["import of own files, ms", *(f"`{module}`" for module in modules)], rows)


def soak(subjects: Mapping[str, Mapping[str, float]]) -> str:
    """What processes held at first, later, and at last."""
    rows = [
        [
            name,
            f"{held['rss_first']:.0f}",
            f"{held['rss_later']:.0f}",
            f"{held['slope']:+.1f}",
            *(
                ", ".join(f"{held[f'{what}_{when}']:.0f}" for when in ("first", "later", "last"))
                for what in ("fds", "threads")
            ),
        ]
        for name, held in subjects.items()
    ]
    return table(["", "memory at first, MiB", "later, MiB", "slope, MiB an hour", "open files", "threads"], rows)


TABLES = {"query": query, waits.WAIT: wait, hosts.NAME: many_hosts, waits.MANY: many, "slow": slow, "startup": start}
