# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated cloud's tasks, and its bad days."""

from __future__ import annotations

import random
import typing as t

from benchmark.cloud import control

from simulator import accounts

SHARE_OF_FAILURES = 0.1

# Each meets some requests, one after the other. Not among them is what ends a wait at once, such as a response of many
# megabytes.
FAULTS: tuple[dict[str, t.Any], ...] = (
    {"fault": "status", "status": 500},
    {"fault": "status", "status": 502},
    {"fault": "status", "status": 503, "retry_after": 2},
    {"fault": "throttle", "retry_after": 2},
    {"fault": "reset"},
    {"fault": "close"},
    {"fault": "hang", "seconds": 20},
    {"fault": "slow", "seconds": 3},
    {"fault": "truncated"},
    {"fault": "not_json"},
    {"fault": "login_page"},
    {"fault": "wrong_shape"},
)


def add_tasks(
    url: str, service: str, durations: t.Sequence[float], random_source: random.Random
) -> dict[str, tuple[dict[str, str], str]]:
    """Create tasks that begin now: by their ids, each in the form of the option `tasks` and the state it ends in."""
    ends = ["failed" if random_source.random() < SHARE_OF_FAILURES else "succeeded" for dummy in durations]
    instance = {"instance_id": "6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51"} if service == "kafka" else {}
    wanted = [
        {"service": service, "duration": seconds, "outcome": end, **instance} for seconds, end in zip(durations, ends)
    ]
    created = control(url, "tasks", wanted)
    names = ("service", "task_id", "instance_id", "task_name")
    return {task["task_id"]: ({name: task[name] for name in names}, end) for task, end in zip(created, ends)}


def options(url: str, tasks: t.Sequence[dict[str, str]], **given: t.Any) -> dict[str, t.Any]:
    """The options of a wait for all of these tasks to their ends."""
    account = {"endpoint": url, "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN}
    return {**account, "tasks": list(tasks), "fail_fast": False, "request_timeout": 10.0, **given}
