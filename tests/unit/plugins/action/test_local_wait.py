# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin on a local connection: one run of the module, whose end may come in every way."""

from __future__ import annotations

import os
import tempfile
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task as PlaybookTask
from ansible.plugins.loader import become_loader, connection_loader
from ansible.template import Templar

from ansible_collections.huaweicloud.tasks.plugins.action import wait_for_task as plugin
from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import Channel, open_channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import wait_result
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import Stream
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import new_waiter
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils import _terminal

Result = dict[str, t.Any]
PATIENCE = 10
RUNNING = Task("dds", State.RUNNING, id="a", status="Running", progress=40)
DONE = Task("dds", State.SUCCEEDED, id="a", status="Completed")
CRASH = {"failed": True, "msg": "MODULE FAILURE", "rc": 137, "module_stderr": "Killed"}


class Module:
    """Plays the module: waits for one task with answers from a script, and ends as a test wants it."""

    def __init__(self) -> None:
        self.answers: list[Observation] = [RUNNING, DONE]
        self.secrets: list[str] = []
        # In place of the next answer, once there is none, and at the very end.
        self.strike: t.Callable[[], t.Any] = lambda: None
        self.ending: t.Callable[[Result], Result] = lambda result: result
        self.channel: Channel | None = None
        self.runs: list[Result] = []
        self.ended = False

    def execute(
        self, module_name: str, task_vars: Result, module_args: Result | None = None, wrap_async: bool = False
    ) -> Result:
        self.runs.append({"socket": task_vars.get("ansible_socket"), "args": module_args, "async": wrap_async})
        self.channel = open_channel(task_vars.get("ansible_socket"), self._end)
        try:
            return self.ending(self._wait())
        except EndedError:
            return dict(CRASH)
        finally:
            # As the end of its process does.
            self._close()

    def _wait(self) -> Result:
        assert self.channel
        params = {name: spec.get("default") for name, spec in wait_arguments().items()}
        params.update(service="dds", task_id="a", sleep=0.05, max_sleep=0.05, timeout=5)
        refs = refs_of(params)
        stream = Stream(self.channel, refs, self.secrets)
        waiter = new_waiter(
            params, refs, probe=stream.through(self._probe), on_update=stream.update, started=self.channel.started
        )
        stream.begin()
        result = wait_result(waiter.run(), single=True)
        stream.end(result)
        return result

    def _probe(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        if not self.answers:
            self.strike()
        return [self.answers.pop(0)]

    def _end(self) -> None:
        self.ended = True
        self._close()

    def _close(self) -> None:
        if self.channel and self.channel._connection:
            self.channel._connection.close()


class EndedError(Exception):
    """The module's process is killed."""


def die() -> None:
    raise EndedError


def task_timeout() -> None:
    """What ansible-core raises in the midst of an action when the task's keyword timeout is up."""
    raise plugin.TaskTimeoutError.__new__(plugin.TaskTimeoutError)


class Stage:
    """Runs the action plugin for one task of a play."""

    def __init__(self, folder: Path) -> None:
        self.module = Module()
        self.folder = folder
        self.folders = [str(folder)]
        self.shown: list[str] = []
        self.connection = connection_loader.get("local", PlayContext(), "/dev/null")
        self.task_vars: Result = {"inventory_hostname": "h1"}

    def run(self, *, keywords: Result | None = None, **args: t.Any) -> Result:
        task = PlaybookTask()
        task.action, task.args = "huaweicloud.tasks.wait_for_task", {"service": "dds", "task_id": "a", **args}
        for keyword, value in (keywords or {}).items():
            setattr(task, keyword, value)
        loader = DataLoader()
        action = plugin.ActionModule(task, self.connection, PlayContext(), loader, Templar(loader=loader), None)
        action._execute_module = self.module.execute
        action._socket_folders = lambda: self.folders
        # As when it has made a temporary folder.
        action._cleanup_remote_tmp = True
        return dict(action.run(task_vars=self.task_vars))

    def display(self, msg: str, color: str | None = None, stderr: bool = False) -> None:
        self.shown.append(msg)


@pytest.fixture(name="stage")
def fixture_stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        monkeypatch.setattr(_terminal, "Display", lambda: stage)
        yield stage
        assert os.listdir(folder) == []


def test_one_run_does_the_whole_wait(stage: Stage) -> None:
    stage.module.ending = lambda result: {**result, "invocation": {"module_args": {}}, "warnings": ["w"]}
    result = stage.run()
    assert not result["failed"]
    assert result["polls"] == 2
    assert result["task"]["state"] == "succeeded"
    assert (result["invocation"], result["warnings"]) == ({"module_args": {}}, ["w"])
    assert len(stage.module.runs) == 1
    assert stage.shown[0].startswith("[h1] waiting for 1 task")
    assert any("Running" in line and "40 %" in line for line in stage.shown)
    assert "Completed" in stage.shown[-1]


@pytest.mark.parametrize("args", [{"progress": False}, {}], ids=["progress", "no_log"])
def test_silence(stage: Stage, args: Result) -> None:
    result = stage.run(keywords={} if args else {"no_log": True}, **args)
    assert result["task"]["state"] == "succeeded"
    assert stage.shown == []
    assert stage.module.channel
    assert stage.module.channel.connected


def test_elapsed_counts_from_the_beginning_of_the_task(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = stage.module.execute
    monkeypatch.setattr(stage.module, "execute", lambda *args, **given: time.sleep(1) or execute(*args, **given))
    assert stage.run()["elapsed"] >= 1


def test_short_secrets_leave_the_result_whole(stage: Stage) -> None:
    """Ansible masks them in the module's result, words and numbers alike."""
    stage.module.secrets = ["e", "1", "2"]
    stage.module.ending = lambda result: {**result, "polls": "********", "task": "********", "elapsed": "********"}
    result = stage.run()
    assert (result["polls"], result["task"]["state"], result["task"]["id"]) == (2, "succeeded", "a")
    assert isinstance(result["elapsed"], float)


@pytest.mark.parametrize("progress", [True, False])
def test_the_module_dies_in_the_midst(stage: Stage, progress: bool) -> None:
    stage.module.answers = [RUNNING]
    stage.module.strike = die
    result = stage.run(progress=progress)
    assert result["failed"]
    assert result["failure"]["kind"] == "connection"
    assert result["task"]["progress"] == 40
    assert [each["task_id"] for each in result["pending"]] == ["a"]
    assert result["polls"] == 1
    assert "ended without a result (exit status 137)" in result["msg"]
    assert result["module_stderr"] == "Killed"


def test_the_module_dies_before_it_has_polled(stage: Stage) -> None:
    stage.module.answers = []
    stage.module.strike = die
    result = stage.run()
    assert result["failed"]
    assert (result["polls"], result["task"]["state"], len(result["pending"])) == (0, "unknown", 1)


def test_the_module_dies_after_the_end(stage: Stage) -> None:
    """What has succeeded is no failure."""
    stage.module.ending = lambda result: die()  # type: ignore[func-returns-value, return-value]
    result = stage.run()
    assert not result["failed"]
    assert result["task"]["state"] == "succeeded"
    assert "1 of 1 task finished" in result["msg"]


def test_a_crash_before_the_wait_is_returned_as_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.module, "execute", lambda *args, **given: dict(CRASH))
    result = stage.run()
    assert {key: result[key] for key in CRASH} == CRASH
    assert "tasks" not in result


@pytest.mark.parametrize("progress", [True, False])
def test_the_keyword_timeout(stage: Stage, progress: bool) -> None:
    stage.module.answers = [RUNNING]
    stage.module.strike = task_timeout
    result = stage.run(keywords={"timeout": 5}, progress=progress)
    assert result["failed"]
    assert result["failure"]["kind"] == "timeout"
    assert result["failure"]["message"] == "the task's keyword timeout ended the wait after 5 s"
    assert result["task"]["progress"] == 40
    assert len(result["pending"]) == 1


def test_the_keyword_timeout_ends_the_module(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Channel] = []
    ended: list[bool] = []

    def execute(module_name: str, task_vars: Result) -> Result:
        channel = open_channel(task_vars["ansible_socket"], lambda: (ended.append(True), channel._connection.close()))  # type: ignore[union-attr]
        opened.append(channel)
        task_timeout()
        return {}

    monkeypatch.setattr(stage.module, "execute", execute)
    result = stage.run(keywords={"timeout": 5})
    assert ended == [True]
    assert (result["failure"]["kind"], result["polls"]) == ("timeout", 0)


def test_the_keyword_timeout_strikes_when_all_is_done(stage: Stage) -> None:
    stage.module.ending = lambda result: task_timeout()  # type: ignore[func-returns-value, return-value]
    result = stage.run(keywords={"timeout": 5})
    assert not result["failed"]
    assert result["task"]["state"] == "succeeded"


def test_an_error_of_ansible_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: t.Any, **given: t.Any) -> Result:
        raise AnsibleError("sudo: a password is required")

    monkeypatch.setattr(stage.module, "execute", fail)
    with pytest.raises(AnsibleError):
        stage.run()


@pytest.mark.parametrize("progress", [True, False])
def test_no_folder_for_a_socket(stage: Stage, progress: bool) -> None:
    stage.folders = [str(stage.folder / "none")]
    result = stage.run(progress=progress)
    assert result["task"]["state"] == "succeeded"
    assert stage.shown == []
    warnings = result.get("warnings", [])
    assert len(warnings) == (1 if progress else 0)
    assert all("Live progress was not shown" in warning and stage.folders[0] in warning for warning in warnings)


def test_a_socket_variable_of_the_user(stage: Stage) -> None:
    stage.task_vars["ansible_socket"] = "/run/mine"
    assert stage.run()["polls"] == 2
    assert stage.shown
    assert stage.task_vars["ansible_socket"] == "/run/mine"


def test_check_mode_is_one_run(stage: Stage) -> None:
    stage.module.answers = [DONE]
    assert stage.run(keywords={"check_mode": True})["polls"] == 1
    assert stage.shown == []


def test_async_is_left_to_the_module(stage: Stage) -> None:
    stage.run(keywords={"async_val": 60})
    (run,) = stage.module.runs
    assert run["async"]
    assert run["socket"] is None
    assert stage.shown == []


def test_another_user_may_connect(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Result] = []
    real = plugin.Channel
    monkeypatch.setattr(plugin, "Channel", lambda *args, **more: given.append(more) or real(*args, **more))
    stage.run()
    stage.module.answers = [DONE]
    stage.connection.set_become_plugin(become_loader.get("sudo"))
    stage.run()
    assert [each["other_user"] for each in given] == [False, True]


@pytest.mark.parametrize("keep", [False, True])
def test_the_file_of_the_module_goes_once_it_runs(stage: Stage, monkeypatch: pytest.MonkeyPatch, keep: bool) -> None:
    """It holds the credentials."""
    monkeypatch.setattr(C, "DEFAULT_KEEP_REMOTE_FILES", keep)
    folder = stage.folder / "ansible-tmp-1"
    folder.mkdir()
    (folder / "AnsiballZ_wait_for_task.py").touch()
    stage.connection._shell.tmpdir = str(folder)
    found: list[bool] = []

    def probe(*dummy: t.Any) -> list[Observation]:
        deadline = time.monotonic() + (0.3 if keep else PATIENCE)
        while folder.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        found.append(folder.exists())
        return [DONE]

    monkeypatch.setattr(stage.module, "_probe", probe)
    stage.run()
    assert found == [keep]
    assert stage.connection._shell.tmpdir == (str(folder) if keep else None)
    if keep:
        (folder / "AnsiballZ_wait_for_task.py").unlink()
        folder.rmdir()


def test_an_input_error_is_the_one_of_the_module(stage: Stage) -> None:
    result = stage.run(sleep=0)
    assert result["failed"]
    assert result["msg"] == "sleep must be more than 0 seconds."
    assert (result["tasks"], result["polls"]) == ([], 0)
