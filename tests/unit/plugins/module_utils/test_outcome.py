# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wait ends, with a scripted cloud: what is required, failed tasks, approvals, stalls, the timeout."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    CANCELED,
    DONE,
    FAILED,
    NEEDS_ACTION,
    STEADY,
    at_times,
    cloud,
    failure_kind,
    http_error,
    running,
    server_error,
    statuses,
    task,
    throttled,
    unknown_id,
    unlisted,
)

# How it ends


def test_success_on_the_last_poll_is_no_timeout_and_is_not_slept_after() -> None:
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


ESCAPES = "\x1b[31mred\r\nline\u2028two\x9b1A\u202e"


@pytest.mark.parametrize(
    "last",
    [
        task("failed", "Failed", fail_reason=ESCAPES),
        task("failed", ESCAPES),
        ApiError(ESCAPES, http_status=403),
    ],
    ids=["reason", "status", "error"],
)
def test_the_message_of_a_failure_is_one_plain_line(last: Task | ApiError) -> None:
    failure = cloud([last]).run().failure
    assert failure and failure.to_dict()["message"].isprintable()
    assert "[31mred line two 1A" in failure.to_dict()["message"]


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
def test_words_that_end_the_wait_at_the_first_poll(service: str, word: str, kind: str | None) -> None:
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
    assert (sky.run().failure, len(sky.batches)) == (None, 3)


# The timeout


def test_the_failure_of_a_wait_that_ran_out_says_how_long_it_was() -> None:
    failure = cloud([running(1)]).run(timeout=20).failure
    assert failure and failure.message == "the wait timed out after 20 s"


def test_the_failure_of_a_wait_that_ran_out_carries_the_trouble_of_the_moment() -> None:
    failure = cloud([running(1)], [running(1), server_error()]).run(timeout=20).failure
    assert failure and failure.kind == "timeout"
    assert (failure.code, failure.http_status, failure.request_id) == ("APIGW.0613", 503, "req-1")


def test_the_failure_of_a_wait_that_ran_out_carries_no_trouble_of_the_past() -> None:
    failure = cloud([server_error(), running(1)]).run(timeout=20).failure
    assert failure and (failure.code, failure.http_status, failure.request_id) == (None, None, None)


# What is required


OK: list[t.Any] = [running(1), DONE]


NEVER = [running(1)]


# How each of two tasks goes (the first one ends at the 2nd poll, the second one at the 3rd): kind and number of polls.
TRUTH = [
    # require, fail_fast, first, second, kind, polls; kind "bad" stands for that of the failed task
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
    assert (len(sky.batches), end.polls) == (polls, polls)


def test_the_failure_names_the_task_that_failed() -> None:
    end = cloud([running(1)], [FAILED], [running(1)]).run()
    assert end.failure and end.failure.watch is end.watches[1]


def test_a_hopeless_task_is_not_polled_again_while_others_are_waited_for() -> None:
    sky = cloud([http_error(403)], [FAILED], [running(1), running(1), DONE])
    end = sky.run(fail_fast=False)
    assert (failure_kind(end), sky.polled_ids) == ("api_error", ["abc", "c", "c"])


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


# A wait without any change


def test_a_wait_that_is_not_allowed_to_poll_has_not_stalled() -> None:
    moving = at_times((0, running(1)), (5, throttled()), (400, running(2)), (420, DONE))
    assert cloud(moving).run(stall_timeout=60).failure is None


def test_a_wait_stalls_once_all_tasks_were_polled_without_a_change() -> None:
    still = at_times((0, running(1)), (5, throttled()), (400, running(1)))
    end = cloud(still, still).run(stall_timeout=60)
    assert failure_kind(end) == "stalled"
    assert 400 <= end.elapsed < 600


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
