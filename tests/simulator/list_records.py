# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of the lists: of some services as the task's own API gives them, of others with other keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from . import apis, services
from .apis import CHINA, job_time
from .services import finished, percent
from .tasks import Task

Body = dict[str, Any]


def end_or_plan(task: Task, now: float) -> str:
    """When the task has ended, or will have."""
    planned = task.created_at + timedelta(minutes=30)
    return job_time(task.step_time(now) if finished(task, task.step(now)) else planned, CHINA)


def end_or_nothing(task: Task, now: float) -> str:
    """When the task has ended."""
    return job_time(task.step_time(now), CHINA) if finished(task, task.step(now)) else ""


def taurusdb(task: Task, now: float) -> Body:
    """TaurusDB: no entities."""
    step = apis.job_step(task, now)
    return {
        "instance_id": task.instance_id,
        "instance_name": task.instance_name,
        "instance_status": "normal",
        "job_id": task.id,
        "order_id": None,
        "job_name": task.name,
        "status": step.status,
        "process": percent(task, task.step(now)),
        "created_time": job_time(task.created_at, CHINA),
        "ended_time": end_or_nothing(task, now),
        "fail_reason": step.fail_reason,
        "show_detail": task.service == "taurusdb_restore",
        "extend_fields": None,
    }


def dds(task: Task, now: float) -> Body:
    """DDS: other names for the times and for the instance."""
    step = task.step(now)
    return {
        "id": task.id,
        "name": task.name,
        "instance_id": task.instance_id,
        "instance_name": task.instance_name,
        "status": step.status,
        "progress": percent(task, step),
        "fail_reason": step.fail_reason,
        "created_at": job_time(task.created_at),
        "ended_at": end_or_nothing(task, now),
    }


def rds(task: Task, now: float) -> Body:
    """RDS: no entities, the progress without a sign, the end that is planned."""
    step = task.step(now)
    return {
        "id": task.id,
        "name": task.name,
        "instance_id": task.instance_id,
        "instance_name": task.instance_name,
        "instance_status": "ACTIVE",
        "order_id": "",
        "process": str(percent(task, step)).rstrip("%"),
        "fail_reason": step.fail_reason or "",
        "create_time": job_time(task.created_at, CHINA),
        "end_time": end_or_plan(task, now),
        "status": step.status,
    }


def gaussdb(task: Task, now: float) -> Body:
    """GaussDB: another name for the id, the progress and the instance."""
    step = task.step(now)
    return {
        "instance_info": {
            "instance_id": task.instance_id,
            "instance_name": task.instance_name,
            "instance_status": "normal",
        },
        "job_id": task.id,
        "name": task.name,
        "status": step.status,
        "process": percent(task, step),
        "created_at": job_time(task.created_at, CHINA),
        "ended_at": end_or_nothing(task, now),
        "fail_reason": step.fail_reason,
    }


def ddm(task: Task, now: float) -> Body:
    """DDM: more than its own API says."""
    step = task.step(now)
    return {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "created_time": job_time(task.created_at, CHINA),
        "end_time": end_or_plan(task, now),
        "process": percent(task, step),
        "instance_name": task.instance_name,
        "instance_id": task.instance_id,
        "operations": [],
        "database_name": "",
        "fail_reason": step.fail_reason or "",
    }


def dms(task: Task, now: float) -> Body:
    """DMS: the same record as by id."""
    body: Body = apis.kafka(task, now)
    return dict(body["tasks"][0])


RECORDS = {
    "taurusdb": taurusdb,
    "dds": dds,
    "kafka": dms,
    "rabbitmq": dms,
    "rocketmq": dms,
    "rds": rds,
    "gaussdb": gaussdb,
    "geminidb": services.geminidb_record,
    "ddm": ddm,
    "elb": services.elb_record,
    "cbr": services.cbr_record,
}
