# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits against everything that goes wrong on the way to the cloud: every fault, at every moment, for every service.

All of it goes over real sockets. Each cell of the table is one wait for two tasks, of which only the first one meets
the fault. Many cells run at the same time, and nothing but their pauses depends on a clock.
"""

from __future__ import annotations

import dataclasses
import json
import random
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import GRACE, SERVICES, SLACK, SLEEP, WORDS, Outcome, item, options, wait

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from simulator import Simulator, accounts

KEYS = {"changed", "tasks", "task", "pending", "elapsed", "polls", "msg", "failure"}
LONG_AFTER_GRACE = 3.0


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
    # Of the cells in which the last poll meets the fault.
    timeout: float = 3.0

    def expected(self, service: str) -> tuple[int | None, str | None]:
        return self.kafka if self.kafka and service == "kafka" else (self.http_status, self.code)

    @property
    def request_timeout_of_silence(self) -> float:
        """How long one poll takes that the fault leaves without an answer."""
        return self.request_timeout if self.kind in ("hang", "drip") else 0.0

    @property
    def moments(self) -> tuple[str, ...]:
        return MOMENTS if self.passing else MOMENTS[:4]


# At the first poll only; at polls in the middle; at the last poll, which is at the deadline;
# for ever after one good poll; for ever from the first poll on.
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
    Fault("hang", "hang", failure="connection", request_timeout=2.0),
    Fault("drip", "drip", failure="connection", request_timeout=2.0),
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
    Fault("huge", "huge", {"chunked": True}, http_status=200, passing=False),
    Fault("huge when unpacked", "huge", {"gzip": True}, http_status=200, passing=False),
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
        # Two polls, at the beginning and at the deadline, since a third one would follow too closely.
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
        return wait(params, self._before_poll)

    def _before_poll(self, poll: int, last: bool) -> None:
        if self._moment == "last" and last:
            self._strike()
        polls_until_the_end = {"first": 3, "middle": 2 + self._fault.in_the_middle}
        if poll == polls_until_the_end.get(self._moment):
            self._sim.change_task(self.victim["task_id"], status=self._done)

    def _strike(self, **when: int) -> None:
        self._sim.add_fault(self._fault.kind, task_id=self.victim["task_id"], **when, **self._fault.given)


# With more at a time they would wait for each other.
CELLS_AT_A_TIME = 24
# So many times the cells are run, a part of them each time; it mixes the services.
PARTS = 5


class Laboratory:
    """Runs a part of the cells in one go, many at the same time, and keeps their outcomes.

    It does so only while a test runs: between tests pytest changes the environment, which requests reads.
    """

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._outcomes: dict[tuple[str, str, str], tuple[Cell, Outcome]] = {}

    def outcome(self, cell: tuple[str, str, str]) -> tuple[Cell, Outcome]:
        if cell not in self._outcomes:
            self._run(CELLS[CELLS.index(cell) % PARTS :: PARTS])
        return self._outcomes[cell]

    def _run(self, sources: list[tuple[str, str, str]]) -> None:
        cells = [Cell(self._sim, BY_NAME[name], moment, service) for name, moment, service in sources]
        with ThreadPoolExecutor(CELLS_AT_A_TIME) as threads:
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
    cell, outcome = laboratory.outcome((name, moment, service))
    check(BY_NAME[name], moment, service, cell, outcome)


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
        expected = ", then disappeared from the API" if moment == "lost" else "(never seen)"
        assert expected in outcome.result["msg"]


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


# Check mode

CHECKS = [fault for fault in FAULTS if fault.request_timeout >= 10]


@pytest.mark.parametrize("fault", CHECKS, ids=[fault.name for fault in CHECKS])
def test_check_mode_polls_once_whatever_happens(sim: Simulator, fault: Fault) -> None:
    service = "dds" if "dds" in fault.services else fault.services[0]
    task = sim.add_task(service, status=WORDS[service][0])
    sim.add_fault(fault.kind, task_id=task["task_id"], **fault.given)
    outcome = wait(options(sim, tasks=[item(task)], delay=60, sleep=60), check_mode=True)
    assert outcome.kind == (None if fault.passing else fault.failure)
    assert outcome.result["polls"] == len(sim.requests(task_id=task["task_id"])) == 1
    check_error(fault, service, outcome.result["tasks"][0]["error"], fault.failure)
    assert outcome.result["msg"].startswith("Check mode: polled once. ")
    assert outcome.seconds <= SLACK
