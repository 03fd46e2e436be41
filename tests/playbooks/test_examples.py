# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EXAMPLES of every module, run against the simulator as they stand in the documentation."""

from __future__ import annotations

import ast
import typing as t
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import yaml

from simulator import Simulator, accounts

MODULES = sorted((cloud.ROOT / "plugins" / "modules").glob("*.py"))
VARIABLES = {
    "access_key": accounts.ACCESS_KEY,
    "secret_key": accounts.SECRET_KEY,
    "password": accounts.PASSWORD,
}


def examples(module: Path) -> list[dict[str, t.Any]]:
    """The tasks in EXAMPLES of a module."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return list(yaml.safe_load(ast.literal_eval(node.value)))
    raise AssertionError(f"{module.name} has no EXAMPLES")


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


def let_sim_know(sim: Simulator, tasks: list[dict[str, t.Any]]) -> None:
    """Let the simulator have the project, the user and the cloud's tasks that the examples name."""
    project = accounts.PROJECT_ID
    arguments = [value for task in tasks for value in task.values() if isinstance(value, dict)]
    for given in arguments:
        if "{{" not in given.get("project_id", "{{"):
            project = given["project_id"]
        if "username" in given:
            given.update(username=accounts.USERNAME, domain_name=accounts.DOMAIN_NAME)
    sim.change_accounts(projects=[{"id": project, "name": accounts.REGION}])
    cloud.add_tasks(sim, project_id=project)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_the_examples_run(module: Path, sim: Simulator, tmp_path: Path) -> None:
    tasks = examples(module)
    assert any(f"huaweicloud.tasks.{module.stem}" in task for task in tasks)
    assert all(task.get("name") for task in tasks)
    let_sim_know(sim, tasks)
    done = cloud.run_playbook([cloud.play_of(tasks, **VARIABLES)], tmp_path, sim)
    cloud.assert_good(done)
    assert f"TASK [{tasks[0]['name']}]" in done.stdout
    assert "skipping" not in done.stdout


def test_the_wait_in_portions_goes_on(sim: Simulator, tmp_path: Path) -> None:
    """The rescue in the example of wait_for_task, which a task that is done never reaches."""
    portions = [task for task in examples(cloud.ROOT / "plugins/modules/wait_for_task.py") if "block" in task]
    assert portions
    cloud.finish_late(sim, "slow")
    portions[0]["block"][0]["huaweicloud.tasks.wait_for_task"].update(timeout=0)
    for task in portions[0]["block"] + portions[0]["rescue"]:
        task.get("huaweicloud.tasks.wait_for_task", {}).update(sleep=0.5)
    result = {"pending": [{"service": "dds", "task_id": "slow"}]}
    done = cloud.run_playbook([cloud.play_of(portions, **VARIABLES, result=result)], tmp_path, sim)
    cloud.assert_good(done)
    assert "rescued=1" in done.stdout
