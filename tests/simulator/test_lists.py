# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists: filters, paging in every sense of `offset`, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
import requests

from . import Simulator, accounts
from .client import error_code, get

P = accounts.PROJECT_ID


def iso(moment: datetime) -> str:
    """A time with an offset."""
    return quote(moment.strftime("%Y-%m-%dT%H:%M:%S%z"), safe="")


def zulu(moment: datetime) -> str:
    """A time with a Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: datetime) -> str:
    """A time as a number."""
    return str(int(moment.timestamp() * 1000))


def digits(moment: datetime) -> str:
    """A time in digits."""
    return moment.strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True)
class Row:
    """A list: where it is, where it says what, which pages it has."""

    path: str
    key: str
    id: str
    time: Callable[[datetime], str]
    limits: tuple[int, ...]  # the smallest and the largest
    default: int
    offset: str = "record_from_0"
    total: str | None = "total_count"
    total_type: type = int
    times: tuple[str, ...] = ("start_time", "end_time")
    required: bool = False
    parameter: str = "offset"
    status: str = "status"
    filters: dict[str, str] = field(default_factory=dict)  # parameter: key of the reference of a task


def dms() -> Row:
    """One of the three that speak DMS."""
    return Row(
        f"/v2/{P}/instances/INSTANCE/tasks",
        "tasks",
        "id",
        digits,
        (1, 100),
        10,
        "record_from_1",
        "task_count",
        str,
        ("begin_time", "end_time"),
        parameter="start",
    )


ROWS = {
    "taurusdb": Row(
        f"/v3/{P}/immediate-jobs",
        "jobs",
        "job_id",
        iso,
        (10, 50),
        10,
        "record_from_1",
        filters={"job_id": "task_id", "job_name": "task_name"},
    ),
    "dds": Row(
        f"/v3.1/{P}/jobs",
        "jobs",
        "id",
        iso,
        (1, 100),
        100,
        total=None,
        required=True,
        filters={"id": "task_id", "name": "task_name"},
    ),
    "kafka": dms(),
    "rabbitmq": dms(),
    "rocketmq": dms(),
    "rds": Row(
        f"/v3/{P}/tasklist",
        "tasks",
        "id",
        milliseconds,
        (1, 50),
        10,
        filters={"id": "task_id", "name": "task_name", "instance_id": "instance_id"},
    ),
    "gaussdb": Row(f"/v3/{P}/tasks", "tasks", "job_id", milliseconds, (1, 100), 100, filters={"name": "task_name"}),
    "geminidb": Row(f"/v3/{P}/jobs", "jobs", "id", iso, (10, 50), 50, filters={"name": "task_name"}),
    "ddm": Row(f"/v3/{P}/jobs", "jobs", "id", milliseconds, (1, 128), 10, total="total", required=True),
    "elb": Row(
        f"/v3/{P}/elb/jobs",
        "jobs",
        "job_id",
        zulu,
        (1, 2000),
        2000,
        total=None,
        times=("begin_time",),
        filters={"job_id": "task_id", "job_type": "task_name", "resource_id": "instance_id"},
    ),
    "cbr": Row(
        f"/v3/{P}/operation-logs",
        "operation_logs",
        "id",
        zulu,
        (1, 1000),
        1000,
        total="count",
        filters={"operation_type": "task_name", "resource_id": "instance_id"},
    ),
}
OFFSETS = ("page_from_0", "page_from_1", "record_from_0", "record_from_1")
every_list = pytest.mark.parametrize("service", ROWS)
with_offset = pytest.mark.parametrize("service", [service for service in ROWS if service != "elb"])


def window(service: str) -> dict[str, str]:
    """The times of the last hour, where the list wants some."""
    row, now = ROWS[service], datetime.now(timezone.utc)
    moments = (now - timedelta(hours=1), now + timedelta(seconds=5))
    return {name: row.time(moment) for name, moment in zip(row.times, moments)} if row.required else {}


def ask(sim: Simulator, service: str, **query: Any) -> requests.Response:
    """A page of the list of the instance `one`."""
    asked = "&".join(f"{name}={value}" for name, value in {**window(service), **query}.items() if value is not None)
    return get(f"{sim.endpoint(service)}{ROWS[service].path.replace('INSTANCE', 'one')}?{asked}")


def ids(sim: Simulator, service: str, **query: Any) -> list[str]:
    """The ids of a page."""
    response = ask(sim, service, **query)
    assert response.status_code == 200, response.text
    return [str(record[ROWS[service].id]) for record in response.json()[ROWS[service].key]]


def add(sim: Simulator, service: str, count: int, **task: Any) -> list[str]:
    """So many tasks of the instance `one`, each older than the one before."""
    return [
        sim.add_task(service, **{"instance_id": "one", "age": number + 1, "duration": 1000, **task})["task_id"]
        for number in range(count)
    ]


@every_list
def test_a_list_has_the_newest_first_and_a_total_of_its_own_kind(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    made = add(sim, service, 3)
    sim.add_task(service, instance_id="one", project_id=accounts.OTHER_PROJECT_ID)
    body = ask(sim, service).json()
    assert [record[row.id] for record in body[row.key]] == made
    if row.total is None:
        assert "total_count" not in body
    else:
        assert (body[row.total], type(body[row.total])) == (row.total_type(3), row.total_type)
    sim.change_lists(service, order="oldest")
    assert ids(sim, service) == made[::-1]


@every_list
def test_a_list_of_nothing(sim: Simulator, service: str) -> None:
    sim.add_task(service, instance_id="one", visible_after=60)
    assert ids(sim, service) == []


@pytest.mark.parametrize("service", ["kafka", "rabbitmq", "rocketmq"])
def test_an_instance_of_dms_has_its_own_list(sim: Simulator, service: str) -> None:
    assert (ask(sim, service).status_code, error_code(ask(sim, service))) == (404, "DMS.00404022")
    made = add(sim, service, 2)
    add(sim, service, 1, instance_id="two")
    assert ids(sim, service) == made
    root = get(f"{sim.url}{ROWS[service].path.replace('INSTANCE', 'one')}").json()
    assert [task["id"] for task in root["tasks"]] == made


@every_list
def test_filters(sim: Simulator, service: str) -> None:
    one = sim.add_task(service, name="First", instance_id="i1", duration=0)
    sim.add_task(service, name="Second", instance_id="i2")
    for parameter, name in ROWS[service].filters.items():
        assert ids(sim, service, **{parameter: one[name]}) == [one["task_id"]], parameter
        assert ids(sim, service, **{parameter: "other"}) == []


@pytest.mark.parametrize("service", ["taurusdb", "dds", "rds", "gaussdb", "geminidb", "elb", "cbr"])
def test_a_filter_for_the_status(sim: Simulator, service: str) -> None:
    done, running = add(sim, service, 1, duration=0), add(sim, service, 1, duration=100, age=50)
    word = ask(sim, service).json()[ROWS[service].key]
    words = {record[ROWS[service].id]: record["status"] for record in word}
    assert ids(sim, service, status=words[done[0]]) == done
    assert ids(sim, service, status=words[running[0]]) == running


def test_filters_for_a_vault(sim: Simulator) -> None:
    made = add(sim, "cbr", 1)
    record = ask(sim, "cbr").json()["operation_logs"][0]
    assert ids(sim, "cbr", vault_id=record["vault_id"]) == made
    assert ids(sim, "cbr", vault_id="other") == []


@every_list
def test_times(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    made = add(sim, service, 1, age=10) + add(sim, service, 1, age=500)
    now = datetime.now(timezone.utc)

    def asked(since: int, until: int) -> list[str]:
        moments = (now - timedelta(seconds=since), now - timedelta(seconds=until))
        return ids(sim, service, **{name: row.time(moment) for name, moment in zip(row.times, moments)})

    assert asked(600, -5) == made
    assert asked(100, -5) == made[:1]
    if len(row.times) == 2:
        assert asked(600, 100) == made[1:]


@every_list
def test_times_which_are_none(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    add(sim, service, 1)
    assert ask(sim, service, **dict.fromkeys(row.times, "yesterday")).status_code == 400


@pytest.mark.parametrize("service", ["taurusdb", "dds", "geminidb"])
def test_a_plus_sign_has_to_be_encoded(sim: Simulator, service: str) -> None:
    now = datetime.now(timezone(timedelta(hours=8)))
    bare = {name: now.strftime("%Y-%m-%dT%H:%M:%S%z") for name in ROWS[service].times}
    assert "+0800" in bare["start_time"] and ask(sim, service, **bare).status_code == 400
    assert ask(sim, service, **{name: quote(value) for name, value in bare.items()}).status_code == 200


@pytest.mark.parametrize(
    ("service", "missing", "code"),
    [
        ("dds", ("start_time", "end_time"), "error_code"),
        ("dds", ("end_time",), "error_code"),
        ("ddm", ("start_time", "end_time"), "errCode"),
        ("rds", ("end_time",), "error_code"),
    ],
)
def test_times_which_are_required(sim: Simulator, service: str, missing: tuple[str, ...], code: str) -> None:
    now = datetime.now(timezone.utc)
    given = {name: ROWS[service].time(now) for name in ROWS[service].times}
    response = ask(sim, service, **{**given, **dict.fromkeys(missing)})
    assert (response.status_code, response.json()[code]) == (400, "DBS.280001")


@pytest.mark.parametrize("service", [service for service, row in ROWS.items() if len(row.times) == 2])
def test_a_window_has_at_most_thirty_days(sim: Simulator, service: str) -> None:
    add(sim, service, 1)
    now, row = datetime.now(timezone.utc), ROWS[service]
    for days, status in ((29, 200), (31, 400), (-1, 400)):
        moments = (now - timedelta(days=days), now)
        given = {name: row.time(moment) for name, moment in zip(row.times, moments)}
        assert ask(sim, service, **given).status_code == status, days


@every_list
def test_limits(sim: Simulator, service: str) -> None:
    smallest, largest = ROWS[service].limits
    made = add(sim, service, 11)
    assert ids(sim, service) == made[: ROWS[service].default]
    assert ids(sim, service, limit=smallest) == made[:smallest]
    assert ids(sim, service, limit=largest) == made
    for wrong in (largest + 1, -1, "many"):
        assert ask(sim, service, limit=wrong).status_code == 400, wrong


@pytest.mark.parametrize("service", ["taurusdb", "geminidb"])
def test_limits_of_three_sizes(sim: Simulator, service: str) -> None:
    assert [ask(sim, service, limit=limit).status_code for limit in (10, 11, 20, 30, 50)] == [200, 400, 200, 400, 200]


@with_offset
@pytest.mark.parametrize("meaning", ["documented", *OFFSETS])
def test_offset(sim: Simulator, service: str, meaning: str) -> None:
    row = ROWS[service]
    made = add(sim, service, 25)
    if meaning != "documented":
        sim.change_lists(service, offset=meaning)
    kind, dummy, first = (row.offset if meaning == "documented" else meaning).partition("_from_")
    step = 10 if kind == "record" else 1
    pages = [ids(sim, service, limit=10, **{row.parameter: int(first) + step * number}) for number in range(4)]
    assert pages == [made[:10], made[10:20], made[20:], []]
    assert ids(sim, service, limit=10) == made[:10]
    assert ask(sim, service, limit=10, **{row.parameter: int(first) - 1}).status_code == 400
    assert ids(sim, service, limit=10, **{row.parameter: int(first) + 1}) == made[10 if step == 1 else 1 :][:10]


def test_dms_calls_it_start(sim: Simulator) -> None:
    made = add(sim, "kafka", 15)
    assert ids(sim, "kafka", start=11)[0] == made[10] and ids(sim, "kafka", offset=11)[0] == made[0]
    sim.change_lists("kafka", parameter="offset")
    assert ids(sim, "kafka", start=11)[0] == made[0] and ids(sim, "kafka", offset=11)[0] == made[10]


def test_elb_has_markers(sim: Simulator) -> None:
    made = add(sim, "elb", 5)
    infos: list[Any] = [{}]
    pages = []
    for dummy in range(3):
        body = ask(sim, "elb", limit=2, marker=infos[-1].get("next_marker")).json()
        pages.append([job["job_id"] for job in body["jobs"]])
        infos.append(body["page_info"])
    assert pages == [made[:2], made[2:4], made[4:]]
    assert infos[1:] == [
        {"current_count": 2, "next_marker": made[1]},
        {"current_count": 2, "previous_marker": made[2], "next_marker": made[3]},
        {"current_count": 1, "previous_marker": made[4]},
    ]
    assert ids(sim, "elb", limit=2, marker=made[4], page_reverse="true") == made[2:4]
    assert ids(sim, "elb", limit=2, marker=made[1], page_reverse="true") == made[:1]
    assert ask(sim, "elb", marker="nothing").status_code == 400


@with_offset
def test_tasks_that_arrive_push_others_to_the_next_page(sim: Simulator, service: str) -> None:
    made = add(sim, service, 12)
    sim.change_lists(service, arrivals=1, offset="record_from_0")
    first = ids(sim, service, limit=10)
    second = ids(sim, service, limit=10, **{ROWS[service].parameter: 10})
    assert first == made[:10] and second == made[9:]
    assert ids(sim, service, limit=10)[1:] == made[:9]  # none came after the second


def test_a_marker_is_not_moved_by_tasks_that_arrive(sim: Simulator) -> None:
    made = add(sim, "elb", 12)
    sim.change_lists(arrivals=5)
    assert ids(sim, "elb", limit=10) + ids(sim, "elb", limit=10, marker=made[9]) == made


@every_list
def test_a_list_that_is_refused(sim: Simulator, service: str) -> None:
    task = sim.add_task(service, instance_id="one")
    sim.change_lists(service, refused=True)
    response = ask(sim, service)
    assert response.status_code == 403 and "Policy doesn't allow" in response.json()["error_msg"]
    assert sim.requests()[-1]["service"] == service
    others = next(name for name in ROWS if name != service)
    sim.add_task(others, instance_id="one")
    assert len(ids(sim, others)) == 1 and task
    sim.change_lists(service)
    assert len(ids(sim, service)) == 1


@pytest.mark.parametrize(
    ("service", "permission"),
    [
        ("taurusdb", "gaussdbformysql:task:list"),
        ("dds", "dds:task:listAll"),
        ("rds", "rds:task:listAll"),
        ("geminidb", "gaussdbfornosql:task:list"),
    ],
)
def test_a_refusal_names_the_permission(sim: Simulator, service: str, permission: str) -> None:
    sim.change_lists(service, refused=True)
    assert permission in ask(sim, service).text


@every_list
def test_records_that_lag_behind(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    done = add(sim, service, 1, duration=100, age=103)
    assert len(done) == 1
    now = ask(sim, service).json()[row.key][0]["status"]
    sim.change_lists(service, lag=10)
    assert ask(sim, service).json()[row.key][0]["status"] != now
    young = add(sim, service, 1, age=5)
    assert ids(sim, service) == done
    sim.change_lists(service)
    assert ids(sim, service) == young + done


@every_list
def test_fewer_records_than_exist(sim: Simulator, service: str) -> None:
    made = add(sim, service, 4)
    sim.change_lists(service, most=2)
    assert ids(sim, service) == made[:2]
    sim.change_lists(service, hidden=[made[0], made[2]])
    assert ids(sim, service) == [made[1], made[3]]


@every_list
def test_fields_that_are_missing_or_odd(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    add(sim, service, 1, listed={"status": 7, "fail_reason": 0})
    record = ask(sim, service).json()[row.key][0]
    assert (record["status"], record["fail_reason"]) == (7, 0)
    sim.change_lists(service, omit=["status", row.id])
    record = ask(sim, service).json()[row.key][0]
    assert "status" not in record and row.id not in record and len(record) > 3


@pytest.mark.parametrize(
    ("total", "value"),
    [
        ("null", None),
        ("string", "3"),
        ("number", 3),
        ("wrong", 1),
        ("missing", "(absent)"),
    ],
)
@every_list
def test_totals(sim: Simulator, service: str, total: str, value: Any) -> None:
    add(sim, service, 3)
    sim.change_lists(service, total=total)
    assert ask(sim, service).json().get(ROWS[service].total or "total_count", "(absent)") == value


def test_what_a_record_lacks_and_has(sim: Simulator) -> None:
    for service in ROWS:
        add(sim, service, 1, duration=0, outcome="failed", fail_reason="no space", instance_name="db")
    records = {service: ask(sim, service).json()[row.key][0] for service, row in ROWS.items()}
    for service in ("taurusdb", "dds", "rds", "gaussdb", "geminidb", "ddm"):
        assert records[service]["fail_reason"] == "no space", service
        assert "entities" not in records[service]
    assert records["gaussdb"]["instance_info"]["instance_id"] == "one"
    assert records["ddm"]["instance_id"] == records["rds"]["instance_id"] == records["taurusdb"]["instance_id"] == "one"
    assert records["dds"]["created_at"] and records["dds"]["ended_at"]
    assert records["geminidb"]["instance"] == {"id": "one", "name": "db"}
    assert (records["elb"]["error_msg"], records["cbr"]["error_info"]["message"]) == ("no space", "no space")
    assert records["kafka"]["params"]


@pytest.mark.parametrize(
    ("service", "by_id"),
    [
        ("kafka", f"/v2/{P}/instances/one/tasks/ID"),
        ("geminidb", f"/v3/{P}/jobs?id=ID"),
        ("elb", f"/v3/{P}/elb/jobs/ID"),
        ("cbr", f"/v3/{P}/operation-logs/ID"),
    ],
)
def test_records_which_are_the_same_as_by_id(sim: Simulator, service: str, by_id: str) -> None:
    row = ROWS[service]
    (made,) = add(sim, service, 1, duration=0)
    listed = ask(sim, service).json()[row.key][0]
    body = get(sim.endpoint(service) + by_id.replace("ID", made)).json()
    one = body[row.key][0] if row.key in body else body["job" if service == "elb" else "operation_log"]
    if service == "cbr":
        assert one["id"] == listed["id"]
    assert one == listed


def test_restores_are_in_the_list_of_taurusdb(sim: Simulator) -> None:
    sim.add_task("taurusdb_restore", duration=0)
    (record,) = ask(sim, "taurusdb").json()["jobs"]
    assert (record["status"], record["show_detail"], record["process"]) == ("Completed", True, "")


def test_progress_and_other_names(sim: Simulator) -> None:
    shown = {}
    for service in ("taurusdb", "rds", "gaussdb", "ddm"):
        add(sim, service, 1, status="Running", progress=40)
        shown[service] = ask(sim, service).json()[ROWS[service].key][0]["process"]
    assert shown == {"taurusdb": "40%", "rds": "40", "gaussdb": "40%", "ddm": "40%"}
    assert ask(sim, "rds").json()["actions"] == ["CreateMysqlSingleHAInstance"]
    assert ask(sim, "taurusdb").json()["action_names"] == ["CreateGaussDBforMySQLInstance"]


@every_list
def test_faults_for_lists_alone_and_for_all_but_lists(sim: Simulator, service: str) -> None:
    add(sim, service, 1)
    sim.add_fault("throttle", service=service, list=False)
    assert ask(sim, service).status_code == 200
    sim.add_fault("reset", service=service, list=True)
    with pytest.raises(requests.ConnectionError):
        ask(sim, service)


@pytest.mark.parametrize(
    "given",
    [
        {"offset": "page"},
        {"order": "random"},
        {"service": "ecs"},
        {"later": 1},
        {"total": "none"},
    ],
)
def test_slips_are_refused(sim: Simulator, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be one of|unknown keys"):
        sim.change_lists(**given)
    response = requests.post(f"{sim.url}/_control/lists", json=given, timeout=5)
    assert response.status_code == 400


def test_the_control_call(sim: Simulator) -> None:
    add(sim, "dds", 1)
    assert requests.post(f"{sim.url}/_control/lists", json={"refused": True}, timeout=5).status_code == 200
    assert ask(sim, "dds").status_code == 403
    assert requests.post(f"{sim.url}/_control/lists", json={"service": "dds"}, timeout=5).status_code == 200
    assert (ask(sim, "dds").status_code, ask(sim, "rds").status_code) == (200, 403)
    sim.reset()
    assert ask(sim, "rds").status_code == 200


@every_list
def test_a_list_wants_a_token(sim: Simulator, service: str) -> None:
    add(sim, service, 1)
    url = f"{sim.endpoint(service)}{ROWS[service].path.replace('INSTANCE', 'one')}"
    assert get(url, headers={}).status_code == 401
    code = "DMS.10240101" if service in ("kafka", "rabbitmq", "rocketmq") else "APIGW.0301"
    assert error_code(get(url, headers={"X-Auth-Token": "wrong"})) == code
