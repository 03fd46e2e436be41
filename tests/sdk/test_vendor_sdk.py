# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own SDK reads the simulator: paths, parameters, signatures and bodies are as it expects them.

The packages take long to install and to import, so "make sdk" runs this in an environment of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from simulator import Simulator, accounts


@dataclass(frozen=True)
class Row:
    """A call of the SDK: where it is, what it takes and where it finds the status."""

    package: str
    client: str
    method: str
    status: str
    running: str
    done: str
    unknown: tuple[int, str] | None
    id: str = "job_id"
    more: dict[str, str] = field(default_factory=dict)  # parameter: key of the reference of a task


V1 = ("RUNNING", "SUCCESS")
DATABASE = ("Running", "Completed")
NO_JOB = (400, "DBS.200543")
NO_V1_JOB = (400, "Common.0011")
INSTANCE = {"instance_id": "instance_id"}
ROWS = {
    "taurusdb": Row("gaussdb.v3", "GaussDBClient", "show_gauss_my_sql_job_info", "job.status", *DATABASE, NO_JOB, "id"),
    "dds": Row("dds.v3", "DdsClient", "show_job_detail", "job.status", *DATABASE, NO_JOB, "id"),
    "kafka": Row(
        "kafka.v2",
        "KafkaClient",
        "show_background_task",
        "tasks.0.status",
        "EXECUTING",
        "SUCCESS",
        None,
        "task_id",
        INSTANCE,
    ),
    "rds": Row("rds.v3", "RdsClient", "list_job_info", "job.status", *DATABASE, NO_JOB, "id"),
    "gaussdb": Row(
        "gaussdbforopengauss.v3", "GaussDBforopenGaussClient", "show_job_detail", "job.status", *DATABASE, NO_JOB, "id"
    ),
    "geminidb": Row("gaussdbfornosql.v3", "GaussDBforNoSQLClient", "list_jobs", "jobs.0.status", *DATABASE, None, "id"),
    "rabbitmq": Row(
        "rabbitmq.v2",
        "RabbitMQClient",
        "show_background_task",
        "tasks.0.status",
        "EXECUTING",
        "SUCCESS",
        None,
        "task_id",
        INSTANCE,
    ),
    "rocketmq": Row(
        "rocketmq.v2",
        "RocketMQClient",
        "show_background_task",
        "tasks.0.status",
        "EXECUTING",
        "SUCCESS",
        None,
        "task_id",
        INSTANCE,
    ),
    "dcs": Row("dcs.v2", "DcsClient", "show_job_info", "status", *V1, (400, "111400063")),
    "ddm": Row("ddm.v1", "DdmClient", "show_ddm_job_result", "job.status", *DATABASE, (400, "DBS.300400")),
    "ecs": Row("ecs.v2", "EcsClient", "show_job", "status", *V1, NO_V1_JOB),
    "evs": Row("evs.v2", "EvsClient", "show_job", "status", *V1, NO_V1_JOB),
    "ims": Row("ims.v2", "ImsClient", "show_job_progress", "status", *V1, (400, "IMG.0023")),
    "cce": Row("cce.v3", "CceClient", "show_job", "status.phase", "Running", "Success", (404, "CCE.01404001")),
    "cce_autopilot": Row(
        "cce.v3", "CceClient", "show_autopilot_job", "status.phase", "Running", "Success", (404, "CCE.01404001")
    ),
    "elb": Row("elb.v3", "ElbClient", "show_job", "job.status", *V1, (404, "ELB.8904")),
    "cbr": Row(
        "cbr.v1",
        "CbrClient",
        "show_op_log",
        "operation_log.status",
        "running",
        "success",
        (404, "BackupService.6500"),
        "operation_log_id",
    ),
    "sfs_turbo": Row("sfsturbo.v1", "SFSTurboClient", "show_job_detail", "status", "running", "success", None),
    "dws": Row("dws.v2", "DwsClient", "list_job_details", "status", *V1, None),
    "bms": Row("bms.v1", "BmsClient", "show_job_infos", "status", *V1, NO_V1_JOB),
    "eip": Row("eip.v2", "EipClient", "show_resources_job_detail", "status", *V1, NO_V1_JOB),
    "sdrs": Row("sdrs.v1", "SdrsClient", "show_job_status", "status", *V1, NO_V1_JOB),
    "cfw": Row(
        "cfw.v1", "CfwClient", "list_job", "data.status", "Running", "Success", (400, "DBS.300400")
    ),  # DDM's: at the root it comes first of those that share the path
    "cse": Row(
        "cse.v1",
        "CseClient",
        "show_engine_job",
        "status",
        "Executing",
        "Finished",
        (404, "SVCSTG.00404"),
        more={"engine_id": "instance_id"},
    ),
    "cph": Row("cph.v1", "CphClient", "show_job", "status", "1", "2", (404, "CPH.0404")),
}
LISTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "taurusdb": ("list_immediate_jobs", "jobs.0.job_id", ()),
    "dds": ("list_tasks", "jobs.0.id", ("start_time", "end_time")),
    "kafka": ("list_background_tasks", "tasks.0.id", ("instance_id",)),
    "rabbitmq": ("list_background_tasks", "tasks.0.id", ("instance_id",)),
    "rocketmq": ("list_background_tasks", "tasks.0.id", ("instance_id",)),
    "rds": ("list_tasks", "tasks.0.id", ()),
    "gaussdb": ("list_tasks", "tasks.0.job_id", ()),
    "elb": ("list_jobs", "jobs.0.job_id", ()),
    "cbr": ("list_op_logs", "operation_logs.0.id", ()),
}


@pytest.fixture(name="sim", scope="module")
def fixture_sim() -> Iterator[Simulator]:
    """One simulator for all tests."""
    with Simulator() as simulator:
        yield simulator


def client_of(sim: Simulator, row: Row) -> Any:
    """The SDK's client, which signs with the demo key; it signs no prefix, so the root serves it."""
    credentials = BasicCredentials(accounts.ACCESS_KEY, accounts.SECRET_KEY, accounts.PROJECT_ID)
    kind = getattr(import_module(f"huaweicloudsdk{row.package}"), row.client)
    return kind.new_builder().with_credentials(credentials).with_endpoint(sim.url).build()


def request_of(row: Row, method: str, **parameters: Any) -> Any:
    """The SDK's request for a method."""
    name = "".join(part.capitalize() for part in method.split("_")) + "Request"
    return getattr(import_module(f"huaweicloudsdk{row.package}"), name)(**parameters)


def ask(sim: Simulator, task: dict[str, str]) -> Any:
    """What the SDK makes of the answer about a task."""
    row = ROWS[task["service"]]
    more = {name: task[key] for name, key in row.more.items()}
    return getattr(client_of(sim, row), row.method)(request_of(row, row.method, **{row.id: task["task_id"]}, **more))


def pick(model: Any, path: str) -> Any:
    """What stands at a dotted path of the SDK's models."""
    for name in path.split("."):
        model = model[int(name)] if isinstance(model, list) else getattr(model, name)
    return model


@pytest.mark.parametrize("service", ROWS)
def test_the_sdk_reads_a_task(sim: Simulator, service: str) -> None:
    row = ROWS[service]
    assert str(pick(ask(sim, sim.add_task(service, duration=100, age=50)), row.status)) == row.running
    assert str(pick(ask(sim, sim.add_task(service, duration=100, age=150)), row.status)) == row.done


@pytest.mark.parametrize("service", [service for service, row in ROWS.items() if row.unknown])
def test_the_sdk_reads_that_a_task_is_unknown(sim: Simulator, service: str) -> None:
    with pytest.raises(ClientRequestException) as refused:
        ask(sim, sim.add_task(service, visible_after=600))
    assert (refused.value.status_code, refused.value.error_code) == ROWS[service].unknown


@pytest.mark.parametrize("service", LISTS)
def test_the_sdk_reads_a_list(sim: Simulator, service: str) -> None:
    method, where, names = LISTS[service]
    sim.reset()
    task, now = sim.add_task(service), datetime.now(timezone.utc)
    given = {
        "instance_id": task["instance_id"],
        "start_time": (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S%z"),
        "end_time": (now + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    request = request_of(ROWS[service], method, **{name: given[name] for name in names})
    assert pick(getattr(client_of(sim, ROWS[service]), method)(request), where) == task["task_id"]


def test_the_sdk_reads_the_steps_of_cse(sim: Simulator) -> None:
    inner = [{"name": "InstallNode", "status": "Error"}]
    job = ask(
        sim, sim.add_task("cse", status="Error", sub_tasks=[{"name": "Install", "status": "Error", "sub_tasks": inner}])
    )
    stage = pick(job, "tasks.0")
    assert (stage.task_name, stage.status) == ("Install", "Error")
    assert (pick(stage, "tasks.0.task_name"), pick(stage, "tasks.0.status")) == ("InstallNode", "Error")


def test_the_sdk_reads_what_operations_start(sim: Simulator) -> None:
    sim.change_operations(duration=0.2)
    request = request_of(ROWS["dcs"], "change_master_standby_async", instance_id="i1")
    job = client_of(sim, ROWS["dcs"]).change_master_standby_async(request).job_id
    time.sleep(0.3)
    assert ask(sim, {"service": "dcs", "task_id": job}).status == "SUCCESS"
