# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pauses a wait makes to the second, and which tasks it polls then, with a scripted cloud."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    DONE,
    FAILED,
    STEADY,
    Cloud,
    cloud,
    failure_kind,
    http_error,
    lost_network,
    not_polled,
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

# Turns


@pytest.mark.parametrize("trouble", [None, lost_network()], ids=["slow", "hanging"])
def test_a_slow_server_starves_no_task(trouble: ApiError | None) -> None:
    """A poll may be over before all tasks had their turn: the others come first in the next one."""
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


def test_the_estimated_end_pulls_the_next_poll_nearer() -> None:
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


def test_an_estimate_from_before_the_trouble_does_not_hasten_polls_at_a_troubled_server() -> None:
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


def test_jitter_never_moves_the_last_poll() -> None:
    sky = cloud([running(1)], random=1.0)
    end = sky.run(timeout=5.2)
    assert sky.sleeps == pytest.approx([5.2])
    assert end.elapsed == pytest.approx(5.2)


def test_the_longest_pause_is_never_below_the_shortest() -> None:
    sky = cloud([running(1)])
    sky.run(timeout=40, sleep=10, max_sleep=2)
    assert sky.sleeps == [10, 10, 10, 10]


def test_a_grace_that_has_passed_does_not_hasten_polls_at_a_troubled_server() -> None:
    sky = cloud([unknown_id(), server_error()])
    sky.run(not_found_grace=60, error_grace=300)
    assert sky.sleeps[:5] == [5, 7.5, 11.25, 16.875, 19.375]
    assert sky.sleeps[5:] == [30] * 8 + [5]


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
def test_the_last_poll_is_at_the_deadline_and_not_hard_on_the_heels_of_another(
    timeout: float, sleeps: list[float]
) -> None:
    sky = cloud([running(1)])
    end = sky.run(timeout=timeout)
    assert sky.sleeps == sleeps
    assert (failure_kind(end), end.elapsed, sky.polled_from[-1]) == ("timeout", timeout, timeout)


def test_the_time_that_polls_take_counts() -> None:
    sky = cloud([running(1)], durations=[2])
    end = sky.run(timeout=20)
    assert (sky.polled_from, sky.sleeps) == ([0, 5, 12.5, 20], [3, 5.5, 5.5])
    assert (end.elapsed, end.polls) == (22, 4)


def test_pauses_count_from_the_beginning_of_a_poll() -> None:
    """Many tasks make a poll long; how late an end is seen must not depend on their number."""
    sky = cloud([running(each) for each in range(4)], durations=[0, 1, 2.5, 0])
    sky.run(timeout=20)
    assert sky.polled_from == [0, 5, 10, 15, 20]


@pytest.mark.parametrize("duration", [2.5, 3, 5, 10, 100])
def test_a_slow_server_is_left_alone_for_half_the_pause_at_least(duration: float) -> None:
    sky = cloud([running(each) for each in range(4)], durations=[duration])
    sky.run(timeout=1000)
    assert sky.sleeps[:2] == [2.5, 2.5]


def test_what_the_server_demands_counts_from_the_end_of_a_poll() -> None:
    sky = cloud([throttled(9), DONE], durations=[4])
    sky.run()
    assert sky.polled_from == [0, 13]


@pytest.mark.parametrize("duration", [20, 20.5, 3000])
def test_a_poll_that_takes_until_the_deadline_is_the_last(duration: float) -> None:
    sky = cloud([running(1)], durations=[duration])
    end = sky.run(timeout=20)
    assert (failure_kind(end), sky.sleeps, end.polls, end.elapsed) == ("timeout", [], 1, duration)


def test_a_poll_that_ends_after_the_deadline_may_still_bring_success() -> None:
    assert cloud([DONE], durations=[25]).run(timeout=20).failure is None


@pytest.mark.parametrize(("answer", "kind"), [(running(1), "timeout"), (DONE, None), (FAILED, "task_failed")])
def test_timeout_zero_polls_once_and_not_for_ever(answer: Task, kind: str | None) -> None:
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


def test_a_clock_that_jumps_while_asleep_ends_the_wait_with_one_last_poll() -> None:
    """As when a laptop is suspended."""
    sky = cloud([running(1)])

    def sleep(seconds: float) -> None:
        sky.sleep(seconds)
        sky.now += 86400

    end = sky.wait(Policy(timeout=100), sleep=sleep).run()
    assert (failure_kind(end), end.polls, sky.sleeps) == ("timeout", 2, [5])


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
    assert sky.polled_ids == ["abc", "a", "b"]


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
    assert sky.polled_ids[:2] == ["abcd", "abcd"]
    assert all(len(ids) == 1 for ids in sky.polled_ids[2:])
    assert "".join(sky.polled_ids[2:10]) == "abcdabcd"


@pytest.mark.parametrize("sleep", [1, 5])
def test_a_task_that_alone_is_refused_keeps_none_from_its_poll(sleep: float) -> None:
    sky = cloud([throttled()], [running(), DONE], [running(), DONE])
    end = sky.run(timeout=300, sleep=sleep)
    assert failure_kind(end) == "timeout"
    assert [watch.succeeded for watch in end.watches] == [False, True, True]


@pytest.mark.parametrize("code", ["APIGW.0308", "APIG.0308"])
def test_only_the_api_that_refuses_is_polled_less(code: str) -> None:
    refused = [running(1), http_error(429, code), *[running(1)] * 40]
    sky = Cloud({ref("a"): refused, ref("b", "kafka"): [running(1)]})
    sky.run(timeout=100, **STEADY)
    assert len([poll for poll in sky.batches if ref("b", "kafka") in poll]) == 21
    assert len([poll for poll in sky.batches if ref("a") in poll]) < 20


def test_a_task_whose_turn_did_not_come_after_a_refusal_is_not_late_for_it() -> None:
    """Probes leave out the rest of a batch once a request was refused."""
    sky = cloud([throttled(), DONE], [not_polled(), DONE], [not_polled(), DONE])
    end = sky.run(error_grace=0, not_found_grace=0)
    assert (end.failure, sky.polled_ids) == (None, ["abc", "b", "c", "a"])


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


def test_the_limit_is_told_where_one_task_is_refused_and_the_last_request_was_granted() -> None:
    sky = cloud([throttled()], [running(1), running(1), DONE])
    end = sky.run(timeout=20)
    assert [watch.throttled for watch in end.watches] == [True, False]
    assert (end.watches[1].succeeded, failure_kind(end)) == (True, "timeout")
    assert (end.granted_per_minute, end.poll_interval) == (12, 5)
