# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated cloud of its own for one measurement, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
import time
import typing as t
import urllib.request
from collections.abc import Iterator, Sequence

import checkout

from simulator import accounts

PATIENCE = 30.0
# An address that no API has, to note a moment in the log.
MARK = "/mark/"


def control(url: str, name: str, body: t.Any = None) -> t.Any:
    """Send a control call to a simulator."""
    data = None if body is None else json.dumps(body).encode()
    # urllib closes its connections, so that none of them counts.
    with urllib.request.urlopen(f"{url}/_control/{name}", data) as answer:
        return json.load(answer)


class Cloud:
    """Tasks are created here, and the log tells afterwards what was asked when."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.tasks: list[dict[str, str]] = []
        self._ends: dict[str, float] = {}

    def add_tasks(self, service: str, durations: Sequence[float]) -> None:
        """Create tasks; they begin now."""
        self.mark("before")
        self.tasks = control(self.url, "tasks", [{"service": service, "duration": seconds} for seconds in durations])
        self.mark("after")
        moments = self._marks()
        born = (moments["before"] + moments["after"]) / 2
        self._ends = {task["task_id"]: born + seconds for task, seconds in zip(self.tasks, durations)}

    def slow_down(self, seconds: float) -> None:
        """Let every answer take so long."""
        control(self.url, "faults", {"fault": "slow", "seconds": seconds})

    def refuse_lists(self) -> None:
        """Let no list be read, so that every task is polled by id."""
        control(self.url, "lists", {"refused": True})

    def limit(self, requests: int, window: float) -> None:
        """Grant a user so many requests to each API in a sliding window."""
        control(self.url, "limits", {"requests": requests, "window": window, "kind": "sliding"})

    def mark(self, name: str) -> None:
        """Note this moment in the log."""
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{self.url}{MARK}{name}").close()

    def requests(self) -> list[dict[str, t.Any]]:
        """The requests for tasks, in the order in which they came."""
        return [record for record in self._log() if record["task_id"] is not None]

    def pages(self) -> int:
        """How many requests a list has got."""
        return sum(record["task_id"] is None and record["service"] == "dds" for record in self._log())

    def peak_connections(self) -> int:
        """How many connections were open at once."""
        return int(control(self.url, "stats")["peak_connections"])

    def lags(self) -> list[float]:
        """For each task the seconds from its end to the request that saw it, which is the last one: none asks on."""
        seen = {record["task_id"]: float(record["at"]) for record in self.requests() if record["status"] == 200}
        if len(seen) < len(self._ends):
            raise SystemExit(f"{len(self._ends) - len(seen)} tasks were never seen.")
        # The moment at which tasks were created is known to some milliseconds.
        return [max(seen[task_id] - end, 0.0) for task_id, end in self._ends.items()]

    def seconds_past_end(self, mark: str) -> float:
        """The seconds from the last task's end to a moment that was noted."""
        return self._marks()[mark] - max(self._ends.values())

    def _marks(self) -> dict[str, float]:
        return {record["path"][len(MARK) :]: record["at"] for record in self._log() if record["path"].startswith(MARK)}

    def _log(self) -> list[dict[str, t.Any]]:
        records: list[dict[str, t.Any]] = control(self.url, "requests")["requests"]
        return records


def token_headers() -> dict[str, str]:
    """What a request needs to be let in."""
    return {"X-Auth-Token": accounts.TOKEN}


def address_of(cloud: Cloud, task_id: str) -> str:
    """Where a task of DDS is asked for."""
    return f"{cloud.url}/dds/v3/{accounts.PROJECT_ID}/jobs?id={task_id}"


@contextlib.contextmanager
def cloud(folder: pathlib.Path) -> Iterator[Cloud]:
    """Start a simulator which ends with the block."""
    port_file = folder / "port"
    options = ["--port", "0", "--port-file", str(port_file), "--quiet", "--exit-with-parent"]
    command = [sys.executable, "-m", "simulator", *options]
    process = subprocess.Popen(command, cwd=checkout.ROOT / "tests", text=True, start_new_session=True)
    with checkout.stopping(process):
        yield Cloud(_port(process, port_file))


def _port(process: subprocess.Popen[str], port_file: pathlib.Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if port_file.exists() and (text := port_file.read_text(encoding="utf-8").strip()):
            return int(text)
        time.sleep(0.05)
    raise SystemExit("The simulator does not listen.")
