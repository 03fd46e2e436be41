# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module as a process of its own, which signals end and servers that hang do not hold up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import SERVICES, SLACK, item, options

from ansible_collections.huaweicloud.tasks.plugins.modules import wait_for_task
from simulator import Simulator

# The folder in which the collection is importable.
IMPORTABLE = str(Path(wait_for_task.__file__).parents[5])
MODULE = wait_for_task.__name__


class Process:
    """The module, run as Ansible runs it on a host, in a process group of its own.

    ansible-core takes the arguments from the standard input where nobody embedded them: as such from 2.16 on, and with
    its profile ``legacy``, which is plain JSON, from 2.19 on.
    """

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        given = {name: value for name, value in params.items() if value is not None}
        path = os.pathsep.join([IMPORTABLE, *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": given}))
        self._process.stdin.close()
        self._process.stdin = None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; the return code and both outputs."""
        stdout, stderr = self._process.communicate(timeout=60)
        return self._process.returncode, stdout, stderr

    @property
    def has_orphans(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture(name="start")
def fixture_start() -> Iterator[t.Callable[[t.Mapping[str, t.Any]], Process]]:
    processes: list[Process] = []

    def start(params: t.Mapping[str, t.Any]) -> Process:
        processes.append(Process(params))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def wait_for_requests(sim: Simulator, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(sim.requests()) < count:
        assert time.monotonic() < deadline, "the module asks nothing"
        time.sleep(0.02)


Start = t.Callable[[t.Mapping[str, t.Any]], Process]


def test_a_process_succeeds(sim: Simulator, start: Start) -> None:
    task = sim.add_task("dds", status="Completed")
    code, stdout, stderr = start(options(sim, tasks=[item(task)])).end()
    result = json.loads(stdout)
    assert (code, stderr, result["tasks"][0]["state"], result["failure"]) == (0, "", "succeeded", None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("moment", "count"), [("between polls", 1), ("a hanging answer", 1), ("many of them", 40)])
def test_a_signal_ends_the_process_within_a_second(
    sim: Simulator, start: Start, number: signal.Signals, moment: str, count: int
) -> None:
    tasks = [item(sim.add_task("dds", status="Running")) for dummy in range(count)]
    if moment != "between polls":
        sim.add_fault("hang")
    process = start(options(sim, tasks=tasks, timeout=60, sleep=30, max_sleep=30, request_timeout=30))
    wait_for_requests(sim, min(count, 16))
    time.sleep(0.2)
    begun = time.monotonic()
    process.send(number)
    code, stdout, stderr = process.end()
    assert time.monotonic() - begun < 1
    assert (code, stdout, stderr) == (128 + number, "", "")
    assert not process.has_orphans
    action = len(sim.requests())
    time.sleep(0.3)
    assert len(sim.requests()) == action


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_server_that_hangs_does_not_stretch_a_wait_for_many_tasks(sim: Simulator, start: Start, kind: str) -> None:
    timeout, request_timeout = 2.0, 0.5
    tasks = [item(sim.add_task(SERVICES[number % 4], status="Running")) for number in range(40)]
    sim.add_fault(kind)
    process = start(options(sim, tasks=tasks, timeout=timeout, request_timeout=request_timeout))
    wait_for_requests(sim, 1)
    begun = time.monotonic()
    code, stdout, stderr = process.end()
    result = json.loads(stdout)
    assert (code, stderr, result["failed"]) == (1, "", True)
    assert timeout <= result["elapsed"] <= timeout + request_timeout + 1.5
    assert time.monotonic() - begun <= timeout + request_timeout + SLACK
    assert result["failure"]["kind"] == "timeout"
    assert [entry["id"] for entry in result["tasks"]] == [task["task_id"] for task in tasks]
    assert {entry["error"]["kind"] for entry in result["tasks"]} == {"connection"}
    assert [each["task_id"] for each in result["pending"]] == [task["task_id"] for task in tasks]
    assert "0 of 40 tasks finished" in result["msg"] and "and 30 more" in result["msg"]
