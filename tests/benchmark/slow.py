# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part "slow": how long one round of requests takes when the server is slow."""

from __future__ import annotations

import math

from . import ways
from .bench import Bench, Figures
from .cloud import cloud
from .scale import Scale


def measure(bench: Bench, scale: Scale) -> list[dict[str, Figures]]:
    """The figures for each number of tasks, for each run."""
    return [{str(count): _round(bench, scale, count) for count in scale.slow_counts} for dummy in range(scale.runs)]


def _round(bench: Bench, scale: Scale, count: int) -> Figures:
    """Tasks that have ended are requested once."""
    with bench.home() as home, cloud(home) as sky:
        sky.add_tasks("dds", [0.0] * count)
        sky.slow_down(scale.slow_answer)
        figures = bench.measure(ways.WAYS[ways.MODULE](ways.Setting(bench, sky, home, scale.sleep, scale.span)))
        moments = [float(record["at"]) for record in sky.requests()]
        # The last request is responded to, too.
        seconds = max(moments) - min(moments) + scale.slow_answer
        connections = float(sky.peak_connections())
        least = math.ceil(count / connections) * scale.slow_answer
        return figures | {"round": seconds, "peak_connections": connections, "least": least, "factor": seconds / least}
