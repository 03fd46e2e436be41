# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that query one task of a service."""

from __future__ import annotations

import json
import typing as t
from unittest.mock import Mock

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _query_module
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import TaskClient, TaskResponse
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import MODULE_SERVICES, SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from simulator import Simulator, accounts

MODULES = "ansible_collections.huaweicloud.tasks.plugins.modules"
NAMES = {service: SERVICES[service].module for service in MODULE_SERVICES}
NEEDED = {
    "taurusdb": {"task_id": "t"},
    "taurusdb_restore": {"instance_id": "i"},
    "dds": {"task_id": "t"},
    "kafka": {"task_id": "t", "instance_id": "i"},
}
NAMED = [(service, NAMES[service]) for service in NAMES]
# What each result has, however the query went.
KEYS = {"task", "response", "failure"}


def connection(sim: Simulator, service: str) -> dict[str, t.Any]:
    return {"endpoint": sim.endpoint(service), "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN}


def naming(service: str, task: dict[str, str]) -> dict[str, str]:
    """The options that name a task."""
    options = {"taurusdb_restore": ("task_id", "instance_id", "task_name"), "kafka": ("task_id", "instance_id")}
    return {option: task[option] for option in options.get(service, ("task_id",))}


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_task(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    task = sim.add_task(service, status="SUCCESS" if service == "kafka" else "Completed")
    result = run_module(module, **connection(sim, service), **naming(service, task)).result
    assert result["task"]["id"] == task["task_id"]
    assert result["task"]["state"] == "succeeded"
    assert result["response"]
    assert result["failure"] is None
    assert set(result) - {"invocation", "warnings"} == KEYS
    assert accounts.TOKEN not in json.dumps(result)


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_an_id_that_a_template_left_empty(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    named = {**naming(service, sim.add_task(service)), "task_id": ""}
    named.update({"task_name": ""} if "task_name" in named else {})
    result = run_module.fail(module, **connection(sim, service), **named)
    assert result["msg"].startswith("task_id is empty.")
    assert sim.requests() == []


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_aliases_and_check_mode(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    """Check mode makes no difference to a query."""
    task = sim.add_task(service)
    old = {"task_id": "job_id", "task_name": "job_name"}
    named = {old.get(option, option): value for option, value in naming(service, task).items()}
    result = run_module(module, check_mode=True, **connection(sim, service), **named).result
    assert result["task"]["id"] == task["task_id"]


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_no_such_task(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    named = {"task_id": "0" * 32, "instance_id": "i", "task_name": "n"}
    result = run_module(module, **connection(sim, service), **naming(service, named)).result
    assert result["task"] is None
    assert result["response"]
    assert "failed" not in result


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_error(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    sim.add_fault("status", status=500, error_code="DBS.108000", error_msg="Out of order.")
    result = run_module.fail(module, **connection(sim, service), **NEEDED[service])
    assert result["task"] is None
    assert result["response"] is None
    failure = result["failure"]
    assert failure.pop("request_id")
    assert failure == {"kind": "api_error", "code": "DBS.108000", "message": "Out of order.", "http_status": 500}
    assert "HTTP 500 DBS.108000: Out of order (request id" in result["msg"]
    assert set(result) - {"invocation", "warnings"} == {*KEYS, "msg", "failed"}


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_bad_input(run_module: t.Any, sim: Simulator, service: str, module: str) -> None:
    option = "instance_id" if service == "taurusdb_restore" else "task_id"
    result = run_module.fail(module, **connection(sim, service), **{**NEEDED[service], option: "../x"})
    assert result["msg"] == f"{option} must consist of letters, digits, '-' and '_' only."
    assert {key: result[key] for key in KEYS} == dict.fromkeys(KEYS)
    assert sim.requests() == []


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_missing_options(run_module: t.Any, service: str, module: str) -> None:
    result = run_module.fail(module)
    assert result["msg"].startswith("missing required arguments: ")
    for option in NEEDED[service]:
        assert option in result["msg"]


@pytest.mark.parametrize("given", [{"task_id": "t"}, {"task_name": "n"}])
def test_a_restore_is_named_by_both(run_module: t.Any, given: dict[str, str]) -> None:
    result = run_module.fail("taurusdb_restore_task_info", instance_id="i", **given)
    assert result["msg"] == "parameters are required together: task_id, task_name"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"language": "de-de"}, "value of language must be one of: en-us, zh-cn, got: de-de"),
        ({"validate_certs": "perhaps"}, "validate_certs"),
        ({"request_timeout": "soon"}, "request_timeout"),
        ({"request_timeout": 0}, "request_timeout must be more than 0"),
        ({"service": "dds"}, "Unsupported parameters"),
        ({"access_key": "a-key-of-no-use", "auth_token": None}, "access_key is given without secret_key."),
        ({"endpoint": "http://example.com"}, "endpoint is an http:// address"),
        ({"endpoint": None}, "Neither region nor endpoint is given."),
        ({"ca_path": "/no/such/file"}, "ca_path names /no/such/file, which does not exist"),
        ({"ca_cert": "/no/such/file"}, "ca_path names /no/such/file, which does not exist"),
    ],
)
def test_mistakes(run_module: t.Any, sim: Simulator, given: dict[str, t.Any], message: str) -> None:
    result = run_module.fail("dds_task_info", **{**connection(sim, "dds"), "task_id": "t", **given})
    assert message in result["msg"]
    assert sim.requests() == []


def test_credentials_of_the_environment(run_module: t.Any, sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HW_ACCESS_KEY", accounts.ACCESS_KEY)
    monkeypatch.setenv("HW_SECRET_KEY", accounts.SECRET_KEY)
    monkeypatch.setenv("HUAWEICLOUD_SDK_PROJECT_ID", accounts.PROJECT_ID)
    task = sim.add_task("dds")
    result = run_module("dds_task_info", endpoint=sim.endpoint("dds"), task_id=task["task_id"]).result
    assert result["task"]["id"] == task["task_id"]
    assert sim.requests()[0]["auth"] == "aksk"


@pytest.mark.parametrize("source", ["option", "environment"])
def test_secrets_in_an_answer_are_masked(
    run_module: t.Any, sim: Simulator, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """A server that repeats what it was sent does not bring it into the output."""
    given = connection(sim, "dds")
    if source == "environment":
        monkeypatch.setenv("HW_AUTH_TOKEN", given.pop("auth_token"))
    body = {"error_code": "X.1", "error_msg": f"bad token {accounts.TOKEN}"}
    sim.add_fault("status", status=403, body=body)
    outcome = run_module("dds_task_info", task_id="t", **given)
    assert outcome.code == 1
    assert "bad token" in outcome.output
    assert accounts.TOKEN not in outcome.output


def test_token_of_a_login_is_masked(run_module: t.Any, sim: Simulator) -> None:
    sim.change_accounts(token_lifetime=86400)
    task = sim.add_task("dds", id="t", raw={"job": {"id": "t", "status": "Running", "name": "MIISimulatorIssued-"}})
    login = {"username": accounts.USERNAME, "password": accounts.PASSWORD, "domain_name": accounts.DOMAIN_NAME}
    source = {"endpoint": sim.endpoint("dds"), "iam_endpoint": sim.endpoint("iam"), "region": accounts.REGION}
    outcome = run_module("dds_task_info", task_id=task["task_id"], **source, **login)
    assert outcome.code == 0
    assert accounts.PASSWORD not in outcome.output


@pytest.mark.parametrize("text", ["\ud800", "\u0000\u001b[31m", "ü一🙂", "x" * 100_000])
def test_odd_texts_in_an_answer(run_module: t.Any, sim: Simulator, text: str) -> None:
    body = json.dumps({"job": {"id": "t", "status": "Failed", "fail_reason": text, "name": text}})
    sim.add_fault("status", status=200, body=body)
    result = run_module("dds_task_info", task_id="t", **connection(sim, "dds")).result
    assert result["task"]["state"] == "failed"
    # Ansible refuses a result with half a letter in it.
    assert result["response"]["job"]["fail_reason"] == text.replace("\ud800", "\ufffd")


@pytest.mark.parametrize(
    "token", ["a-secret\u2026with-an-ellipsis", "a-secret\nwith-a-line-break", "a-secret\0with-a-null"], ids=range(3)
)
def test_token_that_no_header_can_carry(run_module: t.Any, sim: Simulator, token: str) -> None:
    """As it comes out of a terminal that wraps or shortens lines."""
    given = {**connection(sim, "dds"), "auth_token": token}
    outcome = run_module("dds_task_info", task_id="t", **given)
    assert outcome.code == 1
    assert "a-secret" not in outcome.output
    assert "with-a" not in outcome.output


# run() without a connection


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_run(service: str, module: str) -> None:
    client = Mock(spec=TaskClient)
    client.get_task.return_value = TaskResponse(Task(service, "running", id="t"), {"a": 1})
    params = {"task_id": "t", "instance_id": "i", "task_name": "n"}
    result = _query_module.run(service, params, client)
    assert result == {"task": Task(service, "running", id="t").to_dict(), "response": {"a": 1}, "failure": None}
    client.get_task.assert_called_once_with(TaskRef(service, "t", "i", "n"))


@pytest.mark.parametrize(("service", "module"), NAMED)
def test_run_fails(service: str, module: str) -> None:
    client = Mock(spec=TaskClient)
    client.get_task.side_effect = ApiError("no", error_class=ErrorClass.FATAL)
    with pytest.raises(ApiError):
        _query_module.run(service, {"task_id": "t"}, client)
