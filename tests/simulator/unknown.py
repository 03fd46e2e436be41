# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the further services say of a task which they do not know.

Several pages do not tell; such an answer says so. Where sources name two answers a setting chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from . import errors
from .answer import Answer

SETTINGS = {"dcs_unknown_id": ("400", "404"), "ims_unknown_id": ("IMG.0023", "Common.0011")}
Settings = Mapping[str, str]


def default_settings() -> Settings:
    """The first value of every setting."""
    return {name: values[0] for name, values in SETTINGS.items()}


def empty_list(settings: Settings) -> Answer:
    """GeminiDB has found nothing."""
    return Answer(200, {"jobs": [], "total_count": 0})


def v1_job(settings: Settings) -> Answer:
    """The family of v1 jobs."""
    return errors.error("nested", 400, "Common.0011", "Failed to query the job: the job ID is invalid.")


def image_job(settings: Settings) -> Answer:
    """IMS: one of two codes; no page ties either of them to this call."""
    return errors.error("nested", 400, settings["ims_unknown_id"], "Failed to query the task.")


def dcs_job(settings: Settings) -> Answer:
    """DCS: 400 or 404; which one an unknown id gets is not known, nor is the code of the 404 (made up here)."""
    if settings["dcs_unknown_id"] == "404":
        return errors.error("dcs", 404, "111404001", "The resource is not found.")
    return errors.error("dcs", 400, "111400063", "The task does not exist.")


def ddm_job(settings: Settings) -> Answer:
    """DDM."""
    return errors.error("service", 400, "DBS.300400", "The task is not found.")


def cce_job(settings: Settings) -> Answer:
    """CCE."""
    return errors.error("cce", 404, "CCE.01404001", "Resource not found.")


def elb_job(settings: Settings) -> Answer:
    """ELB; made up: no page tells."""
    return errors.error("service", 404, "ELB.8904", "The job is not found.")


def cbr_log(settings: Settings) -> Answer:
    """CBR."""
    return errors.error("service", 404, "BackupService.6500", "The operation log does not exist.")


def sfs_turbo_job(settings: Settings) -> Answer:
    """SFS Turbo."""
    return errors.error("sfs_turbo", 404, "SFS.TURBO.0019", "Invalid Job Id")


def dws_job(settings: Settings) -> Answer:
    """DWS: a 404 whose code no page tells; so it has none here."""
    return Answer(404, {"error_msg": "The job does not exist."})


def cfw_job(settings: Settings) -> Answer:
    """CFW; made up: no page tells."""
    return errors.error("service", 404, "CFW.0404", "The job does not exist.")


def cse_job(settings: Settings) -> Answer:
    """CSE; made up: no page tells."""
    return errors.error("service", 404, "SVCSTG.00404", "The job does not exist.")


def cph_job(settings: Settings) -> Answer:
    """CPH; made up: no page tells."""
    return errors.error("service", 404, "CPH.0404", "The job does not exist.")


def server(settings: Settings) -> Answer:
    """ECS knows no such server; the code is made up."""
    return errors.error("nested", 404, "Ecs.0114", "The server does not exist.")


def volume(settings: Settings) -> Answer:
    """EVS knows no such volume; the code is made up."""
    return errors.error("nested", 404, "EVS.5404", "Volume could not be found.")


def instance(settings: Settings) -> Answer:
    """TaurusDB knows no such instance."""
    return errors.unknown_instance()


ANSWERS: dict[str, Callable[[Settings], Answer]] = {
    "geminidb": empty_list,
    "ecs": v1_job,
    "evs": v1_job,
    "bms": v1_job,
    "eip": v1_job,
    "sdrs": v1_job,
    "ims": image_job,
    "dcs": dcs_job,
    "ddm": ddm_job,
    "cce": cce_job,
    "cce_autopilot": cce_job,
    "elb": elb_job,
    "cbr": cbr_log,
    "sfs_turbo": sfs_turbo_job,
    "dws": dws_job,
    "cfw": cfw_job,
    "ecs_server": server,
    "evs_volume": volume,
    "taurusdb_instance": instance,
    "cse": cse_job,
    "cph": cph_job,
}
