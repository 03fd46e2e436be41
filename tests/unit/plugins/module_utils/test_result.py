# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wait returns, and what it says to people: the messages to the letter."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import TASK_RULES, refs_of, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass, InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import (
    describe_limit,
    input_error_result,
    unknown_status_warnings,
    wait_result,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, SubTask, Task, TaskRef
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

RESUME = 'resume with `tasks: "{{ result.pending }}"`'
ONE_LEFT = f"The cloud task was not canceled; {RESUME}."
MANY_LEFT = f"The cloud tasks were not canceled; {RESUME}."
OTHER_LEFT = f"The other task was not canceled; {RESUME}, which leaves out what failed."
OTHERS_LEFT = f"The other tasks were not canceled; {RESUME}, which leaves out what failed."

ASKED = "Cannot read the DDS task 9d10bfd1 (GET https://dds.example.com/v3/p/jobs)"
HINT = "Check the id, region and project_id; tasks are kept for one month."
UNKNOWN = ApiError(
    "no such job",
    error_class=ErrorClass.NOT_FOUND,
    code="DBS.200543",
    http_status=400,
    request_id="req-1",
    action=ASKED,
    hint=HINT,
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
THROTTLED = ApiError("too many requests", code="APIGW.0308", http_status=429, request_id="req-4", action=ASKED)
RESTORE_STEPS = (
    SubTask("INIT", "complete", State.SUCCEEDED, 100),
    SubTask("RESTORE", "Failed", State.FAILED, 50),
    SubTask("START", "Pending", State.PENDING, 0),
)


def ended(answers: t.Mapping[TaskRef, Answers], single: bool = False, **policy: t.Any) -> dict[str, t.Any]:
    return wait_result(Cloud(answers).run(**policy), single=single)


def said(answers: t.Mapping[TaskRef, Answers], **policy: t.Any) -> str:
    return str(ended(answers, **policy)["msg"])


class Case(t.NamedTuple):
    """A wait, and all that is said of it."""

    name: str
    answers: dict[TaskRef, Answers]
    policy: dict[str, t.Any]
    message: str


CASES = [
    # Success
    Case("all succeed", {DDS: [DONE], KAFKA: [running(), DONE]}, {}, "2 of 2 tasks finished; waited 5 s."),
    Case(
        "one of many succeeds",
        {DDS: [running(62)], KAFKA: [running(), DONE], RESTORE: [FAILED]},
        {"require": "any"},
        "Succeeded: 8abfa7b2. "
        "The TaurusDB restore task RestoreTaurusInInstanceToExisted 866b2273 failed (status Failed): disk full. "
        f"2 of 3 tasks finished; waited 5 s. Still running: 9d10bfd1 62 % (no change for 5 s). {OTHER_LEFT}",
    ),
    Case("nothing", {}, {}, "No tasks to wait for."),
    # timeout
    Case(
        "timeout",
        {
            RESTORE: at_times((0, running(10)), (3190, running(62))),
            DDS: [DONE],
            KAFKA: [task(State.PENDING, "CREATED")],
        },
        {"sleep": 5, "max_sleep": 5},
        "Timed out after 3600 s. 1 of 3 tasks finished. "
        "Still running: RestoreTaurusInInstanceToExisted 866b2273 62 % (no change for 410 s). "
        f"Still pending: 8abfa7b2 (no change for 3600 s). {MANY_LEFT}",
    ),
    Case(
        "timeout of 0",
        {DDS: [running(0)]},
        {"timeout": 0},
        f"Timed out after 0 s. 0 of 1 task finished. Still running: 9d10bfd1 0 %. {ONE_LEFT}",
    ),
    Case(
        "timeout while the API fails",
        {DDS: [running(62), BUSY], KAFKA: [DONE]},
        {"timeout": 60},
        "Timed out after 60 s. 1 of 2 tasks finished. "
        "Last known state: 9d10bfd1 running 62 % (no good response for 55 s). "
        f"Last error: {ASKED}: HTTP 503 APIGW.0613: busy (request id req-2). {ONE_LEFT}",
    ),
    Case(
        "timeout before an id was found",
        {DDS: [UNKNOWN], KAFKA: [running()]},
        {"timeout": 30},
        "Timed out after 30 s. 0 of 2 tasks finished. Never seen: 9d10bfd1 (not found for 30 s). "
        "Still running: 8abfa7b2 (no change for 30 s). "
        f"Last error: The DDS task 9d10bfd1 was not found (never seen). {ASKED}: "
        f"HTTP 400 DBS.200543: no such job (request id req-1). {HINT} {MANY_LEFT}",
    ),
    Case(
        "timeout after another task failed",
        {DDS: [FAILED], KAFKA: [running()]},
        {"fail_fast": False},
        "The DDS task 9d10bfd1 failed (status Failed): disk full. Timed out after 3600 s. 1 of 2 tasks finished. "
        f"Still running: 8abfa7b2 (no change for 3600 s). {OTHER_LEFT}",
    ),
    Case(
        "timeout with a status that nobody knows",
        {DDS: [unlisted()]},
        {},
        "Timed out after 3600 s. 0 of 1 task finished. "
        f"Not finished: 9d10bfd1 (unknown status Paused; no change for 3600 s). {ONE_LEFT}",
    ),
    # task_failed
    Case(
        "a failed task",
        {KAFKA: [running(), task(State.FAILED, "DELETED")], RESTORE: [running(62)], DDS: [DONE]},
        {},
        "The DMS for Kafka task 8abfa7b2 failed (status DELETED). 2 of 3 tasks finished; waited 5 s. "
        f"Still running: RestoreTaurusInInstanceToExisted 866b2273 62 % (no change for 5 s). {OTHER_LEFT}",
    ),
    Case(
        "a failed step",
        {RESTORE: [task(State.FAILED, "Failed", fail_reason="No space left.", sub_tasks=RESTORE_STEPS)]},
        {},
        "The TaurusDB restore task RestoreTaurusInInstanceToExisted 866b2273 failed at step RESTORE (status Failed): "
        "No space left. 1 of 1 task finished; waited 0 s.",
    ),
    Case(
        "many failed tasks",
        {ref(f"job-{number}"): [task(State.FAILED, "Failed")] for number in range(13)},
        {},
        " ".join(f"The DDS task job-{number} failed (status Failed)." for number in range(11))
        + " 2 more tasks failed. 13 of 13 tasks finished; waited 0 s.",
    ),
    Case(
        "a canceled task",
        {DDS: [CANCELED]},
        {},
        "The DDS task 9d10bfd1 was canceled (status Canceled). 1 of 1 task finished; waited 0 s.",
    ),
    # needs_action
    Case(
        "a task that needs approval",
        {TaskRef("taurusdb", "aa11"): [NEEDS_ACTION]},
        {},
        "The TaurusDB task aa11 is waiting for approval or payment in the console (status Unauthorized). "
        f"0 of 1 task finished; waited 0 s. {ONE_LEFT}",
    ),
    # not_found
    Case(
        "an id that the API does not know",
        {DDS: [UNKNOWN]},
        {},
        f"The DDS task 9d10bfd1 was not found (never seen). {ASKED}: HTTP 400 DBS.200543: no such job "
        f"(request id req-1). {HINT} 0 of 1 task finished; waited 60 s. {ONE_LEFT}",
    ),
    Case(
        "a task that disappeared",
        {DDS: [running(40), UNKNOWN]},
        {"sleep": 5, "max_sleep": 5},
        f"The DDS task 9d10bfd1 was Running, then disappeared from the API. {ASKED}: "
        "HTTP 400 DBS.200543: no such job (request id req-1). 0 of 1 task finished; waited 65 s. "
        f"Last known state: 9d10bfd1 running 40 % (not found for 60 s). {ONE_LEFT}",
    ),
    # connection
    Case(
        "trouble that lasted too long",
        {DDS: [running(62), REFUSED], KAFKA: [DONE]},
        {"error_grace": 20, "sleep": 5, "max_sleep": 5},
        f"{ASKED}: connection failed: refused. Check the network. 1 of 2 tasks finished; waited 25 s. "
        f"Last known state: 9d10bfd1 running 62 % (no good response for 20 s). {ONE_LEFT}",
    ),
    # unauthorized
    Case(
        "credentials that are refused at once",
        {DDS: [EXPIRED], KAFKA: [running()]},
        {},
        f"{ASKED}: HTTP 401 APIGW.0307: The token must be updated (request id req-3). Get a new token. "
        f"0 of 2 tasks finished; waited 0 s. Never seen: 9d10bfd1. Still running: 8abfa7b2. {MANY_LEFT}",
    ),
    # stalled
    Case(
        "a wait in which nothing changes",
        {DDS: [running(62)], KAFKA: [DONE]},
        {"stall_timeout": 120},
        "Stopped waiting: no task's status or progress has changed for 120 s. 1 of 2 tasks finished; waited 120 s. "
        f"Still running: 9d10bfd1 62 % (no change for 120 s). {ONE_LEFT}",
    ),
    # Check mode
    Case(
        "check mode",
        {DDS: [running(62)], KAFKA: [DONE]},
        {"poll_once": True},
        "Check mode: polled once. 1 of 2 tasks finished; waited 0 s. Still running: 9d10bfd1 62 %.",
    ),
    Case(
        "check mode and an error",
        {DDS: [BUSY]},
        {"poll_once": True},
        "Check mode: polled once. 0 of 1 task finished; waited 0 s. Never seen: 9d10bfd1. "
        f"Last error: {ASKED}: HTTP 503 APIGW.0613: busy (request id req-2).",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_messages(case: Case) -> None:
    assert said(case.answers, **case.policy) == case.message


def test_a_timeout_under_a_request_limit_says_what_the_api_allows() -> None:
    end = Cloud({DDS: [running(62)], KAFKA: [THROTTLED]}).run(timeout=0)
    limited = dataclasses.replace(end, granted_per_minute=40.4, poll_interval=180.0)
    assert wait_result(limited, single=False)["msg"] == (
        "Timed out after 0 s. The API allows about 40 requests a minute; 2 tasks are polled every 180 s. "
        "0 of 2 tasks finished. Still running: 9d10bfd1 62 %. Never seen: 8abfa7b2 (not polled yet). "
        f"{MANY_LEFT}"
    )


@pytest.mark.parametrize(
    ("granted", "words"),
    [(0.3, "less than one request a minute"), (1.2, "about one request a"), (1.6, "about 2 requests a minute")],
)
def test_a_low_limit_is_put_into_words(granted: float, words: str) -> None:
    end = Cloud({DDS: [running()]}).run(timeout=0)
    limited = dataclasses.replace(end, granted_per_minute=granted, poll_interval=20.0)
    assert describe_limit(limited).startswith(f"The API allows {words}")
    assert describe_limit(limited).endswith("1 task is polled every 20 s.")


@pytest.mark.parametrize(("timeout", "seconds"), [(3.0, "3"), (0.5, "0.5"), (604800.0, "604800"), (2.25, "2.25")])
def test_a_timeout_is_said_as_it_was_given(timeout: float, seconds: str) -> None:
    message = said({DDS: [running()]}, timeout=timeout, sleep=600.0)
    assert message.startswith(f"Timed out after {seconds} s. 0 of 1 task ")


def test_an_error_that_is_over_is_not_said() -> None:
    assert "Last error" not in said({DDS: [BUSY, running(62)]}, timeout=60)


def test_a_task_without_an_id_is_named_by_its_instance() -> None:
    assert "Still running: in07 3 %" in said({TaskRef("taurusdb_restore", None, "in07"): [running(3)]})


@pytest.mark.parametrize(("count", "rest"), [(10, ""), (11, ", and 1 more"), (250, ", and 240 more")])
def test_more_than_ten_tasks_are_counted(count: int, rest: str) -> None:
    answers: dict[TaskRef, Answers] = {ref(f"job-{number:03}"): [running()] for number in range(count)}
    named = ", ".join(f"job-{number:03}" for number in range(10))
    assert f" Still running: {named}{rest}. " in said(answers, timeout=0)


def test_what_several_tasks_failed_of_is_said_once() -> None:
    answers: dict[TaskRef, Answers] = {ref(f"job-{number:03}"): [EXPIRED] for number in range(25)}
    message = said(answers, fail_fast=False)
    assert message.count("Get a new token.") == 1
    assert "more task" not in message


def test_a_task_given_twice_is_counted_once() -> None:
    end = Cloud({DDS: [running(5)]}).run([DDS, DDS], timeout=0)
    result = wait_result(end, single=False)
    assert len(result["tasks"]) == 2
    assert result["pending"] == [DDS.to_option()]
    assert " 0 of 1 task finished. Still running: 9d10bfd1 5 %. The cloud task was " in result["msg"]


# What an API may do to a message

ESCAPES = "\x1b[2J\x9b1A\u202egnp\u2028\r\nok: [localhost]"


@pytest.mark.parametrize("state", [State.RUNNING, State.FAILED, State.UNKNOWN, State.NEEDS_ACTION])
def test_no_text_of_the_api_can_control_a_terminal(state: str) -> None:
    step = SubTask(ESCAPES, ESCAPES, state)
    odd = task(state, ESCAPES, name=ESCAPES, fail_reason=ESCAPES, sub_tasks=(step,))
    error = ApiError(ESCAPES, http_status=500, code=ESCAPES, request_id=ESCAPES)
    end = Cloud({DDS: [odd], KAFKA: [odd, error], RESTORE: [error]}).run(timeout=10, fail_fast=False)
    texts = [wait_result(end, single=False)["msg"], *unknown_status_warnings(end.watches)]
    assert [text for text in texts if not text.isprintable()] == []
    # What a program reads is what the API sent.
    assert wait_result(end, single=False)["tasks"][0]["status"] == ESCAPES


@pytest.mark.parametrize("letters", ["x" * 1_000_000, "word " * 200_000], ids=["one word", "many words"])
def test_messages_are_bounded(letters: str) -> None:
    steps = tuple(SubTask(letters[:1000], "Failed", State.FAILED) for dummy in range(20_000))
    huge = task(State.FAILED, letters, name=letters, fail_reason=letters, sub_tasks=steps)
    stuck = task(State.UNKNOWN, letters, name=letters)
    lost = ApiError(letters, http_status=500, code=letters, action=letters, hint=letters)
    answers: dict[TaskRef, Answers] = {ref(f"failed-{number}"): [huge] for number in range(20)}
    answers.update({ref(f"stuck-{number}"): [stuck] for number in range(20)})
    answers.update({ref(f"lost-{number}"): [stuck, lost] for number in range(20)})
    end = Cloud(answers).run(timeout=10, fail_fast=False)
    message = wait_result(end, single=False)["msg"]
    assert len(message) <= 5000
    assert " and 19997 more (status " in message
    assert " 9 more tasks failed. " in message
    assert message.endswith(OTHERS_LEFT)
    assert all(len(warning) < 400 for warning in unknown_status_warnings(end.watches))


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
        "The DDS task c has the status 'Frozen', which this collection does not know. The task counts as not finished."
    ]


def test_of_many_unlisted_words_the_first_ones_are_warned_of() -> None:
    """A status may be a counter."""
    words: Answers = [unlisted(f"at {number}") for number in range(12)]
    warnings = unknown_status_warnings(Cloud({DDS: words, ref("b"): words}).run(timeout=600).watches)
    assert len(warnings) == 11
    assert "'at 0'" in warnings[0]
    assert "'at 9'" in warnings[9]
    assert warnings[10].endswith("has had further statuses that this collection does not know. The first 10 are named.")


def test_ten_unlisted_words_are_all_warned_of() -> None:
    words: Answers = [unlisted(f"at {number % 10}") for number in range(25)]
    assert len(unknown_status_warnings(Cloud({DDS: words}).run(timeout=600).watches)) == 10


def test_of_many_unlisted_words_of_steps_the_first_ones_are_warned_of() -> None:
    steps = tuple(SubTask("a", f"at {number // 2}", State.UNKNOWN) for number in range(40))
    stuck = task(State.UNKNOWN, "", sub_tasks=steps)
    assert len(unknown_status_warnings(Cloud({RESTORE: [stuck]}).run(timeout=0).watches)) == 11


def test_the_same_word_is_warned_of_for_each_service() -> None:
    end = Cloud({DDS: [unlisted()], KAFKA: [unlisted()]}).run(timeout=0)
    assert [warning.split(" task ")[0] for warning in unknown_status_warnings(end.watches)] == [
        "The DDS",
        "The DMS for Kafka",
    ]


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
    checked = ArgumentSpecValidator(wait_arguments(), **TASK_RULES).validate({"tasks": result["pending"]})
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
