# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The waiter: asks until tasks have finished, and decides what trouble means.

It knows neither HTTP nor Ansible. Whoever uses it passes in how to ask (``probe``), the clock and the sleep, so that
it serves the module and the action plugin alike, and tests can script the time. All times are in seconds.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import math
import random
import time
import typing as t

from ._errors import ApiError, ErrorClass, InputError
from ._task import FAILED_STATES, State, Task, TaskRef

Observation = t.Union[Task, ApiError]
# Asks for tasks now, in at most so many seconds (None: as long as one request may take).
Probe = t.Callable[[t.Sequence[TaskRef], t.Optional[float]], t.Sequence[Observation]]

GROWTH = 1.5
# Up to a tenth longer, so that many plays do not ask at the same moment.
JITTER = 0.1
# Huawei's advice on throttling is to wait 2 to 5 seconds; it doubles up to a minute while it goes on.
THROTTLED_PAUSE = (2.0, 5.0)
MAX_THROTTLED_PAUSE = 60.0
# A server that asks for more than this is asked again all the same.
MAX_RETRY_AFTER = 300.0
# Of ``sleep``, so much is rested after a look that took long, as looks do when a server is slow.
LEAST_REST = 0.5
# Sums of floating-point seconds may miss a moment by less than this.
EPSILON = 1e-6

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


def policy_of(params: t.Mapping[str, t.Any], *, check_mode: bool) -> Policy:
    """Return how to wait from the options of the same names. Check mode looks once."""
    names = [field.name for field in dataclasses.fields(Policy) if field.name != "poll_once"]
    return Policy(**{name: params[name] for name in names}, poll_once=check_mode)


class TaskWatch:
    """One task that is waited for, and all that was seen of it."""

    def __init__(self, ref: TaskRef) -> None:
        self.ref = ref
        self.task: Task | None = None
        self.error: ApiError | None = None
        self.final_error: ApiError | None = None
        self.polled_at = -math.inf
        self.changed_at: float | None = None
        self.changed = False
        self.trouble_since: float | None = None
        self.unknown_since: float | None = None
        # Status words that no table lists, in the order in which they came.
        self.unknown_statuses: list[str] = []

    @property
    def succeeded(self) -> bool:
        return self.task is not None and self.task.state in GOOD_STATES

    @property
    def failed(self) -> bool:
        return self.final_error is not None or (self.task is not None and self.task.state in BAD_STATES)

    @property
    def settled(self) -> bool:
        """Whether asking again is of no use."""
        return self.succeeded or self.failed

    @property
    def finished(self) -> bool:
        """Whether the cloud's task has ended, well or badly."""
        return self.task is not None and self.task.finished

    @property
    def in_trouble(self) -> bool:
        """Whether there was an error since the last good answer."""
        return self.trouble_since is not None or self.unknown_since is not None

    def note(self, observation: Observation, now: float, policy: Policy) -> None:
        """Take in what a look brought."""
        self.changed = False
        if isinstance(observation, Task):
            self.polled_at = now
            self._note_task(observation, now)
            return
        self.error = observation
        if observation.error_class is ErrorClass.NOT_POLLED:
            return
        self.polled_at = now
        if observation.error_class in (ErrorClass.TRANSIENT, ErrorClass.THROTTLED):
            self.trouble_since = now if self.trouble_since is None else self.trouble_since
            is_final = now - self.trouble_since >= policy.error_grace - EPSILON
        elif observation.error_class is ErrorClass.NOT_FOUND:
            self.trouble_since = None
            self.unknown_since = now if self.unknown_since is None else self.unknown_since
            is_final = now - self.unknown_since >= policy.not_found_grace - EPSILON
        else:
            is_final = True
        if is_final:
            self.final_error = observation

    def _note_task(self, task: Task, now: float) -> None:
        self.trouble_since = self.unknown_since = None
        self.changed = self.task is None or _moves(self.task) != _moves(task)
        if self.changed:
            self.changed_at = now
        self.task = task
        if task.state == State.UNKNOWN:
            self.unknown_statuses += [word for word in _words(task) if word not in self.unknown_statuses]

    def deadlines(self, policy: Policy) -> list[float]:
        """Return the moments at which patience with this task's trouble ends."""
        graces = ((self.trouble_since, policy.error_grace), (self.unknown_since, policy.not_found_grace))
        return [since + grace for since, grace in graces if since is not None]


def _words(task: Task) -> list[str]:
    """Return the words that a task's unknown state comes from: its own, or those of its steps."""
    steps = [step.status for step in task.sub_tasks if step.state == State.UNKNOWN]
    return [word for word in ([task.status] if task.status else steps) if word]


def _moves(task: Task) -> tuple[t.Any, ...]:
    """Return what counts as a change of a task."""
    return (task.status, task.progress, tuple((step.status, step.progress) for step in task.sub_tasks))


class Backoff:
    """How long to pause between looks."""

    def __init__(self, policy: Policy, random: t.Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._pause = 0.0
        self._throttles = 0

    def next(self, watches: t.Sequence[TaskWatch]) -> float:
        """Return the pause after a look, before anything cuts it short.

        ``watches`` are those that were asked for in this look.
        """
        if self._pause == 0 or any(watch.changed for watch in watches):
            self._pause = self._policy.sleep
        else:
            self._pause = min(self._pause * GROWTH, max(self._policy.sleep, self._policy.max_sleep))
        pause = min(self._pause, self._until_an_end(watches))
        return pause * (1 + JITTER * self._random())

    def _until_an_end(self, watches: t.Sequence[TaskWatch]) -> float:
        ends = [
            watch.task.remaining_seconds
            for watch in watches
            if watch.task and not (watch.settled or watch.in_trouble) and watch.task.remaining_seconds is not None
        ]
        return max(self._policy.sleep, min(ends, default=math.inf))

    def requested_pause(self, watches: t.Sequence[TaskWatch]) -> float:
        """Return the pause that the server asks for by its errors; 0 where it asks for none."""
        errors = [watch.error for watch in watches if watch.error and watch.trouble_since is not None]
        retry_after = max((error.retry_after or 0.0 for error in errors), default=0.0)
        if not any(error.throttled for error in errors):
            self._throttles = 0
        elif not retry_after:
            low, high = THROTTLED_PAUSE
            first = low + (high - low) * self._random()
            self._throttles += 1
            return min(first * 2.0 ** min(self._throttles - 1, 10), MAX_THROTTLED_PAUSE)
        return min(retry_after, MAX_RETRY_AFTER)


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a wait failed. ``watch`` is the task that it failed for, None where it is all of them."""

    kind: str
    message: str
    code: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    watch: TaskWatch | None = None

    def to_dict(self) -> dict[str, t.Any]:
        """Return it as the value ``failure`` of a result."""
        return {
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
            "http_status": self.http_status,
            "request_id": self.request_id,
        }


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Where a wait stands: after a look, or at its end. ``watches`` are in the order given."""

    watches: t.Sequence[TaskWatch]
    polls: int
    elapsed: float
    now: float
    policy: Policy
    over: bool = False
    failure: Failure | None = None


class Waiter:
    """One wait for many tasks on one clock. The same task given twice is one question."""

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
    ) -> None:
        """``started`` is when the wait began by the clock; None is now."""
        policy.check()
        self._policy = policy
        self._probe = probe
        self._clock = clock
        self._sleep = sleep
        self._on_update = on_update
        self._backoff = Backoff(policy, random)
        self._by_ref = {ref: TaskWatch(ref) for ref in refs}
        self._watches = [self._by_ref[ref] for ref in refs]
        self._polls = 0
        self._started = clock() if started is None else started
        self._first_poll_at: float | None = None
        self._poll_began = self._started

    @property
    def refs(self) -> list[TaskRef]:
        """The tasks that are waited for, each once."""
        return list(self._by_ref)

    def run(self) -> Snapshot:
        """Wait; the result says by its ``failure`` whether what was required has come true."""
        if not self._watches:
            return self.snapshot(over=True)
        if not self._policy.poll_once:
            self._rest(min(self._policy.delay, self._policy.timeout))
        while True:
            is_last = self._left() <= EPSILON
            action = self._poll()
            is_over, failure = self._verdict()
            # A look that took until the deadline was the last one.
            if not is_over and (is_last or self._left() <= EPSILON or self._policy.poll_once):
                is_over, failure = True, None if self._policy.poll_once else self._out_of_time()
            snapshot = self.snapshot(over=is_over, failure=failure)
            self._on_update(snapshot)
            if is_over:
                return snapshot
            self._rest(self._next_pause(action))

    def snapshot(self, *, over: bool = False, failure: Failure | None = None) -> Snapshot:
        """Say where the wait stands."""
        now = self._clock()
        return Snapshot(self._watches, self._polls, now - self._started, now, self._policy, over, failure)

    def _left(self) -> float:
        return self._policy.timeout - (self._clock() - self._started)

    def _rest(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _poll(self) -> list[TaskWatch]:
        # A look may end before a slow server has answered for all: whose turn is longest ago is first.
        action = sorted(
            (watch for watch in self._by_ref.values() if not watch.settled), key=lambda watch: watch.polled_at
        )
        self._poll_began = self._clock()
        left = self._left()
        observations = self._probe([watch.ref for watch in action], left if left > EPSILON else None)
        now = self._clock()
        self.record(dict(zip((watch.ref for watch in action), observations)), now)
        return action

    def record(self, observations: t.Mapping[TaskRef, Observation], now: float) -> None:
        """Take in what a poll brought, be it a poll of this process or of one that it follows."""
        for ref, observation in observations.items():
            self._by_ref[ref].note(observation, now, self._policy)
        self._polls += 1
        if self._first_poll_at is None:
            self._first_poll_at = now

    def _verdict(self) -> tuple[bool, Failure | None]:
        """Say whether the wait is over, and if so whether it failed."""
        watches = self._by_ref.values()
        bad = next((watch for watch in watches if watch.failed), None)
        good = [watch for watch in watches if watch.succeeded]
        if self._policy.require == "any" and good:
            return True, None
        if len(good) == len(watches):
            return True, None
        is_hopeless = self._policy.fail_fast and self._policy.require == "all"
        if bad and (is_hopeless or all(watch.settled for watch in watches)):
            return True, _failure_of(bad)
        if self._has_stalled():
            return True, self._stalled()
        return False, None

    def _known_failure(self) -> Failure | None:
        """Return a failure that is known by now, with fail_fast off: it outweighs what ends the wait."""
        bad = next((watch for watch in self._watches if watch.failed), None)
        return _failure_of(bad) if bad and self._policy.require == "all" else None

    def _last_change(self) -> float:
        changes = [watch.changed_at for watch in self._watches if watch.changed_at is not None]
        return max(changes, default=self._started if self._first_poll_at is None else self._first_poll_at)

    def _has_stalled(self) -> bool:
        if self._policy.stall_timeout is None or self._policy.poll_once:
            return False
        return self._clock() - self._last_change() >= self._policy.stall_timeout - EPSILON

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
        """Add what the last error says, of a task that is in trouble now."""
        error = next((watch.error for watch in self._watches if watch.in_trouble and not watch.settled), None)
        if error is None:
            return Failure(kind, message)
        return Failure(kind, message, error.code, error.http_status, error.request_id)

    def _next_pause(self, action: t.Sequence[TaskWatch]) -> float:
        now = self._clock()
        # From one look's beginning to the next one's: many tasks, which take a look long, are not seen later for it.
        took = now - self._poll_began
        least = self._policy.sleep - min(took, self._policy.sleep * LEAST_REST)
        deadlines = [end for watch in action if not watch.settled for end in watch.deadlines(self._policy)]
        if self._policy.stall_timeout is not None:
            deadlines.append(self._last_change() + self._policy.stall_timeout)
        ahead = [boundary - now for boundary in deadlines if boundary > now + EPSILON]
        pause = max(min(self._backoff.next(action) - took, *ahead, math.inf), least)
        pause = max(pause, self._backoff.requested_pause(action))
        left = self._left()
        # The last look is at the deadline, and not sooner than ``sleep`` after the one before it.
        return max(left, 0.0) if left - pause < self._policy.sleep else pause


def new_waiter(
    params: t.Mapping[str, t.Any],
    refs: t.Sequence[TaskRef],
    *,
    probe: Probe,
    check_mode: bool = False,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
    on_update: t.Callable[[Snapshot], None] = lambda snapshot: None,
    started: float | None = None,
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
    )


def _failure_of(watch: TaskWatch) -> Failure:
    error = watch.final_error
    if error is not None:
        return Failure(error.kind, error.message, error.code, error.http_status, error.request_id, watch)
    task = t.cast(Task, watch.task)
    kind = "needs_action" if task.state == State.NEEDS_ACTION else "task_failed"
    return Failure(kind, task.fail_reason or f"the task's status is {task.status}", watch=watch)
