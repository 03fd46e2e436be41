# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot of docs/benchmark.md: how ways to wait grow with the number of tasks."""

from __future__ import annotations

import pathlib

import matplotlib

from . import stats, ways
from .results import Result

# Figure -> title and the factor to show it with; on logarithmic axes both.
PANELS = {"cpu": "CPU, seconds", "lag_p95": "detection lag p95, seconds"}
STYLES = {
    ways.URI: ("uri + until, in a loop", "#d55e00", "s"),
    ways.FAN_OUT: ("async fan-out of curl loops", "#cc79a7", "v"),
    ways.SDK: ("script with the vendor's SDK", "#009e73", "^"),
    ways.PROGRESS: ("wait_for_task with progress", "#56b4e9", "D"),
    ways.MODULE: ("wait_for_task, progress: false", "#0072b2", "o"),
}
# The same figures give the same file.
SETTINGS = {"svg.hashsalt": "huaweicloud.tasks", "svg.fonttype": "path", "font.size": 9}


def draw(result: Result, path: pathlib.Path) -> None:
    """Medians as lines, minimum to maximum as bars."""
    matplotlib.use("svg")
    from matplotlib import pyplot

    with pyplot.rc_context(SETTINGS):
        figure, all_axes = pyplot.subplots(1, len(PANELS), figsize=(9, 3.8), layout="constrained")
        for axes, (name, title) in zip(all_axes, PANELS.items()):
            for way in STYLES:
                _add_line(axes, result, way, name)
            axes.set(xscale="log", yscale="log", title=title, xlabel="tasks")
            axes.set_xticks(result.scale.counts, [f"{count:,}" for count in result.scale.counts])
            axes.yaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
            axes.grid(True, which="major", alpha=0.3)
        all_axes[-1].axhline(result.scale.sleep + 1, color="0.5", linestyle=":", label="goal: one pause and a second")
        handles, labels = all_axes[-1].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    # matplotlib leaves spaces at the ends of lines.
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


def _add_line(axes: matplotlib.axes.Axes, result: Result, way: str, name: str) -> None:
    measured = {count: stats.series(result.runs, f"{way}@{count}", name) for count in result.scale.counts}
    points = {count: values for count, values in measured.items() if values}
    middles = [stats.median(values) for values in points.values()]
    below = [middle - min(values) for middle, values in zip(middles, points.values())]
    above = [max(values) - middle for middle, values in zip(middles, points.values())]
    label, color, marker = STYLES[way]
    axes.errorbar(list(points), middles, (below, above), label=label, color=color, marker=marker, capsize=3)
