# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The waiter: polls until tasks have finished, and decides what trouble means.

It knows neither HTTP nor Ansible. Whoever uses it passes in how to poll (``probe``), the clock and the sleep, so that
it serves the module and the action plugin alike, and tests can script the time. All times are in seconds.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
import typing as t

from ._errors import InputError
from ._outcome import Outcome, WaitFailure
from ._policy import EPSILON, Policy, policy_of
from ._schedule import Schedule, lane_key
from ._survey import PATIENCE_SECONDS, TRUST_SECONDS, OpenList, Survey, list_key, new_survey
from ._task import Task, TaskRef
from ._task_watch import Observation, TaskWatch, is_granted

# Polls tasks now. After the first throttled response it leaves out the rest, as NOT_POLLED.
Probe = t.Callable[[t.Sequence[TaskRef]], t.Sequence[Observation]]

# A list is read for so long before tasks are polled by id again.
READING_SECONDS = 2.0
# time.sleep refuses some 292 years and more.
LONGEST_SLEEP = 86400.0


@dataclasses.dataclass(frozen=True)
class WaitView:
    """Where a wait stands: after a poll, or at its end. ``watches`` are in the order given, and change with each poll.

    ``granted_per_minute`` is what the API allows, ``poll_interval`` the seconds from one poll of a task to the next
    under that limit; both are None where no limit is felt. ``oldest_poll_age`` is how many seconds ago the least
    recently polled of the unsettled tasks was polled, or since when it could not be; None where all are settled.
    """

    watches: t.Sequence[TaskWatch]
    polls: int
    elapsed: float
    now: float
    policy: Policy
    over: bool = False
    failure: WaitFailure | None = None
    granted_per_minute: float | None = None
    poll_interval: float | None = None
    oldest_poll_age: float | None = None


class Waiter:
    """One wait for many tasks on one clock. The same task given twice is polled once."""

    def __init__(
        self,
        refs: t.Sequence[TaskRef],
        policy: Policy,
        *,
        probe: Probe,
        clock: t.Callable[[], float],
        sleep: t.Callable[[float], None],
        random: t.Callable[[], float],
        on_update: t.Callable[[WaitView], None] = lambda view: None,
        started: float | None = None,
        key: t.Callable[[TaskRef], t.Hashable] = lane_key,
        open_list: OpenList | None = None,
        on_listed: t.Callable[[t.Mapping[TaskRef, Task]], None] = lambda tasks: None,
    ) -> None:
        """``started`` is when the wait began by the clock; None is now. Tasks of one ``key`` share a request limit.

        ``open_list`` returns how to read the list that has a task, and ``on_listed`` is told what a list has said.

        :raises InputError: a number makes no sense, or nothing could succeed
        """
        policy.check()
        if not refs and policy.require == "any":
            raise InputError("tasks is empty: with require=any one of them must succeed. Name tasks to wait for.")
        self._policy = policy
        self._probe, self._clock, self._sleep = probe, clock, sleep
        self._on_update, self._on_listed = on_update, on_listed
        self._by_ref = {ref: TaskWatch(ref, approval_awaited=not policy.ends_at_first_failure) for ref in refs}
        self._watches = [self._by_ref[ref] for ref in refs]
        self._polls, self._started = 0, clock() if started is None else started
        self._deadline = self._started + policy.timeout
        self._delay = 0.0 if policy.poll_once else min(policy.delay, policy.timeout)
        self._first_poll_at: float | None = None
        distinct = list(self._by_ref.values())
        self._outcome = Outcome(distinct, policy)
        self._schedule = Schedule(distinct, policy, deadline=self._deadline, random=random, key=key)
        self._surveys = self._surveys_of(open_list, random) if open_list else []
        # How the wait has ended.
        self.end: WaitView | None = None

    def _surveys_of(self, open_list: OpenList, random: t.Callable[[], float]) -> list[Survey]:
        if self._policy.poll_once or self._policy.timeout == 0:
            return []
        groups: dict[t.Hashable, list[TaskRef]] = {}
        for ref in self._by_ref:
            groups.setdefault(list_key(ref), []).append(ref)
        pauses = (self._policy.sleep, max(self._policy.sleep, self._policy.max_sleep))
        made = (new_survey(refs, open_list, pauses=pauses, random=random) for refs in groups.values())
        surveys = [survey for survey in made if survey]
        for ref in (ref for survey in surveys for ref in survey.refs):
            self._by_ref[ref].due = self._started + self._delay + PATIENCE_SECONDS
        return surveys

    @property
    def refs(self) -> list[TaskRef]:
        """The tasks that are waited for, each once."""
        return list(self._by_ref)

    def run(self) -> WaitView:
        """Wait; the result says by its ``failure`` whether what was required has come true."""
        for seconds in self.pauses():
            self._sleep(seconds)
        return t.cast(WaitView, self.end)

    def pauses(self) -> t.Iterator[float]:
        """Wait, and leave each pause to the caller: the seconds until the next poll."""
        if not self._watches:
            self.end = self.view(over=True)
            return
        if self._delay > 0:
            yield self._delay
        while not self._poll_and_report():
            pause = self._next_poll_at() - self._clock()
            if pause > 0:
                yield pause

    def _poll_and_report(self) -> bool:
        """Poll what is due; say whether that was the end."""
        is_last = self._left() <= EPSILON or self._policy.poll_once
        self._poll(is_last=is_last)
        # A poll that took until the deadline was the last one.
        is_over, failure = self._verdict(is_last=is_last or self._left() <= EPSILON)
        view = self.view(over=is_over, failure=failure)
        self.end = view if is_over else None
        self._on_update(view)
        return is_over

    def _verdict(self, *, is_last: bool) -> tuple[bool, WaitFailure | None]:
        """Say whether the wait is over, and if so why it failed."""
        is_over, failure = self._outcome.decided(self._schedule.unsettled)
        if is_over:
            return True, failure
        if self._has_stalled():
            return True, self._outcome.stalled(self._clock() - self._last_change())
        if is_last and not self._policy.poll_once:
            return True, self._outcome.timed_out(self._clock() - self._started)
        return is_last, None

    def view(self, *, over: bool = False, failure: WaitFailure | None = None) -> WaitView:
        """Say where the wait stands."""
        now = self._clock()
        granted_per_minute, poll_interval = self._schedule.limit(now) or (None, None)
        polled_at = min((watch.polled_at for watch in self._schedule.unsettled), default=None)
        return WaitView(
            self._watches,
            self._polls,
            now - self._started,
            now,
            self._policy,
            over,
            failure,
            granted_per_minute=granted_per_minute,
            poll_interval=poll_interval,
            oldest_poll_age=None if polled_at is None else now - max(polled_at, self._started),
        )

    def _left(self) -> float:
        return self._deadline - self._clock()

    def _poll(self, *, is_last: bool) -> None:
        for survey in [] if is_last else self._surveys:
            self._read_list(survey)
        # A list that hangs may take until the deadline.
        is_last = is_last or self._left() <= EPSILON
        if is_last:
            self._poll_all_by_id()
        began = self._clock()
        batch = self._schedule.take(began, is_last=is_last)
        if not batch:
            return
        polled = dict(zip(batch, self._probe([watch.ref for watch in batch])))
        now = self._clock()
        late = {
            watch.ref: max(0.0, began - watch.wanted_at)
            for watch, observation in polled.items()
            if watch.wanted_at is not None and is_granted(observation)
        }
        self.record({watch.ref: observation for watch, observation in polled.items()}, now, late)
        self._schedule.plan(polled, began, now, stalls_at=self._stalls_at())

    def _poll_all_by_id(self) -> None:
        """At its end a wait asks for every task by id."""
        for ref in (ref for survey in self._surveys for ref in survey.refs):
            self._by_ref[ref].due = -math.inf
        self._surveys = []

    def _read_list(self, survey: Survey) -> None:
        """Read on in a list, and poll by id what it does not show as running."""
        began = self._clock()
        wanted = self._unsettled(survey)
        while wanted and survey.ready_at(now := self._clock()) <= now + EPSILON and now - began < READING_SECONDS:
            page = survey.read(now, wanted)
            self.record_listed({ref: task for ref, task in page.running.items() if ref in wanted}, self._clock())
            for ref in page.running:
                self._by_ref[ref].due = now + TRUST_SECONDS
            self._poll_soon(page.ended, now)
            if survey.is_given_up:
                self._surveys = [other for other in self._surveys if other is not survey]
                self._poll_soon(wanted, now)
            elif page.is_last:
                self._poll_soon([ref for ref in wanted if self._by_ref[ref].polled_at < survey.began_at], now)
                return

    def _poll_soon(self, refs: t.Iterable[TaskRef], now: float) -> None:
        for ref in refs:
            self._by_ref[ref].due = min(self._by_ref[ref].due, now)

    def record_listed(self, tasks: t.Mapping[TaskRef, Task], now: float) -> None:
        """Take in what a list says of tasks that still run, be it a list of this process or of one that it follows."""
        for ref, task in tasks.items():
            watch = self._by_ref[ref]
            watch.update(watch.completed(task), now, self._policy)
        if tasks:
            self._on_listed(tasks)

    def record(
        self, observations: t.Mapping[TaskRef, Observation], now: float, late: t.Mapping[TaskRef, float]
    ) -> None:
        """Take in what a poll brought, be it a poll of this process or of one that it follows.

        :param late: by how many seconds tasks were polled later than wanted, for want of allowed requests
        """
        credentials_work = any(watch.answered for watch in self._by_ref.values())
        for ref, observation in observations.items():
            self._by_ref[ref].excuse(late.get(ref, 0.0))
            self._by_ref[ref].update(observation, now, self._policy, credentials_work=credentials_work)
        self._schedule.learn(observations, now)
        self._polls += 1
        if self._first_poll_at is None:
            self._first_poll_at = now

    def _next_poll_at(self) -> float:
        now = self._clock()
        moments = [self._schedule.wakes_at(now), *(survey.ready_at(now) for survey in self._surveys)]
        # Whether tasks have stalled that a list should show is found out by id.
        if self._surveys and self._stalls_at() > now:
            moments.append(self._stalls_at())
        return max(min(moments), now)

    def _last_change(self) -> float:
        last_change = self._outcome.last_change()
        if last_change is None:
            return self._started if self._first_poll_at is None else self._first_poll_at
        return last_change

    def _stalls_at(self) -> float:
        """Return when the wait ends if nothing changes until then."""
        if self._policy.stall_timeout is None or self._policy.poll_once:
            return math.inf
        return self._last_change() + self._policy.stall_timeout

    def _has_stalled(self) -> bool:
        moment, now = self._stalls_at() - EPSILON, self._clock()
        if now < moment:
            return False
        # What could not be polled since then, or read in its list, may have changed.
        unread = [
            ref for survey in self._surveys for ref in self._unsettled(survey) if self._by_ref[ref].polled_at < moment
        ]
        self._poll_soon(unread, now)
        return not unread and all(watch.polled_at >= moment for watch in self._schedule.limited)

    def _unsettled(self, survey: Survey) -> set[TaskRef]:
        return {ref for ref in survey.refs if not self._by_ref[ref].settled}


def sleep_any(seconds: float) -> None:
    """Sleep for a time of any length."""
    while seconds > 0:
        time.sleep(min(seconds, LONGEST_SLEEP))
        seconds -= LONGEST_SLEEP


def new_waiter(
    params: t.Mapping[str, t.Any],
    refs: t.Sequence[TaskRef],
    *,
    probe: Probe,
    check_mode: bool = False,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = sleep_any,
    on_update: t.Callable[[WaitView], None] = lambda view: None,
    started: float | None = None,
    open_list: OpenList | None = None,
    on_listed: t.Callable[[t.Mapping[TaskRef, Task]], None] = lambda tasks: None,
) -> Waiter:
    """Build the wait that the options of ``wait_for_task`` ask for; ``started`` is by the clock.

    :raises InputError: a number makes no sense
    """
    return Waiter(
        refs,
        policy_of(params, check_mode=check_mode),
        probe=probe,
        clock=clock,
        sleep=sleep,
        random=random.random,
        on_update=on_update,
        started=started,
        open_list=open_list,
        on_listed=on_listed,
    )
