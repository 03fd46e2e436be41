# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits under a request limit, over real sockets: being refused ends none before its timeout.

Windows are short, so that a limit is felt within seconds. Waits with nothing to share run at the same time.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import SLACK, Outcome, by_password, item, options, wait

from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import new_task_client
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef
from simulator import Simulator, accounts
from simulator.client import get, login

COUNT = 100
TIMEOUT = 20.0
# A window with less requests tells too little of the rate.
REQUESTS, WINDOW = 80, 4.0
KINDS = ("fixed", "sliding", "bucket")
TOLD = re.compile(r"The API allows about (\d+) requests a minute; (\d+) tasks are polled every (\d+) s\.")
# Refusals with HTTP 429, and with Kafka's 404.
WAYS = {
    "429": ("taurusdb_restore", {}),
    "429 with Retry-After": ("taurusdb_restore", {"retry_after": True}),
    "flow control": ("kafka", {"flow_control": True}),
}
CELLS = [(kind, way) for kind in KINDS for way in WAYS]


@dataclasses.dataclass(frozen=True)
class Limited:
    """How a wait ended under a limit, and the log of its requests."""

    outcome: Outcome
    requests: list[dict[str, t.Any]]


def limited(cell: tuple[str, str]) -> Limited:
    """Wait for tasks of which the last half ends when half of the time is over."""
    kind, way = cell
    service, refusal = WAYS[way]
    with Simulator() as sim:
        tasks = [sim.add_task(service, outcome="stuck") for dummy in range(COUNT // 2)]
        tasks += [sim.add_task(service, duration=TIMEOUT / 2) for dummy in range(COUNT // 2)]
        sim.set_limit(requests=REQUESTS, window=WINDOW, kind=kind, **refusal)
        params = options(
            sim, tasks=[item(task) for task in tasks], sleep=0.3, max_sleep=0.3, timeout=TIMEOUT, error_grace=0.0
        )
        return Limited(wait(params, lists=False), sim.requests())


@pytest.fixture(name="limited_waits", scope="module")
def fixture_limited_waits() -> Iterator[dict[tuple[str, str], Limited]]:
    with ThreadPoolExecutor(len(CELLS)) as threads:
        yield dict(zip(CELLS, threads.map(limited, CELLS)))


@pytest.mark.parametrize(("kind", "way"), CELLS)
def test_a_wait_for_many_tasks_lives_within_a_limit(
    limited_waits: dict[tuple[str, str], Limited], kind: str, way: str
) -> None:
    found = limited_waits[(kind, way)]
    result = found.outcome.result
    assert result["failure"]["kind"] == "timeout"
    assert TIMEOUT <= found.outcome.seconds <= TIMEOUT + SLACK
    # A busy machine makes fewer polls in the same time.
    assert sum(bool(entry["status"]) for entry in result["tasks"]) >= 0.9 * COUNT
    assert {entry["state"] for entry in result["tasks"][: COUNT // 2]} <= {"pending", "running"}
    is_refused = [request["status"] in (404, 429) for request in found.requests]
    assert any(is_refused), "the limit was not felt"
    middle = found.requests[0]["at"] + TIMEOUT / 2
    second_half = [refused for request, refused in zip(found.requests, is_refused) if request["at"] >= middle]
    assert second_half.count(False) >= 0.5 * len(second_half) > 0
    ended = [entry for entry in result["tasks"][COUNT // 2 :] if entry["state"] == "succeeded"]
    # Half of the tasks that are polled in turn have ended; a busy machine makes fewer polls.
    assert len(ended) >= min(COUNT // 4, second_half.count(False) // 4) > 0


@pytest.mark.parametrize(("kind", "way"), CELLS)
def test_a_wait_that_runs_out_tells_the_limit(
    limited_waits: dict[tuple[str, str], Limited], kind: str, way: str
) -> None:
    result = limited_waits[(kind, way)].outcome.result
    told = TOLD.search(result["msg"])
    assert told, result["msg"]
    rate, count, interval = map(int, told.groups())
    # A bucket that was full at first has granted twice as much in the first seconds.
    assert rate <= 2.5 * 60 * REQUESTS / WINDOW
    assert count == len(result["pending"])
    assert interval == pytest.approx(60 * count / rate, abs=1)


# Login and look-up of the project


def use_up(sim: Simulator, api: str, window: float) -> None:
    """Send what a limit of one request in a window grants."""
    sim.set_limit(requests=1, window=window, kind="sliding", apis=[f"iam/{api}"])
    if api == "token":
        assert login(sim).status_code == 201
    else:
        assert get(f"{sim.endpoint('iam')}/v3/projects?name={accounts.REGION}").status_code == 200


@pytest.mark.parametrize("api", ["token", "projects"])
def test_a_throttled_login_or_look_up_does_not_end_a_wait(sim: Simulator, api: str) -> None:
    tasks = [item(sim.add_task("dds", status="Completed")) for dummy in range(2)]
    by_key = {"auth_token": None, "access_key": accounts.ACCESS_KEY, "secret_key": accounts.SECRET_KEY}
    params = by_password(sim) if api == "token" else options(sim, **by_key, region=accounts.REGION)
    use_up(sim, api, window=1.0)
    project_id = accounts.PROJECT_ID if api == "token" else None
    outcome = wait({**params, "tasks": tasks, "project_id": project_id, "error_grace": 0.0})
    assert outcome.kind is None, outcome.result["msg"]
    assert any(request["status"] == 429 for request in sim.requests("iam"))


def test_a_login_that_stays_throttled_ends_at_the_timeout(sim: Simulator) -> None:
    tasks = [item(sim.add_task("dds")) for dummy in range(5)]
    use_up(sim, "token", window=300.0)
    outcome = wait(by_password(sim, tasks=tasks, error_grace=0.0, timeout=4.0))
    assert outcome.kind == "timeout"
    assert 4 <= outcome.seconds <= 4 + SLACK
    assert TOLD.pattern.split("(")[0] in outcome.result["msg"]


def test_a_wrong_password_is_sent_once_under_a_limit(sim: Simulator) -> None:
    tasks = [item(sim.add_task("dds")) for dummy in range(20)]
    use_up(sim, "token", window=2.0)
    outcome = wait({**by_password(sim, tasks=tasks), "password": "wrong"})
    assert outcome.kind == "unauthorized"
    assert any(request["status"] == 429 for request in sim.requests("iam"))
    assert sim.stats()["wrong_passwords"] == 1


# Queries


def query(sim: Simulator, task: t.Mapping[str, str], request_timeout: float) -> t.Any:
    client = new_task_client(options(sim, request_timeout=request_timeout), environ={}, mask=lambda secret: None)
    return client.get_task(TaskRef(**item(task)))


@pytest.mark.parametrize("way", WAYS)
def test_a_throttled_query_asks_again_within_its_timeout(sim: Simulator, way: str) -> None:
    service, refusal = WAYS[way]
    task = sim.add_task(service)
    sim.set_limit(requests=1, window=2.0, kind="sliding", **refusal)
    assert query(sim, task, 10.0).task
    assert query(sim, task, 10.0).task
    assert [request["status"] for request in sim.requests(service)][:2] in ([200, 429], [200, 404])


@pytest.mark.parametrize("way", WAYS)
def test_a_query_that_stays_throttled_says_what_the_limit_is(sim: Simulator, way: str) -> None:
    service, refusal = WAYS[way]
    task = sim.add_task(service)
    sim.set_limit(requests=1, window=60, **refusal)
    query(sim, task, 3.0)
    begun = time.monotonic()
    with pytest.raises(ApiError) as caught:
        query(sim, task, 3.0)
    assert time.monotonic() - begun <= 3 + SLACK
    assert caught.value.error_class is ErrorClass.THROTTLED
    # Kafka's refusal names no number.
    told = "The API's request limit" if service == "kafka" else "The limit of 1 request in 1 minute"
    assert f"{told} is shared by everything that uses the account" in str(caught.value)
