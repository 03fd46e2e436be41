# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in one trial: made from a seed, so that a trial that fails can be repeated."""

from __future__ import annotations

import dataclasses
import random
import typing as t

SERVICES = ("taurusdb", "taurusdb_restore", "dds", "kafka")
OUTCOMES = {
    "taurusdb": ("succeeded", "failed", "canceled", "stuck"),
    "taurusdb_restore": ("succeeded", "failed", "stuck"),
    "dds": ("succeeded", "failed", "stuck"),
    "kafka": ("succeeded", "failed", "deleted", "canceled", "stuck"),
}
TRANSIENT = ("reset", "close", "truncated", "not_json", "login_page", "empty", "wrong_shape", "status")
FATAL_STATUSES = (400, 401, 403)
SIGNALS = ("INT", "TERM", "HUP", "KILL", "KILL worker")
HOSTS = 4
# Beyond any trial's length: whatever ends a wait then is not this grace.
LONG = 300.0


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault that meets the polls of one task: so many (``first``) after so many that are answered (``after``)."""

    kind: str
    after: int
    first: int
    status: int = 503

    @property
    def is_fatal(self) -> bool:
        return self.kind == "status" and self.status in FATAL_STATUSES

    def given(self) -> dict[str, t.Any]:
        return {"status": self.status} if self.kind == "status" else {}


@dataclasses.dataclass(frozen=True)
class TaskPlan:
    """A task of the cloud, its truth (``outcome``), and what its polls meet."""

    service: str
    outcome: str
    duration: float
    faults: tuple[Fault, ...] = ()
    exists: bool = True

    @property
    def will_succeed(self) -> bool:
        return self.exists and self.outcome == "succeeded"

    @property
    def will_fail(self) -> bool:
        return self.exists and self.outcome in ("failed", "canceled", "deleted")


@dataclasses.dataclass(frozen=True)
class WaitPlan:
    """One host's wait."""

    tasks: tuple[TaskPlan, ...]
    options: dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Trial:
    """One run of ansible-playbook: a wait on each host, and a signal that may come at some moment."""

    seed: int
    waits: tuple[WaitPlan, ...]
    signal: str | None
    signal_after: float


def make_trial(seed: int) -> Trial:
    """Return the trial of a seed."""
    rng = random.Random(seed)
    waits = tuple(_wait(rng) for dummy in range(HOSTS))
    sent = rng.choice(SIGNALS) if rng.random() < 0.3 else None
    return Trial(seed, waits, sent, rng.uniform(0.5, 8.0))


def _wait(rng: random.Random) -> WaitPlan:
    tasks = tuple(_task(rng) for dummy in range(rng.randint(1, 3)))
    options = {
        "timeout": rng.choice((0, 1, 4, 8, 12)),
        "sleep": rng.choice((0.3, 0.7, 1.5)),
        "require": rng.choice(("all", "all", "any")),
        "fail_fast": rng.random() < 0.6,
        "error_grace": rng.choice((1.0, LONG, LONG)),
        "not_found_grace": rng.choice((1.0, 3.0, LONG)),
        "progress": rng.random() < 0.6,
        "request_timeout": rng.choice((2.0, 30.0)),
    }
    return WaitPlan(tasks, options)


def _task(rng: random.Random) -> TaskPlan:
    service = rng.choice(SERVICES)
    outcome = rng.choice(OUTCOMES[service]) if rng.random() < 0.5 else "succeeded"
    faults = tuple(_fault(rng) for dummy in range(rng.choice((0, 0, 1, 2))))
    return TaskPlan(service, outcome, rng.uniform(0, 6), faults, exists=rng.random() > 0.06)


def _fault(rng: random.Random) -> Fault:
    kind = rng.choice((*TRANSIENT, "throttle", "unknown_id", "slow", "fatal"))
    after, first = rng.choice((0, 0, 1, 2, 3)), rng.choice((1, 1, 2, 4))
    if kind == "fatal":
        return Fault("status", after, first, rng.choice(FATAL_STATUSES))
    return Fault(kind, after, first, rng.choice((500, 502, 503, 504)))
