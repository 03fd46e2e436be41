# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, and what each error means for a wait.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ._text import plain


class ErrorClass(enum.Enum):
    """What an error says about a retry."""

    TRANSIENT = "transient"
    # The request limit is reached; nothing is wrong with the task, the API or the network.
    THROTTLED = "throttled"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    FATAL = "fatal"
    # Nothing went wrong, but the time was over before its turn came.
    NOT_POLLED = "not_polled"


# No such API at this host: wrong endpoint, region or method (API Gateway error code page).
UNKNOWN_API = "APIGW.0101"
# The throttling code's prefix differs between products (APIGW.0308, APIG.0308), its number does not.
THROTTLED_SUFFIX = ".0308"

# How the hint about an unknown id begins; how long tasks are kept differs between services.
NOT_FOUND_HINT = "Check the id, region and project_id"


class ErrorCodes(t.NamedTuple):
    """What a service's own codes mean: no such task (with HTTP 400), too many requests, a bad token."""

    not_found: frozenset[str] = frozenset()
    throttled: frozenset[str] = frozenset()
    token: frozenset[str] = frozenset()


NO_CODES = ErrorCodes()


def classify_error(http_status: int | None, code: str | None, codes: ErrorCodes = NO_CODES) -> ErrorClass:
    """Say what a response that is not a success means; no HTTP status means that no whole one came."""
    code = code or ""
    if http_status == 429 or code in codes.throttled or code.endswith(THROTTLED_SUFFIX):
        return ErrorClass.THROTTLED
    if http_status is None:
        return ErrorClass.TRANSIENT
    if http_status == 401 or code in codes.token:
        return ErrorClass.UNAUTHORIZED
    # 408 is the server's own "I waited too long for you; send it again" (RFC 9110, 15.5.9).
    if http_status == 408 or http_status >= 500:
        return ErrorClass.TRANSIENT
    if code in codes.not_found and http_status == 400:
        return ErrorClass.NOT_FOUND
    if http_status in (404, 410) and code != UNKNOWN_API:
        return ErrorClass.NOT_FOUND
    return ErrorClass.FATAL


# The values of a failure's ``kind``.
KINDS = ("task_failed", "timeout", "stalled", "not_found", "needs_action", "unauthorized", "api_error", "connection")
KIND_OF_CLASS = {
    ErrorClass.TRANSIENT: "api_error",
    ErrorClass.THROTTLED: "api_error",
    ErrorClass.NOT_FOUND: "not_found",
    ErrorClass.UNAUTHORIZED: "unauthorized",
    ErrorClass.FATAL: "api_error",
    ErrorClass.NOT_POLLED: "connection",
}


class TasksError(Exception):
    """The base of every error that a module reports instead of crashing."""

    def to_result(self) -> dict[str, t.Any]:
        """Return what the module fails with."""
        return {"msg": plain(str(self))}


class InputError(TasksError):
    """An option is missing or makes no sense; nothing was asked of the cloud."""


class MissingLibraryError(TasksError):
    """A Python library that the module needs is not installed on the host that runs it."""

    def __init__(self, message: str, exception: str) -> None:
        super().__init__(message)
        self.exception = exception

    def to_result(self) -> dict[str, t.Any]:
        return {**super().to_result(), "exception": self.exception}


def describe_response(http_status: int | None, code: str | None, message: str, request_id: str | None) -> str:
    """Put what came back into words: ``HTTP 401 APIGW.0301: text (request id 1f)``."""
    status = f"HTTP {http_status}" if http_status else ""
    # IAM repeats the HTTP status as its code.
    head = " ".join(part for part in (status, code or "") if part and part != str(http_status))
    # What follows in brackets belongs to the sentence.
    message = message.rstrip(".") if request_id else message
    text = f"{head}: {message}" if head and message else head or message
    return f"{text} (request id {request_id})" if request_id else text


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a request or a wait has failed, as the value ``failure`` of a result."""

    kind: str
    message: str
    code: str | None = None
    http_status: int | None = None
    request_id: str | None = None

    def to_dict(self) -> dict[str, t.Any]:
        """Return it as the value ``failure`` of a result, its message on one plain line."""
        names = ("kind", "code", "message", "http_status", "request_id")
        return dict({name: getattr(self, name) for name in names}, message=plain(self.message))


class ApiError(TasksError):
    """A request got no usable response. Its parts are put into words when it is shown.

    ``action`` says what was tried, without query or credentials; ``hint`` what to do about it.
    ``body`` is the decoded response where there was one. ``retry_after`` is in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        error_class: ErrorClass | None = None,
        kind: str | None = None,
        code: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        action: str = "",
        hint: str = "",
        retry_after: float | None = None,
        body: t.Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_class = error_class or classify_error(http_status, code)
        self.kind = kind or KIND_OF_CLASS[self.error_class]
        self.code = code
        self.http_status = http_status
        self.request_id = request_id
        self.action = action
        self.hint = hint
        self.retry_after = retry_after
        self.body = body

    def __str__(self) -> str:
        response = describe_response(self.http_status, self.code, self.message, self.request_id)
        sentence = f"{self.action}: {response}" if self.action else response
        return f"{sentence.rstrip('.')}. {self.hint}" if self.hint else sentence

    def to_failure(self) -> dict[str, t.Any]:
        """Return the error as the value ``failure`` of a result."""
        return Failure(self.kind, self.message, self.code, self.http_status, self.request_id).to_dict()

    def to_result(self) -> dict[str, t.Any]:
        return {**super().to_result(), "failure": self.to_failure()}
