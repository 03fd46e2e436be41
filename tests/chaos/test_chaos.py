# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Never a success that was none, never a failure while nothing was wrong, nothing left behind."""

from __future__ import annotations

import os
import random

import pytest

from . import oracle
from .__main__ import run_for
from .scenario import Fault, TaskPlan, WaitPlan

OPTIONS = {
    "timeout": 8,
    "require": "all",
    "error_grace": 300.0,
    "not_found_grace": 300.0,
    "request_timeout": 30.0,
}
GOOD = TaskPlan("dds", "succeeded", 1)
BAD = TaskPlan("dds", "failed", 1)


def result(kind: str | None, elapsed: float = 3.0) -> dict[str, object]:
    failure = {"kind": kind, "message": "m"} if kind else None
    return {"failed": bool(kind), "failure": failure, "tasks": [], "pending": [], "elapsed": elapsed}


@pytest.mark.parametrize(
    ("tasks", "kind", "is_wrong"),
    [
        ([GOOD], None, False),
        ([GOOD, BAD], None, True),
        ([BAD], "task_failed", False),
        ([GOOD], "task_failed", True),
        ([GOOD], "timeout", True),
        ([GOOD], "connection", True),
        ([TaskPlan("dds", "succeeded", 1, (Fault("status", 1, 1, 403),))], "api_error", True),
        ([TaskPlan("dds", "succeeded", 1, (Fault("status", 0, 1, 403),))], "api_error", False),
    ],
)
def test_the_oracle(tasks: list[TaskPlan], kind: str | None, is_wrong: bool) -> None:
    assert bool(oracle.wrong(WaitPlan(tuple(tasks), OPTIONS), result(kind))) == is_wrong


@pytest.mark.timeout(600)
def test_random_waits() -> None:
    """Some minutes of it; "make chaos HOURS=1" runs it for longer."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(10**9))
    count, problems = run_for(float(os.environ.get("CHAOS_SECONDS") or 45), seed)
    print(f"first seed {seed}, {count} trials")
    assert not problems, "\n\n".join(problems)
    assert count
