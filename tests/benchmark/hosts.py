# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part "hosts": many hosts of one play, each with a wait of its own, all at once."""

from __future__ import annotations

from . import ways
from .bench import Bench, Figures
from .cloud import cloud
from .scale import Scale

NAME = "hosts"


def measure(bench: Bench, scale: Scale) -> list[dict[str, Figures]]:
    """The figures of each way, for each run."""
    return [
        {way: _measure(bench, scale, way) for way in (ways.NOTHING, ways.MODULE, ways.PROGRESS)}
        for dummy in range(scale.runs)
    ]


def _measure(bench: Bench, scale: Scale, way: str) -> Figures:
    """Each host waits for one task, from its beginning to its end."""
    with bench.home() as home, cloud(home) as sky:
        sky.add_tasks("dds", [scale.hosts_span])
        setting = ways.Setting(bench, sky, home, scale.sleep, scale.hosts_span, hosts=scale.hosts)
        figures = bench.measure(ways.WAYS[way](setting))
        return figures | {"requests": float(len(sky.requests())), "memory_per_host": figures["memory"] / scale.hosts}
