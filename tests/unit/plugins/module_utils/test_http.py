# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request over a real connection, in good and in bad weather."""

from __future__ import annotations

import gzip
import json
import os
import ssl
import time
import tracemalloc
import typing as t
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
import trustme

from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import Key, KeyAuth, PasswordAuth, TokenAuth
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._http import (
    MAX_BODY_BYTES,
    HttpClient,
    Request,
    Response,
    new_session,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._parsing import MAX_DEPTH, NOT_JSON, parse_json
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from simulator import Simulator, accounts

SLACK = 2.0  # seconds; a machine with nothing else to do needs a tenth of one
SECRETS = (accounts.TOKEN, accounts.SECRET_KEY, accounts.SECURITY_TOKEN, accounts.PASSWORD, "SDK-HMAC-SHA256")


def assert_discreet(error: ApiError, *more: str) -> None:
    """No secret, no query and no part of a traceback in what is shown of an error."""
    shown = f"{error} {error.to_result()} {error!r}"
    for secret in (*SECRETS, "?id=", "Traceback", "urllib3", *more):
        assert secret not in shown
    # Nor in what Python would print with it.
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None


# In good weather


def test_answer(sender: t.Any) -> None:
    answer: Response = sender.http().send(sender.request(headers={"X-Language": "zh-cn"}))
    assert answer.body["job"]["status"] == "Running"
    assert answer.http_status == 200
    assert answer.request_id == answer.headers["x-request-id"]
    [record] = sender.sim.requests()
    assert record["auth"] == "token"
    assert record["language"] == "zh-cn"
    assert record["user_agent"].startswith("ansible-huaweicloud.tasks/")


def test_connections_are_kept(sender: t.Any) -> None:
    http = sender.http()
    for dummy in range(4):
        http.send(sender.request())
    with pytest.raises(ApiError):
        http.send(sender.request(url=f"{sender.url}-unknown"))
    http.send(sender.request())
    assert len({record["connection"] for record in sender.sim.requests()}) == 1
    sender.http().send(sender.request())
    assert len({record["connection"] for record in sender.sim.requests()}) == 2


def test_post(sender: t.Any) -> None:
    error = sender.fail(method="POST", url=f"{sender.sim.endpoint('iam')}/v3/auth/tokens", auth=None, body={"auth": {}})
    assert (error.http_status, error.code) == (400, "400")
    [record] = sender.sim.requests()
    assert record["method"] == "POST"


def test_plain_text(sender: t.Any) -> None:
    url = f"{sender.sim.endpoint('metadata')}/meta-data/latest/api/token"
    request = Request("PUT", url, "asked", headers={"X-Metadata-Token-Ttl-Seconds": "60"}, text=True)
    assert len(sender.http().send(request).body) == 48


def test_cookies_are_not_kept(sender: t.Any) -> None:
    session = new_session()
    http = HttpClient(session, request_timeout=10)
    sender.sim.add_fault("status", status=200, body={}, headers={"Set-Cookie": "session=abc; Path=/"})
    http.send(sender.request())
    assert not session.cookies
    assert not list(session.cookies)


def test_no_cookie_is_sent(sender: t.Any, raw_server: t.Any) -> None:
    server = raw_server(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    http = sender.http()
    for dummy in range(2):
        http.send(sender.request(url=server.url))
    assert len(server.received) == 2
    assert b"cookie" not in b"".join(server.received).lower()


# Errors of the API


SHAPES = [
    ("service", "DBS.108000"),
    ("apigw", "DBS.108000"),
    ("nested", "DBS.108000"),
    ("ddm", "DBS.108000"),
    ("camel", "DBS.108000"),
    ("plain", "DBS.108000"),
    ("iam", "{status}"),
]
STATUSES = [
    (400, "fatal"),
    (403, "fatal"),
    (404, "not_found"),
    (405, "fatal"),
    (408, "transient"),
    (409, "fatal"),
    (429, "throttled"),
    (500, "transient"),
    (501, "transient"),
    (502, "transient"),
    (503, "transient"),
    (504, "transient"),
]


@pytest.mark.parametrize(("shape", "code"), SHAPES)
@pytest.mark.parametrize(("status", "error_class"), STATUSES)
def test_error_bodies(sender: t.Any, shape: str, code: str, status: int, error_class: str) -> None:
    sender.sim.add_fault("status", status=status, shape=shape, error_msg="Something went wrong.")
    error = sender.fail()
    assert error.code == code.format(status=status)
    assert error.message == "Something went wrong."
    assert error.http_status == status
    assert error.error_class is ErrorClass(error_class)
    assert error.request_id
    assert error.request_id in str(error)
    assert f"HTTP {status}" in str(error)
    assert str(error).startswith("Cannot read it: ")
    assert error.body
    assert_discreet(error)
    assert len(sender.sim.requests()) == 1


def test_unknown_job(sender: t.Any) -> None:
    sender.sim.add_fault("unknown_id")
    dds = SERVICES["dds"]
    error = sender.fail(codes=dds.codes, not_found_hint=dds.not_found_hint)
    assert (error.kind, error.code, error.http_status) == ("not_found", "DBS.200543", 400)
    assert "Check the id" in str(error)


def test_wrong_host(sender: t.Any) -> None:
    sender.sim.add_fault("wrong_host")
    error = sender.fail()
    assert (error.kind, error.error_class, error.code) == ("api_error", ErrorClass.FATAL, "APIGW.0101")


def test_forbidden(sender: t.Any) -> None:
    sender.sim.add_fault("forbidden")
    error = sender.fail()
    assert (error.kind, error.error_class, error.http_status) == ("api_error", ErrorClass.FATAL, 403)


USUALLY_TEMPORARY = "This is usually temporary; retry later."
LACKS_PERMISSION = "These credentials lack permission {}: check project_id and the user's permissions."


@pytest.mark.parametrize(
    ("status", "code", "names_task", "hint"),
    [
        (301, "X.1", True, "Redirects are not followed, so that credentials reach no other host: check endpoint."),
        (400, "DBS.280001", True, "Check the options that name the task."),
        (400, "400", False, "Check iam_endpoint and region."),
        (403, "DBS.200010", True, LACKS_PERMISSION.format("to read this task")),
        (403, "403", False, LACKS_PERMISSION.format("for this")),
        (404, "APIGW.0101", True, "There is no such API at this address: check region and endpoint."),
        (404, "DBS.200543", True, SERVICES["dds"].not_found_hint),
        (429, "APIGW.0308", True, USUALLY_TEMPORARY),
        (503, "APIGW.0613", True, USUALLY_TEMPORARY),
    ],
)
def test_what_to_do_about_an_error(sender: t.Any, status: int, code: str, names_task: bool, hint: str) -> None:
    sender.sim.add_fault("status", status=status, error_code=code)
    error = sender.fail(names_task=names_task, not_found_hint=SERVICES["dds"].not_found_hint)
    assert (error.code, error.hint) == (code, hint)


def test_flow_control_of_kafka(sender: t.Any) -> None:
    sender.sim.add_fault("flow_control", retry_after=3)
    error = sender.fail(codes=SERVICES["kafka"].codes)
    assert (error.error_class, error.retry_after) == (ErrorClass.THROTTLED, 3.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (7, 7.0),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(sender: t.Any, value: t.Any, seconds: float | None) -> None:
    # A header of bytes that are no text reaches a client as something else; none of it is a number.
    given = {} if value is None else {"retry_after": value}
    sender.sim.add_fault("throttle", **given)
    error = sender.fail()
    assert (error.http_status, error.code, error.error_class) == (429, "APIGW.0308", ErrorClass.THROTTLED)
    assert error.retry_after == seconds


def test_retry_after_without_end(sender: t.Any) -> None:
    sender.sim.add_fault("throttle", retry_after="9" * 4000)
    assert sender.fail().retry_after == float("9" * 9)


@pytest.mark.parametrize("ahead", [30, 3600])
def test_retry_after_as_a_date(sender: t.Any, ahead: int) -> None:
    """The date counts from the server's own clock, whatever the host's says."""
    sender.sim.add_fault("throttle", retry_after_date=ahead)
    error = sender.fail(sender.http(now=lambda: time.time() + 7200))
    assert error.retry_after is not None
    assert abs(error.retry_after - ahead) <= 2


def test_retry_after_as_a_date_in_the_past(sender: t.Any) -> None:
    sender.sim.add_fault("throttle", retry_after_date=-100)
    assert sender.fail().retry_after == 0.0


def test_retry_after_as_a_date_without_the_servers_date(sender: t.Any, raw_server: t.Any) -> None:
    date = formatdate(1000 + 50, usegmt=True)
    head = f"HTTP/1.1 429 Slow\r\nRetry-After: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    error = sender.fail(sender.http(now=lambda: 1000.0), url=raw_server(head.encode()).url)
    assert error.retry_after == 50.0


def test_request_id_from_the_body(sender: t.Any, raw_server: t.Any) -> None:
    body = b'{"error_code": "APIGW.0601", "error_msg": "x", "request_id": "1f2e"}'
    server = raw_server(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    error = sender.fail(url=server.url)
    assert error.request_id == "1f2e"
    assert "(request id 1f2e)" in str(error)


def test_request_id_from_the_header_of_iam(sender: t.Any, raw_server: t.Any) -> None:
    head = b"HTTP/1.1 500 No\r\nX-IAM-Trace-Id: token_1f\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    assert sender.fail(url=raw_server(head).url).request_id == "token_1f"


def test_header_before_body(sender: t.Any) -> None:
    sender.sim.add_fault("status", status=500, shape="apigw", headers={"X-Request-Id": "from-the-header"})
    assert sender.fail().request_id == "from-the-header"


def test_reason_without_end(sender: t.Any, raw_server: t.Any) -> None:
    """What the server says is shortened and printable, wherever it says it."""
    head = b"HTTP/1.1 500 " + b"no\x1b[31m " * 2000 + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    error = sender.fail(url=raw_server(head).url)
    assert len(error.message) < 400
    assert str(error).isprintable()


@pytest.mark.parametrize("glue", [" ", "-", "", " token="])
def test_of_a_long_message_no_word_is_shown_in_part(sender: t.Any, glue: str) -> None:
    """Ansible masks a secret that the server repeats only where it is whole."""
    sender.sim.add_fault("status", status=403, error_msg=f"{'a' * 200}{glue}{accounts.TOKEN * 3} bad")
    error = sender.fail()
    assert accounts.TOKEN[:4] not in f"{error} {error.to_result()}"
    assert error.message == ("a" * 200 + " [...]" if glue.startswith(" ") else "Forbidden")


def test_a_message_that_is_just_not_too_long(sender: t.Any) -> None:
    whole = "word " * 59 + "ended"
    sender.sim.add_fault("status", status=403, error_msg=whole)
    assert (len(whole), sender.fail().message) == (300, whole)


# Texts that are cut in the middle of a letter

HALVES = {
    "first half": (rb"\ud83d bad", "\ufffd bad"),
    "second half": (rb"bad \uDE00", "bad \ufffd"),
    "at the end": (rb"bad \uD83D", "bad \ufffd"),
    "wrong order": (rb"\ude00\ud83d", "\ufffd\ufffd"),
    "half and whole": (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
    "not escaped": (b"\xed\xa0\xbd bad", "\ufffd bad"),
    "a pair": (rb"\ud83d\ude00", "\U0001f600"),
    "a mark first": (rb"\ufeff\ud83d", "\ufeff\ufffd"),
    "no escape": (rb"\\ud83d", r"\ud83d"),
}


@pytest.mark.parametrize(("sent", "text"), HALVES.values(), ids=HALVES)
def test_a_half_letter_is_replaced(sender: t.Any, raw_server: t.Any, sent: bytes, text: str) -> None:
    """ansible-core 2.19 and newer refuse a whole result that holds one, of a task that succeeded, too."""
    body = b'{"job": {"name": "%b", "%b": [null, 1, ["%b"]]}}' % (sent, sent, sent)
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    answer = sender.http().send(sender.request(url=server.url))
    assert answer.body == {"job": {"name": text, text: [None, 1, [text]]}}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-le", "utf-8"])
def test_a_half_letter_is_replaced_in_every_encoding(sender: t.Any, raw_server: t.Any, encoding: str) -> None:
    body = '{"job": "a\ud83d", "whole": "\U0001f600"}'.encode(encoding, "surrogatepass")
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    answer = sender.http().send(sender.request(url=server.url))
    assert answer.body["job"].encode() in ("a\ufffd".encode(), "a\ufffd\ufffd\ufffd".encode())
    assert answer.body["whole"] == "\U0001f600"


def nested(depth: int, kind: str) -> str:
    opening, closing = ("[", "]") if kind == "list" else ('{"a": ', "}")
    return opening * depth + "1" + closing * depth


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            '{"__ansible_type": "x", "a": [{"__ansible_unsafe": 1}]}',
            {"ansible_type": "x", "a": [{"ansible_unsafe": 1}]},
        ),
        (r'{"\u005f\u005fansible_type": 1, "__ansible": 2}', {"ansible_type": 1, "ansible": 2}),
        ('{"__type": 1, "a": "__ansible_type"}', {"__type": 1, "a": "__ansible_type"}),
        ("[1e999, -1e999, 1.5]", ["1e999", "-1e999", 1.5]),
    ],
)
def test_what_ansible_cannot_have_in_a_result_is_replaced(sent: str, expected: t.Any) -> None:
    assert parse_json(sent.encode()) == expected


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_what_is_nested_too_deeply_is_left_out(kind: str) -> None:
    for depth, whole in ((MAX_DEPTH, True), (MAX_DEPTH + 1, False), (600, False)):
        body = parse_json(f'{{"status": "Completed", "details": {nested(depth - 1, kind)}}}'.encode())
        assert body["status"] == "Completed"
        text = json.dumps(body)
        assert ("null" not in text) == whole
        assert text.count("[") + text.count("{") <= MAX_DEPTH
    assert parse_json(nested(200_000, kind).encode()) is NOT_JSON


# Answers that are none


@pytest.mark.parametrize("fault", ["not_json", "login_page", "empty"])
def test_no_json(sender: t.Any, fault: str) -> None:
    sender.sim.add_fault(fault)
    error = sender.fail()
    assert (error.kind, error.error_class, error.http_status) == ("api_error", ErrorClass.TRANSIENT, 200)
    assert error.message == "the response is not JSON"
    assert "check endpoint and proxy" in error.hint
    assert error.request_id
    assert "Sign in" not in str(error)


def test_json_of_another_shape_is_not_this_rooms_business(sender: t.Any) -> None:
    sender.sim.add_fault("wrong_shape", body=[1])
    assert sender.http().send(sender.request()).body == [1]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(sender: t.Any, status: int) -> None:
    """It is an error, and nothing is sent elsewhere, neither here nor to another host."""
    with Simulator() as other:
        for location in (f"{other.url}/v3/p/jobs?id=1", f"{sender.sim.url}/login", "/login", "//[bad", "gopher://x"):
            sender.sim.clear_faults()
            sender.sim.add_fault("redirect", status=status, location=location)
            sender.sim.clear_requests()
            error = sender.fail()
            assert (error.kind, error.error_class, error.http_status) == ("api_error", ErrorClass.FATAL, status)
            assert "Redirects are not followed" in str(error)
            assert len(sender.sim.requests()) == 1
        assert other.requests() == []


@pytest.mark.parametrize("how", [{}, {"chunked": True}, {"gzip": 1}, {"gzip": 1, "chunked": True}])
def test_huge(sender: t.Any, how: dict[str, bool]) -> None:
    sender.sim.add_fault("huge", **how)
    error = sender.fail()
    assert error.message == "the response is larger than 8 MiB"
    assert (error.error_class, error.http_status) == (ErrorClass.FATAL, 200)
    assert "Check endpoint" in error.hint


@pytest.mark.parametrize("layers", [2, 5])
def test_what_is_compressed_several_times_is_not_decompressed(sender: t.Any, layers: int) -> None:
    """A few kilobytes can become gigabytes."""
    sender.sim.add_fault("huge", size=256 * 1024 * 1024, gzip=layers)
    tracemalloc.start()
    error = sender.fail()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error.message == "the response is compressed in a way that was not asked for"
    assert (error.error_class, error.http_status) == (ErrorClass.TRANSIENT, 200)
    # The simulator's part is in it, too.
    assert most < 8 * MAX_BODY_BYTES


COMPRESSED = gzip.compress(b'{"a": 1}', mtime=0)


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (COMPRESSED, "gzip", None),
        (COMPRESSED, "X-GZip", None),
        (gzip.compress(b'{"a"', mtime=0) + gzip.compress(b": 1}", mtime=0), "gzip", None),
        (b'{"a": 1}', "identity", None),
        (COMPRESSED[:-9], "gzip", "the response was truncated or could not be decoded"),
        (COMPRESSED + b"more", "gzip", "the response was truncated or could not be decoded"),
        (b'{"a": 1}', "gzip", "the response was truncated or could not be decoded"),
        (b'{"a": 1}', "br", "the response is compressed in a way that was not asked for"),
        (b"", "gzip", "the response is not JSON"),
    ],
)
def test_compressed(sender: t.Any, raw_server: t.Any, body: bytes, encoding: str, message: str | None) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    server = raw_server((head % (encoding, len(body))).encode() + body)
    if message is None:
        assert sender.http().send(sender.request(url=server.url)).body == {"a": 1}
    else:
        error = sender.fail(url=server.url)
        assert (error.message, error.error_class) == (message, ErrorClass.TRANSIENT)


@pytest.mark.parametrize("how", [{}, {"gzip": 1}])
def test_just_not_huge(sender: t.Any, how: dict[str, bool]) -> None:
    around = len('{"padding": ""}')
    sender.sim.add_fault("huge", size=MAX_BODY_BYTES - around, **how)
    assert len(sender.http().send(sender.request()).body["padding"]) == MAX_BODY_BYTES - around


def test_huge_redirect_is_not_read(sender: t.Any, raw_server: t.Any) -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 20000000\r\nConnection: close\r\n\r\n"
    error = sender.fail(url=raw_server(head + b"x" * 20_000_000).url)
    assert error.message == "the response is larger than 8 MiB"


# Broken connections


@pytest.mark.parametrize("fault", ["reset", "close", "truncated"])
def test_broken(sender: t.Any, fault: str) -> None:
    sender.sim.add_fault(fault, first=1)
    http = sender.http()
    error = sender.fail(http)
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert error.http_status is None
    assert "Check endpoint, network and proxy" in str(error)
    assert_discreet(error)
    # The connection's end is no end of the client.
    assert http.send(sender.request()).http_status == 200


@pytest.mark.parametrize("fault", ["reset", "close"])
def test_broken_after_a_good_answer(sender: t.Any, fault: str) -> None:
    """A kept connection that the server has closed meanwhile is no answer."""
    http = sender.http()
    http.send(sender.request())
    sender.sim.add_fault(fault, first=1)
    assert http.send(sender.request()).http_status == 200
    first, second, third = (record["connection"] for record in sender.sim.requests())
    assert first == second != third


@pytest.mark.parametrize("fault", ["reset", "close"])
def test_a_new_connection_that_is_closed_is_an_error(sender: t.Any, fault: str) -> None:
    http = sender.http()
    http.send(sender.request())
    sender.sim.add_fault(fault, first=2)
    error = sender.fail(http)
    assert error.error_class is ErrorClass.TRANSIENT
    assert len(sender.sim.requests()) == 3
    assert http.send(sender.request()).http_status == 200


def test_a_reused_connection_that_breaks_in_mid_answer_is_an_error(sender: t.Any) -> None:
    http = sender.http()
    http.send(sender.request())
    sender.sim.add_fault("truncated", first=1)
    assert sender.fail(http).kind == "connection"
    assert len(sender.sim.requests()) == 2


def test_nothing_listens(sender: t.Any, closed_port: str) -> None:
    error = sender.fail(url=f"{closed_port}/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert error.message == "connection failed: Connection refused"
    assert_discreet(error)


def test_no_such_host(sender: t.Any) -> None:
    error = sender.fail(sender.http(request_timeout=5), url="http://no-such-host.invalid/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert_discreet(error)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\x01\x02",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
    ],
    ids=range(11),
)
def test_what_is_no_http(sender: t.Any, raw_server: t.Any, answer: bytes) -> None:
    error = sender.fail(url=f"{raw_server(answer).url}/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert_discreet(error)


def test_contradictory_headers(sender: t.Any, raw_server: t.Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}"
    error = sender.fail(url=f"{raw_server(head).url}/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert_discreet(error)


# Time limits


def timed(work: t.Callable[[], ApiError]) -> tuple[ApiError, float]:
    started = time.monotonic()
    error = work()
    return error, time.monotonic() - started


def test_no_answer_in_time(sender: t.Any) -> None:
    sender.sim.add_fault("hang")
    error, seconds = timed(lambda: t.cast(ApiError, sender.fail(sender.http(request_timeout=0.4))))
    assert (error.kind, error.error_class, error.http_status) == ("connection", ErrorClass.TRANSIENT, None)
    assert error.message.startswith("no response within ")
    assert 0.3 < seconds < 0.4 + SLACK
    assert_discreet(error)


def test_no_time_at_all(sender: t.Any) -> None:
    sender.sim.add_fault("hang")
    error, seconds = timed(lambda: t.cast(ApiError, sender.fail(sender.http(request_timeout=0.0))))
    assert error.message.startswith("no response within ")
    assert seconds < SLACK


def test_answer_that_stops_in_the_middle(sender: t.Any) -> None:
    """The head comes at once, the rest does not; that is no closed connection."""
    sender.sim.add_fault("drip", interval=30)
    error, seconds = timed(lambda: t.cast(ApiError, sender.fail(sender.http(request_timeout=0.4))))
    assert error.error_class is ErrorClass.TRANSIENT
    assert seconds < 0.4 + SLACK
    assert error.message.startswith("no response within ")


def test_slow_answer_is_an_answer(sender: t.Any) -> None:
    sender.sim.add_fault("slow", seconds=0.3)
    assert sender.http(request_timeout=10).send(sender.request()).http_status == 200


def test_limit_in_words(sender: t.Any) -> None:
    """Half a second is not 0 s."""
    sender.sim.add_fault("hang")
    assert "within 0 s" not in str(sender.fail(sender.http(request_timeout=0.4)))


# Credentials that are refused


def test_a_token_that_is_refused_is_sent_once(sender: t.Any) -> None:
    sender.sim.add_fault("expired_token")
    error = sender.fail()
    assert (error.kind, error.error_class) == ("unauthorized", ErrorClass.UNAUTHORIZED)
    assert (error.code, error.http_status) == ("APIGW.0307", 401)
    assert "iam_token" in error.hint
    assert len(sender.sim.requests()) == 1
    assert_discreet(error)


class Logins:
    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return self.tokens.pop(0)


def test_new_token_after_a_refusal(sender: t.Any) -> None:
    logins = Logins("expired", accounts.TOKEN)
    assert sender.http().send(sender.request(auth=PasswordAuth(logins))).http_status == 200
    assert [record["status"] for record in sender.sim.requests()] == [401, 200]
    assert logins.count == 2


def test_new_token_after_a_refusal_with_403(sender: t.Any) -> None:
    """TaurusDB refuses a bad token with HTTP 403."""
    sender.sim.add_fault("status", status=403, error_code="DBS.280056", first=1)
    logins = Logins(accounts.TOKEN, accounts.TOKEN)
    request = sender.request(auth=PasswordAuth(logins), codes=SERVICES["taurusdb"].codes)
    assert sender.http().send(request).http_status == 200
    assert logins.count == 2


def test_one_new_token_only(sender: t.Any) -> None:
    logins = Logins("wrong", "wrong too", accounts.TOKEN)
    error = sender.fail(auth=PasswordAuth(logins))
    assert error.kind == "unauthorized"
    assert "IAM gave a token, but the service refuses it" in str(error)
    assert len(sender.sim.requests()) == 2
    assert logins.count == 2
    assert_discreet(error)


def test_refused_without_credentials(sender: t.Any) -> None:
    error = sender.fail(auth=None)
    assert error.kind == "unauthorized"
    assert sender.sim.requests()[0]["auth"] == "none"


def test_signature(sender: t.Any) -> None:
    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, accounts.SECRET_KEY), accounts.PROJECT_ID)
    assert sender.http().send(sender.request(auth=auth)).http_status == 200
    assert sender.sim.requests()[0]["auth"] == "aksk"


def test_wrong_secret_key(sender: t.Any) -> None:
    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, "wrong"), accounts.PROJECT_ID)
    error = sender.fail(auth=auth)
    assert (error.kind, error.code) == ("unauthorized", "APIGW.0301")
    assert "Check access_key and secret_key" in str(error)
    assert "clock" not in str(error)
    assert len(sender.sim.requests()) == 1


@pytest.mark.parametrize(("skew", "side"), [(3600, "ahead of"), (-3600, "behind"), (1000, "ahead of")])
def test_wrong_clock(sender: t.Any, skew: int, side: str) -> None:
    """The vendor's signer in the simulator refuses the date; the message says how far the clock is off."""

    def now() -> float:
        return time.time() + skew

    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, accounts.SECRET_KEY), accounts.PROJECT_ID, now=now)
    error = sender.fail(sender.http(now=now), auth=auth)
    assert error.code == "APIGW.0303"
    assert f"s {side} the server's" in str(error)
    assert "Set the clock" in str(error)
    seconds = int(str(error).partition("clock is ")[2].partition(" s ")[0])
    assert abs(seconds - abs(skew)) <= 2


def test_small_skew_is_not_blamed(sender: t.Any) -> None:
    def now() -> float:
        return time.time() + 100

    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, "wrong"), now=now)
    assert "clock" not in str(sender.fail(sender.http(now=now), auth=auth))


def test_clock_is_not_blamed_for_a_token(sender: t.Any) -> None:
    http = sender.http(now=lambda: time.time() + 9999)
    assert "clock" not in str(sender.fail(http, auth=TokenAuth("wrong")))


@pytest.mark.parametrize("date", ["the day before yesterday", "", "Mon, 99 Jan 2026 00:00:00 GMT"])
def test_date_that_is_none(sender: t.Any, date: str) -> None:
    sender.sim.add_fault("bad_date", date=date)
    error = sender.fail(auth=KeyAuth(lambda: Key(accounts.ACCESS_KEY, "wrong")))
    assert "clock" not in str(error)
    assert error.kind == "unauthorized"


# Secrets that no header can carry

UNFIT = {
    "dash": "a-secret\u2026with-an-ellipsis",
    "line": "a-secret\nwith-a-line-break",
    "return": "a-secret\r\nX-Evil: 1",
    "null": "a-secret\0with-a-null",
    "surrogate": "a-secret\ud800",
}


@pytest.mark.parametrize("secret", UNFIT.values(), ids=UNFIT)
@pytest.mark.parametrize("way", ["token", "access_key", "security_token", "password"])
def test_secret_that_no_header_can_carry(sender: t.Any, way: str, secret: str) -> None:
    ways = {
        "token": TokenAuth(secret),
        "access_key": KeyAuth(lambda: Key(secret, "s")),
        "security_token": KeyAuth(lambda: Key("a", "s", secret)),
        "password": PasswordAuth(lambda: secret),
    }
    error = sender.fail(auth=ways[way])
    assert error.kind in ("connection", "unauthorized")
    assert error.error_class in (ErrorClass.FATAL, ErrorClass.UNAUTHORIZED)
    assert_discreet(error, "a-secret")


@pytest.mark.parametrize(
    "address",
    [
        "http://dds..example.com",
        "http://.example.com",
        f"http://{'a' * 64}.example.com",
        "http://dds example.com",
        "http://[::1",
        "http://*.example.com",
        "ftp://example.com",
        "http://",
    ],
)
def test_address_that_is_none(sender: t.Any, address: str) -> None:
    error = sender.fail(url=f"{address}/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.FATAL)
    assert "Check endpoint" in str(error)
    assert_discreet(error)


def test_a_query_is_sent_encoded_and_not_shown(sender: t.Any, raw_server: t.Any) -> None:
    server = raw_server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    error = sender.fail(url=f"{server.url}/jobs", query=[("name", "a b+ü/~"), ("id", "1")])
    assert server.received[0].startswith(b"GET /jobs?id=1&name=a%20b%2B%C3%BC%2F~ HTTP")
    assert_discreet(error, "%2B")


# TLS


class Tls(t.NamedTuple):
    sim: Simulator
    ca_path: str
    url: str


@pytest.fixture(name="authority", scope="session")
def fixture_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="tls", scope="module")
def fixture_tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_path))
    with Simulator(ssl_context=context) as sim:
        task = sim.add_task("dds")
        yield Tls(sim, str(ca_path), f"{sim.endpoint('dds')}/v3/{accounts.PROJECT_ID}/jobs?id={task['task_id']}")


def ask_tls(tls: Tls, verify: bool | str, url: str | None = None) -> Response:
    http = HttpClient(new_session(), request_timeout=10, verify=verify)
    return http.send(Request("GET", url or tls.url, "Cannot read it", auth=TokenAuth(accounts.TOKEN)))


def assert_untrusted(error: ApiError) -> None:
    assert (error.kind, error.error_class) == ("connection", ErrorClass.FATAL)
    assert error.message == "the server's certificate is not trusted"
    assert "ca_path" in error.hint
    assert_discreet(error)


@pytest.fixture(name="other_ca")
def fixture_other_ca(tmp_path: Path) -> str:
    path = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return str(path)


def test_tls_untrusted(tls: Tls) -> None:
    tls.sim.clear_requests()
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, True)
    assert_untrusted(caught.value)
    assert tls.sim.requests() == []


def test_tls_with_the_authority(tls: Tls) -> None:
    assert ask_tls(tls, tls.ca_path).http_status == 200


def test_tls_with_another_authority(tls: Tls, other_ca: str) -> None:
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, other_ca)
    assert_untrusted(caught.value)


def test_tls_of_another_host(tls: Tls) -> None:
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, tls.ca_path, tls.url.replace("127.0.0.1", "localhost"))
    assert_untrusted(caught.value)


@pytest.mark.filterwarnings("error")
def test_tls_unverified(tls: Tls) -> None:
    assert ask_tls(tls, False).http_status == 200


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_tls_environment(tls: Tls, other_ca: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller says wins; otherwise the variable counts."""
    monkeypatch.setenv(variable, tls.ca_path)
    assert ask_tls(tls, True).http_status == 200
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, other_ca)
    assert_untrusted(caught.value)
    monkeypatch.setenv(variable, other_ca)
    assert ask_tls(tls, tls.ca_path).http_status == 200
    assert ask_tls(tls, False).http_status == 200
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, True)
    assert_untrusted(caught.value)


def test_tls_without_a_file(tls: Tls, tmp_path: Path) -> None:
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, str(tmp_path / "missing.pem"))
    assert (caught.value.kind, caught.value.error_class) == ("connection", ErrorClass.FATAL)


def test_tls_with_a_file_that_is_no_authority(tls: Tls, tmp_path: Path) -> None:
    path = tmp_path / "no.pem"
    path.write_text("no certificate")
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, str(path))
    assert (caught.value.kind, caught.value.error_class) == ("connection", ErrorClass.FATAL)
    assert_discreet(caught.value)


def test_https_to_a_port_that_speaks_http(sender: t.Any) -> None:
    error = sender.fail(url=sender.url.replace("http://", "https://"))
    assert error.kind == "connection"
    assert_discreet(error)


def test_http_to_a_port_that_speaks_tls(tls: Tls) -> None:
    with pytest.raises(ApiError) as caught:
        ask_tls(tls, True, tls.url.replace("https://", "http://"))
    assert caught.value.kind in ("connection", "api_error")
    assert_discreet(caught.value)


# The environment


def test_proxy(sender: t.Any, raw_server: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the environment is asked for any host; it is told no other secret than the request's own."""
    proxy = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    monkeypatch.setenv("http_proxy", proxy.url)
    sender.http().send(sender.request(url="http://dds.invalid/v3/p/jobs?id=1"))
    [received] = proxy.received
    assert received.startswith(b"GET http://dds.invalid/v3/p/jobs?id=1 HTTP/1.1\r\n")


def test_no_proxy(sender: t.Any, closed_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port)
    monkeypatch.setenv("no_proxy", "dds.invalid")
    error = sender.fail(url="http://dds.invalid/v3/p/jobs?id=1")
    assert "proxy" not in error.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_never_asked_through_a_proxy(
    sender: t.Any, raw_server: t.Any, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    proxy = raw_server(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, proxy.url)
    url = sender.url.replace("127.0.0.1", host)
    try:
        assert sender.http().send(sender.request(url=url)).http_status == 200
    except ApiError as error:
        assert ":" in host and "connection failed" in error.message
    assert proxy.received == []


def test_proxy_is_not_asked_without_the_environment(
    sender: t.Any, raw_server: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the metadata address."""
    proxy = raw_server(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, proxy.url)
    url = "http://dds.invalid/v3/p/jobs?id=1"
    assert sender.fail(sender.http(trust_env=False), url=url).http_status is None
    assert proxy.received == []
    assert sender.fail(url=url).http_status == 500


def test_proxy_that_is_not_there(sender: t.Any, closed_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port.replace("http://", "http://user:proxy-secret@"))
    error = sender.fail(url="http://dds.invalid/v3/p/jobs?id=1")
    assert (error.kind, error.error_class) == ("connection", ErrorClass.TRANSIENT)
    assert error.message == "the proxy could not be reached"
    assert_discreet(error, "proxy-secret")


@pytest.mark.parametrize("proxy", ["nonsense://x:1", "http://", "http://:99999", "http://a..b:1"])
def test_proxy_that_is_none(sender: t.Any, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    error = sender.fail(url="http://dds.invalid/v3/p/jobs?id=1")
    assert error.kind == "connection"
    assert "proxy" in str(error)
    assert_discreet(error)


def test_netrc_is_not_read(sender: t.Any, raw_server: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password netrc-secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    http = sender.http()
    for auth in (None, TokenAuth("a token")):
        http.send(sender.request(url=server.url, auth=auth))
    assert len(server.received) == 2
    assert b"authorization" not in b"".join(server.received).lower()


def test_nothing_of_the_environment_is_changed(sender: t.Any) -> None:
    before = dict(os.environ)
    sender.http().send(sender.request())
    assert dict(os.environ) == before
