# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of services: where each keeps its tasks and what its words mean.

To add a service, add one `Service` to the table and its responses to that of ``test_services.py``; the guide "Adding a
service" has the steps. Sources: the vendor's API pages, its SDK 3.1.219 ("SDK") and its Terraform provider ("TF").

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import types
import typing as t

from ._errors import NOT_FOUND_HINT, ErrorCodes
from ._task import State, TaskRef

Paths = t.Mapping[str, str]
Statuses = t.Mapping[str, str]

# Words are compared in lower case. Pages, SDK and examples disagree ("Completed", "complete",
# "Canceled", "Cancelled"): every spelling seen is listed. No other word ever means success.
DATABASE_STATUSES: Statuses = {
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
DMS_STATUSES: Statuses = {
    "created": State.PENDING,
    "executing": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
    "deleted": State.FAILED,
    "canceled": State.CANCELED,
    "cancelled": State.CANCELED,
}

V1_STATUSES: Statuses = {
    "init": State.PENDING,
    "running": State.RUNNING,
    "success": State.SUCCEEDED,
    "fail": State.FAILED,
}

CCE_STATUSES: Statuses = {
    "initializing": State.PENDING,
    "running": State.RUNNING,
    "success": State.SUCCEEDED,
    "failed": State.FAILED,
}

NO_PATHS: Paths = types.MappingProxyType({})
RESTORE_STEP: Paths = {
    "name": "sub_task_name",
    "status": "status",
    "progress": "percent",
    "remaining_seconds": "remaining_time",
}
V1_STEP: Paths = {"name": "job_type", "status": "status"}


class Service(t.NamedTuple):
    """One row: how to get a task from a service, and how to read the response.

    ``root``, ``sub_tasks``, ``details`` and the values of ``fields`` and ``sub_task_fields`` are keys joined by dots; a
    value of ``fields`` may name several places, separated by a space, of which the first with anything there counts.
    ``root`` leads to the task in the response's body; with ``[]`` at its end, to a list of tasks.
    ``path`` and ``query`` hold the placeholders ``{project_id}``, ``{instance_id}``, ``{task_id}``, ``{task_name}``.
    ``verify_id``: a response about another id than the requested one is an error.
    ``not_found_codes`` count with HTTP 400, ``throttle_codes`` and ``token_codes`` with any status.
    ``kept_for`` is empty where no source says it.
    """

    name: str
    title: str
    product: str
    path: str
    statuses: Statuses
    fields: Paths
    query: t.Mapping[str, str] = NO_PATHS
    root: str = ""
    required: tuple[str, ...] = ("task_id",)
    required_together: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    sub_tasks: str = ""
    sub_task_fields: Paths = V1_STEP
    # A response without a status means what its steps mean. Elsewhere all steps may be done and the task is not (CCE).
    has_state_of_steps: bool = False
    verify_id: bool = True
    sends_language: bool = False
    not_found_codes: frozenset[str] = frozenset()
    throttle_codes: frozenset[str] = frozenset()
    token_codes: frozenset[str] = frozenset()
    kept_for: str = ""
    # What it means that the API knows no such task: "wait", "succeeded" or "failed".
    not_found: str = "wait"
    # The service whose API knows the same id, with the reason and the times that a failed task lacks here.
    reason_from: str = ""

    @property
    def module(self) -> str:
        """The name of the query module of a service that has one of its own."""
        return f"{self.name}_task_info"

    def query_of(self, ref: TaskRef, project_id: str = "") -> list[tuple[str, str]]:
        """Return the query parameters for a task, without those that are not known."""
        values = dict(_placeholders(ref), project_id=project_id)
        pairs = ((key, value.format(**values)) for key, value in self.query.items())
        return [(key, value) for key, value in pairs if value]

    def path_of(self, ref: TaskRef, project_id: str) -> str:
        """Return the path of the request for a task."""
        return self.path.format(**dict(_placeholders(ref), project_id=project_id))

    def state_of(self, status: str | None) -> str:
        """Return the state that a status word of this service means."""
        return self.statuses.get((status or "").lower(), State.UNKNOWN)

    @property
    def codes(self) -> ErrorCodes:
        """What this service's own error codes mean."""
        return ErrorCodes(self.not_found_codes, self.throttle_codes, self.token_codes)

    @property
    def not_found_hint(self) -> str:
        """What to do about an id that the API does not know."""
        kept = f"tasks are kept for {self.kept_for}" if self.kept_for else "ended tasks are kept for a limited time"
        return f"{NOT_FOUND_HINT}; {kept}."


def _placeholders(ref: TaskRef) -> dict[str, str]:
    return {name: getattr(ref, name) or "" for name in ("task_id", "instance_id", "task_name")}


_ONE_MONTH = "one month"
# "The job does not exist" (TaurusDB, DDS, RDS and GaussDB error code pages).
_UNKNOWN_DATABASE_JOB = frozenset({"DBS.200543"})
# A bad or expired token: HTTP 403 from TaurusDB, 401 from DDS (error code pages).
_BAD_DATABASE_TOKEN = frozenset({"DBS.280056"})
# "Failed to query system tasks" or "invalid job id" (ECS and EVS error code pages of Open Telekom Cloud).
_UNKNOWN_V1_JOB = frozenset({"Common.0011"})

_DATABASE_JOB_FIELDS: Paths = {
    "id": "id",
    "name": "name",
    "status": "status",
    "instance_id": "instance.id",
    "instance_name": "instance.name",
    "created_at": "created",
    "ended_at": "ended",
    "fail_reason": "fail_reason",
}
# The pages of TaurusDB and DDS say that the id is the requested one, though their examples show another one.
_DATABASE_JOB = Service(
    name="",
    title="",
    product="",
    path="/v3/{project_id}/jobs",
    query={"id": "{task_id}"},
    root="job",
    fields=dict(_DATABASE_JOB_FIELDS, progress="progress"),
    statuses=DATABASE_STATUSES,
    not_found_codes=_UNKNOWN_DATABASE_JOB,
    token_codes=_BAD_DATABASE_TOKEN,
    kept_for=_ONE_MONTH,
)

_DMS_TASK = Service(
    name="",
    title="",
    product="dms",
    path="/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
    required=("task_id", "instance_id"),
    root="tasks[]",
    fields={"id": "id", "name": "name", "status": "status", "created_at": "created_at", "ended_at": "updated_at"},
    details=("user_name", "user_id", "params"),
    statuses=DMS_STATUSES,
    # Flow control, sent with HTTP 404 (DMS error code page).
    throttle_codes=frozenset({"DMS.10240407"}),
)

_V1_FIELDS: Paths = {
    "id": "job_id",
    "name": "job_type",
    "status": "status",
    "created_at": "begin_time",
    "ended_at": "end_time",
    "fail_reason": "fail_reason",
    "error_code": "error_code",
}
# How a batch ends of which one step failed is in no source: a failed step makes it failed.
_V1_JOB = Service(
    name="",
    title="",
    product="",
    path="/v1/{project_id}/jobs/{task_id}",
    fields=_V1_FIELDS,
    details=("entities",),
    sub_tasks="entities.sub_jobs",
    statuses=V1_STATUSES,
    not_found_codes=_UNKNOWN_V1_JOB,
)

_CCE_JOB = Service(
    name="",
    title="",
    product="cce",
    path="/api/v3/projects/{project_id}/jobs/{task_id}",
    fields={
        "id": "metadata.uid",
        "name": "spec.type",
        "status": "status.phase",
        "instance_id": "spec.clusterUID",
        "created_at": "metadata.creationTimestamp",
        "fail_reason": "status.reason",
    },
    details=("spec",),
    sub_tasks="spec.subJobs",
    sub_task_fields={"name": "spec.type", "status": "status.phase"},
    statuses=CCE_STATUSES,
    kept_for="a short time",
)

_ROWS = (
    # API page: Obtaining Information About a Task with a Specified ID (TaurusDB)
    _DATABASE_JOB._replace(
        name="taurusdb",
        title="TaurusDB",
        product="taurusdb",
        fields=dict(_DATABASE_JOB_FIELDS, progress="process"),
        details=("entities",),
        sends_language=True,
    ),
    # API page: Querying Details About an Asynchronous Task (TaurusDB); the parameters are missing on older pages
    Service(
        name="taurusdb_restore",
        title="TaurusDB restore",
        product="taurusdb",
        path="/v3/{project_id}/instances/{instance_id}/task-center-detail",
        query={"job_id": "{task_id}", "job_name": "{task_name}"},
        reason_from="taurusdb",
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
        sub_task_fields=RESTORE_STEP,
        has_state_of_steps=True,
        statuses=DATABASE_STATUSES,
        sends_language=True,
        not_found_codes=_UNKNOWN_DATABASE_JOB,
        token_codes=_BAD_DATABASE_TOKEN,
        kept_for=_ONE_MONTH,
    ),
    # API page: Obtaining Information About a Task with a Specified ID (DDS)
    _DATABASE_JOB._replace(name="dds", title="DDS", product="dds"),
    # API page: Querying a Background Task (DMS for Kafka)
    _DMS_TASK._replace(name="kafka", title="DMS for Kafka"),
    # API page: Obtaining information about a task with a specified ID (RDS). A workflowId is polled here, too
    # (TF); which id the response carries is in no source, so a different id is accepted.
    _DATABASE_JOB._replace(
        name="rds",
        title="RDS",
        product="rds",
        fields=dict(_DATABASE_JOB_FIELDS, progress="process"),
        details=("entities",),
        sends_language=True,
        verify_id=False,
    ),
    # SDK: GaussDBforopenGaussClient.show_job_detail. Ids of "apply parameter template" are not known here.
    _DATABASE_JOB._replace(name="gaussdb", title="GaussDB", product="gaussdb", kept_for=""),
    # SDK: GaussDBforNoSQLClient.list_jobs. An unknown id is an empty list; end_time is set while it is running.
    _DATABASE_JOB._replace(
        name="geminidb",
        title="GeminiDB",
        product="geminidb",
        root="jobs[]",
        fields=dict(_DATABASE_JOB_FIELDS, created_at="start_time", ended_at="end_time", progress="progress"),
        kept_for="30 days",
    ),
    # SDK: RabbitMQClient.show_background_task, RocketMQClient.show_background_task
    _DMS_TASK._replace(name="rabbitmq", title="DMS for RabbitMQ"),
    _DMS_TASK._replace(name="rocketmq", title="DMS for RocketMQ"),
    # API page: ShowJobInfo (DCS). Its background tasks have ids of another kind, which are not known here.
    # 111400063 and a plain 404 are listed for unknown ids; which one is sent is in no source. An example spells the
    # reason fail_resson.
    Service(
        name="dcs",
        title="DCS",
        product="dcs",
        path="/v2/{project_id}/jobs/{task_id}",
        fields={
            **{name: path for name, path in _V1_FIELDS.items() if name != "error_code"},
            "fail_reason": "fail_reason fail_resson",
        },
        statuses=V1_STATUSES,
        not_found_codes=frozenset({"111400063"}),
    ),
    # SDK: DdmClient.show_ddm_job_result. The words after "failed" are the list page's; by id, no source shows them.
    _DATABASE_JOB._replace(
        name="ddm",
        title="DDM",
        product="ddm",
        path="/v3/{project_id}/jobs/{task_id}",
        query=NO_PATHS,
        fields={
            "id": "id",
            "name": "name",
            "status": "status",
            "instance_id": "instance.id",
            "instance_name": "instance.name",
            "created_at": "created_time",
            "ended_at": "end_time",
            "progress": "process",
        },
        statuses={
            "running": State.RUNNING,
            "completed": State.SUCCEEDED,
            "failed": State.FAILED,
            "expanding": State.RUNNING,
            "switching": State.RUNNING,
            "canceling": State.RUNNING,
            "rollbacking": State.RUNNING,
            "tobeswitched": State.NEEDS_ACTION,
            "cancelsuccess": State.CANCELED,
            "rollbacksuccess": State.FAILED,
        },
        # DDM error code page of Open Telekom Cloud.
        not_found_codes=frozenset({"DBS.300400"}),
        kept_for="",
    ),
    # API page: Querying Task Execution Status (ECS). PENDING_PAYMENT: the order waits for somebody to pay it.
    _V1_JOB._replace(
        name="ecs",
        title="ECS",
        product="ecs",
        statuses=dict(V1_STATUSES, pending_payment=State.NEEDS_ACTION),
        kept_for="one day",
    ),
    # SDK: EvsClient.show_job; the last two words are on the Chinese page only, where LISTENING is hardly explained.
    # Whether the ids of v5 snapshots are known here is in no source.
    _V1_JOB._replace(
        name="evs",
        title="EVS",
        product="evs",
        statuses=dict(V1_STATUSES, waiting_execute=State.PENDING, listening=State.RUNNING),
    ),
    # API page: Querying the Progress of an Asynchronous Job (IMS). process_percent is 0.24 in the example: a fraction
    # or a percentage, no source says which. IMG.0023 (failed query) may be how it responds to an unknown id.
    _V1_JOB._replace(
        name="ims",
        title="IMS",
        product="ims",
        path="/v1/cloudimages/job/{task_id}",
        sub_tasks="entities.sub_jobs_result",
        not_found_codes=_UNKNOWN_V1_JOB | {"IMG.0023"},
    ),
    # SDK: CceClient.show_job. Sub-jobs may lack their status.
    _CCE_JOB._replace(name="cce", title="CCE"),
    _CCE_JOB._replace(
        name="cce_autopilot", title="CCE Autopilot", path="/autopilot/v3/projects/{project_id}/jobs/{task_id}"
    ),
    # SDK: ElbClient.show_job. Which word ends a rollback that went well is in no source.
    Service(
        name="elb",
        title="ELB",
        product="elb",
        path="/v3/{project_id}/elb/jobs/{task_id}",
        root="job",
        fields=dict(_V1_FIELDS, instance_id="resource_id", fail_reason="error_msg"),
        sub_tasks="sub_jobs",
        statuses={
            "init": State.PENDING,
            "running": State.RUNNING,
            "rollbacking": State.RUNNING,
            "success": State.SUCCEEDED,
            "complete": State.SUCCEEDED,
            "fail": State.FAILED,
            "rollback_fail": State.FAILED,
            "cancel": State.CANCELED,
        },
    ),
    # SDK: CbrClient.show_op_log. No source explains "skipped"; nothing was backed up, so it is no success.
    Service(
        name="cbr",
        title="CBR",
        product="cbr",
        path="/v3/{project_id}/operation-logs/{task_id}",
        root="operation_log",
        fields={
            "id": "id",
            "name": "operation_type",
            "status": "status",
            "instance_id": "extra_info.resource.id",
            "instance_name": "extra_info.resource.name",
            "progress": "extra_info.common.progress",
            "created_at": "created_at",
            "ended_at": "ended_at",
            "fail_reason": "error_info.message",
            "error_code": "error_info.code",
        },
        details=("vault_id", "vault_name", "extra_info"),
        statuses={
            "waiting": State.PENDING,
            "running": State.RUNNING,
            "success": State.SUCCEEDED,
            "failed": State.FAILED,
            "timeout": State.FAILED,
            "skipped": State.FAILED,
        },
    ),
    # SDK: SFSTurboClient.show_job_detail
    Service(
        name="sfs_turbo",
        title="SFS Turbo",
        product="sfs-turbo",
        path="/v1/{project_id}/sfs-turbo/jobs/{task_id}",
        fields=_V1_FIELDS,
        sub_tasks="sub_jobs",
        statuses={
            "waiting": State.PENDING,
            "running": State.RUNNING,
            "success": State.SUCCEEDED,
            "failed": State.FAILED,
        },
    ),
    # SDK: DwsClient.list_job_details ("job" in the path is right); "error" is known to TF only. What STOP means is
    # in no source; the progress of a failed job stays where it was.
    Service(
        name="dws",
        title="DWS",
        product="dws",
        path="/v1.0/{project_id}/job/{task_id}",
        fields={
            "id": "job_id",
            "name": "job_name",
            "status": "status",
            "progress": "progress",
            "created_at": "begin_time",
            "ended_at": "end_time",
            "fail_reason": "failed_detail",
            "error_code": "failed_code",
        },
        statuses={
            "init": State.PENDING,
            "waiting": State.PENDING,
            "delay_scheduled": State.PENDING,
            "running": State.RUNNING,
            "success": State.SUCCEEDED,
            "fail": State.FAILED,
            "error": State.FAILED,
            "stop": State.CANCELED,
        },
    ),
    # API page: Querying Task Status (BMS)
    _V1_JOB._replace(
        name="bms",
        title="BMS",
        product="bms",
        statuses=dict(V1_STATUSES, pending_payment=State.NEEDS_ACTION),
    ),
    # SDK: EipClient.show_resources_job_detail, on the host of VPC. "entities" is a list on the Chinese page.
    _V1_JOB._replace(name="eip", title="EIP", product="eip"),
    # SDK: SdrsClient.show_job_status
    _V1_JOB._replace(name="sdrs", title="SDRS", product="sdrs"),
    # SDK: CfwClient.show_job. Only the creation of a firewall has a job.
    Service(
        name="cfw",
        title="CFW",
        product="cfw",
        path="/v3/{project_id}/jobs/{task_id}",
        root="data",
        fields={"id": "id", "status": "status", "created_at": "begin_time", "ended_at": "end_time"},
        statuses={"running": State.RUNNING, "success": State.SUCCEEDED, "failed": State.FAILED},
    ),
    # SDK: CseClient.show_engine_job. The instance is the engine; ids are numbers, times milliseconds since 1970. The
    # last four words and the codes of an unknown engine are TF's.
    Service(
        name="cse",
        title="CSE",
        product="cse",
        path="/v2/{project_id}/enginemgr/engines/{instance_id}/jobs/{task_id}",
        required=("task_id", "instance_id"),
        fields={"id": "id", "name": "type", "status": "status", "created_at": "startTime", "ended_at": "endTime"},
        sub_tasks="tasks",
        sub_task_fields={"name": "taskName", "status": "status"},
        statuses={
            "init": State.PENDING,
            "executing": State.RUNNING,
            "finished": State.SUCCEEDED,
            "error": State.FAILED,
            "timeout": State.FAILED,
            "createfail": State.FAILED,
            "deletefailed": State.FAILED,
            "upgradefailed": State.FAILED,
            "modifyfailed": State.FAILED,
        },
        not_found_codes=frozenset({"SVCSTG.00501116", "SVCSTG.00501125"}),
    ),
    # SDK: CphClient.show_job. The status is a number; what an unknown id gets is in no source.
    Service(
        name="cph",
        title="CPH",
        product="cph",
        path="/v1/{project_id}/cloud-phone/jobs/{task_id}",
        fields={
            "id": "job_id",
            "status": "status",
            "instance_id": "server_id",
            "created_at": "begin_time",
            "ended_at": "end_time",
            "fail_reason": "error_msg",
            "error_code": "error_code",
        },
        details=("phone_id", "execute_msg"),
        statuses={"1": State.RUNNING, "2": State.SUCCEEDED, "-1": State.FAILED},
    ),
)

SERVICES = {service.name: service for service in _ROWS}
# Those that have a query module of their own.
MODULE_SERVICES = ("taurusdb", "taurusdb_restore", "dds", "kafka")
