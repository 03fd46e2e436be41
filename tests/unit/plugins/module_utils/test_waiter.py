# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The waiter against a scripted cloud: what it polls, what it reports, and how it follows another process."""

from __future__ import annotations

import dataclasses
import typing as t
from unittest.mock import Mock

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter, WaitView, new_waiter
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    DONE,
    FAILED,
    NEEDS_ACTION,
    STEADY,
    Cloud,
    cloud,
    failure_kind,
    http_error,
    ref,
    running,
    server_error,
    statuses,
    throttled,
    unknown_id,
    unlisted,
)

# One task


def test_a_finished_task_is_polled_from_once_and_needs_no_pause() -> None:
    sky = cloud([DONE])
    end = sky.run()
    assert (end.over, end.failure, end.polls, end.elapsed, sky.sleeps) == (True, None, 1, 0, [])


def test_nothing_to_wait_for_is_success_without_a_poll() -> None:
    sky = cloud()
    end = sky.run()
    assert (end.over, end.failure, end.polls, sky.batches, sky.sleeps) == (True, None, 0, [], [])


# Many tasks


def test_all_tasks_are_polled_at_once_and_finished_ones_not_again() -> None:
    sky = cloud([running(1), DONE], [DONE], [running(1), running(2), running(3), DONE])
    assert sky.run().failure is None
    assert sky.polled_ids == ["abc", "ac", "c", "c"]


def test_a_task_given_twice_is_polled_once_and_returned_twice() -> None:
    sky = cloud([running(1), DONE], [DONE])
    end = sky.run([ref("b"), ref("a"), ref("b"), ref("a")])
    assert sky.polled_ids == ["ba", "a"]
    assert [watch.ref.task_id for watch in end.watches] == ["b", "a", "b", "a"]
    assert end.failure is None


def test_tasks_that_differ_only_in_their_place_are_different() -> None:
    here, there = ref("a", region="ap-southeast-1"), ref("a", region="ap-southeast-3")
    sky = Cloud({here: [DONE], there: [running(1), DONE]})
    sky.run()
    assert sky.batches == [[here, there], [there]]


def test_many_tasks_share_one_clock() -> None:
    sky = cloud(*[[running(1)]] * 10)
    end = sky.run(timeout=30, **STEADY)
    assert (end.elapsed, end.polls, sky.sleeps) == (30, 7, [5] * 6)


# Nothing to wait for


def test_nothing_can_succeed_where_one_of_no_tasks_must() -> None:
    with pytest.raises(InputError, match="^tasks is empty: with require=any"):
        cloud().run(require="any")


# Check mode


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (DONE, None),
        (running(1), None),
        (unlisted(), None),
        (unknown_id(), None),
        (server_error(), None),
        (throttled(60), None),
        (FAILED, "task_failed"),
        (NEEDS_ACTION, "needs_action"),
        (http_error(401), "unauthorized"),
    ],
)
def test_check_mode_polls_once_and_never_waits(answer: Task | ApiError, kind: str | None) -> None:
    sky = cloud([answer])
    end = sky.run(poll_once=True, delay=10, stall_timeout=0)
    assert (failure_kind(end), end.over, end.polls, sky.sleeps) == (kind, True, 1, [])


# What others see of it


def test_every_poll_is_reported_once_and_the_last_one_as_the_end() -> None:
    sky = cloud([running(1), running(2), DONE], durations=[1])
    seen: list[tuple[t.Any, ...]] = []

    def note(view: WaitView) -> None:
        watched = view.watches[0].task
        seen.append((view.polls, view.elapsed, view.over, watched.progress if watched else None))

    sky.wait(Policy(), on_update=note).run()
    assert seen == [(1, 1, False, 1), (2, 6, False, 2), (3, 11, True, None)]


def test_the_report_of_the_last_poll_carries_the_failure() -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=10)
    assert sky.updates[-1] is end
    assert [failure_kind(update) for update in sky.updates] == [None, None, "timeout"]


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_interrupted_wait_still_knows_all_last_states(exception: type[BaseException]) -> None:
    sky = cloud([running(30)], [server_error()], [DONE], [unknown_id()])

    def interrupt(seconds: float) -> None:
        sky.sleep(seconds)
        if len(sky.sleeps) == 3:
            raise exception

    wait = sky.wait(Policy(), sleep=interrupt)
    with pytest.raises(exception):
        wait.run()
    left = wait.view()
    assert statuses(left) == ["Running", None, "Completed", None]
    assert [watch.error.http_status if watch.error else None for watch in left.watches] == [None, 503, None, 400]
    assert (left.polls, left.elapsed, left.over, left.failure) == (3, 23.75, False, None)


def test_a_wait_that_has_not_begun_has_a_view() -> None:
    start = cloud([DONE], [DONE]).wait(Policy()).view()
    assert (statuses(start), start.polls, start.elapsed, start.over) == ([None, None], 0, 0, False)


# a wait that another process does


def test_a_wait_may_have_begun_before_the_waiter() -> None:
    now = 110.0
    policy = Policy(timeout=25, sleep=10, max_sleep=10)

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    waiter = Waiter(
        [TaskRef("dds", "a")],
        policy,
        probe=lambda refs: [Task("dds", State.RUNNING, status="Running")],
        clock=lambda: now,
        sleep=sleep,
        random=lambda: 0.0,
        started=100.0,
    )
    view = waiter.run()
    assert view.elapsed == 25
    assert view.polls == 2


def test_a_waiter_follows_the_polls_of_another_process() -> None:
    first, second = TaskRef("dds", "a"), TaskRef("dds", "b")
    options: dict[str, t.Any] = {**dataclasses.asdict(Policy()), "error_grace": 30.0}
    waiter = new_waiter(options, [first, second, first], probe=Mock(), clock=lambda: 150.0, started=100.0)
    assert waiter.refs == [first, second]
    gone = ApiError("gone", http_status=502)
    waiter.record({second: gone}, 110.0, {})
    waiter.record({first: Task("dds", State.SUCCEEDED), second: gone}, 150.0, {second: 15.0})
    assert waiter.view().watches[2].final_error is None
    waiter.record({second: gone}, 155.0, {})
    view = waiter.view()
    assert (view.polls, view.elapsed) == (3, 50.0)
    assert [watch.succeeded for watch in view.watches] == [True, False, True]
    assert view.watches[1].final_error is not None


@pytest.mark.parametrize("options", [{"delay": 1e10}, {"sleep": 1e11}, {"sleep": 1e300, "max_sleep": 1e308}])
def test_a_pause_may_have_any_length(monkeypatch: pytest.MonkeyPatch, options: dict[str, float]) -> None:
    """The system's own sleep refuses to last for centuries."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise TimeoutError

    monkeypatch.setattr("time.sleep", sleep)
    given = {**dataclasses.asdict(Policy()), "timeout": 1e300, **options}
    running_task = Mock(return_value=[Task("dds", State.RUNNING)])
    with pytest.raises(TimeoutError):
        new_waiter(given, [TaskRef("dds", "a")], probe=running_task).run()
    assert slept == [86400.0] * 3
