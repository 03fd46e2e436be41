# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module wait_for_task: its options, and how a wait becomes a result."""

from __future__ import annotations

import signal
import time
import typing as t
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _argspec
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import END_SIGNALS, Channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import TaskClient
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import Stream
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.modules import wait_for_task
from simulator import Simulator, accounts

# Ansible's own keys; it keeps warnings from one module to the next where they run in one process.
ANSIBLE = {"invocation", "failed", "warnings"}
KEYS = {"changed", "tasks", "task", "pending", "elapsed", "polls", "msg", "failure"}
MODULE = "wait_for_task"


@pytest.fixture(autouse=True)
def fixture_signals() -> Iterator[None]:
    """main() sets handlers of its own."""
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def connection(sim: Simulator) -> dict[str, t.Any]:
    return {"endpoint": sim.url, "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN}


def item(task: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in task.items() if name != "project_id"}


def test_one_task(run_module: t.Any, sim: Simulator) -> None:
    task = sim.add_task("dds", status="Completed")
    result = run_module(MODULE, service="dds", task_id=task["task_id"], **connection(sim)).result
    assert set(result) - ANSIBLE == KEYS
    assert result["task"]["state"] == "succeeded"
    assert result["tasks"] == [result["task"]]
    assert (result["pending"], result["polls"], result["failure"]) == ([], 1, None)


def test_many_tasks(run_module: t.Any, sim: Simulator) -> None:
    """Of all services, in the order given."""
    statuses = {"dds": "Completed", "kafka": "SUCCESS", "taurusdb": "Completed", "taurusdb_restore": "complete"}
    tasks = [sim.add_task(service, status=word) for service, word in statuses.items()]
    result = run_module(MODULE, tasks=[item(task) for task in tasks], **connection(sim)).result
    assert [task["id"] for task in result["tasks"]] == [task["task_id"] for task in tasks]
    assert {task["state"] for task in result["tasks"]} == {"succeeded"}
    assert result["task"] is None


def test_nothing_to_wait_for(run_module: t.Any, sim: Simulator) -> None:
    result = run_module(MODULE, tasks=[], **connection(sim)).result
    assert set(result) - ANSIBLE == KEYS
    assert (result["tasks"], result["task"], result["pending"]) == ([], None, [])
    assert sim.requests() == []


def test_null_as_the_tasks(run_module: t.Any, sim: Simulator) -> None:
    """As of a variable that holds nothing; Ansible takes it for given."""
    result = run_module.fail(MODULE, tasks=None, **connection(sim))
    assert set(result) - ANSIBLE == KEYS
    assert result["msg"] == "Neither service nor tasks is given."
    assert sim.requests() == []


def test_failed_task(run_module: t.Any, sim: Simulator) -> None:
    task = sim.add_task("dds", status="Failed", fail_reason="Failed to upgrade the DB Agent.")
    result = run_module.fail(MODULE, service="dds", task_id=task["task_id"], **connection(sim))
    assert set(result) - ANSIBLE == KEYS
    assert result["failure"]["kind"] == "task_failed"
    assert result["task"]["fail_reason"] == "Failed to upgrade the DB Agent."
    assert "Failed to upgrade the DB Agent." in result["msg"]


def test_time_runs_out(run_module: t.Any, sim: Simulator) -> None:
    task = sim.add_task("dds", status="Running", progress=40)
    result = run_module.fail(MODULE, service="dds", task_id=task["task_id"], timeout=0, **connection(sim))
    assert result["failure"]["kind"] == "timeout"
    assert result["polls"] == 1
    [left] = result["pending"]
    # Ready to be passed in again.
    sim.change_task(task["task_id"], status="Completed")
    again = run_module(MODULE, tasks=[left], **connection(sim)).result
    assert again["tasks"][0]["state"] == "succeeded"


def test_check_mode_polls_once(run_module: t.Any, sim: Simulator) -> None:
    task = sim.add_task("dds", status="Running")
    result = run_module(MODULE, check_mode=True, service="dds", task_id=task["task_id"], **connection(sim)).result
    assert result["task"]["state"] == "running"
    assert result["polls"] == 1
    assert len(result["pending"]) == 1


def test_unlisted_word(run_module: t.Any, sim: Simulator) -> None:
    task = sim.add_task("dds", status="Paused")
    given = {"service": "dds", "task_id": task["task_id"], **connection(sim)}
    outcome = run_module(MODULE, check_mode=True, **given)
    assert outcome.result["task"]["state"] == "unknown"
    # Where the process has loaded Ansible's controller, it shows warnings itself.
    assert "has the status 'Paused', which this collection does not know" in outcome.output + outcome.errors


def test_refused(run_module: t.Any, sim: Simulator) -> None:
    given = {**connection(sim), "auth_token": "wrong-token"}
    result = run_module.fail(MODULE, service="dds", task_id="t", **given)
    assert result["failure"]["kind"] == "unauthorized"
    assert set(result) - ANSIBLE == KEYS
    assert len(sim.requests()) == 1


MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({}, "one of the following is required: service, tasks"),
    ({"task_id": "t"}, "one of the following is required: service, tasks"),
    ({"service": "dds", "tasks": []}, "parameters are mutually exclusive: tasks|service"),
    ({"task_id": "t", "tasks": []}, "parameters are mutually exclusive: tasks|task_id"),
    ({"service": "rdss", "task_id": "t"}, "value of service must be one of: taurusdb, taurusdb_restore, dds, kafka"),
    ({"tasks": [{"task_id": "t"}]}, "missing required arguments: service found in tasks"),
    ({"tasks": [{"service": "rdss", "task_id": "t"}]}, "value of service must be one of: taurusdb, taurusdb_restore"),
    ({"tasks": [{"service": "dds", "task_id": "t", "color": "red"}]}, "Unsupported parameters"),
    ({"tasks": ["t"]}, "dictionary requested"),
    ({"tasks": "t"}, "dictionary requested"),
    ({"service": "dds"}, "A task of dds needs task_id."),
    ({"service": "kafka", "task_id": "t"}, "A task of kafka needs instance_id."),
    (
        {"service": "taurusdb_restore", "instance_id": "i", "task_id": "t"},
        "A task of taurusdb_restore that is named by task_id needs task_name too.",
    ),
    ({"tasks": [{"service": "dds"}]}, "A task of dds needs task_id."),
    ({"service": "dds", "task_id": "../x"}, "task_id must consist of letters, digits, '-' and '_' only."),
    ({"service": "dds", "task_id": "t", "timeout": -1}, "timeout must be a number of seconds that is not negative."),
    ({"service": "dds", "task_id": "t", "delay": -1}, "delay must be a number of seconds that is not negative."),
    ({"service": "dds", "task_id": "t", "sleep": 0}, "sleep must be more than 0 seconds."),
    ({"service": "dds", "task_id": "t", "error_grace": -5}, "error_grace must be a number of seconds"),
    ({"service": "dds", "task_id": "t", "timeout": "nan"}, "timeout"),
    ({"service": "dds", "task_id": "t", "require": "most"}, "value of require must be one of: all, any, got: most"),
]


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_mistakes(run_module: t.Any, sim: Simulator, given: dict[str, t.Any], message: str) -> None:
    result = run_module.fail(MODULE, **connection(sim), **given)
    assert message in result["msg"]
    assert sim.requests() == []


def test_a_mistake_has_the_same_shape(run_module: t.Any, sim: Simulator) -> None:
    """No key is sometimes absent: whoever reads result.pending after a failure finds it."""
    result = run_module.fail(MODULE, service="dds", task_id="../x", **connection(sim))
    assert set(result) - ANSIBLE >= KEYS - {"changed"}


def test_password_without_an_address_to_log_in(run_module: t.Any, sim: Simulator) -> None:
    """A mistake in the options, not a crash."""
    login = {"username": accounts.USERNAME, "password": accounts.PASSWORD, "domain_name": accounts.DOMAIN_NAME}
    source = {"endpoint": sim.url, "project_id": accounts.PROJECT_ID}
    result = run_module.fail(MODULE, service="dds", task_id="t", timeout=0, **source, **login)
    assert "Neither region nor iam_endpoint is given" in result["msg"]
    assert sim.requests() == []


@pytest.mark.parametrize("alias", [{"job_id": "t"}, {"task_id": "t"}])
def test_aliases_in_a_list(run_module: t.Any, sim: Simulator, alias: dict[str, str]) -> None:
    sim.add_task("dds", id="t", status="Completed")
    result = run_module(MODULE, tasks=[{"service": "dds", **alias}], **connection(sim)).result
    assert result["tasks"][0]["id"] == "t"


# wait() without a connection


def params(**given: t.Any) -> dict[str, t.Any]:
    """The options as Ansible gives them."""
    return {**{name: spec.get("default") for name, spec in _argspec.wait_arguments().items()}, **given}


def run(client: Mock, check_mode: bool = False, **given: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    warnings: list[str] = []
    options = params(**given)
    result = wait_for_task.wait(
        options,
        client,
        Stream(Channel(), _argspec.refs_of(options), ()),
        check_mode=check_mode,
        started=time.monotonic(),
        warn=warnings.append,
    )
    return result, warnings


def test_run() -> None:
    client = Mock(spec=TaskClient)
    client.get_tasks.return_value = [Task("dds", "succeeded", id="t", status="Completed")]
    result, warnings = run(client, service="dds", task_id="t")
    assert result["task"]["id"] == "t"
    assert warnings == []
    ref = TaskRef("dds", "t")
    client.check.assert_called_once_with([ref])
    assert list(client.get_tasks.call_args.args[0]) == [ref]


def test_run_with_a_list() -> None:
    client = Mock(spec=TaskClient)
    client.get_tasks.return_value = [Task("dds", "succeeded", id="t"), Task("kafka", "succeeded", id="k")]
    first = {"service": "dds", "task_id": "t", "job_id": "t", "region": "r", "project_id": "p", "endpoint": "e"}
    result, dummy = run(client, tasks=[first, {"service": "kafka", "task_id": "k", "instance_id": "i"}])
    assert [task["id"] for task in result["tasks"]] == ["t", "k"]
    refs = [TaskRef("dds", "t", region="r", project_id="p", endpoint="e"), TaskRef("kafka", "k", "i")]
    client.check.assert_called_once_with(refs)


def test_run_checks_before_it_asks() -> None:
    client = Mock(spec=TaskClient)
    client.check.side_effect = InputError("no")
    with pytest.raises(InputError):
        run(client, service="dds", task_id="t")
    client.get_tasks.assert_not_called()


def test_run_checks_the_policy_before_it_asks() -> None:
    client = Mock(spec=TaskClient)
    with pytest.raises(InputError, match="timeout must be a number of seconds"):
        run(client, service="dds", task_id="t", timeout=-1.0)
    client.get_tasks.assert_not_called()


def test_run_fails() -> None:
    client = Mock(spec=TaskClient)
    client.get_tasks.return_value = [Task("dds", "failed", id="t", status="Failed")]
    result, dummy = run(client, service="dds", task_id="t")
    assert set(result) == KEYS
    assert result["failure"]["kind"] == "task_failed"


def test_run_warns_of_an_unlisted_word_once() -> None:
    client = Mock(spec=TaskClient)
    client.get_tasks.return_value = [Task("dds", "unknown", id=name, status="Paused") for name in "ab"]
    tasks = [{"service": "dds", "task_id": name} for name in "ab"]
    dummy, warnings = run(client, check_mode=True, tasks=tasks)
    assert len(warnings) == 1
    assert "'Paused'" in warnings[0]
