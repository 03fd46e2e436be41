# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of all services, asked for with every kind of credentials, one by one and many at once."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _auth, _client, _query_module
from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import Authenticator, Key
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import (
    ApiError,
    ErrorClass,
    InputError,
    MissingLibraryError,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._http import POOL_SIZE
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import MODULE_SERVICES, SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._settings import settings_from
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import Mask
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from simulator import Simulator, accounts, catalog

SLACK = 2.0
SPEAKS_LANGUAGES = ("taurusdb", "taurusdb_restore", "rds")
NO_SUCH_ID = "0" * 32  # well formed for Kafka, which refuses others
BY_KEY = {"access_key": accounts.ACCESS_KEY, "secret_key": accounts.SECRET_KEY}
BY_TEMPORARY_KEY = {
    "access_key": accounts.TEMPORARY_ACCESS_KEY,
    "secret_key": accounts.TEMPORARY_SECRET_KEY,
    "security_token": accounts.SECURITY_TOKEN,
}
BY_PASSWORD = {
    "username": accounts.USERNAME,
    "password": accounts.PASSWORD,
    "domain_name": accounts.DOMAIN_NAME,
}
WAYS = {
    "token": ({"auth_token": accounts.TOKEN}, "token"),
    "key": (BY_KEY, "aksk"),
    "temporary key": (BY_TEMPORARY_KEY, "temporary_aksk"),
    "password": ({**BY_PASSWORD, "region": accounts.REGION}, "token"),
}


def ref_of(task: t.Mapping[str, str], **more: str | None) -> TaskRef:
    return TaskRef(task["service"], task["task_id"], task["instance_id"], task["task_name"], **more)


def assert_only_reads(sim: Simulator) -> None:
    """GET only, but for logins."""
    for record in sim.requests():
        allowed = ("GET",) if record["auth"] != "password" else ("POST",)
        if record["service"] == "metadata":
            allowed = ("GET", "PUT")
        assert record["method"] in allowed


# Every service, every way


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("credentials", "auth"), WAYS.values(), ids=WAYS)
def test_ask(cloud: t.Any, service: str, credentials: dict[str, str], auth: str) -> None:
    task = cloud.sim.add_task(service, status=catalog.CATALOG[service].words.running)
    response = cloud.client(service, **credentials).get_task(ref_of(task))
    assert response.task.id == task["task_id"]
    assert response.task.state == "running"
    assert response.task.service == service
    assert response.body
    records = cloud.sim.requests(task_id=task["task_id"])
    assert [record["auth"] for record in records] == [auth]
    assert records[0]["language"] == ("en-us" if service in SPEAKS_LANGUAGES else None)
    assert_only_reads(cloud.sim)


@pytest.mark.parametrize("service", SERVICES)
def test_language(cloud: t.Any, service: str) -> None:
    """Only TaurusDB and RDS are told."""
    task = cloud.sim.add_task(service)
    cloud.by_token(service, language="zh-cn").get_task(ref_of(task))
    [record] = cloud.sim.requests()
    assert record["language"] == ("zh-cn" if service in SPEAKS_LANGUAGES else None)


def test_a_restore_with_and_without_ids(cloud: t.Any) -> None:
    task = cloud.sim.add_task("taurusdb_restore", status="complete", sub_tasks=[{"status": "complete", "progress": 19}])
    client = cloud.by_token("taurusdb_restore")
    named = client.get_task(ref_of(task)).task
    alone = client.get_task(TaskRef("taurusdb_restore", None, task["instance_id"])).task
    assert (named.status, named.state) == ("complete", "succeeded")
    assert (alone.status, alone.state, alone.id) == (None, "succeeded", task["task_id"])
    queries = [record["query"] for record in cloud.sim.requests()]
    assert queries == [{"job_id": task["task_id"], "job_name": task["task_name"]}, {}]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kafka_unknown_id", ["empty", "404"])
def test_no_such_task(cloud: t.Any, service: str, kafka_unknown_id: str) -> None:
    cloud.sim.change_settings(kafka_unknown_id=kafka_unknown_id)
    ref = TaskRef(service, NO_SUCH_ID, "no-such-instance", "no-such-name")
    client = cloud.by_token(service)
    response = client.get_task(ref)
    assert response.task is None
    assert response.body
    with pytest.raises(ApiError) as caught:
        client._get(ref)
    assert (caught.value.kind, caught.value.error_class) == ("not_found", ErrorClass.NOT_FOUND)
    assert NO_SUCH_ID in str(caught.value)
    [error] = client.get_tasks([ref])
    assert error.kind == "not_found"


def test_other_errors_are_no_missing_task(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("forbidden")
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds").get_task(ref_of(task))
    assert caught.value.http_status == 403
    action = f"Cannot read the DDS task {task['task_name']} {task['task_id']} (GET {cloud.sim.endpoint('dds')}/v3/"
    assert str(caught.value).startswith(action)
    assert "?" not in str(caught.value)


@pytest.mark.parametrize("service", SERVICES)
def test_answer_of_another_shape(cloud: t.Any, service: str) -> None:
    task = cloud.sim.add_task(service)
    cloud.sim.add_fault("wrong_shape")
    with pytest.raises(ApiError) as caught:
        cloud.by_token(service).get_task(ref_of(task))
    error = caught.value
    assert (error.kind, error.error_class, error.http_status) == ("api_error", ErrorClass.TRANSIENT, 200)
    assert error.request_id
    assert error.body == {"items": []}


def test_query_drips(cloud: t.Any) -> None:
    """A query is over in time even where the server sends a byte now and then."""
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("drip", interval=0.05)
    started = time.monotonic()
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds", request_timeout=0.5).get_task(ref_of(task))
    assert caught.value.kind == "connection"
    assert time.monotonic() - started < 0.5 + 1 + SLACK


# Where to ask


class Asked:
    """A client whose requests go nowhere; it keeps the URLs."""

    def __init__(self, **given: t.Any) -> None:
        self.urls: list[str] = []
        self.params = {"validate_certs": True, "language": "en-us", "request_timeout": 5.0, "auth_token": "t", **given}

    def send(self, request: t.Any) -> t.NoReturn:
        self.urls.append(request.full_url)
        raise ApiError("stop", http_status=403)

    def address(self, ref: TaskRef, environ: dict[str, str] | None = None) -> str:
        settings = settings_from(self.params, environ or {})

        def no_key() -> Key:
            raise ApiError("none")

        http = t.cast(t.Any, self)
        authenticator = Authenticator(settings, http, fetch_key=no_key, mask=lambda text: None, request_timeout=9)
        client = _client.TaskClient(self.params, settings, http, authenticator)
        with pytest.raises(ApiError):
            client.get_task(ref)
        return self.urls[-1]


HOSTS = [
    ("taurusdb", "ap-southeast-1", "https://gaussdbformysql.ap-southeast-1.myhuaweicloud.com/v3/p/jobs?id=t"),
    ("taurusdb", "cn-north-4", "https://gaussdb.cn-north-4.myhuaweicloud.com/v3/p/jobs?id=t"),
    (
        "taurusdb_restore",
        "af-south-1",
        "https://gaussdb-mysql.af-south-1.myhuaweicloud.com/v3/p/instances/i/task-center-detail?job_id=t&job_name=n",
    ),
    ("dds", "eu-west-101", "https://dds.eu-west-101.myhuaweicloud.eu/v3/p/jobs?id=t"),
    ("kafka", "ap-southeast-1", "https://dms.ap-southeast-1.myhuaweicloud.com/v2/p/instances/i/tasks/t"),
]


@pytest.mark.parametrize(("service", "region", "url"), HOSTS)
def test_address(service: str, region: str, url: str) -> None:
    ref = TaskRef(service, "t", "i", "n")
    assert Asked(region=region, project_id="p").address(ref) == url
    assert Asked(project_id="p").address(ref, {"HW_REGION_NAME": region}) == url
    assert Asked(region="cn-north-9", project_id="q").address(TaskRef(service, "t", "i", "n", region, "p")) == url


def test_endpoint() -> None:
    action = Asked(endpoint="https://private.example.com/prefix/", project_id="p", region="nowhere-1")
    assert action.address(TaskRef("dds", "t")) == "https://private.example.com/prefix/v3/p/jobs?id=t"
    item = TaskRef("dds", "t", endpoint="https://other.example.com")
    assert action.address(item) == "https://other.example.com/v3/p/jobs?id=t"


# A request limit


def test_the_first_refusal_stops_the_rest_of_a_batch(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(200)]
    cloud.sim.set_limit(requests=20, window=300)
    answers = cloud.by_token().get_tasks([ref_of(task) for task in tasks])
    classes = [answer.error_class for answer in answers if isinstance(answer, ApiError)]
    assert len(answers) - len(classes) == 20
    # Requests that were on their way are refused, too.
    assert 1 <= classes.count(ErrorClass.THROTTLED) <= POOL_SIZE
    assert classes.count(ErrorClass.NOT_POLLED) >= 200 - 20 - POOL_SIZE


# Projects


def test_project_is_looked_up_once(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(5)]
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **BY_KEY)
    answers = client.get_tasks([ref_of(task) for task in tasks])
    assert all(isinstance(answer, Task) for answer in answers)
    client.get_tasks([ref_of(task) for task in tasks])
    [record] = cloud.sim.requests(service="iam")
    assert record["query"] == {"name": accounts.REGION}
    assert record["auth"] == "aksk"


@pytest.mark.parametrize("way", ["key", "token"])
def test_a_look_up_that_is_refused_is_not_sent_once_a_task(cloud: t.Any, way: str) -> None:
    cloud.sim.change_accounts(projects=[])
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **WAYS[way][0])
    for dummy in range(2):
        answers = client.get_tasks([TaskRef("dds", f"t-{number}") for number in range(30)])
        assert {answer.error_class for answer in answers} == {ErrorClass.FATAL}
    assert len(cloud.sim.requests(service="iam")) == 1


@pytest.mark.parametrize("way", ["key", "password"])
def test_a_404_from_iam_is_not_about_a_task(cloud: t.Any, way: str) -> None:
    """It must be no answer of a query, and patience with new ids is not for it."""
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("status", status=404, service="iam")
    client = cloud.client("dds", **{"region": accounts.REGION, "project_id": None, **WAYS[way][0]})
    with pytest.raises(ApiError, match=r"iam_endpoint and region") as caught:
        client.get_task(ref_of(task))
    assert (caught.value.error_class, caught.value.kind) == (ErrorClass.FATAL, "api_error")


def test_a_look_up_that_had_bad_luck_is_tried_again(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(2)]
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **BY_KEY)
    cloud.sim.add_fault("status", status=503, service="iam")
    assert {answer.error_class for answer in client.get_tasks([ref_of(task) for task in tasks])} == {
        ErrorClass.TRANSIENT
    }
    cloud.sim.clear_faults()
    assert all(isinstance(answer, Task) for answer in client.get_tasks([ref_of(task) for task in tasks]))


def test_project_comes_with_the_password_login(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **BY_PASSWORD)
    assert client.get_task(ref_of(task)).task.id == task["task_id"]
    [record] = cloud.sim.requests(service="iam")
    assert record["method"] == "POST"


def test_project_of_a_token(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.by_token("dds", region=accounts.REGION, project_id=None)
    assert client.get_task(ref_of(task)).task.id == task["task_id"]


@pytest.mark.parametrize("way", ["key", "token"])
def test_no_project(cloud: t.Any, way: str) -> None:
    cloud.sim.change_accounts(projects=[])
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **WAYS[way][0])
    message = rf"found no project named {accounts.REGION} \(request id \w+\)\. Check region, or set project_id"
    with pytest.raises(ApiError, match=message):
        client.get_task(TaskRef("dds", "t"))


def test_several_projects(cloud: t.Any) -> None:
    cloud.sim.change_accounts(projects=[{"id": f"id-{number}", "name": accounts.REGION} for number in (1, 2)])
    client = cloud.client("dds", region=accounts.REGION, project_id=None, **BY_KEY)
    with pytest.raises(ApiError) as caught:
        client.get_task(TaskRef("dds", "t"))
    assert "(id-1)" in str(caught.value)
    assert "(id-2)" in str(caught.value)
    assert "Set project_id" in str(caught.value)


def test_project_of_another_region_is_not_the_top_levels(cloud: t.Any) -> None:
    cloud.sim.add_task("dds", id="far", project_id=accounts.OTHER_PROJECT_ID)
    client = cloud.client("dds", region=accounts.REGION, **BY_KEY)
    far = TaskRef("dds", "far", region=accounts.OTHER_REGION)
    assert client.get_task(far).task.id == "far"
    assert [record["query"] for record in cloud.sim.requests(service="iam")] == [{"name": accounts.OTHER_REGION}]


@pytest.mark.parametrize("credentials", [BY_KEY, BY_PASSWORD], ids=("key", "password"))
def test_items_of_several_regions_projects_and_endpoints(cloud: t.Any, credentials: dict[str, str]) -> None:
    near = cloud.sim.add_task("dds", id="near")
    cloud.sim.add_task("kafka", id="far", instance_id="i", project_id=accounts.OTHER_PROJECT_ID)
    cloud.sim.add_task("taurusdb", id="named", project_id=accounts.OTHER_PROJECT_ID)
    refs = [
        ref_of(near),
        TaskRef("kafka", "far", "i", region=accounts.OTHER_REGION, endpoint=cloud.sim.endpoint("kafka")),
        TaskRef("taurusdb", "named", project_id=accounts.OTHER_PROJECT_ID, endpoint=cloud.sim.endpoint("taurusdb")),
    ]
    client = cloud.client("dds", region=accounts.REGION, **credentials)
    client.check(refs)
    answers = client.get_tasks(refs)
    assert [answer.id if isinstance(answer, Task) else str(answer) for answer in answers] == ["near", "far", "named"]
    paths = {record["path"].split("/")[1] for record in cloud.sim.requests() if record["service"] != "iam"}
    assert paths == {"dds", "kafka", "taurusdb"}
    assert_only_reads(cloud.sim)


# Many at once


def test_order_and_length(cloud: t.Any) -> None:
    """Twice the same, unknown ones and broken ones between the others."""
    tasks = [cloud.sim.add_task("dds", id=f"task-{number}") for number in range(6)]
    refs = [ref_of(task) for task in tasks]
    refs = [refs[3], TaskRef("dds", "unknown"), refs[0], refs[3], refs[5], TaskRef("kafka", NO_SUCH_ID, "i"), refs[1]]
    cloud.sim.add_fault("reset", task_id="task-5")
    answers = cloud.by_token().get_tasks(refs)
    shown = [answer.id if isinstance(answer, Task) else answer.kind for answer in answers]
    assert shown == ["task-3", "not_found", "task-0", "task-3", "connection", "not_found", "task-1"]


def test_nothing_to_ask(cloud: t.Any) -> None:
    assert cloud.by_token().get_tasks([]) == []
    cloud.by_token().check([])
    assert cloud.sim.requests() == []


@pytest.mark.parametrize("way", ["token", "key", "password"])
def test_two_hundred_tasks(cloud: t.Any, way: str) -> None:
    """All at once, over few connections that are kept."""
    services = list(SERVICES)
    tasks = [cloud.sim.add_task(services[number % len(services)], id=f"task-{number}") for number in range(200)]
    client = cloud.client(request_timeout=30.0, **WAYS[way][0])
    cloud.sim.add_fault("slow", seconds=0.02, first=32)
    cloud.sim.clear_requests()
    refs = [ref_of(task) for task in tasks]
    for dummy in range(2):
        answers = client.get_tasks(refs)
        assert [answer.id if isinstance(answer, Task) else str(answer) for answer in answers] == [
            task["task_id"] for task in tasks
        ]
    stats = cloud.sim.stats()
    # An answer is there a moment before the server has done with its request.
    assert 2 <= stats["peak_requests"] <= 24
    records = cloud.sim.requests()
    assert 2 <= len({record["connection"] for record in records}) <= 16
    logins = [record for record in records if record["method"] == "POST"]
    assert len(logins) == (1 if way == "password" else 0)
    assert len(records) == 400 + len(logins)


def test_one_that_hangs_does_not_hold_the_others(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds", id=f"task-{number}") for number in range(40)]
    cloud.sim.add_fault("hang", task_id="task-7")
    started = time.monotonic()
    answers = cloud.by_token("dds", request_timeout=0.6).get_tasks([ref_of(task) for task in tasks])
    assert time.monotonic() - started < 0.6 + 1 + SLACK
    assert [number for number, answer in enumerate(answers) if not isinstance(answer, Task)] == [7]
    assert isinstance(answers[7], ApiError)
    assert (answers[7].kind, answers[7].error_class) == ("connection", ErrorClass.TRANSIENT)
    assert "task-7" in str(answers[7])


def test_all_that_drip_are_given_up_in_time(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds", id=f"task-{number}") for number in range(20)]
    cloud.sim.add_fault("drip", interval=0.05)
    started = time.monotonic()
    answers = cloud.by_token("dds", request_timeout=0.5).get_tasks([ref_of(task) for task in tasks])
    assert time.monotonic() - started < 0.5 + 1 + SLACK
    assert {answer.kind for answer in answers if isinstance(answer, ApiError)} == {"connection"}
    assert len(answers) == 20


@pytest.mark.parametrize("credentials", [BY_PASSWORD, BY_KEY], ids=("password", "key"))
def test_an_iam_that_hangs_does_not_hold_the_round(cloud: t.Any, credentials: dict[str, str]) -> None:
    with Simulator() as sim:
        sim.add_fault("hang", service="iam")
        source = {"region": accounts.REGION, "project_id": None, "iam_endpoint": sim.endpoint("iam")}
        client = cloud.client("dds", request_timeout=0.5, **source, **credentials)
        started = time.monotonic()
        answers = client.get_tasks([TaskRef("dds", f"t-{number}") for number in range(20)])
        # A login, a look-up and the request itself may take so long each.
        assert time.monotonic() - started < 3 * 0.5 + 1 + SLACK
        assert {answer.kind for answer in answers} == {"connection"}


def test_a_task_whose_turn_did_not_come_had_no_trouble(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(60)]
    cloud.sim.add_fault("slow", seconds=0.9)
    client = cloud.by_token("dds", request_timeout=1.2)
    answers = client.get_tasks([ref_of(task) for task in tasks])
    action = {record["task_id"] for record in cloud.sim.requests(service="dds")}
    assert 16 <= len(action) < 60
    errors = {task["task_id"]: answer for task, answer in zip(tasks, answers) if isinstance(answer, ApiError)}
    not_polled = {task_id for task_id, error in errors.items() if error.error_class is ErrorClass.NOT_POLLED}
    assert not_polled == {task["task_id"] for task in tasks} - action
    assert "its turn did not come before" in str(errors[min(not_polled)])


def test_a_query_for_many_tasks_takes_the_time_that_it_needs(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More tasks than fit into the time of one request; nothing goes wrong, not even for those at its end."""
    monkeypatch.setattr(_client, "GRACE_SECONDS", 0.1)
    tasks = [cloud.sim.add_task("dds") for dummy in range(5 * POOL_SIZE)]
    cloud.sim.add_fault("slow", seconds=0.4)
    results = cloud.by_token("dds", request_timeout=1.0).query_tasks([ref_of(task) for task in tasks])
    assert [getattr(result, "id", str(result)) for result in results] == [task["task_id"] for task in tasks]
    # Nothing is asked twice.
    assert len(cloud.sim.requests()) == len(tasks)


def test_a_query_where_nothing_answers_ends_soon(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client, "GRACE_SECONDS", 0.1)
    cloud.sim.add_fault("hang")
    refs = [TaskRef("dds", f"t-{number}") for number in range(5 * POOL_SIZE)]
    errors = cloud.by_token("dds", request_timeout=0.5).query_tasks(refs)
    assert [error.error_class for error in errors] == [
        *[ErrorClass.TRANSIENT] * POOL_SIZE,
        *[ErrorClass.NOT_POLLED] * 4 * POOL_SIZE,
    ]
    assert {error.kind for error in errors} == {"connection"}
    assert str(errors[-1]).endswith("was over. Retry later, or with fewer tasks.")
    assert len(cloud.sim.requests()) == POOL_SIZE


@pytest.mark.parametrize("credentials", [BY_KEY, BY_PASSWORD], ids=("key", "password"))
def test_the_request_timeout_is_for_each_request(cloud: t.Any, credentials: dict[str, str]) -> None:
    """A look-up of the project, or a login, comes before the task's own request."""
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("slow", seconds=1.6)
    source = {"region": accounts.REGION, "project_id": None}
    client = cloud.client("dds", **{**source, **credentials, "request_timeout": 2.0})
    assert client.get_task(ref_of(task)).task.id == task["task_id"]


def test_a_login_is_bounded(cloud: t.Any) -> None:
    cloud.sim.add_fault("drip", service="iam", interval=0.2)
    client = cloud.client("dds", request_timeout=0.5, **BY_PASSWORD)
    started = time.monotonic()
    with pytest.raises(ApiError, match=r"Cannot get a token: no response within 0\.5 s") as caught:
        client.login()
    assert time.monotonic() - started < 0.5 + 1 + SLACK
    assert (caught.value.kind, caught.value.error_class) == ("connection", ErrorClass.TRANSIENT)


# Credentials during a wait


def test_one_login_for_all_polls_and_one_more_after_a_refusal(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(30)]
    refs = [ref_of(task) for task in tasks]
    client = cloud.client("dds", **BY_PASSWORD)
    for dummy in range(3):
        assert all(isinstance(answer, Task) for answer in client.get_tasks(refs))
    assert len(cloud.sim.requests(service="iam")) == 1
    cloud.sim.change_accounts(expire_token="issued")
    assert all(isinstance(answer, Task) for answer in client.get_tasks(refs))
    assert len(cloud.sim.requests(service="iam")) == 2
    assert_only_reads(cloud.sim)


def test_a_wrong_password_is_sent_once_for_all_projects(cloud: t.Any) -> None:
    refs = [TaskRef("dds", "t", project_id=f"p{number}") for number in range(8)]
    client = cloud.client("dds", **{**BY_PASSWORD, "password": "wrong"})
    assert {answer.kind for answer in client.get_tasks(refs)} == {"unauthorized"}
    assert len(cloud.sim.requests(service="iam")) == 1


def test_a_wrong_password_is_sent_once(cloud: t.Any) -> None:
    refs = [TaskRef("dds", f"t-{number}") for number in range(30)]
    client = cloud.client("dds", **{**BY_PASSWORD, "password": "wrong"})
    for dummy in range(2):
        assert {answer.kind for answer in client.get_tasks(refs)} == {"unauthorized"}
    assert len(cloud.sim.requests()) == 1


@pytest.mark.parametrize(("status", "requests"), [(404, 3), (401, 2)])
def test_one_odd_response_to_a_new_login(cloud: t.Any, status: int, requests: int) -> None:
    """The next poll asks again; but what may be a wrong password is not sent twice, for IAM locks accounts."""
    task = ref_of(cloud.sim.add_task("dds"))
    client = cloud.client("dds", **BY_PASSWORD)
    client.get_tasks([task])
    cloud.sim.change_accounts(expire_token="issued")
    cloud.sim.add_fault("status", service="iam", status=status, body="<html>nginx</html>", first=1)
    ((refused,), (then,)) = (client.get_tasks([task]) for dummy in range(2))
    assert refused.http_status == status
    assert isinstance(then, Task) == (status == 404)
    assert len(cloud.sim.requests(service="iam")) == requests


class DrippingIam:
    """An IAM that sends headers for ever to the first connection, and serves all others."""

    def __init__(self, body: bytes) -> None:
        self.requests: list[str] = []
        self._head = b"HTTP/1.1 200 OK\r\nX-Subject-Token: token-2\r\nConnection: close\r\n"
        self._rest = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> DrippingIam:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._over.set()
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, dummy = self._socket.accept()
                threading.Thread(target=self._respond, args=(connection,), daemon=True).start()

    def _respond(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.requests.append(connection.recv(65536).decode().partition("?")[0])
            is_first = len(self.requests) == 1
            connection.sendall(self._head)
            while is_first and not self._over.wait(0.1):
                connection.sendall(b"X-Drip: drop\r\n")
            connection.sendall(self._rest)


@pytest.mark.parametrize(
    ("credentials", "body", "action"),
    [
        (BY_PASSWORD, b'{"token":{"project":{"id":"p"}}}', "Cannot get a token (POST {}/v3/auth/tokens)"),
        (BY_KEY, b'{"projects":[{"id":"p"}]}', "Cannot look up the project of region r (GET {}/v3/projects)"),
    ],
    ids=("login", "look-up"),
)
def test_an_iam_that_drips_once_is_asked_again(
    cloud: t.Any, credentials: dict[str, str], body: bytes, action: str
) -> None:
    """What drips is left behind, and its lock is free for the next poll."""
    cloud.sim.add_fault("status", service="dds", status=200, body={"job": {"id": "t", "status": "Running"}})
    with DrippingIam(body) as iam:
        source = {"region": "r", "project_id": None, "iam_endpoint": iam.url}
        client = cloud.client("dds", request_timeout=0.6, **source, **credentials)
        ((late,), (then,)) = (client.get_tasks([TaskRef("dds", "t")]) for dummy in range(2))
    assert str(late).startswith(f"{action.format(iam.url)}: no response within 0.6 s.")
    assert (late.kind, late.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert isinstance(then, Task), str(then)
    assert len(iam.requests) == 2


def test_a_new_login_that_is_refused_is_sent_once_a_poll(cloud: t.Any) -> None:
    tasks = [ref_of(cloud.sim.add_task("dds")) for dummy in range(60)]
    client = cloud.client("dds", **BY_PASSWORD)
    client.get_tasks(tasks)
    cloud.sim.change_accounts(expire_token="issued")
    cloud.sim.add_fault("status", service="iam", status=403)
    for polls in (1, 2):
        assert {result.http_status for result in client.get_tasks(tasks)} == {403}
        assert len(cloud.sim.requests(service="iam")) == 1 + polls


# Request limits


class Clock:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def with_clock(client: t.Any) -> Clock:
    clock = Clock()
    client._clock, client._sleep = lambda: clock.now, clock.sleep
    return clock


def test_a_throttled_query_is_sent_again(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.by_token("dds", request_timeout=60)
    clock = with_clock(client)
    cloud.sim.add_fault("throttle", first=2)
    assert client.get_task(ref_of(task)).task.id == task["task_id"]
    first, second = clock.pauses
    assert 2 <= first <= 5
    assert 4 <= second <= 10


def test_of_a_throttled_query_for_many_tasks_the_rest_is_sent_again(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(20)]
    refs = [*map(ref_of, tasks), TaskRef("dds", "t-unknown")]
    client = cloud.by_token("dds", request_timeout=60)
    clock = with_clock(client)
    cloud.sim.add_fault("throttle", first=1, retry_after=7)
    *found, unknown = client.query_tasks(refs)
    assert [task.id for task in found] == [task["task_id"] for task in tasks]
    assert unknown.error_class is ErrorClass.NOT_FOUND
    assert clock.pauses == [7.0]
    # Nothing is asked twice.
    assert len(cloud.sim.requests()) == len(refs) + 1

    cloud.sim.add_fault("throttle")
    errors = client.query_tasks(refs)
    assert {error.error_class for error in errors} <= {ErrorClass.THROTTLED, ErrorClass.NOT_POLLED}
    assert sum(clock.pauses) <= 7 + 60
    assert "The limit of 200 requests in 5 minutes is shared by everything that uses the account" in str(errors[0])


def test_retry_after_is_obeyed(cloud: t.Any) -> None:
    task = cloud.sim.add_task("kafka")
    client = cloud.by_token("kafka", request_timeout=60)
    clock = with_clock(client)
    cloud.sim.add_fault("flow_control", first=1, retry_after=17)
    assert client.get_task(ref_of(task)).task
    assert clock.pauses == [17.0]


def test_pauses_of_a_throttled_query_are_spread_and_grow(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    for dice, pauses in ((0.0, [2.0, 4.0]), (0.5, [3.5, 7.0])):
        client = cloud.by_token("dds", request_timeout=60)
        clock = with_clock(client)
        client._random = lambda dice=dice: dice
        cloud.sim.clear_faults()
        cloud.sim.add_fault("throttle", first=2)
        assert client.get_task(ref_of(task)).task
        assert clock.pauses == pauses


@pytest.mark.parametrize("retry_after", [None, 61])
def test_a_query_that_stays_throttled_says_what_the_limit_is(cloud: t.Any, retry_after: int | None) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.by_token("dds", request_timeout=60)
    clock = with_clock(client)
    cloud.sim.add_fault("throttle", **({"retry_after": retry_after} if retry_after else {}))
    with pytest.raises(ApiError) as caught:
        client.get_task(ref_of(task))
    assert sum(clock.pauses) <= 60
    assert bool(clock.pauses) == (retry_after is None)
    assert (caught.value.error_class, caught.value.http_status) == (ErrorClass.THROTTLED, 429)
    assert "The limit of 200 requests in 5 minutes is shared by everything that uses the account" in str(caught.value)
    assert "request_timeout" in caught.value.hint


def test_a_throttled_login_is_sent_again(cloud: t.Any) -> None:
    client = cloud.client(region=accounts.REGION, request_timeout=60, **BY_PASSWORD)
    clock = with_clock(client)
    cloud.sim.add_fault("throttle", service="iam", first=1, retry_after=3)
    assert client.login().value
    assert clock.pauses == [3.0]


def test_a_throttled_look_up_is_sent_again(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.client("dds", region=accounts.REGION, project_id=None, request_timeout=60, **BY_KEY)
    clock = with_clock(client)
    cloud.sim.add_fault("throttle", service="iam", first=1, retry_after=3)
    assert client.get_task(ref_of(task)).task
    assert clock.pauses == [3.0]


@pytest.mark.parametrize("way", ["password", "key"])
def test_iam_that_throttles_stops_a_batch_and_is_no_trouble(cloud: t.Any, way: str) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(60)]
    given = {"region": accounts.REGION, "project_id": None}
    client = cloud.client("dds", **given, **(BY_PASSWORD if way == "password" else BY_KEY))
    cloud.sim.add_fault("throttle", service="iam", first=1)
    seen = {answer.error_class for answer in client.get_tasks([ref_of(task) for task in tasks])}
    assert ErrorClass.THROTTLED in seen
    assert seen <= {ErrorClass.THROTTLED, ErrorClass.NOT_POLLED}
    assert len(cloud.sim.requests()) == 1
    assert all(isinstance(answer, Task) for answer in client.get_tasks([ref_of(task) for task in tasks]))


def test_a_wrong_password_is_never_sent_again_for_a_limit(cloud: t.Any) -> None:
    client = cloud.client("dds", region=accounts.REGION, **{**BY_PASSWORD, "password": "wrong"})
    for dummy in range(3):
        assert client.get_tasks([TaskRef("dds", "t")])[0].kind == "unauthorized"
    with pytest.raises(ApiError):
        client.get_task(TaskRef("dds", "t"))
    assert len(cloud.sim.requests()) == 1


# Why a restore has failed


def test_the_reason_of_a_failed_restore(cloud: t.Any) -> None:
    task = cloud.sim.add_task("taurusdb_restore", duration=0, outcome="failed", fail_reason="no space")
    for found in (
        cloud.by_token("taurusdb_restore").get_task(ref_of(task)).task,
        *cloud.by_token("taurusdb_restore").get_tasks([ref_of(task)]),
    ):
        assert (found.state, found.fail_reason) == ("failed", "no space")
        assert (bool(found.created_at), bool(found.ended_at)) == (True, True)
        assert found.service == "taurusdb_restore"
    assert len(cloud.sim.requests()) == 4


def test_the_reason_is_asked_for_failed_restores_only(cloud: t.Any) -> None:
    task = cloud.sim.add_task("taurusdb_restore", duration=0, outcome="succeeded")
    found = cloud.by_token("taurusdb_restore").get_task(ref_of(task)).task
    assert (found.state, found.created_at) == ("succeeded", None)
    assert len(cloud.sim.requests()) == 1


def test_the_job_of_a_restore_does_not_decide_its_state(cloud: t.Any) -> None:
    task = cloud.sim.add_task("taurusdb_restore", status="Failed", job={"status": "Completed", "fail_reason": "odd"})
    found = cloud.by_token("taurusdb_restore").get_task(ref_of(task)).task
    assert (found.state, found.status, found.fail_reason) == ("failed", "Failed", "odd")


@pytest.mark.parametrize("fault", ["status", "throttle", "reset", "not_json", "forbidden", None])
def test_trouble_with_the_reason_changes_nothing(cloud: t.Any, fault: str | None) -> None:
    job = {"job": False} if fault is None else {}
    task = cloud.sim.add_task("taurusdb_restore", status="Failed", **job)
    if fault:
        cloud.sim.add_fault(fault, service="taurusdb")
    [found] = cloud.by_token("taurusdb_restore").get_tasks([ref_of(task)])
    assert (found.state, found.fail_reason) == ("failed", None)


def test_a_reason_that_does_not_come_changes_nothing(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the restore API is slow, and the API of jobs hangs: each request has its own time."""
    monkeypatch.setattr(_client, "GRACE_SECONDS", 0.1)
    task = cloud.sim.add_task("taurusdb_restore", status="Failed")
    cloud.sim.add_fault("slow", service="taurusdb_restore", seconds=0.4)
    cloud.sim.add_fault("hang", service="taurusdb")
    client = cloud.by_token("taurusdb_restore", request_timeout=0.8)
    [found] = client.get_tasks([ref_of(task)])
    assert isinstance(found, Task), found
    assert (found.state, found.fail_reason) == ("failed", None)
    assert client.get_task(ref_of(task)).task == found


# Credentials


@pytest.mark.parametrize(
    ("given", "environ", "source"),
    [
        ({"auth_token": "a\nb"}, {}, "auth_token"),
        ({}, {"HW_AUTH_TOKEN": "t\u00f6ken"}, "HW_AUTH_TOKEN"),
        ({"access_key": "a\x00", "secret_key": "s"}, {}, "access_key"),
        ({"access_key": "a", "secret_key": "s\udc80"}, {}, "secret_key"),
        ({}, {"OS_ACCESS_KEY": "a", "OS_SECRET_KEY": "s", "HW_ACCESS_KEY": "\u4e00"}, "HW_ACCESS_KEY"),
        ({"access_key": "a", "secret_key": "s", "security_token": "a\x7fb"}, {}, "security_token"),
        ({}, {"HW_USER_NAME": "u", "HW_USER_PASSWORD": "p\udcff", "HW_DOMAIN_NAME": "d"}, "HW_USER_PASSWORD"),
    ],
)
def test_credentials_that_no_request_can_carry(
    cloud: t.Any, given: dict[str, str], environ: dict[str, str], source: str
) -> None:
    """A mistake is told by the name of where it stands, before anything is sent, and without the secret."""
    client = cloud.client("dds", environ=environ, **given)
    with pytest.raises(InputError, match=f"^{source} holds line breaks or characters that no request can carry"):
        client.check([TaskRef("dds", "t")])
    assert cloud.sim.requests() == []


@pytest.mark.parametrize("variable", ["HW_AUTH_URL", "HUAWEICLOUD_SDK_IAM_ENDPOINT", "OS_AUTH_URL"])
def test_a_mistake_is_blamed_on_its_source(cloud: t.Any, variable: str) -> None:
    environ = {variable: "http://iam.example.com/v3"}
    client = cloud.client("dds", iam_endpoint=None, environ=environ, region=accounts.REGION, **BY_PASSWORD)
    with pytest.raises(InputError, match=f"^{variable} is an http:// address"):
        client.check([TaskRef("dds", "t")])


def test_the_hint_about_a_refused_token_names_what_was_given(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("expired_token", service="dds")
    hints = {}
    for way, client in {
        "token": cloud.by_token("dds"),
        "key": cloud.client("dds", **BY_KEY),
        "password": cloud.client("dds", **BY_PASSWORD),
        "agency": by_agency(cloud, monkeypatch),
    }.items():
        [error] = client.get_tasks([ref_of(task)])
        hints[way] = error.hint
    assert "auth_token is wrong" in hints["token"]
    assert "Check access_key and secret_key" in hints["key"]
    assert "IAM gave a token, but the service refuses it" in hints["password"]
    assert "the key of this ECS's agency was used" in hints["agency"]


@pytest.mark.parametrize("way", ["password", "key"])
def test_a_project_id_of_iam_is_checked_like_any(cloud: t.Any, way: str) -> None:
    """It would be a part of an address: `../../evil?x=` would be asked for `/evil`."""
    cloud.sim.change_accounts(projects=[{"id": "../../evil?x=", "name": accounts.REGION}])
    given = {"region": accounts.REGION, "project_id": None}
    client = cloud.client("dds", **given, **(BY_PASSWORD if way == "password" else BY_KEY))
    [error] = client.get_tasks([TaskRef("dds", "t")])
    assert error.message == "the response contains an invalid project id"
    assert [record["service"] for record in cloud.sim.requests()] == ["iam"]


def test_bodies_are_not_kept_in_a_batch(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    cloud.sim.add_fault("forbidden")
    [error] = cloud.by_token("dds").get_tasks([ref_of(task)])
    assert error.body is None
    with pytest.raises(ApiError) as caught:
        cloud.by_token("dds").get_task(ref_of(task))
    assert caught.value.body


def test_a_token_that_expires(cloud: t.Any) -> None:
    task = cloud.sim.add_task("dds")
    client = cloud.by_token("dds")
    client.get_task(ref_of(task))
    cloud.sim.change_accounts(expire_token="all")
    with pytest.raises(ApiError) as caught:
        client.get_task(ref_of(task))
    assert caught.value.kind == "unauthorized"
    assert "has expired" in str(caught.value)
    assert "iam_token" in str(caught.value)


def by_agency(cloud: t.Any, monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None, **given: t.Any) -> t.Any:
    """A client without credentials on a host whose metadata address is the simulator's."""
    address = endpoint or cloud.sim.endpoint("metadata")
    fetch = _auth.fetch_agency_key
    monkeypatch.setattr(_client, "fetch_agency_key", lambda http: fetch(http, address))
    return cloud.client("dds", **given)


def test_agency(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = cloud.sim.add_task("dds")
    client = by_agency(cloud, monkeypatch)
    for dummy in range(3):
        assert client.get_task(ref_of(task)).task.id == task["task_id"]
    records = cloud.sim.requests()
    assert [record["auth"] for record in records] == ["none", "none"] + ["temporary_aksk"] * 3
    assert set(cloud.masked) == {
        accounts.TEMPORARY_ACCESS_KEY,
        accounts.TEMPORARY_SECRET_KEY,
        accounts.SECURITY_TOKEN,
    }
    assert_only_reads(cloud.sim)


def test_agency_key_that_ends_is_fetched_again(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = cloud.sim.add_task("dds")
    cloud.sim.change_accounts(metadata_expires_in=0)
    client = by_agency(cloud, monkeypatch)
    client.get_task(ref_of(task))
    cloud.sim.change_accounts(rotate_keys=True)
    assert client.get_task(ref_of(task)).task.id == task["task_id"]


@pytest.mark.parametrize("why", ["no agency", "no metadata"])
def test_no_credentials(cloud: t.Any, monkeypatch: pytest.MonkeyPatch, closed_port: str, why: str) -> None:
    """The message names every way, and nothing but the metadata address is asked."""
    cloud.sim.change_accounts(metadata="no_agency")
    client = by_agency(cloud, monkeypatch, closed_port if why == "no metadata" else None)
    client.check([TaskRef("dds", "t")])
    assert cloud.sim.requests() == []
    with pytest.raises(InputError) as caught:
        client.get_tasks([TaskRef("dds", "t")])
    for way in (
        "auth_token",
        "access_key and secret_key",
        "security_token",
        "username, password and domain_name",
        "module_defaults",
        "HW_AUTH_TOKEN",
        "HW_ACCESS_KEY and HW_SECRET_KEY",
        "HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME",
        "HUAWEICLOUD_SDK_AK",
        "OS_",
        "~/.huaweicloud/credentials",
        "agency",
    ):
        assert way in str(caught.value)
    assert {record["service"] for record in cloud.sim.requests()} <= {"metadata"}


# What is masked


@pytest.mark.parametrize("way", WAYS)
def test_masked(cloud: t.Any, way: str) -> None:
    environ = {"OS_PASSWORD": "never used", "HW_SECRET_KEY": "nor this"}
    task = cloud.sim.add_task("dds")
    given = WAYS[way][0]
    client = cloud.client("dds", environ=environ, **given)
    secrets = {value for option, value in given.items() if option not in ("username", "domain_name", "region")}
    assert secrets | set(environ.values()) <= set(cloud.masked)
    assert accounts.USERNAME not in cloud.masked
    client.get_task(ref_of(task))
    issued = [value for value in cloud.masked if value.startswith("MIISimulatorIssued-")]
    assert len(issued) == (1 if way == "password" else 0)


@pytest.mark.parametrize("source", ["play", "environment", "file"])
@pytest.mark.parametrize("write", [str, json.dumps, quote], ids=("text", "json", "url"))
@pytest.mark.parametrize("room", [10, 277])
def test_a_secret_that_is_repeated_in_another_form_is_masked(
    cloud: t.Any, tmp_path: Path, source: str, write: t.Callable[[str], str], room: int
) -> None:
    """Blanks are collapsed in messages, which may be cut in the midst of it."""
    secret = 'corréct  "horse" battery staple'
    message = f"bad{' x' * (room // 2)} {write(secret)} is wrong"
    cloud.sim.add_fault("status", service="dds", status=403, body=json.dumps({"error_msg": message}))
    given = {"access_key": "AK-of-demo", "secret_key": secret}
    environ: dict[str, str] = {}
    if source == "environment":
        given, environ = {}, {"HW_ACCESS_KEY": "AK-of-demo", "HW_SECRET_KEY": secret}
    elif source == "file":
        path = tmp_path / "credentials"
        path.write_text(f"[basic]\nak = AK-of-demo\nsk = {secret}\n", encoding="utf-8")
        given, environ = {}, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(path)}
    client = cloud.client("dds", environ=environ, **given)
    with pytest.raises(ApiError) as caught:
        client.get_task(TaskRef("dds", "t"))
    shown = json.dumps(Mask(cloud.masked, [])(caught.value.to_result()), ensure_ascii=False)
    assert "bad x x" in shown
    assert not [word for word in ("corr", "horse", "battery", "staple") if word in shown]


# iam_token's part


def test_login(cloud: t.Any) -> None:
    token = cloud.client(region=accounts.REGION, project_id=None, **BY_PASSWORD).login()
    assert token.project_id == accounts.PROJECT_ID
    assert token.value not in cloud.masked
    [record] = cloud.sim.requests()
    assert record["method"] == "POST"


SET = {"HW_USER_NAME": "u", "HW_USER_PASSWORD": "p-of-u", "HW_DOMAIN_NAME": "d"}
GIVE = "Give username, password and domain_name as options of this task."


@pytest.mark.parametrize(
    ("environ", "given", "message"),
    [
        ({**SET, "HW_ACCESS_KEY": "a", "HW_SECRET_KEY": "s"}, {}, f"only, but an access key took precedence. {GIVE}"),
        ({**SET, "HW_AUTH_TOKEN": "t"}, {}, f"only, but a token took precedence. {GIVE}"),
        (
            SET,
            {"auth_token": "t"},
            "only, but a token took precedence. Leave auth_token out of this task, or set it to ''.",
        ),
        (
            SET,
            BY_KEY,
            "only, but an access key took precedence. "
            "Leave access_key and secret_key out of this task, or set them to ''.",
        ),
        ({}, {}, "No credentials are given. {}: set all three."),
        ({"HW_USER_NAME": "u"}, {}, "HW_USER_NAME is given without password and domain_name. {}: set all three."),
    ],
)
def test_login_without_a_password(cloud: t.Any, environ: dict[str, str], given: dict[str, str], message: str) -> None:
    needs = "IAM issues tokens for username, password and domain_name"
    with pytest.raises(InputError) as caught:
        cloud.client(environ=environ, **given).login()
    assert str(caught.value) == (message.format(needs) if "{}" in message else f"{needs} {message}")
    assert cloud.sim.requests() == []


@pytest.mark.parametrize("suffix", ["", "/", "/v3", "/v3/"])
def test_iam_endpoint_with_a_version(cloud: t.Any, suffix: str) -> None:
    """The variables of Terraform and OpenStack hold the API's version, too."""
    environ = {"OS_AUTH_URL": cloud.sim.endpoint("iam") + suffix}
    client = cloud.client(iam_endpoint=None, environ=environ, **BY_PASSWORD)
    assert client.login().project_id == accounts.PROJECT_ID
    assert cloud.sim.requests()[0]["path"] == "/iam/v3/auth/tokens"


# Bad input, refused before any request

BAD_IDS = ["", " ", "a b", "a/b", "../x", "a?b", "a#b", "a%2fb", "a\n", "\na", "ä", "a.b", "{{ id }}", "a;b", "a&b"]


@pytest.mark.parametrize("value", BAD_IDS)
@pytest.mark.parametrize("option", ["task_id", "instance_id", "task_name", "project_id"])
@pytest.mark.parametrize("service", ["kafka", "taurusdb_restore"])
def test_bad_ids(cloud: t.Any, service: str, option: str, value: str) -> None:
    good = {"task_id": "t", "instance_id": "i", "task_name": "n", "project_id": "p"}
    ref = TaskRef(service, **{**good, option: value})
    client = cloud.by_token(service)
    if value == "" and (option == "project_id" or (service == "kafka" and option == "task_name")):
        # Not given at all.
        client.check([TaskRef(service, **{**good, option: None})])
        return
    for refuse in (client.get_task, lambda ref: client.check([ref])):
        with pytest.raises(InputError) as caught:
            refuse(ref)
        assert option in str(caught.value)
    assert cloud.sim.requests() == []


def test_bad_project_id_of_the_environment(cloud: t.Any) -> None:
    client = cloud.by_token("dds", project_id=None, environ={"HW_PROJECT_ID": "../x"})
    with pytest.raises(InputError, match="HW_PROJECT_ID must consist of letters, digits, '-' and '_' only"):
        client.check([TaskRef("dds", "t")])


MISTAKES = [
    (TaskRef("rdss", "t"), "There is no service 'rdss'. Did you mean rds?"),
    (TaskRef("xyz", "t"), "There is no service 'xyz'."),
    (TaskRef("dds"), "A task of dds needs task_id."),
    (TaskRef("taurusdb"), "A task of taurusdb needs task_id."),
    (TaskRef("kafka"), "A task of kafka needs task_id and instance_id."),
    (TaskRef("kafka", "t"), "A task of kafka needs instance_id."),
    (TaskRef("taurusdb_restore"), "A task of taurusdb_restore needs instance_id."),
    (
        TaskRef("taurusdb_restore", "t", "i"),
        "A task of taurusdb_restore that is named by task_id needs task_name too.",
    ),
    (
        TaskRef("taurusdb_restore", None, "i", "n"),
        "A task of taurusdb_restore that is named by task_name needs task_id too.",
    ),
    (TaskRef("dds", "a b"), "task_id must consist of letters, digits, '-' and '_' only."),
    (TaskRef("dds", "t", endpoint="ftp://x"), "endpoint must be an address like https://"),
    (TaskRef("dds", "t", endpoint="http://example.com"), "endpoint is an http:// address"),
]


@pytest.mark.parametrize(("ref", "message"), MISTAKES)
def test_mistakes_in_a_task(cloud: t.Any, ref: TaskRef, message: str) -> None:
    """Among good tasks, too, and before any of them is asked for."""
    client = cloud.by_token("dds")
    for refs in ([ref], [TaskRef("dds", "good"), ref]):
        with pytest.raises(InputError) as caught:
            client.check(refs)
        assert str(caught.value).replace("tasks[1]: ", "").startswith(message)
    assert cloud.sim.requests() == []


NOWHERE = {"endpoint": None, "iam_endpoint": None, "project_id": "p", "auth_token": "t"}
SETTINGS = [
    ({}, "Neither region nor endpoint is given."),
    ({"region": "mars-1"}, "No endpoint known for dds in region 'mars-1'."),
    ({"endpoint": "https://e.example.com", "project_id": None}, "Neither project_id nor region is given."),
    (
        {"endpoint": "https://e.example.com", "project_id": None, "region": "mars-1"},
        "No endpoint known for IAM in region",
    ),
    (
        {"region": "cn-north-4", "iam_endpoint": "http://iam.example.com", "project_id": None},
        "iam_endpoint is an http://",
    ),
    ({"endpoint": "http://10.0.0.1"}, "endpoint is an http:// address"),
    ({"endpoint": "https://a:b@example.com"}, "endpoint must hold scheme, host, port and path only."),
]


@pytest.mark.parametrize(("given", "message"), SETTINGS)
def test_mistakes_in_the_settings(cloud: t.Any, given: dict[str, t.Any], message: str) -> None:
    client = cloud.client("dds", **{**NOWHERE, **given})
    with pytest.raises(InputError) as caught:
        client.check([TaskRef("dds", "t")])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("given", [{"access_key": "a"}, {"username": "u"}, {"password": "p", "domain_name": "d"}])
def test_incomplete_credentials(cloud: t.Any, given: dict[str, str]) -> None:
    with pytest.raises(InputError, match=" given without"):
        cloud.client("dds", **given).check([TaskRef("dds", "t")])
    assert cloud.sim.requests() == []


LOGIN_NOWHERE = [
    ({"iam_endpoint": None, "region": None}, "Neither region nor iam_endpoint is given"),
    ({"iam_endpoint": None, "region": "mars-1"}, "No endpoint known for IAM in region 'mars-1'"),
    ({"iam_endpoint": "http://iam.example.com"}, "iam_endpoint is an http:// address"),
    ({"iam_endpoint": "nonsense"}, "iam_endpoint must be an address"),
]


@pytest.mark.parametrize(("given", "message"), LOGIN_NOWHERE)
def test_password_without_an_address_to_log_in(cloud: t.Any, given: dict[str, t.Any], message: str) -> None:
    """Project and endpoint are known, so that only the login needs IAM's address."""
    client = cloud.client("dds", **BY_PASSWORD, **given)
    ref = TaskRef("dds", "t")
    for refuse in (lambda: client.check([ref]), lambda: client.get_task(ref)):
        with pytest.raises(InputError) as caught:
            refuse()
        assert message in str(caught.value)
    assert cloud.sim.requests() == []


@pytest.mark.parametrize("seconds", [0, -1, 3601, float("nan"), float("inf"), float("-inf")])
def test_bad_request_timeout(cloud: t.Any, seconds: float) -> None:
    with pytest.raises(InputError, match="request_timeout must be more than 0 and at most 3600 seconds"):
        cloud.by_token("dds", request_timeout=seconds)


def test_ca_path_that_is_missing(cloud: t.Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ca_path names .*missing.pem, which does not exist on the host"):
        cloud.by_token("dds", ca_path=str(tmp_path / "missing.pem"))
    cloud.by_token("dds", ca_path=str(tmp_path / "missing.pem"), validate_certs=False)


def test_without_requests(cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client, "REQUESTS_IMPORT_ERROR", "Traceback ...")
    with pytest.raises(MissingLibraryError) as caught:
        cloud.by_token("dds")
    assert str(caught.value).startswith("Failed to import the required Python library (requests)")
    assert caught.value.to_result()["exception"] == "Traceback ..."


# What query modules return


@pytest.mark.parametrize("service", MODULE_SERVICES)
def test_find_task(cloud: t.Any, service: str) -> None:
    task = cloud.sim.add_task(service)
    params = {"task_id": task["task_id"], "instance_id": task["instance_id"], "task_name": task["task_name"]}
    result = _query_module.run(service, params, cloud.by_token(service))
    assert set(result) == {"task", "response", "failure"}
    assert result["task"]["id"] == task["task_id"]
    assert set(result["task"]) == set(Task("dds", "pending").to_dict())


def test_find_task_that_is_not_there(cloud: t.Any) -> None:
    result = _query_module.run("dds", {"task_id": "unknown"}, cloud.by_token("dds"))
    body = {"error_code": "DBS.200543", "error_msg": "The job does not exist."}
    assert result == {"task": None, "response": body, "failure": None}


def test_no_thread_is_left(cloud: t.Any) -> None:
    tasks = [cloud.sim.add_task("dds") for dummy in range(20)]
    client = cloud.by_token("dds")
    before = threading.active_count()
    client.get_tasks([ref_of(task) for task in tasks])
    deadline = time.monotonic() + SLACK
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_mistake_in_a_list_says_which_task_it_is_in(cloud: t.Any) -> None:
    client = cloud.by_token("dds")
    good, bad = TaskRef("dds", "t"), TaskRef("kafka", "t")
    with pytest.raises(InputError, match=r"^tasks\[2\]: A task of kafka needs instance_id\.$"):
        client.check([good, good, bad])
    with pytest.raises(InputError, match=r"^A task of kafka"):
        client.check([bad])
