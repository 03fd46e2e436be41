# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every wait, whatever the cloud answers, however long it takes, and whatever is wanted."""

from __future__ import annotations

import json
import re
import typing as t

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass, classify_error
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import unknown_status_warnings, wait_result
from ansible_collections.huaweicloud.tasks.plugins.module_utils._schedule import JITTER
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES, Service
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import FINISHED_STATES, State, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import WaitView
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import CODES, Cloud, steps

# Sums of floating-point seconds differ by less than this.
EPSILON = 1e-5
MAX_POLLS = 500
WORDS = [*{word for service in SERVICES.values() for word in service.statuses}, "Paused", "", "SUCCEEDED", None]
KEYS = {"changed", "tasks", "task", "pending", "elapsed", "polls", "msg", "failure"}
KINDS = {
    "task_failed",
    "timeout",
    "stalled",
    "not_found",
    "needs_action",
    "unauthorized",
    "api_error",
    "connection",
}

seconds = st.one_of(st.integers(0, 200).map(float), st.floats(0, 200))
short = st.one_of(st.sampled_from([1.0, 5.0, 30.0]), st.floats(0.7, 60))
refs = st.builds(
    TaskRef,
    st.sampled_from(list(SERVICES)),
    task_id=st.sampled_from("abc"),
    instance_id=st.none() | st.just("i"),
    task_name=st.none() | st.just("RestoreX"),
    region=st.none() | st.just("ap-southeast-1"),
    project_id=st.none(),
    endpoint=st.none(),
    api=st.none(),
)
policies = st.builds(
    Policy,
    timeout=seconds,
    delay=st.just(0.0) | seconds,
    sleep=short,
    max_sleep=short,
    stall_timeout=st.none() | seconds,
    not_found_grace=seconds,
    error_grace=seconds,
    require=st.sampled_from(["all", "any"]),
    fail_fast=st.booleans(),
    poll_once=st.sampled_from([False, False, False, True]),
)

CODE_WORDS = [None, "DBS.200543", "APIGW.0101", "APIGW.0308", "DMS.10240407", "DBS.280056", "odd"]
STATUSES = [None, 200, 302, 400, 401, 403, 404, 429, 500, 503]
ERRORS = [
    ApiError(
        "it went wrong",
        error_class=error_class or classify_error(status, code, CODES),
        http_status=status,
        code=code,
        retry_after=retry_after,
        request_id="req-1" if status else None,
        action="Cannot read the task",
        hint=hint,
    )
    for error_class, hint in ((None, "Do something about it."), (None, ""), (ErrorClass.TRANSIENT, "Wait."))
    for status in STATUSES
    for code in (CODE_WORDS if status else [None])
    for retry_after in (None, 0.0, 7.0, 1e9)
]


def tasks_of(service: Service) -> list[Task]:
    """Tasks of a service with any word; what the word means is for the service's table to say."""
    return [
        Task(
            service=service.name,
            state=service.state_of(word),
            status=word,
            name=name,
            progress=progress,
            remaining_seconds=remaining,
            fail_reason=fail_reason,
            sub_tasks=sub_tasks,
        )
        for word in WORDS
        for progress in (None, 0, 62, 100)
        for remaining in (None, 0, 9, 10**11)
        for sub_tasks in ((), steps(10), steps(100, 3))
        for name, fail_reason in ((None, None), ("RestoreTaurusInInstanceToExisted", "disk full"))
    ]


TASKS = {name: tasks_of(service) for name, service in SERVICES.items()}
# What ends nothing: most scripts begin with some of it, so that not all waits are over at once.
WAITING = {name: [task for task in tasks if not task.finished] for name, tasks in TASKS.items()}
PASSING = [error for error in ERRORS if error.error_class in (ErrorClass.TRANSIENT, ErrorClass.NOT_FOUND)]


def scripts(service: str) -> st.SearchStrategy[list[Observation]]:
    """What a task of a service answers."""
    beginnings = st.lists(st.sampled_from([*WAITING[service], *PASSING * 3]), max_size=8)
    ends = st.lists(st.sampled_from([*TASKS[service], *ERRORS]), min_size=1, max_size=4)
    return st.builds(lambda beginning, end: [*beginning, *end], beginnings, ends)


# Hypothesis examines every new strategy; that is done once.
SCRIPTS = {service: scripts(service) for service in SERVICES}
RUNNING = {
    service: st.lists(st.sampled_from([task for task in tasks if task.state == State.RUNNING]), min_size=1)
    for service, tasks in WAITING.items()
}


def always(test: t.Callable[..., None]) -> t.Callable[..., None]:
    """No limit for a single example: machines that run tests can be slow."""
    return settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])(test)


class Witness(Cloud):
    """Remembers for itself what each task answered last, and how long polls took."""

    def __init__(self, *arguments: t.Any, **more: t.Any) -> None:
        super().__init__(*arguments, **more)
        self.latest: dict[TaskRef, Observation] = {}
        self.took: list[float] = []
        self.unlisted: set[tuple[str, str]] = set()

    def probe(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        assert len(self.batches) < MAX_POLLS, "the wait has no end"
        begun = self.now
        answers = super().probe(refs)
        self.took.append(self.now - begun)
        self.latest.update(zip(refs, answers))
        self.unlisted |= {
            (SERVICES[answer.service].title, answer.status or "")
            for answer in answers
            if isinstance(answer, Task) and answer.state == State.UNKNOWN
        }
        return answers


class Run(t.NamedTuple):
    """A wait that has come to its end, and what it was made of."""

    waited_for: list[TaskRef]
    policy: Policy
    cloud: Witness
    end: WaitView
    latest: dict[TaskRef, Observation]


@st.composite
def runs(draw: st.DrawFn) -> Run:
    policy = draw(policies)
    waited_for = draw(st.lists(refs, min_size=1 if policy.require == "any" else 0, max_size=5))
    cloud = Witness(
        {each: draw(SCRIPTS[each.service]) for each in waited_for},
        durations=draw(st.just([0.0]) | st.lists(seconds, min_size=1, max_size=5)),
        random=draw(st.floats(0, 1, exclude_max=True)),
    )
    return Run(waited_for, policy, cloud, cloud.wait(policy, waited_for).run(), cloud.latest)


def succeeded(observation: Observation | None) -> bool:
    """Whether the API itself said a listed word of success; asked of the table, not of the waiter."""
    if not isinstance(observation, Task):
        return False
    return SERVICES[observation.service].statuses.get((observation.status or "").lower()) == State.SUCCEEDED


@always
@given(runs())
def test_it_ends_by_the_deadline_plus_one_poll(run: Run) -> None:
    last_poll = run.cloud.took[-1] if run.cloud.took else 0.0
    assert run.end.over
    assert run.end.elapsed <= run.policy.timeout + last_poll + EPSILON
    # No poll begins after the deadline.
    assert all(at <= run.policy.timeout + EPSILON for at in run.cloud.polled_from)


def polls_of(run: Run) -> list[list[tuple[float, float]]]:
    """When each task was polled: the beginnings and ends."""
    times = list(zip(run.cloud.polled_from, run.cloud.took))
    return [
        [(at, at + took) for (at, took), batch in zip(times, run.cloud.batches) if each in batch]
        for each in dict.fromkeys(run.waited_for)
    ]


@always
@given(runs())
def test_the_number_of_polls_is_bounded(run: Run) -> None:
    assert run.end.polls == len(run.cloud.batches)
    assert all(len(polls) <= run.policy.timeout / run.policy.sleep + 2 for polls in polls_of(run))
    if run.policy.poll_once or run.policy.timeout == 0:
        assert run.end.polls <= 1


@always
@given(runs())
def test_polls_of_a_task_are_never_closer_than_the_shortest_pause_but_for_the_last(run: Run) -> None:
    for polls in polls_of(run):
        gaps = [later - earlier for (earlier, dummy), (later, dummy) in zip(polls, polls[1:])]
        assert all(gap >= run.policy.sleep - EPSILON for gap in gaps[:-1])
        if gaps and gaps[-1] < run.policy.sleep - EPSILON:
            assert polls[-1][0] >= run.policy.timeout - EPSILON


@always
@given(runs())
def test_half_the_shortest_pause_is_rest_however_long_a_poll_took(run: Run) -> None:
    for polls in polls_of(run):
        rests = [later - earlier for (dummy, earlier), (later, dummy) in zip(polls, polls[1:])]
        assert all(rest >= run.policy.sleep / 2 - EPSILON for rest in rests[:-1])


@always
@given(runs())
def test_throttling_ends_nothing_before_the_timeout(run: Run) -> None:
    errors = [watch.final_error for watch in run.end.watches if watch.final_error]
    assert all(error.error_class is not ErrorClass.THROTTLED for error in errors)


@always
@given(runs())
def test_pauses_have_an_upper_bound(run: Run) -> None:
    longest = max(300.0, max(run.policy.max_sleep, run.policy.sleep) * (1 + JITTER))
    assert all(0 < pause <= longest + run.policy.sleep + EPSILON for pause in run.cloud.sleeps[1:])


@always
@given(runs())
def test_success_needs_a_listed_word_of_every_required_task(run: Run) -> None:
    if run.end.failure is not None or run.policy.poll_once or not run.waited_for:
        return
    enough = any if run.policy.require == "any" else all
    assert enough(succeeded(run.latest.get(each)) for each in run.waited_for)


@always
@given(runs())
def test_success_is_never_missed(run: Run) -> None:
    enough = any if run.policy.require == "any" else all
    if enough(succeeded(run.latest.get(each)) for each in run.waited_for) and run.waited_for:
        assert run.end.failure is None


@always
@given(runs())
def test_a_wait_without_failure_is_a_success_or_a_check(run: Run) -> None:
    good = sum(watch.succeeded for watch in run.end.watches)
    is_success = good > 0 if run.policy.require == "any" else good == len(run.end.watches)
    if not run.policy.poll_once and run.waited_for:
        assert (run.end.failure is None) == is_success
    if run.end.failure is not None:
        assert run.end.failure.kind in KINDS
        assert run.end.failure.message or run.end.failure.watch


@always
@given(runs())
def test_no_task_is_lost(run: Run) -> None:
    assert [watch.ref for watch in run.end.watches] == run.waited_for
    result = wait_result(run.end, single=False)
    assert [entry["id"] for entry in result["tasks"]] == [each.task_id for each in run.waited_for]
    seen = {each: answer for each, answer in run.latest.items() if isinstance(answer, Task)}
    for each, entry in zip(run.waited_for, result["tasks"]):
        if each in seen:
            assert (entry["status"], entry["state"]) == (seen[each].status, seen[each].state)


@always
@given(runs())
def test_errors_are_kept(run: Run) -> None:
    result = wait_result(run.end, single=False)
    for each, entry in zip(run.waited_for, result["tasks"]):
        answer = run.latest.get(each)
        if isinstance(answer, ApiError):
            assert entry["error"] == answer.to_failure()


@always
@given(runs())
def test_pending_are_those_that_have_not_finished_and_fit_in_again(run: Run) -> None:
    result = wait_result(run.end, single=False)
    left = [each for each, entry in zip(run.waited_for, result["tasks"]) if entry["state"] not in FINISHED_STATES]
    assert refs_of({"tasks": result["pending"]}) == list(dict.fromkeys(left))


@always
@given(runs())
def test_finished_tasks_are_not_polled_again(run: Run) -> None:
    ended: set[TaskRef] = set()
    indices: dict[TaskRef, int] = {}
    for batch in run.cloud.batches:
        assert not ended & set(batch)
        assert len(batch) == len(set(batch))
        for each in batch:
            script = t.cast("list[Observation]", run.cloud._answers[each])
            index = indices.get(each, 0)
            indices[each] = index + 1
            answer = script[min(index, len(script) - 1)]
            if isinstance(answer, Task) and answer.finished:
                ended.add(each)


@always
@given(runs(), st.booleans())
def test_the_result_is_json_of_one_shape(run: Run, single: bool) -> None:
    result = wait_result(run.end, single=single)
    assert set(result) == KEYS
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["changed"] is False
    assert result["task"] == (result["tasks"][0] if single and result["tasks"] else None)
    for entry in result["tasks"]:
        assert set(entry) == set(Task("dds", "unknown").to_dict()) | {"error"}
    assert result["failure"] is None or set(result["failure"]) == {
        "kind",
        "code",
        "message",
        "http_status",
        "request_id",
    }


@always
@given(runs())
def test_the_message_is_sentences_and_says_how_to_go_on(run: Run) -> None:
    result = wait_result(run.end, single=False)
    assert result["msg"] == " ".join(result["msg"].split())
    assert result["msg"][-1] in ".!?"
    assert ".." not in result["msg"] and "None" not in result["msg"]
    if result["failure"] and result["pending"]:
        assert ' with `tasks: "{{ result.pending }}"`' in result["msg"].rpartition("not canceled;")[2]
    for entry in result["tasks"][:10]:
        if result["failure"] and entry["state"] not in FINISHED_STATES:
            assert entry["id"] in result["msg"]


@always
@given(runs())
def test_every_poll_is_reported(run: Run) -> None:
    assert len(run.cloud.updates) == run.end.polls
    if run.cloud.updates:
        assert run.cloud.updates[-1] is run.end
        assert [update.over for update in run.cloud.updates] == [False] * (run.end.polls - 1) + [True]


@always
@given(runs())
def test_warnings_name_each_unlisted_word_once(run: Run) -> None:
    warnings = unknown_status_warnings(run.end.watches)
    pattern = r"The (.+) task .+ has (?:the status '(.+)', which|no status: there is nothing at) .+"
    named = [re.fullmatch(pattern, warning) for warning in warnings]
    statuses = [match.groups(default="") for match in named if match]
    assert len(statuses) == len(warnings)
    assert sorted(statuses) == sorted(run.cloud.unlisted)


@always
@given(st.lists(refs, min_size=1, max_size=4), seconds, short, st.data())
def test_a_task_that_never_finishes_runs_out_of_time_to_the_second(
    waited_for: list[TaskRef], timeout: float, sleep: float, data: st.DataObject
) -> None:
    cloud = Cloud({each: data.draw(RUNNING[each.service]) for each in waited_for})
    end = cloud.wait(Policy(timeout=timeout, sleep=sleep)).run()
    assert end.failure and end.failure.kind == "timeout"
    assert abs(end.elapsed - timeout) <= EPSILON
