# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and write down what it and all that it starts use: wall, CPU, memory.

    python tree.py REPORT COMMAND...

CPU is user and system time. Processes that a child leaves behind, as Ansible's async does, come to this process when
their parent ends (PR_SET_CHILD_SUBREAPER), so that their time counts, too. Memory is the highest sum, over the tree,
of the proportional set size: a page that several processes share counts once. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
SHORTEST_PAUSE = 0.05
# Taking samples must not take more than this share of one core.
SHARE = 0.05
PROC = pathlib.Path("/proc")


def children(pid: int) -> list[int]:
    """All processes below one, as far as they still live."""
    below = []
    with contextlib.suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            below += [int(word) for word in (thread / "children").read_text().split()]
    return below + [deeper for child in below for deeper in children(child)]


def proportional_kib(pid: int) -> int:
    """The proportional set size of a process; 0 where it has ended."""
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class Memory(threading.Thread):
    """Takes samples until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_kib = 0
        self._done = threading.Event()

    def run(self) -> None:
        pause = 0.0
        while not self._done.wait(pause):
            began = time.thread_time()
            self.peak_kib = max(self.peak_kib, sum(map(proportional_kib, children(os.getpid()))))
            pause = max(SHORTEST_PAUSE, (time.thread_time() - began) / SHARE)

    def stop(self) -> None:
        self._done.set()
        self.join()


def reap() -> None:
    """Wait for what the command has left behind."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def main() -> int:
    report, *command = sys.argv[1:]
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    memory = Memory()
    memory.start()
    began = time.perf_counter()
    process = subprocess.Popen(command)
    status = process.wait()
    wall = time.perf_counter() - began
    reap()
    memory.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "memory": memory.peak_kib / 1024}
    pathlib.Path(report).write_text(json.dumps(figures), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
