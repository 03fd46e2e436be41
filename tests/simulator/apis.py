# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies of the task APIs, to the letter of their pages, contradictions included."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from . import accounts
from .tasks import Task
from .timelines import Step

RESTING = frozenset({"pending", "completed", "failed", "canceled", "unauthorized"})
FINISHED = frozenset({"completed", "complete", "success", "failed", "canceled", "cancelled", "deleted"})
CHINA = timezone(timedelta(hours=8))


def word(step: Step) -> str:
    """The status word for comparisons."""
    return str(step.status).lower()


def job_time(moment: datetime, zone: timezone = timezone.utc) -> str:
    """A time as the database services write it: an offset without a colon."""
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def kafka_time(moment: datetime) -> str:
    """A time as Kafka writes it: milliseconds and a Z."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def percent(step: Step) -> Any:
    """Progress as "60%"; a number is shown only while the task runs, a string is sent as it is."""
    if isinstance(step.progress, (int, float)):
        return "" if word(step) in RESTING else f"{int(step.progress)}%"
    return step.progress or ""


def instance(task: Task) -> dict[str, str]:
    """The instance of a database job."""
    return {"id": task.instance_id, "name": task.instance_name}


def job_step(task: Task, now: float) -> Step:
    """The step of a job of TaurusDB; the job API has its own word for the success of a restore."""
    step = task.step(now)
    if task.service == "taurusdb_restore" and word(step) == "complete":
        return replace(step, status="Completed")
    return step


def taurusdb_job(task: Task, now: float) -> dict[str, Any]:
    """TaurusDB: created in +0800, ended in +0000 and only at the end, `fail_reason` only where there is one.

    Its restores are jobs, too.
    """
    step = job_step(task, now)
    job: dict[str, Any] = {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "created": job_time(task.created_at, CHINA),
    }
    if word(step) in FINISHED:
        job["ended"] = job_time(task.step_time(now))
    job["process"] = percent(step)
    job["instance"] = instance(task)
    job["entities"] = {
        "instance": {
            "endpoint": "192.168.1.203:3306",
            "type": "Cluster",
            "datastore": {"type": "gaussdb-mysql", "version": "8.0"},
        },
        "resource_ids": [f"{task.instance_id}.vm", f"{task.instance_id}.volume"],
    }
    if step.fail_reason is not None:
        job["fail_reason"] = step.fail_reason
    job.update((task.job or {}) if task.service == "taurusdb_restore" else task.details)
    return {"job": job}


def dds_job(task: Task, now: float) -> dict[str, Any]:
    """DDS: `ended` is set while the job runs, `fail_reason` is null while there is none."""
    step = task.step(now)
    ended = task.step_time(now) if word(step) in FINISHED else task.created_at + timedelta(seconds=10)
    job = {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "created": job_time(task.created_at),
        "ended": job_time(ended),
        "progress": percent(step),
        "instance": instance(task),
        "fail_reason": step.fail_reason,
    }
    job.update(task.details)
    return {"job": job}


def database_job(task: Task, now: float) -> Any:
    """The response of GET jobs on TaurusDB or DDS."""
    return dds_job(task, now) if task.service == "dds" else taurusdb_job(task, now)


def sub_task(part: dict[str, Any]) -> dict[str, Any]:
    """A sub-task of a restore; its numbers are JSON numbers although the page calls them strings."""
    return {
        "sub_task_name": part.get("name", "INIT"),
        "percent": part.get("progress", 0),
        "status": part.get("status", ""),
        "remaining_time": part.get("remaining", 0),
    }


def restore(task: Task, now: float, with_status: bool) -> Any:
    """The response of task-center-detail: flat; the older page has no status at the top."""
    step = task.step(now)
    only = {"status": step.status, "progress": step.progress or 0, "remaining": step.remaining or 0}
    parts = (only,) if step.sub_tasks is None else step.sub_tasks
    body: dict[str, Any] = {
        "instance_id": task.instance_id,
        "instance_name": task.instance_name,
        "job_id": task.id,
        "job_name": task.name,
    }
    if with_status:
        body["status"] = step.status
    body["sub_task_list"] = [sub_task(dict(part)) for part in parts]
    body.update(task.details)
    return body


def kafka(task: Task, now: float) -> Any:
    """The response for a Kafka task: a count in a string, a list, and `updated_at` from the first step on."""
    step = task.step(now)
    record = {
        "id": task.id,
        "name": task.name,
        "user_name": "paas_dms",
        "user_id": accounts.USER_ID,
        "params": json.dumps(
            {
                "public_ip_id": "1aea7aed-e7d8-40ea-b3de-6f3ee9d5db9f",
                "public_ip_address": "100.93.2.18",
                "enable_public_ip": True,
            },
            separators=(",", ":"),
        ),
        "status": step.status,
        "created_at": kafka_time(task.created_at),
        "updated_at": kafka_time(task.step_time(now)),
    }
    record.update(task.details)
    return {"task_count": "1", "tasks": [record]}
