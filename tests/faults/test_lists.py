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
# Of these one in ten fails; the rest succeeds, one after the other.
SPAN = 5.0
INSTANCE = "6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51"


@dataclasses.dataclass(frozen=True)
class Way:
    """How a list behaves, and whether it still spares requests."""

    rules: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    fault: t.Mapping[str, t.Any] | None = None
    spares: bool = True
    hides: int = 0
    # How many seconds ago the tasks began.
    age: float = 0.0
    services: tuple[str, ...] = ("taurusdb", "kafka")


WAYS = {
    "plain": Way(),
    "oldest first": Way({"order": "oldest"}),
    "pages from 0": Way({"offset": "page_from_0"}),
    "pages from 1": Way({"offset": "page_from_1"}),
    "records from 0": Way({"offset": "record_from_0"}),
    "records from 1": Way({"offset": "record_from_1"}),
    "offset in place of start": Way({"parameter": "offset"}, services=("kafka",)),
    "wrong total": Way({"total": "wrong"}),
    "tasks that start meanwhile": Way({"arrivals": 3}),
    "lagging": Way({"lag": 1.0}, age=3.0),
    "hidden records": Way(hides=12),
    "mostly hidden": Way(hides=80, spares=False),
    "cut short": Way({"most": 40}, spares=False),
    "records without an id": Way({"omit": ["job_id", "id"]}, spares=False),
    "records without a status": Way({"omit": ["status"]}, spares=False),
    "refused": Way({"refused": True}, spares=False),
    "wrong shape": Way(fault={"fault": "wrong_shape"}, spares=False),
    "no records": Way(fault={"fault": "empty"}, spares=False),
    "a login page": Way(fault={"fault": "login_page"}, spares=False),
    "truncated": Way(fault={"fault": "truncated"}, spares=False),
    "HTTP 500": Way(fault={"fault": "status", "status": 500}, spares=False),
    "HTTP 500 now and then": Way(fault={"fault": "status", "status": 500, "after": 4, "first": 1}),
    "reset": Way(fault={"fault": "reset"}, spares=False),
    "expired token": Way(fault={"fault": "expired_token"}, spares=False),
    "hanging": Way(fault={"fault": "hang"}, spares=False),
    "throttled": Way(fault={"fault": "throttle", "first": 1, "retry_after": 1}),
}
CELLS = [(name, service) for name, way in WAYS.items() for service in way.services]


@dataclasses.dataclass(frozen=True)
class Listed:
    """How a wait ended, and how many requests it took."""

    outcome: Outcome
    by_id: int
    lists: int

    @property
    def ends(self) -> tuple[str | None, list[str]]:
        return (self.outcome.kind, [entry["state"] for entry in self.outcome.result["tasks"]])


def listed(service: str, way: Way, *, lists: bool = True) -> Listed:
    with Simulator() as sim:
        instance = {"instance_id": INSTANCE} if service == "kafka" else {}
        tasks = [
            sim.add_task(
                service,
                age=way.age,
                duration=way.age + 1.0 + SPAN * number / COUNT,
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
            sleep=0.5,
            max_sleep=0.5,
            timeout=30.0,
            request_timeout=3.0,
            fail_fast=False,
        )
        outcome = wait(params, lists=lists)
        ids = {task["task_id"] for task in tasks}
        requests = [request for request in sim.requests() if request["method"] == "GET"]
        by_id = sum(request["task_id"] in ids for request in requests)
        return Listed(outcome, by_id, len(requests) - by_id)


@pytest.fixture(name="found", scope="module")
def fixture_found() -> Iterator[dict[tuple[str, str], Listed]]:
    """Every cell, and for each service what it is without lists."""
    cells = [("by id", service) for service in ("taurusdb", "kafka")] + CELLS
    with ThreadPoolExecutor(6) as threads:
        futures = {
            (name, service): threads.submit(listed, service, WAYS.get(name, Way()), lists=name != "by id")
            for name, service in cells
        }
        yield {cell: future.result() for cell, future in futures.items()}


@pytest.mark.parametrize("service", ["taurusdb", "kafka"])
def test_without_a_list_each_task_costs_a_request_a_round(found: dict[tuple[str, str], Listed], service: str) -> None:
    result = found[("by id", service)]
    assert result.outcome.kind == "task_failed"
    assert {entry["state"] for entry in result.outcome.result["tasks"]} == {"succeeded", "failed"}
    assert (result.by_id >= 4 * COUNT, result.lists) == (True, 0)


@pytest.mark.parametrize(("name", "service"), CELLS)
def test_a_list_changes_no_result(found: dict[tuple[str, str], Listed], name: str, service: str) -> None:
    result, by_id = found[(name, service)], found[("by id", service)]
    assert result.lists > 0
    assert result.ends == by_id.ends
    assert [entry["status"] for entry in result.outcome.result["tasks"]] == [
        entry["status"] for entry in by_id.outcome.result["tasks"]
    ]
    assert result.outcome.result["pending"] == []


@pytest.mark.parametrize(("name", "service"), [cell for cell in CELLS if WAYS[cell[0]].spares])
def test_a_list_spares_requests(found: dict[tuple[str, str], Listed], name: str, service: str) -> None:
    result, by_id = found[(name, service)], found[("by id", service)]
    assert result.by_id + result.lists <= 0.75 * by_id.by_id


@pytest.mark.parametrize(("name", "service"), [cell for cell in CELLS if not WAYS[cell[0]].spares])
def test_a_list_that_is_of_no_use_is_not_read_again(
    found: dict[tuple[str, str], Listed], name: str, service: str
) -> None:
    assert found[(name, service)].lists <= 6
