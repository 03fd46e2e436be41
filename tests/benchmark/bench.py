# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The place where commands are measured: a copy of the collection, and an environment with only what it needs."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

import checkout

HERE = pathlib.Path(__file__).parent
LOCK = checkout.ROOT / "tools" / "requirements-benchmark.lock"
PACKAGES = ("ansible-core", "requests")
PATIENCE = 900.0

Figures = dict[str, float]


class Bench:
    """Runs commands in a clean environment below a temporary folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._bin = folder / "venv" / "bin"
        self.env = self._environment()

    def prepare(self) -> None:
        """Make the environment; packages that Python libraries use where they are there would cost time."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.folder / "venv"], check=True)
        options = [
            "--quiet",
            "--system-certs",
            "--compile-bytecode",
            "--python",
            self.python,
            "--constraints",
            str(LOCK),
        ]
        subprocess.run([str(checkout.BIN / "uv"), "pip", "install", *options, *PACKAGES], check=True)
        checkout.copy(checkout.place(self.folder))

    @property
    def python(self) -> str:
        """Its interpreter, which runs Ansible and modules."""
        return str(self._bin / "python")

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self._bin / name)

    @contextlib.contextmanager
    def home(self) -> Iterator[pathlib.Path]:
        """A folder for the files of one command."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as name:
            yield pathlib.Path(name)

    def measure(self, command: Sequence[str]) -> Figures:
        """Run a command and return its wall time, CPU time (seconds) and memory (MiB)."""
        with self.home() as home:
            report, output = home / "report", home / "output"
            status = self._run([sys.executable, str(HERE / "tree.py"), str(report), *command], home, output)
            if status:
                tail = output.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise SystemExit(f"{command[0]} ended with status {status}:\n{tail}")
            figures: Figures = json.loads(report.read_text(encoding="utf-8"))
            return figures

    def _run(self, command: Sequence[str], home: pathlib.Path, output: pathlib.Path) -> int:
        env = self.env | {"ANSIBLE_ASYNC_DIR": str(home / "async")}
        with output.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )
            with checkout.stopping(process):
                return process.wait(PATIENCE)

    def _environment(self) -> dict[str, str]:
        env = checkout.environment(self.folder, self.folder)
        env = {key: value for key, value in env.items() if not key.startswith("PYTHON")}
        temporary = str(self.folder / "tmp")
        path = os.pathsep.join((str(self._bin), env["PATH"]))
        return env | {"ANSIBLE_LOCAL_TEMP": temporary, "ANSIBLE_REMOTE_TEMP": temporary, "PATH": path}
