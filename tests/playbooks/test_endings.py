# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits that are ended in their midst, as real processes: nothing polls the cloud any more, and nothing is left."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
import typing as t
from collections.abc import Iterator

import pytest
from progress_run import WAIT, Controller, Run, controller

# What may pass until nothing of an ended wait is left.
MOST_SECONDS = 5.0
SLACK = 1.0


@pytest.fixture(name="here")
def fixture_here(tmp_path: pathlib.Path) -> Iterator[Controller]:
    """A controller with one host, h1, a simulated cloud, and temporary folders of its own."""
    with controller(tmp_path) as here:
        yield here


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def parent_of(pid: int) -> int:
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_module(pid: int) -> bool:
    return "AnsiballZ_wait_for_task" in command_of(pid) and "/bin/sh" not in command_of(pid)


class Scene:
    """A play that waits for a task that never ends."""

    def __init__(self, here: Controller, run: Run) -> None:
        self.here = here
        self.ansible = run.process.pid
        self.run = run

    def worker(self) -> int:
        (worker,) = [pid for pid in self.here.survivors() if pid != self.ansible and parent_of(pid) == self.ansible]
        return worker

    def module(self) -> int:
        (module,) = [pid for pid in self.here.survivors() if is_module(pid)]
        return module

    def until_polled(self, times: int = 2) -> None:
        deadline = time.monotonic() + 60
        while len(self.here.sim.requests()) < times:
            assert time.monotonic() < deadline
            assert self.run.process.poll() is None, self.run.stdout
            time.sleep(0.05)

    def assert_nothing_is_left(self, since: float) -> None:
        """Soon no process of the wait is there, the cloud is polled no more, and no file is left."""
        while survivors := [pid for pid in self.here.survivors() if pid != self.ansible]:
            assert time.monotonic() - since < MOST_SECONDS + SLACK, [command_of(pid) for pid in survivors]
            time.sleep(0.05)
        asked = len(self.here.sim.requests())
        time.sleep(0.6)
        assert len(self.here.sim.requests()) == asked
        assert self.here.litter() == []


@contextlib.contextmanager
def waiting(
    here: Controller, *, keywords: dict[str, t.Any] | None = None, polls: int = 2, **options: t.Any
) -> Iterator[Scene]:
    task = here.sim.add_task("dds", status="Running", progress=40)
    given = {"service": "dds", "task_id": task["task_id"], "timeout": 60, "sleep": 0.3, "max_sleep": 0.3, **options}
    given = {name: value for name, value in given.items() if value is not None}
    play = here.play({"name": "wait", WAIT: given, **(keywords or {})})
    with here.start("ansible-playbook", play) as run:
        scene = Scene(here, run)
        scene.until_polled(polls)
        yield scene


PROGRESS = pytest.mark.parametrize("progress", [True, False], ids=["progress", "quiet"])


@pytest.mark.parametrize(
    ("number", "progress"),
    [
        (signal.SIGINT, True),
        (signal.SIGTERM, True),
        (signal.SIGHUP, True),
        (signal.SIGKILL, True),
        (signal.SIGKILL, False),
    ],
)
def test_ansible_is_ended(here: Controller, number: signal.Signals, progress: bool) -> None:
    with waiting(here, progress=progress) as scene:
        at = time.monotonic()
        os.kill(scene.ansible, number)
        scene.run.process.wait(60)
        scene.assert_nothing_is_left(at)


def test_ansible_is_killed_during_a_remote_wait(here: Controller) -> None:
    """The worker, which polls, notices it."""
    here.hosts("h1", ansible_connection="progress_connection")
    with waiting(here) as scene:
        at = time.monotonic()
        os.kill(scene.ansible, signal.SIGKILL)
        scene.run.process.wait(60)
        scene.assert_nothing_is_left(at)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ansible_is_ended_between_two_remote_polls(here: Controller, number: signal.Signals) -> None:
    """The module, with the options in it, does not lie on the target meanwhile: nobody would remove it."""
    here.hosts("h1", ansible_connection="progress_connection")
    with waiting(here, polls=1, sleep=60, max_sleep=60, timeout=600) as scene:
        deadline = time.monotonic() + 20
        while here.litter() and time.monotonic() < deadline:
            time.sleep(0.05)
        at = time.monotonic()
        os.kill(scene.ansible, number)
        scene.run.process.wait(60)
        scene.assert_nothing_is_left(at)


@pytest.mark.parametrize("connection", ["local", "progress_connection"])
def test_ansible_is_killed_during_a_wait_with_a_large_result(here: Controller, connection: str) -> None:
    """Nobody reads the worker's result, which is larger than what a pipe takes."""
    here.hosts("h1", ansible_connection=connection)
    task = here.sim.add_task("dds", status="Running", progress=40)
    tasks = [{"service": "dds", "task_id": task["task_id"]}] * 2000
    with waiting(here, service=None, task_id=None, tasks=tasks) as scene:
        at = time.monotonic()
        os.kill(scene.ansible, signal.SIGKILL)
        scene.run.process.wait(60)
        scene.assert_nothing_is_left(at)


@pytest.mark.parametrize(
    ("number", "progress"), [(signal.SIGTERM, True), (signal.SIGKILL, True), (signal.SIGKILL, False)]
)
def test_the_worker_is_ended(here: Controller, number: signal.Signals, progress: bool) -> None:
    with waiting(here, progress=progress) as scene:
        at = time.monotonic()
        os.kill(scene.worker(), number)
        scene.assert_nothing_is_left(at)


@PROGRESS
def test_the_module_is_killed(here: Controller, progress: bool) -> None:
    """As when memory runs out."""
    with waiting(here, progress=progress) as scene:
        at = time.monotonic()
        os.kill(scene.module(), signal.SIGKILL)
        scene.run.wait()
        assert time.monotonic() - at < MOST_SECONDS + SLACK
        end = scene.run.result("wait")
    result = end.result
    assert end.how == "failed"
    assert result["failure"]["kind"] == "connection"
    assert result["task"]["progress"] == 40
    assert len(result["pending"]) == 1
    assert "ended without a result" in result["msg"]
    # What a killed module has unpacked nobody can remove.
    assert here.litter(of_module=False) == []


@PROGRESS
def test_the_keyword_timeout(here: Controller, progress: bool) -> None:
    keywords = {"timeout": 8, "ignore_errors": True}
    with waiting(here, progress=progress, keywords=keywords) as scene:
        scene.run.wait()
        scene.assert_nothing_is_left(time.monotonic())
        result = scene.run.result("wait").result
    assert result["failure"]["kind"] == "timeout"
    assert result["task"]["progress"] == 40
    assert len(result["pending"]) == 1
    assert result["polls"] > 1
