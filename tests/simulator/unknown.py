# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the further services say of a task which they do not know.

Several pages do not tell; such a response says so. Where sources name two responses a setting chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from . import errors
from .response import Response

SETTINGS = {"dcs_unknown_id": ("400", "404"), "ims_unknown_id": ("IMG.0023", "Common.0011")}
Settings = Mapping[str, str]


def default_settings() -> Settings:
    """The first value of every setting."""
    return {name: values[0] for name, values in SETTINGS.items()}


def empty_list(settings: Settings) -> Response:
    """GeminiDB has found nothing."""
    return Response(200, {"jobs": [], "total_count": 0})


def v1_job(settings: Settings) -> Response:
    """The family of v1 jobs."""
    return errors.error("nested", 400, "Common.0011", "Failed to query the job: the job ID is invalid.")


def image_job(settings: Settings) -> Response:
    """IMS: one of two codes; no page ties either of them to this call."""
    return errors.error("nested", 400, settings["ims_unknown_id"], "Failed to query the task.")


def dcs_job(settings: Settings) -> Response:
    """DCS: 400 or 404; which one an unknown id gets is not known, nor is the code of the 404 (made up here)."""
    if settings["dcs_unknown_id"] == "404":
        return errors.error("dcs", 404, "111404001", "The resource is not found.")
    return errors.error("dcs", 400, "111400063", "The task does not exist.")


def ddm_job(settings: Settings) -> Response:
    """DDM."""
    return errors.error("service", 400, "DBS.300400", "The task is not found.")


def cce_job(settings: Settings) -> Response:
    """CCE."""
    return errors.error("cce", 404, "CCE.01404001", "Resource not found.")


def elb_job(settings: Settings) -> Response:
    """ELB; made up: no page tells."""
    return errors.error("service", 404, "ELB.8904", "The job is not found.")


def cbr_log(settings: Settings) -> Response:
    """CBR."""
    return errors.error("service", 404, "BackupService.6500", "The operation log does not exist.")


def sfs_turbo_job(settings: Settings) -> Response:
    """SFS Turbo."""
    return errors.error("sfs_turbo", 404, "SFS.TURBO.0019", "Invalid Job Id")


def dws_job(settings: Settings) -> Response:
    """DWS: a 404 whose code no page tells; so it has none here."""
    return Response(404, {"error_msg": "The job does not exist."})


def cfw_job(settings: Settings) -> Response:
    """CFW; made up: no page tells."""
    return errors.error("service", 404, "CFW.0404", "The job does not exist.")


def cse_job(settings: Settings) -> Response:
    """CSE; made up: no page tells."""
    return errors.error("service", 404, "SVCSTG.00404", "The job does not exist.")


def cph_job(settings: Settings) -> Response:
    """CPH; made up: no page tells."""
    return errors.error("service", 404, "CPH.0404", "The job does not exist.")


def server(settings: Settings) -> Response:
    """ECS knows no such server; the code is made up."""
    return errors.error("nested", 404, "Ecs.0114", "The server does not exist.")


def volume(settings: Settings) -> Response:
    """EVS knows no such volume; the code is made up."""
    return errors.error("nested", 404, "EVS.5404", "Volume could not be found.")


def instance(settings: Settings) -> Response:
    """TaurusDB knows no such instance."""
    return errors.unknown_instance()


RESPONSES: dict[str, Callable[[Settings], Response]] = {
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
