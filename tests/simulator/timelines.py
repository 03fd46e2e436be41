# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timelines: which status, progress and sub-tasks a task has so many seconds after its creation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .catalog import CATALOG, Words

TIMELINE_KEYS = frozenset(
    {"steps", "status", "progress", "remaining", "sub_tasks", "duration", "outcome", "fail_reason", "error_code"}
)
STEP_KEYS = frozenset({"at", "status", "progress", "remaining", "fail_reason", "error_code", "sub_tasks"})
RESTORE_PARTS = ("INIT", "RESTORE", "START")
DEFAULT_DURATION = 5.0
FAILURES = frozenset({"failed", "timeout", "skipped", "rollback_failed"})


@dataclass(frozen=True)
class Step:
    """What an API says from the second `at` on; numbers may also be strings, which are sent as they are."""

    at: float
    status: str
    progress: Any = None
    remaining: Any = None
    fail_reason: str | None = None
    error_code: str | None = None
    sub_tasks: tuple[Mapping[str, Any], ...] | None = None


def read_step(given: Mapping[str, Any]) -> Step:
    """A step from a control call."""
    unknown = sorted(set(given) - STEP_KEYS)
    if unknown:
        raise ValueError(f"unknown keys for a step: {', '.join(unknown)}; known: {', '.join(sorted(STEP_KEYS))}")
    if "status" not in given:
        raise ValueError("a step needs a status")
    parts = given.get("sub_tasks")
    return Step(
        at=float(given.get("at", 0)),
        status=given["status"],
        progress=given.get("progress"),
        remaining=given.get("remaining"),
        fail_reason=given.get("fail_reason"),
        error_code=given.get("error_code"),
        sub_tasks=None if parts is None else tuple(dict(part) for part in parts),
    )


def read_timeline(service: str, given: Mapping[str, Any]) -> list[Step]:
    """The steps a control call describes: listed, one fixed status, or the natural course of the service."""
    if given.get("steps"):
        return sorted((read_step(step) for step in given["steps"]), key=lambda step: step.at)
    if given.get("status") is not None:
        return [read_step({key: value for key, value in given.items() if key in STEP_KEYS})]
    duration = DEFAULT_DURATION if given.get("duration") is None else float(given["duration"])
    steps = natural(service, duration, str(given.get("outcome") or "succeeded"))
    return [*steps[:-1], with_error(steps[-1], given)]


def with_error(last: Step, given: Mapping[str, Any]) -> Step:
    """The last step with the reason and the code that a control call gives it."""
    return replace(
        last,
        fail_reason=given.get("fail_reason") or last.fail_reason,
        error_code=given.get("error_code") or last.error_code,
    )


def natural(service: str, duration: float, outcome: str) -> list[Step]:
    """Pending, running with growing progress, then the outcome; the outcome `stuck` never comes to an end."""
    words = CATALOG[service].words
    if outcome != "stuck" and outcome not in words.outcomes:
        raise ValueError(f"outcome for {service} must be stuck or one of {', '.join(words.outcomes)}, not {outcome!r}")
    begin = duration / 10 if words.pending else 0.0
    steps = running_steps(words.running, begin, duration)
    if words.pending:
        steps.insert(0, Step(0.0, words.pending))
    if outcome != "stuck":
        error = (words.reason, words.code) if outcome in FAILURES else (None, None)
        steps.append(Step(duration, words.outcomes[outcome], None, None, *error))
    return [with_parts(step, words) for step in steps] if service == "taurusdb_restore" else steps


def running_steps(word: str, begin: float, end: float) -> list[Step]:
    """Steps of growing progress; about one a second, at least nine in all."""
    count = min(99, max(9, int(end - begin)))
    shares = [number / count for number in range(count)]
    times = [begin + (end - begin) * share for share in shares]
    return [
        Step(at, word, progress=max(1, int(100 * share)), remaining=math.ceil(end - at))
        for at, share in zip(times, shares)
    ]


def with_parts(step: Step, words: Words) -> Step:
    """A step of a restore with the sub-tasks which belong to its progress."""
    done = {words.outcomes["succeeded"]: 300.0, words.outcomes["failed"]: 250.0, words.pending: 0.0}
    total = done.get(step.status, 3.0 * float(step.progress or 0))
    shares = [min(100, max(0, int(total - 100 * number))) for number in range(len(RESTORE_PARTS))]
    parts = tuple(restore_part(name, share, step, words) for name, share in zip(RESTORE_PARTS, shares))
    return replace(step, sub_tasks=parts)


def restore_part(name: str, share: int, step: Step, words: Words) -> dict[str, Any]:
    """One sub-task of a restore. As on the API page, INIT stays at 19 percent when it is complete."""
    if share >= 100:
        odd = name == "INIT"
        return {"name": name, "progress": 19 if odd else 100, "status": "complete", "remaining": 66 if odd else 0}
    status = step.status if share > 0 else words.pending
    return {"name": name, "progress": share, "status": status, "remaining": step.remaining or 0}
