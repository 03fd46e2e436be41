# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks and the timelines they move along."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from . import accounts
from .timelines import SERVICES, TIMELINE_KEYS, Step, read_timeline

TASK_KEYS = frozenset({
    "service", "id", "name", "instance_id", "instance_name", "project_id", "visible_after", "raw", "details",
}) | TIMELINE_KEYS

DEFAULT_NAMES = {
    "taurusdb": "CreateGaussDBforMySQLInstance",
    "taurusdb_restore": "RestoreTaurusInInstanceToExisted",
    "dds": "Restore_MongoDB_Replica",
    "kafka": "bindInstancePublicIp",
}
INSTANCE_SUFFIXES = {"taurusdb": "in07", "taurusdb_restore": "in07", "dds": "in02"}


@dataclass
class Task:
    """One asynchronous task; `born` is the moment (monotonic) from which its timeline counts."""

    service: str
    id: str
    name: str
    instance_id: str
    instance_name: str
    project_id: str
    born: float
    visible_from: float
    steps: list[Step]
    raw: Any = None
    details: dict[str, Any] = field(default_factory=dict)
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def step(self, now: float) -> Step:
        """The step the task has reached."""
        reached = [step for step in self.steps if step.at <= now - self.born]
        return reached[-1] if reached else self.steps[0]

    def step_time(self, now: float) -> datetime:
        """When (wall clock) the present step began."""
        return datetime.now(timezone.utc) - timedelta(seconds=max(0.0, now - self.born - self.step(now).at))

    def reference(self) -> dict[str, str]:
        """What a caller needs to ask for this task."""
        return {
            "service": self.service, "task_id": self.id, "instance_id": self.instance_id,
            "task_name": self.name, "project_id": self.project_id,
        }


def new_id(service: str) -> str:
    """A fresh task id in the form the service uses."""
    value = uuid.uuid4()
    return value.hex if service == "kafka" else str(value)


def new_instance_id(service: str) -> str:
    """A fresh instance id in the form the service uses."""
    value = uuid.uuid4()
    return str(value) if service == "kafka" else value.hex + INSTANCE_SUFFIXES[service]


def check_keys(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """Refuse a key which nothing reads, since it is a slip of the pen."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"unknown keys for {what}: {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def create_task(given: Mapping[str, Any], now: float) -> Task:
    """A task from a control call."""
    check_keys(given, TASK_KEYS, "a task")
    service = given.get("service")
    if service not in SERVICES:
        raise ValueError(f"service must be one of {', '.join(SERVICES)}, not {service!r}")
    name = str(given.get("name") or DEFAULT_NAMES[service])
    return Task(
        service=service,
        id=str(given.get("id") or new_id(service)),
        name=name,
        instance_id=str(given.get("instance_id") or new_instance_id(service)),
        instance_name=str(given.get("instance_name") or f"{service.partition('_')[0]}-12cd"),
        project_id=str(given.get("project_id") or accounts.PROJECT_ID),
        born=now,
        visible_from=now + float(given.get("visible_after") or 0),
        steps=read_timeline(service, given),
        raw=given.get("raw"),
        details=dict(given.get("details") or {}),
    )


class TaskStore:
    """All tasks by their id, in the order in which they were created."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def create(self, given: Mapping[str, Any], now: float) -> Task:
        """Add a task; one with the same id is replaced."""
        task = create_task(given, now)
        self._tasks.pop(task.id, None)
        self._tasks[task.id] = task
        return task

    def change(self, task_id: str, given: Mapping[str, Any], now: float) -> Task:
        """Change a task; a new timeline counts from now."""
        check_keys(given, TASK_KEYS - {"service", "id"}, "a change of a task")
        task = self._tasks[task_id]
        if TIMELINE_KEYS & set(given):
            task.steps = read_timeline(task.service, given)
            task.born = now
        if "visible_after" in given:
            task.visible_from = now + float(given["visible_after"])
        for key in ("name", "instance_id", "instance_name", "project_id", "raw", "details"):
            if key in given:
                setattr(task, key, given[key])
        return task

    def remove(self, task_id: str) -> None:
        """Forget a task; KeyError where it is not known."""
        del self._tasks[task_id]

    def find(self, task_id: str, services: tuple[str, ...], project_id: str, now: float) -> Task | None:
        """The visible task with this id in one of the services and in the project."""
        task = self._tasks.get(task_id)
        if task is None or task.service not in services or task.project_id != project_id:
            return None
        return task if task.visible_from <= now else None

    def latest_restore(self, instance_id: str, project_id: str, now: float) -> Task | None:
        """The restore of an instance which was created last and is visible."""
        for task in reversed(self._tasks.values()):
            same = task.service == "taurusdb_restore" and task.instance_id == instance_id
            if same and self.find(task.id, (task.service,), project_id, now):
                return task
        return None
