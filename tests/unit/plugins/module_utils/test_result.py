# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wait returns, and what it says to people: the messages to the letter."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import WAIT_RULES, refs_of, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass, InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import (
    input_error_result,
    unknown_status_warnings,
    wait_result,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import (
    CANCELED,
    DONE,
    FAILED,
    NEEDS_ACTION,
    Answers,
    Cloud,
    at_times,
    pending,
    ref,
    running,
    task,
    unlisted,
)

RESTORE = TaskRef("taurusdb_restore", "866b2273", "in07", "RestoreTaurusInInstanceToExisted")
DDS = TaskRef("dds", "9d10bfd1")
KAFKA = TaskRef("kafka", "8abfa7b2", "6eec9b2f")

RESUME = 'Resume with `tasks: "{{ result.pending }}"`.'
ONE_LEFT = f"The cloud task was not cancelled. {RESUME}"
MANY_LEFT = f"The cloud tasks were not cancelled. {RESUME}"
WITHOUT = '`tasks: "{{ result.pending }}"`, which leaves out what failed.'
OTHER_LEFT = f"The other task was not cancelled. Wait for it with {WITHOUT}"
OTHERS_LEFT = f"The other tasks were not cancelled. Wait for them with {WITHOUT}"
RAN_OUT = "The timeout of 3600 s ran out. "

ASKED = "Cannot read the DDS task 9d10bfd1 (GET https://dds.example.com/v3/p/jobs)"
UNKNOWN = ApiError(
    "no such job",
    error_class=ErrorClass.NOT_FOUND,
    code="DBS.200543",
    http_status=400,
    request_id="req-1",
    action=ASKED,
    hint="Check the id.",
)
BUSY = ApiError("busy", code="APIGW.0613", http_status=503, request_id="req-2", action=ASKED)
EXPIRED = ApiError(
    "The token must be updated",
    code="APIGW.0307",
    http_status=401,
    request_id="req-3",
    action=ASKED,
    hint="Get a new token.",
)
REFUSED = ApiError("connection failed: refused", kind="connection", action=ASKED, hint="Check the network.")


def ended(answers: t.Mapping[TaskRef, Answers], single: bool = False, **policy: t.Any) -> dict[str, t.Any]:
    return wait_result(Cloud(answers).run(**policy), single=single)


def said(answers: t.Mapping[TaskRef, Answers], **policy: t.Any) -> str:
    return str(ended(answers, **policy)["msg"])


# A wait that ran out


def test_a_wait_for_one_task_that_ran_out() -> None:
    assert said({RESTORE: at_times((0, running(10)), (3190, running(62)))}, sleep=5, max_sleep=5) == (
        f"{RAN_OUT}0 of 1 task finished; waited 3600 s. "
        "Still running: RestoreTaurusInInstanceToExisted 866b2273 62 % (no change for 410 s). "
        f"{ONE_LEFT}"
    )


def test_a_wait_for_many_tasks_that_ran_out() -> None:
    answers: dict[TaskRef, Answers] = {
        RESTORE: at_times((0, running(10)), (3190, running(62))),
        DDS: [DONE],
        KAFKA: [task(State.PENDING, "CREATED")],
    }
    assert said(answers, sleep=5, max_sleep=5) == (
        f"{RAN_OUT}1 of 3 tasks finished; waited 3600 s. "
        "Still running: RestoreTaurusInInstanceToExisted 866b2273 62 % (no change for 410 s). "
        "Still pending: 8abfa7b2 (no change for 3600 s). "
        f"{MANY_LEFT}"
    )


def test_one_that_is_left_of_many() -> None:
    assert said({RESTORE: [DONE], DDS: [running(62)], KAFKA: [DONE]}) == (
        f"{RAN_OUT}2 of 3 tasks finished; waited 3600 s. "
        f"Still running: 9d10bfd1 62 % (no change for 3600 s). {ONE_LEFT}"
    )


@pytest.mark.parametrize(("timeout", "seconds"), [(3.0, "3"), (0.5, "0.5"), (604800.0, "604800"), (2.25, "2.25")])
def test_a_timeout_is_said_as_it_was_given(timeout: float, seconds: str) -> None:
    assert said({DDS: [running()]}, timeout=timeout).startswith(f"The timeout of {seconds} s ran out. 0 of 1 task ")


def test_a_change_of_the_moment_is_not_called_none() -> None:
    assert said({DDS: [running(62)]}, timeout=0) == (
        f"The timeout of 0 s ran out. 0 of 1 task finished; waited 0 s. Still running: 9d10bfd1 62 %. {ONE_LEFT}"
    )


def test_progress_of_nothing_is_progress() -> None:
    assert "9d10bfd1 0 %." in said({DDS: [running(0)]}, timeout=0)


def test_the_last_error_of_a_wait_that_ran_out() -> None:
    assert said({DDS: [running(62), BUSY], KAFKA: [DONE]}, timeout=60) == (
        "The timeout of 60 s ran out. 1 of 2 tasks finished; waited 60 s. "
        "Last seen running: 9d10bfd1 62 % (no good answer for 55 s). "
        f"Last error: {ASKED}: HTTP 503 APIGW.0613: busy (request id req-2). "
        f"{ONE_LEFT}"
    )


def test_an_error_that_is_over_is_not_said() -> None:
    assert "Last error" not in said({DDS: [BUSY, running(62)]}, timeout=60)


def test_an_id_that_is_unknown_when_the_wait_runs_out() -> None:
    assert said({DDS: [UNKNOWN], KAFKA: [running()]}, timeout=30) == (
        "The timeout of 30 s ran out. 0 of 2 tasks finished; waited 30 s. "
        "Not seen: 9d10bfd1. "
        "Still running: 8abfa7b2 (no change for 30 s). "
        "Last error: The DDS task 9d10bfd1 is unknown to the API "
        "(never seen: wrong id, region or project, or the task is older than a month). "
        f"{ASKED}: HTTP 400 DBS.200543: no such job (request id req-1). Check the id. "
        f"{MANY_LEFT}"
    )


def test_a_task_without_an_id_is_named_by_its_instance() -> None:
    assert "Still running: in07 3 %" in said({TaskRef("taurusdb_restore", None, "in07"): [running(3)]})


@pytest.mark.parametrize(("count", "rest"), [(10, ""), (11, ", and 1 more"), (250, ", and 240 more")])
def test_more_than_ten_tasks_are_counted(count: int, rest: str) -> None:
    answers: dict[TaskRef, Answers] = {ref(f"job-{number:03}"): [running()] for number in range(count)}
    named = ", ".join(f"job-{number:03}" for number in range(10))
    assert said(answers, timeout=0) == (
        f"The timeout of 0 s ran out. 0 of {count} tasks finished; waited 0 s. "
        f"Still running: {named}{rest}. {MANY_LEFT}"
    )


def test_a_task_given_twice_is_counted_once() -> None:
    end = Cloud({DDS: [running(5)]}).run([DDS, DDS], timeout=0)
    result = wait_result(end, single=False)
    assert len(result["tasks"]) == 2
    assert result["pending"] == [DDS.to_option()]
    assert result["msg"].endswith(f" 0 of 1 task finished; waited 0 s. Still running: 9d10bfd1 5 %. {ONE_LEFT}")


# Tasks that ended badly


def test_a_failed_task_with_its_reason() -> None:
    assert said({DDS: [FAILED]}) == (
        "The DDS task 9d10bfd1 failed (status Failed): disk full. 1 of 1 task finished; waited 0 s."
    )


def test_a_failed_task_without_a_reason_while_others_run() -> None:
    deleted = task(State.FAILED, "DELETED")
    assert said({KAFKA: [running(), deleted], RESTORE: [running(62)], DDS: [DONE]}) == (
        "The DMS for Kafka task 8abfa7b2 failed (status DELETED). "
        "2 of 3 tasks finished; waited 5 s. "
        "Still running: RestoreTaurusInInstanceToExisted 866b2273 62 % (no change for 5 s). "
        f"{OTHER_LEFT}"
    )


def test_what_is_left_when_a_task_has_failed_does_not_hold_it() -> None:
    result = ended({DDS: [FAILED], KAFKA: [running()], RESTORE: [running()]})
    assert [item["service"] for item in result["pending"]] == ["kafka", "taurusdb_restore"]
    assert result["msg"].endswith(OTHERS_LEFT)


def test_a_reason_that_is_a_sentence_gets_no_second_stop() -> None:
    assert "(status Failed): No space left. 1 of 1" in said(
        {DDS: [task("failed", "Failed", fail_reason="No space left.")]}
    )


def test_a_canceled_task() -> None:
    assert said({RESTORE: [CANCELED]}) == (
        "The TaurusDB restore task RestoreTaurusInInstanceToExisted 866b2273 was canceled (status Canceled). "
        "1 of 1 task finished; waited 0 s."
    )


def test_a_task_that_needs_a_human() -> None:
    taurusdb = TaskRef("taurusdb", "aa11")
    assert said({taurusdb: [NEEDS_ACTION]}) == (
        "The TaurusDB task aa11 has the status Unauthorized: somebody must approve it in the console before it goes "
        f"on. 0 of 1 task finished; waited 0 s. Still waiting for approval: aa11. {ONE_LEFT}"
    )


@pytest.mark.parametrize("fail_fast", [True, False])
def test_every_failed_task_is_named(fail_fast: bool) -> None:
    worse = task(State.FAILED, "FAILED", fail_reason="no such topic")
    message = said({DDS: [FAILED], KAFKA: [worse], RESTORE: [DONE]}, fail_fast=fail_fast)
    for part in ("9d10bfd1", "disk full", "8abfa7b2", "no such topic"):
        assert part in message


@pytest.mark.parametrize(("count", "rest"), [(11, ""), (12, " 1 more task failed."), (13, " 2 more tasks failed.")])
def test_more_than_ten_further_failed_tasks_are_counted(count: int, rest: str) -> None:
    message = said({ref(f"job-{number}"): [FAILED] for number in range(count)})
    assert message.startswith("The DDS task job-0 failed (status Failed): disk full. The DDS task job-1 failed")
    assert message.endswith(
        f"The DDS task job-10 failed (status Failed): disk full.{rest} {count} of {count} tasks finished; waited 0 s."
    )


@pytest.mark.parametrize("require", ["all", "any"])
def test_a_wait_that_ran_out_after_a_task_failed_says_so(require: str) -> None:
    message = said({DDS: [FAILED], KAFKA: [running()]}, fail_fast=False, require=require)
    assert "The timeout of 3600 s ran out. 1 of 2 tasks finished; waited 3600 s. Still running: 8abfa7b2" in message
    assert message.endswith(OTHER_LEFT)
    for part in ("9d10bfd1", "disk full"):
        assert part in message


@pytest.mark.parametrize("require", ["all", "any"])
def test_a_wait_that_ran_out_after_credentials_were_refused_says_so(require: str) -> None:
    message = said({DDS: [EXPIRED], KAFKA: [running()]}, fail_fast=False, require=require)
    for part in ("HTTP 401", "APIGW.0307", "req-3", "Get a new token."):
        assert part in message


# Ids that the API does not know


def test_a_task_that_was_never_seen() -> None:
    assert said({DDS: [UNKNOWN]}) == (
        "The DDS task 9d10bfd1 is unknown to the API "
        "(never seen: wrong id, region or project, or the task is older than a month). "
        f"{ASKED}: HTTP 400 DBS.200543: no such job (request id req-1). Check the id. "
        f"0 of 1 task finished; waited 60 s. Not seen: 9d10bfd1. {ONE_LEFT}"
    )


def test_a_task_that_was_seen_and_vanished() -> None:
    message = said({DDS: [running(40), UNKNOWN]}, sleep=5, max_sleep=5)
    assert message.startswith(
        "The DDS task 9d10bfd1 is unknown to the API (seen with the status Running, then vanished). "
        f"{ASKED}: HTTP 400 DBS.200543: no such job (request id req-1). Check the id. "
        "0 of 1 task finished; waited 65 s. "
    )
    assert message.endswith(f" Last seen running: 9d10bfd1 40 % (no good answer for 60 s). {ONE_LEFT}")
    assert "never seen" not in message


# Trouble


def test_trouble_that_lasted_too_long() -> None:
    assert said({DDS: [running(62), REFUSED], KAFKA: [DONE]}, error_grace=20, sleep=5, max_sleep=5) == (
        f"{ASKED}: connection failed: refused. Check the network. "
        "1 of 2 tasks finished; waited 25 s. "
        "Last seen running: 9d10bfd1 62 % (no good answer for 20 s). "
        f"{ONE_LEFT}"
    )


def test_refused_credentials() -> None:
    assert said({KAFKA: [running()], DDS: [running(62), EXPIRED]}) == (
        f"{ASKED}: HTTP 401 APIGW.0307: The token must be updated (request id req-3). Get a new token. "
        "0 of 2 tasks finished; waited 24 s. "
        "Still running: 8abfa7b2 (no change for 24 s). Last seen running: 9d10bfd1 62 % (no good answer for 19 s). "
        f"{MANY_LEFT}"
    )


def test_a_stalled_wait() -> None:
    assert said({DDS: [running(62)], RESTORE: [pending()], KAFKA: [DONE]}, stall_timeout=120) == (
        "Given up: no task's status or progress has changed for 120 s. "
        "1 of 3 tasks finished; waited 120 s. "
        "Still running: 9d10bfd1 62 % (no change for 120 s). "
        "Still pending: RestoreTaurusInInstanceToExisted 866b2273 (no change for 120 s). "
        f"{MANY_LEFT}"
    )


# Success


@pytest.mark.parametrize("require", ["all", "any"])
def test_success_of_all(require: str) -> None:
    assert said({DDS: [running(1), DONE]}, require=require) == "1 of 1 task finished; waited 5 s."
    assert said({DDS: [DONE], KAFKA: [DONE]}, require=require) == "2 of 2 tasks finished; waited 0 s."


def test_success_of_one_of_many() -> None:
    assert said({DDS: [running(62)], KAFKA: [running(), DONE], RESTORE: [FAILED]}, require="any") == (
        "Succeeded: 8abfa7b2. "
        "The TaurusDB restore task RestoreTaurusInInstanceToExisted 866b2273 failed (status Failed): disk full. "
        f"2 of 3 tasks finished; waited 5 s. Still running: 9d10bfd1 62 % (no change for 5 s). {OTHER_LEFT}"
    )


def test_nothing_to_wait_for() -> None:
    result = ended({})
    assert result == {
        "changed": False,
        "tasks": [],
        "task": None,
        "pending": [],
        "elapsed": 0,
        "polls": 0,
        "msg": "There is nothing to wait for.",
        "failure": None,
    }


# Check mode


def test_check_mode_says_where_tasks_stand_and_offers_no_resumption() -> None:
    assert said({DDS: [running(62)], KAFKA: [DONE]}, poll_once=True) == (
        "Check mode: looked once. 1 of 2 tasks finished; waited 0 s. Still running: 9d10bfd1 62 %."
    )


def test_check_mode_says_what_went_wrong() -> None:
    assert said({DDS: [BUSY]}, poll_once=True) == (
        "Check mode: looked once. 0 of 1 task finished; waited 0 s. Not seen: 9d10bfd1. "
        f"Last error: {ASKED}: HTTP 503 APIGW.0613: busy (request id req-2)."
    )


def test_check_mode_with_nothing_to_wait_for() -> None:
    assert said({}, poll_once=True) == "Check mode: looked once. There is nothing to wait for."


# Words that no table lists


def test_each_unlisted_word_is_warned_of_once() -> None:
    answers: dict[TaskRef, Answers] = {
        ref("a"): [unlisted("Paused")],
        ref("b"): [unlisted("Paused")],
        ref("c"): [unlisted("Frozen")],
        ref("d"): [running()],
        ref("e"): [UNKNOWN],
    }
    warnings = unknown_status_warnings(Cloud(answers).run(timeout=0).watches)
    assert [warning for warning in warnings if "'Paused'" in warning] == warnings[:1]
    assert warnings[1:] == [
        "The DDS task c has the status 'Frozen', which this collection does not know. It counts as not finished."
    ]


def test_the_same_word_is_warned_of_for_each_service() -> None:
    end = Cloud({DDS: [unlisted()], KAFKA: [unlisted()]}).run(timeout=0)
    assert [warning.split(" task ")[0] for warning in unknown_status_warnings(end.watches)] == [
        "The DDS",
        "The DMS for Kafka",
    ]


def test_a_task_with_an_unlisted_word_is_not_called_running() -> None:
    message = said({DDS: [unlisted()]})
    assert message.startswith(f"{RAN_OUT}0 of 1 task finished; waited 3600 s. Still not finished: 9d10bfd1")


# The result


def test_success_and_failure_have_the_same_shape() -> None:
    good = wait_result(Cloud({DDS: [DONE]}).run(), single=True)
    bad = wait_result(Cloud({DDS: [FAILED]}).run(), single=True)
    assert set(good) == set(bad)
    assert set(good["task"]) == set(bad["task"])
    assert (good["failure"], bad["failure"]["kind"]) == (None, "task_failed")
    assert (good["changed"], bad["changed"]) == (False, False)


def test_every_task_is_returned_as_it_was_last_seen() -> None:
    answers: dict[TaskRef, Answers] = {
        RESTORE: [running(10), running(62), BUSY],
        DDS: [BUSY, DONE],
        KAFKA: [UNKNOWN],
    }
    result = ended(answers, timeout=30)
    assert [(entry["service"], entry["id"], entry["name"], entry["instance_id"]) for entry in result["tasks"]] == [
        ("taurusdb_restore", "866b2273", "RestoreTaurusInInstanceToExisted", "in07"),
        ("dds", "9d10bfd1", None, None),
        ("kafka", "8abfa7b2", None, "6eec9b2f"),
    ]
    assert [(entry["status"], entry["state"], entry["progress"]) for entry in result["tasks"]] == [
        ("Running", "running", 62),
        ("Completed", "succeeded", None),
        (None, "unknown", None),
    ]
    assert result["tasks"][0]["error"] == {
        "kind": "api_error",
        "code": "APIGW.0613",
        "message": "busy",
        "http_status": 503,
        "request_id": "req-2",
    }
    assert [entry["error"] and entry["error"]["http_status"] for entry in result["tasks"]] == [503, 503, 400]
    assert (result["polls"], result["elapsed"], result["task"]) == (5, 30, None)


def test_the_only_task_is_returned_by_itself_too() -> None:
    result = ended({DDS: [running(1), DONE]}, single=True)
    assert result["task"] == result["tasks"][0]
    assert result["task"]["state"] == "succeeded"


def test_the_failure_is_that_of_the_error_which_ended_the_wait() -> None:
    assert ended({KAFKA: [BUSY], DDS: [EXPIRED]})["failure"] == {
        "kind": "unauthorized",
        "code": "APIGW.0307",
        "message": "The token must be updated",
        "http_status": 401,
        "request_id": "req-3",
    }


def test_a_wait_that_did_not_begin_has_a_result_of_the_same_shape() -> None:
    assert input_error_result(InputError("region is missing.")) == dict(ended({}), msg="region is missing.")


def test_elapsed_is_rounded() -> None:
    assert wait_result(Cloud({DDS: [DONE]}, durations=[1.23456]).run(), single=False)["elapsed"] == 1.2


# What is left to wait for

PLACES = [
    DDS,
    RESTORE,
    KAFKA,
    TaskRef("taurusdb_restore", None, "in07"),
    TaskRef("dds", "9d10bfd1", region="ap-southeast-3", project_id="p2"),
    TaskRef("kafka", "k", "i", endpoint="https://dms.example.com"),
]


def test_what_is_pending_names_the_same_tasks_when_passed_in_again() -> None:
    result = ended({each: [running()] for each in PLACES}, timeout=0)
    assert refs_of({"tasks": result["pending"]}) == PLACES


def test_what_is_pending_passes_the_check_of_the_options() -> None:
    """As JSON, which is what a playbook hands on."""
    result = json.loads(json.dumps(ended({each: [running()] for each in PLACES}, timeout=0)))
    checked = ArgumentSpecValidator(wait_arguments(), **WAIT_RULES).validate({"tasks": result["pending"]})
    assert checked.error_messages == []
    assert refs_of(checked.validated_parameters) == PLACES


@pytest.mark.parametrize(
    ("answer", "is_pending"),
    [
        (DONE, False),
        (FAILED, False),
        (CANCELED, False),
        (NEEDS_ACTION, True),
        (running(), True),
        (pending(), True),
        (unlisted(), True),
        (UNKNOWN, True),
        (EXPIRED, True),
        (BUSY, True),
    ],
)
def test_what_counts_as_pending(answer: Task | ApiError, is_pending: bool) -> None:
    result = ended({DDS: [answer]}, timeout=0, not_found_grace=0)
    assert result["pending"] == ([DDS.to_option()] if is_pending else [])


def test_a_task_that_was_seen_and_then_lost_is_pending() -> None:
    assert ended({DDS: [running(), EXPIRED]})["pending"] == [DDS.to_option()]
