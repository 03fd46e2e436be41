# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task that is waited for: what polls have brought, and how long trouble with it is borne.

All times are in seconds of the wait's clock.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import math
import typing as t

from ._errors import ApiError, ErrorClass
from ._policy import EPSILON, Policy
from ._task import FAILED_STATES, State, Task, TaskRef

Observation = t.Union[Task, ApiError]

# A gateway hiccup can look like wrong credentials: after a good response, they must be refused this often in a row.
MAX_REJECTIONS = 3
# A task that should have ended by now is polled so many times as often as the others where polls are scarce.
URGENCY = 2.0
# A status may be a counter: so many words of a task are kept that no table lists.
MAX_UNKNOWN_STATUSES = 10


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
        # Whether there were more of them than are kept.
        self.has_more_unknown_statuses = False
        # The first progress that was seen, and when.
        self._first_progress: tuple[int, float] | None = None
        # When to poll next, since when that has been so, and the pause before it.
        self.due = -math.inf
        self.wanted_at: float | None = None
        # How often in a row requests for it were throttled.
        self.refusals = 0
        self.pause = 0.0
        # How much later than wanted the last poll was, for want of allowed requests.
        self.excused = 0.0
        # Whether polling again is of no use.
        self.settled = False

    @property
    def succeeded(self) -> bool:
        return self.task is not None and self.task.state == State.SUCCEEDED

    @property
    def needs_action(self) -> bool:
        return self.task is not None and self.task.state == State.NEEDS_ACTION

    @property
    def failed(self) -> bool:
        """Whether the task has failed, cannot be asked for, or moves no further without a human's approval."""
        has_failed = self.task is not None and self.task.state in FAILED_STATES
        return has_failed or self.needs_action or self.final_error is not None

    def _is_settled(self) -> bool:
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
        if is_granted(observation):
            self.throttled = False
        if isinstance(observation, Task):
            self._update_task(observation, now)
        elif observation.error_class is ErrorClass.THROTTLED:
            self.error, self.throttled = observation, True
        elif observation.error_class is not ErrorClass.NOT_POLLED:
            self._update_error(observation, now, policy, credentials_work=credentials_work)
        self.settled = self._is_settled()

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
            words = list(dict.fromkeys((*self.unknown_statuses, *_unknown_statuses(task))))
            self.unknown_statuses = words[:MAX_UNKNOWN_STATUSES]
            self.has_more_unknown_statuses |= len(words) > MAX_UNKNOWN_STATUSES

    def completed(self, task: Task) -> Task:
        """Return what a list says of this task, with what only the response by id has."""
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


def _unknown_statuses(task: Task) -> list[str]:
    """Return the words that a task's unknown state comes from: its own, or those of its steps.

    An empty one is for the status that the response should have and has not.
    """
    if task.status:
        return [task.status]
    steps = [step.status for step in task.sub_tasks if step.state == State.UNKNOWN and step.status]
    return steps or [""]


def _moves(task: Task) -> tuple[object, ...]:
    """Return what counts as a change of a task."""
    return (task.status, task.progress, tuple((step.status, step.progress) for step in task.sub_tasks))


def is_throttled(observation: Observation) -> bool:
    """Whether the request was refused for the request limit."""
    return isinstance(observation, ApiError) and observation.error_class is ErrorClass.THROTTLED


def is_granted(observation: Observation) -> bool:
    """Whether the request was sent, and was not refused for the request limit."""
    not_granted = (ErrorClass.THROTTLED, ErrorClass.NOT_POLLED)
    return isinstance(observation, Task) or observation.error_class not in not_granted
