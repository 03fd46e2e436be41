# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator keeps its word: over real sockets, as its users meet it."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from . import Simulator, accounts
from .__main__ import greeting
from .client import JOB, TOKEN, ask, course, error_code, get, login, signed_headers, task_url

PROMPT = 3.0  # seconds; a machine with nothing else to do needs a tenth of one
TESTS = Path(__file__).resolve().parent.parent


# The APIs


def test_taurusdb_job_says_process_and_ends_in_another_zone(sim: Simulator) -> None:
    running = ask(sim, sim.add_task("taurusdb", status="Running", progress=60)).json()["job"]
    assert running["process"] == "60%"
    assert "ended" not in running and "fail_reason" not in running and "progress" not in running
    done = ask(sim, sim.add_task("taurusdb", status="Completed", progress=100)).json()["job"]
    assert done["process"] == ""
    assert done["created"].endswith("+0800") and done["ended"].endswith("+0000")
    assert done["instance"]["id"].endswith("in07") and done["entities"]["resource_ids"]
    assert "fail_reason" not in done
    created = datetime.strptime(done["created"], "%Y-%m-%dT%H:%M:%S%z")
    assert abs((datetime.now(timezone.utc) - created).total_seconds()) < 5


def test_taurusdb_failed_job_says_why(sim: Simulator) -> None:
    job = ask(sim, sim.add_task("taurusdb", duration=0, outcome="failed", fail_reason="no space")).json()["job"]
    assert (job["status"], job["fail_reason"]) == ("Failed", "no space")


def test_dds_job_has_an_end_while_it_runs(sim: Simulator) -> None:
    job = ask(sim, sim.add_task("dds", status="Running", progress=9)).json()["job"]
    assert job["progress"] == "9%" and job["ended"] and job["fail_reason"] is None
    assert job["instance"]["id"].endswith("in02")
    failed = ask(sim, sim.add_task("dds", duration=0, outcome="failed")).json()["job"]
    assert (failed["status"], failed["progress"]) == ("Failed", "")
    assert failed["fail_reason"] == "Failed to upgrade the DB Agent."


def test_restore_with_and_without_a_query(sim: Simulator) -> None:
    task = sim.add_task("taurusdb_restore", duration=0)
    newer = get(task_url(sim, task)).json()
    assert (newer["status"], newer["job_id"]) == ("complete", task["task_id"])
    init = newer["sub_task_list"][0]
    assert init == {"sub_task_name": "INIT", "percent": 19, "status": "complete", "remaining_time": 66}
    older = get(task_url(sim, task, query=False)).json()
    assert "status" not in older and older["sub_task_list"] == newer["sub_task_list"]


def test_restore_without_a_query_is_the_latest_of_the_instance(sim: Simulator) -> None:
    first = sim.add_task("taurusdb_restore", instance_id="one")
    latest = sim.add_task("taurusdb_restore", instance_id="one")
    sim.add_task("taurusdb_restore", instance_id="one", visible_after=60)
    sim.add_task("taurusdb_restore", instance_id="two")
    assert get(task_url(sim, first, query=False)).json()["job_id"] == latest["task_id"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("job_id={task_id}", "DBS.280001"),
        ("job_name={task_name}", "DBS.280001"),
        ("job_id={task_id}&job_name=RestoreTableTaurus", "DBS.200543"),
        ("job_id=other&job_name={task_name}", "DBS.200543"),
    ],
)
def test_restore_refuses_half_a_name(sim: Simulator, query: str, code: str) -> None:
    task = sim.add_task("taurusdb_restore")
    response = get(f"{task_url(sim, task, query=False)}?{query.format(**task)}")
    assert (response.status_code, error_code(response)) == (400, code)


def test_restore_parts_advance_one_after_the_other(sim: Simulator) -> None:
    task = sim.add_task("taurusdb_restore", duration=1, outcome="stuck")
    seen = course(
        lambda: [part["status"] for part in ask(sim, task).json()["sub_task_list"]],
        lambda words: bool(words[2] == "Running"),
    )
    assert seen[-3:] == [
        ["Running", "Pending", "Pending"],
        ["complete", "Running", "Pending"],
        ["complete", "complete", "Running"],
    ]
    body = ask(sim, task).json()
    assert body["status"] == "Running" and all(isinstance(part["percent"], int) for part in body["sub_task_list"])


def test_kafka_task(sim: Simulator) -> None:
    body = ask(sim, sim.add_task("kafka", status="EXECUTING")).json()
    assert body["task_count"] == "1"
    task = body["tasks"][0]
    assert task["status"] == "EXECUTING" and task["updated_at"].endswith("Z")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", task["created_at"])
    assert json.loads(task["params"])["enable_public_ip"] is True
    assert "progress" not in task and "fail_reason" not in task


def test_unknown_ids(sim: Simulator) -> None:
    for service in ("taurusdb", "dds"):
        response = get(f"{sim.endpoint(service)}{JOB}?id=nothing")
        assert (response.status_code, response.json()) == (
            400,
            {"error_code": "DBS.200543", "error_msg": "The job does not exist."},
        )
    kafka = sim.add_task("kafka", visible_after=60)
    url = task_url(sim, kafka)
    assert get(url).json() == {"task_count": "0", "tasks": []}
    sim.change_settings(kafka_unknown_id="404")
    assert (get(url).status_code, error_code(get(url))[:4]) == (404, "DMS.")


def test_a_job_without_an_id_is_a_bad_parameter(sim: Simulator) -> None:
    response = get(f"{sim.endpoint('dds')}{JOB}")
    assert (response.status_code, error_code(response)) == (400, "DBS.280001")


def test_services_do_not_see_each_other_but_the_root_sees_all(sim: Simulator) -> None:
    task = sim.add_task("dds")
    assert get(f"{sim.endpoint('taurusdb')}{JOB}?id={task['task_id']}").status_code == 400
    assert get(f"{sim.url}{JOB}?id={task['task_id']}").json()["job"]["progress"]
    other = sim.add_task("taurusdb")
    assert "process" in get(f"{sim.url}{JOB}?id={other['task_id']}").json()["job"]
    assert [record["service"] for record in sim.requests()] == ["taurusdb", "dds", "taurusdb"]


@pytest.mark.parametrize("path", ["/nothing", "/dds/v2/p/instances/i/tasks/t", f"/kafka{JOB}", "/"])
def test_unknown_paths(sim: Simulator, path: str) -> None:
    response = get(f"{sim.url}{path}")
    assert (response.status_code, error_code(response)) == (404, "APIGW.0101")
    assert response.json()["request_id"] == response.headers["X-Request-Id"]


def test_a_wrong_method_is_an_unknown_api(sim: Simulator) -> None:
    response = requests.post(f"{sim.endpoint('dds')}{JOB}?id=x", headers=TOKEN, timeout=5)
    assert (response.status_code, error_code(response)) == (404, "APIGW.0101")


def test_every_answer_has_an_id_and_a_date(sim: Simulator) -> None:
    response = ask(sim, sim.add_task("dds"))
    assert len(response.headers["X-Request-Id"]) == 32
    off = datetime.now(timezone.utc) - parsedate_to_datetime(response.headers["Date"])
    assert abs(off) < timedelta(seconds=5)


# Timelines


def test_natural_timeline(sim: Simulator) -> None:
    task = sim.add_task("taurusdb", duration=1)

    def poll() -> tuple[str, int]:
        job = ask(sim, task).json()["job"]
        return job["status"], int(job["process"].rstrip("%") or 0)

    seen = course(poll, lambda state: bool(state[0] == "Completed"))
    assert list(dict.fromkeys(state[0] for state in seen)) == ["Pending", "Running", "Completed"]
    running = [state[1] for state in seen if state[0] == "Running"]
    assert running == sorted(running) and len(set(running)) > 3


@pytest.mark.parametrize(
    ("service", "outcome", "word"),
    [
        ("kafka", "succeeded", "SUCCESS"),
        ("kafka", "deleted", "DELETED"),
        ("kafka", "failed", "FAILED"),
        ("taurusdb", "canceled", "Canceled"),
        ("taurusdb", "needs_action", "Unauthorized"),
        ("taurusdb_restore", "failed", "Failed"),
        ("dds", "stuck", "Running"),
        ("kafka", "stuck", "EXECUTING"),
    ],
)
def test_outcomes(sim: Simulator, service: str, outcome: str, word: str) -> None:
    assert f'"{word}"' in ask(sim, sim.add_task(service, duration=0, outcome=outcome)).text


def test_steps_words_and_numbers_are_free(sim: Simulator) -> None:
    task = sim.add_task(
        "dds",
        steps=[
            {"at": 0, "status": "rUNNING", "progress": "19"},
            {"at": 0.5, "status": "Odd", "progress": 50},
        ],
    )

    def poll() -> tuple[str, str]:
        job = ask(sim, task).json()["job"]
        return job["status"], job["progress"]

    assert course(poll, lambda state: bool(state[0] == "Odd")) == [("rUNNING", "19"), ("Odd", "50%")]


def test_sub_tasks_of_a_step_are_sent_as_they_are(sim: Simulator) -> None:
    parts = [{"name": "A", "status": "Running", "progress": "", "remaining": None}]
    body = ask(sim, sim.add_task("taurusdb_restore", status="Running", sub_tasks=parts)).json()
    assert body["sub_task_list"] == [{"sub_task_name": "A", "percent": "", "status": "Running", "remaining_time": None}]


def test_visible_after(sim: Simulator) -> None:
    task = sim.add_task("dds", visible_after=0.5)
    assert course(lambda: ask(sim, task).status_code, lambda status: bool(status == 200)) == [400, 200]


def test_raw_and_details(sim: Simulator) -> None:
    assert ask(sim, sim.add_task("kafka", raw={"task_count": 7})).json() == {"task_count": 7}
    assert ask(sim, sim.add_task("kafka", details={"params": "{"})).json()["tasks"][0]["params"] == "{"
    assert ask(sim, sim.add_task("dds", details={"name": "N"})).json()["job"]["name"] == "N"


# Tokens and projects


@pytest.mark.parametrize(
    ("headers", "database", "kafka"),
    [
        ({}, (401, "APIGW.0301"), (401, "DMS.10240103")),
        ({"X-Auth-Token": "wrong"}, (401, "APIGW.0301"), (401, "DMS.10240101")),
        ({"Authorization": "Basic dTpw"}, (401, "APIGW.0301"), (401, "DMS.10240103")),
        ({**TOKEN, "X-Project-Id": accounts.OTHER_PROJECT_ID}, (403, "DBS.200010"), (403, "DMS.00403002")),
    ],
)
def test_refused_tokens(
    sim: Simulator, headers: dict[str, str], database: tuple[int, str], kafka: tuple[int, str]
) -> None:
    for service, expected in (("dds", database), ("taurusdb_restore", database), ("kafka", kafka)):
        response = ask(sim, sim.add_task(service), headers=headers)
        assert (response.status_code, error_code(response)) == expected
        if expected[0] == 401 and service == "dds":
            assert response.json()["request_id"] == response.headers["X-Request-Id"]


def test_a_token_is_for_one_project(sim: Simulator) -> None:
    for service, refusal in (("dds", (403, "DBS.200010")), ("kafka", (401, "DMS.10240104"))):
        task = sim.add_task(service, project_id=accounts.OTHER_PROJECT_ID)
        response = ask(sim, task)
        assert (response.status_code, error_code(response)) == refusal
        sim.change_accounts(tokens=[{"token": "other", "project_id": accounts.OTHER_PROJECT_ID}])
        assert ask(sim, task, headers={"X-Auth-Token": "other"}).status_code == 200


def test_tokens_expire_and_are_revoked(sim: Simulator) -> None:
    database, kafka = sim.add_task("dds"), sim.add_task("kafka")
    sim.change_accounts(expire_token=accounts.TOKEN)
    assert error_code(ask(sim, database)) == "APIGW.0307"
    assert error_code(ask(sim, kafka)) == "DMS.10240102"
    sim.change_accounts(revoke_token="all")
    assert error_code(ask(sim, database)) == "APIGW.0301"


# Signatures


@pytest.mark.parametrize("service", ["taurusdb", "taurusdb_restore", "dds", "kafka"])
def test_a_signature_of_the_vendor_is_accepted(sim: Simulator, service: str) -> None:
    url = task_url(sim, sim.add_task(service))
    extra = {"X-Project-Id": accounts.PROJECT_ID, "Content-Type": "application/json"}
    assert get(url, signed_headers(url, headers=extra)).status_code == 200
    assert sim.requests()[-1]["auth"] == "aksk"


def test_one_wrong_letter_is_refused(sim: Simulator) -> None:
    url = task_url(sim, sim.add_task("dds"))
    headers = signed_headers(url)
    last = "0" if headers["Authorization"][-1] != "0" else "1"
    response = get(url, {**headers, "Authorization": headers["Authorization"][:-1] + last})
    assert (response.status_code, error_code(response)) == (401, "APIGW.0301")
    assert "verify aksk signature fail" in response.json()["error_msg"]


@pytest.mark.parametrize("change", ["query", "path", "header", "secret", "access"])
def test_what_is_signed_cannot_be_changed(sim: Simulator, change: str) -> None:
    url = task_url(sim, sim.add_task("dds", id="one"))
    headers = signed_headers(url, headers={"X-Project-Id": accounts.PROJECT_ID})
    if change == "secret":
        headers = signed_headers(url, sk="another")
    if change == "access":
        headers = signed_headers(url, ak="another")
    if change == "header":
        headers["X-Project-Id"] = accounts.OTHER_PROJECT_ID
    sent = {"query": f"{url}&more=1", "path": url.replace("/dds", "/taurusdb")}.get(change, url)
    assert error_code(get(sent, headers)) == "APIGW.0301"


def test_a_plus_for_a_space_is_not_the_signed_query(sim: Simulator) -> None:
    base = f"{sim.endpoint('dds')}{JOB}"
    headers = signed_headers(f"{base}?id=a b")
    assert error_code(get(f"{base}?id=a%20b", headers)) == "DBS.200543"
    assert error_code(get(f"{base}?id=a+b", headers)) == "APIGW.0301"


@pytest.mark.parametrize(("minutes", "status"), [(-14, 200), (14, 200), (-16, 401), (16, 401)])
def test_the_date_of_a_signature_is_near(sim: Simulator, minutes: int, status: int) -> None:
    url = task_url(sim, sim.add_task("dds"))
    date = (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("%Y%m%dT%H%M%SZ")
    response = get(url, signed_headers(url, headers={"X-Sdk-Date": date}))
    assert response.status_code == status
    if status == 401:
        assert error_code(response) == "APIGW.0303"


def test_a_temporary_key_needs_its_security_token(sim: Simulator) -> None:
    url = task_url(sim, sim.add_task("dds"))
    pair = (accounts.TEMPORARY_ACCESS_KEY, accounts.TEMPORARY_SECRET_KEY)
    complete = signed_headers(url, *pair, {"X-Security-Token": accounts.SECURITY_TOKEN})
    assert get(url, complete).status_code == 200
    assert sim.requests()[-1]["auth"] == "temporary_aksk"
    assert error_code(get(url, signed_headers(url, *pair))) == "APIGW.0301"
    assert error_code(get(url, signed_headers(url, *pair, {"X-Security-Token": "another"}))) == "APIGW.0301"
    sim.change_accounts(rotate_keys=True)
    assert error_code(get(url, complete)) == "APIGW.0301"


def test_a_key_reaches_every_project_of_the_account_and_no_other(sim: Simulator) -> None:
    url = task_url(sim, sim.add_task("dds", project_id=accounts.OTHER_PROJECT_ID))
    assert get(url, signed_headers(url)).status_code == 200
    strange = f"{sim.endpoint('dds')}/v3/strange/jobs?id=x"
    assert error_code(get(strange, signed_headers(strange))) == "DBS.200010"


def test_without_the_signer_a_signature_is_not_taken_on_trust(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    url = task_url(sim, sim.add_task("dds"))
    headers = signed_headers(url)
    monkeypatch.setitem(sys.modules, "huaweicloudsdkcore.signer.signer", None)
    response = get(url, headers)
    assert (response.status_code, error_code(response)) == (501, "SIMULATOR.0001")


# IAM


def test_iam_issues_a_token_which_works(sim: Simulator) -> None:
    response = login(sim)
    assert response.status_code == 201 and response.headers["X-IAM-Trace-Id"]
    body = response.json()["token"]
    assert body["project"]["id"] == accounts.PROJECT_ID and "catalog" not in body
    expires = datetime.strptime(body["expires_at"], "%Y-%m-%dT%H:%M:%S.%f%z")
    assert timedelta(hours=23) < expires - datetime.now(timezone.utc) < timedelta(hours=25)
    issued = {"X-Auth-Token": response.headers["X-Subject-Token"]}
    task = sim.add_task("dds")
    assert ask(sim, task, headers=issued).status_code == 200
    assert sim.stats()["tokens_issued"] == 1
    sim.change_accounts(expire_token="issued")
    assert error_code(ask(sim, task, headers=issued)) == "APIGW.0307"
    assert ask(sim, task).status_code == 200


def test_issued_tokens_live_as_long_as_asked(sim: Simulator) -> None:
    sim.change_accounts(token_lifetime=0.5)
    issued = {"X-Auth-Token": login(sim).headers["X-Subject-Token"]}
    task = sim.add_task("dds")
    assert course(lambda: ask(sim, task, headers=issued).json().get("error_code"), lambda code: code is not None) == [
        None,
        "APIGW.0307",
    ]


def test_iam_scope_by_name(sim: Simulator) -> None:
    domain = {"name": accounts.DOMAIN_NAME}
    named = login(sim, {"name": accounts.OTHER_REGION, "domain": domain})
    assert named.json()["token"]["project"]["id"] == accounts.OTHER_PROJECT_ID
    assert login(sim, {"name": accounts.REGION}).json()["token"]["project"]["id"] == accounts.PROJECT_ID
    assert login(sim, {"name": "nowhere", "domain": domain}).status_code == 401
    sim.change_accounts(scope_needs_domain=True)
    assert login(sim, {"name": accounts.REGION}).status_code == 400
    assert login(sim, {"name": accounts.REGION, "domain": domain}).status_code == 201


@pytest.mark.parametrize("user", [{"password": "wrong"}, {"name": "wrong"}, {"domain": {"name": "wrong"}}])
def test_iam_refuses_a_wrong_user(sim: Simulator, user: dict[str, Any]) -> None:
    response = login(sim, **user)
    assert response.status_code == 401
    error = response.json()["error"]
    assert (error["code"], error["title"]) == (401, "Unauthorized")
    assert "X-Subject-Token" not in response.headers


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"auth": {"identity": 1}}', '{"auth": null}'])
def test_iam_refuses_a_strange_body(sim: Simulator, body: str) -> None:
    response = requests.post(f"{sim.url}/v3/auth/tokens", data=body, timeout=5)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 400)


def test_iam_can_leave_things_out(sim: Simulator) -> None:
    sim.change_accounts(omit_subject_token=True, omit_expires_at=True)
    response = login(sim)
    assert response.status_code == 201 and "X-Subject-Token" not in response.headers
    assert "expires_at" not in response.json()["token"]


def test_projects(sim: Simulator) -> None:
    url = f"{sim.endpoint('iam')}/v3/projects?name={accounts.REGION}"
    for headers in (TOKEN, signed_headers(url)):
        projects = get(url, headers).json()["projects"]
        assert [(project["id"], project["name"]) for project in projects] == [
            (accounts.PROJECT_ID, accounts.PROJECT_NAME)
        ]
    assert get(url, {}).json()["error"]["code"] == 401
    assert error_code(get(url, signed_headers(url, sk="another"))) == "APIGW.0301"
    sim.change_accounts(projects=[])
    assert get(url).json()["projects"] == []


# Metadata


def metadata_token(sim: Simulator, seconds: str = "21600") -> requests.Response:
    """Ask the metadata address for a token."""
    url = f"{sim.endpoint('metadata')}/meta-data/latest/api/token"
    return requests.put(url, headers={"X-Metadata-Token-Ttl-Seconds": seconds}, timeout=5)


def security_key(sim: Simulator, headers: dict[str, str]) -> requests.Response:
    """Ask the metadata address for the key of the agency."""
    return get(f"{sim.endpoint('metadata')}/openstack/latest/securitykey", headers)


def test_metadata_with_a_token(sim: Simulator) -> None:
    assert security_key(sim, {}).status_code == 401
    assert metadata_token(sim, "0").status_code == 400
    headers = {"X-Metadata-Token": metadata_token(sim).text}
    credential = security_key(sim, headers).json()["credential"]
    assert set(credential) == {"access", "secret", "securitytoken", "expires_at"}
    url = task_url(sim, sim.add_task("dds"))
    token = {"X-Security-Token": credential["securitytoken"]}
    assert get(url, signed_headers(url, credential["access"], credential["secret"], token)).status_code == 200


def test_metadata_of_the_first_version_and_without_agency(sim: Simulator) -> None:
    sim.change_accounts(metadata="imdsv1")
    assert metadata_token(sim).status_code == 404
    assert security_key(sim, {}).json()["credential"]["access"] == accounts.TEMPORARY_ACCESS_KEY
    sim.change_accounts(metadata="no_agency")
    response = security_key(sim, {"X-Metadata-Token": metadata_token(sim).text})
    assert response.status_code == 401 and "Agency" in response.text


# Faults


@pytest.mark.parametrize(
    ("kind", "given", "status", "text"),
    [
        ("status", {}, 500, "DBS.108000"),
        ("status", {"status": 503, "error_code": "APIGW.0613", "shape": "apigw"}, 503, "request_id"),
        ("status", {"status": 400, "error_code": "X.1", "shape": "ddm"}, 400, "errCode"),
        ("status", {"status": 502, "body": "<html>bad gateway</html>"}, 502, "<html>"),
        ("status", {"status": 401, "shape": "iam"}, 401, '"title": "Unauthorized"'),
        ("throttle", {}, 429, "APIGW.0308"),
        ("flow_control", {}, 404, "DMS.10240407"),
        ("not_json", {}, 200, "upstream request timeout"),
        ("not_json", {"body": "{"}, 200, "{"),
        ("login_page", {}, 200, "<!DOCTYPE html>"),
        ("wrong_shape", {}, 200, '{"items": []}'),
        ("wrong_shape", {"body": [1]}, 200, "[1]"),
        ("empty", {}, 200, ""),
        ("expired_token", {}, 401, "APIGW.0307"),
        ("forbidden", {}, 403, "DMS.00403002"),
        ("unknown_id", {}, 200, '{"task_count": "0", "tasks": []}'),
        ("unknown_id", {"mode": "404"}, 404, "DMS.00404022"),
        ("wrong_host", {}, 404, "APIGW.0101"),
    ],
)
def test_faults_which_answer(sim: Simulator, kind: str, given: dict[str, Any], status: int, text: str) -> None:
    task = sim.add_task("kafka")
    sim.add_fault(kind, first=1, **given)
    response = ask(sim, task)
    assert response.status_code == status and text in response.text
    assert (sim.requests()[-1]["fault"], sim.requests()[-1]["status"]) == (kind, status)
    assert ask(sim, task).json()["task_count"] == "1"


def test_faults_of_database_services(sim: Simulator) -> None:
    task = sim.add_task("dds")
    for kind, code in (("unknown_id", "DBS.200543"), ("forbidden", "DBS.200010")):
        sim.clear_faults()
        sim.add_fault(kind)
        assert error_code(ask(sim, task)) == code


def test_retry_after_in_seconds_or_as_a_date(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("throttle", first=1, retry_after=7)
    sim.add_fault("status", first=1, after=1, status=503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    sim.add_fault("throttle", first=1, after=2, retry_after_date=60)
    assert ask(sim, task).headers["Retry-After"] == "7"
    assert ask(sim, task).headers["Retry-After"].startswith("Wed, 21 Oct 2015")
    ahead = parsedate_to_datetime(ask(sim, task).headers["Retry-After"]) - datetime.now(timezone.utc)
    assert timedelta(seconds=55) < ahead < timedelta(seconds=61)
    assert "Retry-After" not in ask(sim, task).headers


def test_own_headers(sim: Simulator) -> None:
    sim.add_fault("status", headers={"X-Request-Id": "mine", "Via": "proxy"})
    response = ask(sim, sim.add_task("dds"))
    assert (response.headers["X-Request-Id"], response.headers["Via"]) == ("mine", "proxy")


def test_redirect(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("redirect", first=1)
    sim.add_fault("redirect", after=1, location="https://elsewhere.example.com/", status=307)
    response = ask(sim, task)
    assert (response.status_code, response.headers["Location"]) == (302, f"{sim.url}/login")
    response = ask(sim, task)
    assert (response.status_code, response.headers["Location"]) == (307, "https://elsewhere.example.com/")


@pytest.mark.parametrize("kind", ["reset", "close"])
def test_broken_connections(sim: Simulator, kind: str) -> None:
    task = sim.add_task("dds")
    sim.add_fault(kind, first=1)
    words = {"reset": "ConnectionResetError", "close": "RemoteDisconnected"}
    with pytest.raises(requests.ConnectionError) as caught:
        ask(sim, task)
    assert words[kind] in repr(caught.value)
    assert sim.requests()[-1]["status"] is None
    assert ask(sim, task).status_code == 200


def test_truncated(sim: Simulator) -> None:
    sim.add_fault("truncated")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(sim, sim.add_task("dds"))


def test_hang_until_the_caller_gives_up_or_the_time_is_over(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("hang", first=1)
    with pytest.raises(requests.ReadTimeout):
        ask(sim, task, timeout=0.2)
    sim.clear_faults()
    sim.add_fault("hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        ask(sim, task)
    assert sim.stats()["active_requests"] == 0


def test_slow(sim: Simulator) -> None:
    sim.add_fault("slow", seconds=0.3)
    begin = time.monotonic()
    assert ask(sim, sim.add_task("dds")).status_code == 200
    assert time.monotonic() - begin >= 0.3


def test_drip_defeats_a_read_timeout_but_arrives_whole(sim: Simulator) -> None:
    sim.add_fault("drip", interval=0.001)
    begin = time.monotonic()
    assert ask(sim, sim.add_task("dds"), timeout=0.5).json()["job"]
    assert time.monotonic() - begin > 0.2


def test_huge(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("huge", first=1)
    sim.add_fault("huge", first=1, after=1, chunked=True)
    sim.add_fault("huge", after=2, gzip=True)
    plain, chunked, packed = ask(sim, task), ask(sim, task), ask(sim, task)
    assert {len(plain.content), len(chunked.content), len(packed.content)} == {len(plain.content)}
    assert int(plain.headers["Content-Length"]) > 8 * 1024 * 1024
    assert "Content-Length" not in chunked.headers
    assert int(packed.headers["Content-Length"]) < 100_000


def test_bad_date(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("bad_date", first=1)
    assert ask(sim, task).headers["Date"] == "the day before yesterday"
    assert "GMT" in ask(sim, task).headers["Date"]


def test_faults_choose_service_task_and_method(sim: Simulator) -> None:
    first, second, kafka = sim.add_task("dds"), sim.add_task("dds"), sim.add_task("kafka")
    sim.add_fault("throttle", service="kafka")
    sim.add_fault("wrong_host", task_id=second["task_id"])
    sim.add_fault("status", service="iam", method="POST")
    assert [ask(sim, task).status_code for task in (first, second, kafka)] == [200, 404, 429]
    assert (login(sim).status_code, get(f"{sim.url}/v3/projects").status_code) == (500, 200)


def test_faults_count_their_requests(sim: Simulator) -> None:
    task, other = sim.add_task("dds"), sim.add_task("kafka")
    sim.add_fault("throttle", service="dds", after=1, first=2)
    ask(sim, other)
    assert [ask(sim, task).status_code for dummy in range(5)] == [200, 429, 429, 200, 200]
    assert (sim.faults()[0]["seen"], sim.faults()[0]["applied"]) == (5, 2)


def test_faults_have_their_time(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.add_fault("throttle", from_=0.3, until=0.6)
    assert course(lambda: ask(sim, task).status_code, lambda status: bool(status == 429)) == [200, 429]
    assert course(lambda: ask(sim, task).status_code, lambda status: bool(status == 200)) == [429, 200]


# Control calls and the log


def call(sim: Simulator, method: str, path: str, body: Any = None) -> requests.Response:
    """A control call."""
    return requests.request(method, f"{sim.url}/_control{path}", json=body, timeout=5)


def test_control_calls_for_tasks(sim: Simulator) -> None:
    task = call(sim, "POST", "/tasks", {"service": "dds", "status": "Running"}).json()
    assert set(task) == {"service", "task_id", "instance_id", "task_name", "project_id"}
    call(sim, "POST", f"/tasks/{task['task_id']}", {"status": "Completed", "name": "new"})
    job = ask(sim, task).json()["job"]
    assert (job["status"], job["name"]) == ("Completed", "new")
    assert call(sim, "DELETE", f"/tasks/{task['task_id']}").status_code == 200
    assert call(sim, "DELETE", f"/tasks/{task['task_id']}").status_code == 404
    assert ask(sim, task).status_code == 400
    many = call(sim, "POST", "/tasks", [{"service": "kafka", "id": str(number)} for number in range(3)]).json()
    assert [task["task_id"] for task in many] == ["0", "1", "2"]
    assert call(sim, "GET", "/stats").json()["tasks"] == 3


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/tasks", {"service": "other"}, "service must be one of"),
        ("/tasks", {"service": "dds", "durations": 5}, "unknown keys for a task: durations"),
        ("/tasks", {"service": "dds", "outcome": "deleted"}, "outcome for dds"),
        ("/tasks", {"service": "dds", "steps": [{"at": 1}]}, "a step needs a status"),
        ("/tasks", {"service": "dds", "steps": [{"status": "x", "on": 1}]}, "unknown keys for a step"),
        ("/faults", {"fault": "other"}, "fault must be one of"),
        ("/faults", {"fault": "reset", "seconds": 1}, "unknown keys for the fault reset"),
        ("/faults", {"fault": "reset", "service": "other"}, "service must be one of"),
        ("/faults", {"fault": "status", "shape": "round"}, "shape must be one of"),
        ("/faults", [], "not a list"),
        ("/tasks", "dds", "the body must be an object"),
        ("/accounts", {"metadata": "other"}, "metadata must be one of"),
        ("/accounts", {"tokens": [{"project": 1}]}, "project"),
        ("/settings", {"kafka_unknown_id": "maybe"}, "kafka_unknown_id must be one of"),
    ],
)
def test_control_calls_refuse_slips(sim: Simulator, path: str, body: Any, text: str) -> None:
    response = call(sim, "POST", path, body)
    assert response.status_code == 400 and text in response.json()["error"]


def test_control_calls_for_faults_accounts_and_settings(sim: Simulator) -> None:
    task = sim.add_task("dds")
    call(sim, "POST", "/faults", {"fault": "throttle", "from": 0})
    assert ask(sim, task).status_code == 429
    assert call(sim, "GET", "/faults").json()["faults"][0]["applied"] == 1
    call(sim, "DELETE", "/faults")
    assert ask(sim, task).status_code == 200
    call(sim, "POST", "/accounts", {"revoke_token": "all"})
    assert ask(sim, task).status_code == 401
    assert call(sim, "POST", "/settings", {"kafka_unknown_id": "404"}).json()["kafka_unknown_id"] == "404"
    call(sim, "POST", "/reset")
    assert ask(sim, task).status_code == 400
    assert call(sim, "POST", "/nothing").status_code == 404
    assert call(sim, "POST", "/tasks", None).status_code == 400


def test_the_log_tells_everything_but_secrets(sim: Simulator) -> None:
    task = sim.add_task("taurusdb")
    with requests.Session() as session:
        session.headers.update({**TOKEN, "X-Language": "zh-cn", "User-Agent": "test/1"})
        for dummy in range(2):
            session.get(task_url(sim, task), timeout=5)
    ask(sim, task)
    log = call(sim, "GET", f"/requests?service=taurusdb&task_id={task['task_id']}").json()["requests"]
    assert len(log) == 3 and log[0]["at"] <= log[1]["at"] <= log[2]["at"]
    assert (log[0]["language"], log[0]["user_agent"], log[0]["auth"]) == ("zh-cn", "test/1", "token")
    assert (log[0]["status"], log[0]["method"], log[0]["query"]) == (200, "GET", {"id": task["task_id"]})
    assert log[0]["connection"] == log[1]["connection"] != log[2]["connection"]
    login(sim)
    text = json.dumps(sim.requests())
    assert sim.requests()[-1]["auth"] == "password"
    assert accounts.TOKEN not in text and accounts.PASSWORD not in text
    call(sim, "DELETE", "/requests")
    assert sim.requests() == []


def test_a_burst_of_a_thousand_tasks(sim: Simulator) -> None:
    tasks = [sim.add_task("dds") for dummy in range(1000)]
    sim.add_fault("slow", seconds=0.1, first=16)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=16))
        session.headers.update(TOKEN)
        urls = [task_url(sim, task) for task in tasks]
        with ThreadPoolExecutor(16) as pool:
            responses = list(pool.map(lambda url: session.get(url, timeout=20), urls))
    assert [response.json()["job"]["id"] for response in responses] == [task["task_id"] for task in tasks]
    stats = sim.stats()
    assert stats["requests"] == 1000 and 8 <= stats["peak_requests"] <= 16
    assert stats["peak_connections"] >= 8


# Start and stop


def test_two_simulators_do_not_meet() -> None:
    with Simulator() as one, Simulator() as two:
        task = one.add_task("dds")
        assert ask(one, task).status_code == 200
        assert ask(two, task).status_code == 400


def test_it_stops_at_once_even_while_a_request_hangs() -> None:
    with Simulator() as simulator:
        simulator.add_fault("hang")
        url = task_url(simulator, simulator.add_task("dds"))
        with ThreadPoolExecutor(1) as pool:
            pending = pool.submit(get, url)
            while not simulator.stats()["active_requests"]:
                time.sleep(0.01)
            begin = time.monotonic()
            simulator.stop()
            assert time.monotonic() - begin < PROMPT
            assert isinstance(pending.exception(5), requests.ConnectionError)
    with pytest.raises(RuntimeError):
        simulator.stats()


def test_it_speaks_https(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with Simulator(ssl_context=context) as simulator:
        task = simulator.add_task("dds")
        assert task_url(simulator, task).startswith("https://127.0.0.1:")
        assert ask(simulator, task, verify=str(tmp_path / "ca.pem")).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            ask(simulator, task)
        simulator.add_fault("reset")
        with pytest.raises(requests.ConnectionError):
            ask(simulator, task, verify=str(tmp_path / "ca.pem"))


def test_a_taken_port_is_an_error(running: Simulator) -> None:
    with pytest.raises(OSError):
        Simulator(running.port).start()


@contextmanager
def program(*arguments: str, shell: str = "") -> Iterator[subprocess.Popen[str]]:
    """The simulator as a program."""
    command = [sys.executable, "-m", "simulator", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    if shell:
        command = ["sh", "-c", shell, "sh", *command]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_file(path: Path) -> str:
    """The content of a file which is about to appear."""
    end = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return path.read_text(encoding="ascii")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_starts_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    with program("--port-file", str(tmp_path / "port")) as process:
        port = int(wait_for_file(tmp_path / "port"))
        assert process.stdout
        expected = greeting(f"http://127.0.0.1:{port}")
        assert process.stdout.read(len(expected)) == expected
        assert requests.get(f"http://127.0.0.1:{port}/_control/stats", timeout=5).json()["requests"] == 0
        begin = time.monotonic()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=5)
        assert time.monotonic() - begin < PROMPT
        assert (process.returncode, rest, errors) == (0, "", "")


def test_the_program_can_be_quiet_and_ends_with_its_parent(tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    arguments = ("--quiet", "--exit-with-parent", "--port-file", str(port_file))
    with program(*arguments, shell='"$@" & wait') as parent:
        port = int(wait_for_file(port_file))
        parent.kill()
        output, errors = parent.communicate(timeout=5)
        assert (output, errors) == ("", "")
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/_control/stats", timeout=1)


def test_the_program_says_when_its_port_is_taken(running: Simulator) -> None:
    with program("--port", str(running.port)) as process:
        output, errors = process.communicate(timeout=10)
        assert process.returncode == 1 and output == ""
        assert errors.startswith(f"cannot listen on port {running.port}") and "Traceback" not in errors
