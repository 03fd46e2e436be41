# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What processes hold: memory, descriptors, threads. Linux only."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import statistics
from collections.abc import Sequence

from benchmark.tree import children

PROC = pathlib.Path("/proc")
# A process that is starting grows.
WARMING_UP = 0.15
MIB = 1024.0


@dataclasses.dataclass(frozen=True)
class Sample:
    """The sums over a process and all below it: resident memory in MiB, open descriptors, threads."""

    at: float
    rss: float
    fds: int
    threads: int


def take(pid: int, at: float) -> Sample:
    """Look at a process and all that it has started; `at` is the time in seconds."""
    sizes = [_held(each) for each in [pid, *children(pid)]]
    return Sample(at, sum(size[0] for size in sizes), sum(size[1] for size in sizes), sum(size[2] for size in sizes))


def _held(pid: int) -> tuple[float, int, int]:
    with contextlib.suppress(OSError):
        lines = (PROC / str(pid) / "status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        if "VmRSS" in status:
            rss = int(status["VmRSS"].split()[0]) / MIB
            return rss, len(list((PROC / str(pid) / "fd").iterdir())), int(status["Threads"])
    return 0.0, 0, 0


def slope(samples: Sequence[Sample]) -> float:
    """How fast memory grows once a process is warm, in MiB an hour: the line of least squares."""
    end = samples[-1].at
    warm = [sample for sample in samples if sample.at >= end * WARMING_UP]
    return statistics.linear_regression([each.at / 3600 for each in warm], [each.rss for each in warm]).slope


def share_of_growth(values: Sequence[float]) -> float:
    """How much something grew once a process was warm, as a share of its mean: by the line of least squares."""
    warm = values[int(len(values) * WARMING_UP) :]
    return statistics.linear_regression(range(len(warm)), warm).slope * len(warm) / statistics.mean(warm)


def growth(samples: Sequence[Sample]) -> float:
    """How much memory grew over the time once it is warm, in MiB."""
    return slope(samples) * samples[-1].at * (1 - WARMING_UP) / 3600
