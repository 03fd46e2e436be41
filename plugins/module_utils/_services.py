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

from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import (
    FAILED_STATES,
    State,
    SubTask,
    Task,
    TaskRef,
    read_number,
    read_percent,
    read_text,
)

# Words are compared in lower case. Pages, SDK and examples disagree ("Completed", "complete",
# "Canceled", "Cancelled"): every spelling seen is listed. No other word ever means success.
DATABASE_WORDS = {
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
DMS_WORDS = {
    "created": State.PENDING,
    "executing": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
    "deleted": State.FAILED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
}


class UnreadableAnswerError(ValueError):
    """The body is not in any shape that the service is known to answer with."""


class NoSuchTaskError(LookupError):
    """The body says that there is no such task."""


class Service(t.NamedTuple):
    """One row: how to ask a service for a task, and how to read its answer.

    ``fields`` and ``record`` are paths of keys joined by dots; ``[]`` at the end of ``record`` is a list of tasks.
    ``query`` and ``path`` name attributes of `TaskRef`. ``details`` are the keys that only this API has.
    """

    name: str
    title: str
    product: str
    path: str
    words: t.Mapping[str, str]
    fields: t.Mapping[str, str]
    query: t.Mapping[str, str] = types.MappingProxyType({})
    record: str = ""
    needs: tuple[str, ...] = ("task_id",)
    together: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    sub_tasks: str = ""
    same_id: bool = False
    languages: bool = False

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
        return self.words.get((status or "").lower(), State.UNKNOWN)


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
            words=DATABASE_WORDS,
            languages=True,
        ),
        # API page: Querying Details About an Asynchronous Task (TaurusDB); the parameters are missing on older pages
        Service(
            name="taurusdb_restore",
            title="TaurusDB restore",
            product="taurusdb",
            path="/v3/{project_id}/instances/{instance_id}/task-center-detail",
            query={"job_id": "task_id", "job_name": "task_name"},
            needs=("instance_id",),
            together=("task_id", "task_name"),
            fields={
                "id": "job_id",
                "name": "job_name",
                "status": "status",
                "instance_id": "instance_id",
                "instance_name": "instance_name",
            },
            sub_tasks="sub_task_list",
            same_id=True,
            words=DATABASE_WORDS,
            languages=True,
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
            words=DATABASE_WORDS,
        ),
        # API page: Querying a Background Task (DMS for Kafka)
        Service(
            name="kafka",
            title="DMS for Kafka",
            product="dms",
            path="/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
            needs=("task_id", "instance_id"),
            record="tasks[]",
            fields={
                "id": "id",
                "name": "name",
                "status": "status",
                "created_at": "created_at",
                "ended_at": "updated_at",
            },
            details=("user_name", "user_id", "params"),
            words=DMS_WORDS,
        ),
    )
}


def read_task(service: Service, ref: TaskRef, body: t.Any) -> Task:
    """Read the task out of an answer's decoded body.

    :raises NoSuchTaskError: the answer says that there is none
    :raises UnreadableAnswerError: the body has another shape
    """
    record = _find_record(service, ref, body)
    values = {name: _value_at(record, path) for name, path in service.fields.items()}
    texts = {name: read_text(value) for name, value in values.items() if name != "progress"}
    if service.same_id and ref.task_id and texts["id"] and texts["id"] != ref.task_id:
        raise UnreadableAnswerError("the answer is about another task")
    sub_tasks = _read_sub_tasks(service, record)
    if texts["status"] is None and not sub_tasks:
        _demand_known_keys(service, record)
    status = texts.pop("status")
    return Task(
        service=service.name,
        status=status,
        state=_state_of(service, status, sub_tasks),
        progress=_progress_of(values.get("progress"), sub_tasks),
        remaining_seconds=_remaining_of(sub_tasks),
        sub_tasks=sub_tasks,
        details={key: record.get(key) for key in service.details},
        **_with_what_was_asked(texts, ref),
    )


def _find_record(service: Service, ref: TaskRef, body: t.Any) -> dict[str, t.Any]:
    key = service.record
    if not isinstance(body, dict):
        raise UnreadableAnswerError("the answer is not a JSON object")
    if not key:
        return body
    if key.endswith("[]"):
        return _pick_from_list(body.get(key[:-2]), ref, key[:-2])
    record = body.get(key)
    if not isinstance(record, dict):
        raise UnreadableAnswerError(f"the answer has no object '{key}'")
    return record


def _pick_from_list(records: t.Any, ref: TaskRef, key: str) -> dict[str, t.Any]:
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UnreadableAnswerError(f"the answer has no list '{key}' of objects")
    if not records:
        raise NoSuchTaskError(f"the list '{key}' is empty")
    # Another task's success must not pass as this one's: a record without an id is the task only where none has its id.
    for wanted in (ref.task_id, None):
        for record in records:
            if record.get("id") == wanted:
                return dict(record)
    raise UnreadableAnswerError("the answer is about another task")


def _value_at(record: t.Any, path: str) -> t.Any:
    for key in path.split("."):
        record = record.get(key) if isinstance(record, dict) else None
    return record


def _demand_known_keys(service: Service, record: dict[str, t.Any]) -> None:
    """Tell a task without a status, which is waited on, from an object that is no task at all."""
    identifying = (service.fields["id"], service.fields["status"], service.sub_tasks)
    if not any(key and key in record for key in identifying):
        raise UnreadableAnswerError("the answer describes no task")


def _read_sub_tasks(service: Service, record: dict[str, t.Any]) -> tuple[SubTask, ...]:
    entries = record.get(service.sub_tasks) if service.sub_tasks else None
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableAnswerError(f"'{service.sub_tasks}' is not a list of objects")
    return tuple(_read_sub_task(service, entry) for entry in entries)


def _read_sub_task(service: Service, entry: dict[str, t.Any]) -> SubTask:
    status = read_text(entry.get("status"))
    return SubTask(
        name=read_text(entry.get("sub_task_name")),
        status=status,
        state=service.state_of(status),
        progress=read_percent(entry.get("percent")),
        remaining_seconds=read_number(entry.get("remaining_time")),
    )


def _state_of(service: Service, status: str | None, sub_tasks: tuple[SubTask, ...]) -> str:
    states = {sub_task.state for sub_task in sub_tasks}
    if status is None:
        return _state_of_all(states)
    state = service.state_of(status)
    # No source shows a failed restore; a failed step under a finished task must not pass as success.
    if state == State.SUCCEEDED and states & FAILED_STATES:
        return State.FAILED
    return state


def _state_of_all(states: set[str]) -> str:
    """Derive a task's state from those of its steps: the worst one that is certain comes first."""
    for state in (State.FAILED, State.CANCELED, State.NEEDS_ACTION, State.UNKNOWN, State.RUNNING):
        if state in states:
            return state
    if states == {State.SUCCEEDED}:
        return State.SUCCEEDED
    if states == {State.PENDING}:
        return State.PENDING
    return State.RUNNING if states else State.UNKNOWN


def _progress_of(value: t.Any, sub_tasks: tuple[SubTask, ...]) -> int | None:
    """Return the API's figure, or the mean of the steps' figures where the API has none for the whole."""
    if not sub_tasks:
        return read_percent(value)
    if all(step.progress is None for step in sub_tasks):
        return None
    return sum(_progress_of_step(step) for step in sub_tasks) // len(sub_tasks)


def _progress_of_step(step: SubTask) -> int:
    if step.progress is not None:
        return step.progress
    return 100 if step.state == State.SUCCEEDED else 0


def _remaining_of(sub_tasks: tuple[SubTask, ...]) -> int | None:
    return next((step.remaining_seconds for step in sub_tasks if step.state == State.RUNNING), None)


def _with_what_was_asked(texts: dict[str, str | None], ref: TaskRef) -> dict[str, str | None]:
    asked = {"id": ref.task_id, "name": ref.task_name, "instance_id": ref.instance_id}
    return dict(texts, **{name: texts.get(name) or value for name, value in asked.items()})
