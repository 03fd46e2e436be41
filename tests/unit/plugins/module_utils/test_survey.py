# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits whose tasks are seen in a list: few requests, and never another result than by id."""

from __future__ import annotations

import math
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._pacing import MAX_RETRY_AFTER
from ansible_collections.huaweicloud.tasks.plugins.module_utils._survey import PATIENCE_SECONDS, TRUST_SECONDS
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.limited_api import EPOCH, FixedWindow
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.listed_api import (
    TOLD,
    ListedCloud,
    cloud,
    spread,
)


def requests_by_id(sky: ListedCloud) -> int:
    return len(sky.by_id.requests)


def test_many_tasks_cost_few_requests() -> None:
    sky = cloud(spread(250, 600))
    assert sky.wait(timeout=900, sleep=5, max_sleep=5).failure is None
    # By id alone it takes 250 requests every 5 s for those that still run.
    assert requests_by_id(sky) < 625
    assert sky.pages < 130 * 7
    assert sky.lags()[237] < 12


def test_many_tasks_within_the_limit_of_each_api() -> None:
    """200 requests in 5 minutes: by id alone a fair round takes 12 minutes. The benchmark has 1,000 tasks."""
    sky = cloud(spread(500, 1800), limit=FixedWindow(200, 300), list_limit=FixedWindow(200, 300))
    assert sky.wait(timeout=3600, sleep=5, max_sleep=30).failure is None
    assert sky.lags()[475] < 60


def test_a_list_that_lags_makes_no_wait_wrong() -> None:
    sky = cloud(spread(200, 300), lag=20)
    assert sky.wait(timeout=900, sleep=5).failure is None
    assert sky.lags()[-1] < 20 + 30 + 5


def refused(code: int) -> ApiError:
    return ApiError("you may not", http_status=code, code="DBS.200010")


@pytest.mark.parametrize(
    ("refusal", "most_pages"),
    [
        (lambda count: refused(403), 1),
        (lambda count: {"no": "list"}, 1),
        (lambda count: ApiError("lost", kind="connection"), 3),
        (lambda count: {"jobs": [{"job_id": f"other-{count}-{n}", "status": "Running"} for n in range(50)]}, 151),
        (lambda count: {"jobs": []}, 1),
    ],
    ids=["refused", "odd", "network", "others", "empty"],
)
def test_a_list_that_is_of_no_use_is_left(refusal: t.Callable[[int], t.Any], most_pages: int) -> None:
    sky = cloud(spread(200, 120), refusal=refusal)
    assert sky.wait(timeout=300, sleep=5).failure is None
    assert sky.pages <= most_pages
    assert sky.lags()[-1] < 60


def test_a_list_whose_trouble_passes_is_read_on() -> None:
    sky = cloud(spread(200, 300), refusal=lambda count: ApiError("lost", kind="connection") if count == 3 else None)
    assert sky.wait(timeout=600, sleep=5).failure is None
    assert sky.pages > 20
    assert requests_by_id(sky) < 1000


def throttled_from(first: int) -> t.Callable[[int], t.Any]:
    return lambda count: ApiError(TOLD, http_status=429, code="APIGW.0308") if count >= first else None


@pytest.mark.parametrize(("first", "longest_lag"), [(1, 100), (3, TRUST_SECONDS + 35)])
def test_a_list_that_is_always_throttled_hides_no_end(first: int, longest_lag: float) -> None:
    sky = cloud(spread(200, 120), refusal=throttled_from(first))
    assert sky.wait(timeout=3600, sleep=5).failure is None
    assert sky.lags()[-1] < longest_lag


def test_a_list_that_is_throttled_is_read_first_after_a_delay() -> None:
    """The patience with it begins with the first poll."""
    sky = cloud(spread(200, 300))
    assert sky.wait(timeout=900, delay=100, sleep=5).failure is None
    assert requests_by_id(sky) < 400


def test_a_list_that_asks_for_a_long_pause_hides_no_end() -> None:
    late = ApiError("busy", http_status=503, error_class=ErrorClass.TRANSIENT, retry_after=86400.0)
    sky = cloud(spread(200, 900), refusal=lambda count: late if count == 3 else None)
    assert sky.wait(timeout=3600, sleep=5).failure is None
    assert sky.pages > 20
    assert sky.lags()[-1] < MAX_RETRY_AFTER + 35


@pytest.mark.parametrize("first", [1, 3])
@pytest.mark.parametrize("stall_timeout", [30, 100])
def test_a_throttled_list_makes_no_wait_stall(first: int, stall_timeout: float) -> None:
    sky = cloud(spread(200, 300), refusal=throttled_from(first))
    assert sky.wait(timeout=3600, sleep=5, stall_timeout=stall_timeout).failure is None


@pytest.mark.parametrize("first", [1, 3, 10_000])
def test_tasks_that_stall_in_a_list(first: int) -> None:
    """... have been polled by id, or seen in the list, when the wait says so."""
    sky = cloud([math.inf] * 200, refusal=throttled_from(first))
    end = sky.wait(timeout=3600, sleep=5, stall_timeout=100)
    assert end.failure
    assert end.failure.kind == "stalled"
    assert end.elapsed < PATIENCE_SECONDS + 100 + 35
    assert all(watch.polled_at - EPOCH > 100 for watch in end.watches)


def test_few_tasks_are_asked_by_id_alone() -> None:
    sky = cloud(spread(49, 60))
    sky.wait(timeout=100, sleep=5)
    assert sky.pages == 0


@pytest.mark.parametrize("policy", [{"timeout": 0}, {"timeout": 60, "poll_once": True}])
def test_one_poll_is_by_id(policy: dict[str, t.Any]) -> None:
    sky = cloud(spread(100, 60))
    sky.wait(**policy)
    assert (sky.pages, requests_by_id(sky)) == (0, 100)


def test_the_last_poll_is_by_id() -> None:
    sky = cloud([math.inf] * 100)
    end = sky.wait(timeout=60, sleep=5)
    assert end.failure
    assert end.failure.kind == "timeout"
    assert len({ref for ref, granted in sky.by_id.granted.items() if granted[-1] >= 60 - 1}) == 100


def test_a_list_that_hangs_until_the_deadline_keeps_no_task_from_its_last_poll() -> None:
    sky = cloud([0.0] * 100)

    def hang(count: int) -> ApiError:
        sky.by_id.now += 40
        return ApiError("lost", kind="connection", error_class=ErrorClass.TRANSIENT)

    sky.refusal = hang
    assert sky.wait(timeout=30, sleep=5).failure is None
    assert sky.pages == 1


def test_how_a_task_ended_is_asked_by_id() -> None:
    sky = cloud(spread(100, 60))
    end = sky.wait(timeout=300, sleep=5)
    assert all(watch.task and watch.task.status == "Ended" for watch in end.watches)  # as this API by id says it
    assert all(sky.by_id.granted[ref] for ref in sky.ends)


@given(
    ends=st.lists(st.one_of(st.floats(0, 200), st.just(math.inf)), min_size=50, max_size=80),
    lag=st.floats(0, 30),
    left_out=st.sets(st.integers(0, 79), max_size=10),
    troubled=st.sets(st.integers(1, 30), max_size=5),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_lists_change_no_result(ends: list[float], lag: float, left_out: set[int], troubled: set[int]) -> None:
    def refusal(count: int) -> t.Any:
        return ApiError("lost", kind="connection", error_class=ErrorClass.TRANSIENT) if count in troubled else None

    results = []
    for lists in (True, False):
        sky = cloud(ends, lag=lag, refusal=refusal)
        sky.left_out = frozenset(ref for number, ref in enumerate(sky.ends) if number in left_out)
        end = sky.wait(lists=lists, timeout=300, sleep=5)
        results.append((end.failure.kind if end.failure else None, [watch.finished for watch in end.watches]))
    assert results[0] == results[1]
