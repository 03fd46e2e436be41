# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is measured: in full, or little to try the benchmark itself."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """Times are in seconds."""

    runs: int
    queries_per_run: int
    span: float  # within which tasks end
    sleep: float  # between polls
    few: int  # tasks of a loop, and of the smallest wait for many
    some: int  # tasks of a fan-out
    many: int
    slow_answer: float
    hosts: int = 50  # of one play
    hosts_span: float = 30.0  # that the task takes that they wait for

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of tasks that are waited for."""
        return (1, self.few, self.some, self.many)

    @property
    def slow_counts(self) -> tuple[int, ...]:
        """Numbers of tasks that are asked of a slow server."""
        return (self.many // 10, self.many * 3 // 10, self.many)


FULL = Scale(
    runs=3,
    queries_per_run=2,
    span=60.0,
    sleep=5.0,
    few=10,
    some=100,
    many=1000,
    slow_answer=0.2,
    hosts=50,
    hosts_span=30.0,
)
QUICK = Scale(
    runs=1, queries_per_run=1, span=6.0, sleep=1.0, few=3, some=10, many=50, slow_answer=0.2, hosts=3, hosts_span=5.0
)
