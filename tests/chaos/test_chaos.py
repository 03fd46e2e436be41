# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never a success that was none, never a failure while nothing was wrong, nothing left behind."""

from __future__ import annotations

import pytest

from . import oracle
from .__main__ import run_for
from .oracle import Circumstances
from .scenario import Fault, TaskPlan, WaitPlan

SECONDS = 60.0
FIRST_SEED = 1000
OPTIONS = {
    "timeout": 8,
    "require": "all",
    "error_grace": 300.0,
    "not_found_grace": 300.0,
    "stall_timeout": 300.0,
    "request_timeout": 30.0,
}
GOOD = TaskPlan("dds", "succeeded", 1)
LATE = TaskPlan("dds", "succeeded", 9)
BAD = TaskPlan("dds", "failed", 1)
STUCK = TaskPlan("dds", "stuck", 1)
APPROVAL = TaskPlan("taurusdb", "needs_action", 1)
GONE = TaskPlan("dds", "succeeded", 1, exists=False)


def refused(after: int) -> TaskPlan:
    return TaskPlan("dds", "succeeded", 1, (Fault("status", after, 1, 403),))


def broken(kind: str = "reset") -> TaskPlan:
    return TaskPlan("dds", "succeeded", 1, (Fault(kind, 0, 1),))


def result(kind: str | None, *states: str, elapsed: float = 8.0) -> dict[str, object]:
    failure = {"kind": kind, "message": "m"} if kind else None
    tasks = [{"state": state} for state in states]
    pending = [task for task in tasks if task["state"] not in oracle.FINAL]
    return {"failed": bool(kind), "failure": failure, "tasks": tasks, "pending": pending, "elapsed": elapsed}


@pytest.mark.parametrize(
    ("tasks", "returned", "options", "is_wrong"),
    [
        ([GOOD], result(None, "succeeded"), {}, False),
        ([GOOD, BAD], result(None, "succeeded", "running"), {}, True),
        ([GOOD, BAD], result(None, "succeeded", "running"), {"require": "any"}, False),
        ([STUCK], result(None, "succeeded"), {}, True),
        ([BAD], result("task_failed", "failed"), {}, False),
        ([BAD], result("task_failed", "succeeded"), {}, True),
        ([GOOD], result("task_failed", "running"), {}, True),
        ([GOOD], result("task_failed", "failed"), {}, True),
        ([GOOD], result("needs_action", "needs_action"), {}, True),
        ([APPROVAL], result("needs_action", "needs_action"), {}, False),
        ([GOOD], result(None), {}, True),
        ([STUCK], {**result("timeout", "running"), "pending": []}, {}, True),
        ([STUCK], result("timeout", "running"), {}, False),
        ([STUCK], result("timeout", "running", elapsed=7.0), {}, True),
        ([LATE], result("timeout", "running"), {}, False),
        ([GOOD], result("timeout", "running"), {}, True),
        ([GOOD, STUCK], result("timeout", "succeeded", "running"), {}, False),
        ([GOOD, STUCK], result("timeout", "running", "running"), {"require": "any"}, True),
        ([broken()], result("timeout", "running"), {}, False),
        ([GOOD], result("stalled", "running"), {}, True),
        ([GOOD], result("stalled", "running"), {"stall_timeout": 2.0}, False),
        ([GOOD], result("connection", "unknown"), {}, True),
        ([GOOD], result("connection", "unknown"), {"error_grace": 1.0}, True),
        ([broken()], result("connection", "unknown"), {"error_grace": 1.0}, False),
        ([GONE], result("not_found", "unknown"), {"not_found_grace": 1.0}, False),
        ([GONE], result("not_found", "unknown"), {}, True),
        ([refused(after=1)], result("api_error", "running"), {}, True),
        ([refused(after=0)], result("api_error", "unknown"), {}, False),
    ],
)
def test_the_oracle(
    tasks: list[TaskPlan], returned: dict[str, object], options: dict[str, object], is_wrong: bool
) -> None:
    plan = WaitPlan(tuple(tasks), {**OPTIONS, **options})
    assert bool(oracle.wrong(plan, returned)) == is_wrong


def test_the_oracle_knows_what_happened_to_the_host() -> None:
    plan = WaitPlan((GOOD,), {**OPTIONS, "error_grace": 1.0})
    lost, too_long = result("connection", "unknown"), result("timeout", "running", elapsed=2.0)
    assert oracle.wrong(plan, lost)
    assert not oracle.wrong(plan, lost, Circumstances(was_lost=True))
    assert oracle.wrong(plan, too_long)
    assert not oracle.wrong(plan, too_long, Circumstances(keyword_timeout=2))


@pytest.mark.timeout(600)
def test_random_waits() -> None:
    """A minute of the same trials each time; "make chaos" runs new ones, and "make SEED=42 chaos" repeats one."""
    count, problems = run_for(SECONDS, FIRST_SEED, side_by_side=1)
    assert not problems, "\n\n".join(problems)
    assert count
