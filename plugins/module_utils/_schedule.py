# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which task is polled when: pauses that grow, the request limit of each API, the deadline.

As long as nothing is throttled all tasks are polled together. The tasks of an API that refuses requests are polled a
few at a time, as its pacer allows. All times are in seconds of the wait's clock.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import math
import typing as t

from ._errors import ApiError
from ._pacing import MAX_RETRY_AFTER, TICK, Pacer, told_rate
from ._policy import EPSILON, Policy
from ._task import TaskRef
from ._task_watch import Observation, TaskWatch, is_granted, is_throttled

GROWTH = 1.5
# Up to a tenth longer, so that many plays do not poll at the same moment.
JITTER = 0.1
# After so many refusals in a row it is another task's turn.
REFUSALS_OF_ONE = 2
# The minimum pause after a slow poll, as a share of ``sleep``.
LEAST_REST = 0.5


class Backoff:
    """How long to pause between polls."""

    def __init__(self, policy: Policy, random: t.Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._pause = 0.0

    def common(self, watches: t.Sequence[TaskWatch]) -> float:
        """Return the pause after a poll of all tasks, before anything cuts it short."""
        self._pause = self._grown(self._pause, changed=any(watch.changed for watch in watches))
        for watch in watches:
            watch.pause = self._pause
        return self._jittered(min(self._pause, self._until_an_end(watches)))

    def single(self, watch: TaskWatch) -> float:
        """Return the pause after a poll of one task, before anything cuts it short."""
        watch.pause = self._grown(watch.pause, changed=watch.changed)
        return self._jittered(min(watch.pause, self._until_an_end([watch])))

    def shortest(self) -> float:
        """Return the pause before a task is polled again whose request was throttled."""
        return self._jittered(self._policy.sleep)

    def _grown(self, pause: float, *, changed: bool) -> float:
        if pause == 0 or changed:
            return self._policy.sleep
        return min(pause * GROWTH, max(self._policy.sleep, self._policy.max_sleep))

    def _jittered(self, pause: float) -> float:
        return pause * (1 + JITTER * self._random())

    def _until_an_end(self, watches: t.Sequence[TaskWatch]) -> float:
        ends = [
            watch.task.remaining_seconds
            for watch in watches
            if watch.task and not (watch.settled or watch.in_trouble) and watch.task.remaining_seconds is not None
        ]
        return max(self._policy.sleep, min(ends, default=math.inf))


class Lane:
    """The tasks of one API at one address, which share its request limit."""

    def __init__(self, watches: t.Sequence[TaskWatch], policy: Policy, random: t.Callable[[], float]) -> None:
        # What is not settled; tasks that are settled are not looked through again at each poll.
        self.unsettled = list(watches)
        self._policy = policy
        self.pacer = Pacer(len(watches) / policy.sleep, random)

    def due(self, now: float) -> list[TaskWatch]:
        return [watch for watch in self.unsettled if watch.due <= now + EPSILON]

    def goes_on(self, now: float) -> bool:
        """Whether a poll of all tasks has further chunks, which follow at once."""
        return not self.pacer.limited and self.pacer.ready_at(now) <= now + TICK and bool(self.due(now))

    def take(self, now: float, *, is_last: bool) -> list[TaskWatch]:
        """Return what to poll now, the least recently polled first; at the last poll as much as makes sense."""
        due = sorted(self.due(now), key=lambda watch: -watch.urgency(now))
        if self.pacer.is_refused:
            # Whether the API refuses one task alone is found out with the others.
            due.sort(key=lambda watch: watch.refusals // REFUSALS_OF_ONE)
        allowed = self.pacer.allowance(now)
        if is_last:
            return due[: max(allowed, 1)] if self.pacer.limited else due
        return due[:allowed]

    def wakes_at(self, now: float, deadline: float) -> float:
        """Return when to poll next, not earlier than the server asked for and the deadline at the latest."""
        due = min((watch.due for watch in self.unsettled), default=math.inf)
        ready_at = self.pacer.ready_at(now)
        self.pacer.note_demand(held_back=ready_at > max(due, now) + EPSILON)
        wakes_at = max(due, ready_at)
        # The last poll is at the deadline, and not sooner than ``sleep`` after the one before it.
        is_near = not self.pacer.limited and deadline - wakes_at < self._policy.sleep and wakes_at > now + TICK
        return deadline if is_near else min(wakes_at, deadline)

    def learn(self, observations: t.Sequence[Observation], now: float) -> None:
        """Tell the pacer what was granted and refused."""
        errors = [each for each in observations if isinstance(each, ApiError)]
        refusals = [error for error in errors if is_throttled(error)]
        self.pacer.update(
            now,
            granted=sum(is_granted(each) for each in observations),
            refused=bool(refusals),
            retry_after=max((error.retry_after or 0.0 for error in refusals), default=0.0),
            told=next((rate for rate in (told_rate(error.message) for error in refusals) if rate), None),
        )
        pause = max((error.retry_after or 0.0 for error in errors), default=0.0)
        if pause:
            self.pacer.hold(now + min(pause, MAX_RETRY_AFTER))

    def interval(self, now: float) -> float:
        """Return the seconds between two polls of a task where the limit dictates them, otherwise 0."""
        if not self.pacer.limited:
            return 0.0
        interval = len(self.unsettled) / self.pacer.granted_rate(now)
        is_longer = interval > self._policy.sleep + EPSILON
        # A task that is refused while others are not is told of, too: nothing else says why it was not seen.
        is_felt = is_longer or any(watch.throttled for watch in self.unsettled)
        return max(interval, self._policy.sleep) if is_felt else 0.0


def lane_key(ref: TaskRef) -> t.Hashable:
    """Return what shares one request limit: the API, and where it is."""
    return (ref.service, ref.region, ref.project_id, ref.endpoint)


class Schedule:
    """When to poll which task of a wait."""

    def __init__(
        self,
        watches: t.Sequence[TaskWatch],
        policy: Policy,
        *,
        deadline: float,
        random: t.Callable[[], float],
        key: t.Callable[[TaskRef], t.Hashable],
    ) -> None:
        """``watches`` are all different; those with one ``key`` share a request limit."""
        self._policy = policy
        self._deadline = deadline
        self._backoff = Backoff(policy, random)
        groups: dict[t.Hashable, list[TaskWatch]] = {}
        for watch in watches:
            groups.setdefault(key(watch.ref), []).append(watch)
        self._lanes = [Lane(group, policy, random) for group in groups.values()]
        self._lane_by_ref = {watch.ref: lane for lane in self._lanes for watch in lane.unsettled}
        # What was polled since the last common pause, and since when.
        self._round: list[TaskWatch] = []
        self._round_began = 0.0

    @property
    def unsettled(self) -> list[TaskWatch]:
        return [watch for lane in self._lanes for watch in lane.unsettled]

    @property
    def limited(self) -> list[TaskWatch]:
        """The unsettled tasks of the APIs that have refused a request."""
        return [watch for lane in self._lanes if lane.pacer.limited for watch in lane.unsettled]

    def take(self, now: float, *, is_last: bool) -> list[TaskWatch]:
        """Return what to poll now; at the last poll as much as makes sense."""
        return [watch for lane in self._lanes for watch in lane.take(now, is_last=is_last)]

    def learn(self, observations: t.Mapping[TaskRef, Observation], now: float) -> None:
        """Take in what the polls of some tasks have shown of their APIs' limits, and which tasks are settled now."""
        by_lane: dict[Lane, list[Observation]] = {}
        for ref, observation in observations.items():
            by_lane.setdefault(self._lane_by_ref[ref], []).append(observation)
        for lane, those in by_lane.items():
            lane.learn(those, now)
            lane.unsettled = [watch for watch in lane.unsettled if not watch.settled]

    def plan(
        self, polled: t.Mapping[TaskWatch, Observation], began: float, now: float, *, stalls_at: float = math.inf
    ) -> None:
        """Set when to poll some tasks next, which were polled from ``began`` until ``now``.

        :param stalls_at: when the wait ends if nothing changes until then
        """
        if not self._round:
            self._round_began = began
        for watch, observation in polled.items():
            if not self._lane_by_ref[watch.ref].pacer.limited:
                watch.due = math.inf
                self._round.append(watch)
            elif is_granted(observation):
                watch.refusals = 0
                self._plan_alone(watch, began, now, stalls_at)
            elif is_throttled(observation):
                watch.refusals += 1
                watch.wanted_at = began if watch.wanted_at is None else watch.wanted_at
                watch.due = self._by_deadline(now + self._backoff.shortest())
        self._leave_round(now, stalls_at)
        if self._round and not any(lane.goes_on(now) for lane in self._lanes):
            self._plan_round(now, stalls_at)

    def _leave_round(self, now: float, stalls_at: float) -> None:
        """Take out of the round the tasks of an API that has refused a request meanwhile."""
        for watch in self._round:
            if self._lane_by_ref[watch.ref].pacer.limited:
                self._plan_alone(watch, self._round_began, now, stalls_at)
        self._round = [watch for watch in self._round if not self._lane_by_ref[watch.ref].pacer.limited]

    def _plan_round(self, now: float, stalls_at: float) -> None:
        took = now - self._round_began
        pause = self._backoff.common(self._round) - took
        deadlines = [end for watch in self._round if not watch.settled for end in watch.deadlines(self._policy)]
        due = self._due(pause, took, [*deadlines, stalls_at], now)
        for watch in self._round:
            watch.due, watch.wanted_at = due, None
        self._round = []

    def _plan_alone(self, watch: TaskWatch, began: float, now: float, stalls_at: float) -> None:
        took = now - began
        pause = self._backoff.single(watch) - took
        watch.due = watch.wanted_at = self._due(pause, took, [*watch.deadlines(self._policy), stalls_at], now)

    def _due(self, pause: float, took: float, deadlines: t.Sequence[float], now: float) -> float:
        """Return when to poll again: after a pause, when patience ends, or at the deadline."""
        # From one poll's beginning to the next one's: many tasks, which take a poll long, are not seen later for it.
        least = self._policy.sleep - min(took, self._policy.sleep * LEAST_REST)
        ahead = [end - now for end in deadlines if end > now + EPSILON]
        return self._by_deadline(now + max(min(pause, *ahead, math.inf), least))

    def _by_deadline(self, due: float) -> float:
        """The last poll is at the deadline, and not sooner than ``sleep`` after the one before it."""
        return self._deadline if self._deadline - due < self._policy.sleep - EPSILON else due

    def wakes_at(self, now: float) -> float:
        """Return when to poll next, at the deadline at the latest."""
        return min((lane.wakes_at(now, self._deadline) for lane in self._lanes), default=self._deadline)

    def limit(self, now: float) -> tuple[float, float] | None:
        """Return how many requests a minute the API with the tightest limit grants, and how many seconds pass
        between two polls of one of its tasks; None where no limit is felt.
        """
        slowest = max(self._lanes, key=lambda lane: lane.interval(now), default=None)
        interval = slowest.interval(now) if slowest else 0.0
        return (60 * len(slowest.unsettled) / interval, interval) if slowest and interval else None
