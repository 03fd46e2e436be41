# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a trial by a real ansible-playbook, and looks at what it says and what it leaves behind."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t
import uuid

from environment import BIN, inherited

from simulator import Simulator, accounts

from . import oracle
from .scenario import TaskPlan, Trial, WaitPlan

ROOT = pathlib.Path(__file__).resolve().parents[2]
WAIT = "huaweicloud.tasks.wait_for_task"
SECRETS = (accounts.TOKEN, accounts.SECRET_KEY, accounts.PASSWORD)
PATIENCE = 90.0
# "Within 5 s", and some more for a busy machine.
LEASH_SECONDS = 8.0
# What an ansible-playbook that was killed leaves is its own.
NOT_OURS = ("ansible-local-", "collections", "facts", "cp", "galaxy")


class WrongError(AssertionError):
    """Something that must never happen; the text names the seed."""


@dataclasses.dataclass
class Stage:
    """Where a trial happens."""

    trial: Trial
    folder: pathlib.Path
    sim: Simulator
    mark: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def tmp(self) -> pathlib.Path:
        return self.folder / "tmp"

    def env(self) -> dict[str, str]:
        return inherited() | {
            "ANSIBLE_CALLBACK_PLUGINS": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_REMOTE_TMP": str(self.folder / "remote"),
            "ANSIBLE_STDOUT_CALLBACK": "progress_callback",
            "ANSIBLE_SYSTEM_TMPDIRS": str(self.tmp),
            "CHAOS_MARK": self.mark,
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "TMPDIR": str(self.tmp),
        }


def run_trial(trial: Trial, folder: pathlib.Path) -> None:
    """Run a trial in a folder of its own.

    :raises WrongError: something happened that must never happen
    """
    with Simulator() as sim:
        stage = Stage(trial, folder, sim)
        command = _prepare(stage)
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=stage.env(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _send_signal(stage, process)
            out, err = process.communicate(timeout=PATIENCE)
            _check_output(stage, out, err)
            _check_silence(stage)
            _check_leftovers(stage)
        except subprocess.TimeoutExpired:
            raise _wrong(stage, f"it still ran after {PATIENCE:.0f} s") from None
        finally:
            for pid in survivors(stage.mark):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def _prepare(stage: Stage) -> list[str]:
    shutil.copy(ROOT / "tests" / "playbooks" / "progress_callback.py", stage.folder)
    (stage.folder / "ansible.cfg").touch()
    stage.tmp.mkdir()
    hosts = {f"h{number}": _host(stage, plan) for number, plan in enumerate(stage.trial.waits)}
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = {"all": {"hosts": hosts, "vars": local}}
    (stage.folder / "inventory.json").write_text(json.dumps(inventory))
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"name": "Wait", WAIT: "{{ options }}"}]}
    names = {name for plan in stage.trial.waits for name in plan.options} | {"tasks", *_connection(stage)}
    play["tasks"] = [{"name": "Wait", WAIT: {name: f"{{{{ options['{name}'] }}}}" for name in sorted(names)}}]
    (stage.folder / "play.yml").write_text(json.dumps([play]))
    return [str(BIN / "ansible-playbook"), "-i", "inventory.json", "play.yml"]


def _connection(stage: Stage) -> dict[str, str]:
    return {
        "auth_token": accounts.TOKEN,
        "endpoint": stage.sim.url,
        "iam_endpoint": stage.sim.endpoint("iam"),
        "project_id": accounts.PROJECT_ID,
        "region": accounts.REGION,
    }


def _host(stage: Stage, plan: WaitPlan) -> dict[str, t.Any]:
    tasks = [_add_task(stage.sim, task) for task in plan.tasks]
    return {"options": {**plan.options, **_connection(stage), "tasks": tasks}}


def _add_task(sim: Simulator, plan: TaskPlan) -> dict[str, str]:
    task = sim.add_task(plan.service, outcome=plan.outcome, duration=plan.duration)
    for fault in plan.faults:
        sim.add_fault(fault.kind, task_id=task["task_id"], after=fault.after, first=fault.first, **fault.given())
    if not plan.exists:
        sim.remove_task(task["task_id"])
    return {name: task[name] for name in ("service", "task_id", "instance_id", "task_name")}


def _send_signal(stage: Stage, process: subprocess.Popen[str]) -> None:
    if stage.trial.signal is None:
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(stage.trial.signal_after)
        return
    name, dummy, whom = stage.trial.signal.partition(" ")
    pids = _children(process.pid)[:1] if whom else [process.pid]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, getattr(signal, f"SIG{name}"))


def _children(pid: int) -> list[int]:
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _check_output(stage: Stage, out: str, err: str) -> None:
    for secret in SECRETS:
        if secret in out + err:
            raise _wrong(stage, f"a secret was shown:\n{out}\n{err}")
    if "Traceback" in out + err and stage.trial.signal is None:
        raise _wrong(stage, f"a traceback:\n{out}\n{err}")
    try:
        results = json.loads(out)
    except ValueError:
        if stage.trial.signal is None:
            raise _wrong(stage, f"no results:\n{out}\n{err}") from None
        return
    if stage.trial.signal is None and len(results) != len(stage.trial.waits):
        raise _wrong(stage, f"{len(results)} results of {len(stage.trial.waits)} waits:\n{out}\n{err}")
    for each in results:
        plan = stage.trial.waits[int(each["host"][1:])]
        each["result"]["failed"] = each["how"] != "ok"
        problem = None if stage.trial.signal and each["result"].get("failed") else oracle.wrong(plan, each["result"])
        if problem:
            raise _wrong(stage, f"{each['host']}: {problem}\n{plan}\n{json.dumps(each['result'], indent=1)}\n{err}")


def _check_silence(stage: Stage) -> None:
    """Nothing asks the cloud any more."""
    end = time.monotonic() + LEASH_SECONDS
    while survivors(stage.mark):
        if time.monotonic() > end:
            raise _wrong(stage, f"processes {survivors(stage.mark)} still run {LEASH_SECONDS:.0f} s after the end")
        time.sleep(0.1)


def _check_leftovers(stage: Stage) -> None:
    places = [stage.tmp, stage.folder / "remote"]
    left = [path for place in places if place.exists() for path in place.iterdir()]
    ours = [path for path in left if not path.name.startswith(NOT_OURS)]
    # A worker that is killed cannot remove the folder which Ansible has made for the module; whoever is left does.
    if ours and not (stage.trial.signal or "").startswith("KILL"):
        raise _wrong(stage, f"left behind: {[str(path) for path in ours]}")


def survivors(mark: str) -> list[int]:
    """Return the processes that a trial has started and that still run."""
    wanted = f"CHAOS_MARK={mark}".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _wrong(stage: Stage, text: str) -> WrongError:
    return WrongError(f"seed {stage.trial.seed} (signal {stage.trial.signal}): {text}")
