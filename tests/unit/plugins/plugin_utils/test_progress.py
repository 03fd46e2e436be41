# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of live progress: what is told, when, and that each line is complete in itself."""

from __future__ import annotations

import json
import re
import shlex
import time
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, SubTask, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation, TaskWatch
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import WaitView
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._progress import (
    BAD,
    GOOD,
    HEARTBEAT_SECONDS,
    LAST,
    PLAIN,
    TROUBLE,
    Progress,
)

# No real clock begins at 0.
EPOCH = 1_000_000.0
# 2026-05-01, in UTC.
TEN_O_CLOCK = 1_777_629_600.0
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


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Scene:
    """A wait in which the test plays the clock and the cloud."""

    def __init__(
        self,
        *refs: TaskRef,
        host: str = "h1",
        blocks: bool = True,
        options: dict[str, t.Any] | None = None,
        **policy: t.Any,
    ) -> None:
        self.now = EPOCH
        self.policy = Policy(**policy)
        self.watches = [TaskWatch(ref) for ref in refs or [TaskRef("dds", "a")]]
        self.told: list[tuple[str, str]] = []
        self._polls = 0
        self.limit: dict[str, t.Any] = {}
        self.progress = Progress(
            self._show,
            host=host,
            clock=lambda: self.now,
            blocks=blocks,
            options=options,
            wall_clock=lambda: TEN_O_CLOCK + self.now - EPOCH,
        )

    def _show(self, line: str, level: str) -> None:
        self.told.append((line, level))

    def poll(self, *observations: Observation, after: float = 5.0, over: bool = False) -> list[str]:
        """Poll after so many seconds; a task without an observation is seen as before. Returns the new lines."""
        self.now += after
        for watch, seen in zip(self.watches, observations):
            # The readers of answers fill in the id that was asked for.
            named = seen._replace(id=watch.ref.task_id) if isinstance(seen, Task) else seen
            watch.update(named, self.now, self.policy)
        self._polls += 1
        return self.lines_of(lambda: self.progress.update(self.view(over=over)))

    def view(self, *, over: bool = False) -> WaitView:
        return WaitView(self.watches, self._polls, self.now - EPOCH, self.now, self.policy, over, **self.limit)

    def lines_of(self, act: t.Callable[[], None]) -> list[str]:
        before = len(self.told)
        act()
        return [line for line, dummy in self.told[before:]]

    def beat(self) -> list[str]:
        """The lines of a heartbeat, but for the command that the first one brings."""
        return [line for line in self.lines_of(self.progress.heartbeat) if "resume" not in line]

    @property
    def levels(self) -> list[str]:
        return [level for dummy, level in self.told]


def many(count: int) -> list[TaskRef]:
    return [TaskRef("dds", f"task{number:02}") for number in range(count)]


# --- the first line ---


@pytest.mark.parametrize("ends_as", [done(), failed(), error(403, "APIGW.0302")], ids=["good", "bad", "refused"])
def test_a_wait_that_is_over_at_its_first_poll_is_silent(ends_as: Observation) -> None:
    scene = Scene()
    assert scene.poll(ends_as, over=True) == []


def test_the_first_line_says_how_many_tasks_and_until_when() -> None:
    assert Scene(*many(3)).poll(*[running()] * 3)[0] == "[h1] waiting for 3 tasks, until 11:00:00 UTC at the latest"
    assert Scene(timeout=600).poll(running())[0] == "[h1] waiting for 1 task, until 10:10:00 UTC at the latest"


def test_the_first_line_says_of_how_many_tasks_some_have_ended() -> None:
    scene = Scene(*many(3))
    assert scene.poll(done(), running(), done())[0].startswith("[h1] waiting for 1 of 3 tasks, until ")


def test_the_first_line_of_a_long_wait_has_a_date() -> None:
    assert Scene(timeout=86_400).poll(running())[0].endswith(", until 2026-05-02 10:00 UTC at the latest")
    assert Scene(timeout=1e15).poll(running())[0] == "[h1] waiting for 1 task"


def test_the_first_line_of_many_tasks_is_short() -> None:
    assert len(Scene(*many(1000)).poll(*[running()] * 1000)[0]) < 80


def test_there_is_one_first_line_only() -> None:
    scene = Scene()
    scene.poll(running(1))
    for percent in range(2, 9):
        scene.poll(running(percent))
    assert sum("waiting for" in line for line, dummy in scene.told) == 1


# --- the command that resumes the wait ---


def ended_line(scene: Scene, *observations: Observation) -> str:
    """The last line of a wait that ends after two polls with these observations."""
    scene.poll(*[running(1)] * len(observations))
    return scene.poll(*observations, over=True)[-1]


def resume_arguments(line: str) -> list[str]:
    """The command that a shell would make of the end of a line."""
    return shlex.split(line.partition("resume with: ")[2])


def test_a_wait_that_fails_ends_in_a_command_that_resumes_it() -> None:
    refs = [
        TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"),
        TaskRef("kafka", "k1", "in08", region="eu-west-101", project_id="p2", endpoint="https://kafka.example.com"),
    ]
    line = ended_line(Scene(*refs), running(), pending())
    assert line.startswith("[h1] resume with: ")
    command = resume_arguments(line)
    assert command[:3] == ["ansible-playbook", "huaweicloud.tasks.wait", "-e"]
    again = json.loads(command[3])["tasks"]
    assert [TaskRef(**option) for option in again] == refs
    assert all(value is not None for option in again for value in option.values())


def test_the_command_leaves_out_what_the_api_never_knew() -> None:
    scene = Scene(*many(2), not_found_grace=5.0, fail_fast=False)
    unknown = error(400, "DBS.200543")
    scene.poll(unknown, running(1))
    lines = scene.poll(unknown, running(2), after=10, over=True)
    assert json.loads(resume_arguments(lines[-1])[3]) == {"tasks": [{"service": "dds", "task_id": "task01"}]}


def test_a_wait_for_an_id_that_the_api_never_knew_needs_no_command() -> None:
    scene = Scene(not_found_grace=5.0)
    unknown = error(400, "DBS.200543")
    scene.poll(unknown)
    (line,) = scene.poll(unknown, after=10, over=True)
    assert line.endswith("not found (HTTP 400 DBS.200543), gave up")


def test_the_command_leaves_out_what_has_finished() -> None:
    command = resume_arguments(ended_line(Scene(*many(2)), failed(), running()))
    assert json.loads(command[3]) == {"tasks": [{"service": "dds", "task_id": "task01"}]}


def test_an_interrupted_wait_ends_in_a_command_that_resumes_it() -> None:
    scene = Scene(*many(2))
    assert scene.lines_of(scene.progress.interrupted) == []
    scene.poll(done(), running())
    (line,) = scene.lines_of(scene.progress.interrupted)
    assert line.startswith("[h1] interrupted; resume with: ")
    assert json.loads(resume_arguments(line)[3]) == {"tasks": [{"service": "dds", "task_id": "task01"}]}
    assert scene.levels[-1] == LAST
    assert scene.lines_of(scene.progress.interrupted) == []


def test_an_interruption_with_nothing_left_needs_no_command() -> None:
    scene = Scene(*many(2))
    scene.poll(done(), failed(), over=True)
    assert scene.lines_of(scene.progress.interrupted) == []


@pytest.mark.parametrize(("require", "ends"), [("all", [done(), done()]), ("any", [done(), running()])])
def test_a_wait_that_succeeds_needs_no_command(require: str, ends: list[Task]) -> None:
    scene = Scene(*many(2), require=require)
    scene.poll(running(1), running(1))
    assert not any("resume" in line for line in scene.poll(*ends, over=True))


def test_the_command_survives_a_quote_in_a_name() -> None:
    ref = TaskRef("taurusdb_restore", "a", "in07", "Restore' ; true '")
    again = json.loads(resume_arguments(ended_line(Scene(ref), error()))[3])
    assert [TaskRef(**option) for option in again["tasks"]] == [ref]


def test_the_command_is_told_in_time_for_an_interruption() -> None:
    scene = Scene(*many(40))
    assert not any("resume" in line for line in scene.poll(*[running()] * 40))
    scene.now += 60
    (command,) = [line for line in scene.lines_of(scene.progress.heartbeat) if "resume" in line]
    assert command.startswith("[h1] if interrupted, resume with: ansible-playbook huaweicloud.tasks.wait -e ")
    assert [command.count(f"task{number:02d}") for number in range(40)] == [1] * 40
    scene.now += 60
    assert not any("resume" in line for line in scene.lines_of(scene.progress.heartbeat))


def test_a_busy_wait_tells_the_command_too() -> None:
    scene = Scene()
    told = [line for percent in range(10) for line in scene.poll(running(percent), after=10)]
    assert sum("if interrupted, resume with: " in line for line in told) == 1


def test_of_very_many_tasks_no_command_is_made() -> None:
    line = ended_line(Scene(*many(101)), *[running()] * 101)
    assert line == "[h1] run the same task again to resume the wait"


def test_the_command_says_where_to_ask() -> None:
    source = {"region": "ap-southeast-1", "endpoint": "https://dds.example.com"}
    line = ended_line(Scene(TaskRef("dds", "a"), options=source), running(2))
    assert json.loads(resume_arguments(line)[3]) == {"tasks": [{"service": "dds", "task_id": "a"}], **source}


# --- a task's line ---


def test_a_line_is_complete_in_itself() -> None:
    scene = Scene(TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"), host="h1 -> bastion")
    steps = (
        SubTask("INIT", "complete", State.SUCCEEDED, 19),
        SubTask("RESTORE", "Running", State.RUNNING, 60, 200),
        SubTask("START", "Pending", State.PENDING, 0),
    )
    task = Task("taurusdb_restore", State.RUNNING, RESTORE_ID, "Restore", "in07", status="Running", progress=53)
    line = scene.poll(task._replace(remaining_seconds=200, sub_tasks=steps), after=83)[1]
    assert line == (
        "[h1 -> bastion] TaurusDB restore 866b2273  Restore  Running  █████░░░░░  53 %  "
        "elapsed 0:01:23  remaining 0:03:20  step 2/3 RESTORE"
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
    assert f"  {drawn}  " in Scene().poll(running(percent))[1]


def test_the_bar_without_blocks_is_ascii() -> None:
    line = Scene(blocks=False).poll(running(40))[1]
    assert "  ####------  40 %  " in line
    assert line.isascii()


def test_lines_stand_below_each_other() -> None:
    scene = Scene(TaskRef("dds", "a"), TaskRef("taurusdb_restore", RESTORE_ID, "in07", "Restore"), TaskRef("ecs", "e"))
    scene.poll(running(5, name="Create_MongoDB"), running(7, name="Restore"), running(None, name="CreateServers"))
    assert [line for line, dummy in scene.told[1:]] == [
        "[h1] DDS a                      Create_MongoDB  Running  ░░░░░░░░░░   5 %  elapsed 0:00:05",
        "[h1] TaurusDB restore 866b2273  Restore         Running  ░░░░░░░░░░   7 %  elapsed 0:00:05",
        "[h1] ECS e                      CreateServers   Running                    elapsed 0:00:05",
    ]
    (line,) = scene.poll(done(name="Create_MongoDB"))
    assert line == "[h1] DDS a                      Create_MongoDB  Completed                    elapsed 0:00:10"


def test_what_is_not_known_is_left_out() -> None:
    line = Scene().poll(running(None))[1]
    assert line == "[h1] DDS a  Running  elapsed 0:00:05"


def test_a_finished_task_shows_no_bar_and_no_remaining_time() -> None:
    scene = Scene()
    scene.poll(running(40))
    (line,) = scene.poll(done(progress=100, remaining_seconds=0), over=True)
    assert re.fullmatch(r"\[h1\] DDS a  Completed +elapsed 0:00:10", line)


def test_a_task_without_an_id_is_named_by_its_instance() -> None:
    scene = Scene(TaskRef("taurusdb_restore", instance_id="a23fb62bd61e"))
    assert scene.poll(running(1))[1].startswith("[h1] TaurusDB restore a23fb62b  Running")


def test_the_failed_step_is_named() -> None:
    scene = Scene(TaskRef("taurusdb_restore", "a", "in07", "Restore"))
    scene.poll(running(40))
    steps = (SubTask("INIT", "complete", State.SUCCEEDED, 100), SubTask("RESTORE", "Failed", State.FAILED, 50))
    assert "  elapsed 0:00:10  step 2/2 RESTORE" in scene.poll(failed(sub_tasks=steps), over=True)[0]


def test_between_two_steps_the_next_one_is_named() -> None:
    steps = (SubTask("INIT", "complete", State.SUCCEEDED, 19), SubTask("RESTORE", "Pending", State.PENDING, 0))
    assert Scene().poll(running(50, sub_tasks=steps))[1].endswith("  step 2/2 RESTORE")


def test_long_waits_show_hours() -> None:
    scene = Scene()
    scene.poll(running(1), after=0)
    assert "elapsed 27:46:40" in scene.poll(running(2), after=100_000)[0]


@pytest.mark.parametrize(
    "text", ["two\nlines", "carriage\rreturn", "color \x1b[31mred"], ids=["newline", "return", "escape"]
)
def test_a_line_stays_one_line_whatever_the_cloud_says(text: str) -> None:
    scene = Scene(*many(4))
    trouble = ApiError(text, kind="connection", action="Cannot reach the host")
    scene.poll(running(1, name=text), Task("dds", State.UNKNOWN, status=text), trouble)
    for line, dummy in scene.told:
        assert line.isprintable(), line


# --- what is told and what is not ---


def test_only_changes_are_told() -> None:
    scene = Scene(*many(2))
    scene.poll(running(10), running(10))
    assert scene.poll(running(10), running(10)) == []
    (line,) = scene.poll(running(10), running(11))
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
    scene.poll(before)
    assert len(scene.poll(after)) == 1
    assert scene.poll(after) == []


def test_a_new_estimate_alone_is_no_change() -> None:
    scene = Scene()
    scene.poll(running(40, remaining_seconds=60))
    assert scene.poll(running(40, remaining_seconds=55)) == []


def test_the_same_task_given_twice_is_told_once() -> None:
    scene = Scene()
    scene.watches *= 2
    lines = scene.poll(running(40))
    assert "waiting for 1 task" in lines[0]
    assert len(lines) == 2


def test_polls_within_a_second_are_told_together_later() -> None:
    scene = Scene(*many(2))
    scene.poll(running(10), running(10))
    assert scene.poll(running(20), running(10), after=0.4) == []
    assert scene.poll(running(30), running(10), after=0.4) == []
    (line,) = scene.poll(running(30), running(10), after=0.4)
    assert "task00" in line
    assert " 30 %" in line


def test_the_end_is_told_at_once() -> None:
    scene = Scene()
    scene.poll(running(10))
    (line,) = scene.poll(done(), after=0.1, over=True)
    assert "  Completed  " in line


def test_levels() -> None:
    scene = Scene(*many(4))
    scene.poll(running(1), running(1), running(1), running(1))
    assert set(scene.levels) == {PLAIN}
    del scene.told[:]
    scene.poll(done(), failed(), error(), Task("dds", State.NEEDS_ACTION, status="Unauthorized"))
    levels = {line.split()[2]: level for line, level in scene.told}
    assert levels == {"task00": GOOD, "task01": BAD, "task02": TROUBLE, "task03": BAD}


# --- trouble ---


def test_trouble_is_told_once_and_so_is_its_end() -> None:
    scene = Scene()
    scene.poll(running(40))
    (line,) = scene.poll(error())
    assert line == "[h1] DDS a  Running  ████░░░░░░  40 %  elapsed 0:00:10  HTTP 503 APIGW.0613, retrying"
    assert scene.poll(error()) == []
    assert scene.poll(running(40)) == ["[h1] DDS a  Running  ████░░░░░░  40 %  elapsed 0:00:20"]
    assert scene.poll(running(40)) == []


def test_other_trouble_is_told_anew() -> None:
    scene = Scene()
    scene.poll(error(503, "APIGW.0613"))
    assert "429 APIGW.0308" in scene.poll(error(429, "APIGW.0308"))[0]


def test_trouble_without_an_answer_says_what_happened() -> None:
    scene = Scene()
    trouble = ApiError("Connection timed out", kind="connection", action="The host could not be reached")
    line = scene.poll(trouble)[1]
    assert line == "[h1] DDS a  not seen  elapsed 0:00:05  no response: Connection timed out, retrying"
    scene.poll(running(1))
    assert scene.poll(trouble)[0].endswith("  elapsed 0:00:15  no response: Connection timed out, retrying")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (ApiError("no response within 2 s", kind="connection"), "no response within 2 s"),
        (
            ApiError("the response is not JSON", error_class=ErrorClass.TRANSIENT, http_status=200),
            "HTTP 200: the response is not JSON",
        ),
    ],
    ids=["no response", "login page"],
)
def test_trouble_says_once_what_it_is(trouble: ApiError, told: str) -> None:
    assert Scene().poll(trouble)[-1].endswith(f"  elapsed 0:00:05  {told}, retrying")


@pytest.mark.parametrize(("state", "told"), [(State.SUCCEEDED, "succeeded"), (State.UNKNOWN, "no status")])
def test_a_task_without_a_status(state: str, told: str) -> None:
    """Its state follows from its steps, or from what the play says of an object that is gone."""
    assert f"  {told}  " in Scene(*many(2)).poll(Task("custom", state), running())[1]


def test_an_id_that_is_not_known_yet_is_trouble() -> None:
    scene = Scene()
    assert (
        scene.poll(error(400, "DBS.200543"))[1]
        == "[h1] DDS a  not seen  elapsed 0:00:05  not found (HTTP 400 DBS.200543), retrying"
    )
    assert scene.levels == [PLAIN, TROUBLE]


def test_a_task_that_is_given_up_is_told_as_such() -> None:
    scene = Scene(*many(2), error_grace=10.0)
    scene.poll(running(1), running(1))
    scene.poll(error(), running(1))
    (line,) = scene.poll(error(), running(1), after=10)
    assert line.endswith("HTTP 503 APIGW.0613, gave up")
    assert scene.levels[-1] == BAD


def test_no_line_shows_more_of_an_error_than_its_code() -> None:
    """Bodies and addresses that come with an error may hold what nobody should read in a log."""
    secret = "MIIDkgYJKoZIhvcNAQcCoIIDgzCCA38CAQExDTALBglghkgBZQMEAgEw"
    scene = Scene()
    scene.poll(error(hint=secret, body={"token": secret}, action=f"GET https://example.com/?x={secret}"))
    assert len(scene.told) == 2
    assert not any(secret in line for line, dummy in scene.told)


# --- many tasks ---


def test_forty_tasks_in_one_poll_are_ten_lines_and_the_totals() -> None:
    scene = Scene(*many(40))
    lines = scene.poll(*[pending()] * 40)
    assert len(lines) == 12
    assert lines[-1] == "[h1] 0 of 40 finished, 40 pending"
    lines = scene.poll(*[done()] * 37, running(62), running(80), pending())
    assert len(lines) == 11
    assert lines[-1] == "[h1] 37 of 40 finished, 2 running, 1 pending, slowest 62 %"


def test_what_went_wrong_comes_first_among_many() -> None:
    scene = Scene(*many(40))
    scene.poll(*[pending()] * 40)
    lines = scene.poll(*[running(5)] * 30, *[done()] * 8, error(), failed())
    assert "task39" in lines[0]
    assert "Failed" in lines[0]
    assert "task38" in lines[1]
    assert lines[-1] == (
        "[h1] 9 of 40 finished, 1 failed, 30 running, 1 pending, 1 without a good response (HTTP 503), slowest 5 %"
    )


def test_few_tasks_need_no_totals() -> None:
    assert len(Scene(*many(10)).poll(*[running(1)] * 10)) == 11


def test_totals_tell_of_tasks_that_were_never_seen() -> None:
    lines = Scene(*many(12)).poll(*[running(1)] * 11, error(400, "DBS.200543"))
    assert lines[-1] == "[h1] 0 of 12 finished, 11 running, 1 not seen, slowest 1 %"


def test_totals_name_every_state() -> None:
    states = [State.CANCELED, State.NEEDS_ACTION, State.UNKNOWN]
    tasks = [Task("dds", state, status="x") for state in states]
    totals = Scene(*many(12)).poll(*tasks, *[pending()] * 9)[-1]
    assert totals == "[h1] 1 of 12 finished, 1 failed, 1 needs action, 1 unknown, 9 pending"


def test_totals_count_a_task_that_was_given_up_while_it_needed_action() -> None:
    scene = Scene(*many(12), error_grace=0)
    scene.poll(*[Task("dds", State.NEEDS_ACTION, status="x")] * 12)
    assert " 1 failed, 12 needs action" in scene.poll(error(503))[-1]


# --- the sign of life ---


def test_a_heartbeat_after_a_minute_of_silence() -> None:
    scene = Scene()
    scene.poll(running(40), after=1)
    assert scene.progress.seconds_until_heartbeat() == HEARTBEAT_SECONDS == 60
    scene.now += 59
    assert scene.beat() == []
    scene.now += 1
    assert scene.beat() == ["[h1] 0 of 1 finished, 1 running, slowest 40 %, still waiting after 0:01:01"]
    assert scene.beat() == []


@pytest.mark.parametrize(
    ("troubles", "said"),
    [
        ([error(503, None)], "1 running, 1 without a good response (HTTP 503)"),
        ([ApiError("timed out", kind="connection")], "1 running, 1 without a good response (no response)"),
        (
            [error(503, None), error(503, None), ApiError("timed out", kind="connection")],
            "3 running, 3 without a good response (HTTP 503, no response)",
        ),
    ],
)
def test_a_heartbeat_tells_of_trouble(troubles: list[ApiError], said: str) -> None:
    scene = Scene(*many(len(troubles)))
    scene.poll(*[running(None)] * len(troubles))
    scene.poll(*troubles)
    scene.now += 60
    (beat,) = scene.beat()
    assert beat == f"[h1] 0 of {len(troubles)} finished, {said}, still waiting after 0:01:10"
    scene.poll(*[running(None)] * len(troubles))
    scene.now += 60
    assert "response" not in scene.beat()[0]


def test_polls_without_a_change_do_not_put_off_the_heartbeat() -> None:
    scene = Scene()
    scene.poll(running(40), after=0)
    scene.poll(running(40), after=30)
    assert scene.progress.seconds_until_heartbeat() == 30
    scene.now += 30
    assert len(scene.beat()) == 1


def test_a_change_puts_off_the_heartbeat() -> None:
    scene = Scene()
    scene.poll(running(40), after=0)
    scene.poll(running(41), after=50)
    assert scene.progress.seconds_until_heartbeat() == 60


def test_heartbeats_go_on() -> None:
    scene = Scene()
    scene.poll(running(40), after=0)
    beats = []
    for dummy in range(600):
        scene.now += 1
        beats += scene.beat()
    assert len(beats) == 10
    assert beats[-1].endswith("still waiting after 0:10:00")


def test_a_first_poll_that_is_long_in_coming_is_no_silence() -> None:
    scene = Scene(*many(2))
    scene.progress.begin(scene.view())
    scene.now += 59
    assert scene.beat() == []
    assert scene.progress.seconds_until_heartbeat() == 1
    scene.now += 1
    first, beat = scene.beat()
    assert "waiting for 2 tasks" in first
    assert beat == "[h1] 0 of 2 finished, 2 not seen, still waiting after 0:01:00"
    # The first line is not told again.
    assert len(scene.poll(running(1), running(1))) == 2


def test_every_line_names_its_host() -> None:
    scene = Scene(*many(40), host="db-7")
    scene.poll(*[pending()] * 40)
    scene.poll(*[running(1)] * 39, error())
    scene.now += 61
    scene.progress.heartbeat()
    assert len(scene.told) == 25
    assert all(re.match(r"\[db-7\] \S", line) for line, dummy in scene.told)


# --- request limits ---

LIMIT = {"granted_per_minute": 40.2, "poll_interval": 3.0, "oldest_poll_age": 2.0}
ALLOWED = "The API allows about 40 requests a minute; 2 tasks are polled every 3 s."


def test_throttling_is_told_once_when_it_begins() -> None:
    scene = Scene(*many(2))
    scene.poll(running(1), running(1))
    scene.limit = LIMIT
    assert scene.poll(running(1), running(1)) == [f"[h1] throttled: {ALLOWED}"]
    assert scene.poll(running(1), running(1)) == []
    scene.limit = {}
    scene.poll(running(1), running(1))
    scene.limit = LIMIT
    assert scene.poll(running(1), running(1)) == []


def test_a_heartbeat_tells_of_throttling_and_how_old_the_news_is() -> None:
    scene = Scene(*many(2))
    scene.limit = LIMIT
    scene.poll(running(None), running(None))
    scene.now += 60
    assert scene.beat() == [
        f"[h1] 0 of 2 finished, 2 running, still waiting after 0:01:05. {ALLOWED} Oldest status: 0:01:02 ago."
    ]


def test_a_throttled_poll_is_no_trouble() -> None:
    scene = Scene(*many(2))
    first = scene.poll(running(1), error(429, "APIGW.0308"))
    assert first[1:] == [
        "[h1] DDS task00  Running         ░░░░░░░░░░   1 %  elapsed 0:00:05",
        "[h1] DDS task01  not polled yet                    elapsed 0:00:05",
    ]
    assert scene.poll(error(429, "APIGW.0308"), error(429, "APIGW.0308")) == []


# --- what an API may do to a line ---


def test_progress_that_falls_says_so() -> None:
    scene = Scene()
    scene.poll(running(30))
    assert scene.poll(running(13)) == [
        "[h1] DDS a  Running  █░░░░░░░░░  13 %  elapsed 0:00:10  (the API reported 30 % before)"
    ]
    assert "before" not in scene.poll(running(14))[0]


def test_progress_that_falls_with_the_next_step_says_so() -> None:
    scene = Scene()
    init = SubTask("INIT", "Running", State.RUNNING, 30)
    scene.poll(running(30, sub_tasks=(init,)))
    steps = (init._replace(state=State.SUCCEEDED), SubTask("RESTORE", "Running", State.RUNNING, 0))
    assert scene.poll(running(13, sub_tasks=steps)) == [
        "[h1] DDS a  Running  █░░░░░░░░░  13 %  elapsed 0:00:10  step 2/2 RESTORE  (was 30 % at step 1/1 INIT)"
    ]
    assert "was" not in scene.poll(running(14, sub_tasks=steps))[0]


def test_lines_are_bounded() -> None:
    scene = Scene(*many(2))
    huge = "word " * 200_000
    steps = tuple(SubTask(huge, "Failed", State.FAILED) for dummy in range(20_000))
    told = scene.poll(failed(name=huge, fail_reason=huge, sub_tasks=steps), Task("dds", State.UNKNOWN, status=huge))
    told += scene.poll(ApiError(huge, kind="connection"), ApiError(huge, code=huge))
    assert len(told) == 5
    assert max(map(len, told)) < 420
