# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations which start a task, so that a play can start one and wait for it: each responds with the task's id.

They change nothing else, except that servers and volumes come and go with their tasks.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Callable

from . import errors
from .catalog import GONE
from .response import Incoming, Response
from .routes import Call
from .tasks import Task, TaskStore, check_keys

KEYS = frozenset({"duration", "outcome", "fail_reason", "error_code", "visible_after"})
DEFAULTS: dict[str, Any] = {"duration": 2}


class Operations:
    """Starts tasks; a control call changes how long they take and how they end."""

    def __init__(self) -> None:
        self.given = dict(DEFAULTS)

    def change(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Apply a control call; it counts for the tasks which are started from now on."""
        check_keys(given, KEYS, "the operations")
        self.given = {**DEFAULTS, **given}
        return self.given

    def start(self, store: TaskStore, now: float, call: Call, service: str, **more: Any) -> Task:
        """A new task."""
        return store.create({"service": service, "project_id": call.project_id, **self.given, **more}, now)

    def resource(self, store: TaskStore, now: float, call: Call, service: str, **more: Any) -> Task:
        """A resource which is made as long as its task takes."""
        course = {"duration": self.given["duration"]}
        return store.create({"service": service, "project_id": call.project_id, **course, **more}, now)


Start = Callable[[Operations, TaskStore, float, Call, Any], Response]


def restart_instance(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """RDS: {"restart": {}}."""
    task = operations.start(store, now, call, "rds", name="RestartMysqlInstance", instance_id=call.instance_id)
    return Response(202, {"job_id": task.id})


def create_servers(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """ECS: {"server": {"name": ..., "count": ...}}."""
    wanted = body.get("server") or {}
    servers = [
        operations.resource(store, now, call, "ecs_server", instance_name=wanted.get("name")).id
        for dummy in range(int(wanted.get("count") or 1))
    ]
    task = operations.start(store, now, call, "ecs", instance_id=servers[0])
    return Response(200, {"job_id": task.id, "serverIds": servers})


def delete_servers(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """ECS: {"servers": [{"id": ...}]}."""
    ids = [str(server["id"]) for server in body["servers"]]
    for server in ids:
        operations.resource(
            store,
            now,
            call,
            "ecs_server",
            id=server,
            steps=[{"at": 0, "status": "ACTIVE"}, {"at": operations.given["duration"], "status": GONE}],
        )
    task = operations.start(store, now, call, "ecs", name="deleteVMs", instance_id=ids[0])
    return Response(200, {"job_id": task.id})


def swap_standby(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """DCS: the standby becomes the master."""
    task = operations.start(store, now, call, "dcs", instance_id=call.instance_id)
    return Response(200, {"job_id": task.id})


def create_cluster(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """CCE: the job's id is in the status of the cluster."""
    metadata = dict(body.get("metadata") or {})
    uid = str(uuid.uuid4())
    task = operations.start(store, now, call, call.services[0], instance_id=uid, instance_name=metadata.get("name"))
    cluster = {"kind": "Cluster", "apiVersion": "v3", "metadata": {**metadata, "uid": uid}, "spec": body.get("spec")}
    return Response(201, {**cluster, "status": {"phase": "Creating", "jobID": task.id}})


def delete_cluster(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """CCE: as above."""
    task = operations.start(store, now, call, call.services[0], name="DeleteCluster", instance_id=call.instance_id)
    cluster = {"kind": "Cluster", "apiVersion": "v3", "metadata": {"uid": call.instance_id}}
    return Response(200, {**cluster, "status": {"phase": "Deleting", "jobID": task.id}})


def delete_volume(operations: Operations, store: TaskStore, now: float, call: Call, body: Any) -> Response:
    """EVS: the volume is gone when its task is done."""
    operations.resource(store, now, call, "evs_volume", id=call.instance_id)
    task = operations.start(store, now, call, "evs", name="deleteVolume", instance_id=call.instance_id)
    return Response(200, {"job_id": task.id})


STARTS: dict[str, Start] = {
    "restart_instance": restart_instance,
    "create_servers": create_servers,
    "delete_servers": delete_servers,
    "swap_standby": swap_standby,
    "create_cluster": create_cluster,
    "delete_cluster": delete_cluster,
    "delete_volume": delete_volume,
}


def respond(operations: Operations, store: TaskStore, now: float, incoming: Incoming, call: Call) -> Response:
    """Carry out an operation; what it cannot read is a bad request."""
    try:
        body = json.loads(incoming.body) if incoming.body else {}
        return STARTS[call.api](operations, store, now, call, body)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return errors.bad_parameter()
