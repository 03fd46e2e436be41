# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of live progress: what is told, when, and that each line is complete in itself."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, SubTask, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Observation, Policy, Snapshot, TaskWatch
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._progress import (
    BAD,
    GOOD,
    HEARTBEAT_SECONDS,
    PLAIN,
    TROUBLE,
    Progress,
)

# No real clock begins at 0.
EPOCH = 1_000_000.0
RESTORE_ID = "866b2273-f5ce-44bd-bc10-949baeb22163"


def running(progress: int | None = 40, **more: t.Any) -> Task:
    return Task("dds", State.RUNNING, status="Running", progress=progress, **more)


def pending(**more: t.Any) -> Task:
    return Task("dds", State.PENDING, status="Pending", **more)


def done(**more: t.Any) -> Task:
    return Task("dds", State.SUCCEEDED, status="Completed", **more)


def failed(**more: t.Any) -> Task:
    return Task("dds", State.FAILED, status="Failed", **more)


def error(status: int | None = 503, code: str | None = "APIGW.0613", **more: t.Any) -> ApiError:
    error_class = ErrorClass.NOT_FOUND if code == "DBS.200543" else None
    return ApiError("it went wrong", error_class=error_class, http_status=status, code=code, **more)


class Scene:
    """A wait in which the test plays the clock and the cloud."""

    def __init__(self, *refs: TaskRef, host: str = "h1", blocks: bool = True, **policy: t.Any) -> None:
        self.now = EPOCH
        self.policy = Policy(**policy)
        self.watches = [TaskWatch(ref) for ref in refs or [TaskRef("dds", "a")]]
        self.told: list[tuple[str, str]] = []
        self._polls = 0
        self.progress = Progress(self._show, host=host, clock=lambda: self.now, blocks=blocks)

    def _show(self, line: str, level: str) -> None:
        self.told.append((line, level))

    def look(self, *observations: Observation, after: float = 5.0, over: bool = False) -> list[str]:
        """Look after so many seconds; a task without an observation is seen as before. Returns the new lines."""
        self.now += after
        for watch, seen in zip(self.watches, observations):
            # The readers of answers fill in the id that was asked for.
            named = seen._replace(id=watch.ref.task_id) if isinstance(seen, Task) else seen
            watch.update(named, self.now, self.policy)
        self._polls += 1
        return self.lines_of(lambda: self.progress.update(self.snapshot(over=over)))

    def snapshot(self, *, over: bool = False) -> Snapshot:
        return Snapshot(self.watches, self._polls, self.now - EPOCH, self.now, self.policy, over)

    def lines_of(self, act: t.Callable[[], None]) -> list[str]:
        before = len(self.told)
        act()
        return [line for line, dummy in self.told[before:]]

    @property
    def levels(self) -> list[str]:
        return [level for dummy, level in self.told]


def many(count: int) -> list[TaskRef]:
    return [TaskRef("dds", f"task{number:02}") for number in range(count)]


# --- the first line ---


@pytest.mark.parametrize("ends_as", [done(), failed(), error(403, "APIGW.0302")], ids=["good", "bad", "refused"])
def test_a_wait_that_is_over_at_its_first_look_is_silent(ends_as: Observation) -> None:
    scene = Scene()
    assert scene.look(ends_as, over=True) == []


def test_the_first_line_names_the_host_and_every_id_in_full() -> None:
    scene = Scene(TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"), TaskRef("kafka", "k1", "in08"))
    first = scene.look(running(id=RESTORE_ID, name="Restore"), pending(id="k1"))[0]
    assert first.startswith("[h1] waiting for 2 tasks, up to 1:00:00: ")
    assert f"TaurusDB restore Restore {RESTORE_ID}" in first
    assert "DMS for Kafka k1" in first


def test_the_first_line_tells_one_task_from_many() -> None:
    assert "waiting for 1 task, up to 0:10:00: DDS a." in Scene(timeout=600).look(running())[0]


def resume_arguments(line: str) -> list[str]:
    """The command that a shell would make of the end of a first line."""
    return shlex.split(line.partition("resume with: ")[2])


def test_the_first_line_ends_in_a_command_that_resumes_the_wait() -> None:
    refs = [
        TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"),
        TaskRef("kafka", "k1", "in08", region="eu-west-101", project_id="p2", endpoint="https://kafka.example.com"),
    ]
    command = resume_arguments(Scene(*refs).look(running(), pending())[0])
    assert command[:3] == ["ansible-playbook", "huaweicloud.tasks.wait", "-e"]
    again = json.loads(command[3])["tasks"]
    assert [TaskRef(**option) for option in again] == refs
    assert all(value is not None for option in again for value in option.values())


def test_the_command_leaves_out_what_has_finished() -> None:
    command = resume_arguments(Scene(*many(2)).look(done(), running())[0])
    assert json.loads(command[3]) == {"tasks": [{"service": "dds", "task_id": "task01"}]}


def test_the_command_survives_a_quote_in_a_name() -> None:
    ref = TaskRef("taurusdb_restore", "a", "in07", "Restore' ; true '")
    again = json.loads(resume_arguments(Scene(ref).look(error())[0])[3])
    assert [TaskRef(**option) for option in again["tasks"]] == [ref]


def test_the_first_line_of_many_tasks_has_every_id_once() -> None:
    first = Scene(*many(40)).look(*[running()] * 40)[0]
    assert "waiting for 40 tasks" in first
    assert [first.count(f"task{number:02d}") for number in range(40)] == [1] * 40


def test_the_first_line_of_very_many_tasks_stays_readable() -> None:
    first = Scene(*many(101)).look(*[running()] * 101)[0]
    assert first.endswith("waiting for 101 tasks, up to 1:00:00. If interrupted, run the same task again")


def test_the_command_says_where_to_ask() -> None:
    scene = Scene(TaskRef("dds", "a"))
    source = {"region": "ap-southeast-1", "endpoint": "https://dds.example.com"}
    told: list[str] = []
    scene.progress = Progress(
        lambda line, level: told.append(line), host="h1", clock=lambda: scene.now, blocks=True, options=source
    )
    scene.look(running(1))
    assert json.loads(resume_arguments(told[0])[3]) == {"tasks": [{"service": "dds", "task_id": "a"}], **source}


def test_there_is_one_first_line_only() -> None:
    scene = Scene()
    scene.look(running(1))
    for percent in range(2, 9):
        scene.look(running(percent))
    assert sum("waiting for" in line for line, dummy in scene.told) == 1


# --- a task's line ---


def test_a_line_is_complete_in_itself() -> None:
    scene = Scene(TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"), host="h1 -> bastion")
    steps = (
        SubTask("INIT", "complete", State.SUCCEEDED, 19),
        SubTask("RESTORE", "Running", State.RUNNING, 60, 200),
        SubTask("START", "Pending", State.PENDING, 0),
    )
    task = Task("taurusdb_restore", State.RUNNING, RESTORE_ID, "Restore", "in07", status="Running", progress=53)
    line = scene.look(task._replace(remaining_seconds=200, sub_tasks=steps), after=83)[1]
    assert line == (
        "[h1 -> bastion] TaurusDB restore 866b2273  Restore  Running  █████░░░░░  53 %  step RESTORE  "
        "elapsed 0:01:23  remaining 0:03:20"
    )


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [
        (0, "░░░░░░░░░░   0 %"),
        (9, "░░░░░░░░░░   9 %"),
        (10, "█░░░░░░░░░  10 %"),
        (99, "█████████░  99 %"),
        (100, "██████████ 100 %"),
    ],
)
def test_the_bar(percent: int, drawn: str) -> None:
    assert f"  {drawn}  " in Scene().look(running(percent))[1]


def test_the_bar_without_blocks_is_ascii() -> None:
    line = Scene(blocks=False).look(running(40))[1]
    assert "  ####------  40 %  " in line
    assert line.isascii()


def test_what_is_not_known_is_left_out() -> None:
    line = Scene().look(running(None))[1]
    assert line == "[h1] DDS a  Running  elapsed 0:00:05"


def test_a_finished_task_shows_no_bar_and_no_remaining_time() -> None:
    scene = Scene()
    scene.look(running(40))
    assert scene.look(done(progress=100, remaining_seconds=0), over=True) == ["[h1] DDS a  Completed  elapsed 0:00:10"]


def test_a_task_without_an_id_is_named_by_its_instance() -> None:
    scene = Scene(TaskRef("taurusdb_restore", instance_id="a23fb62bd61e"))
    assert scene.look(running(1))[1].startswith("[h1] TaurusDB restore a23fb62b  Running")


def test_the_failed_step_is_named() -> None:
    scene = Scene(TaskRef("taurusdb_restore", "a", "in07", "Restore"))
    scene.look(running(40))
    steps = (SubTask("INIT", "complete", State.SUCCEEDED, 100), SubTask("RESTORE", "Failed", State.FAILED, 50))
    assert "Failed  step RESTORE" in scene.look(failed(sub_tasks=steps), over=True)[0]


def test_long_waits_show_hours() -> None:
    scene = Scene()
    scene.look(running(1), after=0)
    assert "elapsed 27:46:40" in scene.look(running(2), after=100_000)[0]


@pytest.mark.parametrize(
    "text", ["two\nlines", "carriage\rreturn", "colour \x1b[31mred"], ids=["newline", "return", "escape"]
)
def test_a_line_stays_one_line_whatever_the_cloud_says(text: str) -> None:
    scene = Scene(*many(4))
    trouble = ApiError(text, kind="connection", action="Cannot reach the host")
    scene.look(running(1, name=text), Task("dds", State.UNKNOWN, status=text), trouble)
    for line, dummy in scene.told:
        assert line.isprintable(), line


# --- what is told and what is not ---


def test_only_changes_are_told() -> None:
    scene = Scene(*many(2))
    scene.look(running(10), running(10))
    assert scene.look(running(10), running(10)) == []
    (line,) = scene.look(running(10), running(11))
    assert "task01" in line


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pending(), running(None)),
        (running(40), running(41)),
        (
            running(40, sub_tasks=(SubTask("INIT", "Running", State.RUNNING),)),
            running(40, sub_tasks=(SubTask("START", "Running", State.RUNNING),)),
        ),
    ],
    ids=["status", "progress", "step"],
)
def test_each_change_is_one_line(before: Task, after: Task) -> None:
    scene = Scene()
    scene.look(before)
    assert len(scene.look(after)) == 1
    assert scene.look(after) == []


def test_a_new_estimate_alone_is_no_change() -> None:
    scene = Scene()
    scene.look(running(40, remaining_seconds=60))
    assert scene.look(running(40, remaining_seconds=55)) == []


def test_the_same_task_given_twice_is_told_once() -> None:
    scene = Scene()
    scene.watches *= 2
    lines = scene.look(running(40))
    assert "waiting for 1 task" in lines[0]
    assert len(lines) == 2


def test_looks_within_a_second_are_told_together_later() -> None:
    scene = Scene(*many(2))
    scene.look(running(10), running(10))
    assert scene.look(running(20), running(10), after=0.4) == []
    assert scene.look(running(30), running(10), after=0.4) == []
    (line,) = scene.look(running(30), running(10), after=0.4)
    assert "task00" in line
    assert " 30 %" in line


def test_the_end_is_told_at_once() -> None:
    scene = Scene()
    scene.look(running(10))
    assert scene.look(done(), after=0.1, over=True) == ["[h1] DDS a  Completed  elapsed 0:00:05"]


def test_levels() -> None:
    scene = Scene(*many(4))
    scene.look(running(1), running(1), running(1), running(1))
    assert set(scene.levels) == {PLAIN}
    del scene.told[:]
    scene.look(done(), failed(), error(), Task("dds", State.NEEDS_ACTION, status="Unauthorized"))
    levels = {line.split()[2]: level for line, level in scene.told}
    assert levels == {"task00": GOOD, "task01": BAD, "task02": TROUBLE, "task03": BAD}


# --- trouble ---


def test_trouble_is_told_once_and_so_is_its_end() -> None:
    scene = Scene()
    scene.look(running(40))
    (line,) = scene.look(error())
    assert line == "[h1] DDS a  Running, 503 APIGW.0613, asking again  ████░░░░░░  40 %  elapsed 0:00:10"
    assert scene.look(error()) == []
    assert scene.look(running(40)) == ["[h1] DDS a  Running  ████░░░░░░  40 %  elapsed 0:00:20"]
    assert scene.look(running(40)) == []


def test_other_trouble_is_told_anew() -> None:
    scene = Scene()
    scene.look(error(503, "APIGW.0613"))
    assert "429 APIGW.0308" in scene.look(error(429, "APIGW.0308"))[0]


def test_trouble_without_an_answer_says_what_happened() -> None:
    scene = Scene()
    trouble = ApiError("Connection timed out", kind="connection", action="The host could not be reached")
    line = scene.look(trouble)[1]
    assert line == "[h1] DDS a  no answer (Connection timed out), asking again  elapsed 0:00:05"
    scene.look(running(1))
    assert "Running, no answer (Connection timed out)" in scene.look(trouble)[0]


def test_an_id_that_is_not_known_yet_is_trouble() -> None:
    scene = Scene()
    assert scene.look(error(400, "DBS.200543"))[1] == "[h1] DDS a  400 DBS.200543, asking again  elapsed 0:00:05"
    assert scene.levels == [PLAIN, TROUBLE]


def test_a_task_that_is_given_up_is_told_as_such() -> None:
    scene = Scene(*many(2), error_grace=10.0)
    scene.look(running(1), running(1))
    scene.look(error(), running(1))
    (line,) = scene.look(error(), running(1), after=10)
    assert "Running, 503 APIGW.0613, given up" in line
    assert scene.levels[-1] == BAD


def test_no_line_shows_more_of_an_error_than_its_code() -> None:
    """Bodies and addresses that come with an error may hold what nobody should read in a log."""
    secret = "MIIDkgYJKoZIhvcNAQcCoIIDgzCCA38CAQExDTALBglghkgBZQMEAgEw"
    scene = Scene()
    scene.look(error(hint=secret, body={"token": secret}, action=f"GET https://example.com/?x={secret}"))
    assert len(scene.told) == 2
    assert not any(secret in line for line, dummy in scene.told)


# --- many tasks ---


def test_forty_tasks_in_one_look_are_ten_lines_and_the_totals() -> None:
    scene = Scene(*many(40))
    lines = scene.look(*[pending()] * 40)
    assert len(lines) == 12
    assert lines[-1] == "[h1] 0 of 40 finished, 40 pending"
    lines = scene.look(*[done()] * 37, running(62), running(80), pending())
    assert len(lines) == 11
    assert lines[-1] == "[h1] 37 of 40 finished, 2 running, 1 pending, slowest 62 %"


def test_what_went_wrong_comes_first_among_many() -> None:
    scene = Scene(*many(40))
    scene.look(*[pending()] * 40)
    lines = scene.look(*[running(5)] * 30, *[done()] * 8, error(), failed())
    assert "task39" in lines[0]
    assert "Failed" in lines[0]
    assert "task38" in lines[1]
    assert lines[-1] == (
        "[h1] 9 of 40 finished, 1 failed, 30 running, 1 pending, 1 without a good answer (HTTP 503), slowest 5 %"
    )


def test_few_tasks_need_no_totals() -> None:
    assert len(Scene(*many(10)).look(*[running(1)] * 10)) == 11


def test_totals_tell_of_tasks_that_were_never_seen() -> None:
    lines = Scene(*many(12)).look(*[running(1)] * 11, error(400, "DBS.200543"))
    assert lines[-1] == "[h1] 0 of 12 finished, 11 running, 1 not seen, slowest 1 %"


def test_totals_name_every_state() -> None:
    states = [State.CANCELED, State.NEEDS_ACTION, State.UNKNOWN]
    tasks = [Task("dds", state, status="x") for state in states]
    totals = Scene(*many(12)).look(*tasks, *[pending()] * 9)[-1]
    assert totals == "[h1] 1 of 12 finished, 2 failed, 1 needs action, 1 unknown, 9 pending"


# --- the sign of life ---


def test_a_heartbeat_after_a_minute_of_silence() -> None:
    scene = Scene()
    scene.look(running(40), after=1)
    assert scene.progress.seconds_until_heartbeat() == HEARTBEAT_SECONDS == 60
    scene.now += 59
    assert scene.lines_of(scene.progress.heartbeat) == []
    scene.now += 1
    assert scene.lines_of(scene.progress.heartbeat) == [
        "[h1] 0 of 1 finished, 1 running, slowest 40 %, still waiting after 0:01:01"
    ]
    assert scene.lines_of(scene.progress.heartbeat) == []


@pytest.mark.parametrize(
    ("troubles", "said"),
    [
        ([error(503, None)], "1 running, 1 without a good answer (HTTP 503)"),
        ([ApiError("timed out", kind="connection")], "1 running, 1 without a good answer (no answer)"),
        (
            [error(503, None), error(503, None), ApiError("timed out", kind="connection")],
            "3 running, 3 without a good answer (HTTP 503, no answer)",
        ),
    ],
)
def test_a_heartbeat_tells_of_trouble(troubles: list[ApiError], said: str) -> None:
    scene = Scene(*many(len(troubles)))
    scene.look(*[running(None)] * len(troubles))
    scene.look(*troubles)
    scene.now += 60
    (beat,) = scene.lines_of(scene.progress.heartbeat)
    assert beat == f"[h1] 0 of {len(troubles)} finished, {said}, still waiting after 0:01:10"
    scene.look(*[running(None)] * len(troubles))
    scene.now += 60
    assert "answer" not in scene.lines_of(scene.progress.heartbeat)[0]


def test_looks_without_a_change_do_not_put_off_the_heartbeat() -> None:
    scene = Scene()
    scene.look(running(40), after=0)
    scene.look(running(40), after=30)
    assert scene.progress.seconds_until_heartbeat() == 30
    scene.now += 30
    assert len(scene.lines_of(scene.progress.heartbeat)) == 1


def test_a_change_puts_off_the_heartbeat() -> None:
    scene = Scene()
    scene.look(running(40), after=0)
    scene.look(running(41), after=50)
    assert scene.progress.seconds_until_heartbeat() == 60


def test_heartbeats_go_on() -> None:
    scene = Scene()
    scene.look(running(40), after=0)
    beats = []
    for dummy in range(600):
        scene.now += 1
        beats += scene.lines_of(scene.progress.heartbeat)
    assert len(beats) == 10
    assert beats[-1].endswith("still waiting after 0:10:00")


def test_a_first_look_that_is_long_in_coming_is_no_silence() -> None:
    scene = Scene(*many(2))
    scene.progress.begin(scene.snapshot())
    scene.now += 59
    assert scene.lines_of(scene.progress.heartbeat) == []
    assert scene.progress.seconds_until_heartbeat() == 1
    scene.now += 1
    first, beat = scene.lines_of(scene.progress.heartbeat)
    assert "waiting for 2 tasks" in first
    assert beat == "[h1] 0 of 2 finished, 2 not seen, still waiting after 0:01:00"
    # The first line is not told again.
    assert len(scene.look(running(1), running(1))) == 2


def test_every_line_names_its_host() -> None:
    scene = Scene(*many(40), host="db-7")
    scene.look(*[pending()] * 40)
    scene.look(*[running(1)] * 39, error())
    scene.now += 61
    scene.progress.heartbeat()
    assert len(scene.told) == 24
    assert all(re.match(r"\[db-7\] \S", line) for line, dummy in scene.told)
