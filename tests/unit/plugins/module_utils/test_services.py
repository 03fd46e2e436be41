# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read out of each service's responses. ``RESPONSES`` is the table; a further service is one more entry."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, classify_error
from ansible_collections.huaweicloud.tasks.plugins.module_utils._parsing import (
    NoSuchTaskError,
    UnreadableResponseError,
    parse_json,
    read_error,
    read_task,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef

ID = "31b8ae23-c687-4d80-b7b4-42a66c9bb886"
Body = dict[str, t.Any]


class Response(t.NamedTuple):
    """A response about a task that runs, what is to be read out of it, and what words and errors mean.

    ``id_at`` and ``status_at`` lead to the id and the status in the body; a number is the place in a list.
    ``errors`` are HTTP status, code, and the class of the error, in the shape of the service's error bodies.
    """

    body: Body
    expect: dict[str, t.Any]
    statuses: dict[str, str]
    errors: list[tuple[int, str | None, str]] = []
    id_at: tuple[t.Any, ...] = ("job_id",)
    status_at: tuple[t.Any, ...] = ("status",)
    error_keys: tuple[str, ...] = ("error_code", "error_msg")


DATABASE = {
    **dict.fromkeys(("Running", "running"), "running"),
    **dict.fromkeys(("Completed", "completed", "complete", "COMPLETE", " Completed "), "succeeded"),
    **dict.fromkeys(("Failed", "FAILED"), "failed"),
    **dict.fromkeys(("Pending", "PENDING"), "pending"),
    **dict.fromkeys(("Canceled", "Cancelled", "canceled", "CANCELLED"), "canceled"),
    "Unauthorized": "needs_action",
    **dict.fromkeys(
        ("SUCCESS", "CREATED", "Suspended", "Incomplete", "Not completed", "Completed successfully"), "unknown"
    ),
}
DMS = {
    **dict.fromkeys(("CREATED", "created"), "pending"),
    **dict.fromkeys(("EXECUTING", "Executing"), "running"),
    **dict.fromkeys(("SUCCESS", "success"), "succeeded"),
    **dict.fromkeys(("FAILED", "Failed", "DELETED"), "failed"),
    **dict.fromkeys(("CANCELED", "CANCELLED", "Canceled"), "canceled"),
    **dict.fromkeys(("PAUSED", "Completed", "complete", "Succeeded", "UNSUCCESSFUL"), "unknown"),
}
V1 = {"INIT": "pending", "RUNNING": "running", "SUCCESS": "succeeded", "FAIL": "failed", "FAILED": "unknown"}
CCE = {"Initializing": "pending", "Running": "running", "Success": "succeeded", "Failed": "failed", "Done": "unknown"}
DATABASE_ERRORS = [
    (400, "DBS.200543", "not_found"),
    (500, "DBS.200543", "transient"),
    (403, "DBS.280056", "unauthorized"),
]
V1_ERRORS = [(400, "Common.0011", "not_found"), (400, "Common.0002", "fatal"), (404, "Common.0404", "not_found")]
DMS_ERRORS = [
    (400, "DMS.00400017", "fatal"),
    (400, "DMS.00400070", "fatal"),
    (401, "DMS.10240101", "unauthorized"),
    (401, "DMS.10240104", "unauthorized"),
    (403, "DMS.00403002", "fatal"),
    (404, "DMS.00404022", "not_found"),
    (404, "DMS.10240407", "throttled"),
    (500, "DMS.00500000", "transient"),
]
IN_JOB = {"id_at": ("job", "id"), "status_at": ("job", "status")}


def database_job(**more: t.Any) -> Body:
    started = {"id": ID, "name": "Create", "status": "Running", "instance": {"id": "in01", "name": "db1"}}
    return {"job": {**started, **more}}


def dms_tasks() -> Response:
    start, end = "2020-06-15T08:55:53.606Z", "2020-06-15T08:55:56.600Z"
    task = {"id": ID, "name": "bind", "status": "EXECUTING", "created_at": start, "updated_at": end}
    details = {"user_name": "paas_dms", "user_id": "3df5", "params": '{"a":1}'}
    return Response(
        body={"task_count": "1", "tasks": [{**task, **details}]},
        expect={"name": "bind", "created_at": start, "ended_at": end, "progress": None, "details": details},
        statuses=DMS,
        errors=DMS_ERRORS,
        id_at=("tasks", 0, "id"),
        status_at=("tasks", 0, "status"),
    )


STEP = {"job_id": "step-1", "job_type": "createSingle", "status": "RUNNING", "begin_time": "2026-11-20T08:01:03.000Z"}
STEP_READ = {
    "name": "createSingle",
    "status": "RUNNING",
    "state": "running",
    "progress": None,
    "remaining_seconds": None,
}


def v1_job(entities: t.Any, statuses: dict[str, str] | None = None, **expect: t.Any) -> Response:
    start = "2026-11-20T08:01:02.123Z"
    body = {"job_id": ID, "job_type": "create", "status": "RUNNING", "begin_time": start, "end_time": ""}
    read = {"name": "create", "created_at": start, "ended_at": None, "fail_reason": None, "error_code": None}
    return Response(
        body={**body, "entities": entities},
        expect={**read, "details": {"entities": entities}, **expect},
        statuses=V1 if statuses is None else statuses,
        errors=V1_ERRORS,
        error_keys=("error", "code", "message"),
    )


def cce_job() -> Response:
    step = {
        "kind": "Job",
        "metadata": {"uid": "step-1"},
        "spec": {"type": "InstallMaster"},
        "status": {"phase": "Success"},
    }
    spec = {"type": "CreateCluster", "clusterUID": "4d1ecb2c", "subJobs": [step, {"metadata": {"uid": "step-2"}}]}
    start = "2026-11-20 08:12:40.672772389 +0000 UTC"
    body = {"kind": "Job", "metadata": {"uid": ID, "creationTimestamp": start, "updateTimestamp": start}, "spec": spec}
    steps = [("InstallMaster", "succeeded"), (None, "unknown")]
    return Response(
        body={**body, "status": {"phase": "Running", "reason": ""}},
        expect={"name": "CreateCluster", "instance_id": "4d1ecb2c", "created_at": start, "steps": steps},
        statuses=CCE,
        errors=[(404, "CCE.01404001", "not_found"), (400, "CCE.01400001", "fatal")],
        id_at=("metadata", "uid"),
        status_at=("status", "phase"),
        error_keys=("errorCode", "errorMessage"),
    )


RESPONSES = {
    "taurusdb": Response(
        body=database_job(created="2026-01-05T10:41:14+0800", process="60%", entities={"a": 1}),
        expect={"name": "Create", "instance_id": "in01", "instance_name": "db1", "progress": 60, "ended_at": None,
                "created_at": "2026-01-05T10:41:14+0800", "details": {"entities": {"a": 1}}},
        statuses=DATABASE,
        errors=[*DATABASE_ERRORS, (400, "DBS.200001", "fatal"), (403, "DBS.200010", "fatal"),
                (404, "DBS.201028", "not_found"), (409, "DBS.200019", "fatal"), (500, "DBS.108000", "transient")],
        **IN_JOB,
    ),
    "taurusdb_restore": Response(
        body={"job_id": ID, "job_name": "Restore", "status": "Running", "instance_id": "in07", "instance_name": "db1",
              "sub_task_list": [{"sub_task_name": "INIT", "percent": 19, "status": "Running", "remaining_time": 66}]},
        expect={"name": "Restore", "instance_id": "in07", "instance_name": "db1", "progress": 19,
                "remaining_seconds": 66, "steps": [("INIT", "running")]},
        statuses=DATABASE,
        errors=[*DATABASE_ERRORS, (404, "DBS.200002", "not_found"), (403, "DBS.200010", "fatal")],
    ),
    "dds": Response(
        body=database_job(created="2021-07-13T07:28:43+0000", ended="2021-07-13T07:28:53+0000", progress="9%"),
        expect={"progress": 9, "ended_at": "2021-07-13T07:28:53+0000", "instance_id": "in01", "details": {}},
        statuses=DATABASE,
        errors=[*DATABASE_ERRORS, (401, "DBS.280056", "unauthorized"), (403, "DBS.280032", "fatal")],
        **IN_JOB,
    ),
    "kafka": dms_tasks(),
    "rds": Response(
        body=database_job(created="2026-11-20T08:00:00+0800", process="60%", entities={"resource_ids": ["a"]}),
        expect={"progress": 60, "instance_name": "db1", "details": {"entities": {"resource_ids": ["a"]}}},
        statuses=DATABASE,
        errors=DATABASE_ERRORS,
        **IN_JOB,
    ),
    "gaussdb": Response(
        body=database_job(created="2026-11-20T08:00:00+0800", ended="", progress="35%", fail_reason=None),
        expect={"progress": 35, "ended_at": None, "fail_reason": None, "instance_id": "in01"},
        statuses=DATABASE,
        errors=DATABASE_ERRORS,
        **IN_JOB,
    ),
    "geminidb": Response(
        body={"total_count": 1, "jobs": [{**database_job(progress="14%", fail_reason="")["job"],
              "start_time": "2026-11-20T08:00:00+0800", "end_time": "2026-11-20T08:30:00+0800"}]},
        expect={"progress": 14, "created_at": "2026-11-20T08:00:00+0800", "ended_at": "2026-11-20T08:30:00+0800"},
        statuses=DATABASE,
        errors=[(404, "DBS.1", "not_found"), (403, "DBS.280056", "unauthorized")],
        id_at=("jobs", 0, "id"),
        status_at=("jobs", 0, "status"),
    ),
    "rabbitmq": dms_tasks(),
    "rocketmq": dms_tasks(),
    "dcs": Response(
        body={"job_id": ID, "job_type": "swap", "status": "RUNNING", "begin_time": "1795161600000", "end_time": ""},
        expect={"name": "swap", "created_at": "2026-11-20T08:00:00.000Z", "ended_at": None, "error_code": None},
        statuses=V1,
        errors=[(400, "111400063", "not_found"), (400, "111400070", "fatal"), (404, "DCS.4004", "not_found")],
    ),
    "ddm": Response(
        body=database_job(created_time="2026-11-20T08:00:00+0800", end_time="2026-11-20T08:05:00+0800", process="35%"),
        expect={"progress": 35, "created_at": "2026-11-20T08:00:00+0800", "ended_at": "2026-11-20T08:05:00+0800"},
        statuses={"Running": "running", "Completed": "succeeded", "Failed": "failed", "Pending": "unknown",
                  **dict.fromkeys(("Expanding", "Switching", "Canceling", "Rollbacking"), "running"),
                  "ToBeSwitched": "needs_action", "CancelSuccess": "canceled", "RollbackSuccess": "failed"},
        errors=[(400, "DBS.300400", "not_found"), (400, "DBS.280001", "fatal"), (403, "DBS.280056", "unauthorized")],
        **IN_JOB,
    ),
    "ecs": v1_job(
        {"sub_jobs_total": 1, "sub_jobs": [STEP]}, {**V1, "PENDING_PAYMENT": "needs_action"}, sub_tasks=[STEP_READ]
    ),
    "evs": v1_job(
        {"volume_id": "v1"}, {**V1, "WAITING_EXECUTE": "pending", "LISTENING": "running"}, sub_tasks=[]
    ),
    "ims": v1_job({"process_percent": 0.24, "sub_jobs_result": [STEP]}, sub_tasks=[STEP_READ], progress=None),
    "cce": cce_job(),
    "cce_autopilot": cce_job(),
    "elb": Response(
        body={"request_id": "r", "job": {"job_id": ID, "job_type": "clone", "status": "RUNNING", "error_code": "E.1",
              "begin_time": "2026-11-20T08:00:00Z", "error_msg": "no", "resource_id": "lb", "sub_jobs": [STEP]}},
        expect={"name": "clone", "instance_id": "lb", "error_code": "E.1", "fail_reason": "no",
                "sub_tasks": [STEP_READ]},
        statuses={**V1, "ROLLBACKING": "running", "COMPLETE": "succeeded", "ROLLBACK_FAIL": "failed",
                  "CANCEL": "canceled", "ROLLBACK": "unknown"},
        errors=[(404, "ELB.8904", "not_found"), (400, "ELB.8901", "fatal")],
        id_at=("job", "job_id"),
        status_at=("job", "status"),
    ),
    "cbr": Response(
        body={"operation_log": {
            "id": ID, "operation_type": "restore", "status": "running", "ended_at": None, "vault_id": "v",
            "created_at": "2026-11-20T08:00:00.000000", "error_info": {"code": "", "message": ""},
            "extra_info": {"common": {"progress": 40}, "resource": {"id": "vm", "name": "vm1"}}}},
        expect={"name": "restore", "instance_id": "vm", "instance_name": "vm1", "progress": 40, "error_code": None,
                "fail_reason": None, "created_at": "2026-11-20T08:00:00.000000", "ended_at": None},
        statuses={"waiting": "pending", "running": "running", "success": "succeeded", "failed": "failed",
                  "timeout": "failed", "skipped": "failed", "completed": "unknown"},
        errors=[(404, "BackupService.6500", "not_found"), (400, "BackupService.0001", "fatal")],
        id_at=("operation_log", "id"),
        status_at=("operation_log", "status"),
    ),
    "sfs_turbo": Response(
        body={"job_id": ID, "job_type": "ldap", "status": "running", "begin_time": "2026-11-20 08:00:00",
              "end_time": "", "error_code": "SFS.1", "fail_reason": "no", "sub_jobs": [{**STEP, "status": "running"}]},
        expect={"name": "ldap", "created_at": "2026-11-20 08:00:00", "error_code": "SFS.1", "fail_reason": "no",
                "steps": [("createSingle", "running")]},
        statuses={"waiting": "pending", "running": "running", "success": "succeeded", "failed": "failed",
                  "fail": "unknown"},
        errors=[(404, "SFS.TURBO.0019", "not_found"), (400, "SFS.TURBO.0001", "fatal")],
        error_keys=("errCode", "errMsg"),
    ),
    "dws": Response(
        body={"job_id": ID, "job_name": "createCluster", "begin_time": "2026-11-20T08:00:00", "end_time": "",
              "status": "RUNNING", "failed_code": "DWS.1", "failed_detail": "no", "progress": "9%"},
        expect={"name": "createCluster", "progress": 9, "error_code": "DWS.1", "fail_reason": "no"},
        statuses={**V1, "WAITING": "pending", "DELAY_SCHEDULED": "pending", "ERROR": "failed", "STOP": "canceled"},
        errors=[(404, None, "not_found"), (400, "DWS.0001", "fatal")],
    ),
    "bms": v1_job({"sub_jobs": [STEP]}, {**V1, "PENDING_PAYMENT": "needs_action"}, sub_tasks=[STEP_READ]),
    # On one page of EIP it is a list.
    "eip": v1_job([{"a": 1}], sub_tasks=[]),
    "sdrs": v1_job({}, sub_tasks=[]),
    "cfw": Response(
        body={"data": {"id": ID, "status": "Running", "begin_time": 1795161600123, "end_time": 0}},
        expect={"created_at": "2026-11-20T08:00:00.123Z", "ended_at": None, "name": None},
        statuses={"Running": "running", "Success": "succeeded", "Failed": "failed", "Completed": "unknown"},
        errors=[(404, "CFW.0404", "not_found"), (400, "CFW.0001", "fatal")],
        id_at=("data", "id"),
        status_at=("data", "status"),
    ),
    "cse": Response(
        body={"id": ID, "type": "Create", "status": "Executing", "startTime": 1795161600000, "endTime": 0,
              "tasks": [{"taskName": "check", "status": "Finished", "tasks": [{"status": "Error"}]},
                        {"taskName": "install", "status": "Executing", "tasks": []}]},
        expect={"name": "Create", "created_at": "2026-11-20T08:00:00.000Z", "ended_at": None,
                "steps": [("check", "failed"), ("install", "running")]},
        statuses={"Init": "pending", "Executing": "running", "Finished": "succeeded", "Done": "unknown",
                  **dict.fromkeys(("Error", "Timeout", "CreateFail"), "failed"),
                  **dict.fromkeys(("DeleteFailed", "UpgradeFailed", "ModifyFailed"), "failed")},
        errors=[(404, "SVCSTG.00404", "not_found"), (400, "SVCSTG.00501116", "not_found"),
                (400, "SVCSTG.00400", "fatal")],
        id_at=("id",),
    ),
    "cph": Response(
        body={"job_id": ID, "status": 1, "begin_time": "2026-11-20T08:00:00Z", "server_id": "s1", "phone_id": "p1",
              "error_code": "CPH.1", "error_msg": "no", "execute_msg": "ok", "request_id": "r"},
        expect={"instance_id": "s1", "created_at": "2026-11-20T08:00:00Z", "ended_at": None, "fail_reason": "no",
                "error_code": "CPH.1", "details": {"phone_id": "p1", "execute_msg": "ok"}},
        statuses={"1": "running", "2": "succeeded", "-1": "failed", "0": "unknown", "3": "unknown", "12": "unknown"},
        errors=[(404, "CPH.0404", "not_found"), (400, "CPH.0400", "fatal")],
    ),
}  # fmt: skip
EVERY = pytest.mark.parametrize("service", RESPONSES)


def ref_of(service: str) -> TaskRef:
    """The task, named by what its service needs."""
    needed = set(SERVICES[service].required) | set(SERVICES[service].required_together)
    return TaskRef(service, ID, *("x" if name in needed else None for name in ("instance_id", "task_name")))


def read(service: str, body: t.Any) -> Task:
    return read_task(SERVICES[service], ref_of(service), body)


def changed(service: str, path: tuple[t.Any, ...], value: t.Any) -> Body:
    """The response with something else at a path; ``KeyError`` takes it away."""
    body = copy.deepcopy(RESPONSES[service].body)
    record: t.Any = body
    for key in path[:-1]:
        record = record[key]
    if value is KeyError:
        del record[path[-1]]
    else:
        record[path[-1]] = value
    return body


def with_status(service: str, status: t.Any) -> Body:
    return changed(service, RESPONSES[service].status_at, status)


def test_every_service_has_responses() -> None:
    assert list(RESPONSES) == list(SERVICES)


@EVERY
def test_a_response(service: str) -> None:
    task = read(service, RESPONSES[service].body).to_dict()
    assert (task["service"], task["id"], task["state"]) == (service, ID, "running")
    expect = dict(RESPONSES[service].expect)
    steps = expect.pop("steps", None)
    assert {name: task[name] for name in expect} == expect
    assert steps is None or [(step["name"], step["state"]) for step in task["sub_tasks"]] == steps


@EVERY
def test_words(service: str) -> None:
    for word, state in RESPONSES[service].statuses.items():
        task = read(service, with_steps(service, word))
        assert (task.status, task.state) == (word.strip(), state), word
    assert set(SERVICES[service].statuses) <= {"fail", *(word.strip().lower() for word in RESPONSES[service].statuses)}


@EVERY
@pytest.mark.parametrize("status", [KeyError, None, "", " ", True, ["SUCCESS"], {"a": "Completed"}], ids=repr)
def test_no_status(service: str, status: t.Any) -> None:
    """It is waited on. A restore's state comes from its steps then."""
    task = read(service, with_status(service, status))
    assert task.status is None
    assert task.state != "succeeded"


@EVERY
@pytest.mark.parametrize("word", ["success", "completed"])
def test_a_status_elsewhere_does_not_count(service: str, word: str) -> None:
    body = {**RESPONSES[service].body, "state": word, "result": word, "job_status": word}
    assert read(service, body).state == "running"


@EVERY
@pytest.mark.parametrize("other", ["another-id", 12, True, False, [], [ID], {}, {"id": ID}], ids=repr)
def test_another_task_is_no_response(service: str, other: t.Any) -> None:
    body = changed(service, RESPONSES[service].id_at, other)
    if service == "rds":
        assert read(service, body).id == (ID if isinstance(other, (bool, list, dict)) else str(other))
        return
    with pytest.raises(UnreadableResponseError, match="another task"):
        read(service, body)


@EVERY
@pytest.mark.parametrize("missing", [KeyError, None, ""], ids=repr)
def test_a_response_without_an_id(service: str, missing: t.Any) -> None:
    """An object under its own key is the one that was asked for; of a whole body, or in a list, nothing is known."""
    body = changed(service, RESPONSES[service].id_at, missing)
    root = SERVICES[service].root
    if root and not root.endswith("[]"):
        assert (read(service, body).id, read(service, body).state) == (ID, "running")
        return
    with pytest.raises(UnreadableResponseError, match="another task" if root else "the response has no id"):
        read(service, body)


@EVERY
@pytest.mark.parametrize("word", ["success", "SUCCESS", "Completed", "Finished", 2])
def test_a_health_page_of_a_gateway_is_no_success(service: str, word: t.Any) -> None:
    with pytest.raises(UnreadableResponseError):
        read(service, {"status": word, "message": "Welcome", "data": None})


SHAPES = [
    *(None, True, 5, "Completed", [], {}, {"items": []}, {"result": "Completed"}, [{"status": "SUCCESS"}]),
    {"error_code": "DBS.200543", "error_msg": "The job does not exist."},
]


@EVERY
@pytest.mark.parametrize("body", SHAPES, ids=repr)
def test_another_shape(service: str, body: t.Any) -> None:
    with pytest.raises(UnreadableResponseError):
        read(service, body)


@EVERY
@pytest.mark.parametrize(
    "inner", [None, True, 5, "SUCCESS", {}, {"name": "x"}, [None], ["SUCCESS"], [{}], [{"name": "SUCCESS"}]], ids=repr
)
def test_another_shape_where_the_task_should_be(service: str, inner: t.Any) -> None:
    root = SERVICES[service].root.replace("[]", "")
    if not root:
        return
    with pytest.raises(UnreadableResponseError):
        read(service, {**RESPONSES[service].body, root: inner})
    # As flat as other services have it, under another name, or in a list instead of alone.
    record = RESPONSES[service].body[root]
    for body in (record, {"other": record}, {root: record[0] if isinstance(record, list) else [record]}):
        with pytest.raises(UnreadableResponseError):
            read(service, body)


@pytest.mark.parametrize("service", [name for name in SERVICES if SERVICES[name].root.endswith("[]")])
def test_an_empty_list_is_an_unknown_id(service: str) -> None:
    key = SERVICES[service].root[:-2]
    for body in ({key: []}, {key: [], "task_count": "0"}, {key: [], "total_count": 1}):
        with pytest.raises(NoSuchTaskError):
            read(service, body)


@pytest.mark.parametrize("service", [name for name in SERVICES if SERVICES[name].root.endswith("[]")])
@pytest.mark.parametrize("count", ["1", 1, "9", None])
def test_what_a_list_says_of_its_length_does_not_count(service: str, count: t.Any) -> None:
    body = {**RESPONSES[service].body, "task_count": count, "total_count": count}
    assert read(service, body).state == "running"


@EVERY
def test_further_keys_and_missing_ones(service: str) -> None:
    """Only what identifies a task is needed."""
    at = RESPONSES[service].status_at[:-1] or ()
    assert read(service, changed(service, (*at, "news"), {"a": [1]})).state == "running"
    least: t.Any = None
    for path in (RESPONSES[service].id_at, RESPONSES[service].status_at):
        value = ID if path is RESPONSES[service].id_at else next(iter(RESPONSES[service].statuses))
        least = grown(least, path, value)
    task = read(service, least)
    assert (task.id, task.progress, task.fail_reason, task.sub_tasks) == (ID, None, None, ())


def grown(body: t.Any, path: tuple[t.Any, ...], value: t.Any) -> t.Any:
    """A body that also has something at a path."""
    if not path:
        return value
    if isinstance(path[0], int):
        return [grown(body[0] if body else None, path[1:], value)]
    return {**(body or {}), path[0]: grown((body or {}).get(path[0]), path[1:], value)}


# Errors, over real connections

ERROR_ROWS = [(service, *row) for service, response in RESPONSES.items() for row in response.errors]


@pytest.mark.parametrize(("service", "status", "code", "error_class"), ERROR_ROWS)
def test_an_error(cloud: t.Any, service: str, status: int, code: str | None, error_class: str) -> None:
    *around, code_key, message_key = RESPONSES[service].error_keys
    body: Body = {code_key: code, message_key: "You cannot have this."}
    cloud.sim.add_fault("status", status=status, body=json.dumps({around[0]: body} if around else body))
    with pytest.raises(ApiError) as caught:
        cloud.by_token(service)._get(ref_of(service))
    error = caught.value
    assert (error.error_class.value, error.code, error.http_status) == (error_class, code, status)
    assert error.message == "You cannot have this."
    assert error.hint
    assert len(str(error)) < 800
    if error_class == "not_found":
        assert error.hint.startswith("Check the id, region and project_id; ")
        assert (SERVICES[service].kept_for or "limited time") in error.hint


# What several services read alike

PROGRESS: list[tuple[t.Any, int | None]] = [
    *((value, 19) for value in (19, 19.0, "19", "19%", " 19 % ", "19.5%")),
    *((value, None) for value in (KeyError, None, "", "soon", True, [19], -1)),
    *[("0%", 0), ("100%", 100), ("150%", 100), (100, 100)],
]


@pytest.mark.parametrize(("value", "progress"), PROGRESS, ids=[repr(value) for value, dummy in PROGRESS])
@pytest.mark.parametrize(
    ("service", "path"), [("taurusdb", ("job", "process")), ("dds", ("job", "progress")), ("dws", ("progress",))]
)
def test_progress(service: str, path: tuple[str, ...], value: t.Any, progress: int | None) -> None:
    """It never decides about the state."""
    task = read(service, changed(service, path, value))
    assert (task.progress, task.state) == (progress, "running")


def test_progress_under_another_name_does_not_count() -> None:
    assert read("taurusdb", database_job(progress="60%")).progress is None
    assert read("dds", database_job(process="60%")).progress is None
    assert read("kafka", changed("kafka", ("tasks", 0, "progress"), "60%")).progress is None


@pytest.mark.parametrize("status", ["Running", "Completed", "Failed"])
@pytest.mark.parametrize("reason", ["disk full", "创建失败", "Single task exception."])
def test_a_reason_does_not_decide_about_the_state(status: str, reason: str) -> None:
    body = database_job(status=status, fail_reason=reason, ended="2026-01-05T10:41:24+0800", process="100%")
    task = read("taurusdb", body)
    assert (task.fail_reason, task.state) == (reason, DATABASE[status])


@pytest.mark.parametrize("nothing", [KeyError, None, ""], ids=repr)
@pytest.mark.parametrize("key", ["fail_reason", "ended", "instance", "entities"])
def test_nothing_where_something_may_be(key: str, nothing: t.Any) -> None:
    body = database_job(fail_reason="x", ended="x", entities={}, status="Completed")
    body["job"].update({key: nothing})
    if nothing is KeyError:
        del body["job"][key]
    task = read("taurusdb", body)
    assert task.state == "succeeded"
    found = {"fail_reason": task.fail_reason, "ended": task.ended_at, "instance": task.instance_id}
    assert not found.get(key, task.details["entities"] or None)


def test_a_reason_in_the_spelling_of_an_example() -> None:
    failed = {**RESPONSES["dcs"].body, "status": "FAIL", "fail_resson": "no standby"}
    assert read("dcs", failed).fail_reason == read("dcs", {**failed, "fail_reason": ""}).fail_reason == "no standby"
    assert read("dcs", {**failed, "fail_reason": "quota"}).fail_reason == "quota"


def test_an_instance_of_another_shape() -> None:
    assert read("taurusdb", database_job(instance="in01")).instance_id is None


# Steps


def restore(status: t.Any, *steps: tuple[t.Any, ...]) -> Task:
    """Of a restore with steps: status, percent and remaining time of each."""
    names = ("status", "percent", "remaining_time")
    entries = [dict(zip(names, step), sub_task_name=f"step {number}") for number, step in enumerate(steps)]
    body = {"job_id": ID, "status": status, "sub_task_list": entries}
    return read("taurusdb_restore", {key: value for key, value in body.items() if value is not KeyError})


NO_STATUS = [
    ("complete", "succeeded"),
    ("Completed complete", "succeeded"),
    ("complete Canceled", "canceled"),
    ("complete Failed", "failed"),
    ("complete Pending", "running"),
    ("complete Running", "running"),
    ("complete Unauthorized", "needs_action"),
    ("complete Paused", "unknown"),
    ("complete -", "unknown"),
    ("Failed", "failed"),
    ("Failed Cancelled", "failed"),
    ("Pending Pending", "pending"),
    ("Pending Failed", "failed"),
    ("Running", "running"),
    ("Running Failed", "failed"),
    ("Running Pending", "running"),
    ("Running Paused", "unknown"),
    ("Paused", "unknown"),
    ("", "unknown"),
]


@pytest.mark.parametrize(("words", "state"), NO_STATUS)
@pytest.mark.parametrize("status", [KeyError, None, ""], ids=repr)
def test_a_restore_without_a_status(status: t.Any, words: str, state: str) -> None:
    """As on an older page: its state is derived from its steps."""
    task = restore(status, *((word.strip("-"), 0) for word in words.split()))
    assert (task.status, task.state) == (None, state)


@pytest.mark.parametrize("steps", [KeyError, None])
def test_a_restore_without_status_and_steps(steps: t.Any) -> None:
    body = {"job_id": ID, "sub_task_list": steps}
    task = read("taurusdb_restore", {key: value for key, value in body.items() if value is not KeyError})
    assert (task.state, task.sub_tasks) == ("unknown", ())


@pytest.mark.parametrize(
    ("status", "words", "state"),
    [
        ("Completed", "complete Failed", "failed"),
        ("Completed", "complete Canceled", "failed"),
        ("Completed", "complete Running", "succeeded"),
        ("Completed", "complete Paused", "succeeded"),
        ("Running", "complete complete", "running"),
        ("Pending", "Failed", "pending"),
        ("Paused", "complete", "unknown"),
    ],
)
def test_a_status_and_steps(status: str, words: str, state: str) -> None:
    """A failed step under a finished task must not pass as success."""
    assert restore(status, *((word, 0) for word in words.split())).state == state


def with_steps(service: str, status: t.Any, *steps: str) -> Body:
    """The response of a service with a status, and steps in these."""
    row = SERVICES[service]
    body = with_status(service, status)
    if not row.sub_tasks or service == "eip":
        return body
    steps_read = [grown(None, tuple(row.sub_task_fields["status"].split(".")), step) for step in steps]
    return t.cast("Body", grown(body, steps_at(service), steps_read))


def steps_at(service: str) -> tuple[t.Any, ...]:
    """Where a response has its steps."""
    row = SERVICES[service]
    around = RESPONSES[service].status_at[:-1] if row.root else ()
    return (*around, *row.sub_tasks.split("."))


WITH_STEPS = [name for name in SERVICES if SERVICES[name].sub_tasks and name != "eip"]


@pytest.mark.parametrize("service", WITH_STEPS)
def test_a_failed_step_under_a_finished_task(service: str) -> None:
    words = {state: word for word, state in reversed(SERVICES[service].statuses.items())}
    good, bad = words["succeeded"], words["failed"]
    assert read(service, with_steps(service, good, good, good)).state == "succeeded"
    assert read(service, with_steps(service, good, good, bad)).state == "failed"


@pytest.mark.parametrize("service", WITH_STEPS)
@pytest.mark.parametrize("status", ["", None, True, ["x"]], ids=repr)
def test_steps_that_are_done_do_not_make_a_task_done(service: str, status: t.Any) -> None:
    """CCE's own example has a task that still runs while all of its steps are done."""
    good = next(word for word, state in SERVICES[service].statuses.items() if state == "succeeded")
    is_derived = service == "taurusdb_restore" and status in ("", None)
    assert read(service, with_steps(service, status, good)).state == ("succeeded" if is_derived else "unknown")


@pytest.mark.parametrize("service", WITH_STEPS)
def test_a_failed_step_of_a_step(service: str) -> None:
    words = {state: word for word, state in reversed(SERVICES[service].statuses.items())}
    row = SERVICES[service]
    inner = grown(None, tuple(row.sub_task_fields["status"].split(".")), words["failed"])
    step = grown(inner, tuple(row.sub_task_fields["status"].split(".")), words["succeeded"])
    body = with_steps(service, words["succeeded"], words["succeeded"])
    (entry,) = entries(service, body)
    entry.update(grown(step, tuple(row.sub_tasks.split(".")), [inner]))
    task = read(service, body)
    assert (task.state, [step.state for step in task.sub_tasks]) == ("failed", ["failed"])


WITH_REASONS = [name for name in WITH_STEPS if "fail_reason" in SERVICES[name].fields]


@pytest.mark.parametrize("service", WITH_REASONS)
def test_a_failed_step_says_why_the_task_failed(service: str) -> None:
    """Where the task itself does not."""
    words = {state: word for word, state in reversed(SERVICES[service].statuses.items())}
    where = tuple(SERVICES[service].fields["fail_reason"].split("."))
    body = with_reason(service, where, "no host", words["succeeded"], words["succeeded"], words["failed"])
    assert read(service, body).fail_reason == "no host"
    around = RESPONSES[service].status_at[: -SERVICES[service].fields["status"].count(".") - 1]
    assert read(service, grown(body, (*around, *where), "quota")).fail_reason == "quota"
    good = with_reason(service, where, "no host", words["succeeded"], words["succeeded"])
    assert read(service, grown(good, (*around, *where), "")).fail_reason is None


def with_reason(service: str, where: tuple[str, ...], reason: str, status: str, *steps: str) -> Body:
    """The response of a service of which the last step has a reason, and the task has none."""
    around = RESPONSES[service].status_at[: -SERVICES[service].fields["status"].count(".") - 1]
    body = grown(with_steps(service, status, *steps), (*around, *where), None)
    steps_read = entries(service, body)
    steps_read[-1] = grown(steps_read[-1], where, reason)
    return t.cast("Body", body)


def entries(service: str, body: t.Any) -> t.Any:
    """The steps in a response."""
    for key in steps_at(service):
        body = body[key]
    return body


@pytest.mark.parametrize("steps", [False, 5, "complete", {"status": "complete"}, [None], ["complete"]], ids=repr)
def test_steps_of_another_shape(steps: t.Any) -> None:
    with pytest.raises(UnreadableResponseError, match="'sub_task_list' is not a list of objects"):
        read("taurusdb_restore", {"job_id": ID, "status": "Completed", "sub_task_list": steps})


@pytest.mark.parametrize(
    ("percents", "progress"),
    [
        ([19], 19),
        (["19%"], 19),
        (["19"], 19),
        ([19.9], 19),
        ([120], 100),
        ([None], None),
        ([""], None),
        ([100, "50%"], 75),
        ([None, 50], 25),
    ],
)
def test_the_mean_of_the_steps(percents: list[t.Any], progress: int | None) -> None:
    assert restore("Running", *(("Running", percent) for percent in percents)).progress == progress


def test_a_step_that_is_done_without_a_figure_counts_as_done() -> None:
    assert restore("Running", ("complete", ""), ("Pending", ""), ("Running", 50)).progress == 50


@pytest.mark.parametrize(
    ("remaining", "seconds"), [(66, 66), ("66", 66), (0, 0), ("", None), (None, None), (-1, None), ("soon", None)]
)
def test_remaining_seconds_are_those_of_the_step_in_hand(remaining: t.Any, seconds: int | None) -> None:
    task = restore("Running", ("complete", 100, 66), ("Running", 19, remaining), ("Pending", 0, 5))
    assert task.remaining_seconds == seconds


def test_a_restore_of_an_instance_takes_the_one_in_the_response() -> None:
    body = changed("taurusdb_restore", ("job_id",), "another-id")
    task = read_task(SERVICES["taurusdb_restore"], TaskRef("taurusdb_restore", None, "in07"), body)
    assert (task.id, task.state) == ("another-id", "running")


def test_what_a_response_lacks_is_what_was_requested() -> None:
    body = {"job_id": ID, "status": "complete"}
    task = read_task(SERVICES["taurusdb_restore"], TaskRef("taurusdb_restore", ID, "in07", "Restore"), body)
    assert (task.id, task.name, task.instance_id, task.state) == (ID, "Restore", "in07", "succeeded")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"upstream request timeout",
        b"<!DOCTYPE html><html><body>Completed</body></html>",
        b'{"job": {"id": "a9767ede", "status": "Completed"',
    ],
)
def test_bodies_that_are_no_json(cloud: t.Any, content: bytes) -> None:
    cloud.sim.add_fault("status", status=200, body=content.decode())
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds")._get(ref_of("dds"))
    assert (caught.value.kind, caught.value.error_class.value) == ("api_error", "transient")


CUT_LETTER = b'{"job":{"id":"%s","status":"Failed","fail_reason":"\xe6\x81\xa2\xe5\xa4"}}' % ID.encode()


def test_a_reason_that_is_cut_inside_a_letter() -> None:
    """What is decided by is ASCII."""
    task = read("taurusdb", parse_json(CUT_LETTER))
    assert (task.state, task.fail_reason) == ("failed", "\u6062\ufffd")


@pytest.mark.parametrize(
    ("service", "status", "code", "error_class"),
    [("dds", 400, "DBS.200543", "not_found"), ("kafka", 404, "DMS.10240407", "throttled")],
)
def test_an_error_in_another_encoding(service: str, status: int, code: str, error_class: str) -> None:
    body = f'{{"error_code":"{code}","error_msg":"\u4efb\u52a1\u4e0d\u5b58\u5728"}}'.encode("gbk")
    found, message = read_error(parse_json(body))
    assert (found, classify_error(status, found, SERVICES[service].codes).value) == (code, error_class)
    assert message


def test_a_lone_surrogate() -> None:
    body = parse_json(json.dumps(database_job(status="Failed", fail_reason="\ud800")).encode())
    assert read("taurusdb", body).fail_reason == "\ufffd"


# Error bodies

SHAPES_OF_ERRORS: list[tuple[t.Any, str | None, str | None]] = [
    ({"error_code": "X.1", "error_msg": "No."}, "X.1", "No."),
    ({"error_code": "X.1", "error_msg": "No.", "error_ext_msg": "more"}, "X.1", "No."),
    ({"error_code": "X.1", "error_msg": "No.", "encoded_authorization_message": "eyJ"}, "X.1", "No."),
    ({"errCode": "X.1", "externalMessage": "No."}, "X.1", "No."),
    ({"errCode": "X.1", "errMsg": "No."}, "X.1", "No."),
    ({"errorCode": "X.1", "errorMsg": "No."}, "X.1", "No."),
    ({"errorCode": "X.1", "errorMessage": "No."}, "X.1", "No."),
    ({"code": "X.1", "message": "No."}, "X.1", "No."),
    ({"error": {"code": "X.1", "message": "No."}}, "X.1", "No."),
    ({"error": {"error_code": "X.1", "error_msg": "No."}}, "X.1", "No."),
    ({"error": {"code": 403, "message": "No.", "title": "Forbidden"}}, "403", "No."),
    ({"error_code": 4711, "error_msg": "No."}, "4711", "No."),
    ({"error_code": None, "error_msg": "No."}, None, "No."),
    ({"error_msg": "No."}, None, "No."),
    ({"error_code": "X.1"}, "X.1", None),
    ({"error_code": "X.1", "errorCode": "X.1", "errorMessage": "No.", "reason": "y"}, "X.1", "No."),
    ({"error_code": True, "error_msg": True}, None, None),
    ({"error_code": ["x"], "error_msg": {"a": 1}}, None, None),
    ({"error": [1]}, None, None),
    ({"error": "invalid_token"}, None, None),
    ({"detail": "no"}, None, None),
    *((body, None, None) for body in ([], None, 7, "no", "<html>no</html>", "")),
    ({"error_code": "X.1", "error_msg": "one\r\ntwo\t\u0007\u001b[31mthree"}, "X.1", "one two [31mthree"),
]


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (500, "Internal Server Error")])
@pytest.mark.parametrize(
    ("body", "code", "message"), SHAPES_OF_ERRORS, ids=[str(row[0])[:70] for row in SHAPES_OF_ERRORS]
)
def test_the_body_of_an_error(
    cloud: t.Any, body: t.Any, code: str | None, message: str | None, status: int, reason: str
) -> None:
    text = body if isinstance(body, str) and body != "no" else json.dumps(body)
    cloud.sim.add_fault("status", status=status, body=text)
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds")._get(ref_of("dds"))
    assert (caught.value.code, caught.value.message) == (code, message or reason)
    assert str(caught.value).isprintable()
    assert caught.value.request_id


GATEWAY = [
    (302, None, "fatal"),
    (400, None, "fatal"),
    (401, None, "unauthorized"),
    *((401, f"APIGW.030{digit}", "unauthorized") for digit in (1, 3, 7)),
    *((403, code, "fatal") for code in ("APIGW.0302", "APIGW.0801", "APIGW.0802")),
    (404, "APIGW.0101", "fatal"),
    (404, None, "not_found"),
    (408, None, "transient"),
    *((429, code, "throttled") for code in (None, "APIGW.0308", "APIG.0308")),
    (403, "APIG.0308", "throttled"),
    (500, "APIGW.0601", "transient"),
    *((status, "APIGW.0201", "transient") for status in (502, 503, 504)),
]


@pytest.mark.parametrize(("status", "code", "error_class"), GATEWAY)
@pytest.mark.parametrize("service", ["dds", "kafka", "ecs"])
def test_an_error_of_the_gateway(cloud: t.Any, service: str, status: int, code: str | None, error_class: str) -> None:
    """Of its two ids of a request, the header's counts."""
    body = {"error_code": code, "error_msg": "No.", "request_id": "e4f1"}
    cloud.sim.add_fault("status", status=status, body=json.dumps(body), headers={"X-Request-Id": "0a1b"})
    with pytest.raises(ApiError) as caught:
        cloud.by_token(service)._get(ref_of(service))
    error = caught.value
    assert (error.error_class.value, error.code, error.request_id) == (error_class, code, "0a1b")
    assert f"HTTP {status}" in str(error)


def test_a_long_message_is_cut(cloud: t.Any) -> None:
    cloud.sim.add_fault(
        "status", status=500, body=json.dumps({"error_code": "X.1", "error_msg": "The service is busy. " * 99})
    )
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds")._get(ref_of("dds"))
    assert caught.value.message.endswith(" [...]")
    assert len(caught.value.message) <= 303


def test_the_figure_of_the_whole_comes_before_the_mean_of_the_steps() -> None:
    row = SERVICES["taurusdb_restore"]
    row = row._replace(fields=dict(row.fields, progress="progress"))
    body = {**RESPONSES["taurusdb_restore"].body, "progress": "62%"}
    assert read_task(row, ref_of("taurusdb_restore"), body).progress == 62
