# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rescue in the documentation goes on after a time-out alone; it ends with the message of any other failure."""

from __future__ import annotations

import copy
import typing as t
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import test_examples
import test_guides

from simulator import Simulator, accounts

WAIT = "huaweicloud.tasks.wait_for_task"
SOURCES: dict[str, list[t.Any]] = {
    "EXAMPLES": test_examples.examples(cloud.ROOT / "plugins/modules/wait_for_task.py"),
    "guides": [task for example in test_guides.EXAMPLES for task in example],
}
RESCUES = {
    f"{source} {number}": task
    for source, tasks in SOURCES.items()
    for number, task in enumerate(task for task in tasks if "rescue" in task)
}
# What differs from a good call, and the words of what comes of it.
MISTAKES: dict[str, tuple[dict[str, t.Any], str]] = {
    "a wrong id": ({"service": "dds", "task_id": "a b", "tasks": None}, "task_id must consist of"),
    "an unknown option": ({"tiemout": 5}, "tiemout"),
    "a wrong number": ({"timeout": "soon"}, "timeout"),
}
FAILED = "a failed task"
CASES = {**MISTAKES, FAILED: ({"service": "dds", "task_id": "failed", "tasks": None}, "The disk is full.")}


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        sim.add_task("dds", id="failed", status="Failed", fail_reason="The disk is full.")
        yield sim


def test_every_source_has_one() -> None:
    assert {name.partition(" ")[0] for name in RESCUES} == set(SOURCES)


@pytest.mark.parametrize(
    ("source", "mistake"),
    [*((source, FAILED) for source in RESCUES), *((next(iter(RESCUES)), mistake) for mistake in MISTAKES)],
)
def test_a_mistake_is_told(source: str, mistake: str, sim: Simulator, tmp_path: Path) -> None:
    wrong, words = CASES[mistake]
    task = copy.deepcopy(RESCUES[source])
    given = task["block"][0][WAIT]
    given.update(wrong)
    task["block"][0][WAIT] = {name: value for name, value in given.items() if value is not None}
    variables = {
        "access_key": accounts.ACCESS_KEY,
        "secret_key": accounts.SECRET_KEY,
        "result": {"pending": []},
        "tasks_to_wait_for": [],
    }
    done = cloud.run_playbook([cloud.play_of([task], **variables)], tmp_path, sim)
    assert done.returncode == 2
    rescue = done.stdout.partition(f"TASK [{task['rescue'][0]['name']}]")[2]
    assert "TASK [" not in rescue
    (end,) = (line for line in rescue.splitlines() if line.startswith("fatal: "))
    assert words in end, done.stdout + done.stderr
