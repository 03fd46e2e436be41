# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The waiter: polls until tasks have finished, and decides what trouble means.

It knows neither HTTP nor Ansible. Whoever uses it passes in how to poll (``probe``), the clock and the sleep, so that
it serves the module and the action plugin alike, and tests can script the time. All times are in seconds.

As long as nothing is throttled all tasks are polled together. The tasks of an API that refuses requests are polled a
few at a time, as its pacer allows.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
import typing as t

from ._custom import CUSTOM
from ._errors import ApiError, ErrorClass, InputError
from ._errors import Failure as RequestFailure
from ._pacing import MAX_RETRY_AFTER, TICK, Pacer, told_rate
from ._survey import TRUST_SECONDS, OpenList, Survey, list_of, new_survey
from ._task import FAILED_STATES, State, Task, TaskRef

Observation = t.Union[Task, ApiError]
# Polls tasks now. After the first throttled response it leaves out the rest, as NOT_POLLED.
Probe = t.Callable[[t.Sequence[TaskRef]], t.Sequence[Observation]]

GROWTH = 1.5
# Up to a tenth longer, so that many plays do not poll at the same moment.
JITTER = 0.1
# The minimum pause after a slow poll, as a share of ``sleep``.
LEAST_REST = 0.5
# A gateway's bad minute looks like wrong credentials: after a good response these must be refused so often in a row.
MAX_REJECTIONS = 3
# A task that should have ended by now is polled so many times as often as the others where polls are scarce.
URGENCY = 2.0
# Sums of floating-point seconds may miss a moment by less than this.
EPSILON = 1e-6
# A list is read for so long before tasks are polled by id again.
READING_SECONDS = 2.0
# time.sleep refuses some 292 years and more.
LONGEST_SLEEP = 86400.0

GOOD_STATES = frozenset((State.SUCCEEDED,))
# A task that needs a human's approval moves no further by itself.
BAD_STATES = FAILED_STATES | {State.NEEDS_ACTION}


@dataclasses.dataclass(frozen=True)
class Policy:
    """How to wait; the options of ``wait_for_task`` say what each field means."""

    timeout: float = 3600.0
    delay: float = 0.0
    sleep: float = 5.0
    max_sleep: float = 30.0
    stall_timeout: float | None = None
    not_found_grace: float = 60.0
    error_grace: float = 300.0
    require: str = "all"
    fail_fast: bool = True
    poll_once: bool = False

    def check(self) -> None:
        """:raises InputError: a number makes no sense"""
        for name in ("timeout", "delay", "sleep", "max_sleep", "stall_timeout", "not_found_grace", "error_grace"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} must be a number of seconds that is not negative.")
        if self.sleep <= 0:
            raise InputError("sleep must be more than 0 seconds.")

    @property
    def ends_at_first_failure(self) -> bool:
        return self.fail_fast and self.require == "all"


def policy_of(params: t.Mapping[str, t.Any], *, check_mode: bool) -> Policy:
    """Return how to wait from the options of the same names. Check mode polls once."""
    names = [field.name for field in dataclasses.fields(Policy) if field.name != "poll_once"]
    return Policy(**{name: params[name] for name in names}, poll_once=check_mode)


class TaskWatch:
    """One task that is waited for, and all that was seen of it.

    :param approval_awaited: whether a task that needs a human's approval is polled on
    """

    def __init__(self, ref: TaskRef, *, approval_awaited: bool = False) -> None:
        self.ref = ref
        self._approval_awaited = approval_awaited
        self.task: Task | None = None
        self.error: ApiError | None = None
        self.final_error: ApiError | None = None
        # The last poll that was neither left out nor throttled.
        self.polled_at = -math.inf
        self.changed_at: float | None = None
        self.changed = False
        self.trouble_since: float | None = None
        self.unknown_since: float | None = None
        # Whether the API has said anything about this task, be it that it knows none.
        self.answered = False
        self._rejections = 0
        # Whether the last poll was refused for the request limit.
        self.throttled = False
        # Status words that no table lists, in the order in which they came.
        self.unknown_statuses: list[str] = []
        # The first progress that was seen, and when.
        self._first_progress: tuple[int, float] | None = None
        # When to poll next, since when that has been so, and the pause before it.
        self.due = -math.inf
        self.wanted_at: float | None = None
        self.pause = 0.0
        # How much later than wanted the last poll was, for want of allowed requests.
        self.excused = 0.0

    @property
    def succeeded(self) -> bool:
        return self.task is not None and self.task.state in GOOD_STATES

    @property
    def needs_action(self) -> bool:
        return self.task is not None and self.task.state == State.NEEDS_ACTION

    @property
    def failed(self) -> bool:
        return self.final_error is not None or (self.task is not None and self.task.state in BAD_STATES)

    @property
    def settled(self) -> bool:
        """Whether polling again is of no use."""
        if self.final_error is None and self.needs_action:
            return not self._approval_awaited
        return self.succeeded or self.failed

    @property
    def finished(self) -> bool:
        """Whether the cloud's task has ended, well or badly."""
        return self.task is not None and self.task.finished

    @property
    def in_trouble(self) -> bool:
        """Whether there was an error since the last good response."""
        return self.trouble_since is not None or self.unknown_since is not None

    def update(self, observation: Observation, now: float, policy: Policy, *, credentials_work: bool = False) -> None:
        """Take in what a poll brought.

        :param credentials_work: whether the same credentials were good for another task before this poll
        """
        self.changed = False
        if _is_granted(observation):
            self.throttled = False
        if isinstance(observation, Task):
            self._update_task(observation, now)
        elif observation.error_class is ErrorClass.THROTTLED:
            self.error, self.throttled = observation, True
        elif observation.error_class is not ErrorClass.NOT_POLLED:
            self._update_error(observation, now, policy, credentials_work=credentials_work)

    def _update_error(self, error: ApiError, now: float, policy: Policy, *, credentials_work: bool) -> None:
        self.error = error
        self.polled_at = now
        if error.error_class is ErrorClass.NOT_FOUND:
            self._rejections, self.trouble_since, self.answered = 0, None, True
            self.unknown_since = now if self.unknown_since is None else self.unknown_since
            is_final = now - self.unknown_since >= policy.not_found_grace - EPSILON
        else:
            self.trouble_since = now if self.trouble_since is None else self.trouble_since
            if error.error_class is ErrorClass.TRANSIENT:
                is_final = now - self.trouble_since >= policy.error_grace - EPSILON
            else:
                is_final = self._is_rejected(error, credentials_work=credentials_work)
        if is_final:
            self.final_error = error

    def _is_rejected(self, error: ApiError, *, credentials_work: bool) -> bool:
        self._rejections += 1
        was_good = self.answered or (credentials_work and error.error_class is ErrorClass.UNAUTHORIZED)
        return not was_good or self._rejections >= MAX_REJECTIONS

    def _update_task(self, task: Task, now: float) -> None:
        self.polled_at = now
        self._rejections, self.answered = 0, True
        self.trouble_since = self.unknown_since = None
        self.changed = self.task is None or _moves(self.task) != _moves(task)
        if self.changed:
            self.changed_at = now
        if self._first_progress is None and task.progress is not None:
            self._first_progress = (task.progress, now)
        self.task = task
        if task.state == State.UNKNOWN:
            self.unknown_statuses += [word for word in _words(task) if word not in self.unknown_statuses]

    def completed(self, task: Task) -> Task:
        """Return what a list says of this task, with what only the answer by id has."""
        if self.task is None:
            return task
        return task._replace(details=self.task.details, sub_tasks=task.sub_tasks or self.task.sub_tasks)

    def deadlines(self, policy: Policy) -> list[float]:
        """Return the moments at which patience with this task's trouble ends."""
        graces = ((self.trouble_since, policy.error_grace), (self.unknown_since, policy.not_found_grace))
        return [since + grace for since, grace in graces if since is not None]

    def excuse(self, seconds: float) -> None:
        """Leave out of the graces a time in which the task could not be polled for want of allowed requests."""
        self.excused = seconds
        if self.trouble_since is not None:
            self.trouble_since += seconds
        if self.unknown_since is not None:
            self.unknown_since += seconds

    def urgency(self, now: float) -> float:
        """Return how much a poll is needed: the seconds since the last one, more for a task that should have ended."""
        end = self._expected_end()
        return (now - self.polled_at) * (URGENCY if end is not None and end <= now else 1.0)

    def _expected_end(self) -> float | None:
        """Return when the task ends by what the API says, or at the speed of its progress."""
        if self.task is None or self.changed_at is None or self.in_trouble:
            return None
        if self.task.remaining_seconds is not None:
            return self.polled_at + self.task.remaining_seconds
        if self._first_progress is None or self.task.progress is None:
            return None
        progress, since = self._first_progress
        done, took = self.task.progress - progress, self.changed_at - since
        return self.changed_at + (100 - self.task.progress) * took / done if done > 0 else None


def _words(task: Task) -> list[str]:
    """Return the words that a task's unknown state comes from: its own, or those of its steps.

    An empty one is for the status that a play's own API should have and has not.
    """
    if task.status is None and task.service == CUSTOM:
        return [""]
    steps = [step.status for step in task.sub_tasks if step.state == State.UNKNOWN]
    return [word for word in ([task.status] if task.status else steps) if word]


def _moves(task: Task) -> tuple[t.Any, ...]:
    """Return what counts as a change of a task."""
    return (task.status, task.progress, tuple((step.status, step.progress) for step in task.sub_tasks))


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
        allowed = self.pacer.allowance(now)
        if is_last:
            return due[: max(allowed, 1)] if self.pacer.limited else due
        return due[:allowed]

    def wakes_at(self, now: float, deadline: float) -> float:
        """Return when to poll next, not earlier than the server asked for and the deadline at the latest."""
        due = min((watch.due for watch in self.unsettled), default=math.inf)
        wakes_at = max(due, self.pacer.ready_at(now))
        # The last poll is at the deadline, and not sooner than ``sleep`` after the one before it.
        is_near = not self.pacer.limited and deadline - wakes_at < self._policy.sleep and wakes_at > now + TICK
        return deadline if is_near else min(wakes_at, deadline)

    def learn(self, observations: t.Sequence[Observation], now: float) -> None:
        """Tell the pacer what was granted and refused."""
        errors = [each for each in observations if isinstance(each, ApiError)]
        refusals = [error for error in errors if _is_throttled(error)]
        self.pacer.update(
            now,
            granted=sum(_is_granted(each) for each in observations),
            refused=bool(refusals),
            retry_after=max((error.retry_after or 0.0 for error in refusals), default=0.0),
            told=next((rate for rate in (told_rate(error.message) for error in refusals) if rate), None),
        )
        pause = max((error.retry_after or 0.0 for error in errors), default=0.0)
        if pause:
            self.pacer.hold(now + min(pause, MAX_RETRY_AFTER))

    def interval(self, now: float) -> float:
        """Return the seconds between two polls of a task where the limit dictates them, otherwise 0."""
        interval = len(self.unsettled) / self.pacer.granted_rate(now) if self.pacer.limited else 0.0
        return interval if interval > self._policy.sleep + EPSILON or self.pacer.is_refused else 0.0


@dataclasses.dataclass(frozen=True)
class Failure(RequestFailure):
    """Why a wait failed. ``watch`` is the task that it failed for, None where it is all of them."""

    watch: TaskWatch | None = None


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Where a wait stands: after a poll, or at its end. ``watches`` are in the order given.

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
    failure: Failure | None = None
    granted_per_minute: float | None = None
    poll_interval: float | None = None
    oldest_poll_age: float | None = None


def _is_throttled(observation: Observation) -> bool:
    return isinstance(observation, ApiError) and observation.error_class is ErrorClass.THROTTLED


def _is_granted(observation: Observation) -> bool:
    """Whether the request was sent, and was not refused for the request limit."""
    not_granted = (ErrorClass.THROTTLED, ErrorClass.NOT_POLLED)
    return isinstance(observation, Task) or observation.error_class not in not_granted


def lane_of(ref: TaskRef) -> t.Hashable:
    """Return what shares one request limit: the API, and where it is."""
    return (ref.service, ref.region, ref.project_id, ref.endpoint)


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
        on_update: t.Callable[[Snapshot], None] = lambda snapshot: None,
        started: float | None = None,
        key: t.Callable[[TaskRef], t.Hashable] = lane_of,
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
        self._backoff = Backoff(policy, random)
        self._by_ref = {ref: TaskWatch(ref, approval_awaited=not policy.ends_at_first_failure) for ref in refs}
        self._watches = [self._by_ref[ref] for ref in refs]
        self._lane_by_ref = self._lanes_of(key, random)
        self._lanes = list(dict.fromkeys(self._lane_by_ref.values()))
        # What was polled since the last common pause, and since when.
        self._round: list[TaskWatch] = []
        self._round_began = 0.0
        self._polls, self._started = 0, clock() if started is None else started
        self._first_poll_at: float | None = None
        self._surveys = self._surveys_of(open_list, random) if open_list else []
        # How the wait has ended.
        self.end: Snapshot | None = None

    def _lanes_of(self, key: t.Callable[[TaskRef], t.Hashable], random: t.Callable[[], float]) -> dict[TaskRef, Lane]:
        watches: dict[t.Hashable, list[TaskWatch]] = {}
        for ref, watch in self._by_ref.items():
            watches.setdefault(key(ref), []).append(watch)
        lanes = {each: Lane(those, self._policy, random) for each, those in watches.items()}
        return {ref: lanes[key(ref)] for ref in self._by_ref}

    def _surveys_of(self, open_list: OpenList, random: t.Callable[[], float]) -> list[Survey]:
        if self._policy.poll_once or self._policy.timeout == 0:
            return []
        groups: dict[t.Hashable, list[TaskRef]] = {}
        for ref in self._by_ref:
            groups.setdefault(list_of(ref), []).append(ref)
        pauses = (self._policy.sleep, max(self._policy.sleep, self._policy.max_sleep))
        made = (new_survey(refs, open_list, pauses=pauses, random=random) for refs in groups.values())
        surveys = [survey for survey in made if survey]
        for ref in (ref for survey in surveys for ref in survey.refs):
            self._by_ref[ref].due = math.inf
        return surveys

    @property
    def refs(self) -> list[TaskRef]:
        """The tasks that are waited for, each once."""
        return list(self._by_ref)

    def run(self) -> Snapshot:
        """Wait; the result says by its ``failure`` whether what was required has come true."""
        for seconds in self.pauses():
            self._sleep(seconds)
        return t.cast(Snapshot, self.end)

    def pauses(self) -> t.Iterator[float]:
        """Wait, and leave each pause to the caller: the seconds until the next poll."""
        if not self._watches:
            self.end = self.snapshot(over=True)
            return
        delay = 0.0 if self._policy.poll_once else min(self._policy.delay, self._policy.timeout)
        if delay > 0:
            yield delay
        while not self._poll_and_report():
            pause = self._next_poll_at() - self._clock()
            if pause > 0:
                yield pause

    def _poll_and_report(self) -> bool:
        """Poll what is due; say whether that was the end."""
        is_last = self._left() <= EPSILON or self._policy.poll_once
        self._poll(is_last=is_last)
        is_over, failure = self._verdict()
        # A poll that took until the deadline was the last one.
        if not is_over and (is_last or self._left() <= EPSILON):
            is_over, failure = True, None if self._policy.poll_once else self._out_of_time()
        snapshot = self.snapshot(over=is_over, failure=failure)
        self.end = snapshot if is_over else None
        self._on_update(snapshot)
        return is_over

    def snapshot(self, *, over: bool = False, failure: Failure | None = None) -> Snapshot:
        """Say where the wait stands."""
        now = self._clock()
        slowest = max(self._lanes, key=lambda lane: lane.interval(now), default=None)
        interval = slowest.interval(now) if slowest else 0.0
        polled_at = min((watch.polled_at for lane in self._lanes for watch in lane.unsettled), default=None)
        return Snapshot(
            self._watches,
            self._polls,
            now - self._started,
            now,
            self._policy,
            over,
            failure,
            granted_per_minute=60 * slowest.pacer.granted_rate(now) if slowest and interval else None,
            poll_interval=interval or None,
            oldest_poll_age=None if polled_at is None else now - max(polled_at, self._started),
        )

    def _deadline(self) -> float:
        return self._started + self._policy.timeout

    def _left(self) -> float:
        return self._deadline() - self._clock()

    def _poll(self, *, is_last: bool) -> None:
        for survey in [] if is_last else self._surveys:
            self._read_list(survey)
        # A list that hangs may take until the deadline.
        is_last = is_last or self._left() <= EPSILON
        if is_last:
            self._poll_all_by_id()
        began = self._clock()
        batch = [watch for lane in self._lanes for watch in lane.take(began, is_last=is_last)]
        if not batch:
            return
        observations = self._probe([watch.ref for watch in batch])
        now = self._clock()
        late = {
            watch.ref: max(0.0, began - watch.wanted_at)
            for watch, observation in zip(batch, observations)
            if watch.wanted_at is not None and _is_granted(observation)
        }
        self.record(dict(zip((watch.ref for watch in batch), observations)), now, late)
        self._schedule(batch, observations, began, now)

    def _poll_all_by_id(self) -> None:
        """At its end a wait asks for every task by id."""
        for ref in (ref for survey in self._surveys for ref in survey.refs):
            self._by_ref[ref].due = -math.inf
        self._surveys = []

    def _read_list(self, survey: Survey) -> None:
        """Read on in a list, and poll by id what it does not show as running."""
        began = self._clock()
        wanted = {ref for ref in survey.refs if not self._by_ref[ref].settled}
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
        by_lane: dict[Lane, list[Observation]] = {}
        for ref, observation in observations.items():
            self._by_ref[ref].excuse(late.get(ref, 0.0))
            self._by_ref[ref].update(observation, now, self._policy, credentials_work=credentials_work)
            by_lane.setdefault(self._lane_by_ref[ref], []).append(observation)
        for lane, those in by_lane.items():
            lane.learn(those, now)
        if any(self._by_ref[ref].settled for ref in observations):
            for lane in by_lane:
                lane.unsettled = [watch for watch in lane.unsettled if not watch.settled]
        self._polls += 1
        if self._first_poll_at is None:
            self._first_poll_at = now

    # When to poll next

    def _schedule(
        self, batch: t.Sequence[TaskWatch], observations: t.Sequence[Observation], began: float, now: float
    ) -> None:
        if not self._round:
            self._round_began = began
        for watch, observation in zip(batch, observations):
            if not self._lane_by_ref[watch.ref].pacer.limited:
                watch.due = math.inf
                self._round.append(watch)
            elif _is_granted(observation):
                self._schedule_alone(watch, began, now)
            elif _is_throttled(observation):
                watch.wanted_at = began if watch.wanted_at is None else watch.wanted_at
                watch.due = self._by_deadline(now + self._backoff.shortest())
        self._leave_round(now)
        if self._round and not any(lane.goes_on(now) for lane in self._lanes):
            self._schedule_round(now)

    def _leave_round(self, now: float) -> None:
        """Take out of the round the tasks of an API that has refused a request meanwhile."""
        for watch in self._round:
            if self._lane_by_ref[watch.ref].pacer.limited:
                self._schedule_alone(watch, self._round_began, now)
        self._round = [watch for watch in self._round if not self._lane_by_ref[watch.ref].pacer.limited]

    def _schedule_round(self, now: float) -> None:
        took = now - self._round_began
        pause = self._backoff.common(self._round) - took
        deadlines = [end for watch in self._round if not watch.settled for end in watch.deadlines(self._policy)]
        due = self._due(pause, took, deadlines, now)
        for watch in self._round:
            watch.due, watch.wanted_at = due, None
        self._round = []

    def _schedule_alone(self, watch: TaskWatch, began: float, now: float) -> None:
        took = now - began
        pause = self._backoff.single(watch) - took
        watch.due = watch.wanted_at = self._due(pause, took, watch.deadlines(self._policy), now)

    def _due(self, pause: float, took: float, deadlines: t.Sequence[float], now: float) -> float:
        """Return when to poll again: after a pause, when patience ends, or at the deadline."""
        # From one poll's beginning to the next one's: many tasks, which take a poll long, are not seen later for it.
        least = self._policy.sleep - min(took, self._policy.sleep * LEAST_REST)
        stall = [] if self._policy.stall_timeout is None else [self._last_change() + self._policy.stall_timeout]
        ahead = [end - now for end in (*deadlines, *stall) if end > now + EPSILON]
        return self._by_deadline(now + max(min(pause, *ahead, math.inf), least))

    def _by_deadline(self, due: float) -> float:
        """The last poll is at the deadline, and not sooner than ``sleep`` after the one before it."""
        return self._deadline() if self._deadline() - due < self._policy.sleep - EPSILON else due

    def _next_poll_at(self) -> float:
        now = self._clock()
        wakes_at = min((lane.wakes_at(now, self._deadline()) for lane in self._lanes), default=self._deadline())
        lists_at = min((survey.ready_at(now) for survey in self._surveys), default=math.inf)
        return max(min(wakes_at, lists_at), now)

    # How it ends

    def _verdict(self) -> tuple[bool, Failure | None]:
        """Say whether the wait is over, and if so whether it failed."""
        unsettled = [watch for lane in self._lanes for watch in lane.unsettled]
        is_hopeless = all(watch.needs_action for watch in unsettled)
        if is_hopeless or len(unsettled) < len(self._by_ref):
            good = [watch for watch in self._by_ref.values() if watch.succeeded]
            if (self._policy.require == "any" and good) or len(good) == len(self._by_ref):
                return True, None
            bad = self._first_bad()
            if bad and (self._policy.ends_at_first_failure or is_hopeless):
                return True, _failure_of(bad)
        if self._has_stalled():
            return True, self._stalled()
        return False, None

    def _first_bad(self) -> TaskWatch | None:
        """Return what a wait failed for. Where one success is enough, an approval may still bring it."""
        bad = [watch for watch in self._watches if watch.failed]
        if self._policy.require == "any":
            bad.sort(key=lambda watch: not watch.needs_action)
        elif not self._policy.fail_fast:
            bad.sort(key=lambda watch: watch.needs_action)
        return bad[0] if bad else None

    def _known_failure(self) -> Failure | None:
        """Return a failure that is known by now, with fail_fast off: it outweighs what ends the wait."""
        bad = next((watch for watch in self._watches if watch.failed and watch.settled), None)
        return _failure_of(bad) if bad and self._policy.require == "all" else None

    def _last_change(self) -> float:
        changes = [watch.changed_at for watch in self._watches if watch.changed_at is not None]
        return max(changes, default=self._started if self._first_poll_at is None else self._first_poll_at)

    def _has_stalled(self) -> bool:
        if self._policy.stall_timeout is None or self._policy.poll_once:
            return False
        moment = self._last_change() + self._policy.stall_timeout - EPSILON
        # What could not be polled since then may have changed.
        unpolled = (watch for lane in self._lanes if lane.pacer.limited for watch in lane.unsettled)
        return self._clock() >= moment and all(watch.polled_at >= moment for watch in unpolled)

    def _stalled(self) -> Failure:
        seconds = self._clock() - self._last_change()
        return self._known_failure() or self._with_last_error(
            "stalled", f"no task's status or progress has changed for {seconds:.0f} s"
        )

    def _out_of_time(self) -> Failure:
        return self._known_failure() or self._with_last_error(
            "timeout", f"the wait ran out after {self._clock() - self._started:.0f} s"
        )

    def _with_last_error(self, kind: str, message: str) -> Failure:
        """Add what the last error says, of a task that is in trouble now or could not be polled."""
        unsettled = [watch for watch in self._watches if not watch.settled]
        troubled = [watch for watch in unsettled if watch.in_trouble] or [each for each in unsettled if each.throttled]
        error = troubled[0].error if troubled else None
        if error is None:
            return Failure(kind, message)
        return Failure(kind, message, error.code, error.http_status, error.request_id)


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
    on_update: t.Callable[[Snapshot], None] = lambda snapshot: None,
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


def _failure_of(watch: TaskWatch) -> Failure:
    error = watch.final_error
    if error is not None:
        return Failure(error.kind, error.message, error.code, error.http_status, error.request_id, watch)
    task = t.cast(Task, watch.task)
    kind = "needs_action" if task.state == State.NEEDS_ACTION else "task_failed"
    message = task.fail_reason or f"the task's status is {task.status}"
    return Failure(kind=kind, message=message, watch=watch)
