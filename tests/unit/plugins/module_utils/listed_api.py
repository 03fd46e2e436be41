# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud whose tasks are seen in a list and by id, each with a request limit of its own, on a scripted clock."""

from __future__ import annotations

import dataclasses
import random
import typing as t

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter, WaitView
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.limited_api import (
    EPOCH,
    LATENCY,
    Limit,
    LimitedCloud,
)

PAGE_SIZE = 50
TOLD = "policy user over ratelimit,limit:200,time:5 minute"


def unlimited(now: float) -> bool:
    return True


@dataclasses.dataclass
class ListedCloud:
    """TaurusDB's task by id, and its list of instant tasks with a request limit of its own."""

    ends: dict[TaskRef, float]
    by_id: LimitedCloud
    list_limit: Limit = unlimited
    # How old the truth is that the list shows, which tasks it leaves out, and what it answers instead.
    lag: float = 0.0
    left_out: frozenset[TaskRef] = frozenset()
    refusal: t.Callable[[int], t.Any] = lambda count: None
    pages: int = 0

    def open_list(self, ref: TaskRef) -> t.Callable[[t.Sequence[tuple[str, str]]], t.Any]:
        return self.send

    def send(self, query: t.Sequence[tuple[str, str]]) -> t.Any:
        self.pages += 1
        if not self.list_limit(self.by_id.now):
            return ApiError(TOLD, http_status=429, code="APIGW.0308")
        refusal = self.refusal(self.pages)
        if refusal is not None:
            return refusal
        self.by_id.now += LATENCY
        number = int(dict(query).get("offset", "1"))
        listed = [ref for ref in self.ends if ref not in self.left_out]
        return {"jobs": [self._record(ref) for ref in listed[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]]}

    def _record(self, ref: TaskRef) -> dict[str, t.Any]:
        is_over = self.by_id.now - self.lag - EPOCH >= self.ends[ref]
        return {"job_id": ref.task_id, "job_name": "x", "status": "Completed" if is_over else "Running", "process": ""}

    def wait(self, *, lists: bool = True, **policy: t.Any) -> WaitView:
        def sleep(seconds: float) -> None:
            self.by_id.now += seconds

        waiter = Waiter(
            list(self.ends),
            Policy(**policy),
            probe=self.by_id.probe,
            clock=self.by_id.clock,
            sleep=sleep,
            random=random.Random(1).random,
            open_list=self.open_list if lists else None,
        )
        return waiter.run()

    def lags(self) -> list[float]:
        """For each task the seconds from its end to the poll that has seen it."""
        return sorted(self.by_id.granted[ref][-1] - end for ref, end in self.ends.items())


def cloud(ends: t.Iterable[float], *, limit: Limit = unlimited, **more: t.Any) -> ListedCloud:
    by_ref = {TaskRef("taurusdb", f"t{number}"): end for number, end in enumerate(ends)}
    return ListedCloud(by_ref, LimitedCloud(limit, text=TOLD, ends=by_ref), **more)


def spread(count: int, seconds: float) -> list[float]:
    """Return moments at which so many tasks end."""
    dice = random.Random(7)
    return [dice.uniform(0, seconds) for dummy in range(count)]
