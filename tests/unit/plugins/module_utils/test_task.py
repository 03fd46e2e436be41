# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers in all their spellings; tasks into results and back."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import (
    FAILED_STATES,
    FINISHED_STATES,
    STATES,
    State,
    SubTask,
    Task,
    TaskRef,
    read_number,
    read_percent,
    read_text,
    seconds_since_1970,
    unseen,
)

NUMBERS: list[tuple[t.Any, int | None]] = [
    (19, 19),
    (0, 0),
    (19.0, 19),
    (19.9, 19),
    ("19", 19),
    ("19%", 19),
    (" 19 % ", 19),
    ("19.5%", 19),
    ("19.", 19),
    ("019", 19),
    ("0", 0),
    ("", None),
    (" ", None),
    ("%", None),
    (None, None),
    (True, None),
    (False, None),
    (-1, None),
    (-0.5, None),
    ("-1", None),
    ("+1", None),
    ("1e3", None),
    ("0x10", None),
    ("1_000", None),
    ("1,000", None),
    ("19%%", None),
    ("19 of 20", None),
    ("about 19", None),
    ("١٩", None),
    ("１９", None),
    ("²", None),
    (float("nan"), None),
    (float("inf"), None),
    (float("-inf"), None),
    (10**11, 10**11),
    (10**12, None),
    ("9" * 12, 10**12 - 1),
    ("9" * 13, None),
    ([19], None),
    ({"a": 19}, None),
    (b"19", None),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=[repr(value)[:30] for value, dummy in NUMBERS])
def test_number(value: t.Any, number: int | None) -> None:
    found = read_number(value)
    assert found == number
    assert found is None or (isinstance(found, int) and not isinstance(found, bool))


@pytest.mark.parametrize(
    ("value", "percent"), [("19%", 19), (100, 100), ("101", 100), (1e9, 100), ("", None), (-1, None)]
)
def test_percent(value: t.Any, percent: int | None) -> None:
    assert read_percent(value) == percent


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (" a ", "a"), ("", None), (" \n", None), (None, None), (1, "1"), (0, "0"), (1.5, "1.5")]
    + [(True, None), (False, None), ([], None), (["a"], None), ({}, None)],
)
def test_text(value: t.Any, text: str | None) -> None:
    assert read_text(value) == text


def test_a_text_cannot_control_a_terminal() -> None:
    """JSON escapes the rest of them in a result, but not these."""
    marks = [*range(0x80, 0xA0), 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
    for mark in map(chr, marks):
        assert read_text(f"a{mark}b") == "a\ufffdb"
    kept = "a\x1b[31m\r\n\t\x7f\xa0\u2027\u202f\u2065\u206a\u4efb\U0001f600b"
    assert read_text(kept) == kept


EIGHT = 1_795_161_600.0  # 2026-11-20T08:00:00Z


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2026-11-20T08:00:00", 0),
        ("2026-11-20 08:00:00", 0),
        ("2026-11-20T08:00:00Z", 0),
        ("2026-11-20t08:00:00z", 0),
        (" 2026-11-20 08:00:00 UTC\n", 0),
        ("2026-11-20T08:00:00.999Z", 0),
        ("2026-11-20T08:00:00,999+0000", 0),
        ("2026-11-20T08:00:00+08", 8),
        ("2026-11-20T08:00:00+0800", 8),
        ("2026-11-20T08:00:00+08:00", 8),
        ("2026-11-20 08:00:00 -0330", -3.5),
        # As Go prints a time: the name of the zone says it once more.
        ("2026-11-20 08:00:00.123456789 +0000 UTC", 0),
        ("2026-11-20 08:00:00.123456789 +0800 CST", 8),
    ],
)
def test_time(text: str, hours: float) -> None:
    assert seconds_since_1970(text) == EIGHT - hours * 3600


@pytest.mark.parametrize(
    "value",
    [
        *(None, 0, 1_795_161_600, "", "1795161600000", "soon", "2026-11-20", "2026-11-20T08:00"),
        *("2026-13-20T08:00:00Z", "2026-11-20T25:00:00Z", "\u0662026-11-20T08:00:00Z"),
        # A zone that is not understood must not be taken for UTC.
        *("2026-11-20T08:00:00 CST", "2026-11-20T08:00:00 GMT+0800", "2026-11-20T08:00:00+8"),
        *("2026-11-20T08:00:00 Asia/Shanghai", "2026-11-20T08:00:00+08:00 or so", "x 2026-11-20T08:00:00Z"),
    ],
)
def test_no_time(value: t.Any) -> None:
    assert seconds_since_1970(value) is None


FULL = Task(
    service="taurusdb_restore",
    state=State.RUNNING,
    id="t",
    name="n",
    instance_id="i",
    instance_name="in",
    status="Running",
    progress=19,
    remaining_seconds=66,
    created_at="2026",
    ended_at="2027",
    fail_reason="none",
    error_code="E.1",
    sub_tasks=(SubTask("INIT", "complete", State.SUCCEEDED, 100, 0), SubTask(None, None, State.UNKNOWN)),
    details={"entities": {"a": [1]}},
)


@pytest.mark.parametrize("task", [FULL, Task("dds", State.PENDING)], ids=("full", "bare"))
def test_into_a_result_and_back(task: Task) -> None:
    through_json = json.loads(json.dumps(task.to_dict()))
    assert Task.from_dict(through_json) == task
    assert Task.from_dict({**through_json, "error": None, "news": 1}) == task


def test_result_has_every_key() -> None:
    assert Task("dds", State.PENDING).to_dict() == {
        "service": "dds",
        "state": "pending",
        "id": None,
        "name": None,
        "instance_id": None,
        "instance_name": None,
        "status": None,
        "progress": None,
        "remaining_seconds": None,
        "created_at": None,
        "ended_at": None,
        "fail_reason": None,
        "error_code": None,
        "sub_tasks": [],
        "details": {},
    }


def test_result_of_a_step() -> None:
    assert FULL.to_dict()["sub_tasks"][0] == {
        "name": "INIT",
        "status": "complete",
        "state": "succeeded",
        "progress": 100,
        "remaining_seconds": 0,
    }


@pytest.mark.parametrize("state", STATES)
def test_finished(state: str) -> None:
    assert Task("dds", state).finished is (state in ("succeeded", "failed", "canceled"))


def test_states() -> None:
    assert set(STATES) == {value for name, value in vars(State).items() if name.isupper()}
    assert FAILED_STATES < FINISHED_STATES < set(STATES)
    assert State.SUCCEEDED not in FAILED_STATES
    assert State.NEEDS_ACTION not in FINISHED_STATES


@pytest.mark.parametrize(
    ("ref", "label"),
    [
        (TaskRef("dds", "t"), "t"),
        (TaskRef("taurusdb_restore", "t", "i", "Restore"), "Restore t"),
        (TaskRef("taurusdb_restore", None, "i"), "i"),
        (TaskRef("kafka", "t", "i"), "t"),
    ],
)
def test_label(ref: TaskRef, label: str) -> None:
    assert ref.label == label


def test_a_ref_can_be_passed_in_again() -> None:
    ref = TaskRef("kafka", "t", "i", "n", "r", "p", "https://e")
    assert TaskRef.from_option(ref.to_option()) == ref
    assert set(ref.to_option()) == set(TaskRef._fields)


def test_unseen() -> None:
    task = unseen(TaskRef("taurusdb_restore", "t", "i", "n"))
    assert task == Task("taurusdb_restore", State.UNKNOWN, id="t", name="n", instance_id="i")
    assert not task.finished
