# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that queries tasks of any service, and of any API that a play describes."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.modules import task_info
from simulator import Simulator, accounts, catalog

KEYS = {"tasks", "task", "pending", "complete", "failure"}
NO_SUCH_ID = "0" * 32


def connection(sim: Simulator, **given: t.Any) -> dict[str, t.Any]:
    return {"endpoint": sim.url, "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN, **given}


def named(task: dict[str, str]) -> dict[str, str]:
    """The options that name a task: what its service needs."""
    service = SERVICES[task["service"]]
    return {name: task[name] for name in ("service", *service.required, *service.required_together)}


def final(service: str, outcome: str) -> str:
    return catalog.CATALOG[service].words.outcomes[outcome]


@pytest.mark.parametrize("service", SERVICES)
def test_one_task(run_module: t.Any, sim: Simulator, service: str) -> None:
    task = sim.add_task(service, status=final(service, "succeeded"))
    result = run_module("task_info", **connection(sim), **named(task)).result
    assert set(result) - {"invocation"} == KEYS
    assert (result["task"]["id"], result["task"]["state"]) == (task["task_id"], "succeeded")
    assert result["tasks"] == [result["task"]]
    assert set(result["task"]) == {*Task("dds", "pending").to_dict(), "error"}
    assert (result["pending"], result["complete"], result["failure"]) == ([], True, None)
    assert accounts.TOKEN not in json.dumps(result)


def test_all_services_at_once(run_module: t.Any, sim: Simulator) -> None:
    """In check mode, too; the answers are in the order given."""
    tasks = [sim.add_task(service, status=catalog.CATALOG[service].words.running) for service in SERVICES]
    ended = [sim.add_task(service, status=final(service, "failed")) for service in SERVICES]
    result = run_module("task_info", check_mode=True, **connection(sim), tasks=[named(task) for task in tasks + ended])
    found = result.result
    assert [entry["id"] for entry in found["tasks"]] == [task["task_id"] for task in tasks + ended]
    assert [entry["state"] for entry in found["tasks"][len(tasks) :]] == ["failed"] * len(ended)
    assert found["task"] is None
    assert [entry["task_id"] for entry in found["pending"]] == [task["task_id"] for task in tasks]
    assert (
        run_module("task_info", **connection(sim), tasks=found["pending"]).result["tasks"]
        == found["tasks"][: len(tasks)]
    )


@pytest.mark.parametrize("service", SERVICES)
def test_an_unknown_id_is_no_failure(run_module: t.Any, sim: Simulator, service: str) -> None:
    task = {"service": service, "task_id": NO_SUCH_ID, "instance_id": "no-such-instance", "task_name": "no-such-name"}
    result = run_module("task_info", **connection(sim, endpoint=sim.endpoint(service)), **named(task)).result
    assert (result["task"]["state"], result["task"]["status"]) == ("unknown", None)
    assert result["task"]["error"]["kind"] == "not_found"
    assert result["failure"] is None
    assert len(result["pending"]) == 1


def test_a_request_that_fails_spoils_nothing_else(run_module: t.Any, sim: Simulator) -> None:
    good, bad = sim.add_task("ecs", status="SUCCESS"), sim.add_task("rds")
    sim.add_fault("status", status=500, error_code="X.1", error_msg="Out of order.", service="rds")
    result = run_module.fail("task_info", **connection(sim), tasks=[named(bad), named(good), named(bad)])
    assert [entry["state"] for entry in result["tasks"]] == ["unknown", "succeeded", "unknown"]
    assert result["tasks"][1]["error"] is None
    assert (result["failure"]["kind"], result["failure"]["code"]) == ("api_error", "X.1")
    assert result["tasks"][0]["error"]["code"] == "X.1"
    assert result["msg"].startswith("2 of 3 tasks could not be read. The first: Cannot read the RDS task ")
    assert len(result["pending"]) == 1
    assert set(result) - {"invocation", "failed"} == {*KEYS, "msg"}


MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"service": "ecs"}, "ecs has no list of tasks: name tasks by task_id."),
    ({"service": "kafka", "task_id": "t"}, "A task of kafka needs instance_id."),
    ({"tasks": [{"service": "ecs", "task_id": "a"}, {"service": "ecs", "task_id": "../b"}]}, "tasks[1]: task_id must"),
    ({"service": "ecs", "task_id": "t", "api": {"path": "/x"}}, "api is for service: custom only, not for ecs."),
    ({"service": "custom", "task_id": "t"}, "service: custom needs api"),
    ({"tasks": None}, "Neither service nor tasks is given."),
    ({"service": "ecs", "task_id": "t", "endpoint": None}, "Neither region nor endpoint is given."),
    (
        {"service": "sdrs", "task_id": "t", "endpoint": None, "region": "eu-west-0"},
        "No endpoint known for sdrs in region 'eu-west-0'. Known regions: af-south-1, ap-southeast-2,",
    ),
]


@pytest.mark.parametrize(("given", "message"), MISTAKES)
def test_mistakes(run_module: t.Any, sim: Simulator, given: dict[str, t.Any], message: str) -> None:
    result = run_module.fail("task_info", **{**connection(sim), **given})
    assert message in result["msg"]
    assert (result["tasks"], result["task"], result["pending"], result["failure"]) == ([], None, [], None)
    assert sim.requests() == []


@pytest.mark.parametrize("module", ["task_info", "wait_for_task"])
@pytest.mark.parametrize(
    ("given", "near"),
    [
        ({"service": "esc"}, "got: esc. Did you mean evs or ecs?"),
        ({"service": "rdss"}, "got: rdss. Did you mean rds?"),
        ({"tasks": [{"service": "kafak", "task_id": "t"}]}, "got: kafak found in tasks. Did you mean kafka?"),
        ({"service": "xyz"}, "got: xyz"),
    ],
)
def test_an_unknown_service_names_the_near_ones(
    run_module: t.Any, module: str, given: dict[str, t.Any], near: str
) -> None:
    assert run_module.fail(module, **given)["msg"].endswith(near)


def run(cloud: t.Any, **given: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    """The only task, and the warnings about it: Ansible keeps those of one module for the next in the same process."""
    warnings: list[str] = []
    params = {
        **dict.fromkeys(("task_id", "instance_id", "task_name", "tasks", "api", "states", "since")),
        "limit": 1000,
    }
    result = task_info.run({**params, **given}, cloud.by_token(), warnings.append)
    return result["task"], warnings


def test_a_word_that_no_row_has_is_named(cloud: t.Any) -> None:
    reference = cloud.sim.add_task("ecs", status="MEDITATING")
    task, warnings = run(cloud, **named(reference))
    assert task["state"] == "unknown"
    assert len(warnings) == 1
    assert "has the status 'MEDITATING', which this collection does not know" in warnings[0]


def test_a_word_that_an_api_does_not_list_is_named(cloud: t.Any) -> None:
    reference = cloud.sim.add_task("ecs_server", status="SHELVED")
    dummy, warnings = run(cloud, service="custom", task_id=reference["task_id"], api=SERVER)
    assert len(warnings) == 1
    assert "has the status 'SHELVED', which api does not list" in warnings[0]


# service: custom

SERVER = {
    "path": "/v1/{project_id}/cloudservers/{task_id}",
    "record": "server",
    "fields": {"id": "id", "name": "name", "status": "status"},
    "succeeded": ["active"],
    "failed": ["ERROR"],
    "running": ["BUILD"],
}
INSTANCE = {
    "path": "/v3/{project_id}/instances",
    "query": {"id": "{instance_id}"},
    "record": "instances[]",
    "fields": {"id": "id", "status": "status", "instance_name": "name"},
    "succeeded": ["normal"],
}
VOLUME = {
    "path": "/v2/{project_id}/cloudvolumes/{task_id}",
    "record": "volume",
    "fields": {"id": "id", "status": "status"},
    "succeeded": [],
    "failed": ["error_deleting"],
    "running": ["deleting"],
    "not_found": "succeeded",
}


@pytest.mark.parametrize(
    ("kind", "api", "option", "status", "state"),
    [
        ("ecs_server", SERVER, "task_id", "ACTIVE", "succeeded"),
        ("ecs_server", SERVER, "task_id", "BUILD", "running"),
        ("ecs_server", SERVER, "task_id", "ERROR", "failed"),
        ("ecs_server", SERVER, "task_id", "SHELVED", "unknown"),
        ("taurusdb_instance", INSTANCE, "instance_id", "normal", "succeeded"),
        ("taurusdb_instance", INSTANCE, "instance_id", "creating", "unknown"),
        ("evs_volume", VOLUME, "task_id", "deleting", "running"),
        ("evs_volume", VOLUME, "task_id", "error_deleting", "failed"),
        ("evs_volume", VOLUME, "task_id", "(gone)", "succeeded"),
        ("evs_volume", {**VOLUME, "not_found": "failed", "succeeded": ["x"]}, "task_id", "(gone)", "failed"),
        ("evs_volume", {**VOLUME, "not_found": "wait", "succeeded": ["x"]}, "task_id", "(gone)", "unknown"),
    ],
)
def test_an_object_of_another_api(
    run_module: t.Any, sim: Simulator, kind: str, api: dict[str, t.Any], option: str, status: str, state: str
) -> None:
    task = sim.add_task(kind, status=status)
    given = {"service": "custom", "api": api, option: task["task_id"]}
    result = run_module("task_info", **connection(sim), **given).result
    assert (result["task"]["service"], result["task"]["state"]) == ("custom", state)
    assert result["task"]["status"] == (None if status == "(gone)" else status)
    if result["pending"]:
        assert result["pending"][0]["api"]["fields"] == api["fields"]
        again = run_module("task_info", **connection(sim), tasks=result["pending"]).result
        assert again["tasks"][0]["state"] == state


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (SERVER, {"server": {"id": "t", "name": "n"}}),
        (SERVER, {"server": {}}),
        (SERVER, {"server": {"id": "t", "status": None}}),
        (SERVER, {"server": {"id": "t", "status": ["ACTIVE"]}}),
        ({**SERVER, "fields": {"status": "task.state"}}, {"server": {"status": "ACTIVE", "task": "ACTIVE"}}),
    ],
)
def test_a_status_that_is_missing_is_no_success(cloud: t.Any, api: dict[str, t.Any], body: t.Any) -> None:
    cloud.sim.add_fault("status", status=200, body=body)
    task, warnings = run(cloud, service="custom", task_id="t", api=api)
    assert (task["state"], task["status"]) == ("unknown", None)
    assert len(warnings) == 1
    assert f"has no status: there is nothing at {api['fields']['status']} (api.fields.status)." in warnings[0]


@pytest.mark.parametrize(("value", "state"), [(True, "succeeded"), (False, "running")])
def test_a_status_that_is_true_or_false(cloud: t.Any, value: bool, state: str) -> None:
    cloud.sim.add_fault("status", status=200, body={"server": {"status": value}})
    task, warnings = run(cloud, service="custom", task_id="t", api={**SERVER, "succeeded": [True], "running": [False]})
    assert (task["state"], task["status"], warnings) == (state, str(value).lower(), [])


def test_a_task_without_a_status_is_named_in_a_warning(cloud: t.Any) -> None:
    steps = [{"spec": {"type": "InstallMaster"}, "status": {"phase": "Success"}}]
    cloud.sim.add_fault("status", status=200, body={"metadata": {"uid": "t"}, "spec": {"subJobs": steps}})
    task, warnings = run(cloud, service="cce", task_id="t")
    assert (task["state"], task["status"]) == ("unknown", None)
    assert [warning.partition(" task ")[2] for warning in warnings] == [
        "t has no status: there is nothing at status.phase. The task counts as not finished."
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 404, "body": "<html>not here</html>"},
        {"status": 404, "body": ""},
        {"status": 404, "error_code": "APIGW.0101", "error_msg": "no such API"},
        {"status": 404, "error_code": "APIG.0101", "error_msg": "no such API"},
        {"status": 200, "body": {"volume": {"id": "other", "status": "deleting"}}},
        {"status": 200, "body": {"volumes": []}},
        {"status": 403, "error_code": "EVS.1", "error_msg": "no"},
        {"status": 403, "error_code": "DBS.280056", "error_msg": "bad token"},
        {"status": 500, "error_code": "EVS.2", "error_msg": "no"},
    ],
    ids=repr,
)
def test_only_the_services_word_means_that_an_object_is_gone(
    run_module: t.Any, sim: Simulator, fault: dict[str, t.Any]
) -> None:
    """A wrong address, a proxy, trouble: none of them has looked for the object."""
    sim.add_fault("status", **fault)
    outcome = run_module("task_info", **connection(sim), service="custom", task_id="t", api=VOLUME)
    assert outcome.result["task"]["state"] == "unknown"
    assert outcome.result["task"]["error"]


def test_a_mistake_in_the_path_is_looked_for_there(run_module: t.Any, sim: Simulator) -> None:
    """Where there is no such API; what no play wrote is not blamed on it."""
    sim.add_fault("wrong_host")
    given = dict(connection(sim), task_id="t")
    result = run_module.fail("task_info", **given, service="custom", api=VOLUME)
    assert result["msg"].endswith("There is no such API at this address: check api.path, region and endpoint.")
    result = run_module.fail("task_info", **given, service="evs")
    assert result["msg"].endswith("There is no such API at this address: check region and endpoint.")


@pytest.mark.parametrize("wrong", [{"record": "instance"}, {"fields": {"id": "name", "status": "status"}}], ids=str)
def test_a_mistake_in_api_is_looked_for_there(run_module: t.Any, sim: Simulator, wrong: dict[str, t.Any]) -> None:
    task = sim.add_task("ecs_server")
    api = {**SERVER, **wrong}
    result = run_module.fail("task_info", **connection(sim), service="custom", task_id=task["task_id"], api=api)
    assert result["msg"].endswith("If this lasts, check api.path, api.record and api.fields, then endpoint and proxy.")


ENTRIES = {"path": "/v1/things", "record": "things[]", "fields": {"status": "status"}, "succeeded": ["ok"]}
WITH_ID = {**ENTRIES, "fields": {"id": "id", "status": "status"}}


@pytest.mark.parametrize("api", [ENTRIES, WITH_ID], ids=("without", "with"))
@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}, {"id": "other"}], ids=repr)
@pytest.mark.parametrize("named", [{}, {"task_id": "t"}], ids=("unnamed", "named"))
def test_of_several_entries_none_is_taken_by_chance(
    run_module: t.Any, sim: Simulator, api: dict[str, t.Any], record: dict[str, t.Any], named: dict[str, str]
) -> None:
    """The first one says ok, and no id says that it is the one that is meant."""
    sim.add_fault("status", status=200, body={"things": [{**record, "status": "ok"}, {"status": "bad"}]})
    result = run_module.fail("task_info", **connection(sim), service="custom", api=api, **named)
    assert result["task"]["state"] == "unknown"
    is_told_apart = api is WITH_ID and named
    reason = "the response is about another task" if is_told_apart else "no id says which object of the list 'things'"
    assert reason in result["msg"]
    assert result["msg"].endswith("If this lasts, check api.path, api.record and api.fields, then endpoint and proxy.")


def test_the_only_entry_is_taken_where_no_id_is_to_be_compared(cloud: t.Any) -> None:
    cloud.sim.add_fault("status", status=200, body={"things": [{"status": "ok"}]})
    assert run(cloud, service="custom", api=ENTRIES)[0]["state"] == "succeeded"
    cloud.sim.add_fault("status", status=200, body={"things": [{"status": "ok"}]})
    with pytest.raises(ApiError, match="no id says which object of the list 'things' is meant"):
        cloud.by_token()._get(TaskRef.from_option({"service": "custom", "api": WITH_ID}))


def test_flow_control_does_not_mean_that_an_object_is_gone(cloud: t.Any) -> None:
    cloud.sim.add_fault("status", status=404, error_code="DMS.10240407", error_msg="flow control")
    with pytest.raises(ApiError) as caught:
        cloud.by_token()._get(TaskRef.from_option({"service": "custom", "task_id": "t", "api": VOLUME}))
    assert caught.value.error_class is ErrorClass.THROTTLED


def test_an_empty_list_means_that_an_object_is_gone(run_module: t.Any, sim: Simulator) -> None:
    api = {**INSTANCE, "not_found": "succeeded"}
    result = run_module("task_info", **connection(sim), service="custom", instance_id="gone", api=api).result
    assert (result["task"]["state"], result["task"]["error"]) == ("succeeded", None)


API_MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"path": None}, "api.path is missing."),
    ({"path": "v1/x"}, "api.path must be a path"),
    ({"path": "https://example.com/x"}, "api.path must be a path"),
    ({"path": "/v1/../x"}, "api.path must be a path"),
    ({"path": "/v1//x"}, "api.path must be a path"),
    ({"path": "/v1/x?id=1"}, "api.path must be a path"),
    ({"path": "/v1/x#y"}, "api.path must be a path"),
    ({"path": "/v1/\\x"}, "api.path must be a path"),
    ({"path": "/v1/%2e%2e/x"}, "api.path must be a path"),
    (
        {"path": "/v1/{server_id}"},
        "api.path holds {server_id}; it may hold {project_id}, {instance_id}, {task_id} only.",
    ),
    ({"path": "/v1/{task_id.__class__}"}, "api.path holds {task_id.__class__}"),
    ({"path": "/v1/{task_id"}, "api.path holds a brace"),
    ({"query": {"id": "{id}"}}, "api.query.id holds {id}"),
    ({"query": {"id": None}}, "api.query.id must be a text or a number."),
    ({"query": {"id": ["{task_id}"]}}, "api.query.id must be a text or a number."),
    ({"fields": None}, "api.fields.status is missing"),
    ({"fields": {"id": "id"}}, "api.fields.status is missing"),
    ({"fields": {"status": "status", "state": "x"}}, "api.fields.state is not known; known are status, id,"),
    ({"fields": {"status": "a..b"}}, "api.fields.status must be keys joined by dots"),
    ({"fields": {"status": 1}}, "api.fields.status must be keys joined by dots"),
    ({"succeeded": None}, "api.succeeded is missing"),
    ({"succeeded": [" "]}, "api.succeeded holds an empty word."),
    ({"failed": ["Active"]}, "api.failed holds 'active', which is in another list, too."),
    ({"record": "a[]b"}, "api.record must be keys joined by dots"),
    ({"product": "evil.example/x"}, "api.product must be the first label of a host name"),
    ({"not_found": "maybe"}, "value of not_found must be one of: wait, succeeded, failed, got: maybe"),
    ({"method": "DELETE"}, "Unsupported parameters for"),
    ({"path": "/v1/{instance_id}"}, "A task of custom needs instance_id."),
]


@pytest.mark.parametrize("in_list", [False, True])
@pytest.mark.parametrize(("change", "message"), API_MISTAKES, ids=[str(change)[:60] for change, dummy in API_MISTAKES])
def test_mistakes_in_an_api(
    run_module: t.Any, sim: Simulator, change: dict[str, t.Any], message: str, in_list: bool
) -> None:
    given = {"service": "custom", "task_id": "t", "api": {**SERVER, **change}}
    result = run_module.fail("task_info", **connection(sim), **({"tasks": [given]} if in_list else given))
    assert message in result["msg"]
    assert sim.requests() == []


def test_what_a_play_writes_goes_encoded_into_the_query(run_module: t.Any, sim: Simulator) -> None:
    api = {**INSTANCE, "query": {"id": "{instance_id}", "q": "a&b=/ü", "all": True, "n": 3}}
    run_module("task_info", **connection(sim), service="custom", instance_id="i", api=api)
    assert sim.requests()[0]["query"] == {"id": "i", "q": "a&b=/ü", "all": "true", "n": "3"}


def test_a_ref_takes_what_yaml_has_and_json_has_not() -> None:
    """Dates, and numbers as keys: the action plugin has them, the module gets them from Ansible as text."""
    query = {"since": datetime.date(2026, 11, 20), "until": datetime.datetime(2026, 11, 20, 8), 1: 2}
    ref = TaskRef.from_option({"service": "custom", "api": {"path": "/a", "fields": {"status": "s"}, "query": query}})
    assert ref.to_option()["api"]["query"] == {"since": "2026-11-20", "until": "2026-11-20T08:00:00", "1": 2}


def test_a_ref_with_an_api_can_be_compared() -> None:
    one = TaskRef.from_option({"service": "custom", "api": {"path": "/a", "fields": {"status": "s"}, "query": None}})
    other = TaskRef.from_option({"service": "custom", "api": {"fields": {"status": "s"}, "path": "/a"}})
    assert one == other
    assert len({one, other}) == 1
    assert TaskRef.from_option(one.to_option()) == one
