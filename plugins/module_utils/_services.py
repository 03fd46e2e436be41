# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of services: where each keeps its tasks and what its words mean.

To add a service, add one `Service` to `SERVICES`, one thin module ``<service>_task_info`` and recorded
answers for the tests.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import types
import typing as t

from ._task import State, TaskRef

# Words are compared in lower case. Pages, SDK and examples disagree ("Completed", "complete",
# "Canceled", "Cancelled"): every spelling seen is listed. No other word ever means success.
DATABASE_STATUSES = {
    "pending": State.PENDING,
    "running": State.RUNNING,
    "completed": State.SUCCEEDED,
    "complete": State.SUCCEEDED,
    "failed": State.FAILED,
    "fail": State.FAILED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
    "unauthorized": State.NEEDS_ACTION,
}

# DELETED means that the record was removed, which does not say that the work was done.
DMS_STATUSES = {
    "created": State.PENDING,
    "executing": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
    "deleted": State.FAILED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
}


class Service(t.NamedTuple):
    """One row: how to ask a service for a task, and how to read its answer.

    ``fields`` and ``record`` are paths of keys joined by dots; ``[]`` at the end of ``record`` is a list of tasks.
    ``query`` and ``path`` name attributes of `TaskRef`. ``details`` are the keys that only this API has.
    """

    name: str
    title: str
    product: str
    path: str
    statuses: t.Mapping[str, str]
    fields: t.Mapping[str, str]
    query: t.Mapping[str, str] = types.MappingProxyType({})
    record: str = ""
    required: tuple[str, ...] = ("task_id",)
    required_together: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    sub_tasks: str = ""
    same_id: bool = False
    sends_language: bool = False

    @property
    def module(self) -> str:
        """The name of the service's query module."""
        return f"{self.name}_task_info"

    def query_of(self, ref: TaskRef) -> list[tuple[str, str]]:
        """Return the query parameters for a task, without those that are not known."""
        pairs = ((key, getattr(ref, attribute)) for key, attribute in self.query.items())
        return [(key, value) for key, value in pairs if value]

    def state_of(self, status: str | None) -> str:
        """Return the state that a status word of this service means."""
        return self.statuses.get((status or "").lower(), State.UNKNOWN)


_DATABASE_JOB_FIELDS = {
    "id": "id",
    "name": "name",
    "status": "status",
    "instance_id": "instance.id",
    "instance_name": "instance.name",
    "created_at": "created",
    "ended_at": "ended",
    "fail_reason": "fail_reason",
}

SERVICES = {
    service.name: service
    for service in (
        # API page: Obtaining Information About a Task with a Specified ID (TaurusDB)
        Service(
            name="taurusdb",
            title="TaurusDB",
            product="taurusdb",
            path="/v3/{project_id}/jobs",
            query={"id": "task_id"},
            record="job",
            fields=dict(_DATABASE_JOB_FIELDS, progress="process"),
            details=("entities",),
            statuses=DATABASE_STATUSES,
            sends_language=True,
        ),
        # API page: Querying Details About an Asynchronous Task (TaurusDB); the parameters are missing on older pages
        Service(
            name="taurusdb_restore",
            title="TaurusDB restore",
            product="taurusdb",
            path="/v3/{project_id}/instances/{instance_id}/task-center-detail",
            query={"job_id": "task_id", "job_name": "task_name"},
            required=("instance_id",),
            required_together=("task_id", "task_name"),
            fields={
                "id": "job_id",
                "name": "job_name",
                "status": "status",
                "instance_id": "instance_id",
                "instance_name": "instance_name",
            },
            sub_tasks="sub_task_list",
            same_id=True,
            statuses=DATABASE_STATUSES,
            sends_language=True,
        ),
        # API page: Obtaining Information About a Task with a Specified ID (DDS)
        Service(
            name="dds",
            title="DDS",
            product="dds",
            path="/v3/{project_id}/jobs",
            query={"id": "task_id"},
            record="job",
            fields=dict(_DATABASE_JOB_FIELDS, progress="progress"),
            statuses=DATABASE_STATUSES,
        ),
        # API page: Querying a Background Task (DMS for Kafka)
        Service(
            name="kafka",
            title="DMS for Kafka",
            product="dms",
            path="/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
            required=("task_id", "instance_id"),
            record="tasks[]",
            fields={
                "id": "id",
                "name": "name",
                "status": "status",
                "created_at": "created_at",
                "ended_at": "updated_at",
            },
            details=("user_name", "user_id", "params"),
            statuses=DMS_STATUSES,
        ),
    )
}
