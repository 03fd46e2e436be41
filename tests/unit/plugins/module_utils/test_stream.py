# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What polls bring, on their way to the plugin: whole, however short a secret is, and without any secret."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import CHOICES, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import Channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._result import wait_result
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import (
    Mask,
    Stream,
    decode,
    encode,
    seal,
    unseal,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, SubTask, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import new_waiter

REF = TaskRef("dds", "9d10bfd1", "instance1")
TASK = Task(
    "dds",
    State.RUNNING,
    id="9d10bfd1",
    name="Create_MongoDB",
    instance_id="instance1",
    status="Running",
    progress=40,
    remaining_seconds=120,
    created_at="2021-07-13T07:28:43+0000",
    fail_reason="none",
    sub_tasks=(SubTask("INIT", "Completed", State.SUCCEEDED, 100, 0), SubTask("COPY", "Running", State.RUNNING, 1)),
    details={"entities": {"list": [1, 2.5, None, True, "text"]}},
)
ERROR = ApiError(
    "flow control",
    error_class=ErrorClass.TRANSIENT,
    code="APIGW.0308",
    http_status=403,
    request_id="1f",
    action="Cannot read the DDS task",
    hint="Retry later.",
    retry_after=2.5,
)
OBSERVATIONS: list[Observation] = [TASK, ERROR, ApiError("no route", kind="connection", http_status=None)]
NONE = Mask((), ())


def options(**given: t.Any) -> dict[str, t.Any]:
    """The options of a wait as Ansible gives them."""
    return {**{name: spec.get("default") for name, spec in wait_arguments().items()}, **given}


def shape(observation: Observation) -> t.Any:
    """Everything that a wait makes of an observation."""
    if isinstance(observation, Task):
        return observation.to_dict()
    return (encode(observation), str(observation), observation.error_class)


@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_observations_are_read_back(observation: Observation) -> None:
    through_json = json.loads(json.dumps(encode(observation)))
    assert shape(decode(through_json)) == shape(observation)


def essence(observation: Observation) -> t.Any:
    """What a wait decides by, and what a line shows that is no text of the API's."""
    if isinstance(observation, Task):
        steps = [(step.state, step.progress, step.remaining_seconds) for step in observation.sub_tasks]
        task = observation
        return (task.id, task.state, task.status, task.progress, task.remaining_seconds, task.instance_id, steps)
    error = observation
    return (error.error_class, error.kind, error.http_status, error.retry_after)


@pytest.mark.parametrize("secret", [*'aeinst0123456789.:{}[]", -u', "None", "true", "running", "40", "2.5", "403"])
def test_short_secrets_break_nothing(secret: str) -> None:
    """Neither on the way through Ansible's own masking, nor by ours."""
    sealed = remove_values({"observations": seal(OBSERVATIONS, Mask([secret], [REF]))}, {secret})
    received = unseal(sealed["observations"])
    assert [essence(each) for each in received] == [essence(each) for each in OBSERVATIONS]


SECRETS = ["hunter2", "hunter2-and-more", ""]


def test_secrets_are_masked_in_texts() -> None:
    said = "bad token hunter2-and-more, hunter2"
    seen: list[Observation] = [
        TASK._replace(
            name=said,
            status=said,
            fail_reason="hunter2",
            instance_name=said,
            sub_tasks=(SubTask(said, said, State.RUNNING),),
            details={"deep": [{"state": said}]},
        ),
        ApiError(said, code=said, request_id=said, action=said, hint=said),
    ]
    text = json.dumps(seal(seen, Mask(SECRETS, [REF])))
    assert "hunter2" not in text
    assert "and-more" not in text
    masked = unseal(seal(seen, Mask(SECRETS, [REF])))[0]
    assert isinstance(masked, Task)
    assert (masked.name, masked.fail_reason) == (
        "bad token ********, ********",
        "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
    )


@pytest.mark.parametrize("secret", ["Abc.123", "DBS.280056"])
def test_a_secret_that_looks_like_a_code_is_masked(secret: str) -> None:
    (masked,) = unseal(seal([ApiError(f"bad token {secret}", code=secret)], Mask([secret], [])))
    assert isinstance(masked, ApiError)
    assert (masked.message, masked.code) == ("bad token ********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")


def test_the_name_of_every_service_stays() -> None:
    """Also that of the row which a play describes: the plugin looks the row up by it."""
    assert [Mask(["custom", "cust", "d"], [])(name) for name in CHOICES] == list(CHOICES)


def test_a_secret_that_is_obtained_on_the_way_is_masked() -> None:
    secrets: set[str] = set()
    mask = Mask(secrets, [])
    secrets.add("token1")
    assert mask("bad token1") == "bad ********"


def test_odd_texts() -> None:
    odd = TASK._replace(name="\ud800 \x00 \u2028 é", details={"": [], "__ansible_type": "x"})
    assert unseal(seal([odd], NONE)) == [odd]


# The stream


class Recorder(Channel):
    """Keeps what is sent."""

    def __init__(self, *, connected: bool = True) -> None:
        super().__init__()
        self.sent: list[dict[str, t.Any]] = []
        self.is_connected = connected

    @property
    def connected(self) -> bool:
        return self.is_connected

    def send(self, message: dict[str, t.Any]) -> None:
        self.sent.append(json.loads(json.dumps(message)))


def test_a_wait_is_streamed() -> None:
    """The plugin can follow it: each poll with what it brought, then the result."""
    first, second = REF, TaskRef("kafka", "k", "i")
    script: list[list[Observation]] = [
        [TASK, ApiError("flow control", http_status=502)],
        [TASK._replace(state=State.SUCCEEDED), Task("kafka", State.RUNNING)],
        [Task("kafka", State.SUCCEEDED)],
    ]
    channel = Recorder()
    refs = [first, second, first]
    stream = Stream(channel, refs, ["flow"])
    answers = iter(script)
    waiter = new_waiter(
        options(sleep=0.001, max_sleep=0.001),
        refs,
        probe=stream.through(lambda refs: next(answers)),
        on_update=stream.update,
    )
    stream.begin()
    stream.end(wait_result(waiter.run(), single=False))
    begin, *polls, end = channel.sent
    assert begin == {"begin": True}
    assert [[index for index, dummy in poll["observations"]] for poll in polls] == [[0, 1], [0, 1], [1]]
    assert [poll["figures"]["over"] for poll in polls] == [False, False, True]
    assert sorted(poll["now"] for poll in polls) == [poll["now"] for poll in polls]
    assert decode(polls[0]["observations"][0][1]) == TASK
    assert polls[0]["observations"][1][1]["error"]["message"] == "******** control"
    assert end["result"]["polls"] == 3
    assert end["result"]["failure"] is None


def test_a_poll_that_was_late_is_streamed_as_such() -> None:
    """So that patience ends in the plugin when it does in the module."""
    channel = Recorder()
    refs = [TaskRef("kafka", "k", "i"), REF]
    stream = Stream(channel, refs, ())
    waiter = new_waiter(options(), refs, probe=lambda refs: [])
    waiter.record({REF: TASK}, 5.0, {REF: 2.5})
    stream.update(waiter.view())
    waiter.record({REF: TASK}, 6.0, {})
    stream.update(waiter.view())
    assert [message["late"] for message in channel.sent] == [[[1, 2.5]], []]


def test_without_a_plugin_nothing_is_worked_out_for_it() -> None:
    channel = Recorder(connected=False)
    stream = Stream(channel, [REF], ())
    waiter = new_waiter(
        options(), [REF], probe=stream.through(lambda *dummy: [Task("dds", State.SUCCEEDED)]), on_update=stream.update
    )
    stream.end(wait_result(waiter.run(), single=False))
    assert channel.sent == []
