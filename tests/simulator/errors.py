# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes in which the cloud reports errors."""

from __future__ import annotations

import math
from typing import Any, Callable

from .limits import Throttled
from .response import Response

DMS = ("kafka", "rabbitmq", "rocketmq")
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}

BODIES: dict[str, Callable[[int, str, str, str], dict[str, Any]]] = {
    "service": lambda status, code, text, request_id: {"error_code": code, "error_msg": text},
    "apigw": lambda status, code, text, request_id: {"error_msg": text, "error_code": code, "request_id": request_id},
    "iam": lambda status, code, text, request_id: {
        "error": {"code": status, "message": text, "title": TITLES.get(status, "Error")}
    },
    "nested": lambda status, code, text, request_id: {"error": {"code": code, "message": text}},
    "ddm": lambda status, code, text, request_id: {"errCode": code, "externalMessage": text},
    "camel": lambda status, code, text, request_id: {"errorCode": code, "errorMsg": text},
    "sfs_turbo": lambda status, code, text, request_id: {"errCode": code, "errMsg": text},
    "cce": lambda status, code, text, request_id: {"errorCode": code, "errorMessage": text},
    "dcs": lambda status, code, text, request_id: {"error_code": code, "error_msg": text, "error_ext_msg": ""},
    "plain": lambda status, code, text, request_id: {"code": code, "message": text},
}


def error(shape: str, status: int, code: str, text: str, request_id: str = "") -> Response:
    """An error response in one of the shapes of BODIES."""
    return Response(status, BODIES[shape](status, code, text, request_id))


def gateway_error(status: int, code: str, text: str, request_id: str) -> Response:
    """An error of the API gateway in front of the services."""
    return error("apigw", status, code, text, request_id)


def wrong_host(request_id: str) -> Response:
    """The gateway knows no such API here."""
    text = "The API does not exist or has not been published in the environment"
    return gateway_error(404, "APIGW.0101", text, request_id)


def unknown_job() -> Response:
    """What the database services say of an id they do not know."""
    return error("service", 400, "DBS.200543", "The job does not exist.")


def unknown_instance() -> Response:
    """What the database services say of an instance they do not know."""
    return error("service", 404, "DBS.200002", "The DB instance does not exist.")


def unknown_kafka_instance() -> Response:
    """What Kafka says of an instance it does not know."""
    return error("service", 404, "DMS.00404022", "This DMS instance does not exist.")


def malformed_kafka_id() -> Response:
    """What Kafka says of an id which cannot be one of a task."""
    return error("service", 400, "DMS.00400070", "Invalid task ID format.")


def unknown_kafka_task(mode: str) -> Response:
    """What Kafka says of an id it does not know: an empty list or, as a setting, a 404."""
    if mode == "404":
        return unknown_kafka_instance()
    return Response(200, {"task_count": "0", "tasks": []})


def bad_parameter() -> Response:
    """A mandatory parameter of a database service is missing."""
    return error("service", 400, "DBS.280001", "Parameter error.")


def flow_control() -> Response:
    """Kafka's own throttling, which is a 404."""
    return error("service", 404, "DMS.10240407", "The request is rejected by flow control.")


def throttled(refusal: Throttled, service: str, request_id: str) -> Response:
    """The gateway's refusal of a request which is over a limit; whether IAM has another one is not known."""
    response = gateway_error(429, "APIGW.0308", refusal.limit.text(), request_id)
    if refusal.limit.flow_control and service in DMS:
        response = flow_control()
    if refusal.limit.retry_after:
        response.headers["Retry-After"] = str(math.ceil(refusal.wait))
    return response


def iam_error(status: int, text: str) -> Response:
    """An error of IAM, whose code is the number of the HTTP status."""
    return error("iam", status, "", text)
