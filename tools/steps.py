# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands one after the other or side by side, and report how they went."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence

PATIENCE = 900  # seconds for one command
COUNTS = re.compile(r"\b(\d+) (passed|failed|errors?|skipped)\b")
SUMMARY = re.compile(r"^.*\b(?:passed|failed|errors?|skipped)\b.* in [\d.]+s\b.*$", re.MULTILINE)
SANITY = re.compile(r'^Running sanity test "([^"]+)"', re.MULTILINE)
SANITY_FAILED = re.compile(r"^FATAL: The (\d+) sanity test", re.MULTILINE)
ROLES = re.compile(r"^Running (\S+) integration test", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Result:
    name: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    note: str


# output, whether the exit status was 0 -> passed, failed, skipped
Count = Callable[[str, bool], "tuple[int, int, int]"]


def whole(dummy_output: str, good: bool) -> tuple[int, int, int]:
    """The command is one test."""
    return int(good), 0, 0


def pytest_tests(output: str, good: bool) -> tuple[int, int, int]:
    """The command is pytest: its last line counts."""
    return pytest_runs(output.rstrip().rpartition("\n")[2], good)


def pytest_runs(output: str, dummy_good: bool) -> tuple[int, int, int]:
    """The command runs pytest several times, each of which ends with a line that counts."""
    counts = dict.fromkeys(("passed", "failed", "error", "skipped"), 0)
    for summary in SUMMARY.findall(output):
        for number, word in COUNTS.findall(summary):
            counts[word.replace("errors", "error")] += int(number)
    return counts["passed"], counts["failed"] + counts["error"], counts["skipped"]


def integration_targets(output: str, good: bool) -> tuple[int, int, int]:
    """The command is ansible-test integration: its targets count."""
    return len(ROLES.findall(output)) - (not good), 0, 0


def sanity_tests(output: str, good: bool) -> tuple[int, int, int]:
    """The command is ansible-test sanity: its tests count. It ends well even where it found nothing to test."""
    failed = sum(int(number) for number in SANITY_FAILED.findall(output)) or int(not good)
    return max(len(set(SANITY.findall(output))) - failed, 0), failed, 0


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    command: Sequence[str | os.PathLike[str]]
    cwd: pathlib.Path
    env: dict[str, str]
    count: Count = whole
    show: bool = False  # its last line belongs into the summary
    vital: bool = False  # where it fails, the rest of its group is not run


# What a group does between two steps is done when it is their turn.
Group = Callable[[], Iterator[Step]]


class Runner:
    """Runs steps in other threads; what they started ends with stop()."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run_groups(self, groups: Sequence[Group], lanes: int) -> None:
        """The steps of a group run one after the other, the groups side by side."""
        with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
            try:
                for future in [pool.submit(self._run_group, group) for group in groups]:
                    future.result()
            except BaseException:
                self.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)

    def _run_group(self, group: Group) -> None:
        for step in group():
            if self._stopped or (self._run(step).failed and step.vital):
                return

    def _run(self, step: Step) -> Result:
        start = time.monotonic()
        status, output = self._call(step)
        passed, failed, skipped = step.count(output, not status)
        note = output.rstrip().rpartition("\n")[2] if step.show else ""
        if status or failed or not passed:
            failed = max(failed, 1)
            output += f"\n[exit status {status}, {passed} passed]\n"
        result = Result(step.name, time.monotonic() - start, passed, failed, skipped, note)
        self._report(result, output)
        return result

    def _call(self, step: Step) -> tuple[int | str, str]:
        with self._lock:
            if self._stopped:
                return "none: interrupted", ""
            process = subprocess.Popen(
                step.command,
                cwd=step.cwd,
                env=step.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._processes.add(process)
        try:
            output = process.communicate(timeout=PATIENCE)[0]
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"none after {PATIENCE} s", process.communicate()[0]
        finally:
            with self._lock:
                self._processes.discard(process)

    def _report(self, result: Result, output: str) -> None:
        with self._lock:
            self.results.append(result)
            if self._stopped:
                return
            print(line(result), flush=True)
            if result.failed:
                print("  | " + "\n  | ".join(output.rstrip().splitlines()), flush=True)


def line(result: Result) -> str:
    word = "FAILED" if result.failed else "ok"
    remarks = [result.note] if result.note else []
    if result.passed + result.failed + result.skipped > 1:
        remarks.append(counted(result.passed, result.failed, result.skipped))
    return "  ".join((f"{word:<6} {result.seconds:6.1f} s", result.name, *(f"({remark})" for remark in remarks)))


def counted(passed: int, failed: int, skipped: int) -> str:
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
