# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "nox --session ee" demands of playbooks/demo.yml is what it says: the session itself is rarely run."""

from __future__ import annotations

import importlib
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
Artifact = dict[str, t.Any]
Check = Callable[[Artifact], dict[str, bool]]


@pytest.fixture(name="check")
def fixture_check(monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return t.cast(Check, importlib.import_module("build_ee").check)


@pytest.fixture(name="demo")
def fixture_demo() -> dict[str, t.Any]:
    (play,) = yaml.safe_load((ROOT / "playbooks" / "demo.yml").read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", play)


def flat(tasks: list[dict[str, t.Any]]) -> Iterator[dict[str, t.Any]]:
    for task in tasks:
        yield task
        for key in ("block", "rescue"):
            yield from flat(task.get(key, []))


@pytest.fixture(name="artifact")
def fixture_artifact(demo: dict[str, t.Any]) -> Artifact:
    """What ansible-navigator records of a good run, in short: a first play, and the demo with its summary."""
    services = [task["service"] for task in demo["vars"]["tasks_of_demo"]]
    doomed = next(task for task in flat(demo["tasks"]) if task["name"] == "Start a restore that fails")
    reason = doomed["ansible.builtin.uri"]["body"]["fail_reason"]
    states = [f"{service}, aName, succeeded" for service in services]
    lines = [f"{len(services)} of {len(services)} tasks finished; waited 9 s.", *states, f"The task failed: {reason}"]
    actions = {
        task["name"]: next(key for key in task if "." in key) for task in flat(demo["tasks"]) if "block" not in task
    }
    tasks = [{"task": name, "task_action": action, "res": {}} for name, action in actions.items()]
    for task in tasks:
        if task["task"] == "Summary":
            task["res"] = {"msg": lines}
    first = {"task": "See that this is a container", "task_action": "ansible.builtin.assert", "res": {}}
    shown = [f"[localhost] {service}  Running  elapsed 0:00:0{second}" for service in services for second in (1, 2)]
    return {"status": "successful", "plays": [{"tasks": [first]}, {"tasks": tasks}], "stdout": shown}


def test_a_good_run_of_the_demo_passes(check: Check, artifact: Artifact) -> None:
    assert [text for text, passed in check(artifact).items() if not passed] == []


def test_a_task_that_did_not_succeed_is_noticed(check: Check, artifact: Artifact) -> None:
    summary = artifact["plays"][1]["tasks"][-1]["res"]
    summary["msg"][1] = summary["msg"][1].replace("succeeded", "running")
    assert [text for text, passed in check(artifact).items() if not passed] == ["All tasks have succeeded."]


def test_a_module_that_was_not_run_is_noticed(check: Check, artifact: Artifact) -> None:
    play = artifact["plays"][1]
    play["tasks"] = [task for task in play["tasks"] if task["task_action"] != "huaweicloud.tasks.task_info"]
    assert [text for text, passed in check(artifact).items() if not passed] == ["Every module was run."]


def test_missing_progress_is_noticed(check: Check, artifact: Artifact) -> None:
    artifact["stdout"] = artifact["stdout"][:1]
    assert [text for text, passed in check(artifact).items() if not passed] == ["Progress was shown."]
