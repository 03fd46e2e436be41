# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a wait ends: with what was required, with the failure of a task, with a stall or with the timeout.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._errors import Failure
from ._policy import Policy
from ._task import State, Task
from ._task_watch import TaskWatch


@dataclasses.dataclass(frozen=True)
class WaitFailure(Failure):
    """Why a wait failed. ``watch`` is the task that it failed for, None where it is all of them."""

    watch: TaskWatch | None = None


class Outcome:
    """Decides how a wait for some tasks ends; the first of them that failed is the one that it fails for."""

    def __init__(self, watches: t.Sequence[TaskWatch], policy: Policy) -> None:
        self._watches = watches
        self._policy = policy

    def decided(self, unsettled: t.Sequence[TaskWatch]) -> tuple[bool, WaitFailure | None]:
        """Say whether the tasks have decided the wait, and if so whether it failed."""
        is_hopeless = all(watch.needs_action for watch in unsettled)
        if is_hopeless or len(unsettled) < len(self._watches):
            good = sum(watch.succeeded for watch in self._watches)
            if good == len(self._watches) or (good and self._policy.require == "any"):
                return True, None
            bad = self._first_bad()
            if bad and (self._policy.ends_at_first_failure or is_hopeless):
                return True, _failure_of(bad)
        return False, None

    def _first_bad(self) -> TaskWatch | None:
        """Return what a wait failed for. Where one success is enough, an approval may still bring it."""
        bad = [watch for watch in self._watches if watch.failed]
        if self._policy.require == "any":
            bad.sort(key=lambda watch: not watch.needs_action)
        elif not self._policy.fail_fast:
            bad.sort(key=lambda watch: watch.needs_action)
        return bad[0] if bad else None

    def _known_failure(self) -> WaitFailure | None:
        """Return a failure that is known by now, with fail_fast off: it outweighs what ends the wait."""
        bad = next((watch for watch in self._watches if watch.failed and watch.settled), None)
        return _failure_of(bad) if bad and self._policy.require == "all" else None

    def last_change(self) -> float | None:
        """Return when a status or progress changed last; None where no task was ever seen."""
        changes = [watch.changed_at for watch in self._watches if watch.changed_at is not None]
        return max(changes, default=None)

    def stalled(self, seconds: float) -> WaitFailure:
        """Return why a wait failed in which nothing has changed for some seconds."""
        return self._known_failure() or self._with_last_error(
            "stalled", f"no task's status or progress has changed for {seconds:.0f} s"
        )

    def timed_out(self, seconds: float) -> WaitFailure:
        """Return why a wait failed that had only so many seconds."""
        return self._known_failure() or self._with_last_error("timeout", f"the wait timed out after {seconds:.0f} s")

    def _with_last_error(self, kind: str, message: str) -> WaitFailure:
        """Add what the last error says, of a task that is in trouble now or could not be polled."""
        unsettled = [watch for watch in self._watches if not watch.settled]
        troubled = [watch for watch in unsettled if watch.in_trouble] or [each for each in unsettled if each.throttled]
        error = troubled[0].error if troubled else None
        if error is None:
            return WaitFailure(kind, message)
        return WaitFailure(kind, message, error.code, error.http_status, error.request_id)


def _failure_of(watch: TaskWatch) -> WaitFailure:
    error = watch.final_error
    if error is not None:
        return WaitFailure(error.kind, error.message, error.code, error.http_status, error.request_id, watch)
    task = t.cast(Task, watch.task)
    kind = "needs_action" if task.state == State.NEEDS_ACTION else "task_failed"
    message = task.fail_reason or f"the task's status is {task.status}"
    return WaitFailure(kind, message, None, None, None, watch)
