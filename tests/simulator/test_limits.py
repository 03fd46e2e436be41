# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request limits and the account lock, with a scripted clock and over real sockets."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from . import Simulator
from .account_lock import AccountLock
from .client import TOKEN, ask, error_code, get, login, task_url
from .limits import Caller, LimitStore

ME = Caller("me", "127.0.0.1")
MINUTE = {"requests": 3, "window": 60}


def grants(store: LimitStore, times: list[float], api: str = "dds/jobs", caller: Caller = ME) -> list[bool]:
    """Which requests at these times are granted."""
    return [store.ask(api, caller, now) is None for now in times]


def limited(now: float = 0.0, **given: Any) -> LimitStore:
    """A store with one limit."""
    store = LimitStore()
    store.set({**MINUTE, **given}, now)
    return store


@pytest.mark.parametrize(
    ("kind", "times", "expected"),
    [
        pytest.param("fixed", [0, 58, 59, 59.9, 60, 60, 60, 60], "yyynyyyn", id="all at once around the border"),
        pytest.param("fixed", [10, 10, 10, 59, 181, 182, 183, 184], "yyynyyyn", id="a window left out"),
        pytest.param("sliding", [0, 58, 59, 59.9, 60, 60, 118, 119], "yyynynyy", id="each one leaves after a minute"),
        pytest.param("sliding", [0, 0, 0, 59, 59.9, 60, 60, 60, 60], "yyynnyyyn", id="refused ones do not count"),
        pytest.param("bucket", [0, 0, 0, 19, 20, 20, 40, 59, 60], "yyynynyny", id="one every 20 seconds"),
        pytest.param("bucket", [0, 0, 0, 500, 500, 500, 500], "yyyyyyn", id="never more than full"),
    ],
)
def test_kinds(kind: str, times: list[float], expected: str) -> None:
    assert grants(limited(kind=kind), times) == [letter == "y" for letter in expected]


@pytest.mark.parametrize("kind", ["fixed", "sliding", "bucket"])
def test_after_the_wait_a_request_is_granted_and_not_before(kind: str) -> None:
    store = limited(now=7.0, kind=kind)
    now = 11.5
    for dummy in range(20):
        refusal = store.ask("dds/jobs", ME, now)
        if refusal:
            assert store.ask("dds/jobs", ME, now + refusal.wait * 0.99)
            now += refusal.wait + 0.001
            assert store.ask("dds/jobs", ME, now) is None
    assert store.counts()["dds/jobs"]["granted"] > 6


@pytest.mark.parametrize("kind", ["fixed", "sliding", "bucket"])
def test_in_the_long_run_the_rate_is_the_limit(kind: str) -> None:
    store = limited(kind=kind)
    granted = grants(store, [second / 10 for second in range(60 * 60 * 10)])
    assert 60 * 3 <= sum(granted) <= 60 * 3 + 3
    assert store.counts() == {"dds/jobs": {"granted": sum(granted), "refused": 36000 - sum(granted)}}


def test_each_api_and_each_caller_has_a_budget() -> None:
    store = limited()
    other = Caller("you", "127.0.0.1")
    assert grants(store, [0] * 4) == [True, True, True, False]
    assert grants(store, [0], api="kafka/kafka") == grants(store, [0], caller=other) == [True]
    assert grants(store, [0], caller=Caller("me", "127.0.0.2")) == [False]


def test_a_source_is_an_address_whoever_asks() -> None:
    store = limited(scope="source")
    assert grants(store, [0] * 2) == [True, True]
    assert grants(store, [0] * 2, caller=Caller("you", "127.0.0.1")) == [True, False]
    assert grants(store, [0], caller=Caller("me", "127.0.0.2")) == [True]


def test_strangers_are_told_apart_by_their_address() -> None:
    store = limited(requests=1)
    for source in ("127.0.0.1", "127.0.0.2"):
        assert grants(store, [0, 0], caller=Caller("", source)) == [True, False]


@pytest.mark.parametrize("name", ["dds", "jobs", "dds/jobs"])
def test_a_limit_of_some_apis(name: str) -> None:
    store = limited(requests=1, apis=[name])
    assert grants(store, [0, 0]) == [True, False]
    assert grants(store, [0, 0], api="kafka/kafka") == [True, True]


def test_two_limits_hold_at_once_and_a_refused_request_uses_neither() -> None:
    store = limited(requests=2, window=10)
    store.set({"requests": 3, "window": 100, "scope": "source"}, 0)
    assert grants(store, [0, 0, 0, 10, 10, 20]) == [True, True, False, True, False, False]
    assert len(store.describe()) == 2


@pytest.mark.parametrize(("kind", "expected"), [("fixed", "yyynyyn"), ("sliding", "yyynyyn"), ("bucket", "yyynnnn")])
def test_a_limit_which_rises_takes_what_was_used_along(kind: str, expected: str) -> None:
    store = limited(kind=kind)
    before = grants(store, [1.0] * 4)
    store.set({"requests": 5, "window": 60, "kind": kind}, 1.0)
    assert [*before, *grants(store, [1.0] * 3)] == [letter == "y" for letter in expected]


@pytest.mark.parametrize(
    ("kind", "times", "expected"),
    [
        ("fixed", [59, 60, 61], "nyn"),
        ("sliding", [60, 70, 79, 80, 81], "nnnyn"),
        ("bucket", [59, 60, 118, 119], "ynny"),
    ],
)
def test_a_limit_which_falls(kind: str, times: list[float], expected: str) -> None:
    store = limited(kind=kind)
    assert all(grants(store, [0, 10, 20]))
    store.set({"requests": 1, "window": 60, "kind": kind}, 20)
    assert grants(store, times) == [letter == "y" for letter in expected]


@pytest.mark.parametrize(("kind", "wait"), [("fixed", 40), ("sliding", 60), ("bucket", 60)])
def test_how_long_to_wait_after_a_fall(kind: str, wait: float) -> None:
    store = limited(kind=kind)
    assert all(grants(store, [0, 10, 20]))
    store.set({"requests": 1, "window": 60, "kind": kind}, 20)
    store.ask("dds/jobs", ME, 20)
    refusal = store.ask("dds/jobs", ME, 20)
    assert refusal and refusal.wait == pytest.approx(wait)


def test_another_kind_begins_anew() -> None:
    store = limited()
    assert grants(store, [0] * 4) == [True, True, True, False]
    store.set({**MINUTE, "kind": "sliding"}, 0)
    assert grants(store, [0] * 4) == [True, True, True, False]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"requests": 200, "window": 300}, "policy user over ratelimit,limit:200,time:5 minute"),
        ({"requests": 5, "window": 60, "scope": "source"}, "policy ip over ratelimit,limit:5,time:1 minute"),
        ({"requests": 5, "window": 1.5}, "policy user over ratelimit,limit:5,time:1.5 second"),
    ],
)
def test_the_text_of_a_limit(given: dict[str, Any], text: str) -> None:
    assert limited().set(given, 0).text() == f"The throttling threshold has been reached: {text}"


def test_the_lock_opens_after_its_time() -> None:
    now = [100.0]
    lock = AccountLock(lambda: now[0])
    states = []
    for act in [lock.wrong] * 4 + [lock.right] + [lock.wrong] * 5:
        states.append(lock.locked)
        act()
    assert not any(states) and lock.wrong_passwords == 9
    for later, locked in ((0, True), (899, True), (1, False)):
        now[0] += later
        assert lock.locked is locked
    lock.wrong()
    assert not lock.locked


# Over real sockets


def test_a_request_over_the_limit(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.set_limit(requests=2, window=300)
    assert [ask(sim, task).status_code for dummy in range(3)] == [200, 200, 429]
    response = ask(sim, task)
    assert response.json()["error_code"] == "APIGW.0308" and "limit:2,time:5 minute" in response.json()["error_msg"]
    assert response.json()["request_id"] == response.headers["X-Request-Id"] and "Retry-After" not in response.headers
    assert sim.stats()["apis"]["dds/jobs"] == {"granted": 2, "refused": 2}
    assert [record["status"] for record in sim.requests()] == [200, 200, 429, 429]
    sim.set_limit(requests=2, window=300, retry_after=True)
    assert 290 < int(ask(sim, task).headers["Retry-After"]) <= 300
    sim.clear_limits()
    assert ask(sim, task).status_code == 200
    sim.clear_requests()
    assert sim.stats()["apis"] == {}


def test_flow_control_is_a_refusal_of_kafka_alone(sim: Simulator) -> None:
    tasks = [sim.add_task("kafka"), sim.add_task("dds")]
    sim.set_limit(requests=1, window=300, flow_control=True, retry_after=True)
    assert [ask(sim, task).status_code for task in tasks] == [200, 200]
    responses = [ask(sim, task) for task in tasks]
    assert [(response.status_code, error_code(response)) for response in responses] == [
        (404, "DMS.10240407"),
        (429, "APIGW.0308"),
    ]
    assert all("Retry-After" in response.headers for response in responses)


def test_an_address_of_its_own_has_a_budget_of_its_own(sim: Simulator) -> None:
    url = task_url(sim, sim.add_task("dds"))
    sim.set_limit(requests=1, window=300, scope="source")
    assert [get(url).status_code for dummy in range(2)] == [200, 429]
    with requests.Session() as session:
        adapter = requests.adapters.HTTPAdapter()
        adapter.init_poolmanager(1, 1, source_address=("127.0.0.2", 0))
        session.mount("http://", adapter)
        assert [session.get(url, headers=TOKEN, timeout=5).status_code for dummy in range(2)] == [200, 429]


def test_tokens_of_one_user_share_and_those_of_another_do_not(sim: Simulator) -> None:
    task = sim.add_task("dds")
    issued = {"X-Auth-Token": login(sim).headers["X-Subject-Token"]}
    sim.change_accounts(tokens=[{"token": "hers", "user": "another"}])
    sim.set_limit(requests=1, window=300)
    sent = [TOKEN, issued, {"X-Auth-Token": "hers"}, {"X-Auth-Token": "hers"}]
    assert [ask(sim, task, headers=headers).status_code for headers in sent] == [200, 429, 200, 429]


def test_a_refused_request_meets_no_fault(sim: Simulator) -> None:
    task = sim.add_task("dds")
    sim.set_limit(requests=1, window=300)
    sim.add_fault("reset", after=1)
    assert [ask(sim, task).status_code for dummy in range(3)] == [200, 429, 429]
    assert sim.faults()[0]["seen"] == 1


def test_logins_and_the_list_of_projects_have_limits(sim: Simulator) -> None:
    sim.set_limit(requests=1, window=300, apis=["iam"])
    assert [login(sim).status_code for dummy in range(2)] == [201, 429]
    projects = f"{sim.endpoint('iam')}/v3/projects"
    assert [get(projects).status_code for dummy in range(2)] == [200, 429]
    task = sim.add_task("dds")
    assert [ask(sim, task).status_code for dummy in range(2)] == [200, 200]


def test_an_account_is_locked_after_five_wrong_passwords(sim: Simulator) -> None:
    assert [login(sim, password="wrong").status_code for dummy in range(5)] == [401] * 5
    response = login(sim)
    assert response.status_code == 401 and "locked" in response.json()["error"]["message"]
    assert sim.stats()["wrong_passwords"] == 5
    sim.change_accounts(lock_seconds=0)
    assert login(sim).status_code == 201


def test_control_calls_for_limits(sim: Simulator) -> None:
    url = f"{sim.url}/_control/limits"
    given = {"requests": 9, "window": 60, "kind": "bucket", "apis": ["kafka", "token"]}
    described = requests.post(url, json=given, timeout=5).json()
    assert described == {**given, "scope": "user", "retry_after": False, "flow_control": False} == sim.limits()[0]
    requests.post(url, json={**given, "requests": 10}, timeout=5)
    assert [limit["requests"] for limit in requests.get(url, timeout=5).json()["limits"]] == [10]
    requests.delete(url, timeout=5)
    assert sim.limits() == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"requests": 0}, "needs requests"),
        ({"window": 0}, "needs requests"),
        ({"kind": "odd"}, "kind must be"),
        ({"scope": "odd"}, "scope one of user, source"),
        ({"apis": ["odd"]}, "unknown apis: odd"),
        ({"odd": 1}, "odd"),
    ],
)
def test_limits_refuse_slips(sim: Simulator, change: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        sim.set_limit(**{**MINUTE, **change})
