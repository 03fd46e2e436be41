# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens, project ids and agency keys, from the simulator."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _auth
from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import Key, KeyAuth, TokenAuth
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass, InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._http import HttpClient, new_session
from simulator import Simulator, accounts

CREDENTIALS = {
    "username": accounts.USERNAME,
    "password": accounts.PASSWORD,
    "domain_name": accounts.DOMAIN_NAME,
}
SLACK = 2.0


@pytest.fixture(name="http")
def fixture_http() -> HttpClient:
    return HttpClient(new_session(), request_timeout=10)


def login(http: HttpClient, sim: Simulator, **given: t.Any) -> _auth.Token:
    source = {"project_id": None, "region": accounts.REGION, **given}
    return _auth.login(http, sim.endpoint("iam"), source.pop("credentials", CREDENTIALS), **source)


class Bodies:
    """Keeps the JSON that it was sent, and answers with a token."""

    def __init__(self, raw_server: t.Any) -> None:
        head = b"HTTP/1.1 201 Created\r\nX-Subject-Token: t\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        self.server = raw_server(head)

    def sent(self) -> tuple[str, t.Any]:
        head, dummy, body = self.server.received[0].partition(b"\r\n\r\n")
        return head.decode(), json.loads(body)


# Tokens


@pytest.mark.parametrize(
    ("source", "scope"),
    [
        ({"project_id": "p", "region": None}, {"project": {"id": "p"}}),
        ({"project_id": "p", "region": "r"}, {"project": {"id": "p"}}),
        ({"project_id": None, "region": "r"}, {"project": {"name": "r", "domain": {"name": "the domain"}}}),
    ],
)
def test_what_is_sent(http: HttpClient, raw_server: t.Any, source: t.Any, scope: t.Any) -> None:
    bodies = Bodies(raw_server)
    credentials = {"username": "ü", "password": 'p"\\ä', "domain_name": "the domain"}
    _auth.login(http, bodies.server.url, credentials, **source)
    head, body = bodies.sent()
    assert head.startswith("POST /v3/auth/tokens?nocatalog=true HTTP/1.1\r\n")
    assert "application/json" in head
    user = {"name": "ü", "password": 'p"\\ä', "domain": {"name": "the domain"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    assert body == {"auth": {"identity": identity, "scope": scope}}


@pytest.mark.parametrize("source", [{}, {"project_id": accounts.PROJECT_ID, "region": None}], ids=("name", "id"))
def test_token(http: HttpClient, sim: Simulator, source: t.Any) -> None:
    token = login(http, sim, **source)
    assert token.value.startswith("MIISimulatorIssued-")
    assert token.project_id == accounts.PROJECT_ID
    assert token.expires_at is not None and token.expires_at.endswith("Z")
    assert token.issued_at is not None
    assert token.expires_at > token.issued_at
    assert token.value not in repr(token)
    [record] = sim.requests()
    assert (record["method"], record["auth"], record["query"]) == ("POST", "password", {"nocatalog": "true"})


def test_token_of_another_region(http: HttpClient, sim: Simulator) -> None:
    assert login(http, sim, region=accounts.OTHER_REGION).project_id == accounts.OTHER_PROJECT_ID


def test_no_place_for_a_token(http: HttpClient, sim: Simulator) -> None:
    with pytest.raises(InputError, match="set project_id or region"):
        login(http, sim, region=None)
    assert sim.requests() == []


@pytest.mark.parametrize("wrong", ["username", "password", "domain_name"])
def test_wrong_password(http: HttpClient, sim: Simulator, wrong: str) -> None:
    with pytest.raises(ApiError) as caught:
        login(http, sim, credentials={**CREDENTIALS, wrong: "not-the-right-one"})
    error = caught.value
    # IAM's code is the number of the HTTP status; it is said once.
    assert (error.kind, error.error_class, error.code) == ("unauthorized", ErrorClass.UNAUTHORIZED, "401")
    assert "HTTP 401: The username or password is wrong (request id" in str(error)
    assert "Check username, password and domain_name, and region or project_id." in str(error)
    assert "Cannot get a token (POST " in str(error)
    assert "not-the-right-one" not in str(error)
    assert "nocatalog" not in str(error)
    assert len(sim.requests()) == 1


def test_unknown_project(http: HttpClient, sim: Simulator) -> None:
    with pytest.raises(ApiError) as caught:
        login(http, sim, project_id="0" * 32)
    assert caught.value.kind == "unauthorized"
    assert "and region or project_id." in str(caught.value)


def test_token_without_the_header(http: HttpClient, sim: Simulator) -> None:
    sim.change_accounts(omit_subject_token=True)
    with pytest.raises(ApiError) as caught:
        login(http, sim)
    assert caught.value.message == "the response has no token in its header X-Subject-Token"
    assert (caught.value.kind, caught.value.http_status) == ("api_error", 201)


def test_token_without_expires_at(http: HttpClient, sim: Simulator) -> None:
    sim.change_accounts(omit_expires_at=True)
    token = login(http, sim)
    assert token.expires_at is None
    assert token.value


@pytest.mark.parametrize("fault", ["redirect", "login_page", "reset", "throttle", "huge"])
def test_token_in_bad_weather(http: HttpClient, sim: Simulator, fault: str) -> None:
    sim.add_fault(fault, service="iam")
    with pytest.raises(ApiError) as caught:
        login(http, sim)
    assert accounts.PASSWORD not in f"{caught.value} {caught.value.to_result()}"
    assert len(sim.requests()) == 1


# Projects


def find(http: HttpClient, sim: Simulator, region: str = accounts.REGION) -> str:
    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, accounts.SECRET_KEY))
    return _auth.find_project(http, sim.endpoint("iam"), auth, region)


def test_project(http: HttpClient, sim: Simulator) -> None:
    assert find(http, sim) == accounts.PROJECT_ID
    assert find(http, sim, accounts.OTHER_REGION) == accounts.OTHER_PROJECT_ID
    assert [record["query"] for record in sim.requests()] == [
        {"name": accounts.REGION},
        {"name": accounts.OTHER_REGION},
    ]


def test_project_by_token(http: HttpClient, sim: Simulator) -> None:
    found = _auth.find_project(http, sim.endpoint("iam"), TokenAuth(accounts.TOKEN), accounts.REGION)
    assert found == accounts.PROJECT_ID


def test_no_project(http: HttpClient, sim: Simulator) -> None:
    with pytest.raises(ApiError) as caught:
        find(http, sim, "mars-1")
    error = caught.value
    assert (error.kind, error.error_class) == ("api_error", ErrorClass.FATAL)
    assert error.message == "found no project named mars-1"
    assert str(error).endswith("Check region, or set project_id.")


def test_several_projects(http: HttpClient, sim: Simulator) -> None:
    """They are listed, so that the user can choose one."""
    sim.change_accounts(projects=[{"id": "id-1", "name": accounts.REGION}, {"id": "id-2", "name": accounts.REGION}])
    with pytest.raises(ApiError) as caught:
        find(http, sim)
    assert caught.value.error_class is ErrorClass.FATAL
    assert caught.value.message == f"found 2 projects: {accounts.REGION} (id-1), {accounts.REGION} (id-2)"
    assert "Set project_id" in str(caught.value)


@pytest.mark.parametrize(
    "body", [[], {}, {"projects": None}, {"projects": {}}, "null", {"items": []}, {"projects": "text"}]
)
def test_projects_of_another_shape(http: HttpClient, sim: Simulator, body: t.Any) -> None:
    sim.add_fault("status", status=200, body=body)
    with pytest.raises(ApiError) as caught:
        find(http, sim)
    assert caught.value.error_class is ErrorClass.TRANSIENT


@pytest.mark.parametrize("entries", [[None], ["x"], [1], [{}], [{"id": None}], [{"id": ""}], [[]]])
def test_projects_without_ids(http: HttpClient, sim: Simulator, entries: t.Any) -> None:
    sim.add_fault("status", status=200, body={"projects": entries})
    with pytest.raises(ApiError, match=r"found 1 project: "):
        find(http, sim)


def test_project_look_up_is_refused(http: HttpClient, sim: Simulator) -> None:
    auth = KeyAuth(lambda: Key(accounts.ACCESS_KEY, "wrong"))
    with pytest.raises(ApiError) as caught:
        _auth.find_project(http, sim.endpoint("iam"), auth, accounts.REGION)
    assert caught.value.kind == "unauthorized"
    assert f"Cannot look up the project of region {accounts.REGION}" in str(caught.value)


def test_project_look_up_in_time(sim: Simulator) -> None:
    http = HttpClient(new_session(), request_timeout=0.4)
    sim.add_fault("hang", service="iam")
    started = time.monotonic()
    with pytest.raises(ApiError, match="no response within"):
        _auth.find_project(http, sim.endpoint("iam"), TokenAuth(accounts.TOKEN), accounts.REGION)
    assert time.monotonic() - started < 0.4 + SLACK


# Agency keys


@pytest.fixture(name="metadata")
def fixture_metadata() -> Iterator[HttpClient]:
    yield HttpClient(new_session(trust_env=False), request_timeout=2)


def test_agency_key_with_the_token_step(metadata: HttpClient, sim: Simulator) -> None:
    sim.change_accounts(metadata_expires_in=3600)
    key = _auth.fetch_agency_key(metadata, sim.endpoint("metadata"))
    assert key.access_key == accounts.TEMPORARY_ACCESS_KEY
    assert key.secret_key == accounts.TEMPORARY_SECRET_KEY
    assert key.security_token == accounts.SECURITY_TOKEN
    assert key.expires_at is not None
    assert abs(key.expires_at - time.time() - 3600) < 60
    assert [(record["method"], record["status"]) for record in sim.requests()] == [("PUT", 200), ("GET", 200)]


def test_agency_key_without_the_token_step(metadata: HttpClient, sim: Simulator) -> None:
    sim.change_accounts(metadata="imdsv1")
    assert _auth.fetch_agency_key(metadata, sim.endpoint("metadata")).access_key == accounts.TEMPORARY_ACCESS_KEY
    assert [(record["method"], record["status"]) for record in sim.requests()] == [("PUT", 404), ("GET", 200)]


@pytest.mark.parametrize("status", [404, 405, 503])
def test_older_hosts_have_no_token_step(metadata: HttpClient, sim: Simulator, status: int) -> None:
    sim.change_accounts(metadata="imdsv1")
    sim.add_fault("status", status=status, body="no", method="PUT")
    assert _auth.fetch_agency_key(metadata, sim.endpoint("metadata")).access_key == accounts.TEMPORARY_ACCESS_KEY


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 302])
def test_token_step_that_fails(metadata: HttpClient, sim: Simulator, status: int) -> None:
    sim.add_fault("status", status=status, body="no", method="PUT")
    with pytest.raises(ApiError) as caught:
        _auth.fetch_agency_key(metadata, sim.endpoint("metadata"))
    assert caught.value.http_status == status
    assert len(sim.requests()) == 1


def test_no_agency(metadata: HttpClient, sim: Simulator) -> None:
    sim.change_accounts(metadata="no_agency")
    with pytest.raises(ApiError) as caught:
        _auth.fetch_agency_key(metadata, sim.endpoint("metadata"))
    assert caught.value.http_status == 401
    assert "password" not in str(caught.value)


def test_no_metadata_service(metadata: HttpClient, closed_port: str) -> None:
    """It answers at once."""
    started = time.monotonic()
    with pytest.raises(ApiError) as caught:
        _auth.fetch_agency_key(metadata, closed_port)
    assert time.monotonic() - started < SLACK
    assert caught.value.kind == "connection"


def test_metadata_service_that_hangs(sim: Simulator) -> None:
    http = HttpClient(new_session(trust_env=False), request_timeout=0.4)
    sim.add_fault("hang", service="metadata")
    started = time.monotonic()
    with pytest.raises(ApiError):
        _auth.fetch_agency_key(http, sim.endpoint("metadata"))
    assert time.monotonic() - started < 0.4 + SLACK


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"credential": None},
        {"credential": {}},
        {"credential": {"access": "a"}},
        {"credential": {"secret": "s"}},
        {"credential": {"access": "", "secret": ""}},
        "null",
        "<html></html>",
    ],
)
def test_no_key_in_the_answer(metadata: HttpClient, sim: Simulator, body: t.Any) -> None:
    sim.add_fault("status", status=200, body=body, method="GET")
    with pytest.raises(ApiError) as caught:
        _auth.fetch_agency_key(metadata, sim.endpoint("metadata"))
    assert caught.value.error_class is ErrorClass.TRANSIENT


@pytest.mark.parametrize(
    ("expires_at", "seconds"),
    [
        ("2026-01-31T10:00:00.123000Z", 1769853600.0),
        ("2026-01-31T10:00:00Z", 1769853600.0),
        ("soon", None),
        ("", None),
        (None, None),
        (17, None),
        ("2026-02-30T10:00:00Z", None),
    ],
)
def test_end_of_a_key(metadata: HttpClient, sim: Simulator, expires_at: t.Any, seconds: float | None) -> None:
    credential = {"access": "a", "secret": "s", "securitytoken": "t", "expires_at": expires_at}
    sim.add_fault("status", status=200, body={"credential": credential}, method="GET")
    assert _auth.fetch_agency_key(metadata, sim.endpoint("metadata")) == Key("a", "s", "t", seconds)


def test_metadata_is_not_asked_through_a_proxy(
    metadata: HttpClient, sim: Simulator, closed_port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", closed_port)
    monkeypatch.setenv("HTTP_PROXY", closed_port)
    assert _auth.fetch_agency_key(metadata, sim.endpoint("metadata")).access_key


def test_metadata_address() -> None:
    assert _auth.METADATA_ENDPOINT == "http://169.254.169.254"
