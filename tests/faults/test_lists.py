# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for many tasks of one list, over real sockets: a list spares requests, and never changes a result."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import Outcome, item, options, wait

from simulator import Simulator

COUNT = 120
# One task after the other ends in these seconds.
FIRST_END, SPAN = 1.0, 3.0
INSTANCE = "6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51"
AT_A_TIME = 12
SERVICES = ("taurusdb", "kafka")


@dataclasses.dataclass(frozen=True)
class Way:
    """How a list behaves.

    ``most`` is how many of its pages are read before it is given up as useless, where it is one that spares nothing.
    """

    rules: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    fault: t.Mapping[str, t.Any] | None = None
    most: int | None = None
    hides: int = 0
    # How many seconds ago the tasks began.
    age: float = 0.0
    services: tuple[str, ...] = SERVICES


# Of a list of 120 tasks, pages that overlap, and those that tell what an offset means.
ONE_READING = 8
TAURUSDB, KAFKA = ("taurusdb",), ("kafka",)
WAYS = {
    "plain": Way(),
    "oldest first": Way({"order": "oldest"}),
    "pages from 0, tasks start meanwhile": Way({"offset": "page_from_0", "arrivals": 3}),
    "pages from 1, tasks start meanwhile": Way({"offset": "page_from_1", "arrivals": 3}),
    "records from 0, tasks start meanwhile": Way({"offset": "record_from_0", "arrivals": 3}),
    "records from 1, tasks start meanwhile": Way({"offset": "record_from_1", "arrivals": 3}),
    "offset in place of start": Way({"parameter": "offset"}, services=KAFKA),
    "wrong total": Way({"total": "wrong"}, services=TAURUSDB),
    "lagging": Way({"lag": 1.0}, age=3.0),
    "hidden records": Way(hides=12),
    "mostly hidden": Way(hides=80, most=ONE_READING),
    "cut short": Way({"most": 40}, most=ONE_READING),
    "records without an id": Way({"omit": ["job_id", "id"]}, most=1, services=TAURUSDB),
    "records without a status": Way({"omit": ["status"]}, most=ONE_READING, services=KAFKA),
    "refused": Way({"refused": True}, most=1),
    "wrong shape": Way(fault={"fault": "wrong_shape"}, most=1, services=TAURUSDB),
    "no records": Way(fault={"fault": "empty"}, most=1, services=KAFKA),
    "a login page": Way(fault={"fault": "login_page"}, most=1, services=TAURUSDB),
    "truncated": Way(fault={"fault": "truncated"}, most=1, services=KAFKA),
    "HTTP 500": Way(fault={"fault": "status", "status": 500}, most=1, services=TAURUSDB),
    "HTTP 500 now and then": Way(fault={"fault": "status", "status": 500, "after": 4, "first": 1}, services=KAFKA),
    "reset": Way(fault={"fault": "reset"}, most=1, services=TAURUSDB),
    "expired token": Way(fault={"fault": "expired_token"}, most=1, services=KAFKA),
    "hanging": Way(fault={"fault": "hang"}, most=1, services=TAURUSDB),
    "throttled": Way(fault={"fault": "throttle", "first": 1, "retry_after": 1}, services=TAURUSDB),
}
CELLS = [(name, service) for name, way in WAYS.items() for service in way.services]
OF_USE = [cell for cell in CELLS if WAYS[cell[0]].most is None]
OF_NO_USE = [cell for cell in CELLS if WAYS[cell[0]].most is not None]
# What says when something happened, or is another one for each task.
INDIVIDUAL = ("id", "instance_id", "created_at", "ended_at", "details", "error")


@dataclasses.dataclass(frozen=True)
class Listed:
    """How a wait ended, and how many requests it took."""

    outcome: Outcome
    by_id: int
    lists: int

    @property
    def tasks(self) -> list[dict[str, t.Any]]:
        """What is the same in every wait for such tasks."""
        entries = self.outcome.result["tasks"]
        return [{key: value for key, value in entry.items() if key not in INDIVIDUAL} for entry in entries]


def listed(service: str, way: Way, *, lists: bool = True) -> Listed:
    with Simulator() as sim:
        instance = {"instance_id": INSTANCE} if service == "kafka" else {}
        tasks = [
            sim.add_task(
                service,
                age=way.age,
                duration=way.age + FIRST_END + SPAN * number / COUNT,
                outcome="failed" if number % 10 == 7 else "succeeded",
                **instance,
            )
            for number in range(COUNT)
        ]
        hidden = [task["task_id"] for task in tasks[-way.hides :]] if way.hides else []
        sim.change_lists(service, **way.rules, **({"hidden": hidden} if hidden else {}))
        if way.fault:
            given = dict(way.fault)
            sim.add_fault(given.pop("fault"), list=True, **given)
        params = options(
            sim,
            tasks=[item(task) for task in tasks],
            sleep=1.0,
            max_sleep=1.0,
            timeout=30.0,
            request_timeout=3.0,
            fail_fast=False,
        )
        outcome = wait(params, lists=lists)
        ids = {task["task_id"] for task in tasks}
        requests = [request for request in sim.requests() if request["method"] == "GET"]
        by_id = sum(request["task_id"] in ids for request in requests)
        return Listed(outcome, by_id, len(requests) - by_id)


Found = t.Mapping[tuple[str, str], Listed]


@pytest.fixture(name="found", scope="module")
def fixture_found() -> Iterator[Found]:
    """Every cell, and for each service what it is without lists."""
    cells = [("by id", service) for service in SERVICES] + CELLS
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        futures = {
            (name, service): threads.submit(listed, service, WAYS.get(name, Way()), lists=name != "by id")
            for name, service in cells
        }
        yield {cell: future.result() for cell, future in futures.items()}


@pytest.mark.parametrize("service", SERVICES)
def test_without_lists_each_task_is_asked_by_id(found: Found, service: str) -> None:
    result = found[("by id", service)]
    assert result.outcome.kind == "task_failed"
    assert {entry["state"] for entry in result.tasks} == {"succeeded", "failed"}
    assert (result.by_id >= COUNT, result.lists) == (True, 0)


@pytest.mark.parametrize(("name", "service"), CELLS)
def test_a_list_changes_no_result(found: Found, name: str, service: str) -> None:
    result, by_id = found[(name, service)], found[("by id", service)]
    assert result.lists > 0
    assert result.tasks == by_id.tasks
    assert (result.outcome.kind, result.outcome.result["pending"]) == (by_id.outcome.kind, [])


@pytest.mark.parametrize(("name", "service"), OF_USE)
def test_a_list_spares_requests(found: Found, name: str, service: str) -> None:
    hidden = WAYS[name].hides
    # How a task ended is asked once; what the list hides is asked in each round.
    assert found[(name, service)].by_id - 10 * hidden <= 1.25 * COUNT


@pytest.mark.parametrize(("name", "service"), OF_NO_USE)
def test_a_list_that_is_of_no_use_is_not_read_again(found: Found, name: str, service: str) -> None:
    assert found[(name, service)].lists <= t.cast(int, WAYS[name].most)
