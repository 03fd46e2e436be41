# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as a controller runs it: ansible-runner, a project's playbook, the collection installed from its tarball."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import subprocess
import sys
import textwrap
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from environment import BIN, inherited

from simulator import Simulator, accounts

ROOT = Path(__file__).resolve().parents[2]
SECRETS = (accounts.SECRET_KEY, accounts.ACCESS_KEY)
GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_controllers.rst").read_text(encoding="utf-8")
# The blocks of the guide: the project's playbook, the inventory of slices, the execution environment.
PROJECT, SLICES, DEFINITION = (textwrap.dedent(block) for block in re.findall(r"::\n\n((?:    .*\n|\n)+)", GUIDE))
SURVEY = json.loads((ROOT / "docs" / "awx_survey.json").read_text(encoding="utf-8"))
LOCALHOST = f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
IDENT = "job"


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job has left behind."""

    artifacts: Path
    returncode: int

    @property
    def status(self) -> str:
        return (self.artifacts / "status").read_text(encoding="utf-8")

    @property
    def stdout(self) -> str:
        return (self.artifacts / "stdout").read_text(encoding="utf-8")

    @property
    def events(self) -> list[dict[str, t.Any]]:
        files = (self.artifacts / "job_events").glob("*-*.json")
        events = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        return sorted(events, key=lambda event: event["counter"])

    def result(self, kind: str) -> dict[str, t.Any]:
        """The result in the one event of the wait that has this kind."""
        return t.cast("dict[str, t.Any]", self.end(kind)["res"])

    def end(self, kind: str) -> dict[str, t.Any]:
        """The data of the one event of the wait that has this kind."""
        name = "huaweicloud.tasks.wait_for_task"
        data = [each["event_data"] for each in self.events if each["event"] == kind]
        (found,) = [each for each in data if each.get("task_action") == name]
        return t.cast("dict[str, t.Any]", found)

    def progress(self, task_id: str) -> list[dict[str, t.Any]]:
        """The events of lines that are printed about a task, before the result is there."""
        return [each for each in self.events if each["event"] == "verbose" and task_id[:8] in each["stdout"]]


def run_job(
    folder: Path, collections: Path, sim: Simulator, variables: dict[str, t.Any], inventory: str = LOCALHOST
) -> Job:
    """Lay out a private data folder as a controller does, and run it."""
    for name in ("project", "env", "inventory", "home"):
        (folder / name).mkdir()
    (folder / "project" / "wait.yml").write_text(PROJECT, encoding="utf-8")
    name = "hosts.yml" if inventory.startswith("all:") else "hosts"
    (folder / "inventory" / name).write_text(inventory, encoding="utf-8")
    variables = {"endpoint": sim.url, "iam_endpoint": sim.endpoint("iam"), "region": accounts.REGION, **variables}
    credentials = {"HW_ACCESS_KEY": accounts.ACCESS_KEY, "HW_SECRET_KEY": accounts.SECRET_KEY}
    # Only what is installed there: not what Python's path holds, which is the checkout.
    place = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    environment = {**place, "HOME": str(folder / "home"), **credentials}
    settings = {"idle_timeout": 30, "job_timeout": 90, "suppress_env_files": True}
    for name, values in (("extravars", variables), ("envvars", environment), ("settings", settings)):
        (folder / "env" / name).write_text(json.dumps(values), encoding="utf-8")
    command = [str(BIN / "ansible-runner"), "run", str(folder), "--playbook", "wait.yml", "--ident", IDENT]
    done = subprocess.run(
        command, env=inherited(), cwd=folder, capture_output=True, text=True, timeout=110, check=False
    )
    return Job(folder / "artifacts" / IDENT, done.returncode)


def seconds_between(earlier: dict[str, t.Any], later: dict[str, t.Any]) -> float:
    moments = (datetime.datetime.fromisoformat(each["created"]) for each in (earlier, later))
    first, last = moments
    return (last - first).total_seconds()


def test_a_wait_that_ends_well(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    dds = sim.add_task("dds", duration=6)
    kafka = sim.add_task("kafka", duration=1)
    tasks = [
        {"service": "dds", "task_id": dds["task_id"]},
        {"service": "kafka", "task_id": kafka["task_id"], "instance_id": kafka["instance_id"]},
    ]
    job = run_job(tmp_path, collections, sim, {"tasks": tasks, "sleep": 1, "timeout": 60})

    assert (job.status, job.returncode) == ("successful", 0), job.stdout
    assert (job.artifacts / "rc").read_text(encoding="utf-8") == "0"
    kinds = [event["event"] for event in job.events]
    assert {"playbook_on_start", "playbook_on_task_start", "runner_on_ok", "playbook_on_stats"} <= set(kinds)
    assert [event["counter"] for event in job.events] == list(range(1, len(kinds) + 1))

    assert job.end("runner_on_ok")["task_path"].startswith(str(collections))
    result = job.result("runner_on_ok")
    assert [task["state"] for task in result["tasks"]] == ["succeeded", "succeeded"]
    assert result["pending"] == []
    left = job.stdout + "".join(path.read_text(encoding="utf-8") for path in job.artifacts.rglob("*.json"))
    assert not any(secret in left for secret in SECRETS)


def test_progress_arrives_as_events_while_the_wait_goes_on(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    dds = sim.add_task("dds", duration=14)
    variables = {"service": "dds", "task_id": dds["task_id"], "sleep": 1, "timeout": 60}
    job = run_job(tmp_path, collections, sim, variables)

    assert job.status == "successful", job.stdout
    lines = job.progress(dds["task_id"])
    assert len(lines) >= 3
    assert "elapsed" in lines[1]["stdout"]
    end = next(each for each in job.events if each["event"] == "runner_on_ok")
    assert all(line["counter"] < end["counter"] for line in lines)
    assert seconds_between(lines[0], end) > 2
    assert all(line["stdout"] in job.stdout for line in lines)


def test_a_wait_that_fails(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    doomed = sim.add_task("dds", duration=1, outcome="failed", fail_reason="The disk is full.")
    variables = {"service": "dds", "task_id": doomed["task_id"], "sleep": 1, "timeout": 60}
    job = run_job(tmp_path, collections, sim, variables)

    assert (job.status, job.returncode) == ("failed", 2), job.stdout
    result = job.result("runner_on_failed")
    assert result["failure"]["kind"] == "task_failed"
    assert result["task"]["fail_reason"] == "The disk is full."


def test_a_job_that_runs_out_of_time_names_what_is_pending(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    stuck = sim.add_task("dds", outcome="stuck", duration=100)
    variables = {"service": "dds", "task_id": stuck["task_id"], "sleep": 1, "timeout": 3}
    job = run_job(tmp_path, collections, sim, variables)

    assert job.status == "failed", job.stdout
    result = job.result("runner_on_failed")
    assert result["failure"]["kind"] == "timeout"
    assert [task["task_id"] for task in result["pending"]] == [stuck["task_id"]]


def test_the_answers_of_a_survey(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    """A form may send a text for every question, for a number, too; one that was left empty is not an answer."""
    dds = sim.add_task("dds", duration=1)
    listed = yaml.safe_dump([{"service": "dds", "task_id": dds["task_id"]}])
    questions = {question["variable"]: question["type"] for question in SURVEY["spec"]}
    answers = {**dict.fromkeys(questions, ""), "tasks": listed, "region": accounts.REGION, "timeout": 60}
    assert "integer" in [questions[variable] for variable, answer in answers.items() if answer == ""]
    job = run_job(tmp_path, collections, sim, answers)

    assert job.status == "successful", job.stdout
    assert [task["id"] for task in job.result("runner_on_ok")["tasks"]] == [dds["task_id"]]


def test_every_host_of_a_slice_waits_for_its_own_tasks(sim: Simulator, collections: Path, tmp_path: Path) -> None:
    hosts = yaml.safe_load(SLICES)["all"]["hosts"]
    wanted = {host: values["tasks"][0]["task_id"] for host, values in hosts.items()}
    for values in hosts.values():
        (task,) = values["tasks"]
        sim.add_task(task["service"], id=task["task_id"], duration=2)
    job = run_job(tmp_path, collections, sim, {"target": "all", "sleep": 1}, SLICES)

    assert job.status == "successful", job.stdout
    ended = [each["event_data"] for each in job.events if each["event"] == "runner_on_ok"]
    found = {each["host"]: each["res"]["tasks"][0]["id"] for each in ended if "tasks" in each["res"]}
    assert found == wanted


def test_the_definition_of_the_execution_environment_is_one() -> None:
    definition = yaml.safe_load(DEFINITION)
    assert definition["version"] == 3
    assert definition["dependencies"]["galaxy"]["collections"] == [{"name": "huaweicloud.tasks"}]
