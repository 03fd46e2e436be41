# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real ansible processes through pipes or a pty, and notes when each line arrives."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import uuid
from collections.abc import Iterator

from environment import BIN, inherited

from simulator import Simulator, accounts

HERE = pathlib.Path(__file__).resolve().parent
COLLECTIONS = HERE.parents[1] / ".venv" / "collections"
SECRETS = (accounts.TOKEN, accounts.SECRET_KEY, accounts.PASSWORD)
PATIENCE = 60.0
WAIT = "huaweicloud.tasks.wait_for_task"
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

# Stands in for the hosts' interpreter: notes what it runs, then runs it.
INTERPRETER = """#!/bin/sh
echo "$PROGRESS_BECAME|$PROGRESS_VARIABLE|$*" >> "{log}"
if [ -e "{crash}" ]; then echo "no memory left" >&2; exit 1; fi
exec "{python}" "$@"
"""


@dataclasses.dataclass(frozen=True)
class Line:
    """A line that was printed, and when it arrived by the monotonic clock, which all processes share."""

    at: float
    text: str

    @property
    def plain(self) -> str:
        return ESCAPE.sub("", self.text)


# What a task says until its course begins; a restore has steps instead of a figure of its own.
BEGINNINGS: dict[str, dict[str, t.Any]] = {
    "taurusdb_restore": {
        "sub_tasks": [
            {"name": "INIT", "status": "complete", "progress": 19, "remaining": 0},
            {"name": "RESTORE", "status": "Running", "progress": 60, "remaining": 200},
        ]
    },
}
# Ctrl-C goes to the processes that the terminal controls.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Reader(threading.Thread):
    """Reads a stream to its end, and notes when each line came."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self.lines: list[Line] = []
        self.start()

    def run(self) -> None:
        rest = b""
        while chunk := self._read():
            *whole, rest = (rest + chunk).split(b"\n")
            now = time.monotonic()
            self.lines += [Line(now, line.decode().rstrip("\r")) for line in whole]
        if rest:
            self.lines.append(Line(time.monotonic(), rest.decode()))

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, 65536)
        except OSError as error:
            # The last process has closed the other end of the pty.
            if error.errno == errno.EIO:
                return b""
            raise


@dataclasses.dataclass(frozen=True)
class Result:
    how: str
    host: str
    task: str
    at: float
    result: dict[str, t.Any]


class Run:
    """A process that runs, or has run."""

    def __init__(self, process: subprocess.Popen[bytes], out: Reader, err: Reader, master: int | None) -> None:
        self.process = process
        self.out = out
        self.err = err
        self.master = master
        self.ended_at = 0.0

    def wait(self) -> Run:
        self.process.wait(PATIENCE)
        self.ended_at = time.monotonic()
        for reader in (self.out, self.err):
            reader.join(5)
        text = "\n".join(line.text for line in self.out.lines + self.err.lines)
        assert not any(secret in text for secret in SECRETS), text
        return self

    @property
    def stdout(self) -> str:
        return "\n".join(line.text for line in self.out.lines)

    def progress(self, host: str = "h1") -> list[Line]:
        """The lines of live progress of one host."""
        return [line for line in self.err.lines if re.match(rf"\[{host}( ->[^]]*)?\] ", line.plain)]

    def results(self) -> list[Result]:
        """What the callback of the tests printed, which must be all of stdout."""
        return [Result(**each) for each in json.loads(self.stdout)]

    def result(self, task: str, host: str = "h1") -> Result:
        """The result of one task, without those of its items and retries."""
        (result,) = [
            each
            for each in self.results()
            if (each.task, each.host) == (task, host) and each.how in ("ok", "failed", "unreachable")
        ]
        return result

    def saw(self, text: str, *, after: int = 0) -> Line:
        """Wait until a line with this text has arrived, after so many lines of stderr."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for line in self.err.lines[after:] + self.out.lines:
                if text in line.plain:
                    return line
            assert self.process.poll() is None, self.stdout + "\n".join(line.text for line in self.err.lines)
            time.sleep(0.02)
        raise AssertionError(f"no line with {text!r}")


class Controller:
    """A machine with Ansible on it, in a folder of its own, and the hosts that it knows."""

    def __init__(self, folder: pathlib.Path, sim: Simulator) -> None:
        self.folder = folder
        self.sim = sim
        self._closing = threading.Event()
        self._starters: list[threading.Thread] = []
        self.mark = uuid.uuid4().hex
        self.crash = folder / "crash"
        self.lost = folder / "lost"
        self.remote_tmp = folder / "home" / "tmp"
        # Where modules are unpacked, and sockets lie.
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="tasks-"))
        self.env = self._environment()
        for kind in ("callback", "become", "connection"):
            (folder / kind).mkdir()
            shutil.copy(HERE / f"progress_{kind}.py", folder / kind)
        self.hosts("h1")

    def task(self, service: str, **course: t.Any) -> dict[str, str]:
        """Create a task of the cloud whose course begins when it is first polled: machines are not equally fast."""
        task = self.sim.add_task(service, **{key: course.pop(key) for key in ("name",) if key in course})
        self.sim.change_task(task["task_id"], status="Running", **BEGINNINGS.get(service, {"progress": 40}))

        def begin() -> None:
            while not self._closing.wait(0.02):
                if self.sim.requests(task_id=task["task_id"]):
                    self.sim.change_task(task["task_id"], **course)
                    return

        if course:
            self._starters.append(threading.Thread(target=begin))
            self._starters[-1].start()
        return task

    def close(self) -> None:
        self._closing.set()
        for thread in self._starters:
            thread.join()
        shutil.rmtree(self.tmp)

    def _environment(self) -> dict[str, str]:
        env = inherited()
        (self.folder / "ansible.cfg").touch()
        (self.folder / "home").mkdir()
        env.update(
            ANSIBLE_ASYNC_DIR=str(self.folder / "async"),
            ANSIBLE_BECOME_ALLOW_SAME_USER="true",
            ANSIBLE_BECOME_PLUGINS=str(self.folder / "become"),
            ANSIBLE_CALLBACK_PLUGINS=str(self.folder / "callback"),
            ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
            ANSIBLE_CONFIG=str(self.folder / "ansible.cfg"),
            ANSIBLE_CONNECTION_PLUGINS=str(self.folder / "connection"),
            ANSIBLE_DEPRECATION_WARNINGS="false",
            ANSIBLE_HOME=str(self.folder / "home" / ".ansible"),
            ANSIBLE_INVENTORY=str(self.folder / "inventory"),
            ANSIBLE_REMOTE_TMP=str(self.remote_tmp),
            ANSIBLE_STDOUT_CALLBACK="progress_callback",
            ANSIBLE_SYSTEM_TMPDIRS=str(self.tmp),
            HOME=str(self.folder / "home"),
            LC_ALL="C.UTF-8",
            NO_PROXY="127.0.0.1",
            PROGRESS_LOST=str(self.lost),
            PROGRESS_MARK=self.mark,
            TMPDIR=str(self.tmp),
        )
        return env

    def hosts(self, *names: str, **variables: str) -> None:
        """Write the inventory."""
        lines = []
        for name in names:
            interpreter = self.folder / f"python-{name}"
            log = self.folder / f"log-{name}"
            interpreter.write_text(INTERPRETER.format(log=log, crash=self.crash, python=sys.executable))
            interpreter.chmod(0o755)
            given = {"ansible_connection": "local", "ansible_python_interpreter": str(interpreter), **variables}
            lines.append(" ".join([name, *(f"{key}='{value}'" for key, value in given.items())]))
        (self.folder / "inventory").write_text("\n".join(lines) + "\n")

    def module_runs(self, host: str = "h1", module: str = "wait_for_task") -> list[dict[str, str]]:
        """How often the host's interpreter was started for a module: as which user, and with which variable."""
        log = self.folder / f"log-{host}"
        lines = log.read_text().splitlines() if log.exists() else []
        parts = [line.split("|", 2) for line in lines]
        return [
            {"became": became, "variable": variable}
            for became, variable, command in parts
            if f"AnsiballZ_{module}.py" in command and "async_wrapper" not in command
        ]

    def litter(self, *, of_module: bool = True) -> list[str]:
        """What is left in the temporary folders: of the module, and of what runs it."""
        found = [path.name for folder in (self.tmp, self.remote_tmp) if folder.exists() for path in folder.iterdir()]
        # Ansible's own processes meet in a folder of this name since core 2.21.
        others = ("pymp-",) if of_module else ("pymp-", "ansible_")
        return [name for name in found if not name.startswith(others)]

    def options(self, **more: t.Any) -> dict[str, t.Any]:
        """Connection options for the simulator."""
        connection = {
            "endpoint": self.sim.url,
            "iam_endpoint": self.sim.url,
            "region": accounts.REGION,
            "project_id": accounts.PROJECT_ID,
            "auth_token": accounts.TOKEN,
        }
        return {**connection, **more}

    def play(self, *tasks: dict[str, t.Any], **keywords: t.Any) -> pathlib.Path:
        """Write a playbook of one play; where to ask, and as whom, is among the defaults of modules."""
        play = {
            "hosts": "all",
            "gather_facts": False,
            "module_defaults": {
                "group/huaweicloud.tasks.all": self.options(),
                WAIT: {"sleep": 0.5, "max_sleep": 0.5},
            },
            "tasks": list(tasks),
            **keywords,
        }
        path = self.folder / "play.yml"
        path.write_text(json.dumps([play]))
        return path

    @contextlib.contextmanager
    def start(self, *command: str | os.PathLike[str], terminal: bool = False, **env: str) -> Iterator[Run]:
        """Start a command; whatever happens, none of its processes outlives the test."""
        argv = [str(BIN / command[0]), *map(str, command[1:])]
        given: dict[str, t.Any] = {"env": {**self.env, **env}, "cwd": self.folder, "start_new_session": True}
        run = _on_terminal(argv, given) if terminal else _through_pipes(argv, given)
        try:
            yield run
        finally:
            for pid in self.survivors():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            run.process.wait(PATIENCE)

    def run(self, *command: str | os.PathLike[str], terminal: bool = False, **env: str) -> Run:
        """Run a command to its end."""
        with self.start(*command, terminal=terminal, **env) as run:
            return run.wait()

    def survivors(self) -> list[int]:
        """The processes that were started here, or by what was started here, and that still run."""
        mark = f"PROGRESS_MARK={self.mark}".encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found


def _through_pipes(argv: list[str], given: dict[str, t.Any]) -> Run:
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **given)
    assert process.stdout
    assert process.stderr
    return Run(process, Reader(process.stdout.fileno()), Reader(process.stderr.fileno()), None)


def _on_terminal(argv: list[str], given: dict[str, t.Any]) -> Run:
    """Both streams on one terminal, which is the one that controls the process."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *argv], stdin=slave, stdout=slave, stderr=slave, **given
    )
    os.close(slave)
    reader = Reader(master)
    return Run(process, reader, reader, master)


@contextlib.contextmanager
def controller(folder: pathlib.Path) -> Iterator[Controller]:
    with Simulator() as sim:
        here = Controller(folder, sim)
        try:
            yield here
        finally:
            here.close()
