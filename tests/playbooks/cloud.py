# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of documented examples share: the tasks that the examples name, and processes that run them."""

from __future__ import annotations

import subprocess
import threading
import time
import typing as t
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from environment import BIN, inherited

from simulator import Simulator, accounts

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".venv" / "collections"

Play = dict[str, t.Any]

DONE = {"status": "Completed"}

# Every task that the documentation names, by its id.
TASKS: dict[str, dict[str, t.Any]] = {
    "a9767ede-fe0f-4888-9003-e843a4c90514": {"service": "taurusdb"},
    "866b2273-f5ce-44bd-bc10-949baeb22163": {
        "service": "taurusdb_restore",
        "name": "RestoreTaurusInInstanceToExisted",
        "instance_id": "a23fb62bd61e4e9e9636fd2225f395bein07",
    },
    "9d10bfd1-affb-49c3-b977-298950a8d6fa": {"service": "dds"},
    "8abfa7b272adc5b40172b73130065ae7": {
        "service": "kafka",
        "instance_id": "6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51",
    },
    "2c9f8ff4-6f2b-4c0e-9c1e-0d2a6b1f7e10": {"service": "ecs"},
    "31b8ae23-c687-4d80-b7b4-42a66c9bb886": {"service": "rds"},
    "354331b2-c2e6-11ea-9be4-0255ac1000c3": {"service": "cce"},
    "bae51750-0089-41a1-9b18-5c777978ff6d": {"service": "ecs_server"},
    "a48e43ff268f4c0e879652d65e63d0fbin07": {"service": "taurusdb_instance"},
    "591ac654-26d8-41be-bb77-4f90699d2d41": {"service": "evs_volume"},
}


def add_tasks(sim: Simulator, duration: float = 0, **more: t.Any) -> None:
    """Create every task that the documentation names; with a duration of 0 they are done."""
    for task_id, task in TASKS.items():
        sim.add_task(**task, id=task_id, duration=duration, **more)


def finish_late(
    sim: Simulator, task_id: str, *, service: str = "dds", failure: str | None = None, **task: t.Any
) -> None:
    """Create a task that ends a second after it was first polled, however slow the machine is."""

    def finish() -> None:
        while not sim.requests(task_id=task_id):
            time.sleep(0.1)
        time.sleep(1)
        sim.change_task(task_id, **({"status": "Failed", "fail_reason": failure} if failure else DONE))

    sim.add_task(service, id=task_id, outcome="stuck", duration=100, **task)
    threading.Thread(target=finish, daemon=True).start()


def environment(home: Path, sim: Simulator) -> dict[str, str]:
    """Credentials and region as the documentation wants them, and nothing of the person who runs the tests."""
    env = inherited()
    config = home / "ansible.cfg"
    config.touch()
    env.update(
        # Ansible itself disagrees on where background jobs are when HOME is not what the system says.
        ANSIBLE_ASYNC_DIR=str(home / "async"),
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        ANSIBLE_CONFIG=str(config),
        ANSIBLE_HOME=str(home / ".ansible"),
        ANSIBLE_LOCALHOST_WARNING="false",
        HOME=str(home),
        HW_ACCESS_KEY=accounts.ACCESS_KEY,
        HW_AUTH_URL=sim.endpoint("iam"),
        HW_REGION_NAME=accounts.REGION,
        HW_SECRET_KEY=accounts.SECRET_KEY,
        LC_ALL="C.UTF-8",
        NO_PROXY="127.0.0.1",
    )
    return env


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def run_playbook(plays: list[Play], folder: Path, sim: Simulator) -> subprocess.CompletedProcess[str]:
    """Run plays; where they do not say which address to ask, it is the simulator's."""
    for play in plays:
        defaults = play.setdefault("module_defaults", {}).setdefault("group/huaweicloud.tasks.all", {})
        defaults.update(endpoint=sim.url, iam_endpoint=sim.endpoint("iam"))
    playbook = folder / "play.yml"
    playbook.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    return run([BIN / "ansible-playbook", playbook], folder, environment(folder, sim))


def play_of(tasks: list[dict[str, t.Any]], **variables: t.Any) -> Play:
    """A play of tasks that stand alone in the documentation."""
    return {"name": "Example", "hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}


def assert_good(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
