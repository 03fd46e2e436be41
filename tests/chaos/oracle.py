# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle: what a wait's result may be, given what is true."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterator

from .scenario import LONG, Fault, TaskPlan, WaitPlan

# A result may come this much before its time, for clocks that are read at two ends of a process.
SLACK = 0.2
# Nothing more is to be known of these.
FINAL = ("succeeded", "failed", "canceled")


@dataclasses.dataclass(frozen=True)
class Circumstances:
    """What beside the plan of a wait accounts for its failure.

    ``was_lost``: the host was out of reach for a while. ``keyword_timeout`` ends the task after so many seconds, of
    which the wait does not know how many had passed when it began.
    """

    was_lost: bool = False
    keyword_timeout: int | None = None


def wrong(plan: WaitPlan, result: dict[str, t.Any], about: Circumstances = Circumstances()) -> str | None:
    """Return what is wrong about a wait's result, or None."""
    if "tasks" not in result or "pending" not in result:
        return f"a result without tasks or pending: {str(result)[:500]}"
    if len(result["tasks"]) != len(plan.tasks):
        return f"{len(result['tasks'])} tasks in the result of {len(plan.tasks)}"
    problem = next(_wrong_tasks(plan, result), None)
    if problem:
        return problem
    return _wrong_failure(plan, result, about) if result.get("failed") else _wrong_success(plan)


def _wrong_tasks(plan: WaitPlan, result: dict[str, t.Any]) -> Iterator[str]:
    """Compare each task with its truth."""
    for task, entry in zip(plan.tasks, result["tasks"]):
        state = entry["state"]
        if state == "succeeded" and not task.will_succeed:
            yield f"a task that is said to have succeeded: {task}"
        if state in ("failed", "canceled") and not task.will_fail:
            yield f"a task that is said to have {state}: {task}"
        if state == "needs_action" and not task.needs_action:
            yield f"a task that is said to need action: {task}"
    unfinished = sum(entry["state"] not in FINAL for entry in result["tasks"])
    if unfinished != len(result["pending"]):
        yield f"{unfinished} tasks have not ended, {len(result['pending'])} are said to be pending"


def _wrong_success(plan: WaitPlan) -> str | None:
    successes = [task.will_succeed for task in plan.tasks]
    is_true = any(successes) if plan.options["require"] == "any" else all(successes)
    return None if is_true else "a success that was none"


def _wrong_failure(plan: WaitPlan, result: dict[str, t.Any], about: Circumstances) -> str | None:
    failure = result.get("failure")
    if not failure:
        return "a failure without a reason"
    if failure["kind"] == "timeout":
        return _wrong_timeout(plan, result["elapsed"], about)
    if failure["kind"] == "stalled":
        return None if plan.options["stall_timeout"] < LONG else "stalled without a bound"
    if about.was_lost and plan.options["error_grace"] < LONG and failure["kind"] == "connection":
        return None
    if any(failure["kind"] in _kinds(task, plan.options) for task in plan.tasks):
        return None
    return f"failed for no reason: {failure}"


def _wrong_timeout(plan: WaitPlan, elapsed: float, about: Circumstances) -> str | None:
    if about.keyword_timeout is not None:
        return None
    timeout = plan.options["timeout"]
    if elapsed < timeout - SLACK:
        return f"timed out after {elapsed} s"
    # Tasks begin before the wait does, and at its end all are polled. Where a response hangs over
    # the deadline, that poll is the last, and what others say is from its beginning.
    hangs = any(_has(task, "hang") for task in plan.tasks)
    last_poll = timeout - (plan.options["request_timeout"] if hangs else 0)
    seen = [task.will_succeed and task.is_answered_well and task.duration < last_poll for task in plan.tasks]
    succeeded = any(seen) if plan.options["require"] == "any" else all(seen)
    return "timed out although what it waits for has succeeded" if succeeded and not about.was_lost else None


def _kinds(task: TaskPlan, options: dict[str, t.Any]) -> set[str]:
    """Return the kinds of failure that a task's truth and its faults account for."""
    kinds = {"task_failed"} if task.will_fail else set()
    kinds |= {"needs_action"} if task.needs_action else set()
    if options["not_found_grace"] < LONG and (not task.exists or _has(task, "unknown_id")):
        kinds.add("not_found")
    if any(_ends_a_wait(fault, task) for fault in task.faults):
        kinds |= {"api_error", "unauthorized"}
    if options["error_grace"] < LONG and task.faults:
        kinds |= {"api_error", "connection"}
    return kinds


def _has(task: TaskPlan, kind: str) -> bool:
    return any(fault.kind == kind for fault in task.faults)


def _ends_a_wait(fault: Fault, task: TaskPlan) -> bool:
    """A refusal is final before the first good answer, and after it when it has come three times in a row."""
    if not fault.is_fatal:
        return False
    refused_before = sum(other.first for other in task.faults)
    return fault.after == 0 or refused_before >= 3 or len(task.faults) > 1
