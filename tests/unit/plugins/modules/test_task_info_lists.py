# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that finds tasks in the lists of services, over real sockets."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._lists import LISTS
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.modules.task_info import read_since
from simulator import Simulator, accounts

DISPUTED = sorted(name for name, task_list in LISTS.items() if task_list.paging == "offset")
INSTANCE = "0c7b1f2e5a3d4e6f8a9b0c1d2e3f4a5bin07"
OTHER = "1d8c2a3f6b4e5f7a9b0c1d2e3f4a5b6cin07"


def options(sim: Simulator, service: str, **given: t.Any) -> dict[str, t.Any]:
    named = {"service": service, "instance_id": INSTANCE, "endpoint": sim.endpoint(service)}
    return {**named, "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN, **given}


def add(sim: Simulator, service: str, count: int, **given: t.Any) -> list[str]:
    return [
        sim.add_task(service, **{"instance_id": INSTANCE, "outcome": "stuck", **given})["task_id"]
        for _n in range(count)
    ]


def ids(result: dict[str, t.Any]) -> list[str]:
    return [task["id"] for task in result["tasks"]]


@pytest.mark.parametrize("service", LISTS)
def test_tasks_of_an_instance(run_module: t.Any, sim: Simulator, service: str) -> None:
    running = add(sim, service, 2)
    ended = add(sim, service, 1, outcome="succeeded", duration=0)
    add(sim, service, 1, instance_id=OTHER)
    found = run_module("task_info", **options(sim, service)).result
    assert sorted(ids(found)) == sorted(running + ended)
    assert {task["state"] for task in found["tasks"]} <= {"pending", "running", "succeeded"}
    assert (found["task"], found["complete"], found["failure"]) == (None, True, None)
    assert sorted(task["task_id"] for task in found["pending"]) == sorted(running)
    # What is pending can be asked for as it is.
    place = {name: value for name, value in options(sim, service).items() if name not in ("service", "instance_id")}
    again = run_module("task_info", **place, tasks=found["pending"])
    assert sorted(ids(again.result)) == sorted(running)


@pytest.mark.parametrize("offset", ["record from 0", "record from 1", "page from 0", "page from 1"])
@pytest.mark.parametrize("service", DISPUTED)
def test_no_task_is_lost_whatever_offset_means(run_module: t.Any, sim: Simulator, service: str, offset: str) -> None:
    size = LISTS[service].page_size
    tasks = add(sim, service, 2 * min(size, 100) + 7)
    sim.change_lists(service, offset=offset.replace(" ", "_"), arrivals=0)
    found = run_module("task_info", **options(sim, service)).result
    assert sorted(ids(found)) == sorted(tasks)
    assert found["complete"]


def test_limit(run_module: t.Any, sim: Simulator) -> None:
    tasks = add(sim, "taurusdb", 7)
    found = run_module("task_info", **options(sim, "taurusdb", limit=5)).result
    assert len(found["tasks"]) == 5
    assert not found["complete"]
    found = run_module("task_info", **options(sim, "taurusdb", limit=7)).result
    assert (sorted(ids(found)), found["complete"]) == (sorted(tasks), True)


def test_states(run_module: t.Any, sim: Simulator) -> None:
    add(sim, "rds", 2)
    failed = add(sim, "rds", 1, outcome="failed", duration=0)
    found = run_module("task_info", **options(sim, "rds", states=["failed", "canceled"])).result
    assert ids(found) == failed
    assert found["pending"] == []


@pytest.mark.parametrize("service", LISTS)
def test_since(run_module: t.Any, sim: Simulator, service: str) -> None:
    add(sim, service, 1, age=7200)
    young = add(sim, service, 1)
    assert ids(run_module("task_info", **options(sim, service, since="3600")).result) == young


NOW = 1_795_161_600.0  # 2026-11-20T08:00:00Z
ISO = ("2026-11-20T07:00:00+0000", "2026-11-20T09:00:00+0000")
MILLISECONDS = ("1795158000000", "1795165200000")
TIMES = {
    **dict.fromkeys(("taurusdb", "dds", "geminidb"), (("start_time", ISO[0]), ("end_time", ISO[1]))),
    **dict.fromkeys(("rds", "gaussdb", "ddm"), (("start_time", MILLISECONDS[0]), ("end_time", MILLISECONDS[1]))),
    **dict.fromkeys(
        ("kafka", "rabbitmq", "rocketmq"), (("begin_time", "20261120070000"), ("end_time", "20261120090000"))
    ),
    "elb": (("begin_time", "2026-11-20T07:00:00"),),
    "cbr": (("start_time", "2026-11-20T07:00:00Z"), ("end_time", "2026-11-20T09:00:00Z")),
}


@pytest.mark.parametrize("service", LISTS)
def test_times_are_sent_as_each_list_wants_them(service: str) -> None:
    """A span of more than 30 days is refused by some: it is filtered here, or cut where one is mandatory."""
    task_list = LISTS[service]
    assert task_list.span(NOW - 3600, NOW) == list(TIMES[service])
    month = task_list.span(NOW - 40 * 86400, NOW)
    assert month == task_list.span(None, NOW)
    assert [key for key, dummy in month] == (["start_time", "end_time"] if service in ("dds", "ddm") else [])


@pytest.mark.parametrize("service", sorted(set(LISTS) - {"rabbitmq", "rocketmq"}))
def test_a_refused_list(run_module: t.Any, sim: Simulator, service: str) -> None:
    add(sim, service, 1)
    sim.change_lists(service, refused=True)
    result = run_module.fail("task_info", **options(sim, service))
    assert result["failure"]["http_status"] == 403
    needed = LISTS[service].permission
    hint = (
        f"lack the permission to list tasks: {needed}." if needed else "may differ from the permission to read a task."
    )
    assert hint in result["msg"]
    assert "?" not in result["msg"]


def test_a_list_that_is_null(run_module: t.Any, sim: Simulator) -> None:
    """It is sound JSON, and no list."""
    sim.add_fault("not_json", body="null", list=True)
    result = run_module.fail("task_info", **options(sim, "taurusdb"))
    assert "the response has no list 'jobs' of objects" in result["msg"]
    assert not result["complete"]


@pytest.mark.parametrize("option", ["task_id", "instance_id"])
def test_an_id_that_a_template_left_empty_lists_nothing(run_module: t.Any, sim: Simulator, option: str) -> None:
    add(sim, "taurusdb", 1)
    result = run_module.fail("task_info", **options(sim, "taurusdb", **{option: ""}))
    assert result["msg"].startswith(f"{option} is empty.")
    assert sim.requests() == []


@pytest.mark.parametrize("service", sorted(set(SERVICES) - set(LISTS) - {"taurusdb_restore"}))
def test_a_service_without_a_list(run_module: t.Any, sim: Simulator, service: str) -> None:
    result = run_module.fail("task_info", **options(sim, service))
    assert result["msg"].startswith(f"{service} has no list of tasks: name tasks by task_id.")
    assert "taurusdb" in result["msg"]
    assert sim.requests() == []


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"limit": 0}, "limit must be at least 1."),
        ({"since": "yesterday"}, "since is neither"),
        ({"since": "-5"}, "since must be"),
        ({"since": "2026-11-20T08:00:00 CST"}, "since is neither a number of seconds nor an ISO 8601 time: 2026-"),
        ({"task_name": "CreateInstance"}, "task_name cannot choose among listed tasks: leave it out, or set task_id."),
        ({"service": "kafka", "instance_id": None}, "The list of kafka is one of an instance: set instance_id."),
        ({"task_id": "t", "states": ["failed"]}, "states can only choose among listed tasks"),
        ({"instance_id": "../x"}, "instance_id must consist of"),
    ],
)
def test_mistakes(run_module: t.Any, sim: Simulator, given: dict[str, t.Any], text: str) -> None:
    result = run_module.fail("task_info", **{**options(sim, "taurusdb"), **given})
    assert text in result["msg"]
    assert sim.requests() == []


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("60", 1_000_000_000 - 60),
        ("2001-09-09T01:46:40Z", 1_000_000_000),
        ("2001-09-09T09:46:40+0800", 1_000_000_000),
        ("2001-09-09T09:46:40+08", 1_000_000_000),
        ("2001-09-09 01:46:40", 1_000_000_000),
        ("", None),
    ],
)
def test_since_is_seconds_or_a_time(value: str, moment: float | None) -> None:
    assert read_since(value, 1_000_000_000) == moment


def test_since_in_the_future() -> None:
    with pytest.raises(InputError):
        read_since(str(time.time() * 2), time.time())
