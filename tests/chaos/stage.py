# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a trial happens: the folder, the simulated cloud with its tasks and faults, the play, its processes."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib
import shutil
import sys
import threading
import typing as t
import uuid
from collections.abc import Iterator

from environment import BIN, inherited

from simulator import Simulator, accounts

from .scenario import CUSTOM, TaskPlan, Trial, WaitPlan

TESTS = pathlib.Path(__file__).resolve().parents[1]
COLLECTIONS = TESTS.parent / ".venv" / "collections"
WAIT = "huaweicloud.tasks.wait_for_task"
REMOTE = "progress_connection"
SECRETS = (accounts.TOKEN, accounts.SECRET_KEY, accounts.PASSWORD)
LOGINS = {
    "token": {"auth_token": accounts.TOKEN},
    "key": {"access_key": accounts.ACCESS_KEY, "secret_key": accounts.SECRET_KEY},
    "password": {
        "username": accounts.USERNAME,
        "password": accounts.PASSWORD,
        "domain_name": accounts.DOMAIN_NAME,
    },
}
NAMES = ("service", "task_id", "instance_id", "task_name")


@dataclasses.dataclass
class Stage:
    """Where a trial happens. ``task_ids`` are those of each host's tasks."""

    trial: Trial
    folder: pathlib.Path
    sim: Simulator
    mark: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    task_ids: list[set[str]] = dataclasses.field(default_factory=list)

    @property
    def tmp(self) -> pathlib.Path:
        """Where modules are unpacked, and sockets lie."""
        return self.folder / "tmp"

    @property
    def remote_tmp(self) -> pathlib.Path:
        """Where Ansible copies modules to."""
        return self.folder / "remote"

    def env(self) -> dict[str, str]:
        return inherited() | {
            "ANSIBLE_CALLBACK_PLUGINS": str(self.folder / "callback"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_CONNECTION_PLUGINS": str(self.folder / "connection"),
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_REMOTE_TMP": str(self.remote_tmp),
            "ANSIBLE_STDOUT_CALLBACK": "progress_callback",
            "ANSIBLE_SYSTEM_TMPDIRS": str(self.tmp),
            "CHAOS_MARK": self.mark,
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "127.0.0.1",
            "PROGRESS_LOST": str(self.folder / "lost"),
            "TMPDIR": str(self.tmp),
        }

    def prepare(self) -> list[str]:
        """Create tasks and faults, write the play; return the command that runs it."""
        for kind in ("callback", "connection"):
            (self.folder / kind).mkdir()
            shutil.copy(TESTS / "playbooks" / f"progress_{kind}.py", self.folder / kind)
        (self.folder / "ansible.cfg").touch()
        self.tmp.mkdir()
        self.sim.change_lists(**self.trial.list_rules)
        hosts = {f"h{number}": self._host(plan) for number, plan in enumerate(self.trial.waits)}
        inventory = {"all": {"hosts": hosts, "vars": {"ansible_python_interpreter": sys.executable}}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory))
        task: dict[str, t.Any] = {"name": "Wait", WAIT: self._arguments()}
        if self.trial.keyword_timeout is not None:
            task["timeout"] = self.trial.keyword_timeout
        (self.folder / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
        return [str(BIN / "ansible-playbook"), "-i", "inventory.json", "play.yml"]

    def _arguments(self) -> dict[str, str]:
        """Each option is the host's own, where it has one."""
        logins = {name for login in LOGINS.values() for name in login}
        names = {*self._place(), *logins, *self.trial.waits[0].options, "tasks"}
        return {name: f"{{{{ options['{name}'] | default(omit) }}}}" for name in sorted(names)}

    def _place(self) -> dict[str, str]:
        return {
            "endpoint": self.sim.url,
            "iam_endpoint": self.sim.endpoint("iam"),
            "project_id": accounts.PROJECT_ID,
            "region": accounts.REGION,
        }

    def _host(self, plan: WaitPlan) -> dict[str, t.Any]:
        tasks = [self._add_task(task) for task in plan.tasks]
        self.task_ids.append({task["task_id"] for task in tasks})
        options = {**plan.options, **self._place(), **LOGINS[plan.login], "tasks": tasks}
        return {"ansible_connection": REMOTE if plan.is_remote else "local", "options": options}

    def _add_task(self, plan: TaskPlan) -> dict[str, t.Any]:
        task = self.sim.add_task(plan.service, outcome=plan.outcome, duration=plan.duration)
        for fault in plan.faults:
            place = {"task_id": task["task_id"], "after": fault.after, "first": fault.first}
            self.sim.add_fault(fault.kind, **place, **fault.given())
        if not plan.exists:
            self.sim.remove_task(task["task_id"])
        endpoint = self.sim.endpoint(plan.service)
        if plan.service in CUSTOM:
            named = {"service": "custom", "task_id": task["task_id"], "api": CUSTOM[plan.service]}
            return {**named, "endpoint": endpoint}
        return {**{name: task[name] for name in NAMES}, "endpoint": endpoint}

    def hosts_that_have_asked(self) -> set[int]:
        """Return the numbers of the hosts whose module has polled."""
        asked = {request["task_id"] for request in self.sim.requests()}
        return {number for number, ids in enumerate(self.task_ids) if ids & asked}

    def is_lost(self, host: int) -> bool:
        """Whether a host is out of reach for a while."""
        return self.trial.waits[host].is_remote and self.trial.lost is not None

    @contextlib.contextmanager
    def losing_hosts(self) -> Iterator[None]:
        """Let remote hosts be out of reach as the trial says."""
        lost = self.folder / "lost"
        acts: tuple[t.Callable[[], None], ...] = (lost.touch, lost.unlink)
        timers = [threading.Timer(seconds, act) for seconds, act in zip(self.trial.lost or (), acts)]
        for timer in timers:
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()

    # Processes

    def survivors(self) -> list[int]:
        """Return the processes that a trial has started and that still run."""
        wanted = f"CHAOS_MARK={self.mark}".encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return sorted(found)

    def workers(self, ansible: int) -> list[int]:
        return [pid for pid in self.survivors() if _parent(pid) == ansible]

    def modules(self) -> list[int]:
        commands = {pid: command_of(pid) for pid in self.survivors()}
        return [pid for pid, text in commands.items() if "AnsiballZ_wait_for_task" in text and "sh -c" not in text]


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
