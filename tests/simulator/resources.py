# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resources which a wait may watch: a server, a database instance, a volume. They move along timelines as tasks do."""

from __future__ import annotations

from typing import Any, Callable

from .apis import kafka_time
from .catalog import GONE
from .tasks import Task

Body = dict[str, Any]


def server(task: Task, now: float) -> Body:
    """ECS: GET /v1/{project_id}/cloudservers/{server_id}."""
    step = task.step(now)
    return {
        "server": {
            "id": task.id,
            "name": task.instance_name,
            "status": step.status,
            "tenant_id": task.project_id,
            "created": kafka_time(task.created_at),
            "updated": kafka_time(task.step_time(now)),
            "progress": 0,
            "OS-EXT-STS:vm_state": "active" if step.status == "ACTIVE" else "building",
        }
        | task.details
    }


def instance(task: Task, now: float) -> Body:
    """TaurusDB: GET /v3/{project_id}/instances/{instance_id}."""
    return {"instance": record(task, now)}


def record(task: Task, now: float) -> Body:
    """One instance of TaurusDB."""
    step = task.step(now)
    return {
        "id": task.id,
        "name": task.instance_name,
        "status": step.status,
        "project_id": task.project_id,
        "type": "Cluster",
        "datastore": {"type": "gaussdb-mysql", "version": "8.0"},
    } | task.details


def instances(known: list[Task], wanted: str, now: float) -> Body:
    """TaurusDB: GET /v3/{project_id}/instances, all of them or the one with an id."""
    there = [task for task in known if task.step(now).status != GONE and wanted in ("", task.id)]
    return {"instances": [record(task, now) for task in there], "total_count": len(there)}


def volume(task: Task, now: float) -> Body:
    """EVS: GET /v2/{project_id}/cloudvolumes/{volume_id}."""
    return {
        "volume": {
            "id": task.id,
            "name": task.instance_name,
            "status": task.step(now).status,
            "size": 40,
            "volume_type": "SSD",
            "created_at": kafka_time(task.created_at),
        }
        | task.details
    }


BODIES: dict[str, Callable[[Task, float], Body]] = {
    "ecs_server": server,
    "taurusdb_instance": instance,
    "evs_volume": volume,
}
