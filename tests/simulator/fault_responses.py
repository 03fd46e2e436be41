# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The responses of those faults which only say something else than the API would."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Callable

from . import errors, gate, unknown
from .faults import Fault
from .response import Incoming, Response
from .routes import Call

HUGE = 8 * 1024 * 1024 + 1024
BLOCK = 1024 * 1024
LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to the proxy</body></html>\n"
THROTTLED = "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute"


@dataclass(frozen=True)
class Case:
    """A fault, the request it meets and the call which that request makes."""

    fault: Fault
    incoming: Incoming
    call: Call


def with_retry_after(fault: Fault, response: Response) -> Response:
    """Add the Retry-After header where the fault asks for it: seconds, or a date so many seconds ahead."""
    if fault.get("retry_after") is not None:
        response.headers["Retry-After"] = str(fault.get("retry_after"))
    if fault.get("retry_after_date") is not None:
        response.headers["Retry-After"] = formatdate(time() + float(fault.get("retry_after_date")), usegmt=True)
    return response


def any_status(case: Case) -> Response:
    """Any HTTP status, with a body in one of the error shapes or with any body."""
    status = int(case.fault.get("status", 500))
    code = case.fault.get("error_code", "DBS.108000")
    text = case.fault.get("error_msg", "Internal server error.")
    response = errors.error(case.fault.get("shape", "service"), status, code, text, case.incoming.request_id)
    if "body" in case.fault.given:
        body = case.fault.get("body")
        response.body = body.encode("utf-8") if isinstance(body, str) else body
    response.headers.update(case.fault.get("headers", {}))
    return with_retry_after(case.fault, response)


def throttle(case: Case) -> Response:
    """The gateway's 429."""
    return with_retry_after(case.fault, errors.gateway_error(429, "APIGW.0308", THROTTLED, case.incoming.request_id))


def flow_control(case: Case) -> Response:
    """Kafka's own throttling, which is a 404."""
    return with_retry_after(case.fault, errors.flow_control())


def not_json(case: Case) -> Response:
    """A body which claims to be JSON."""
    return Response(200, str(case.fault.get("body", "upstream request timeout")).encode("utf-8"))


def login_page(case: Case) -> Response:
    """The page of a proxy which wants a sign-in."""
    return Response(200, LOGIN_PAGE, content_type="text/html")


def wrong_shape(case: Case) -> Response:
    """Sound JSON which is no response of this API."""
    return Response(200, case.fault.get("body", {"items": []}))


def empty(case: Case) -> Response:
    """No body at all."""
    return Response(200, b"")


def redirect(case: Case) -> Response:
    """Somewhere else; credentials must not follow."""
    location = case.fault.get("location", f"{case.incoming.scheme}://{case.incoming.header('Host')}/login")
    return Response(int(case.fault.get("status", 302)), b"", {"Location": location}, "text/html")


def expired_token(case: Case) -> Response:
    """The token is over."""
    return errors.gateway_error(401, *gate.GATEWAY["expired"], case.incoming.request_id)


def forbidden(case: Case) -> Response:
    """The caller is known but may not."""
    return gate.forbidden(case.call.api)


def unknown_id(case: Case) -> Response:
    """The id is not known; for Kafka `mode` says how (empty or 404)."""
    if case.call.api == "kafka":
        return errors.unknown_kafka_task(case.fault.get("mode", "empty"))
    response = unknown.RESPONSES.get(case.call.services[0]) if case.call.services else None
    return response(unknown.default_settings()) if response else errors.unknown_job()


def wrong_host(case: Case) -> Response:
    """The gateway knows no such API."""
    return errors.wrong_host(case.incoming.request_id)


def huge(case: Case) -> Response:
    """Sound JSON without an end in sight, compressed as often as asked for."""
    size, layers = int(case.fault.get("size", HUGE)), int(case.fault.get("gzip", 0))
    if not layers:
        return Response(200, json.dumps({"padding": "x" * size}).encode("ascii"))
    body = packed(size)
    for dummy in range(1, layers):
        body = gzip.compress(body)
    return Response(200, body, {"Content-Encoding": ", ".join(["gzip"] * layers)})


def packed(size: int) -> bytes:
    """The body of `huge` with so many letters, compressed; its parts are members of their own, so it costs little."""
    parts = [b'{"padding": "', *[b"x" * BLOCK] * (size // BLOCK), b"x" * (size % BLOCK), b'"}']
    members = {part: gzip.compress(part) for part in set(parts)}
    return b"".join(members[part] for part in parts)


RESPONSES: dict[str, Callable[[Case], Response]] = {
    "status": any_status,
    "throttle": throttle,
    "flow_control": flow_control,
    "not_json": not_json,
    "login_page": login_page,
    "wrong_shape": wrong_shape,
    "empty": empty,
    "redirect": redirect,
    "expired_token": expired_token,
    "forbidden": forbidden,
    "unknown_id": unknown_id,
    "wrong_host": wrong_host,
    "huge": huge,
}
