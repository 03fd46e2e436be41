# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The further services: each speaks as its page says."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from . import Simulator, accounts
from .client import TOKEN, get, signed_headers

P = accounts.PROJECT_ID
V1_WORDS = ("INIT", "RUNNING", "SUCCESS", "FAIL")
DATABASE_WORDS = (None, "Running", "Completed", "Failed")
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
CHINA, MILLIS, PLAIN, BLANK = ISO + r"\+0800", ISO + r"\.\d{3}Z", ISO, ISO.replace("T", " ")
GO = BLANK + r"\.\d{9} \+0000 UTC"


@dataclass(frozen=True)
class Row:
    """Where a service is asked, where it says what, and what it says of an unknown id."""

    path: str
    status: str
    words: tuple[str | None, str, str, str]  # pending, running, succeeded, failed
    unknown: tuple[int, str]
    begin: tuple[str, str] = ("", "")
    end: tuple[str, str, str] = ("", "", "")  # where, while the task runs, at the end
    reason: str = ""
    code: str = ""


def row_of_v1(path: str = f"/v1/{P}/jobs/TASK", unknown: str = "Common.0011") -> Row:
    """A service of the v1 family."""
    return Row(
        path,
        "status",
        V1_WORDS,
        (400, f"error.code={unknown}"),
        ("begin_time", MILLIS),
        ("end_time", "", MILLIS),
        "fail_reason",
        "error_code",
    )


def row_of_cce(path: str) -> Row:
    """CCE and its Autopilot."""
    return Row(
        path,
        "status.phase",
        ("Initializing", "Running", "Success", "Failed"),
        (404, "errorCode=CCE.01404001"),
        ("metadata.creationTimestamp", GO),
        ("metadata.updateTimestamp", GO, GO),
        "status.reason",
    )


DMS = Row(
    f"/v2/{P}/instances/INSTANCE/tasks/TASK",
    "tasks.0.status",
    ("CREATED", "EXECUTING", "SUCCESS", "FAILED"),
    (200, "task_count=0"),
    ("tasks.0.created_at", MILLIS),
    ("tasks.0.updated_at", MILLIS, MILLIS),
)
ROWS = {
    "rds": Row(
        f"/v3/{P}/jobs?id=TASK",
        "job.status",
        DATABASE_WORDS,
        (400, "error_code=DBS.200543"),
        ("job.created", CHINA),
        ("job.ended", "(absent)", ISO + r"\+0000"),
        "job.fail_reason",
    ),
    "gaussdb": Row(
        f"/v3/{P}/jobs?id=TASK",
        "job.status",
        DATABASE_WORDS,
        (400, "error_code=DBS.200543"),
        ("job.created", CHINA),
        ("job.ended", "", CHINA),
        "job.fail_reason",
    ),
    "geminidb": Row(
        f"/v3/{P}/jobs?id=TASK",
        "jobs.0.status",
        DATABASE_WORDS,
        (200, "jobs=[]"),
        ("jobs.0.start_time", CHINA),
        ("jobs.0.end_time", CHINA, CHINA),
        "jobs.0.fail_reason",
    ),
    "rabbitmq": DMS,
    "rocketmq": DMS,
    "dcs": Row(
        f"/v2/{P}/jobs/TASK",
        "status",
        V1_WORDS,
        (400, "error_code=111400063"),
        ("begin_time", r"\d{13}"),
        ("end_time", "", r"\d{13}"),
        "fail_reason",
    ),
    "ddm": Row(
        f"/v3/{P}/jobs/TASK",
        "job.status",
        DATABASE_WORDS,
        (400, "error_code=DBS.300400"),
        ("job.created_time", CHINA),
        ("job.end_time", CHINA, CHINA),
    ),
    "ecs": row_of_v1(),
    "evs": row_of_v1(),
    "bms": row_of_v1(),
    "eip": row_of_v1(),
    "sdrs": row_of_v1(),
    "ims": row_of_v1("/v1/cloudimages/job/TASK", "IMG.0023"),
    "cce": row_of_cce(f"/api/v3/projects/{P}/jobs/TASK"),
    "cce_autopilot": row_of_cce(f"/autopilot/v3/projects/{P}/jobs/TASK"),
    "elb": Row(
        f"/v3/{P}/elb/jobs/TASK",
        "job.status",
        V1_WORDS,
        (404, "error_code=ELB.8904"),
        ("job.begin_time", ISO + "Z"),
        ("job.end_time", "", ISO + "Z"),
        "job.error_msg",
        "job.error_code",
    ),
    "cbr": Row(
        f"/v3/{P}/operation-logs/TASK",
        "operation_log.status",
        ("waiting", "running", "success", "failed"),
        (404, "error_code=BackupService.6500"),
        ("operation_log.created_at", ISO + r"\.\d{6}"),
        ("operation_log.ended_at", "(null)", ISO + r"\.\d{6}"),
        "operation_log.error_info.message",
        "operation_log.error_info.code",
    ),
    "sfs_turbo": Row(
        f"/v1/{P}/sfs-turbo/jobs/TASK",
        "status",
        ("waiting", "running", "success", "failed"),
        (404, "errCode=SFS.TURBO.0019"),
        ("begin_time", BLANK),
        ("end_time", "", BLANK),
        "fail_reason",
        "error_code",
    ),
    "dws": Row(
        f"/v1.0/{P}/job/TASK",
        "status",
        V1_WORDS,
        (404, "error_msg=The job does not exist."),
        ("begin_time", PLAIN),
        ("end_time", "", PLAIN),
        "failed_detail",
        "failed_code",
    ),
    "cfw": Row(
        f"/v3/{P}/jobs/TASK",
        "data.status",
        (None, "Running", "Success", "Failed"),
        (404, "error_code=CFW.0404"),
        ("data.begin_time", r"\d{13}"),
        ("data.end_time", "(null)", r"\d{13}"),
    ),
    "cse": Row(
        f"/v2/{P}/enginemgr/engines/INSTANCE/jobs/TASK",
        "status",
        ("Init", "Executing", "Finished", "Error"),
        (404, "error_code=SVCSTG.00404"),
        ("startTime", r"\d{13}"),
        ("endTime", "0", r"\d{13}"),
    ),
    "cph": Row(
        f"/v1/{P}/cloud-phone/jobs/TASK",
        "status",
        (None, "1", "2", "-1"),
        (404, "error_code=CPH.0404"),
        ("begin_time", PLAIN + "Z"),
        ("end_time", "", PLAIN + "Z"),
        "error_msg",
        "error_code",
    ),
}
every_service = pytest.mark.parametrize("service", ROWS)


def pick(body: Any, path: str) -> str:
    """What stands at a dotted path, as text."""
    for name in path.split("."):
        if isinstance(body, dict) and name not in body:
            return "(absent)"
        body = body[int(name)] if isinstance(body, list) else body[name]
    return "(null)" if body is None else str(body)


def path_of(task: dict[str, str]) -> str:
    """The path and the query that ask for a task."""
    asked = ROWS[task["service"]].path
    return asked.replace("INSTANCE", task["instance_id"]).replace("TASK", task["task_id"])


def ask(sim: Simulator, task: dict[str, str], **more: Any) -> requests.Response:
    """Ask for a task below the prefix of its service."""
    return get(sim.endpoint(task["service"]) + path_of(task), **more)


def read(sim: Simulator, service: str, **task: Any) -> Any:
    """The body for a new task."""
    response = ask(sim, sim.add_task(service, **task))
    assert response.status_code == 200, response.text
    return response.json()


@every_service
def test_the_natural_course(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    seen = [pick(read(sim, service, duration=100, age=age), row.status) for age in (0, 50, 150)]
    assert seen == [row.words[0] or row.words[1], row.words[1], row.words[2]]


@every_service
def test_times(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    running = read(sim, service, duration=100, age=50)
    assert re.fullmatch(row.begin[1], pick(running, row.begin[0]))
    assert re.fullmatch(re.escape(row.end[1]) if row.end[1][:1] in ("", "(") else row.end[1], pick(running, row.end[0]))
    done = sim.add_task(service, duration=100, age=150)
    ended = pick(ask(sim, done).json(), row.end[0])
    assert re.fullmatch(row.end[2], ended)
    time.sleep(0.01)
    assert pick(ask(sim, done).json(), row.end[0]) == ended


@every_service
def test_a_failed_task_says_why(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    body = read(sim, service, duration=0, outcome="failed", fail_reason="no space", error_code="X.1")
    assert pick(body, row.status) == row.words[3]
    assert not row.reason or pick(body, row.reason) == "no space"
    assert not row.code or pick(body, row.code) == "X.1"
    assert row.reason or "no space" not in str(body)
    fine = read(sim, service, duration=0)
    assert not row.reason or pick(fine, row.reason) in ("", "(null)", "(absent)")


@every_service
def test_an_unknown_id(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    status, told = row.unknown
    known = sim.add_task(service)
    where, dummy, value = told.partition("=")
    hidden = sim.add_task(service, visible_after=60, instance_id=known["instance_id"])
    for task in ({**known, "task_id": "0" * 32}, hidden):
        response = ask(sim, task)
        assert (response.status_code, pick(response.json(), where)) == (status, value)
    sim.add_fault("unknown_id", service=service)
    assert ask(sim, known).status_code == status


@every_service
def test_a_wrong_token_and_another_project(sim: Simulator, service: str) -> None:
    task = sim.add_task(service)
    assert ask(sim, task, headers={}).status_code == 401
    assert ask(sim, task, headers={"X-Auth-Token": "wrong"}).json()["error_code"] in ("APIGW.0301", "DMS.10240101")
    sim.change_accounts(tokens=[{"token": "other", "project_id": accounts.OTHER_PROJECT_ID}])
    other = ask(sim, task, headers={"X-Auth-Token": "other"})
    assert other.status_code in ((400,) if service == "ims" else (401, 403))


@every_service
def test_a_signature_is_accepted(sim: Simulator, service: str) -> None:
    task = sim.add_task(service)
    url = sim.endpoint(service) + path_of(task)
    extra = {"X-Project-Id": P, "Content-Type": "application/json"}
    assert ask(sim, task, headers=signed_headers(url, headers=extra)).status_code == 200


@every_service
def test_the_root_knows_every_service_and_a_prefix_only_its_own(sim: Simulator, service: str) -> None:
    task, row = sim.add_task(service), ROWS[service]
    assert pick(get(sim.url + path_of(task)).json(), row.status) == (row.words[0] or row.words[1])
    assert sim.requests()[-1]["service"] == service
    for other in ROWS:
        if other != service:
            body = get(sim.endpoint(other) + path_of(task)).json()
            assert task["task_name"] not in str(body)


@every_service
def test_raw_and_details(sim: Simulator, service: str) -> None:
    assert read(sim, service, raw=[1]) == [1]
    assert "'odd': 1" in str(read(sim, service, details={"odd": 1}))


@pytest.mark.parametrize(
    ("service", "outcome", "word"),
    [
        ("rabbitmq", "deleted", "DELETED"),
        ("rocketmq", "canceled", "CANCELLED"),
        ("ddm", "needs_action", "ToBeSwitched"),
        ("ddm", "canceled", "CancelSuccess"),
        ("ddm", "rolled_back", "RollbackSuccess"),
        ("ecs", "needs_action", "PENDING_PAYMENT"),
        ("bms", "needs_action", "PENDING_PAYMENT"),
        ("elb", "completed", "COMPLETE"),
        ("elb", "canceled", "CANCEL"),
        ("elb", "rollback_failed", "ROLLBACK_FAIL"),
        ("cbr", "skipped", "skipped"),
        ("cbr", "timeout", "timeout"),
        ("dws", "canceled", "STOP"),
        ("cfw", "stuck", "Running"),
        ("evs", "stuck", "RUNNING"),
    ],
)
def test_other_outcomes(sim: Simulator, service: str, outcome: str, word: str) -> None:
    body = read(sim, service, duration=0, outcome=outcome)
    assert pick(body, ROWS[service].status) == word
    where, running, ended = ROWS[service].end
    open_end = outcome in ("stuck", "needs_action")
    assert re.fullmatch(re.escape(running) if open_end and running[:1] in ("", "(") else ended, pick(body, where))


@pytest.mark.parametrize(
    ("service", "word"),
    [
        ("evs", "WAITING_EXECUTE"),
        ("evs", "LISTENING"),
        ("ddm", "Expanding"),
        ("elb", "ROLLBACKING"),
        ("dws", "DELAY_SCHEDULED"),
        ("dws", "WAITING"),
        ("dws", "ERROR"),
        ("rds", "Odd"),
    ],
)
def test_any_word_may_be_given(sim: Simulator, service: str, word: str) -> None:
    assert pick(read(sim, service, status=word), ROWS[service].status) == word


# Oddities


@pytest.mark.parametrize(
    ("service", "where", "under_way", "done"),
    [
        ("rds", "job.process", "50%", ""),
        ("gaussdb", "job.progress", "50%", ""),
        ("geminidb", "jobs.0.progress", "50%", ""),
        ("ddm", "job.process", "50%", ""),
        ("dws", "progress", "50%", "100%"),
        ("cbr", "operation_log.extra_info.common.progress", "50", "100"),
        ("ims", "entities.process_percent", "0.5", "1"),
    ],
)
def test_progress(sim: Simulator, service: str, where: str, under_way: str, done: str) -> None:
    assert pick(read(sim, service, status=ROWS[service].words[1], progress=50), where) == under_way
    assert pick(read(sim, service, duration=0), where) == done


@pytest.mark.parametrize("service", ["geminidb", "ddm"])
def test_a_running_task_has_an_end_in_the_future(sim: Simulator, service: str) -> None:
    planned = pick(read(sim, service, duration=100, age=50), ROWS[service].end[0])
    assert datetime.strptime(planned, "%Y-%m-%dT%H:%M:%S%z") > datetime.now(timezone.utc)


@pytest.mark.parametrize(("service", "other"), [("cce", "cce_autopilot"), ("cce_autopilot", "cce"), ("ddm", "rds")])
def test_a_service_does_not_answer_at_the_path_of_another(sim: Simulator, service: str, other: str) -> None:
    task = sim.add_task(service)
    response = get(sim.endpoint(other) + path_of(task))
    assert (response.status_code, response.json()["error_code"]) == (404, "APIGW.0101")


def test_a_failed_dws_task_keeps_its_progress(sim: Simulator) -> None:
    assert read(sim, "dws", duration=0, outcome="failed")["progress"] == "9%"


def test_numbers_and_strings(sim: Simulator) -> None:
    assert isinstance(read(sim, "dcs")["begin_time"], str)
    assert isinstance(read(sim, "cfw")["data"]["begin_time"], int)
    assert read(sim, "rabbitmq")["task_count"] == "1"
    assert read(sim, "geminidb")["total_count"] == 1
    began = datetime.fromtimestamp(int(read(sim, "dcs")["begin_time"]) / 1000, timezone.utc)
    assert abs((datetime.now(timezone.utc) - began).total_seconds()) < 5


@pytest.mark.parametrize("service", ["ecs", "evs", "ims", "bms", "eip", "sdrs"])
def test_a_v1_job_has_errors_only_at_its_end(sim: Simulator, service: str) -> None:
    running = read(sim, service, duration=100, age=50)
    assert "error_code" not in running and "fail_reason" not in running
    done = read(sim, service, duration=0)
    assert done["error_code"] is None and done["fail_reason"] is None


@pytest.mark.parametrize("service", ["ecs", "evs", "ims", "bms", "sdrs"])
def test_the_entities_of_a_v1_job_are_empty_at_first(sim: Simulator, service: str) -> None:
    assert read(sim, service, duration=100)["entities"] == {}
    assert read(sim, service, duration=0)["entities"] != {}


def test_a_server_is_named_in_the_sub_job(sim: Simulator) -> None:
    entities = read(sim, "ecs", duration=0, instance_id="s1")["entities"]
    assert entities["sub_jobs_total"] == 1
    assert entities["sub_jobs"][0]["entities"] == {"server_id": "s1"}
    failed = read(sim, "ecs", duration=0, outcome="failed")["entities"]["sub_jobs"][0]
    assert failed["entities"] == {"errorcode_message": "no valid host"}
    assert (failed["error_code"], failed["fail_reason"]) == ("Ecs.0015", "no valid host")


def test_a_volume_is_named_in_the_job_but_not_beside_sub_jobs(sim: Simulator) -> None:
    assert read(sim, "evs", duration=0, instance_id="v1")["entities"]["volume_id"] == "v1"
    parts = [{"name": "createVolume", "status": "SUCCESS"}, {"name": "createVolume", "status": "FAIL"}]
    entities = read(sim, "evs", status="SUCCESS", sub_tasks=parts)["entities"]
    assert sorted(entities) == ["sub_jobs", "sub_jobs_total"]
    assert [job["status"] for job in entities["sub_jobs"]] == ["SUCCESS", "FAIL"]


@pytest.mark.parametrize(
    ("service", "where", "status"),
    [
        ("ecs", "entities.sub_jobs", "status"),
        ("bms", "entities.sub_jobs", "status"),
        ("eip", "entities.sub_jobs", "status"),
        ("sdrs", "entities.sub_jobs", "status"),
        ("ims", "entities.sub_jobs_result", "status"),
        ("elb", "job.sub_jobs", "status"),
        ("sfs_turbo", "sub_jobs", "status"),
        ("cse", "tasks", "status"),
        ("cce", "spec.subJobs", "status.phase"),
    ],
)
def test_parts(sim: Simulator, service: str, where: str, status: str) -> None:
    parts = [{"name": "A", "status": "One"}, {"name": "B", "status": "Two"}]
    task = sim.add_task(service, status=ROWS[service].words[1], sub_tasks=parts)
    body = ask(sim, task).json()
    assert [pick(body, f"{where}.{number}.{status}") for number in (0, 1)] == ["One", "Two"]
    first, again = pick(body, where), pick(ask(sim, task).json(), where)
    assert first == again and "'A'" in first and "'B'" in first


def test_parts_of_a_part_of_cce(sim: Simulator) -> None:
    inner = [{"name": "InstallNode", "status": "Failed", "fail_reason": "no disk"}]
    body = read(sim, "cce", status="Running", sub_tasks=[{"name": "Node", "status": "Running", "sub_tasks": inner}])
    node = body["spec"]["subJobs"][0]["spec"]["subJobs"][0]
    assert (node["spec"]["type"], node["status"]) == ("InstallNode", {"phase": "Failed", "reason": "no disk"})


def test_steps_of_a_stage_of_cse(sim: Simulator) -> None:
    inner = [{"name": "InstallNode", "status": "Error"}]
    body = read(sim, "cse", status="Executing", sub_tasks=[{"name": "Node", "status": "Error", "sub_tasks": inner}])
    assert body["tasks"][0] == {
        "taskName": "Node",
        "taskNames": ["InstallNode"],
        "status": "Error",
        "tasks": [{"taskName": "InstallNode", "status": "Error"}],
    }


def test_settings_for_unknown_ids(sim: Simulator) -> None:
    dcs, ims = sim.add_task("dcs", visible_after=60), sim.add_task("ims", visible_after=60)
    sim.change_settings(dcs_unknown_id="404", ims_unknown_id="Common.0011")
    assert ask(sim, dcs).status_code == 404
    assert ask(sim, ims).json()["error"]["code"] == "Common.0011"


def test_the_project_of_an_image_job_is_the_callers(sim: Simulator) -> None:
    task = sim.add_task("ims", project_id=accounts.OTHER_PROJECT_ID)
    assert ask(sim, task).status_code == 400
    url = sim.endpoint("ims") + path_of(task)
    for project, status in ((P, 400), (accounts.OTHER_PROJECT_ID, 200)):
        assert get(url, signed_headers(url, headers={"X-Project-Id": project})).status_code == status


def test_the_older_path_of_image_jobs(sim: Simulator) -> None:
    task = sim.add_task("ims")
    assert get(f"{sim.endpoint('ims')}/v1/{P}/jobs/{task['task_id']}").json()["job_id"] == task["task_id"]


# Resources and operations


@pytest.mark.parametrize(
    ("service", "path", "words"),
    [
        ("ecs_server", f"/v1/{P}/cloudservers/", ["server.BUILD", "server.ACTIVE"]),
        ("taurusdb_instance", f"/v3/{P}/instances/", ["instance.creating", "instance.normal"]),
        ("evs_volume", f"/v2/{P}/cloudvolumes/", ["volume.deleting", 404]),
    ],
)
def test_resources(sim: Simulator, service: str, path: str, words: list[Any]) -> None:
    def poll(age: float) -> Any:
        sim.add_task(service, duration=100, age=age, id=f"r{age}", instance_name="one")
        response = get(f"{sim.endpoint(service)}{path}r{age}")
        if response.status_code != 200:
            return response.status_code
        ((kind, body),) = response.json().items()
        assert (body["id"], body["name"]) == (f"r{age}", "one")
        return f"{kind}.{body['status']}"

    assert [poll(50), poll(150)] == words
    sim.remove_task("r50")
    assert get(f"{sim.endpoint(service)}{path}r50").status_code == 404


def test_instances_are_listed(sim: Simulator) -> None:
    url = f"{sim.endpoint('taurusdb')}/v3/{P}/instances"
    sim.add_task("taurusdb_instance", id="a", duration=0)
    sim.add_task("taurusdb_instance", id="b", duration=0, outcome="deleted")
    sim.add_task("taurusdb_instance", id="c", status="backing up")
    assert [one["id"] for one in get(url).json()["instances"]] == ["a", "c"]
    assert get(f"{url}?id=c").json()["instances"][0]["status"] == "backing up"
    assert get(f"{url}?id=b").json() == {"instances": [], "total_count": 0}


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "status", "key"),
    [
        ("rds", "POST", f"/v3/{P}/instances/i1/action", {"restart": {}}, 202, "job_id"),
        ("ecs", "POST", f"/v1.1/{P}/cloudservers", {"server": {"name": "n", "count": 2}}, 200, "job_id"),
        ("ecs", "POST", f"/v1/{P}/cloudservers/delete", {"servers": [{"id": "s1"}]}, 200, "job_id"),
        ("dcs", "PUT", f"/v2/{P}/instances/i1/async-swap", None, 200, "job_id"),
        ("cce", "POST", f"/api/v3/projects/{P}/clusters", {"metadata": {"name": "c"}}, 201, "status.jobID"),
        ("cce", "DELETE", f"/api/v3/projects/{P}/clusters/c1", None, 200, "status.jobID"),
        ("cce_autopilot", "POST", f"/autopilot/v3/projects/{P}/clusters", {}, 201, "status.jobID"),
        ("evs", "DELETE", f"/v2/{P}/cloudvolumes/v1", None, 200, "job_id"),
    ],
)
def test_operations_start_tasks(
    sim: Simulator, service: str, method: str, path: str, body: Any, status: int, key: str
) -> None:
    row = ROWS[service]
    url = sim.endpoint(service) + path
    assert requests.request(method, url, json=body, timeout=5).status_code == 401
    for duration, words in ((100, row.words[:2]), (0, row.words[3:])):
        sim.change_operations(duration=duration, outcome="failed")
        response = requests.request(method, url, headers=TOKEN, json=body, timeout=5)
        assert response.status_code == status
        task = {"service": service, "task_id": pick(response.json(), key), "instance_id": ""}
        assert pick(ask(sim, task).json(), row.status) in words


def test_servers_come_and_go_with_their_tasks(sim: Simulator) -> None:
    url = f"{sim.endpoint('ecs')}/v1/{P}/cloudservers"

    def make(duration: float) -> str:
        sim.change_operations(duration=duration)
        made = requests.post(url, headers=TOKEN, json={"server": {"count": 2}}, timeout=5).json()["serverIds"]
        assert len(made) == 2
        return str(made[1])

    def delete(server: str, duration: float) -> None:
        sim.change_operations(duration=duration)
        gone = {"servers": [{"id": server}]}
        assert requests.post(f"{url}/delete", headers=TOKEN, json=gone, timeout=5).status_code == 200

    def status(server: str) -> Any:
        return get(f"{url}/{server}").json().get("server", {}).get("status")

    assert status(make(100)) == "BUILD"
    first, second = make(0), make(0)
    assert status(first) == "ACTIVE"
    delete(first, 100)
    delete(second, 0)
    assert (status(first), status(second)) == ("ACTIVE", None)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"servers": []}', b'{"servers": [{}]}'])
def test_an_operation_refuses_what_it_cannot_read(sim: Simulator, body: bytes) -> None:
    url = f"{sim.endpoint('ecs')}/v1/{P}/cloudservers/delete"
    assert requests.post(url, headers=TOKEN, data=body, timeout=5).status_code == 400


def test_the_task_of_an_operation_may_become_visible_later(sim: Simulator) -> None:
    sim.change_operations(visible_after=60)
    started = requests.put(f"{sim.endpoint('dcs')}/v2/{P}/instances/i1/async-swap", headers=TOKEN, timeout=5).json()
    assert ask(sim, {"service": "dcs", "task_id": started["job_id"], "instance_id": "i1"}).status_code == 400


def test_operations_refuse_a_slip(sim: Simulator) -> None:
    with pytest.raises(ValueError, match="unknown keys for the operations: seconds"):
        sim.change_operations(seconds=1)
