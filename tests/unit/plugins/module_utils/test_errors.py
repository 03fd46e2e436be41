# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each error of the cloud means for asking again, and how errors are put into words."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import (
    ApiError,
    ErrorClass,
    ErrorCodes,
    InputError,
    MissingLibraryError,
    TasksError,
    classify_error,
    describe_response,
)

TRANSIENT, THROTTLED, NOT_FOUND, UNAUTHORIZED, FATAL = "transient", "throttled", "not_found", "unauthorized", "fatal"

TABLE: list[tuple[int | None, str | None, str]] = [
    # an unknown job: 400, not 404
    (400, "DBS.200543", NOT_FOUND),
    # bad parameter
    (400, "DBS.200001", FATAL),
    (400, "DBS.280001", FATAL),
    (400, "DBS.280204", FATAL),
    # no permission, or not yours
    (403, "DBS.200010", FATAL),
    (400, "DBS.200010", FATAL),
    (403, "DBS.200044", FATAL),
    (403, "DBS.201003", FATAL),
    (403, "DBS.280015", FATAL),
    (403, "DBS.280032", FATAL),
    (403, "DBS.280063", FATAL),
    # bad token: 403 (TaurusDB, RDS) or 401 (DDS)
    (403, "DBS.280056", UNAUTHORIZED),
    (401, "DBS.280056", UNAUTHORIZED),
    # instance missing
    (404, "DBS.200002", NOT_FOUND),
    (404, "DBS.200045", NOT_FOUND),
    (404, "DBS.201028", NOT_FOUND),
    (404, "DMS.00404022", NOT_FOUND),
    # server side
    (500, "DBS.108000", TRANSIENT),
    (500, "DBS.200005", TRANSIENT),
    (500, "DBS.280005", TRANSIENT),
    (500, "DBS.111205", TRANSIENT),
    # instance busy: an answer to operations, not to queries
    (409, "DBS.200019", FATAL),
    (409, "DBS.201014", FATAL),
    (409, "DBS.201015", FATAL),
    (409, "DBS.200047", FATAL),
    (409, "DBS.05000084", FATAL),
    (409, "DBS.212033", FATAL),
    # Kafka
    (400, "DMS.00400070", FATAL),
    (400, "DMS.00400017", FATAL),
    (401, "DMS.10240101", UNAUTHORIZED),
    (401, "DMS.10240102", UNAUTHORIZED),
    (401, "DMS.10240103", UNAUTHORIZED),
    (401, "DMS.10240104", UNAUTHORIZED),
    (403, "DMS.00403002", FATAL),
    (403, "DMS.00403003", FATAL),
    (404, "DMS.10240407", THROTTLED),
    # gateway
    (404, "APIGW.0101", FATAL),
    (401, "APIGW.0301", UNAUTHORIZED),
    (401, "APIGW.0303", UNAUTHORIZED),
    (401, "APIGW.0307", UNAUTHORIZED),
    (403, "APIGW.0302", FATAL),
    (403, "APIGW.0801", FATAL),
    (403, "APIGW.0802", FATAL),
    (429, "APIGW.0308", THROTTLED),
    (429, "APIG.0308", THROTTLED),
    (403, "APIG.0308", THROTTLED),
    (500, "APIGW.0601", TRANSIENT),
    (502, "APIGW.0201", TRANSIENT),
    (503, "APIGW.0201", TRANSIENT),
    (504, "APIGW.0201", TRANSIENT),
    (503, "APIGW.0613", TRANSIENT),
    # no code
    (None, None, TRANSIENT),
    (301, None, FATAL),
    (302, None, FATAL),
    (400, None, FATAL),
    (401, None, UNAUTHORIZED),
    (401, "401", UNAUTHORIZED),
    (403, None, FATAL),
    (404, None, NOT_FOUND),
    (404, "", NOT_FOUND),
    (405, None, FATAL),
    (408, None, TRANSIENT),
    (409, None, FATAL),
    # gone for good
    (410, None, NOT_FOUND),
    (410, "X.1", NOT_FOUND),
    (410, "APIGW.0101", FATAL),
    (429, None, THROTTLED),
    (500, None, TRANSIENT),
    (502, None, TRANSIENT),
    (503, None, TRANSIENT),
    (504, None, TRANSIENT),
    (599, None, TRANSIENT),
    # codes count whole, and where they belong
    (404, "DBS.200543", NOT_FOUND),
    (403, "DBS.200543", FATAL),
    (500, "DBS.200543", TRANSIENT),
    (400, "APIGW.03081", FATAL),
    (400, "DBS.2005430", FATAL),
]
KINDS = {
    TRANSIENT: "api_error",
    THROTTLED: "api_error",
    NOT_FOUND: "not_found",
    UNAUTHORIZED: "unauthorized",
    FATAL: "api_error",
}


CODES = ErrorCodes(
    not_found=frozenset({"DBS.200543"}), throttled=frozenset({"DMS.10240407"}), token=frozenset({"DBS.280056"})
)


@pytest.mark.parametrize(("http_status", "code", "error_class"), TABLE)
def test_meaning(http_status: int | None, code: str | None, error_class: str) -> None:
    found = classify_error(http_status, code, CODES)
    assert found is ErrorClass(error_class)
    error = ApiError("text", error_class=found, http_status=http_status, code=code)
    assert error.error_class is ErrorClass(error_class)
    assert error.kind == KINDS[error_class]


@pytest.mark.parametrize(
    ("http_status", "code"), [(400, "DBS.200543"), (403, "DBS.280056"), (404, "DMS.10240407"), (400, "Common.0011")]
)
def test_a_code_means_nothing_for_other_services(http_status: int, code: str) -> None:
    """Only the row of a service says what its own codes mean."""
    assert classify_error(http_status, code) is classify_error(http_status, None)


@pytest.mark.parametrize(
    ("http_status", "code", "message", "request_id", "sentence"),
    [
        (401, "APIGW.0301", "text", "1f", "HTTP 401 APIGW.0301: text (request id 1f)"),
        (401, "401", "text", None, "HTTP 401: text"),
        (500, None, "text", None, "HTTP 500: text"),
        (500, None, "", None, "HTTP 500"),
        (500, "DBS.1", "", "1f", "HTTP 500 DBS.1 (request id 1f)"),
        (None, None, "no response within 30 s", None, "no response within 30 s"),
        (200, None, "the response is not JSON", "1f", "HTTP 200: the response is not JSON (request id 1f)"),
    ],
)
def test_words(http_status: int | None, code: str | None, message: str, request_id: str | None, sentence: str) -> None:
    assert describe_response(http_status, code, message, request_id) == sentence


def test_message_says_what_was_asked_what_came_back_and_what_to_do() -> None:
    error = ApiError(
        "The job does not exist.", http_status=400, code="DBS.200543", action="Cannot read it", hint="Check the id."
    )
    assert str(error) == "Cannot read it: HTTP 400 DBS.200543: The job does not exist. Check the id."


def test_message_without_question_and_hint() -> None:
    assert str(ApiError("no", http_status=500)) == "HTTP 500: no"


def test_failure() -> None:
    error = ApiError(
        "no",
        http_status=429,
        code="APIGW.0308",
        request_id="1f",
        action="Cannot",
        hint="Wait.",
        retry_after=7.0,
        body={},
    )
    failure: dict[str, t.Any] = {
        "kind": "api_error",
        "code": "APIGW.0308",
        "message": "no",
        "http_status": 429,
        "request_id": "1f",
    }
    assert error.to_failure() == failure
    assert error.to_result() == {"msg": str(error), "failure": failure}
    error.hint = "Wait longer."
    assert str(error).endswith("Wait longer.")


def test_the_message_of_a_failure_is_one_plain_line() -> None:
    assert ApiError("one\r\n\x1b[31mtwo\x9b\u2028three").to_failure()["message"] == "one [31mtwo three"


def test_kind_and_meaning_can_be_given() -> None:
    error = ApiError("no", kind="connection", error_class=ErrorClass.FATAL)
    assert (error.kind, error.error_class) == ("connection", ErrorClass.FATAL)


def test_input_error() -> None:
    error = InputError("Set region.")
    assert isinstance(error, TasksError)
    assert error.to_result() == {"msg": "Set region."}


def test_missing_library() -> None:
    error = MissingLibraryError("Failed to import", "Traceback ...")
    assert error.to_result() == {"msg": "Failed to import", "exception": "Traceback ..."}
