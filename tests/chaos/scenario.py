# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in one trial: made from a seed, so that a trial that fails can be repeated."""

from __future__ import annotations

import dataclasses
import random
import typing as t

# By service: the ways other than success in which its tasks end, or do not.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "taurusdb": ("failed", "canceled", "needs_action", "stuck"),
    "taurusdb_restore": ("failed", "stuck"),
    "dds": ("failed", "stuck"),
    "kafka": ("failed", "deleted", "canceled", "stuck"),
    **dict.fromkeys(("rds", "gaussdb", "geminidb", "dcs", "evs", "ims", "eip", "sdrs", "cce"), ("failed", "stuck")),
    **dict.fromkeys(("cce_autopilot", "sfs_turbo", "cfw"), ("failed", "stuck")),
    **dict.fromkeys(("rabbitmq", "rocketmq"), ("failed", "deleted", "canceled", "stuck")),
    **dict.fromkeys(("ecs", "bms"), ("failed", "needs_action", "stuck")),
    "ddm": ("failed", "canceled", "rolled_back", "needs_action", "stuck"),
    "elb": ("failed", "canceled", "rollback_failed", "stuck"),
    "cbr": ("failed", "timeout", "stuck"),
    "dws": ("failed", "canceled", "stuck"),
    "cse": ("failed", "timeout", "stuck"),
}
# Objects of APIs that no row describes: the play does it.
CUSTOM: dict[str, dict[str, t.Any]] = {
    "ecs_server": {
        "path": "/v1/{project_id}/cloudservers/{task_id}",
        "record": "server",
        "fields": {"id": "id", "name": "name", "status": "status"},
        "succeeded": ["active"],
        "failed": ["ERROR"],
        "running": ["BUILD"],
    },
    "evs_volume": {
        "path": "/v2/{project_id}/cloudvolumes/{task_id}",
        "record": "volume",
        "fields": {"id": "id", "status": "status"},
        "succeeded": [],
        "failed": ["error_deleting"],
        "running": ["deleting"],
        "not_found": "succeeded",
    },
}
SERVICES = (*OUTCOMES, *CUSTOM)
# Services with a list that helps a wait for many tasks, and what may be odd about the list.
LISTED = ("dds", "rds", "gaussdb", "geminidb", "elb", "cbr")
MANY = 60
LIST_RULES: tuple[dict[str, t.Any], ...] = (
    {},
    {"refused": True},
    {"offset": "page_from_1"},
    {"offset": "record_from_0"},
    {"order": "oldest"},
    {"lag": 3},
    {"most": 20},
    {"total": "wrong"},
    {"omit": ["status"]},
    {"arrivals": 3},
)
TRANSIENT = ("reset", "close", "hang", "truncated", "not_json", "login_page", "empty", "wrong_shape", "status")
HARMLESS = ("throttle", "slow", "recoded", "idle_close", "bad_date", "drip")
FATAL_STATUSES = (400, 401, 403)
SIGNALS = (
    *("INT", "TERM", "HUP", "KILL", "INT group", "INT INT group", "TERM group"),
    *("TERM worker", "KILL worker", "TERM module", "KILL module"),
)
LOGINS = ("token", "token", "key", "password")
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
        """Whether it is taken for an answer that will not be another one next time."""
        return self.kind == "huge" or (self.kind == "status" and self.status in FATAL_STATUSES)

    @property
    def is_harmless(self) -> bool:
        """Whether the answer, should one come, is the right one."""
        return self.kind in HARMLESS

    def given(self) -> dict[str, t.Any]:
        special: dict[str, dict[str, t.Any]] = {
            "status": {"status": self.status},
            "slow": {"seconds": 1},
            "drip": {"interval": 0.001},
        }
        return special.get(self.kind, {})


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
        return self.exists and self.outcome not in ("succeeded", "stuck", "needs_action")

    @property
    def needs_action(self) -> bool:
        return self.exists and self.outcome == "needs_action"

    @property
    def is_answered_well(self) -> bool:
        """Whether each poll brings the truth, be it late."""
        return self.exists and all(fault.kind in ("recoded", "bad_date") for fault in self.faults)


@dataclasses.dataclass(frozen=True)
class WaitPlan:
    """One host's wait. A remote host is reached by a connection that is not called local."""

    tasks: tuple[TaskPlan, ...]
    options: dict[str, t.Any]
    login: str = "token"
    is_remote: bool = False


@dataclasses.dataclass(frozen=True)
class Trial:
    """One run of ansible-playbook: a wait on each host, and a signal that may come at some moment.

    ``lost``: from when to when remote hosts are out of reach. ``keyword_timeout`` is the task's keyword of that name.
    """

    seed: int
    waits: tuple[WaitPlan, ...]
    signal: str | None = None
    signal_after: float = 0.0
    lost: tuple[float, float] | None = None
    keyword_timeout: int | None = None
    list_rules: dict[str, t.Any] = dataclasses.field(default_factory=dict)


def make_trial(seed: int) -> Trial:
    """Return the trial of a seed."""
    rng = random.Random(seed)
    waits = tuple(_wait(rng) for dummy in range(HOSTS))
    begin = rng.uniform(0.0, 8.0)
    return Trial(
        seed,
        waits,
        signal=rng.choice(SIGNALS) if rng.random() < 0.4 else None,
        signal_after=rng.uniform(0.5, 9.0),
        lost=(begin, begin + rng.uniform(0.5, 4.0)) if rng.random() < 0.4 else None,
        keyword_timeout=rng.choice((3, 6)) if rng.random() < 0.1 else None,
        list_rules=rng.choice(LIST_RULES),
    )


def _wait(rng: random.Random) -> WaitPlan:
    options = {
        "timeout": rng.choice((0, 1, 4, 8, 12)),
        "delay": rng.choice((0, 0, 0, 1)),
        "sleep": rng.choice((0.3, 0.7, 1.5)),
        "require": rng.choice(("all", "all", "any")),
        "fail_fast": rng.random() < 0.6,
        "error_grace": rng.choice((1.0, LONG, LONG)),
        "not_found_grace": rng.choice((1.0, 3.0, LONG)),
        "stall_timeout": rng.choice((LONG, LONG, 2.0)),
        "progress": rng.random() < 0.6,
        "request_timeout": rng.choice((5.0, 30.0)),
    }
    return WaitPlan(_tasks(rng), options, rng.choice(LOGINS), is_remote=rng.random() < 0.25)


def _tasks(rng: random.Random) -> tuple[TaskPlan, ...]:
    if rng.random() < 0.1:
        service = rng.choice(LISTED)
        return tuple(_task(rng, service, troubled=rng.random() < 0.1) for dummy in range(MANY))
    return tuple(_task(rng, rng.choice(SERVICES), troubled=True) for dummy in range(rng.randint(1, 4)))


def _task(rng: random.Random, service: str, *, troubled: bool) -> TaskPlan:
    outcome = "succeeded"
    if troubled and rng.random() < 0.4:
        outcome = rng.choice(OUTCOMES.get(service, ("failed", "stuck")))
    # That a volume is unknown is how it succeeds.
    kinds = (*TRANSIENT, *HARMLESS, "fatal", "huge", *(() if service in CUSTOM else ("unknown_id",)))
    faults = tuple(_fault(rng, kinds) for dummy in range(rng.choice((0, 0, 1, 2)) if troubled else 0))
    exists = service in CUSTOM or not troubled or rng.random() > 0.06
    return TaskPlan(service, outcome, rng.uniform(0, 6), faults, exists)


def _fault(rng: random.Random, kinds: t.Sequence[str]) -> Fault:
    kind = rng.choice(kinds)
    after, first = rng.choice((0, 0, 1, 2, 3)), rng.choice((1, 1, 2, 4))
    if kind == "fatal":
        return Fault("status", after, first, rng.choice(FATAL_STATUSES))
    return Fault(kind, after, first, rng.choice((500, 502, 503, 504)))
