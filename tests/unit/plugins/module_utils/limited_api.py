# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud with a request limit, and many waits side by side that know nothing of each other, on a scripted clock."""

from __future__ import annotations

import bisect
import collections
import dataclasses
import heapq
import itertools
import math
import random
import typing as t

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter, WaitView

# No real clock begins at 0.
EPOCH = 1_000_000.0
# What a request takes.
LATENCY = 0.05
WORKERS = 16


class Limit(t.Protocol):
    """Says whether a request at a moment is granted."""

    def __call__(self, now: float) -> bool:
        """Count a request that is sent now."""


class FixedWindow:
    """So many requests from one full window to the next."""

    def __init__(self, requests: int, window: float) -> None:
        self._requests, self._window = requests, window
        self._number, self._count = -1, 0

    def __call__(self, now: float) -> bool:
        # A window does not begin with the wait.
        number = math.floor(now / self._window + 0.37)
        if number != self._number:
            self._number, self._count = number, 0
        self._count += 1
        return self._count <= self._requests


class SlidingWindow:
    """So many requests in the seconds before any moment."""

    def __init__(self, requests: int, window: float) -> None:
        self._requests, self._window = requests, window
        self._granted: collections.deque[float] = collections.deque()

    def __call__(self, now: float) -> bool:
        while self._granted and self._granted[0] <= now - self._window:
            self._granted.popleft()
        if len(self._granted) >= self._requests:
            return False
        self._granted.append(now)
        return True


class Bucket:
    """A bucket of so many requests, which fills up in a window."""

    def __init__(self, requests: int, window: float) -> None:
        self._size, self._rate = float(requests), requests / window
        self._level, self._at = self._size, -math.inf

    def __call__(self, now: float) -> bool:
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True


KINDS: dict[str, t.Callable[[int, float], Limit]] = {
    "fixed window": FixedWindow,
    "sliding window": SlidingWindow,
    "bucket": Bucket,
}


class LimitedCloud:
    """Grants requests as a limit says, and notes when. ``ends`` tells when a task ends, in seconds from the start."""

    def __init__(
        self, limit: Limit, *, text: str = "over ratelimit", ends: t.Mapping[TaskRef, float] | None = None
    ) -> None:
        self.limit = limit
        self.now = EPOCH
        self._text = text
        self._ends = ends or {}
        self.granted: dict[TaskRef, list[float]] = collections.defaultdict(list)
        self.requests: list[tuple[float, bool]] = []

    def clock(self) -> float:
        return self.now

    def probe(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        """Answer like the collection's client: the first refusal stops the rest of a batch."""
        answers: list[Observation] = []
        refused = False
        for ref in refs:
            answer = _not_polled() if refused else self._answer(ref)
            refused = refused or isinstance(answer, ApiError)
            answers.append(answer)
        return answers

    def _answer(self, ref: TaskRef) -> Observation:
        is_granted = self.limit(self.now)
        self.requests.append((self.now - EPOCH, is_granted))
        if not is_granted:
            return ApiError(self._text, http_status=429, code="APIGW.0308")
        self.granted[ref].append(self.now - EPOCH)
        is_over = self.now - EPOCH >= self._ends.get(ref, math.inf)
        state, status = (State.SUCCEEDED, "Ended") if is_over else (State.RUNNING, "Running")
        return Task(ref.service, state, id=ref.task_id, status=status)


def _not_polled() -> ApiError:
    return ApiError("left out after a refusal", error_class=ErrorClass.NOT_POLLED)


@dataclasses.dataclass(frozen=True)
class Figures:
    """What waits achieved once they had settled."""

    # Of the requests sent, and of those that the limit would have granted.
    granted: float
    used: float
    # How late 95 % of the ends are noticed, in fair rounds: a fair round is tasks / rate, and not under ``sleep``.
    lag_p95: float
    # Everything from the first second on.
    views: t.Sequence[WaitView]


def run_side_by_side(
    cloud: LimitedCloud, waits: t.Sequence[t.Sequence[TaskRef]], policy: Policy, *, seed: int = 1
) -> list[WaitView]:
    """Run waits that begin within a second of each other, each with its own random numbers; return their ends."""
    ends: list[WaitView | None] = [None] * len(waits)
    dice = random.Random(seed)
    queue: list[tuple[float, int]] = [(EPOCH + dice.random(), number) for number in range(len(waits))]
    heapq.heapify(queue)
    running: dict[int, tuple[Waiter, t.Iterator[float]]] = {}
    while queue:
        cloud.now, number = heapq.heappop(queue)
        if number not in running:
            waiter = _new_waiter(cloud, waits[number], policy, random.Random(f"{seed} {number}"))
            running[number] = (waiter, waiter.pauses())
        waiter, pauses = running[number]
        pause = next(pauses, None)
        if pause is None:
            ends[number] = waiter.end
        else:
            heapq.heappush(queue, (cloud.now + pause, number))
    return [t.cast(WaitView, end) for end in ends]


def _new_waiter(cloud: LimitedCloud, refs: t.Sequence[TaskRef], policy: Policy, dice: random.Random) -> Waiter:
    return Waiter(refs, policy, probe=cloud.probe, clock=cloud.clock, sleep=lambda seconds: None, random=dice.random)


def tasks(count: int, waits: int = 1) -> list[list[TaskRef]]:
    """So many tasks for each of so many waits."""
    return [[TaskRef("dds", f"{wait}-{number}") for number in range(count)] for wait in range(waits)]


def measure(
    kind: str, requests: int, window: float, count: int, waits: int = 1, *, rounds: float = 10, **policy: t.Any
) -> Figures:
    """Wait for tasks that never end, and measure after the first half of the time."""
    rate = requests / window
    values: dict[str, t.Any] = {"sleep": 5.0, "max_sleep": 5.0, **policy}
    fair = max(count * waits / rate, values["sleep"])
    half = max(rounds * fair, 4 * window, 600.0)
    cloud = LimitedCloud(KINDS[kind](requests, window))
    refs = tasks(count, waits)
    ends = run_side_by_side(cloud, refs, Policy(timeout=2 * half, **values))
    return figures(cloud, list(itertools.chain(*refs)), half, min(rate, count * waits / values["sleep"]), fair, ends)


def figures(
    cloud: LimitedCloud,
    refs: t.Sequence[TaskRef],
    since: float,
    possible: float,
    fair: float,
    ends: t.Sequence[WaitView] = (),
) -> Figures:
    """Measure from a moment to as long again."""
    sent = [is_granted for at, is_granted in cloud.requests if since <= at <= 2 * since]
    gaps = [gap for ref in refs for gap in _gaps(cloud.granted[ref], since)]
    return Figures(sum(sent) / max(len(sent), 1), sum(sent) / (possible * since), lag(gaps, 0.95) / fair, ends)


def _gaps(granted: t.Sequence[float], since: float) -> list[float]:
    """Return the pieces of time between two polls of a task in the second half of a run."""
    first = max(bisect.bisect_left(granted, since) - 1, 0)
    moments = [*granted[first:], 2 * since] if granted else [0.0, 2 * since]
    return [later - earlier for earlier, later in zip(moments, moments[1:])]


def lag(gaps: t.Sequence[float], share: float) -> float:
    """Return within how many seconds that share of the tasks is seen to have ended which end at any moment."""
    total = sum(gaps)
    low, high = 0.0, max(gaps)
    for dummy in range(50):
        middle = (low + high) / 2
        late = sum(gap - middle for gap in gaps if gap > middle)
        low, high = (middle, high) if late > (1 - share) * total else (low, middle)
    return high
