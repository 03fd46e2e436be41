# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The waiter against a scripted cloud: which pauses it makes to the second, what it asks, and how it ends."""

from __future__ import annotations

import dataclasses
import math
import typing as t
from unittest.mock import Mock

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass, InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Snapshot, Waiter, new_waiter
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    CANCELED,
    DONE,
    EPOCH,
    FAILED,
    NEEDS_ACTION,
    Answers,
    Cloud,
    at_times,
    cloud,
    failure_kind,
    http_error,
    lost_network,
    pending,
    ref,
    running,
    server_error,
    steps,
    task,
    throttled,
    unknown_id,
    unlisted,
)

STEADY: dict[str, t.Any] = {"sleep": 5, "max_sleep": 5}


def statuses(snapshot: Snapshot) -> list[str | None]:
    return [watch.task.status if watch.task else None for watch in snapshot.watches]


# How it ends


def test_a_finished_task_is_polled_from_once_and_needs_no_pause() -> None:
    sky = cloud([DONE])
    end = sky.run()
    assert (end.over, end.failure, end.polls, end.elapsed, sky.sleeps) == (True, None, 1, 0, [])


def test_success_on_the_last_look_is_no_timeout_and_is_not_slept_after() -> None:
    sky = cloud(at_times((0, running(1)), (20, DONE)))
    end = sky.run(timeout=20, **STEADY)
    assert (end.failure, sky.sleeps, end.elapsed) == (None, [5, 5, 5, 5], 20)


@pytest.mark.parametrize(
    ("last", "kind"),
    [(FAILED, "task_failed"), (CANCELED, "task_failed"), (NEEDS_ACTION, "needs_action")],
)
def test_a_bad_end_is_noticed_at_once(last: Task, kind: str) -> None:
    sky = cloud([running(1), last])
    end = sky.run()
    assert (failure_kind(end), sky.sleeps) == (kind, [5])


def test_the_reason_of_a_failed_task_is_kept() -> None:
    failure = cloud([FAILED]).run().failure
    assert failure and failure.message == "disk full"
    assert failure.to_dict() == {
        "kind": "task_failed",
        "code": None,
        "message": "disk full",
        "http_status": None,
        "request_id": None,
    }


def test_a_failed_task_without_a_reason_names_its_status() -> None:
    failure = cloud([CANCELED]).run().failure
    assert failure and failure.message == "the task's status is Canceled"


@pytest.mark.parametrize(
    ("service", "word", "kind"),
    [
        ("taurusdb", "Unauthorized", "needs_action"),
        ("taurusdb", "Canceled", "task_failed"),
        ("taurusdb", "FAILED", "task_failed"),
        ("taurusdb_restore", "Failed", "task_failed"),
        ("dds", "Failed", "task_failed"),
        ("dds", "complete", None),
        ("kafka", "DELETED", "task_failed"),
        ("kafka", "CANCELLED", "task_failed"),
        ("kafka", "FAILED", "task_failed"),
        ("kafka", "SUCCESS", None),
    ],
)
def test_words_that_end_the_wait_at_the_first_look(service: str, word: str, kind: str | None) -> None:
    end = cloud([task(SERVICES[service].state_of(word), word)]).run()
    assert (failure_kind(end), end.polls) == (kind, 1)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("word", ["Paused", "", "Succeeded", "Complete d", "NOT COMPLETED", "unauthorised"])
def test_an_unlisted_word_is_waited_on_and_never_success(service: str, word: str) -> None:
    end = cloud([task(SERVICES[service].state_of(word), word)]).run(timeout=60)
    assert (failure_kind(end), statuses(end), end.elapsed) == ("timeout", [word], 60)


def test_an_unlisted_word_may_be_followed_by_success() -> None:
    assert cloud([running(1), unlisted(), unlisted(), running(2), DONE]).run().failure is None


def test_a_failure_reason_progress_or_end_date_decides_nothing() -> None:
    odd = running(100, remaining=0, fail_reason="none so far", ended_at="2021-07-13T07:58:53+0000")
    sky = cloud([odd, odd, DONE])
    assert (sky.run().failure, len(sky.action)) == (None, 3)


def not_polled() -> ApiError:
    return ApiError("its turn did not come", error_class=ErrorClass.NOT_POLLED)


@pytest.mark.parametrize("trouble", [None, lost_network()], ids=["slow", "hanging"])
def test_a_slow_server_starves_no_task(trouble: ApiError | None) -> None:
    """A look may be over before all were asked: those that were not come first in the next one."""
    refs = [ref(f"task{number}") for number in range(5)]
    turns: list[str | None] = []

    def probe(action: t.Sequence[TaskRef]) -> list[Observation]:
        turns.extend(each.task_id for each in action[:2])
        seen = DONE if len(turns) > 10 else running(1)
        return [trouble or seen for dummy in action[:2]] + [not_polled()] * (len(action) - 2)

    sky = cloud()
    wait = Waiter(refs, Policy(timeout=60), probe=probe, clock=sky.clock, sleep=sky.sleep, random=lambda: 0.0)
    wait.run()
    assert turns[:6] == ["task0", "task1", "task2", "task3", "task4", "task0"]


def test_not_to_have_been_asked_is_no_trouble() -> None:
    end = cloud([not_polled()]).run(timeout=100, error_grace=0, not_found_grace=0)
    assert (failure_kind(end), end.elapsed) == ("timeout", 100)
    assert end.failure
    assert end.failure.http_status is None
    assert cloud([not_polled(), DONE]).run(error_grace=0).failure is None


def test_nothing_to_wait_for_is_success_without_a_look() -> None:
    sky = cloud()
    end = sky.run()
    assert (end.over, end.failure, end.polls, sky.action, sky.sleeps) == (True, None, 0, [], [])


# How long it pauses


def test_pauses_grow_by_half_up_to_the_longest() -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=300)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 25.3125, 30, 30, 30, 30, 30, 30, 30, 24.0625]
    assert (failure_kind(end), end.elapsed, end.polls) == ("timeout", 300, 14)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pending(), running()),
        (running(1), running(2)),
        (running(99), running(1)),
        (running(), running(0)),
        (running(sub_tasks=steps(10, 0)), running(sub_tasks=steps(10, 1))),
        (running(sub_tasks=steps(100)), running(sub_tasks=steps(100, 0))),
        (running(1), unlisted()),
    ],
)
def test_pauses_begin_again_after_a_change(before: Task, after: Task) -> None:
    sky = cloud([before, before, before, after, after, DONE])
    sky.run()
    assert sky.sleeps == [5, 7.5, 11.25, 5, 7.5]


@pytest.mark.parametrize(
    "same",
    [
        running(1, remaining=400),
        running(1, ended_at="2021-07-13T07:58:53+0000"),
        running(1, fail_reason="a rumour"),
        running(1, details={"params": "{}"}),
    ],
)
def test_other_news_is_no_change(same: Task) -> None:
    sky = cloud([running(1), running(1), same, running(1), DONE])
    sky.run()
    assert sky.sleeps == [5, 7.5, 11.25, 16.875]


def test_a_change_of_one_task_is_enough() -> None:
    sky = cloud([running(1)], [running(1), running(1), running(2), running(2), DONE])
    sky.run(require="any")
    assert sky.sleeps == [5, 7.5, 5, 7.5]


def test_the_same_state_after_trouble_is_no_change() -> None:
    sky = cloud([running(1), server_error(), running(1), DONE])
    sky.run()
    assert sky.sleeps == [5, 7.5, 11.25]


def test_the_estimated_end_pulls_the_next_look_nearer() -> None:
    sky = cloud([running(1, 99), running(1, 92), running(1, 84), running(1, 12), running(1, 2), running(1, 0), DONE])
    sky.run()
    assert sky.sleeps == [5, 7.5, 11.25, 12, 5, 5]


def test_the_nearest_estimated_end_counts() -> None:
    sky = cloud([running(1, 3000)], [running(1, 9)], [running(1)])
    sky.run(timeout=60)
    assert sky.sleeps == [5, 7.5, 9, 9, 9, 9, 11.5]


def test_the_estimate_of_a_finished_task_does_not_count() -> None:
    sky = cloud([running(1)], [task(State.SUCCEEDED, "Completed", remaining_seconds=6)])
    sky.run(timeout=60)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 19.375]


def test_an_estimate_from_before_the_trouble_does_not_hasten_looks_at_a_troubled_server() -> None:
    sky = cloud([running(1, 3), server_error()])
    sky.run(timeout=60)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 19.375]


def test_jitter_makes_pauses_up_to_a_tenth_longer() -> None:
    sky = cloud([running(1)], random=1.0)
    sky.run(timeout=200)
    assert sky.sleeps == pytest.approx([5.5, 8.25, 12.375, 18.5625, 27.84375, 33, 33, 33, 28.46875])
    assert sum(sky.sleeps) == pytest.approx(200)


@pytest.mark.parametrize("policy", [{"sleep": 10, "max_sleep": 10}, {"sleep": 10, "max_sleep": 2}])
def test_the_shortest_pause_is_jittered_too(policy: dict[str, t.Any]) -> None:
    sky = cloud([running(1, remaining=3)], random=1.0)
    sky.run(timeout=50, **policy)
    assert sky.sleeps == pytest.approx([11, 11, 11, 17])


def test_jitter_never_moves_the_last_look() -> None:
    sky = cloud([running(1)], random=1.0)
    end = sky.run(timeout=5.2)
    assert sky.sleeps == pytest.approx([5.2])
    assert end.elapsed == pytest.approx(5.2)


def test_the_longest_pause_is_never_below_the_shortest() -> None:
    sky = cloud([running(1)])
    sky.run(timeout=40, sleep=10, max_sleep=2)
    assert sky.sleeps == [10, 10, 10, 10]


# The deadline


@pytest.mark.parametrize(
    ("timeout", "sleeps"),
    [
        (0, []),
        (3, [3]),
        (5, [5]),
        (9, [9]),
        (10, [5, 5]),
        (12, [5, 7]),
        (17, [5, 12]),
        (17.5, [5, 7.5, 5]),
        (20, [5, 7.5, 7.5]),
    ],
)
def test_the_last_look_is_at_the_deadline_and_not_hard_on_the_heels_of_another(
    timeout: float, sleeps: list[float]
) -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=timeout)
    assert sky.sleeps == sleeps
    assert (failure_kind(end), end.elapsed, sky.polled_from[-1]) == ("timeout", timeout, timeout)


def test_the_time_that_looks_take_counts() -> None:
    sky = cloud([running(1)], durations=[2])
    end = sky.run(timeout=20)
    assert (sky.polled_from, sky.sleeps) == ([0, 5, 12.5, 20], [3, 5.5, 5.5])
    assert (end.elapsed, end.polls) == (22, 4)


def test_pauses_count_from_the_beginning_of_a_look() -> None:
    """Many tasks make a look long; how late an end is seen must not depend on their number."""
    sky = cloud([running(each) for each in range(4)], durations=[0, 1, 2.5, 0])
    sky.run(timeout=20)
    assert sky.polled_from == [0, 5, 10, 15, 20]


@pytest.mark.parametrize("duration", [2.5, 3, 5, 10, 100])
def test_a_slow_server_is_left_alone_for_half_the_pause_at_least(duration: float) -> None:
    sky = cloud([running(each) for each in range(4)], durations=[duration])
    sky.run(timeout=1000)
    assert sky.sleeps[:2] == [2.5, 2.5]


def test_what_the_server_demands_counts_from_the_end_of_a_look() -> None:
    sky = cloud([throttled(9), DONE], durations=[4])
    sky.run()
    assert sky.polled_from == [0, 13]


@pytest.mark.parametrize("duration", [20, 20.5, 3000])
def test_a_look_that_takes_until_the_deadline_is_the_last(duration: float) -> None:
    sky = cloud([running(1)], durations=[duration])
    end = sky.run(timeout=20)
    assert (failure_kind(end), sky.sleeps, end.polls, end.elapsed) == ("timeout", [], 1, duration)


def test_a_look_that_ends_after_the_deadline_may_still_bring_success() -> None:
    assert cloud([DONE], durations=[25]).run(timeout=20).failure is None


@pytest.mark.parametrize(("answer", "kind"), [(running(1), "timeout"), (DONE, None), (FAILED, "task_failed")])
def test_timeout_zero_looks_once_and_not_for_ever(answer: Task, kind: str | None) -> None:
    sky = cloud([answer])
    end = sky.run(timeout=0, delay=10)
    assert (failure_kind(end), sky.sleeps, end.polls) == (kind, [], 1)


def test_the_delay_comes_first_and_counts() -> None:
    sky = cloud([running(1)])
    sky.run(timeout=40, delay=30)
    assert (sky.sleeps, sky.polled_from) == ([30, 5, 5], [30, 35, 40])


@pytest.mark.parametrize("delay", [20, 20.1, 5000])
def test_a_delay_longer_than_the_timeout_is_cut_to_it(delay: float) -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=20, delay=delay)
    assert (failure_kind(end), sky.sleeps, end.polls) == ("timeout", [20], 1)


def test_the_failure_of_a_wait_that_ran_out_says_how_long_it_was() -> None:
    failure = cloud([running(1)]).run(timeout=20).failure
    assert failure and failure.message == "the wait ran out after 20 s"


def test_the_failure_of_a_wait_that_ran_out_carries_the_trouble_of_the_moment() -> None:
    failure = cloud([running(1)], [running(1), server_error()]).run(timeout=20).failure
    assert failure and failure.kind == "timeout"
    assert (failure.code, failure.http_status, failure.request_id) == ("APIGW.0613", 503, "req-1")


def test_the_failure_of_a_wait_that_ran_out_carries_no_trouble_of_the_past() -> None:
    failure = cloud([server_error(), running(1)]).run(timeout=20).failure
    assert failure and (failure.code, failure.http_status, failure.request_id) == (None, None, None)


def test_a_clock_that_jumps_while_asleep_ends_the_wait_with_one_last_look() -> None:
    """As when a laptop is suspended."""
    sky = cloud([running(1)])

    def sleep(seconds: float) -> None:
        sky.sleep(seconds)
        sky.now += 86400

    end = sky.wait(Policy(timeout=100), sleep=sleep).run()
    assert (failure_kind(end), end.polls, sky.sleeps) == ("timeout", 2, [5])


# Many tasks


def test_all_tasks_are_asked_for_at_once_and_finished_ones_not_again() -> None:
    sky = cloud([running(1), DONE], [DONE], [running(1), running(2), running(3), DONE])
    assert sky.run().failure is None
    assert sky.asked_ids == ["abc", "ac", "c", "c"]


def test_a_task_given_twice_is_asked_for_once_and_returned_twice() -> None:
    sky = cloud([running(1), DONE], [DONE])
    end = sky.run([ref("b"), ref("a"), ref("b"), ref("a")])
    assert sky.asked_ids == ["ba", "a"]
    assert [watch.ref.task_id for watch in end.watches] == ["b", "a", "b", "a"]
    assert end.failure is None


def test_tasks_that_differ_only_in_their_place_are_different() -> None:
    here, there = ref("a", region="ap-southeast-1"), ref("a", region="ap-southeast-3")
    sky = Cloud({here: [DONE], there: [running(1), DONE]})
    sky.run()
    assert sky.action == [[here, there], [there]]


def test_many_tasks_share_one_clock() -> None:
    sky = cloud(*[[running(1)]] * 10)
    end = sky.run(timeout=30, **STEADY)
    assert (end.elapsed, end.polls, sky.sleeps) == (30, 7, [5] * 6)


OK: list[t.Any] = [running(1), DONE]
NEVER = [running(1)]
# How each of two tasks goes (the first one ends at the 2nd look, the second one at the 3rd): kind and number of looks.
TRUTH = [
    # require, fail_fast, first, second, kind, looks; kind "bad" stands for that of the failed task
    ("all", True, "ok", "ok", None, 3),
    ("all", True, "ok", "bad", "bad", 3),
    ("all", True, "ok", "never", "timeout", 5),
    ("all", True, "bad", "ok", "bad", 2),
    ("all", True, "bad", "bad", "bad", 2),
    ("all", True, "bad", "never", "bad", 2),
    ("all", True, "never", "ok", "timeout", 5),
    ("all", True, "never", "bad", "bad", 3),
    ("all", True, "never", "never", "timeout", 5),
    ("all", False, "ok", "ok", None, 3),
    ("all", False, "ok", "bad", "bad", 3),
    ("all", False, "ok", "never", "timeout", 5),
    ("all", False, "bad", "ok", "bad", 3),
    ("all", False, "bad", "bad", "bad", 3),
    # It ends with the time, but for another reason.
    ("all", False, "bad", "never", "bad", 5),
    ("all", False, "never", "ok", "timeout", 5),
    ("all", False, "never", "bad", "bad", 5),
    ("all", False, "never", "never", "timeout", 5),
    *[
        ("any", fail_fast, *row)
        for fail_fast in (True, False)
        for row in (
            ("ok", "ok", None, 2),
            ("ok", "bad", None, 2),
            ("ok", "never", None, 2),
            ("bad", "ok", None, 3),
            ("bad", "bad", "bad", 3),
            ("bad", "never", "timeout", 5),
            ("never", "ok", None, 3),
            ("never", "bad", "timeout", 5),
            ("never", "never", "timeout", 5),
        )
    ],
]


@pytest.mark.parametrize(
    ("bad", "bad_kind"),
    [
        pytest.param(FAILED, "task_failed", id="failed"),
        pytest.param(CANCELED, "task_failed", id="canceled"),
        pytest.param(NEEDS_ACTION, "needs_action", id="needs_action"),
    ],
)
@pytest.mark.parametrize(("require", "fail_fast", "first", "second", "kind", "polls"), TRUTH)
def test_what_is_required(
    require: str,
    fail_fast: bool,
    first: str,
    second: str,
    kind: str | None,
    polls: int,
    bad: Task | ApiError,
    bad_kind: str,
) -> None:
    endings: dict[str, Task | ApiError] = {"ok": DONE, "bad": bad, "never": running(1)}
    sky = cloud([running(1), endings[first]], [running(1), running(1), endings[second]])
    end = sky.run(require=require, fail_fast=fail_fast, timeout=20, **STEADY)
    if bad is NEEDS_ACTION and "never" in (first, second) and kind == "bad" and not fail_fast:
        # Somebody may still approve it.
        bad_kind = "timeout"
    assert failure_kind(end) == (bad_kind if kind == "bad" else kind)
    assert (len(sky.action), end.polls) == (polls, polls)


def test_the_failure_names_the_task_that_failed() -> None:
    end = cloud([running(1)], [FAILED], [running(1)]).run()
    assert end.failure and end.failure.watch is end.watches[1]


def test_a_hopeless_task_is_not_polled_again_while_others_are_waited_for() -> None:
    sky = cloud([http_error(403)], [FAILED], [running(1), running(1), DONE])
    end = sky.run(fail_fast=False)
    assert (failure_kind(end), sky.asked_ids) == ("api_error", ["abc", "c", "c"])


# Tasks that somebody must approve


@pytest.mark.parametrize(
    ("policy", "kind", "polls"),
    [
        ({"require": "all", "fail_fast": True}, "needs_action", 1),
        ({"require": "all", "fail_fast": False}, None, 4),
        ({"require": "any", "fail_fast": True}, None, 3),
        ({"require": "any", "fail_fast": False}, None, 3),
    ],
)
def test_an_approved_task_goes_on(policy: dict[str, t.Any], kind: str | None, polls: int) -> None:
    approved = [NEEDS_ACTION, NEEDS_ACTION, DONE]
    end = cloud(approved, [running(1), running(1), running(1), DONE]).run(**policy)
    assert (failure_kind(end), end.polls) == (kind, polls)


@pytest.mark.parametrize("policy", [{"fail_fast": False}, {"require": "any"}])
@pytest.mark.parametrize("other", [[running(1), FAILED], [running(1), NEEDS_ACTION]])
def test_a_wait_in_which_only_approvals_are_left_ends(policy: dict[str, t.Any], other: list[Task]) -> None:
    end = cloud(other, [NEEDS_ACTION]).run(**policy)
    fails_anyway = other[-1] is FAILED and "require" not in policy
    assert (failure_kind(end), end.polls) == ("task_failed" if fails_anyway else "needs_action", 2)


def test_an_approval_that_did_not_come_is_no_reason_of_a_timeout() -> None:
    end = cloud([NEEDS_ACTION], [running(1)]).run(fail_fast=False, timeout=20)
    assert (failure_kind(end), end.elapsed) == ("timeout", 20)


# Nothing to wait for


def test_nothing_can_succeed_where_one_of_no_tasks_must() -> None:
    with pytest.raises(InputError, match="^tasks is empty: with require=any"):
        cloud().run(require="any")


# Trouble


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(lost_network(), id="network"),
        pytest.param(http_error(500, "DBS.108000"), id="500"),
        pytest.param(http_error(502), id="502"),
        pytest.param(http_error(503), id="503"),
        pytest.param(http_error(504), id="504"),
        pytest.param(http_error(408), id="408"),
    ],
)
@pytest.mark.parametrize("seen_before", [False, True])
def test_trouble_is_survived_for_a_time_and_then_named(error: ApiError, seen_before: bool) -> None:
    answers: list[t.Any] = [running(1)] if seen_before else []
    sky = cloud([*answers, error])
    end = sky.run(error_grace=20, **STEADY)
    assert end.elapsed == (25 if seen_before else 20)
    assert end.failure and end.failure.kind == error.kind
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert end.failure.request_id == error.request_id
    assert statuses(end) == (["Running"] if seen_before else [None])


@pytest.mark.parametrize("sleep", [0.5, 1, 4, 10])
def test_patience_is_in_seconds_and_not_in_looks(sleep: float) -> None:
    end = cloud([server_error()]).run(error_grace=20, sleep=sleep, max_sleep=sleep)
    assert (failure_kind(end), end.elapsed, end.polls) == ("api_error", 20, 20 / sleep + 1)


def test_patience_counts_from_the_end_of_the_look_that_met_the_trouble() -> None:
    end = cloud([lost_network()], durations=[30]).run(error_grace=60, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("connection", 95)


def test_a_look_is_made_when_patience_ends() -> None:
    sky = cloud([server_error()])
    sky.run(error_grace=20)
    assert sky.sleeps == [5, 7.5, 7.5]


def test_the_end_of_patience_never_makes_looks_closer_than_the_shortest_pause() -> None:
    sky = cloud([server_error()])
    sky.run(error_grace=6)
    assert sky.sleeps == [5, 5]


def test_a_good_answer_ends_the_trouble() -> None:
    trouble = at_times((0, server_error()), (15, running(1)), (20, server_error()), (35, DONE))
    assert cloud(trouble).run(error_grace=20, **STEADY).failure is None


def test_without_a_good_answer_the_same_trouble_is_not_survived() -> None:
    trouble = at_times((0, server_error()), (15, lost_network()), (20, server_error()), (35, DONE))
    end = cloud(trouble).run(error_grace=20, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 20)


def test_patience_is_counted_for_each_task() -> None:
    first = at_times((0, server_error()), (15, running(1)), (40, DONE))
    second = at_times((0, running(1)), (15, server_error()), (30, DONE))
    assert cloud(first, second).run(error_grace=20, **STEADY).failure is None


def test_one_task_in_trouble_for_too_long_is_enough() -> None:
    end = cloud([running(1)], [server_error()]).run(error_grace=20, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 20)
    assert end.failure and end.failure.watch is end.watches[1]


def test_the_deadline_comes_before_patience_ends() -> None:
    end = cloud([server_error()]).run(timeout=20, error_grace=300)
    assert end.failure and (end.failure.kind, end.failure.http_status, end.elapsed) == ("timeout", 503, 20)


def test_no_patience_with_trouble() -> None:
    end = cloud([running(1), server_error()]).run(error_grace=0)
    assert (failure_kind(end), end.polls, statuses(end)) == ("api_error", 2, ["Running"])


def test_pauses_grow_during_trouble() -> None:
    sky = cloud([server_error()])
    sky.run(timeout=100)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 25.3125, 34.0625]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(http_error(401, "APIGW.0301"), "unauthorized", id="bad token"),
        pytest.param(http_error(401, "APIGW.0307"), "unauthorized", id="expired token"),
        pytest.param(http_error(401, "DMS.10240102"), "unauthorized", id="expired token of Kafka"),
        pytest.param(http_error(403, "DBS.280056"), "unauthorized", id="bad token of TaurusDB"),
        pytest.param(http_error(403, "DBS.200010"), "api_error", id="forbidden"),
        pytest.param(http_error(404, "APIGW.0101"), "api_error", id="wrong host"),
        pytest.param(http_error(400, "DBS.280001"), "api_error", id="bad parameter"),
        pytest.param(http_error(400, "DMS.00400070"), "api_error", id="bad id of Kafka"),
        pytest.param(http_error(409, "DBS.200019"), "api_error", id="conflict"),
        pytest.param(http_error(302), "api_error", id="redirect"),
    ],
)
@pytest.mark.parametrize("seen_before", [False, True])
def test_errors_that_end_the_wait(error: ApiError, kind: str, seen_before: bool) -> None:
    """At once at the first poll; after a good response, which a gateway's bad minute may follow, at the third time."""
    answers: list[t.Any] = [running(7)] if seen_before else []
    end = cloud([*answers, error]).run(error_grace=300, not_found_grace=300)
    assert end.failure and end.failure.kind == kind
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert end.failure.request_id == "req-1"
    assert end.polls == (4 if seen_before else 1)
    assert end.watches[0].error is error
    assert statuses(end) == (["Running"] if seen_before else [None])


@pytest.mark.parametrize("error", [http_error(401), http_error(403), http_error(400, "DBS.280001")])
@pytest.mark.parametrize("between", [running(1), unknown_id()])
def test_a_bad_minute_of_a_gateway_is_survived(error: ApiError, between: Task | ApiError) -> None:
    end = cloud([running(1), error, error, between, error, error, DONE]).run()
    assert end.failure is None


def test_trouble_between_rejections_does_not_forgive_them() -> None:
    end = cloud([running(1), http_error(401), server_error(), http_error(401), lost_network(), http_error(401)]).run()
    assert (failure_kind(end), end.polls) == ("unauthorized", 6)


def test_credentials_that_were_good_for_another_task_are_not_given_up_at_once() -> None:
    late = at_times((0, server_error()), (5, http_error(401)), (10, running(1)), (15, DONE))
    assert cloud([running(1), running(1), DONE], late).run(**STEADY).failure is None


def test_a_task_that_is_forbidden_is_given_up_though_another_is_not() -> None:
    late = at_times((0, server_error()), (5, http_error(403)))
    end = cloud([running(1)], late).run(**STEADY)
    assert (failure_kind(end), end.elapsed) == ("api_error", 5)


# Ids that the API does not know


def test_an_id_that_becomes_visible_late_is_waited_for() -> None:
    end = cloud(at_times((0, unknown_id()), (59, running(1)), (80, DONE))).run()
    assert end.failure is None


@pytest.mark.parametrize("error", [http_error(400, "DBS.200543"), http_error(404, "DMS.00404022"), http_error(404)])
def test_an_id_that_stays_unknown_is_given_up(error: ApiError) -> None:
    sky = cloud([error])
    end = sky.run()
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 19.375]
    assert end.failure and (end.failure.kind, end.elapsed) == ("not_found", 60)
    assert (end.failure.code, end.failure.http_status) == (error.code, error.http_status)
    assert statuses(end) == [None]


def test_the_grace_begins_with_the_first_unknown_and_not_with_the_wait() -> None:
    blip = at_times((0, running(1)), (100, unknown_id()), (150, running(1)), (160, DONE))
    assert cloud(blip).run(**STEADY).failure is None


def test_the_grace_begins_again_after_a_good_answer() -> None:
    blips = at_times((0, unknown_id()), (50, running(1)), (55, unknown_id()), (110, DONE))
    assert cloud(blips).run(**STEADY).failure is None


def test_a_task_that_was_seen_and_vanished_is_given_up_with_its_last_state() -> None:
    end = cloud([running(40), unknown_id()]).run(**STEADY)
    assert (failure_kind(end), end.elapsed, statuses(end)) == ("not_found", 65, ["Running"])


def test_the_grace_never_outlives_the_timeout() -> None:
    end = cloud([unknown_id()]).run(timeout=30, not_found_grace=600)
    assert end.failure and (end.failure.kind, end.elapsed) == ("timeout", 30)
    assert (end.failure.code, end.failure.http_status) == ("DBS.200543", 400)


def test_no_grace_for_unknown_ids() -> None:
    end = cloud([unknown_id()]).run(not_found_grace=0)
    assert (failure_kind(end), end.polls) == ("not_found", 1)


@pytest.mark.parametrize(
    ("answers", "elapsed"),
    [([unknown_id(), server_error()] * 20, 60), ([server_error(), unknown_id()] * 20, 65)],
)
def test_trouble_in_between_does_not_prolong_the_grace(answers: Answers, elapsed: float) -> None:
    end = cloud(answers).run(error_grace=300, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("not_found", elapsed)


def test_unknown_in_between_is_an_answer_that_ends_trouble() -> None:
    answers: list[t.Any] = [server_error(), unknown_id()] * 6
    assert cloud([*answers, DONE]).run(error_grace=5, not_found_grace=60, **STEADY).failure is None


def test_a_grace_that_has_passed_does_not_hasten_looks_at_a_troubled_server() -> None:
    sky = cloud([unknown_id(), server_error()])
    sky.run(not_found_grace=60, error_grace=300)
    assert sky.sleeps[:5] == [5, 7.5, 11.25, 16.875, 19.375]
    assert sky.sleeps[5:] == [30] * 8 + [5]


# Throttling


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(throttled, id="429"),
        pytest.param(lambda seconds: server_error(retry_after=seconds), id="503"),
        pytest.param(lambda seconds: http_error(404, "DMS.10240407", retry_after=seconds), id="flow control"),
    ],
)
@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [(42, 42), (5, 5), (1, 5), (0.5, 5), (299, 299), (300, 300), (301, 300), (999_999_999, 300)],
)
def test_retry_after_is_obeyed_within_reason(
    error: t.Callable[[float], ApiError], retry_after: float, pause: float
) -> None:
    sky = cloud([running(1), error(retry_after), DONE], random=1.0)
    assert sky.run(sleep=5 / 1.1, max_sleep=5 / 1.1).failure is None
    assert sky.sleeps == [pytest.approx(5), pytest.approx(pause)]


@pytest.mark.parametrize("retry_after", [15.1, 100, 1e9])
def test_retry_after_never_goes_past_the_deadline(retry_after: float) -> None:
    sky = cloud([running(1), throttled(retry_after)])
    end = sky.run(timeout=20)
    assert (sky.sleeps, failure_kind(end), end.elapsed) == ([5, 15], "timeout", 20)


def test_the_longest_retry_after_of_all_tasks_counts() -> None:
    sky = cloud([throttled(20), DONE], [throttled(60), DONE], [DONE])
    sky.run()
    assert sky.sleeps[0] == 60
    assert sky.asked_ids == ["abc", "a", "b"]


def test_retry_after_is_forgotten_after_a_good_answer() -> None:
    sky = cloud([server_error(retry_after=60), running(1), DONE])
    sky.run()
    assert sky.sleeps == [60, 5]


@pytest.mark.parametrize(
    ("random", "sleeps"),
    [(0.0, [2, 4, 8, 16, 32, 60, 60]), (0.5, [3.5, 7, 14, 28, 56, 60]), (1.0, [5, 10, 20, 40, 60])],
)
@pytest.mark.parametrize("error", [throttled(), throttled(0), http_error(404, "DMS.10240407")])
def test_without_retry_after_a_throttled_wait_doubles_its_pauses(
    random: float, sleeps: list[float], error: ApiError
) -> None:
    sky = cloud([error] * len(sleeps) + [DONE], random=random)
    assert sky.run(sleep=1, max_sleep=1).failure is None
    assert sky.sleeps == pytest.approx(sleeps)


def test_doubling_begins_again_after_a_granted_request() -> None:
    sky = cloud([throttled(), throttled(), running(1), throttled(), throttled(), DONE])
    sky.run(sleep=1, max_sleep=1)
    assert sky.sleeps[:2] == [2, 4]
    assert sky.sleeps[3:] == [2, 4]


def test_throttling_never_makes_polls_more_frequent() -> None:
    sky = cloud([throttled()] * 4 + [DONE])
    sky.run(sleep=20, max_sleep=20)
    assert sky.sleeps == [20, 20, 20, 20]


def test_throttling_without_end_ends_with_the_timeout_and_is_named() -> None:
    end = cloud([throttled()]).run(error_grace=0, not_found_grace=0, stall_timeout=10, timeout=1000)
    failure = end.failure
    assert failure and (failure.kind, failure.http_status, failure.code) == ("timeout", 429, "APIGW.0308")
    assert end.elapsed == 1000


def test_after_a_refusal_one_request_finds_out_whether_the_limit_lets_any_through() -> None:
    """And then the tasks are polled one after the other, the least recently polled first."""
    sky = cloud(*[[running(1), throttled(), *[running(1)] * 9]] * 4)
    sky.run(timeout=60, **STEADY)
    assert sky.asked_ids[:2] == ["abcd", "abcd"]
    assert all(len(ids) == 1 for ids in sky.asked_ids[2:])
    assert "".join(sky.asked_ids[2:10]) == "abcdabcd"


@pytest.mark.parametrize("code", ["APIGW.0308", "APIG.0308"])
def test_only_the_api_that_refuses_is_polled_less(code: str) -> None:
    refused = [running(1), http_error(429, code), *[running(1)] * 40]
    sky = Cloud({ref("a"): refused, ref("b", "kafka"): [running(1)]})
    sky.run(timeout=100, **STEADY)
    assert len([poll for poll in sky.action if ref("b", "kafka") in poll]) == 21
    assert len([poll for poll in sky.action if ref("a") in poll]) < 20


def test_a_task_whose_turn_did_not_come_after_a_refusal_is_not_late_for_it() -> None:
    """Probes leave out the rest of a batch once a request was refused."""
    sky = cloud([throttled(), DONE], [not_polled(), DONE], [not_polled(), DONE])
    end = sky.run(error_grace=0, not_found_grace=0)
    assert (end.failure, sky.asked_ids) == (None, ["abc", "b", "c", "a"])


def test_time_in_which_nothing_could_be_polled_counts_towards_no_grace() -> None:
    sky = cloud([unknown_id(), *[throttled()] * 6, unknown_id(), DONE])
    assert sky.run(not_found_grace=60).failure is None
    assert sky.polled_from[-2] > 60
    sky = cloud([server_error(), *[throttled()] * 6, server_error(), DONE])
    assert sky.run(error_grace=60).failure is None
    assert sky.polled_from[-2] > 60


def test_a_wait_that_is_not_allowed_to_poll_has_not_stalled() -> None:
    moving = at_times((0, running(1)), (5, throttled()), (400, running(2)), (420, DONE))
    assert cloud(moving).run(stall_timeout=60).failure is None


def test_a_wait_stalls_once_all_tasks_were_polled_without_a_change() -> None:
    still = at_times((0, running(1)), (5, throttled()), (400, running(1)))
    end = cloud(still, still).run(stall_timeout=60)
    assert failure_kind(end) == "stalled"
    assert 400 <= end.elapsed < 600


def test_what_the_limit_allows_is_told() -> None:
    sky = cloud(*[[running(1)] * 2 + [throttled()] + [running(1)] * 99] * 4)
    end = sky.run(timeout=100, **STEADY)
    assert [sky.updates[0].granted_per_minute, sky.updates[0].poll_interval, sky.updates[0].oldest_poll_age] == [
        None,
        None,
        0,
    ]
    assert end.granted_per_minute and end.poll_interval
    assert end.poll_interval == pytest.approx(4 * 60 / end.granted_per_minute)
    assert end.oldest_poll_age is not None
    assert 5 < end.oldest_poll_age < 2 * end.poll_interval


# A wait without any change


def test_a_wait_in_which_nothing_changes_is_given_up() -> None:
    sky = cloud([running(1)])
    end = sky.run(stall_timeout=60)
    assert sky.sleeps == [5, 7.5, 11.25, 16.875, 19.375]
    assert end.failure and (end.failure.kind, end.elapsed) == ("stalled", 60)
    assert end.failure.message == "no task's status or progress has changed for 60 s"


def test_every_change_of_any_task_begins_the_count_again() -> None:
    moving = at_times((0, running(1)), (50, running(2)), (100, running(3)))
    end = cloud([running(1)], moving).run(stall_timeout=60, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("stalled", 160)


def test_a_wait_in_which_no_task_was_ever_seen_stalls_too() -> None:
    end = cloud([unknown_id()]).run(stall_timeout=60, not_found_grace=600, delay=100, **STEADY)
    assert end.failure and (end.failure.kind, end.elapsed) == ("stalled", 160)
    assert end.failure.code == "DBS.200543"


def test_the_first_sight_of_a_task_is_a_change() -> None:
    end = cloud(at_times((0, unknown_id()), (40, running(1)))).run(stall_timeout=60, **STEADY)
    assert (failure_kind(end), end.elapsed) == ("stalled", 100)


def test_trouble_is_no_change_and_is_named() -> None:
    end = cloud([running(1), server_error()]).run(stall_timeout=60, **STEADY)
    assert end.failure and (end.failure.kind, end.failure.http_status, end.elapsed) == ("stalled", 503, 60)


def test_success_comes_before_a_stall() -> None:
    assert cloud(at_times((0, running(1)), (60, DONE))).run(stall_timeout=60, **STEADY).failure is None


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
def test_check_mode_looks_once_and_never_waits(answer: Task | ApiError, kind: str | None) -> None:
    sky = cloud([answer])
    end = sky.run(poll_once=True, delay=10, stall_timeout=0)
    assert (failure_kind(end), end.over, end.polls, sky.sleeps) == (kind, True, 1, [])


# Bad options


@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "option", ["timeout", "delay", "sleep", "max_sleep", "stall_timeout", "not_found_grace", "error_grace"]
)
def test_a_number_that_makes_no_sense_is_refused(option: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{option} must be a number of seconds that is not negative.$"):
        cloud([DONE]).wait(dataclasses.replace(Policy(), **{option: value}))  # type: ignore[arg-type]


def test_no_pause_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="^sleep must be more than 0 seconds.$"):
        cloud([DONE]).run(sleep=0)


def test_bad_options_are_refused_even_if_there_is_nothing_to_wait_for() -> None:
    with pytest.raises(InputError):
        cloud().run(timeout=-1)


# What others see of it


def test_every_look_is_reported_once_and_the_last_one_as_the_end() -> None:
    sky = cloud([running(1), running(2), DONE], durations=[1])
    seen: list[tuple[t.Any, ...]] = []

    def note(snapshot: Snapshot) -> None:
        watched = snapshot.watches[0].task
        seen.append((snapshot.polls, snapshot.elapsed, snapshot.over, watched.progress if watched else None))

    sky.wait(Policy(), on_update=note).run()
    assert seen == [(1, 1, False, 1), (2, 6, False, 2), (3, 11, True, None)]


def test_the_report_of_the_last_look_carries_the_failure() -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=10)
    assert sky.updates[-1] is end
    assert [failure_kind(update) for update in sky.updates] == [None, None, "timeout"]


def test_a_watch_remembers_its_last_error_after_good_answers() -> None:
    end = cloud([server_error(), running(1), DONE]).run()
    assert end.watches[0].error and end.watches[0].error.http_status == 503


def test_since_when_nothing_has_changed_is_known() -> None:
    end = cloud(at_times((0, running(1)), (20, running(2)))).run(timeout=50, **STEADY)
    assert end.watches[0].changed_at == EPOCH + 20
    assert end.now == EPOCH + 50


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
    left = wait.snapshot()
    assert statuses(left) == ["Running", None, "Completed", None]
    assert [watch.error.http_status if watch.error else None for watch in left.watches] == [None, 503, None, 400]
    assert (left.polls, left.elapsed, left.over, left.failure) == (3, 23.75, False, None)


def test_a_wait_that_has_not_begun_has_a_snapshot() -> None:
    start = cloud([DONE], [DONE]).wait(Policy()).snapshot()
    assert (statuses(start), start.polls, start.elapsed, start.over) == ([None, None], 0, 0, False)


# --- a wait that another process does ---


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
    snapshot = waiter.run()
    assert snapshot.elapsed == 25
    assert snapshot.polls == 2


def test_a_waiter_follows_the_polls_of_another_process() -> None:
    first, second = TaskRef("dds", "a"), TaskRef("dds", "b")
    options: dict[str, t.Any] = {**dataclasses.asdict(Policy()), "error_grace": 30.0}
    waiter = new_waiter(options, [first, second, first], probe=Mock(), clock=lambda: 150.0, started=100.0)
    assert waiter.refs == [first, second]
    gone = ApiError("gone", http_status=502)
    waiter.record({second: gone}, 110.0, {})
    waiter.record({first: Task("dds", State.SUCCEEDED), second: gone}, 150.0, {second: 15.0})
    assert waiter.snapshot().watches[2].final_error is None
    waiter.record({second: gone}, 155.0, {})
    snapshot = waiter.snapshot()
    assert (snapshot.polls, snapshot.elapsed) == (3, 50.0)
    assert [watch.succeeded for watch in snapshot.watches] == [True, False, True]
    assert snapshot.watches[1].final_error is not None


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
