# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits against everything that goes wrong on the way to the cloud: every fault, at every moment, for every service.

All of it goes over real sockets. Each cell of the table is one wait for two tasks, of which only the first one meets
the fault. Many cells of one fault run at the same time, and nothing but their pauses depends on a clock.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from waiting import SLEEP, WORDS, Outcome, by_password, item, options, wait

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._pacing import FIRST_CHUNK
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.modules import wait_for_task
from simulator import Simulator, accounts

SERVICES = ("taurusdb", "taurusdb_restore", "dds", "kafka")
KEYS = {"changed", "tasks", "task", "pending", "elapsed", "polls", "msg", "failure"}
GRACE = 0.6
LONG_AFTER_GRACE = 3.0
# What a busy machine may take in addition.
SLACK = 8.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault of the simulator, and what a wait has to make of it.

    ``code`` is what the failure carries; for Kafka it is ``kafka``, as (http_status, code), where that differs.
    ``pause`` is the shortest time that must pass after it, ``passing`` whether it may pass by itself, ``throttled``
    whether nothing but the timeout ends a wait for it.
    """

    name: str
    kind: str
    given: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    failure: str = "api_error"
    http_status: int | None = None
    code: str | None = None
    kafka: tuple[int | None, str | None] | None = None
    passing: bool = True
    throttled: bool = False
    services: tuple[str, ...] = SERVICES
    in_the_middle: int = 2
    pause: float = SLEEP
    request_timeout: float = 10.0
    # Of the cells in which the last look meets the fault.
    timeout: float = 1.5

    def expected(self, service: str) -> tuple[int | None, str | None]:
        return self.kafka if self.kafka and service == "kafka" else (self.http_status, self.code)

    @property
    def request_timeout_of_silence(self) -> float:
        """How long one look takes that the fault leaves without an answer."""
        return self.request_timeout if self.kind in ("hang", "drip") else 0.0

    @property
    def moments(self) -> tuple[str, ...]:
        return MOMENTS if self.passing else MOMENTS[:4]


# At the first look only; at looks in the middle; at the last look, which is at the deadline;
# for ever after one good look; for ever from the first look on.
MOMENTS = ("first", "middle", "last", "lost", "always")


def status(number: int, **given: t.Any) -> dict[str, t.Any]:
    return dict(given, status=number)


FAULTS = [
    Fault("500", "status", status(500), http_status=500, code="DBS.108000"),
    Fault("502", "status", status(502, body="<html>Bad Gateway</html>"), http_status=502),
    Fault(
        "503",
        "status",
        status(503, error_code="APIGW.0613", error_msg="busy", shape="apigw"),
        http_status=503,
        code="APIGW.0613",
    ),
    Fault("504", "status", status(504, body=""), http_status=504),
    Fault(
        "503 with Retry-After",
        "status",
        status(503, retry_after=1, error_code="APIGW.0613", shape="apigw"),
        http_status=503,
        code="APIGW.0613",
        in_the_middle=1,
        pause=1,
    ),
    Fault("429", "throttle", throttled=True, http_status=429, code="APIGW.0308", in_the_middle=1, pause=2),
    Fault(
        "429 with Retry-After",
        "throttle",
        {"retry_after": 1},
        throttled=True,
        http_status=429,
        code="APIGW.0308",
        pause=1,
    ),
    Fault(
        "429 with a date as Retry-After",
        "throttle",
        {"retry_after_date": 2},
        throttled=True,
        http_status=429,
        code="APIGW.0308",
        in_the_middle=1,
        # Dates have whole seconds.
        pause=0.9,
    ),
    Fault(
        "429 with nonsense as Retry-After",
        "throttle",
        {"retry_after": "soon"},
        throttled=True,
        http_status=429,
        code="APIGW.0308",
        in_the_middle=1,
        pause=2,
    ),
    Fault(
        "flow control",
        "flow_control",
        throttled=True,
        services=("kafka",),
        http_status=404,
        code="DMS.10240407",
        in_the_middle=1,
        pause=2,
    ),
    Fault(
        "flow control with Retry-After",
        "flow_control",
        {"retry_after": 1},
        throttled=True,
        services=("kafka",),
        http_status=404,
        code="DMS.10240407",
        pause=1,
    ),
    Fault("reset", "reset", failure="connection"),
    Fault("close", "close", failure="connection"),
    Fault("hang", "hang", failure="connection", request_timeout=1.2),
    Fault("drip", "drip", failure="connection", request_timeout=1.2),
    Fault("truncated", "truncated", failure="connection"),
    Fault("not JSON", "not_json", http_status=200),
    Fault("login page", "login_page", http_status=200),
    Fault("empty", "empty", http_status=200),
    Fault("wrong shape", "wrong_shape", http_status=200),
    Fault("a list", "wrong_shape", {"body": [1, 2]}, http_status=200),
    Fault("unknown id", "unknown_id", failure="not_found", http_status=400, code="DBS.200543", kafka=(200, None)),
    Fault(
        "unknown id with 404",
        "unknown_id",
        {"mode": "404"},
        failure="not_found",
        http_status=400,
        code="DBS.200543",
        kafka=(404, "DMS.00404022"),
    ),
    Fault("redirect", "redirect", http_status=302, passing=False),
    Fault("forbidden", "forbidden", http_status=403, code="DBS.200010", kafka=(403, "DMS.00403002"), passing=False),
    Fault("expired token", "expired_token", failure="unauthorized", http_status=401, code="APIGW.0307", passing=False),
    Fault(
        "bad token of TaurusDB",
        "status",
        status(403, error_code="DBS.280056"),
        failure="unauthorized",
        http_status=403,
        code="DBS.280056",
        passing=False,
        services=("taurusdb", "taurusdb_restore", "dds"),
    ),
    Fault("wrong host", "wrong_host", http_status=404, code="APIGW.0101", passing=False),
    Fault(
        "bad parameter",
        "status",
        status(400, error_code="DBS.280001"),
        http_status=400,
        code="DBS.280001",
        passing=False,
    ),
]
# These keep the simulator busy for a while, so that they are tried one by one.
HUGE = [
    Fault("huge", "huge", {"chunked": True}, http_status=200, passing=False, timeout=1.5),
    Fault("huge when unpacked", "huge", {"gzip": True}, http_status=200, passing=False, timeout=1.5),
]
BY_NAME = {fault.name: fault for fault in FAULTS}
CELLS = [(fault.name, moment, service) for fault in FAULTS for moment in fault.moments for service in fault.services]


class Cell:
    """One wait for a task that meets a fault at a moment, and for another one that is finished."""

    def __init__(self, sim: Simulator, fault: Fault, moment: str, service: str) -> None:
        self._sim = sim
        self._fault = fault
        self._moment = moment
        running, self._done = WORDS[service]
        self.victim = sim.add_task(service, status=running, progress=40)
        self.other = sim.add_task(service, status=self._done)

    def run(self) -> Outcome:
        strike = {"first": {"first": 1}, "middle": {"after": 1, "first": self._fault.in_the_middle}}
        strike |= {"lost": {"after": 1}, "always": {}}
        if self._moment in strike:
            self._strike(**strike[self._moment])
        is_over = self._moment in ("first", "middle")
        grace = 20.0 if is_over or self._moment == "last" else GRACE
        # Two looks, at the beginning and at the deadline, since a third one would follow too closely.
        clock = {"timeout": self._fault.timeout, "sleep": 0.6 * self._fault.timeout} if self._moment == "last" else {}
        if self._fault.throttled and self._moment in ("lost", "always"):
            clock = {"timeout": LONG_AFTER_GRACE}
        params = options(
            self._sim,
            tasks=[item(self.victim), item(self.other)],
            request_timeout=self._fault.request_timeout,
            error_grace=grace,
            not_found_grace=grace,
            **clock,
        )
        return wait(params, self._before_look)

    def _before_look(self, look: int, last: bool) -> None:
        if self._moment == "last" and last:
            self._strike()
        looks_until_the_end = {"first": 3, "middle": 2 + self._fault.in_the_middle}
        if look == looks_until_the_end.get(self._moment):
            self._sim.change_task(self.victim["task_id"], status=self._done)

    def _strike(self, **when: int) -> None:
        self._sim.add_fault(self._fault.kind, task_id=self.victim["task_id"], **when, **self._fault.given)


class Laboratory:
    """Runs the cells of two faults in one go, many at the same time, and keeps their outcomes.

    It does so only while a test runs: between tests pytest changes the environment, which requests reads.
    """

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._outcomes: dict[tuple[str, str, str], tuple[Cell, Outcome]] = {}

    def outcome(self, fault: Fault, moment: str, service: str) -> tuple[Cell, Outcome]:
        if (fault.name, moment, service) not in self._outcomes:
            first = FAULTS.index(fault) // 2 * 2
            self._run([source for source in CELLS if BY_NAME[source[0]] in FAULTS[first : first + 2]])
        return self._outcomes[(fault.name, moment, service)]

    def _run(self, sources: list[tuple[str, str, str]]) -> None:
        cells = [Cell(self._sim, BY_NAME[name], moment, service) for name, moment, service in sources]
        with ThreadPoolExecutor(40) as threads:
            self._outcomes.update(zip(sources, zip(cells, threads.map(Cell.run, cells))))


@pytest.fixture(name="laboratory", scope="module")
def fixture_laboratory() -> Iterator[Laboratory]:
    with Simulator() as sim, pytest.MonkeyPatch.context() as patch:
        # No jitter, and the shortest pause after throttling.
        patch.setattr(random, "random", lambda: 0.0)
        yield Laboratory(sim)


def test_the_table_is_large_enough() -> None:
    assert len(set(CELLS)) == len(CELLS) >= 100
    assert {service for dummy, dummy_moment, service in CELLS} == set(SERVICES)
    assert {moment for dummy, moment, dummy_service in CELLS} == set(MOMENTS)


@pytest.mark.parametrize(("name", "moment", "service"), CELLS)
def test_fault(laboratory: Laboratory, name: str, moment: str, service: str) -> None:
    fault = BY_NAME[name]
    cell, outcome = laboratory.outcome(fault, moment, service)
    check(fault, moment, service, cell, outcome)


@pytest.mark.parametrize("service", ["dds", "kafka"])
@pytest.mark.parametrize("moment", MOMENTS[:3])
@pytest.mark.parametrize("fault", HUGE, ids=[fault.name for fault in HUGE])
def test_an_answer_without_an_end(sim: Simulator, fault: Fault, moment: str, service: str) -> None:
    cell = Cell(sim, fault, moment, service)
    check(fault, moment, service, cell, cell.run())


def check(fault: Fault, moment: str, service: str, cell: Cell, outcome: Outcome) -> None:
    check_result(cell, outcome)
    if moment == "first" and not fault.passing:
        check_the_end_at_once(fault, service, cell, outcome)
    elif moment in ("first", "middle"):
        check_survival(fault, moment, service, outcome)
    elif moment == "last":
        check_the_deadline(fault, service, cell, outcome, timeout=fault.timeout)
        assert outcome.result["polls"] == 2
    elif fault.throttled:
        check_the_deadline(fault, service, cell, outcome, timeout=LONG_AFTER_GRACE, seen=moment == "lost")
        assert "The API allows about " in outcome.result["msg"]
    elif fault.passing:
        check_the_end_of_patience(fault, moment, service, cell, outcome)
    else:
        check_the_third_rejection(fault, service, cell, outcome)


def check_result(cell: Cell, outcome: Outcome) -> None:
    """What holds for every wait: nothing is lost."""
    result = outcome.result
    assert set(result) == KEYS
    assert [entry["id"] for entry in result["tasks"]] == [cell.victim["task_id"], cell.other["task_id"]]
    for entry in result["tasks"]:
        assert set(entry) == set(Task("dds", "unknown").to_dict()) | {"error"}
        assert entry["service"] == cell.victim["service"]
    assert (result["tasks"][1]["state"], result["tasks"][1]["error"]) == ("succeeded", None)
    assert outcome.seconds - SLACK < result["elapsed"] <= outcome.seconds + 0.1
    assert result["polls"] >= 1
    assert outcome.warnings == []
    assert json.loads(json.dumps(result)) == result
    for secret in (accounts.TOKEN, accounts.TOKEN[:30]):
        assert secret not in json.dumps(result)


def check_error(fault: Fault, service: str, error: t.Mapping[str, t.Any], kind: str) -> None:
    """A failure, or the last error of a task."""
    assert error["kind"] == kind
    assert (error["http_status"], error["code"]) == fault.expected(service)
    assert (error["request_id"] is None) == (error["http_status"] is None)
    assert error["message"]


def check_survival(fault: Fault, moment: str, service: str, outcome: Outcome) -> None:
    times = fault.in_the_middle if moment == "middle" else 1
    victim = outcome.result["tasks"][0]
    assert (outcome.kind, victim["state"], outcome.result["pending"]) == (None, "succeeded", [])
    check_error(fault, service, victim["error"], fault.failure)
    assert outcome.result["msg"].startswith("2 of 2 tasks finished; waited ")
    # Under a request limit each task is polled when it may be.
    assert outcome.result["polls"] >= times + 2 if fault.throttled else outcome.result["polls"] == times + 2
    waited = SLEEP + times * fault.pause
    assert waited - 0.05 <= outcome.seconds <= waited + times * fault.request_timeout_of_silence + SLACK


def check_lasting(fault: Fault, service: str, cell: Cell, outcome: Outcome, seen: bool) -> None:
    """What holds for every wait that failed: the last known state, the way to go on, the error."""
    result = outcome.result
    running = (WORDS[service][0], "running") if seen else (None, "unknown")
    assert (result["tasks"][0]["status"], result["tasks"][0]["state"]) == running
    check_error(fault, service, result["tasks"][0]["error"], fault.failure)
    assert refs_of({"tasks": result["pending"]}) == [TaskRef(**item(cell.victim))]
    assert (result["failure"]["http_status"], result["failure"]["code"]) == fault.expected(service)
    assert result["failure"]["request_id"] == result["tasks"][0]["error"]["request_id"]
    assert cell.victim["task_id"] in result["msg"]
    if not fault.throttled:
        for part in (result["failure"]["request_id"], fault.expected(service)[1]):
            assert not part or part in result["msg"]
        if result["failure"]["http_status"]:
            assert f"HTTP {result['failure']['http_status']}" in result["msg"]
    assert "1 of 2 tasks finished" in result["msg"]
    assert result["msg"].endswith('The cloud task was not canceled; resume with `tasks: "{{ result.pending }}"`.')


def check_the_deadline(
    fault: Fault, service: str, cell: Cell, outcome: Outcome, *, timeout: float, seen: bool = True
) -> None:
    check_lasting(fault, service, cell, outcome, seen=seen)
    assert outcome.kind == "timeout"
    assert timeout <= outcome.seconds <= timeout + fault.request_timeout_of_silence + SLACK


def check_the_end_of_patience(fault: Fault, moment: str, service: str, cell: Cell, outcome: Outcome) -> None:
    check_lasting(fault, service, cell, outcome, seen=moment == "lost")
    check_error(fault, service, outcome.result["failure"], fault.failure)
    patience = max(GRACE, fault.pause)
    waited = patience + (SLEEP if moment == "lost" else 0)
    assert waited - 0.05 <= outcome.seconds
    assert outcome.seconds <= waited + fault.pause + 3 * fault.request_timeout_of_silence + SLACK
    assert outcome.result["polls"] >= (3 if moment == "lost" else 2)
    if fault.failure == "not_found":
        story = ", then disappeared from the API" if moment == "lost" else "(never seen)"
        assert story in outcome.result["msg"]


def check_the_end_at_once(fault: Fault, service: str, cell: Cell, outcome: Outcome) -> None:
    check_lasting(fault, service, cell, outcome, seen=False)
    check_error(fault, service, outcome.result["failure"], fault.failure)
    assert outcome.result["polls"] == 1
    assert outcome.seconds <= SLACK


def check_the_third_rejection(fault: Fault, service: str, cell: Cell, outcome: Outcome) -> None:
    """What was good once is refused by mistake at times."""
    check_lasting(fault, service, cell, outcome, seen=True)
    check_error(fault, service, outcome.result["failure"], fault.failure)
    assert outcome.result["polls"] == 4
    assert 3 * SLEEP <= outcome.seconds <= 3 * SLEEP + SLACK


# More than one thing at a time


def test_every_service_in_trouble_of_its_own(sim: Simulator) -> None:
    kinds = {"taurusdb": "reset", "taurusdb_restore": "not_json", "dds": "status", "kafka": "close"}
    tasks = [sim.add_task(service, duration=1) for service in SERVICES]
    for service, kind in kinds.items():
        sim.add_fault(kind, service=service, after=1, first=2)
    outcome = wait(options(sim, tasks=[item(task) for task in tasks]))
    assert outcome.kind is None
    assert [entry["state"] for entry in outcome.result["tasks"]] == ["succeeded"] * 4
    assert [entry["error"]["kind"] for entry in outcome.result["tasks"]] == [
        "connection",
        "api_error",
        "api_error",
        "connection",
    ]


def test_one_task_in_trouble_does_not_hide_what_becomes_of_the_others(sim: Simulator) -> None:
    good, lost, failed = (sim.add_task("dds", duration=0.5, outcome=each) for each in ("succeeded", "stuck", "failed"))
    sim.add_fault("status", task_id=lost["task_id"], status=503)
    tasks = [item(task) for task in (lost, good, failed)]
    outcome = wait(options(sim, tasks=tasks, fail_fast=False, error_grace=1.5))
    assert outcome.kind == "api_error"
    assert [entry["state"] for entry in outcome.result["tasks"]] == ["unknown", "succeeded", "failed"]
    assert [each["task_id"] for each in outcome.result["pending"]] == [lost["task_id"]]


def test_trouble_after_trouble_is_survived_as_long_as_good_answers_come(sim: Simulator) -> None:
    task = sim.add_task("dds", status="Running")
    for number, kind in enumerate(("reset", "status", "not_json", "close", "empty", "truncated")):
        sim.add_fault(kind, task_id=task["task_id"], after=2 * number + 1, first=1)

    def finish(look: int, last: bool) -> None:
        if look == 14:
            sim.change_task(task["task_id"], status="Completed")

    # Together the trouble lasts longer than it may without a good answer.
    outcome = wait(options(sim, tasks=[item(task)], sleep=0.1, max_sleep=0.1, error_grace=0.55), finish)
    assert (outcome.kind, outcome.result["polls"]) == (None, 14)


@pytest.mark.parametrize("service", SERVICES)
def test_a_new_id_that_becomes_visible_late(sim: Simulator, service: str) -> None:
    task = sim.add_task(service, duration=0.1, visible_after=0.6)
    outcome = wait(options(sim, tasks=[item(task)]))
    assert outcome.kind is None
    assert outcome.result["tasks"][0]["error"]["kind"] == "not_found"
    assert 0.4 <= outcome.seconds <= 0.6 + SLACK


def test_an_id_that_becomes_visible_after_the_grace(sim: Simulator) -> None:
    task = sim.add_task("kafka", visible_after=60)
    outcome = wait(options(sim, tasks=[item(task)], not_found_grace=GRACE))
    assert outcome.kind == "not_found"
    assert GRACE <= outcome.seconds <= GRACE + SLACK


# Words that no table lists


@pytest.mark.parametrize("service", SERVICES)
def test_an_unlisted_word_is_waited_on_and_warned_of_once_even_if_it_passes(sim: Simulator, service: str) -> None:
    task = sim.add_task(service, status=WORDS[service][0])
    statuses = {2: "Paused", 4: WORDS[service][0], 5: WORDS[service][1]}

    def move(look: int, last: bool) -> None:
        if look in statuses:
            sim.change_task(task["task_id"], status=statuses[look])

    outcome = wait(options(sim, tasks=[item(task)], sleep=0.1, max_sleep=0.1), move)
    assert (outcome.kind, outcome.result["polls"]) == (None, 5)
    assert [warning for warning in outcome.warnings if "'Paused'" in warning] == outcome.warnings
    assert len(outcome.warnings) == 1


def test_an_unlisted_word_of_a_step_which_decides_the_state_is_warned_of(sim: Simulator) -> None:
    step = {"name": "INIT", "status": "Paused", "progress": 19}
    task = sim.add_task("taurusdb_restore", status="Running", sub_tasks=[step])
    named = {"service": "taurusdb_restore", "instance_id": task["instance_id"]}
    outcome = wait(options(sim, tasks=[named], timeout=0))
    assert outcome.kind == "timeout"
    assert (outcome.result["tasks"][0]["status"], outcome.result["tasks"][0]["state"]) == (None, "unknown")
    assert [warning for warning in outcome.warnings if "'Paused'" in warning]


# Credentials


def logins(sim: Simulator) -> int:
    return sum(request["service"] == "iam" for request in sim.requests())


@pytest.mark.parametrize("service", SERVICES)
def test_an_expired_token_of_a_password_login_is_replaced_once_and_the_wait_goes_on(
    sim: Simulator, service: str
) -> None:
    tasks = [sim.add_task(service, status=WORDS[service][0]) for dummy in range(3)]

    def move(look: int, last: bool) -> None:
        if look == 2:
            sim.change_accounts(expire_token="issued")
        if look == 3:
            for task in tasks:
                sim.change_task(task["task_id"], status=WORDS[service][1])

    outcome = wait(by_password(sim, tasks=[item(task) for task in tasks]), move)
    assert (outcome.kind, outcome.result["polls"], logins(sim)) == (None, 3, 2)
    assert [entry["error"] for entry in outcome.result["tasks"]] == [None] * 3


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_refuses_every_token_of_a_password_login(sim: Simulator, service: str) -> None:
    task = sim.add_task(service)
    sim.add_fault("expired_token", service=service)
    outcome = wait(by_password(sim, tasks=[item(task)]))
    assert (outcome.kind, outcome.result["polls"], logins(sim)) == ("unauthorized", 1, 2)
    assert outcome.result["failure"]["http_status"] == 401
    assert outcome.seconds <= SLACK


def test_a_wrong_password_is_sent_once_however_many_tasks_wait(sim: Simulator) -> None:
    tasks = [item(sim.add_task("dds")) for dummy in range(10)]
    outcome = wait({**by_password(sim, tasks=tasks), "password": "wrong"})
    assert (outcome.kind, outcome.result["polls"], logins(sim)) == ("unauthorized", 1, 1)


# Check mode

CHECKS = [fault for fault in FAULTS if fault.request_timeout >= 10]


@pytest.mark.parametrize("fault", CHECKS, ids=[fault.name for fault in CHECKS])
def test_check_mode_looks_once_whatever_happens(sim: Simulator, fault: Fault) -> None:
    service = "dds" if "dds" in fault.services else fault.services[0]
    task = sim.add_task(service, status=WORDS[service][0])
    sim.add_fault(fault.kind, task_id=task["task_id"], **fault.given)
    outcome = wait(options(sim, tasks=[item(task)], delay=60, sleep=60), check_mode=True)
    assert outcome.kind == (None if fault.passing else fault.failure)
    assert outcome.result["polls"] == len(sim.requests(task_id=task["task_id"])) == 1
    check_error(fault, service, outcome.result["tasks"][0]["error"], fault.failure)
    assert outcome.result["msg"].startswith("Check mode: polled once. ")
    assert outcome.seconds <= SLACK


# The network before the first byte


def test_nobody_listens(sim: Simulator, closed_port: str) -> None:
    task = sim.add_task("dds")
    outcome = wait(options(sim, endpoint=closed_port, tasks=[item(task)], error_grace=GRACE))
    assert (outcome.kind, outcome.result["failure"]["http_status"]) == ("connection", None)
    assert GRACE <= outcome.seconds <= GRACE + SLACK


@pytest.fixture(name="name_server")
def fixture_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A name server that does not answer until the event is set."""
    event = threading.Event()

    def look_up(*arguments: t.Any, **more: t.Any) -> t.NoReturn:
        event.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield event
    event.set()


@pytest.mark.parametrize("count", [1, 49, 120])
def test_a_name_server_that_hangs_does_not_stretch_the_wait(
    sim: Simulator, name_server: threading.Event, count: int
) -> None:
    tasks = [{"service": "dds", "task_id": f"job-{number}"} for number in range(count)]
    outcome = wait(options(sim, tasks=tasks, timeout=1.5, request_timeout=0.5, error_grace=60))
    assert outcome.kind == "timeout"
    # The time is over before the first tasks are answered, so that no others are asked for.
    asked = [entry for entry in outcome.result["tasks"] if entry["error"]]
    assert {entry["error"]["kind"] for entry in asked} == {"connection"}
    assert 0 < len(asked) <= min(count, FIRST_CHUNK)
    assert 1.5 <= outcome.seconds <= 1.5 + 0.5 + SLACK


def test_a_name_that_is_not_known_is_trouble_of_the_network(sim: Simulator, name_server: threading.Event) -> None:
    name_server.set()
    outcome = wait(options(sim, service="dds", task_id="job-1", error_grace=GRACE))
    assert outcome.kind == "connection"
    assert GRACE <= outcome.seconds <= GRACE + SLACK
    assert outcome.result["task"] == outcome.result["tasks"][0]


# The module as a process of its own

# The folder in which the collection is importable.
IMPORTABLE = str(Path(wait_for_task.__file__).parents[5])
MODULE = wait_for_task.__name__


class Process:
    """The module, run as Ansible runs it on a host, in a process group of its own.

    ansible-core takes the arguments from the standard input where nobody embedded them: as such from 2.16 on, and with
    its profile ``legacy``, which is plain JSON, from 2.19 on.
    """

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        given = {name: value for name, value in params.items() if value is not None}
        path = os.pathsep.join([IMPORTABLE, *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": given}))
        self._process.stdin.close()
        self._process.stdin = None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end; the return code and both outputs."""
        stdout, stderr = self._process.communicate(timeout=60)
        return self._process.returncode, stdout, stderr

    @property
    def has_orphans(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture(name="start")
def fixture_start() -> Iterator[t.Callable[[t.Mapping[str, t.Any]], Process]]:
    processes: list[Process] = []

    def start(params: t.Mapping[str, t.Any]) -> Process:
        processes.append(Process(params))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


def wait_for_requests(sim: Simulator, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(sim.requests()) < count:
        assert time.monotonic() < deadline, "the module asks nothing"
        time.sleep(0.02)


Start = t.Callable[[t.Mapping[str, t.Any]], Process]


def test_a_process_succeeds(sim: Simulator, start: Start) -> None:
    task = sim.add_task("dds", status="Completed")
    code, stdout, stderr = start(options(sim, tasks=[item(task)])).end()
    result = json.loads(stdout)
    assert (code, stderr, result["tasks"][0]["state"], result["failure"]) == (0, "", "succeeded", None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("moment", "count"), [("between looks", 1), ("a hanging answer", 1), ("many of them", 40)])
def test_a_signal_ends_the_process_within_a_second(
    sim: Simulator, start: Start, number: signal.Signals, moment: str, count: int
) -> None:
    tasks = [item(sim.add_task("dds", status="Running")) for dummy in range(count)]
    if moment != "between looks":
        sim.add_fault("hang")
    process = start(options(sim, tasks=tasks, timeout=60, sleep=30, max_sleep=30, request_timeout=30))
    wait_for_requests(sim, min(count, 16))
    time.sleep(0.2)
    begun = time.monotonic()
    process.send(number)
    code, stdout, stderr = process.end()
    assert time.monotonic() - begun < 1
    assert (code, stdout, stderr) == (128 + number, "", "")
    assert not process.has_orphans
    action = len(sim.requests())
    time.sleep(0.3)
    assert len(sim.requests()) == action


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_server_that_hangs_does_not_stretch_a_wait_for_many_tasks(sim: Simulator, start: Start, kind: str) -> None:
    timeout, request_timeout = 2.0, 0.5
    tasks = [item(sim.add_task(SERVICES[number % 4], status="Running")) for number in range(40)]
    sim.add_fault(kind)
    process = start(options(sim, tasks=tasks, timeout=timeout, request_timeout=request_timeout))
    wait_for_requests(sim, 1)
    begun = time.monotonic()
    code, stdout, stderr = process.end()
    result = json.loads(stdout)
    assert (code, stderr, result["failed"]) == (1, "", True)
    assert timeout <= result["elapsed"] <= timeout + request_timeout + 1.5
    assert time.monotonic() - begun <= timeout + request_timeout + SLACK
    assert result["failure"]["kind"] == "timeout"
    assert [entry["id"] for entry in result["tasks"]] == [task["task_id"] for task in tasks]
    assert {entry["error"]["kind"] for entry in result["tasks"]} == {"connection"}
    assert [each["task_id"] for each in result["pending"]] == [task["task_id"] for task in tasks]
    assert "0 of 40 tasks finished" in result["msg"] and "and 30 more" in result["msg"]
