# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts "wait" and "many": the ways to wait, for one task and for many."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import random
import time
from collections.abc import Collection, Sequence

from . import stats, ways
from .bench import Bench, Figures
from .cloud import cloud
from .scale import Scale

WAIT, MANY = "wait", "many"
# Jobs that run side by side begin so many seconds apart: start-up is what needs the processor.
STAGGER = 1.0


@dataclasses.dataclass(frozen=True)
class Job:
    """One way to wait for so many tasks."""

    part: str
    way: str
    count: int

    @property
    def key(self) -> str:
        """Its name in the results."""
        return self.way if self.part == WAIT else f"{self.way}@{self.count}"

    def durations(self, scale: Scale, run: int) -> list[float]:
        """How long its tasks take; the same for every way within a run."""
        if self.part == WAIT:
            return [scale.span]
        dice = random.Random(f"{run} {self.count}")
        return [dice.uniform(0, scale.span) for dummy in range(self.count)]


def batches(scale: Scale) -> list[list[Job]]:
    """Jobs in groups that run side by side. Those that need much of the processor do not disturb each other."""
    light = [Job(WAIT, way, 1) for way in (ways.MODULE, ways.PROGRESS, ways.SDK, ways.URI, ways.NOTHING)]
    for count in (1, scale.few, scale.some):
        light += [Job(MANY, way, count) for way in (ways.MODULE, ways.PROGRESS, ways.LIMITED, ways.SDK)]
    light += [Job(MANY, way, count) for count in (1, scale.few) for way in (ways.URI, ways.FAN_OUT)]
    return [
        light,
        [Job(MANY, way, scale.many) for way in (ways.MODULE, ways.PROGRESS, ways.NOTHING)],
        [Job(MANY, way, scale.many) for way in (ways.BY_ID, ways.LIMITED, ways.SDK)],
    ]


def measure(bench: Bench, scale: Scale, parts: Collection[str]) -> dict[str, list[dict[str, Figures]]]:
    """The figures of every job, for each part and run."""
    runs: dict[str, list[dict[str, Figures]]] = {part: [] for part in parts}
    for run in range(scale.runs):
        for part in parts:
            runs[part].append({})
        for batch in batches(scale):
            chosen = [job for job in batch if job.part in parts]
            for job, figures in _side_by_side(bench, scale, chosen, run):
                runs[job.part][-1][job.key] = figures
        if MANY in parts:
            many = runs[MANY][-1]
            polls = int(many[f"{ways.BY_ID}@{scale.many}"]["requests"])
            many[f"{ways.BARE}@{scale.many}"] = _bare(bench, scale, polls)
    return runs


def _side_by_side(bench: Bench, scale: Scale, jobs: Sequence[Job], run: int) -> list[tuple[Job, Figures]]:
    if not jobs:
        return []
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        futures = []
        for number, job in enumerate(jobs):
            if number:
                time.sleep(STAGGER)
            futures.append((job, pool.submit(_measure, bench, scale, job, run)))
        return [(job, future.result()) for job, future in futures]


def _measure(bench: Bench, scale: Scale, job: Job, run: int) -> Figures:
    with bench.home() as home, cloud(home) as sky:
        sky.add_tasks("dds", job.durations(scale, run))
        figures = bench.measure(ways.WAYS[job.way](ways.Setting(bench, sky, home, scale.sleep, scale.span)))
        if job.way == ways.NOTHING:
            return figures
        sky.mark("done")
        requests = float(len(sky.requests()))
        lags = sky.lags()
        return figures | {
            "requests": requests,
            "pages": float(sky.pages()),
            "peak_connections": float(sky.peak_connections()),
            "cpu_per_poll": figures["cpu"] / requests,
            "past_end": sky.seconds_past_end("done"),
            **{f"lag_p{percent}": stats.percentile(lags, percent) for percent in (50, 95, 99)},
        }


def _bare(bench: Bench, scale: Scale, polls: int) -> Figures:
    with bench.home() as home, cloud(home) as sky:
        sky.add_tasks("dds", [3600.0] * scale.many)
        figures = bench.measure(ways.WAYS[ways.BARE](ways.Setting(bench, sky, home, scale.sleep, scale.span, polls)))
        return figures | {"requests": float(polls), "cpu_per_poll": figures["cpu"] / polls}
