# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd responses, idle connections and the course of tasks about which somebody changes his mind."""

from __future__ import annotations

import gzip
import json
import time
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
import requests

from . import Simulator, accounts
from .client import TOKEN, ask, course, error_code, get, login, task_url
from .fault_responses import packed

MIB = 1024 * 1024


def nested(levels: int) -> Any:
    """Lists in lists."""
    value: Any = "Completed"
    for dummy in range(levels):
        value = [value]
    return value


# Connections


@pytest.fixture(name="session")
def fixture_session(sim: Simulator) -> Any:
    """A session with one idle connection to the simulator."""
    with requests.Session() as session:
        session.headers.update(TOKEN)
        yield session


@pytest.mark.parametrize("reset", [False, True])
def test_the_server_closes_an_idle_connection(sim: Simulator, reset: bool) -> None:
    url = task_url(sim, sim.add_task("dds"))
    sim.add_fault("idle_close", first=1, reset=reset)
    with closing(HTTPConnection("127.0.0.1", sim.port, timeout=5)) as connection:
        connection.request("GET", url.removeprefix(sim.url), headers=TOKEN)
        response = connection.getresponse()
        assert response.status == 200 and not response.will_close and json.loads(response.read())["job"]
        if reset:
            with pytest.raises(ConnectionResetError):
                connection.sock.recv(1)
        else:
            assert connection.sock.recv(1) == b""


def test_an_idle_connection_stays_open_for_its_time(sim: Simulator, session: requests.Session) -> None:
    url = task_url(sim, sim.add_task("dds"))
    sim.add_fault("idle_close", seconds=60)
    assert [session.get(url, timeout=5).status_code for dummy in range(2)] == [200, 200]
    assert len({record["connection"] for record in sim.requests()}) == 1


@pytest.mark.parametrize(("kind", "word"), [("reset", "ConnectionResetError"), ("close", "RemoteDisconnected")])
def test_a_connection_which_is_used_again_is_gone(
    sim: Simulator, session: requests.Session, kind: str, word: str
) -> None:
    url = task_url(sim, sim.add_task("dds"))
    sim.add_fault(kind, reused=True)
    assert session.get(url, timeout=5).status_code == 200
    with pytest.raises(requests.ConnectionError, match=word):
        session.get(url, timeout=5)
    assert session.get(url, timeout=5).status_code == 200
    assert [record["status"] for record in sim.requests()] == [200, None, 200]


def test_the_look_up_and_the_query_share_a_connection_which_dies_in_between(
    sim: Simulator, session: requests.Session
) -> None:
    task = sim.add_task("dds", id="one")
    sim.add_fault("reset", service="dds", reused=True)
    assert session.get(f"{sim.endpoint('iam')}/v3/projects", timeout=5).status_code == 200
    with pytest.raises(requests.ConnectionError):
        session.get(task_url(sim, task), timeout=5)
    assert ask(sim, task).status_code == 200


# Bodies


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_is_small_on_the_wire(sim: Simulator, layers: int) -> None:
    sim.add_fault("huge", size=64 * MIB, gzip=layers)
    with requests.get(task_url(sim, sim.add_task("dds")), headers=TOKEN, timeout=5, stream=True) as response:
        body = response.raw.read(decode_content=False)
    assert response.headers["Content-Encoding"] == ", ".join(["gzip"] * layers)
    assert len(body) < 100_000 / (1 if layers == 1 else 10)
    for dummy in range(layers):
        body = gzip.decompress(body)
    assert len(json.loads(body)["padding"]) == 64 * MIB


def test_a_bomb_of_gigabytes_is_made_at_once() -> None:
    begin = time.monotonic()
    assert len(gzip.compress(packed(4096 * MIB))) < 100_000
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize(
    "value",
    [
        {"__ansible_type": "odd"},
        {"__ansible_unsafe": "x"},
        {"__ansible_vault": "x"},
        nested(400),
        10**400,
        "\x1b[2J\x1b]0;title\x07",
        "\x9b2J",
        "a\r\nfatal: [web1]: FAILED!\u2028b",
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_task_says_is_sent_as_it_is(sim: Simulator, value: Any) -> None:
    job = {"id": "one", "status": value, "name": value, "fail_reason": value}
    url = f"{sim.url}/_control/tasks"
    task = requests.post(url, json={"service": "dds", "raw": {"job": job}}, timeout=5).json()
    assert ask(sim, task).json() == {"job": job}
    assert ask(sim, sim.add_task("dds", details=job)).json()["job"]["fail_reason"] == value


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "a\r\nok: [web1]"])
def test_whatever_an_error_says_is_sent_as_it_is(sim: Simulator, text: str) -> None:
    sim.add_fault("status", status=400, error_code=text, error_msg=text)
    assert ask(sim, sim.add_task("kafka")).json() == {"error_code": text, "error_msg": text}


@pytest.mark.parametrize("levels", [10_000, 100_000])
def test_nesting_deeper_than_a_parser_goes(sim: Simulator, levels: int) -> None:
    body = '{"job":' + "[" * levels + "]" * levels + "}"
    sim.add_fault("status", status=200, body=body)
    assert ask(sim, sim.add_task("dds")).text == body


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_a_lone_surrogate_in_every_encoding(sim: Simulator, charset: str) -> None:
    task = sim.add_task("dds", status="Completed", details={"name": "half \ud83d"})
    sim.add_fault("recoded", charset=charset)
    body = ask(sim, task).content
    assert json.loads(body.decode(charset, "surrogatepass"))["job"]["name"] == "half \ud83d"
    with pytest.raises(UnicodeDecodeError):
        body.decode(charset)


def test_an_escaped_lone_surrogate(sim: Simulator) -> None:
    sim.add_fault("status", status=200, body='{"job": {"name": "\\ud83d"}}')
    assert ask(sim, sim.add_task("dds")).json()["job"]["name"] == "\ud83d"


def test_the_list_of_projects_can_lead_elsewhere(sim: Simulator) -> None:
    strange = "../../evil?x="
    sim.change_accounts(projects=[{"id": strange, "name": accounts.REGION}])
    projects = get(f"{sim.endpoint('iam')}/v3/projects?name={accounts.REGION}").json()["projects"]
    assert [project["id"] for project in projects] == [strange]
    assert login(sim, {"name": accounts.REGION}).json()["token"]["project"]["id"] == strange


# Faults in the middle of a wait


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"status": 401, "error_code": "APIGW.0301", "shape": "apigw"}, "APIGW.0301"),
        ({"status": 403, "error_code": "DBS.200010"}, "DBS.200010"),
        ({"status": 400, "error_code": "DBS.280001"}, "DBS.280001"),
    ],
)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_bad_minute_of_the_gateway(sim: Simulator, given: dict[str, Any], code: str, times: int) -> None:
    task = sim.add_task("dds", duration=60)
    sim.add_fault("status", after=2, first=times, **given)
    responses = [ask(sim, task) for dummy in range(3 + times)]
    assert [response.status_code for response in responses] == [200, 200, *[given["status"]] * times, 200]
    assert error_code(responses[2]) == code


# A human decides


@pytest.mark.parametrize(("service", "last"), [("taurusdb", "Completed"), ("taurusdb_restore", "complete")])
def test_a_task_is_approved_and_then_completes(sim: Simulator, service: str, last: str) -> None:
    task = sim.add_task(
        service,
        steps=[
            {"at": 0, "status": "Unauthorized"},
            {"at": 0.2, "status": "Running", "progress": 10},
            {"at": 0.4, "status": last},
        ],
    )

    def status() -> str:
        body = ask(sim, task).json()
        return str(body.get("job", body)["status"])

    assert course(status, lambda word: bool(word == last)) == ["Unauthorized", "Running", last]


@pytest.mark.parametrize("then", ["Canceled", "Failed"])
def test_a_task_is_approved_by_a_control_call_or_refused(sim: Simulator, then: str) -> None:
    task = sim.add_task("taurusdb", outcome="needs_action", duration=0)
    assert ask(sim, task).json()["job"]["status"] == "Unauthorized"
    sim.change_task(task["task_id"], status=then)
    assert ask(sim, task).json()["job"]["status"] == then
    sim.change_task(task["task_id"], duration=0)
    assert ask(sim, task).json()["job"]["status"] == "Completed"
