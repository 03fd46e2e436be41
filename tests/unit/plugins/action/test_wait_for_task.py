# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin: what it runs where, what it shows, and what it makes of trouble."""

from __future__ import annotations

import dataclasses
import json
import shlex
import typing as t

import pytest
from ansible import constants as C
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task as PlaybookTask
from ansible.plugins.loader import connection_loader
from ansible.template import Templar

from ansible_collections.huaweicloud.tasks.plugins.action import wait_for_task as plugin
from ansible_collections.huaweicloud.tasks.plugins.module_utils import _argspec
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import policy_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import wait_result
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import POLL, Mask, seal
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils import _terminal

WAIT = "huaweicloud.tasks.wait_for_task"
Result = dict[str, t.Any]
# What a task answers, poll by poll; the last one stays.
Answers = t.Sequence[Observation]

PASSWORD: Result = {"username": "u", "password": "password-of-u", "domain_name": "d", "region": "r1"}
CRASH = {"failed": True, "msg": "MODULE FAILURE\nSee stdout/stderr for the exact error", "rc": 1}


def running(progress: int = 40) -> Task:
    return Task("", State.RUNNING, status="Running", progress=progress)


def unlisted(status: str) -> Task:
    return Task("", State.UNKNOWN, status=status)


DONE = Task("", State.SUCCEEDED, status="Completed")
FAILED = Task("", State.FAILED, status="Failed", fail_reason="disk full")
REFUSED = ApiError("token expired", code="APIGW.0307", http_status=401, request_id="r", action="Cannot read it")


class Time:
    """Stands in for the module of that name."""

    def __init__(self) -> None:
        self.now = 5_000.0
        self.sleeps: list[float] = []
        self.ends_at: float | None = None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        if self.ends_at is not None and self.now + seconds > self.ends_at:
            self.now = self.ends_at
            raise task_timeout()
        self.sleeps.append(seconds)
        self.now += seconds


def task_timeout() -> BaseException:
    """What ansible-core raises in the midst of an action when the task's keyword timeout is up."""
    return plugin.TaskTimeoutError.__new__(plugin.TaskTimeoutError)


@dataclasses.dataclass
class Call:
    module: str
    args: Result
    at: float
    wrap_async: bool
    socket: str | None


class Target:
    """Stands in for a host that runs the module, with answers from a script."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.args: Result = {}
        self.answers: dict[str, Answers] = {}
        self.calls: list[Call] = []
        self.seconds_per_poll = 0.0
        # Instead of running: by the number of the run, from 1; and what adds to its result.
        self.instead: dict[int, Result | BaseException] = {}
        self.more: Result = {}
        self._asked: dict[str | None, int] = {}

    def execute(
        self,
        module_name: str,
        module_args: Result | None = None,
        task_vars: Result | None = None,
        wrap_async: bool = False,
    ) -> Result:
        args = dict(self.args if module_args is None else module_args)
        assert task_vars is not None
        self.calls.append(Call(module_name, args, self.time.now, wrap_async, task_vars.get("ansible_socket")))
        self.time.now += self.seconds_per_poll
        instead = self.instead.get(len(self.calls))
        if isinstance(instead, BaseException):
            raise instead
        if instead is not None:
            return dict(instead)
        return dict(self._run(args, task_vars.get("ansible_socket")), **self.more)

    def _run(self, args: Result, socket: str | None) -> Result:
        validated = ArgumentSpecValidator(_argspec.wait_arguments(), **_argspec.TASK_RULES).validate(args)
        if validated.error_messages:
            return {"failed": True, "msg": "; ".join(validated.error_messages)}
        refs = _argspec.refs_of(validated.validated_parameters)
        if socket == POLL:
            return {"observations": seal([self._answer(ref) for ref in refs], Mask((), ()))}
        return self.wait(validated.validated_parameters)

    def wait(self, params: Result) -> Result:
        """What the module returns of a whole wait."""
        waiter = Waiter(
            _argspec.refs_of(params),
            policy_of(params, check_mode=False),
            probe=lambda refs: [self._answer(ref) for ref in refs],
            clock=self.time.monotonic,
            sleep=self.time.sleep,
            random=lambda: 0.0,
        )
        view = waiter.run()
        return dict(wait_result(view, single=params["tasks"] is None), failed=view.failure is not None)

    def _answer(self, ref: TaskRef) -> Observation:
        script = self.answers[ref.task_id or ""]
        number = self._asked.get(ref.task_id, 0)
        self._asked[ref.task_id] = number + 1
        answer = script[min(number, len(script) - 1)]
        return answer._replace(service=ref.service, id=ref.task_id) if isinstance(answer, Task) else answer


class Shown:
    """Stands in for Ansible's display."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None, bool]] = []

    def display(self, msg: str, color: str | None = None, stderr: bool = False) -> None:
        self.calls.append((msg, color, stderr))

    @property
    def lines(self) -> list[str]:
        return [line for line, dummy_color, dummy_stderr in self.calls]


class Stage:
    """Runs the action plugin for one task of a play."""

    def __init__(self, time: Time, shown: Shown) -> None:
        self.time = time
        self.target = Target(time)
        self.shown = shown
        self.host = "h1"
        self.connection = connection_loader.get("ssh", PlayContext(), "/dev/null")
        self.task_vars: Result = {}

    def run(self, answers: t.Mapping[str, Answers], *, keywords: Result | None = None, **args: t.Any) -> Result:
        """Wait for these tasks; ``keywords`` are those of the task, the others the options."""
        options = {"sleep": 10, "max_sleep": 10, **args}
        if "tasks" not in options and "service" not in options:
            options["tasks"] = [{"service": "dds", "task_id": task_id} for task_id in answers]
        self.target.answers = dict(answers)
        self.target.args = options
        task = PlaybookTask()
        task.action, task.args = WAIT, options
        for keyword, value in (keywords or {}).items():
            setattr(task, keyword, value)
        loader = DataLoader()
        templar = Templar(loader=loader)
        action = plugin.ActionModule(task, self.connection, PlayContext(), loader, templar, None)
        action._execute_module = self.target.execute
        return dict(action.run(task_vars={"inventory_hostname": self.host, **self.task_vars}))


@pytest.fixture(name="stage")
def fixture_stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(Time(), Shown())
    monkeypatch.setattr(plugin, "time", stage.time)
    monkeypatch.setattr(_terminal, "Display", lambda: stage.shown)
    # What reads the output of the tests matters to none of them.
    monkeypatch.setattr(plugin.os, "getppid", lambda: 2**30)
    monkeypatch.setattr("random.random", lambda: 0.0)
    return stage


# --- one poll after the other ---


def test_each_poll_is_a_run_of_the_module_that_does_not_wait(stage: Stage) -> None:
    result = stage.run({"a": [running(1), running(2), DONE]})
    assert not result["failed"]
    assert result["polls"] == 3
    assert [call.module for call in stage.target.calls] == [WAIT] * 3
    assert [call.at - 5_000 for call in stage.target.calls] == [0, 10, 20]
    for call in stage.target.calls:
        assert call.socket == POLL
        assert call.args["tasks"] == [{"service": "dds", "task_id": "a"}]
        assert not call.wrap_async


def test_a_poll_has_documented_options_only(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, region="r1", auth_token="x", ca_cert="/ca.pem", stall_timeout=99)
    for call in stage.target.calls:
        assert set(call.args) <= {"ca_cert", *_argspec.wait_arguments()}
        assert call.args["region"] == "r1"
        assert call.args["ca_cert"] == "/ca.pem"
        assert not {"delay", "sleep", "stall_timeout"} & set(call.args)


def test_a_finished_task_costs_one_run_and_no_line(stage: Stage) -> None:
    result = stage.run({"a": [DONE]})
    assert result["msg"] == "1 of 1 task finished; waited 0 s."
    assert len(stage.target.calls) == 1
    assert stage.time.sleeps == []
    assert stage.shown.calls == []


def test_only_what_is_not_over_is_asked_for_again(stage: Stage) -> None:
    stage.run({"a": [DONE], "b": [running(), DONE]})
    assert [[item["task_id"] for item in call.args["tasks"]] for call in stage.target.calls] == [["a", "b"], ["b"]]


def test_the_single_options_name_the_only_task(stage: Stage) -> None:
    result = stage.run({"a": [running(), DONE]}, service="dds", job_id="a")
    assert result["task"]["id"] == "a"
    assert result["tasks"] == [result["task"]]


@pytest.mark.parametrize("answers", [[running(), DONE], [running(), FAILED], [running()]], ids=["good", "bad", "slow"])
@pytest.mark.parametrize("as_list", [True, False], ids=["list", "single"])
def test_the_result_is_the_one_of_the_module_itself(stage: Stage, answers: Answers, as_list: bool) -> None:
    named: Result = {} if as_list else {"service": "dds", "task_id": "a"}
    live = stage.run({"a": answers}, timeout=25, **named)
    target = Target(stage.time)
    target.answers = {"a": answers}
    args = {"sleep": 10, "max_sleep": 10, "timeout": 25, **(named or {"tasks": [{"service": "dds", "task_id": "a"}]})}
    assert live == target.execute(WAIT, args, {})
    assert live["changed"] is False


def test_the_first_poll_waits_for_delay(stage: Stage) -> None:
    stage.run({"a": [DONE]}, delay=7)
    assert stage.target.calls[0].at == 5_007


def test_numbers_that_make_no_sense_are_refused_as_by_the_module(stage: Stage) -> None:
    result = stage.run({"a": [DONE]}, sleep=0)
    assert result["failed"]
    assert result["msg"] == "sleep must be more than 0 seconds."
    assert stage.target.calls == []


def test_options_that_are_wrong_are_left_to_the_module(stage: Stage) -> None:
    result = stage.run({"a": [DONE]}, service="dds", timeout="soon")
    assert result["failed"]
    assert "tasks" in result["msg"] or "timeout" in result["msg"]
    assert len(stage.target.calls) == 1
    assert stage.target.calls[0].args["timeout"] == "soon"


# --- the module does the whole wait ---


def test_async_runs_the_module_once_in_the_background(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, keywords={"async_val": 60})
    (call,) = stage.target.calls
    assert call.wrap_async
    assert call.args == stage.target.args
    assert stage.shown.calls == []


def test_check_mode_runs_the_module_once(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, keywords={"check_mode": True})
    (call,) = stage.target.calls
    assert not call.wrap_async
    assert call.args == stage.target.args
    assert stage.shown.calls == []


@pytest.mark.parametrize("no", [False, "no", "false"])
def test_without_progress_there_are_no_lines(stage: Stage, no: t.Any) -> None:
    result = stage.run({"a": [running(), DONE]}, progress=no)
    assert result["polls"] == len(stage.target.calls) == 2
    assert stage.shown.calls == []


def test_a_connection_with_a_socket_of_its_own_runs_the_module_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of network devices, whose modules run on the controller, and get that socket's address."""
    monkeypatch.setattr(type(stage.connection), "socket_path", "/run/pc/1", raising=False)
    result = stage.run({"a": [running(), DONE]})
    assert result["polls"] == 2
    assert len(stage.target.calls) == 1


# --- what is shown ---


def test_lines_go_to_stderr_in_the_colors_of_ansible(stage: Stage) -> None:
    stage.run({"a": [running(), DONE], "b": [running(), FAILED], "c": [running(), REFUSED]}, fail_fast=False)
    assert all(stderr for dummy_line, dummy_color, stderr in stage.shown.calls)
    colors = {line.split("  ")[0]: color for line, color, dummy in stage.shown.calls[4:-1]}
    assert colors == {
        "[h1] DDS a": C.COLOR_OK,
        "[h1] DDS b": C.COLOR_ERROR,
        "[h1] DDS c": C.COLOR_ERROR,
    }
    assert all(color is None for dummy_line, color, dummy_stderr in stage.shown.calls[:4])


def test_no_log_is_silent(stage: Stage) -> None:
    result = stage.run({"a": [running(), DONE]}, keywords={"no_log": True})
    assert result["polls"] == 2
    assert stage.shown.calls == []


def test_a_delegated_wait_names_both_hosts(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, keywords={"delegate_to": "bastion"})
    assert all(line.startswith("[h1 -> bastion] ") for line in stage.shown.lines)


def test_a_heartbeat_within_one_long_sleep(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, sleep=250, max_sleep=250)
    beats = [line for line in stage.shown.lines if "still waiting" in line]
    assert [line.rpartition(" ")[2] for line in beats] == ["0:01:00", "0:02:00", "0:03:00", "0:04:00"]
    assert stage.target.calls[1].at == 5_250


def test_a_heartbeat_between_many_polls_without_a_change(stage: Stage) -> None:
    stage.run({"a": [running()]}, timeout=200)
    beats = [line for line in stage.shown.lines if "still waiting" in line]
    assert [line.rpartition(" ")[2] for line in beats] == ["0:01:00", "0:02:00", "0:03:00"]


def test_a_heartbeat_that_fell_due_during_a_poll_comes_right_after_it(stage: Stage) -> None:
    """The pause that follows may be long: a server may ask for five minutes."""
    stage.target.seconds_per_poll = 8
    stage.run({"a": [running(), running(), DONE]}, sleep=62, max_sleep=62)
    # Told at 8, polled from 62 to 70, when a heartbeat has been due since 68.
    assert any(line.endswith("still waiting after 0:01:10") for line in stage.shown.lines)


def test_nothing_is_silent_for_long_not_even_before_the_first_poll(stage: Stage) -> None:
    """A job that prints nothing for minutes gets killed, whatever it is waiting for."""
    stage.run({"a": [running(), DONE]}, delay=600)
    assert len(stage.shown.calls) > 5


# --- trouble on the way to the target ---


@pytest.mark.parametrize("error", [AnsibleConnectionFailure, AnsibleAuthenticationFailure, AnsibleError])
def test_a_host_that_cannot_be_reached_later_is_trouble(stage: Stage, error: type[Exception]) -> None:
    """The ssh plugin raises a plain AnsibleError when the connection is lost while it copies the module."""
    stage.target.instead[2] = error("ssh: connect to host h1 port 22: No route to host")
    result = stage.run({"a": [running(), DONE]})
    assert not result["failed"]
    assert result["polls"] == 3
    assert any("no response: " in line and "ssh: connect to host h1 port 22" in line for line in stage.shown.lines)
    assert result["tasks"][0]["error"]["kind"] == "connection"


@pytest.mark.parametrize("error", [AnsibleConnectionFailure, AnsibleAuthenticationFailure, AnsibleError])
def test_a_host_that_cannot_be_reached_at_first_is_left_to_ansible(stage: Stage, error: type[Exception]) -> None:
    """Which calls it unreachable, as with any module."""
    stage.target.instead[1] = error("ssh: connect to host h1 port 22: No route to host")
    with pytest.raises(error):
        stage.run({"a": [running(), DONE]})
    assert len(stage.target.calls) == 1
    assert stage.shown.calls == []


def test_a_host_that_stays_away_ends_the_wait_after_error_grace(stage: Stage) -> None:
    for number in range(2, 99):
        stage.target.instead[number] = AnsibleConnectionFailure("No route to host")
    result = stage.run({"a": [running()]}, error_grace=50)
    assert result["failed"]
    assert result["failure"]["kind"] == "connection"
    assert result["failure"]["message"] == "No route to host"
    assert result["elapsed"] == 60
    assert result["pending"] == [TaskRef("dds", "a").to_option()]
    assert result["tasks"][0]["status"] == "Running"
    assert "Target host unreachable" in result["msg"]
    assert not result.get("unreachable")


def test_a_crash_in_the_middle_is_trouble(stage: Stage) -> None:
    stage.target.instead[2] = CRASH
    result = stage.run({"a": [running(), DONE]})
    assert not result["failed"]
    assert result["polls"] == 3
    assert all(line.isprintable() for line in stage.shown.lines)


def test_a_crash_at_the_first_poll_is_returned_as_it_is(stage: Stage) -> None:
    stage.target.instead[1] = CRASH
    result = stage.run({"a": [DONE]})
    assert {key: result[key] for key in CRASH} == CRASH
    assert len(stage.target.calls) == 1
    assert stage.shown.calls == []


# --- credentials ---


def test_each_poll_has_the_credentials_as_they_were_given(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, **PASSWORD)
    assert [{name: call.args[name] for name in PASSWORD} for call in stage.target.calls] == [PASSWORD] * 2


# --- the command that resumes ---


def test_the_command_that_resumes_waits_in_the_same_way(stage: Stage) -> None:
    given = {"require": "any", "validate_certs": False, "timeout": 7200, "ca_path": "/ca.pem", "language": "zh-cn"}
    stage.run({"a": [running(percent) for percent in range(9)] + [DONE]}, **given, delay=5, **PASSWORD)
    (line,) = (line for line in stage.shown.lines if "resume with: " in line)
    command = shlex.split(line.partition("resume with: ")[2])
    variables = json.loads(command[-1])
    assert variables == {
        **given,
        "sleep": 10,
        "max_sleep": 10,
        "region": "r1",
        "tasks": [{"service": "dds", "task_id": "a"}],
    }


@pytest.mark.parametrize("source", ["endpoint", "iam_endpoint", "item"])
def test_an_address_with_a_password_is_not_shown(stage: Stage, source: str) -> None:
    address = "https://user:hunter2@example.com"
    task = {"service": "dds", "task_id": "a", **({"endpoint": address} if source == "item" else {})}
    result = stage.run({"a": [DONE]}, tasks=[task], **({} if source == "item" else {source: address}))
    assert result["failed"]
    assert not result["polls"]
    assert "hunter2" not in repr((result, stage.shown.calls))


# --- time ---


def test_every_poll_may_take_the_whole_request_timeout(stage: Stage) -> None:
    stage.run({"a": [running()]}, timeout=35, sleep=10, request_timeout=30)
    assert [call.args["request_timeout"] for call in stage.target.calls] == [30, 30, 30, 30]
    assert [call.at - 5_000 for call in stage.target.calls] == [0, 10, 20, 35]


def test_a_short_request_timeout_stays_as_it_is(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, request_timeout=2.5)
    assert [call.args["request_timeout"] for call in stage.target.calls] == [2.5, 2.5]


def test_the_keyword_timeout_gives_a_proper_result(stage: Stage) -> None:
    stage.time.ends_at = 5_025
    result = stage.run({"a": [running()], "b": [DONE]}, keywords={"timeout": 25})
    assert result["failed"]
    assert result["failure"]["kind"] == "timeout"
    assert result["failure"]["message"] == "the task's keyword timeout ended the wait after 25 s"
    assert result["pending"] == [TaskRef("dds", "a").to_option()]
    assert [entry["state"] for entry in result["tasks"]] == ["running", "succeeded"]
    assert result["elapsed"] == 25
    assert result["polls"] == 3
    assert "not canceled" in result["msg"]


def test_the_keyword_timeout_is_caught_in_the_midst_of_the_first_poll(stage: Stage) -> None:
    stage.target.instead[1] = task_timeout()
    result = stage.run({"a": [running()]}, keywords={"timeout": 5})
    assert result["failure"]["kind"] == "timeout"
    assert result["tasks"][0]["id"] == "a"
    assert result["pending"] == [TaskRef("dds", "a").to_option()]
    assert result["polls"] == 0


def test_the_keyword_timeout_is_known_by_its_class() -> None:
    assert plugin.TaskTimeoutError.__name__ == "TaskTimeoutError"
    assert not issubclass(plugin.TaskTimeoutError, Exception)


# --- what else a result of the module may hold ---


def test_warnings_are_passed_on_once(stage: Stage) -> None:
    result = stage.run({"a": [unlisted("Paused"), unlisted("Paused"), unlisted("Parked"), DONE]})
    assert len(result["warnings"]) == 2
    assert "'Paused'" in result["warnings"][0]
    assert "'Parked'" in result["warnings"][1]


def test_what_ansible_adds_to_the_results_of_polls_is_passed_on(stage: Stage) -> None:
    """Ansible finds the interpreter of a host once, if it is told what was found."""
    found = {"discovered_interpreter_python": "/usr/bin/python3"}
    stage.target.more = {"ansible_facts": found, "deprecations": [{"msg": "old", "version": "9"}]}
    result = stage.run({"a": [running(), DONE]})
    assert result["ansible_facts"] == found
    assert result["deprecations"] == [{"msg": "old", "version": "9"}]


def test_without_warnings_there_is_no_such_key(stage: Stage) -> None:
    result = stage.run({"a": [running(), DONE]})
    assert not {"warnings", "deprecations", "ansible_facts"} & set(result)


def test_other_actions_are_not_changed_by_this_one(stage: Stage) -> None:
    stage.run({"a": [running(), DONE]}, **PASSWORD)
    assert stage.target.args == {
        "sleep": 10,
        "max_sleep": 10,
        "tasks": [{"service": "dds", "task_id": "a"}],
        **PASSWORD,
    }
