# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for an hour, with faults and request limits: python -m soak --hours 1

Two things at the same time, each in processes of its own beside the simulator's:

* a thousand tasks that are replaced as they end: wait after wait, 16 side by side, in one process that goes on living;
* one ansible-playbook that waits for a thousand TaurusDB tasks, which end one after the other until the time is over.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator

import checkout
from benchmark.cloud import cloud, control

from .cloud import FAULTS, add_tasks, options
from .samples import Sample, growth, share_of_growth, slope, take
from .waits import SERVICES

REPORT = checkout.ROOT / "tests" / "benchmark" / "results" / "soak.json"
LONG_WAIT = "taurusdb"
LONG_WAIT_TASKS = 1000
# Of the whole time: how the last ones ended is asked under a request limit, too.
LAST_END = 0.9
# Seen in public: 200 requests in 5 minutes for each API. Kafka's windows are shorter, so that its waits come to an end.
WINDOWS = {"taurusdb": 300.0, "kafka": 60.0}
REQUESTS = 200
SECONDS_BETWEEN_FAULTS = 10.0
PATIENCE = 120.0
# Of the process of one long wait, in an hour.
MAX_GROWTH_MIB = 4.0
# Of the blocks of memory that Python holds in the process of many waits: one lost for each request would double them.
# Its resident memory grows on, ever more slowly, by the gaps between blocks, although no more of them are held.
MAX_GROWTH_OF_BLOCKS = 0.2
LONG_ENOUGH = 0.5
# Connections and threads come and go; in an hour a thousand of each would be lost.
MAX_MORE = 1.5
# In an hour, from the first minute to the fifth; and while still as much is waited for.
FIRST = (1 / 60, 1 / 12)
LATER = (0.7, 0.8)


@dataclasses.dataclass
class Subject:
    """A process that is looked at, with what it was seen to hold."""

    name: str
    process: subprocess.Popen[str]
    max_growth: float = math.inf  # of its resident memory, MiB
    samples: list[Sample] = dataclasses.field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """What it held at first, later, and at last, and how fast its memory grew."""
        first, later, last = self._median(*FIRST), self._median(*LATER), self.samples[-1]
        return {
            "rss_first": first.rss,
            "rss_later": later.rss,
            "slope": slope(self.samples),
            "growth": growth(self.samples),
            "fds_first": first.fds,
            "fds_later": later.fds,
            "fds_last": last.fds,
            "threads_first": first.threads,
            "threads_later": later.threads,
            "threads_last": last.threads,
        }

    def _median(self, begin: float, end: float) -> Sample:
        """The medians between two moments, which are shares of the time."""
        count = len(self.samples)
        span = self.samples[int(count * begin) : max(int(count * end), int(count * begin) + 1)]
        rss = statistics.median(each.rss for each in span)
        fds, threads = (
            int(statistics.median(numbers)) for numbers in zip(*((each.fds, each.threads) for each in span))
        )
        return Sample(span[0].at, rss, fds, threads)

    def complaints(self) -> Iterator[str]:
        """What must not be after an hour; less time only shows how a process warms up."""
        figures = self.figures()
        if figures["growth"] > self.max_growth:
            yield f"{self.name} grew by {figures['growth']:.1f} MiB"
        for what in ("fds", "threads"):
            first, later, last = (figures[f"{what}_{moment}"] for moment in ("first", "later", "last"))
            if later > first * MAX_MORE or last > first:
                yield f"{self.name} has {later:.0f} {what}, {last:.0f} at last, after {first:.0f} at first"


@dataclasses.dataclass
class Soak:
    """One run: where it happens, how long it takes, and what it is made of."""

    folder: pathlib.Path
    url: str
    seconds: float
    seed: int

    def limit(self) -> None:
        """Put request limits into force; a shorter soak has shorter windows."""
        for service, window in WINDOWS.items():
            scaled = window * min(self.seconds / 3600, 1)
            rule = {"apis": [service], "requests": REQUESTS, "window": scaled, "flow_control": service == "kafka"}
            control(self.url, "limits", rule)

    def start_waits(self) -> subprocess.Popen[str]:
        """The waits one after the other."""
        command = [sys.executable, "-m", "soak.waits", self.url, str(self.seconds), str(self.seed)]
        return self._start([*command, str(self.folder / "waits.jsonl")], "waits.log", checkout.ROOT / "tests")

    def start_long_wait(self, tasks: list[dict[str, str]]) -> subprocess.Popen[str]:
        """The one wait of ansible-playbook, whose result goes to a file."""
        wait, result = options(self.url, tasks, timeout=self.seconds + PATIENCE), self.folder / "result.json"
        steps = [
            {"huaweicloud.tasks.wait_for_task": wait, "register": "wait", "ignore_errors": True},
            {"ansible.builtin.copy": {"content": "{{ wait | to_json }}", "dest": str(result), "mode": "0600"}},
        ]
        play = self.folder / "play.yml"
        play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": steps}]), encoding="utf-8")
        return self._start([str(checkout.BIN / "ansible-playbook"), str(play)], "long_wait.log", self.folder)

    def _start(self, command: list[str], log: str, folder: pathlib.Path) -> subprocess.Popen[str]:
        env = checkout.environment(self.folder, checkout.ROOT / ".venv" / "collections")
        env["PYTHONPATH"] = os.pathsep.join(str(checkout.ROOT / part) for part in (".venv/collections", "tools"))
        with (self.folder / log).open("w") as output:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def trouble(self, randomness: random.Random) -> None:
        """Let some requests of a service meet a fault, until the next one.

        Not those for the list of the long wait, which would give it up for good, and no refusal of its requests beside
        those of its request limit: it would take them for a lower limit, and see the last ends after its timeout. A
        fault that waited for requests as long as it takes would meet those of a wait that sends few, one fault after
        the other.
        """
        service = randomness.choice([*SERVICES, LONG_WAIT])
        spared = {"list": False} if service == LONG_WAIT else {}
        faults = [fault for fault in FAULTS if not spared or fault["fault"] != "throttle"]
        when = {"first": randomness.randint(1, 6), "until": SECONDS_BETWEEN_FAULTS}
        fault = {**randomness.choice(faults), **spared, **when, "service": service}
        control(self.url, "faults", fault)

    def waits_are_over(self) -> bool:
        return (self.folder / "waits.log").read_text(encoding="utf-8").endswith("idle\n")

    def met_faults(self) -> int:
        return sum(fault["applied"] for fault in control(self.url, "faults")["faults"])


def watch(soak: Soak, subjects: list[Subject]) -> None:
    """Make trouble and take samples until both have ended; the last one of the waits when none is left."""
    begun, randomness = time.monotonic(), random.Random(soak.seed)
    pause = max(soak.seconds / 360, 1.0)
    next_fault = 0.0
    waits, long_wait = subjects
    while not (soak.waits_are_over() and long_wait.process.poll() is not None):
        at = time.monotonic() - begun
        if at > soak.seconds + 2 * PATIENCE or waits.process.poll() is not None:
            break
        if next_fault <= at < soak.seconds:
            soak.trouble(randomness)
            next_fault = at + SECONDS_BETWEEN_FAULTS
        for subject in subjects:
            is_over = soak.waits_are_over() if subject is waits else subject.process.poll() is not None
            if not is_over:
                subject.samples.append(take(subject.process.pid, at))
        time.sleep(pause)
    if waits.process.poll() is None:
        waits.samples.append(take(waits.process.pid, time.monotonic() - begun))


def lines_of(path: pathlib.Path) -> list[dict[str, t.Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def wrong_in(result_file: pathlib.Path, truth: dict[str, tuple[dict[str, str], str]]) -> list[str]:
    """The tasks of the long wait that were told wrongly or not at all."""
    if not result_file.exists():
        return ["the long wait has no result"]
    result = json.loads(result_file.read_text(encoding="utf-8"))
    told = {task["id"]: task["state"] for task in result["tasks"]}
    wrong = [f"{LONG_WAIT} {task}: {told.get(task)}" for task, (dummy, end) in truth.items() if told.get(task) != end]
    return wrong and [result["msg"], *wrong]


def run(folder: pathlib.Path, hours: float, seed: int) -> tuple[dict[str, t.Any], list[str]]:
    """Soak; return the figures, and what was wrong."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(cloud(folder)).url
        soak = Soak(folder, url, hours * 3600, seed)
        soak.limit()
        randomness = random.Random(seed)
        durations = [randomness.uniform(0.02, LAST_END) * soak.seconds for dummy in range(LONG_WAIT_TASKS)]
        truth = add_tasks(url, LONG_WAIT, durations, randomness)
        subjects = [
            Subject("waits one after the other", soak.start_waits()),
            Subject("one wait for all", soak.start_long_wait([task for task, dummy in truth.values()]), MAX_GROWTH_MIB),
        ]
        for subject in subjects:
            stack.enter_context(checkout.stopping(subject.process))
        watch(soak, subjects)
        waits = lines_of(folder / "waits.jsonl")
        wrong = [text for wait in waits for text in wait["wrong"]] + wrong_in(folder / "result.json", truth)
        if not soak.waits_are_over():
            wrong.append("the waits one after the other did not end: " + (folder / "waits.log").read_text()[-2000:])
        statuses = [record["status"] for record in control(url, "requests")["requests"]]
        growth_of_blocks = share_of_growth([wait["blocks"] for wait in waits])
        complaints = [text for each in subjects for text in each.complaints()]
        if growth_of_blocks > MAX_GROWTH_OF_BLOCKS:
            complaints.append(f"Python holds {growth_of_blocks:.0%} more blocks of memory after many waits")
        figures = {
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "hours": hours,
            "waits": len(waits) + 1,
            "tasks": sum(wait["tasks"] for wait in waits) + LONG_WAIT_TASKS,
            "wrong": len(wrong),
            "growth_of_blocks": growth_of_blocks,
            "requests": len(statuses),
            "refused": control(url, "stats")["apis"],
            "faults": soak.met_faults(),
            "subjects": {subject.name: subject.figures() for subject in subjects},
        }
        return figures, [*wrong, *(complaints if hours >= LONG_ENOUGH else [])]


def main() -> int:
    checkout.end_on_signals()
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    given = parser.parse_args()
    print(f"seed {given.seed}, {given.hours:g} hours", flush=True)
    with checkout.scratch() as folder:
        figures, problems = run(folder, given.hours, given.seed)
    print(json.dumps(figures, indent=1))
    for problem in problems[:50]:
        print(problem)
    if given.hours >= 1 and not problems:
        REPORT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
