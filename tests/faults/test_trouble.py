# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits in more than one trouble, with credentials that expire, words that no table lists, a network that is down."""

from __future__ import annotations

import socket
import threading
import typing as t
from collections.abc import Iterator

import pytest
from waiting import GRACE, SERVICES, SLACK, WORDS, by_password, item, options, wait

from ansible_collections.huaweicloud.tasks.plugins.module_utils._pacing import FIRST_CHUNK
from simulator import Simulator

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

    def finish(poll: int, last: bool) -> None:
        if poll == 14:
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

    def move(poll: int, last: bool) -> None:
        if poll in statuses:
            sim.change_task(task["task_id"], status=statuses[poll])

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

    def move(poll: int, last: bool) -> None:
        if poll == 2:
            sim.change_accounts(expire_token="issued")
        if poll == 3:
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
