# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits under request limits of every kind: alone and side by side, for one task and for a thousand."""

from __future__ import annotations

import random
import typing as t

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.tasks.plugins.module_utils._pacing import FIRST_CHUNK, Pacer, told_rate
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import WaitView
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.limited_api import (
    KINDS,
    FixedWindow,
    Limit,
    LimitedCloud,
    figures,
    lag,
    measure,
    run_side_by_side,
    tasks,
)

STEADY: dict[str, t.Any] = {"sleep": 5, "max_sleep": 5}


def no_limit(now: float) -> bool:
    return True


# The corners of the table in docs/request-limits.md, which has more cells and holds each against the goals.


# One wait


@pytest.mark.parametrize(
    ("requests", "window", "count"),
    [
        *[(10, 60, count) for count in (1, 100)],
        *[(200, 300, count) for count in (1, 1000)],
        *[(10, 1, count) for count in (1, 100)],
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_lives_within_a_limit(kind: str, requests: int, window: float, count: int) -> None:
    found = measure(kind, requests, window, count, rounds=1 if count == 1000 else 10)
    assert {end.failure.kind for end in found.views if end.failure} == {"timeout"}
    assert found.granted >= 0.75
    assert found.used >= 0.75
    assert found.lag_p95 <= 1.5


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_that_end_are_seen_to_end(kind: str) -> None:
    [refs] = tasks(50)
    ends = {ref: 40.0 * number for number, ref in enumerate(refs)}
    cloud = LimitedCloud(KINDS[kind](200, 300), ends=ends)
    [end] = run_side_by_side(cloud, [refs], Policy())
    assert end.failure is None
    # The first windows go by before the limit is learned.
    lags = sorted(cloud.granted[ref][-1] - ends[ref] for ref in refs if ends[ref] > 600)
    assert lags[round(0.95 * len(lags)) - 1] <= 1.5 * 50 / (200 / 300)


def test_a_wait_without_a_limit_is_as_quick_with_a_thousand_tasks() -> None:
    [refs] = tasks(1000)
    cloud = LimitedCloud(no_limit)
    run_side_by_side(cloud, [refs], Policy(timeout=120, **STEADY))
    gaps = [later - earlier for ref in refs for earlier, later in zip(cloud.granted[ref], cloud.granted[ref][1:])]
    assert lag(gaps, 0.95) <= 6
    assert max(cloud.granted[ref][0] for ref in refs) <= 3


def test_the_first_chunk_of_many_tasks_is_small() -> None:
    [refs] = tasks(1000)
    cloud = LimitedCloud(no_limit)
    run_side_by_side(cloud, [refs], Policy(timeout=10, **STEADY))
    first = min(at for at, dummy in cloud.requests)
    assert sum(at == first for at, dummy in cloud.requests) == FIRST_CHUNK


@pytest.mark.parametrize("kind", KINDS)
def test_few_requests_are_refused_until_a_limit_is_learned(kind: str) -> None:
    cloud = LimitedCloud(KINDS[kind](200, 300))
    run_side_by_side(cloud, tasks(1000), Policy(timeout=600, **STEADY))
    assert sum(not is_granted for dummy, is_granted in cloud.requests) <= 60


class Changing:
    """A limit that another one takes the place of."""

    def __init__(self, before: Limit, after: Limit, at: float) -> None:
        self._before, self._after, self._at = before, after, at

    def __call__(self, now: float) -> bool:
        return self._before(now) if now < self._at + 1_000_000 else self._after(now)


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_rises_is_found(kind: str) -> None:
    new = KINDS[kind]
    cloud = LimitedCloud(Changing(new(20, 60), new(200, 60), 1800))
    [refs] = tasks(20)
    run_side_by_side(cloud, [refs], Policy(timeout=7200, **STEADY))
    assert figures(cloud, refs, 3600, 200 / 60, 6).used >= 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_that_falls_is_obeyed(kind: str) -> None:
    new = KINDS[kind]
    cloud = LimitedCloud(Changing(new(200, 60), new(20, 60), 1800))
    [refs] = tasks(20)
    run_side_by_side(cloud, [refs], Policy(timeout=7200, **STEADY))
    found = figures(cloud, refs, 3600, 20 / 60, 60)
    assert found.granted >= 0.75
    assert found.lag_p95 <= 1.5


class Interrupted:
    """A limit with a bad moment now and then, in which nothing is granted."""

    def __init__(self, limit: Limit, every: float, seconds: float) -> None:
        self._limit, self._every, self._seconds = limit, every, seconds

    def __call__(self, now: float) -> bool:
        return now % self._every > self._seconds and self._limit(now)


@pytest.mark.parametrize("kind", KINDS)
def test_refusals_below_the_limit_hardly_slow_a_wait_down(kind: str) -> None:
    """What a wait sent that wanted no more says nothing of the limit."""
    cloud = LimitedCloud(Interrupted(KINDS[kind](200, 300), every=300, seconds=15))
    [refs] = tasks(12)
    run_side_by_side(cloud, [refs], Policy(timeout=7200, sleep=30, max_sleep=30))
    found = figures(cloud, refs, 3600, 12 / 30, 30)
    assert found.used >= 0.8
    assert found.lag_p95 <= 1.5


class Near(LimitedCloud):
    """The first task is nearly done, by what the API says of its time or of its progress."""

    def __init__(self, limit: Limit, near: t.Callable[[float], Task]) -> None:
        super().__init__(limit)
        self._near = near

    def probe(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        answers = super().probe(refs)
        near = self._near(self.now - 1_000_000)
        return [
            near if isinstance(answer, Task) and ref.task_id == "0-0" else answer for ref, answer in zip(refs, answers)
        ]


@pytest.mark.parametrize(
    "near",
    [
        pytest.param(lambda now: Task("dds", State.RUNNING, progress=99, remaining_seconds=1), id="remaining"),
        pytest.param(lambda now: Task("dds", State.RUNNING, progress=min(99, int(now / 4))), id="progress"),
    ],
)
def test_a_task_that_should_have_ended_is_polled_more_often_and_starves_no_other(
    near: t.Callable[[float], Task],
) -> None:
    cloud = Near(FixedWindow(20, 60), near)
    [refs] = tasks(20)
    run_side_by_side(cloud, [refs], Policy(timeout=3600, **STEADY))
    polls = [len(cloud.granted[ref]) for ref in refs]
    assert polls[0] >= 1.6 * max(polls[1:])
    assert min(polls[1:]) >= 0.9 * max(polls[1:])


# Several waits, that know nothing of each other


@pytest.mark.parametrize(
    ("requests", "window", "count", "waits"),
    [
        (10, 60, 20, 10),
        (10, 60, 1, 200),
        (200, 300, 1, 50),
        (10, 1, 1, 200),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_waits_share_a_limit(kind: str, requests: int, window: float, count: int, waits: int) -> None:
    found = measure(kind, requests, window, count, waits)
    assert len(found.views) == waits
    assert {end.failure.kind for end in found.views if end.failure} == {"timeout"}
    assert found.granted >= 0.75
    # Two hundred waits that send at random meet in a window of one second by chance.
    assert found.used >= (0.6 if window == 1 else 0.75)
    # A wait learns its share from a refusal now and then, so that shares differ.
    assert found.lag_p95 <= 3


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(list(KINDS)),
    requests=st.integers(1, 300),
    window=st.sampled_from([1.0, 10.0, 60.0, 300.0]),
    count=st.integers(1, 20),
    waits=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_throttling_fails_no_wait_and_starves_no_task(
    kind: str, requests: int, window: float, count: int, waits: int, seed: int
) -> None:
    # With fewer in a window whoever comes first takes it all, and a wait beside another may starve.
    assume(waits == 1 or requests >= 20)
    cloud = LimitedCloud(KINDS[kind](requests, window))
    refs = tasks(count, waits)
    round_seconds = count * waits / (requests / window)
    timeout = max(3600.0, 20 * round_seconds)
    policy = Policy(timeout=timeout, error_grace=0, not_found_grace=0)
    ends: list[WaitView] = run_side_by_side(cloud, refs, policy, seed=seed)
    assert [end.failure and end.failure.kind for end in ends] == ["timeout"] * waits
    assert all(end.elapsed == pytest.approx(timeout) for end in ends)
    assert all(cloud.granted[ref] for those in refs for ref in those)


# What is told


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute", 200 / 300),
        ("policy ip over ratelimit,limit:5,time:1 minute", 5 / 60),
        ("policy user over ratelimit, limit: 10, time: 1 second", 10),
        ("policy user over ratelimit,limit:0,time:1 minute", None),
        ("policy user over ratelimit,limit:10,time:0 minute", None),
        ("The daily quota is exhausted", None),
        ("", None),
    ],
)
def test_the_rate_that_an_error_names(text: str, rate: float | None) -> None:
    found = told_rate(text)
    assert found is None if rate is None else found == pytest.approx(rate)


@pytest.mark.parametrize("told", [200, 1, 100_000])
def test_what_is_told_is_a_beginning_and_no_more(told: int) -> None:
    text = f"policy user over ratelimit,limit:{told},time:5 minute"
    cloud = LimitedCloud(FixedWindow(200, 300), text=text)
    [refs] = tasks(100)
    run_side_by_side(cloud, [refs], Policy(timeout=7200, **STEADY))
    found = figures(cloud, refs, 3600, 200 / 300, 150)
    assert found.granted >= 0.75
    assert found.used >= 0.75


# The pacer by itself


def test_without_a_refusal_there_is_no_limit() -> None:
    pacer = Pacer(1.0, random.random)
    assert (pacer.limited, pacer.allowance(0), pacer.ready_at(0)) == (False, FIRST_CHUNK, 0)
    pacer.update(0, granted=FIRST_CHUNK)
    assert pacer.allowance(1) == 2 * FIRST_CHUNK


def test_a_pause_that_the_server_names_is_kept() -> None:
    pacer = Pacer(1.0, lambda: 0.0)
    pacer.hold(30)
    assert (pacer.allowance(29), pacer.ready_at(29), pacer.allowance(30)) == (0, 30, FIRST_CHUNK)


def test_pauses_double_while_requests_are_refused() -> None:
    pacer = Pacer(1.0, lambda: 0.0)
    now, pauses = 0.0, []
    for dummy in range(7):
        pacer.update(now, refused=True)
        pauses.append(pacer.ready_at(now) - now)
        now = pacer.ready_at(now)
        assert pacer.allowance(now) == 1
    assert pauses == [2, 4, 8, 16, 32, 60, 60]


def test_the_rate_is_what_was_granted_in_all_the_time() -> None:
    pacer = Pacer(20.0, lambda: 0.0)
    for second in range(10):
        pacer.update(float(second), granted=20)
    pacer.update(10.0, refused=True)
    pacer.update(300.0, granted=1)
    assert pacer.rate(300.0) == pytest.approx(200 / 300, rel=0.05)


def test_a_cycle_may_begin_at_any_moment_of_the_clock() -> None:
    """0.0 is one, too."""
    known = []
    for began in (0.0, 1000.0):
        pacer = Pacer(20.0, lambda: 0.0)
        for second in range(10):
            pacer.update(began + second, granted=20)
        pacer.update(began + 10, refused=True)
        known.append(pacer.granted_rate(began + 290))
    assert known == pytest.approx([200 / 290] * 2)
