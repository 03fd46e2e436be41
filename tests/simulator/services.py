# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies of the further task APIs, each in the shape and with the oddities of its page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

from . import apis
from .apis import CHINA, instance, job_time, kafka_time, word
from .catalog import CATALOG, final_words
from .tasks import Task
from .timelines import Step

Body = dict[str, Any]


def finished(task: Task, step: Step) -> bool:
    """Whether the task is over."""
    return word(step) in final_words(task.service)


def pending(task: Task, step: Step) -> bool:
    """Whether the task has not begun."""
    return word(step) == str(CATALOG[task.service].words.pending).lower()


def percent(task: Task, step: Step) -> Any:
    """Progress as "60%"; a number is shown only while the task runs, a string is sent as it is."""
    if isinstance(step.progress, (int, float)):
        return "" if finished(task, step) or pending(task, step) else f"{int(step.progress)}%"
    return step.progress or ""


def seconds_time(moment: datetime) -> str:
    """2026-11-20T08:00:00, without a zone: UTC."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def micro_time(moment: datetime) -> str:
    """2026-11-20T08:00:00.000000, without a zone: UTC."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")


def go_time(moment: datetime) -> str:
    """2026-11-20 08:12:40.672772389 +0000 UTC, as Go prints a time."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f389 +0000 UTC")


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def part_id(task: Task, number: int) -> str:
    """The id of a part of a task; it stays the same from one response to the next."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task.id}/{number}"))


# Databases


def rds(task: Task, now: float) -> Body:
    """RDS: as TaurusDB, `created` in +0800 and `ended` in +0000; `fail_reason` only where there is one."""
    step = task.step(now)
    job: Body = {"id": task.id, "name": task.name, "status": step.status, "created": job_time(task.created_at, CHINA)}
    if finished(task, step):
        job["ended"] = job_time(task.step_time(now))
    job["process"] = percent(task, step)
    job["instance"] = instance(task)
    job["entities"] = (
        {}
        if finished(task, step)
        else {
            "instance": {"type": "Single", "datastore": {"type": "mysql", "version": "8.0"}},
            "resource_ids": [task.instance_id],
        }
    )
    if step.fail_reason is not None:
        job["fail_reason"] = step.fail_reason
    return {"job": job | task.details}


def gaussdb(task: Task, now: float) -> Body:
    """GaussDB: `progress`, no entities, `fail_reason` null while there is none."""
    step = task.step(now)
    job = {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "created": job_time(task.created_at, CHINA),
        "ended": job_time(task.step_time(now), CHINA) if finished(task, step) else "",
        "progress": percent(task, step),
        "instance": instance(task),
        "fail_reason": step.fail_reason,
    }
    return {"job": job | task.details}


def geminidb_record(task: Task, now: float) -> Body:
    """One record of GeminiDB; `end_time` is set while the job runs."""
    step = task.step(now)
    planned = task.created_at + timedelta(minutes=30)
    record = {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "start_time": job_time(task.created_at, CHINA),
        "end_time": job_time(task.step_time(now) if finished(task, step) else planned, CHINA),
        "progress": percent(task, step),
        "instance": instance(task),
        "fail_reason": step.fail_reason or "",
    }
    return record | task.details


def geminidb(task: Task, now: float) -> Body:
    """GeminiDB: one job is a list of one."""
    return {"jobs": [geminidb_record(task, now)], "total_count": 1}


def ddm(task: Task, now: float) -> Body:
    """DDM: `end_time` is set while the job runs, and no reason is given."""
    step = task.step(now)
    planned = task.created_at + timedelta(minutes=5)
    job = {
        "id": task.id,
        "name": task.name,
        "status": step.status,
        "created_time": job_time(task.created_at, CHINA),
        "end_time": job_time(task.step_time(now) if finished(task, step) else planned, CHINA),
        "process": percent(task, step),
        "instance": instance(task),
    }
    return {"job": job | task.details}


def dcs(task: Task, now: float) -> Body:
    """DCS: flat, times are milliseconds in strings."""
    step = task.step(now)
    body = {
        "job_id": task.id,
        "job_type": task.name,
        "status": step.status,
        "begin_time": str(epoch_ms(task.created_at)),
        "end_time": str(epoch_ms(task.step_time(now))) if finished(task, step) else "",
        "fail_reason": step.fail_reason or "",
    }
    return body | task.details


# The family of GET /v1/{project_id}/jobs/{job_id}


def v1_times(task: Task, now: float) -> Body:
    """Milliseconds and a Z; `end_time` is "" while the job runs, and only then error and reason are absent."""
    step = task.step(now)
    times: Body = {"begin_time": kafka_time(task.created_at), "end_time": ""}
    if not finished(task, step):
        return times
    times["end_time"] = kafka_time(task.step_time(now))
    return times | {"error_code": step.error_code, "fail_reason": step.fail_reason}


def sub_jobs(task: Task, now: float) -> list[Body]:
    """The parts which the task was given: `name`, `status`, and any key of a sub job besides."""
    return [
        {"job_id": part_id(task, number), "job_type": part.get("name", ""), **v1_times(task, now), "entities": {}}
        | {key: value for key, value in part.items() if key not in ("name", "progress", "remaining")}
        for number, part in enumerate(task.step(now).sub_tasks or ())
    ]


def own_sub_job(task: Task, now: float) -> Body:
    """The one part of a batch of one; the server's id comes with the success."""
    step = task.step(now)
    job = {
        "job_id": part_id(task, 0),
        "job_type": "createSingleServer",
        "status": step.status,
        **v1_times(task, now),
        "entities": {},
    }
    if word(step) == "success":
        job["entities"] = {"server_id": task.instance_id}
    if step.fail_reason:
        job["entities"] = {"errorcode_message": step.fail_reason}
    return job


def batch_entities(task: Task, now: float) -> Body:
    """A batch: its sub jobs. Nothing in the first moment."""
    step = task.step(now)
    if step.sub_tasks is None and pending(task, step):
        return {}
    parts = [own_sub_job(task, now)] if step.sub_tasks is None else sub_jobs(task, now)
    return {"sub_jobs_total": len(parts), "sub_jobs": parts}


def volume_entities(task: Task, now: float) -> Body:
    """EVS: the volume, but not beside sub jobs."""
    step = task.step(now)
    if step.sub_tasks is not None:
        return batch_entities(task, now)
    if pending(task, step):
        return {}
    return {"volume_id": task.instance_id, "name": task.instance_name, "size": 40, "volume_type": "SSD"}


def address_entities(task: Task, now: float) -> Body:
    """EIP: sub jobs, of which no page says more."""
    return {"sub_jobs": sub_jobs(task, now)}


def image_entities(task: Task, now: float) -> Body:
    """IMS: the progress is a fraction; the image is there at the end."""
    step = task.step(now)
    if pending(task, step) or word(step) == "fail":
        return {}
    done = finished(task, step)
    entities: Body = {"image_name": task.instance_name, "process_percent": 1 if done else fraction(step.progress)}
    entities |= {"image_id": task.instance_id} if done else {"current_task": "glance-create-image"}
    if step.sub_tasks is not None:
        entities["sub_jobs_result"] = sub_jobs(task, now)
    return entities


def fraction(progress: Any) -> Any:
    """0.24 for 24; anything but a number stays as it is."""
    return round(progress / 100, 2) if isinstance(progress, (int, float)) else progress


ENTITIES: dict[str, Callable[[Task, float], Body]] = {
    "ecs": batch_entities,
    "bms": batch_entities,
    "sdrs": batch_entities,
    "evs": volume_entities,
    "eip": address_entities,
    "ims": image_entities,
}


def v1_job(task: Task, now: float) -> Body:
    """The flat body of a v1 job."""
    body: Body = {"job_id": task.id, "job_type": task.name, "status": task.step(now).status, **v1_times(task, now)}
    body["entities"] = ENTITIES[task.service](task, now)
    return body | task.details


# Others


def cce_job(kind: str, uid: str, phase: str, extra: Body) -> Body:
    """A job of CCE, or one of its parts."""
    return {
        "kind": "Job",
        "apiVersion": "v3",
        "metadata": {"uid": uid},
        "spec": {"type": kind},
        "status": {"phase": phase, **extra},
    }


def cce_part(task: Task, number: int, part: Any) -> Body:
    """A part of a job of CCE, with parts of its own where it was given `sub_tasks`."""
    reason = {"reason": part["fail_reason"]} if part.get("fail_reason") else {}
    job = cce_job(part.get("name", "Part"), part_id(task, number), part.get("status", ""), reason)
    if part.get("sub_tasks"):
        job["spec"]["subJobs"] = [
            cce_part(task, 100 * number + count, sub) for count, sub in enumerate(part["sub_tasks"], 1)
        ]
    return job


def cce(task: Task, now: float) -> Body:
    """CCE: an object of Kubernetes' kind, with the times of Go."""
    step = task.step(now)
    own = ({"name": "InstallMaster", "status": step.status, "fail_reason": step.fail_reason},)
    job = cce_job(task.name, task.id, step.status, {"reason": step.fail_reason} if step.fail_reason else {})
    job["metadata"] |= {"creationTimestamp": go_time(task.created_at), "updateTimestamp": go_time(task.step_time(now))}
    parts = own if step.sub_tasks is None else step.sub_tasks
    job["spec"] |= {
        "clusterUID": task.instance_id,
        "resourceName": task.instance_name,
        "subJobs": [cce_part(task, number, part) for number, part in enumerate(parts)],
    }
    return job | task.details


def elb_times(task: Task, now: float) -> Body:
    """Seconds and a Z; `end_time` is "" while the job runs."""
    step = task.step(now)
    ended = f"{seconds_time(task.step_time(now))}Z" if finished(task, step) else ""
    return {
        "begin_time": f"{seconds_time(task.created_at)}Z",
        "end_time": ended,
        "error_code": step.error_code or "",
        "error_msg": step.fail_reason or "",
        "project_id": task.project_id,
    }


def elb_record(task: Task, now: float) -> Body:
    """One job of ELB."""
    step = task.step(now)
    record: Body = {
        "job_id": task.id,
        "job_type": task.name,
        "status": step.status,
        **elb_times(task, now),
        "resource_id": task.instance_id,
    }
    record["sub_jobs"] = [
        {
            "job_id": part_id(task, number),
            "job_type": part.get("name", ""),
            "status": part.get("status", ""),
            **elb_times(task, now),
            "error_code": part.get("error_code", ""),
            "error_msg": part.get("fail_reason", ""),
            "entities": [{"resource_id": task.instance_id, "resource_type": "loadbalancer"}],
        }
        for number, part in enumerate(step.sub_tasks or ())
    ]
    return record | task.details


def elb(task: Task, now: float) -> Body:
    """ELB."""
    return {"request_id": uuid.uuid4().hex, "job": elb_record(task, now)}


def vault_id(task: Task) -> str:
    """The vault of a resource; the tests tell vaults apart by their resources."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, task.instance_id))


def cbr_record(task: Task, now: float) -> Body:
    """One operation log of CBR: microseconds without a zone, progress is a number."""
    step = task.step(now)
    done = finished(task, step)
    record = {
        "id": task.id,
        "operation_type": task.name,
        "status": step.status,
        "created_at": micro_time(task.created_at),
        "started_at": None if pending(task, step) else micro_time(task.created_at),
        "ended_at": micro_time(task.step_time(now)) if done else None,
        "updated_at": micro_time(task.step_time(now)),
        "error_info": {"code": step.error_code or "", "message": step.fail_reason or ""},
        "extra_info": {
            "common": {
                "progress": 100 if word(step) == "success" else step.progress or 0,
                "request_id": f"req-{part_id(task, 0)}",
                "task_id": part_id(task, 1),
            },
            "resource": {"id": task.instance_id, "name": task.instance_name, "type": "OS::Nova::Server"},
        },
        "vault_id": vault_id(task),
        "vault_name": "vault",
        "provider_id": vault_id(task),
        "project_id": task.project_id,
    }
    return record | task.details


def cbr(task: Task, now: float) -> Body:
    """CBR."""
    return {"operation_log": cbr_record(task, now)}


def sfs_turbo(task: Task, now: float) -> Body:
    """SFS Turbo: "2026-11-20 08:00:00", in UTC; error and reason only where there are any."""
    step = task.step(now)
    body: Body = {
        "job_id": task.id,
        "job_type": task.name,
        "status": step.status,
        "begin_time": seconds_time(task.created_at).replace("T", " "),
        "end_time": seconds_time(task.step_time(now)).replace("T", " ") if finished(task, step) else "",
        "sub_jobs": [
            {"job_id": part_id(task, number), "job_type": part.get("name", "")}
            | {key: value for key, value in part.items() if key not in ("name", "progress", "remaining")}
            for number, part in enumerate(step.sub_tasks or ())
        ],
    }
    errors = {"error_code": step.error_code, "fail_reason": step.fail_reason}
    return body | {name: value for name, value in errors.items() if value} | task.details


def dws(task: Task, now: float) -> Body:
    """DWS: no zone in its times; a task that failed at nine percent says so for ever."""
    step = task.step(now)
    shown = percent(task, step)
    if finished(task, step) and not shown:
        shown = "100%" if word(step) == "success" else "9%"
    body = {
        "job_id": task.id,
        "job_name": task.name,
        "begin_time": seconds_time(task.created_at),
        "end_time": seconds_time(task.step_time(now)) if finished(task, step) else "",
        "status": step.status,
        "failed_code": step.error_code,
        "failed_detail": step.fail_reason,
        "progress": shown or "0%",
    }
    return body | task.details


def cfw(task: Task, now: float) -> Body:
    """CFW: times are milliseconds in numbers. What `end_time` is while the job runs no page says: null here."""
    step = task.step(now)
    data = {
        "id": task.id,
        "status": step.status,
        "begin_time": epoch_ms(task.created_at),
        "end_time": epoch_ms(task.step_time(now)) if finished(task, step) else None,
    }
    return {"data": data | task.details}


def cse(task: Task, now: float) -> Body:
    """CSE: times are milliseconds in numbers, and so is the id, unless a test chose another."""
    step = task.step(now)
    body = {
        "id": int(task.id) if task.id.isdecimal() else task.id,
        "engineId": task.instance_id,
        "type": task.name,
        "status": step.status,
        "tasks": [cse_stage(part) for part in step.sub_tasks or ()],
        "startTime": epoch_ms(task.created_at),
        "endTime": epoch_ms(task.step_time(now)) if finished(task, step) else 0,
    }
    return body | task.details


def cse_stage(part: Mapping[str, Any]) -> Body:
    """A stage of a job of CSE, with the steps that it was given as `sub_tasks`."""
    steps = [{"taskName": step.get("name", ""), "status": step.get("status", "")} for step in part.get("sub_tasks", ())]
    return {
        "taskName": part.get("name", ""),
        "taskNames": [step["taskName"] for step in steps],
        "status": part.get("status", ""),
        "tasks": steps,
    }


def cph(task: Task, now: float) -> Body:
    """CPH: the status is a number; a task has no name."""
    step = task.step(now)
    body = {
        "request_id": part_id(task, 0),
        "job_id": task.id,
        "status": number(step.status),
        "begin_time": f"{seconds_time(task.created_at)}Z",
        "end_time": f"{seconds_time(task.step_time(now))}Z" if finished(task, step) else "",
        "server_id": task.instance_id,
        "phone_id": part_id(task, 1),
        "error_code": step.error_code or "",
        "error_msg": step.fail_reason or "",
        "execute_msg": "",
    }
    return body | task.details


def number(text: Any) -> Any:
    """-1 for "-1"; anything but a number stays as it is."""
    return int(text) if str(text).lstrip("-").isdecimal() else text


BODIES: dict[str, Callable[[Task, float], Body]] = {
    "rds": rds,
    "gaussdb": gaussdb,
    "geminidb": geminidb,
    "ddm": ddm,
    "dcs": dcs,
    "rabbitmq": apis.kafka,
    "rocketmq": apis.kafka,
    "ecs": v1_job,
    "evs": v1_job,
    "bms": v1_job,
    "eip": v1_job,
    "sdrs": v1_job,
    "ims": v1_job,
    "cce": cce,
    "cce_autopilot": cce,
    "elb": elb,
    "cbr": cbr,
    "sfs_turbo": sfs_turbo,
    "dws": dws,
    "cfw": cfw,
    "cse": cse,
    "cph": cph,
}
