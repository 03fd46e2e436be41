# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle: what a wait's result may be, given what is true."""

from __future__ import annotations

import typing as t

from .scenario import LONG, Fault, TaskPlan, WaitPlan

# A result may come this much before its time, for clocks that are read at two ends of a process.
SLACK = 0.2


def wrong(plan: WaitPlan, result: dict[str, t.Any]) -> str | None:
    """Return what is wrong about a wait's result, or None."""
    if "tasks" not in result or "pending" not in result:
        return f"a result without tasks or pending: {str(result)[:500]}"
    if not result.get("failed"):
        return _wrong_success(plan)
    return _wrong_failure(plan, result)


def _wrong_success(plan: WaitPlan) -> str | None:
    successes = [task.will_succeed for task in plan.tasks]
    is_true = any(successes) if plan.options["require"] == "any" else all(successes)
    return None if is_true else "a success that was none"


def _wrong_failure(plan: WaitPlan, result: dict[str, t.Any]) -> str | None:
    failure = result.get("failure")
    if not failure:
        return "a failure without a reason"
    kind = failure["kind"]
    if kind == "timeout":
        is_over = result["elapsed"] >= plan.options["timeout"] - SLACK
        return None if is_over else f"timed out after {result['elapsed']} s"
    if any(kind in _kinds(task, plan.options) for task in plan.tasks):
        return None
    return f"failed for no reason: {failure}"


def _kinds(task: TaskPlan, options: dict[str, t.Any]) -> set[str]:
    """Return the kinds of failure that a task's truth and its faults account for."""
    kinds = {"task_failed"} if task.will_fail else set()
    if options["not_found_grace"] < LONG and (not task.exists or _has(task, "unknown_id")):
        kinds.add("not_found")
    if any(_ends_a_wait(fault, task) for fault in task.faults):
        kinds |= {"api_error", "unauthorized"}
    if options["error_grace"] < LONG or options["request_timeout"] < LONG:
        kinds |= {"api_error", "connection"} if options["error_grace"] < LONG and task.faults else set()
    return kinds


def _has(task: TaskPlan, kind: str) -> bool:
    return any(fault.kind == kind for fault in task.faults)


def _ends_a_wait(fault: Fault, task: TaskPlan) -> bool:
    """A refusal is final before the first good answer, and after it when it has come three times in a row."""
    if not fault.is_fatal:
        return False
    refused_before = sum(other.first for other in task.faults)
    return fault.after == 0 or refused_before >= 3 or len(task.faults) > 1
