# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores as jobs, and what is said about ids and instances which are not there."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from . import Simulator, accounts
from .client import JOB, ask, error_code, get

UNKNOWN = "0" * 32


def job(sim: Simulator, task: dict[str, str]) -> requests.Response:
    """What TaurusDB's job API says of an id."""
    return get(f"{sim.endpoint('taurusdb')}{JOB}?id={task['task_id']}")


@pytest.mark.parametrize(
    ("outcome", "restore", "word"),
    [
        ("succeeded", "complete", "Completed"),
        ("failed", "Failed", "Failed"),
        ("stuck", "Running", "Running"),
    ],
)
def test_a_restore_is_a_job_in_the_words_of_jobs(sim: Simulator, outcome: str, restore: str, word: str) -> None:
    task = sim.add_task("taurusdb_restore", duration=0, outcome=outcome)
    assert ask(sim, task).json()["status"] == restore
    found = job(sim, task).json()["job"]
    assert (found["id"], found["status"], found["name"]) == (task["task_id"], word, task["task_name"])
    assert ("ended" in found, "fail_reason" in found) == (outcome != "stuck", outcome == "failed")


def test_the_job_of_a_restore_knows_the_reason_and_the_restore_does_not(sim: Simulator) -> None:
    task = sim.add_task("taurusdb_restore", duration=0, outcome="failed", fail_reason="no space")
    assert "no space" not in ask(sim, task).text
    assert job(sim, task).json()["job"]["fail_reason"] == "no space"


def test_the_job_of_a_restore_can_differ_or_be_unknown(sim: Simulator) -> None:
    odd = sim.add_task("taurusdb_restore", status="Failed", job={"status": "Completed", "ended": ""}, raw={"odd": 1})
    assert ask(sim, odd).json() == {"odd": 1}
    assert (job(sim, odd).json()["job"]["status"], job(sim, odd).json()["job"]["ended"]) == ("Completed", "")
    assert error_code(job(sim, sim.add_task("taurusdb_restore", job=False))) == "DBS.200543"
    assert error_code(job(sim, sim.add_task("taurusdb_restore", visible_after=60))) == "DBS.200543"


def test_a_restore_is_no_job_of_dds(sim: Simulator) -> None:
    task = sim.add_task("taurusdb_restore")
    assert error_code(get(f"{sim.endpoint('dds')}{JOB}?id={task['task_id']}")) == "DBS.200543"
    assert get(f"{sim.url}{JOB}?id={task['task_id']}").status_code == 200


def test_faults_and_the_log_tell_the_two_apis_of_a_restore_apart(sim: Simulator) -> None:
    task = sim.add_task("taurusdb_restore")
    sim.add_fault("throttle", service="taurusdb", task_id=task["task_id"])
    assert (ask(sim, task).status_code, job(sim, task).status_code) == (200, 429)
    sim.clear_faults()
    sim.add_fault("throttle", service="taurusdb_restore")
    assert (ask(sim, task).status_code, job(sim, task).status_code) == (429, 200)
    assert [record["service"] for record in sim.requests()] == ["taurusdb_restore", "taurusdb"] * 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"task_id": UNKNOWN}, 200, None),
        ({"task_id": "8abfa7b2-72ad-c5b4-0172-b73130065ae7"}, 200, None),
        ({"task_id": "malformed"}, 400, "DMS.00400070"),
        ({"task_id": UNKNOWN[1:]}, 400, "DMS.00400070"),
        ({"instance_id": "another"}, 404, "DMS.00404022"),
        ({"instance_id": "another", "task_id": UNKNOWN}, 404, "DMS.00404022"),
    ],
)
def test_kafka_tells_what_is_wrong(sim: Simulator, change: dict[str, str], status: int, code: str | None) -> None:
    response = ask(sim, {**sim.add_task("kafka", id="k1"), **change})
    assert (response.status_code, response.json().get("error_code")) == (status, code)


def test_an_id_which_was_there_stays_well_formed(sim: Simulator) -> None:
    task = sim.add_task("kafka", id="k1")
    sim.remove_task("k1")
    assert ask(sim, task).json() == {"task_count": "0", "tasks": []}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"task_id": "another"}, 400, "DBS.200543"),
        ({"instance_id": "another"}, 404, "DBS.200002"),
    ],
)
def test_restores_of_an_unknown_instance(sim: Simulator, change: dict[str, Any], status: int, code: str) -> None:
    response = ask(sim, {**sim.add_task("taurusdb_restore"), **change})
    assert (response.status_code, error_code(response)) == (status, code)


def test_an_instance_of_another_service_or_project_is_unknown(sim: Simulator) -> None:
    sim.add_task("dds", instance_id="i1")
    sim.add_task("taurusdb", instance_id="i2", project_id=accounts.OTHER_PROJECT_ID)
    restore = sim.add_task("taurusdb_restore")
    for instance in ("i1", "i2"):
        assert error_code(ask(sim, {**restore, "instance_id": instance})) == "DBS.200002"
    sim.add_task("taurusdb", instance_id="i3")
    assert error_code(ask(sim, {**restore, "instance_id": "i3"})) == "DBS.200543"


def test_a_kafka_task_is_never_updated_before_it_was_created(sim: Simulator) -> None:
    for dummy in range(50):
        task = ask(sim, sim.add_task("kafka", status="CREATED")).json()["tasks"][0]
        assert task["created_at"] == task["updated_at"]
