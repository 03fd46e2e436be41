# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks and the timelines they move along."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from . import accounts
from .catalog import CATALOG, SERVICES
from .timelines import TIMELINE_KEYS, Step, read_timeline

TASK_KEYS = (
    frozenset(
        {
            "service",
            "id",
            "name",
            "instance_id",
            "instance_name",
            "project_id",
            "visible_after",
            "age",
            "raw",
            "details",
            "job",
            "listed",
        }
    )
    | TIMELINE_KEYS
)

KAFKA_ID = re.compile(r"[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}")


@dataclass
class Task:
    """One asynchronous task; `born` and `born_at` are the moment (monotonic, wall) from which its timeline counts.

    Of a restore `job` is put over what the job API says; false means that the job API does not know it. `listed` is put
    over what a list says.
    """

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
    job: Any = None
    listed: dict[str, Any] = field(default_factory=dict)
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __post_init__(self) -> None:
        self.born_at = self.created_at

    def restart(self, steps: list[Step], now: float) -> None:
        """A new timeline, which counts from now."""
        self.steps, self.born, self.born_at = steps, now, datetime.now(timezone.utc)

    def step(self, now: float) -> Step:
        """The step the task has reached."""
        reached = [step for step in self.steps if step.at <= now - self.born]
        return reached[-1] if reached else self.steps[0]

    def step_time(self, now: float) -> datetime:
        """When (wall clock) the present step began."""
        return self.born_at + timedelta(seconds=min(self.step(now).at, max(0.0, now - self.born)))

    def reference(self) -> dict[str, str]:
        """What a caller needs to ask for this task."""
        return {
            "service": self.service,
            "task_id": self.id,
            "instance_id": self.instance_id,
            "task_name": self.name,
            "project_id": self.project_id,
        }


def product(service: str) -> str:
    """The product whose instances a service works on."""
    return "taurusdb" if service == "taurusdb_restore" else service


def new_id(service: str) -> str:
    """A fresh task id in the form the service uses."""
    value = uuid.uuid4()
    if CATALOG[service].number_id:
        return str(value.int % 10**9)
    return value.hex if CATALOG[service].plain_id else str(value)


def new_instance_id(service: str) -> str:
    """A fresh instance id in the form the service uses."""
    value, suffix = uuid.uuid4(), CATALOG[service].suffix
    return value.hex + suffix if suffix else str(value)


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
    name = str(given.get("name") or CATALOG[service].name)
    age = float(given.get("age") or 0)
    return Task(
        service=service,
        id=str(given.get("id") or new_id(service)),
        name=name,
        instance_id=str(given.get("instance_id") or new_instance_id(service)),
        instance_name=str(given.get("instance_name") or f"{service.partition('_')[0]}-12cd"),
        project_id=str(given.get("project_id") or accounts.PROJECT_ID),
        born=now - age,
        visible_from=now - age + float(given.get("visible_after") or 0),
        steps=read_timeline(service, given),
        raw=given.get("raw"),
        details=dict(given.get("details") or {}),
        job=given.get("job"),
        listed=dict(given.get("listed") or {}),
        created_at=datetime.now(timezone.utc) - timedelta(seconds=age),
    )


class TaskStore:
    """All tasks by their id, in the order in which they were created."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}
        self._ids: set[str] = set()
        self._instances: set[tuple[str, str, str]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def create(self, given: Mapping[str, Any], now: float) -> Task:
        """Add a task; one with the same id is replaced."""
        task = create_task(given, now)
        self._tasks.pop(task.id, None)
        self._tasks[task.id] = task
        self._ids.add(task.id)
        self._instances.add((product(task.service), task.project_id, task.instance_id))
        return task

    def change(self, task_id: str, given: Mapping[str, Any], now: float) -> Task:
        """Change a task; a new timeline counts from now."""
        check_keys(given, TASK_KEYS - {"service", "id", "age"}, "a change of a task")
        task = self._tasks[task_id]
        if TIMELINE_KEYS & set(given):
            task.restart(read_timeline(task.service, given), now)
        if "visible_after" in given:
            task.visible_from = now + float(given["visible_after"])
        for key in ("name", "instance_id", "instance_name", "project_id", "raw", "details", "job", "listed"):
            if key in given:
                setattr(task, key, given[key])
        return task

    def remove(self, task_id: str) -> None:
        """Forget a task; KeyError where it is not known."""
        del self._tasks[task_id]

    def find(self, task_id: str, services: tuple[str, ...], project_id: str, now: float) -> Task | None:
        """The visible task with this id in one of the services and in the project, if any is named."""
        task = self._tasks.get(task_id)
        if task is None or task.service not in services or project_id not in ("", task.project_id):
            return None
        return task if task.visible_from <= now else None

    def visible(self, services: tuple[str, ...], project_id: str, now: float) -> list[Task]:
        """The visible tasks of the services in the project, in the order in which they were created."""
        return [
            task
            for task in self._tasks.values()
            if task.service in services and task.project_id == project_id and task.visible_from <= now
        ]

    def knows_instance(self, service: str, project_id: str, instance_id: str) -> bool:
        """Whether the instance has had a task of this service; instances outlive the tasks they had."""
        return (product(service), project_id, instance_id) in self._instances

    def is_kafka_id(self, task_id: str) -> bool:
        """Whether Kafka takes this for the id of a task; the ids of the tests' own tasks are always well formed."""
        return task_id in self._ids or KAFKA_ID.fullmatch(task_id) is not None

    def latest_restore(self, instance_id: str, project_id: str, now: float) -> Task | None:
        """The restore of an instance which was created last and is visible."""
        for task in reversed(self._tasks.values()):
            same = task.service == "taurusdb_restore" and task.instance_id == instance_id
            if same and self.find(task.id, (task.service,), project_id, now):
                return task
        return None
