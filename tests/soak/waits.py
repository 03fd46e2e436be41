# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait after wait in one process, several side by side, for some time: python -m soak.waits URL SECONDS SEED REPORT

What the module does in a process of its own is done here again and again in one, which shows what grows. Each wait has
a client of its own, as each task of a play has. The report gets a line of JSON for each wait, with how many blocks of
memory Python held then.
"""

from __future__ import annotations

import gc
import json
import pathlib
import random
import sys
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import Channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import new_task_client
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import Stream
from ansible_collections.huaweicloud.tasks.plugins.modules import wait_for_task

from .cloud import add_tasks, options

# Two of them have a list, which a wait for so many tasks reads. In all, a thousand tasks.
SERVICES = ("dds", "kafka", "ecs", "cce")
SIDE_BY_SIDE = 4
TASKS = 63
# Of the whole time: the shortest and the longest task. To see whether something grows takes many waits.
SHORTEST, LONGEST = 1 / 600, 1 / 80
# The last waits begin so early that they end in time, also those under a request limit.
LAST_START = 0.8


def one_wait(url: str, service: str, seconds: float, randomness: random.Random) -> dict[str, t.Any]:
    """Wait for new tasks; say how many there were, and which were told wrongly or not at all."""
    durations = [randomness.uniform(SHORTEST, LONGEST) * seconds for dummy in range(TASKS)]
    tasks = add_tasks(url, service, durations, randomness)
    defaults = {name: spec.get("default") for name, spec in wait_arguments().items()}
    params = {**defaults, **options(url, [task for task, dummy in tasks.values()], timeout=seconds)}
    result = wait_for_task.wait(
        params,
        new_task_client(params, environ={}, mask=lambda secret: None),
        Stream(Channel(), refs_of(params), ()),
        check_mode=False,
        started=time.monotonic(),
        warn=lambda text: None,
    )
    told = {task["id"]: task["state"] for task in result["tasks"]}
    ends = {task_id: end for task_id, (dummy, end) in tasks.items()}
    wrong = [f"{service} {task_id}: {told.get(task_id)}" for task_id, end in ends.items() if told.get(task_id) != end]
    return {"service": service, "tasks": len(tasks), "polls": result["polls"], "wrong": wrong, "msg": result["msg"]}


def main() -> None:
    url, seconds, seed, report = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
    end = time.monotonic() + seconds * LAST_START
    writing = threading.Lock()

    def lane(number: int) -> None:
        randomness = random.Random(seed + number)
        while time.monotonic() < end:
            outcome = one_wait(url, SERVICES[number % len(SERVICES)], seconds, randomness)
            if outcome["wrong"]:
                print(outcome["msg"], flush=True)
            kept = {key: outcome[key] for key in ("service", "tasks", "polls", "wrong")}
            with writing, report.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps({**kept, "blocks": sys.getallocatedblocks()}) + "\n")

    count = len(SERVICES) * SIDE_BY_SIDE
    with ThreadPoolExecutor(count) as pool:
        for future in [pool.submit(lane, number) for number in range(count)]:
            future.result()
    # What is left now is held by something. It is looked at for the last time.
    gc.collect()
    print("idle", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
