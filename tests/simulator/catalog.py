# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each service calls things: its status words, the kind of its tasks, the form of its ids.

Words are those of the APIs' pages. Names of tasks are examples; where a page has none they are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GONE = "(gone)"  # the status of a resource which is not there any more: no API sends it


@dataclass(frozen=True)
class Words:
    """The status words of one service; `reason` and `code` are those of a task that went wrong."""

    pending: str | None
    running: str
    outcomes: Mapping[str, str]
    reason: str = "insufficient resources"
    code: str | None = None


@dataclass(frozen=True)
class Service:
    """One service."""

    words: Words
    name: str
    suffix: str | None = None  # of the ids of its instances, which are UUIDs where there is none
    plain_id: bool = False  # whether the ids of its tasks have no hyphens
    number_id: bool = False  # whether the ids of its tasks are numbers


REASON = "Failed to upgrade the DB Agent."
FINAL = {"succeeded": "Completed", "failed": "Failed"}
V1_FINAL = {"succeeded": "SUCCESS", "failed": "FAIL"}
PAYMENT = {"needs_action": "PENDING_PAYMENT"}

DATABASE = Words(None, "Running", FINAL)
TAURUSDB = Words("Pending", "Running", {**FINAL, "canceled": "Canceled", "needs_action": "Unauthorized"}, REASON)
RESTORE = Words("Pending", "Running", {"succeeded": "complete", "failed": "Failed"}, REASON)
DMS = Words(
    "CREATED",
    "EXECUTING",
    {"succeeded": "SUCCESS", "failed": "FAILED", "deleted": "DELETED", "canceled": "CANCELLED"},
    REASON,
)
V1 = Words("INIT", "RUNNING", V1_FINAL)
# the codes of failed tasks are made up: no page lists any
ECS = Words("INIT", "RUNNING", {**V1_FINAL, **PAYMENT}, "no valid host", "Ecs.0015")
BMS = Words("INIT", "RUNNING", {**V1_FINAL, **PAYMENT}, "no valid host", "BMS.0015")
EVS = Words("INIT", "RUNNING", V1_FINAL, "volume quota exceeded", "EVS.2021")
IMS = Words("INIT", "RUNNING", V1_FINAL, "the image file is broken", "IMG.0001")
DDM = Words(
    None,
    "Running",
    {**FINAL, "canceled": "CancelSuccess", "rolled_back": "RollbackSuccess", "needs_action": "ToBeSwitched"},
)
CCE = Words("Initializing", "Running", {"succeeded": "Success", "failed": "Failed"}, "no resource for flavor")
ELB = Words(
    "INIT",
    "RUNNING",
    {**V1_FINAL, "completed": "COMPLETE", "canceled": "CANCEL", "rollback_failed": "ROLLBACK_FAIL"},
    code="ELB.8902",
)
CBR = Words(
    "waiting",
    "running",
    {"succeeded": "success", "failed": "failed", "timeout": "timeout", "skipped": "skipped"},
    code="BackupService.0001",
)
SFS_TURBO = Words("waiting", "running", {"succeeded": "success", "failed": "failed"}, code="SFS.TURBO.9000")
DWS = Words("INIT", "RUNNING", {**V1_FINAL, "canceled": "STOP"}, code="DWS.5150")
CSE = Words("Init", "Executing", {"succeeded": "Finished", "failed": "Error", "timeout": "Timeout"})
CPH = Words(None, "1", {"succeeded": "2", "failed": "-1"}, code="CPH.0001")
CFW = Words(None, "Running", {"succeeded": "Success", "failed": "Failed"})

# Resources, which a wait may watch like tasks.
SERVER = Words(None, "BUILD", {"succeeded": "ACTIVE", "failed": "ERROR", "deleted": GONE})
INSTANCE = Words(None, "creating", {"succeeded": "normal", "failed": "createfail", "deleted": GONE})
VOLUME = Words(None, "deleting", {"succeeded": GONE, "failed": "error_deleting", "created": "available"})

CATALOG = {
    "taurusdb": Service(TAURUSDB, "CreateGaussDBforMySQLInstance", "in07"),
    "taurusdb_restore": Service(RESTORE, "RestoreTaurusInInstanceToExisted", "in07"),
    "dds": Service(Words(None, "Running", FINAL, REASON), "Restore_MongoDB_Replica", "in02"),
    "kafka": Service(DMS, "bindInstancePublicIp", plain_id=True),
    "rds": Service(DATABASE, "CreateMysqlSingleHAInstance", "in01"),
    "gaussdb": Service(DATABASE, "CreateGaussDBV5Instance", "in14"),
    "geminidb": Service(DATABASE, "CreateNoSQLInstance", "in06"),
    "rabbitmq": Service(DMS, "rabbitmqPluginModify", plain_id=True),
    "rocketmq": Service(DMS, "rocketmqTopicCreate", plain_id=True),
    "dcs": Service(V1, "masterStandbySwapJob", plain_id=True),
    "ddm": Service(DDM, "CreateDDMInstance", "in09"),
    "ecs": Service(ECS, "createServer"),
    "evs": Service(EVS, "createVolume"),
    "ims": Service(IMS, "imsCreateImageByInstance", plain_id=True),
    "cce": Service(CCE, "CreateCluster"),
    "cce_autopilot": Service(CCE, "CreateCluster"),
    "elb": Service(ELB, "cloneLoadbalancer"),
    "cbr": Service(CBR, "restore"),
    "sfs_turbo": Service(SFS_TURBO, "CreateLdapConfig"),
    "dws": Service(DWS, "createCluster", plain_id=True),
    "bms": Service(BMS, "createBareMetalServer"),
    "eip": Service(V1, "batchCreatePublicIp"),
    "sdrs": Service(V1, "createProtectionGroup"),
    "cfw": Service(CFW, "createFirewall"),
    "cse": Service(CSE, "Create", number_id=True),
    "cph": Service(CPH, "restartCloudPhone", plain_id=True),
    "taurusdb_instance": Service(INSTANCE, "instance", "in07"),
    "ecs_server": Service(SERVER, "server"),
    "evs_volume": Service(VOLUME, "volume"),
}
SERVICES = tuple(CATALOG)


def final_words(service: str) -> frozenset[str]:
    """The words, in lower case, with which a task of the service is over."""
    outcomes = CATALOG[service].words.outcomes
    return frozenset(word.lower() for outcome, word in outcomes.items() if outcome != "needs_action")
