# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module iam_token."""

from __future__ import annotations

import typing as t
from unittest.mock import Mock

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import Token
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import TaskClient
from ansible_collections.huaweicloud.tasks.plugins.modules import iam_token
from simulator import Simulator, accounts

KEYS = {"token", "expires_at", "issued_at", "project_id", "failure"}
LOGIN = {"username": accounts.USERNAME, "password": accounts.PASSWORD, "domain_name": accounts.DOMAIN_NAME}


@pytest.mark.parametrize("source", [{"region": accounts.REGION}, {"project_id": accounts.PROJECT_ID}])
def test_token(run_module: t.Any, sim: Simulator, source: dict[str, str]) -> None:
    """It is returned as it is, and serves the other modules."""
    outcome = run_module("iam_token", iam_endpoint=sim.endpoint("iam"), **source, **LOGIN)
    result = outcome.result
    assert set(result) - {"invocation"} == KEYS
    assert result["project_id"] == accounts.PROJECT_ID
    assert result["expires_at"] > result["issued_at"]
    assert accounts.PASSWORD not in outcome.output
    task = sim.add_task("dds")
    given = {"endpoint": sim.endpoint("dds"), "project_id": result["project_id"], "auth_token": result["token"]}
    assert run_module("dds_task_info", task_id=task["task_id"], **given).result["task"]["id"] == task["task_id"]


def test_without_expires_at(run_module: t.Any, sim: Simulator) -> None:
    sim.change_accounts(omit_expires_at=True)
    result = run_module("iam_token", iam_endpoint=sim.endpoint("iam"), region=accounts.REGION, **LOGIN).result
    assert result["expires_at"] is None
    assert result["token"]


def test_check_mode(run_module: t.Any, sim: Simulator) -> None:
    """No token is asked for."""
    given = {"iam_endpoint": sim.endpoint("iam"), "project_id": "p", **LOGIN}
    result = run_module("iam_token", check_mode=True, **given).result
    assert {name: result[name] for name in KEYS} == {
        "token": None,
        "expires_at": None,
        "issued_at": None,
        "project_id": "p",
        "failure": None,
    }
    assert sim.requests() == []


def test_wrong_password(run_module: t.Any, sim: Simulator) -> None:
    given = {**LOGIN, "password": "not-the-right-one"}
    result = run_module.fail("iam_token", iam_endpoint=sim.endpoint("iam"), region=accounts.REGION, **given)
    assert result["failure"]["kind"] == "unauthorized"
    assert result["failure"]["http_status"] == 401
    assert "The username or password is wrong (request id" in result["msg"]
    assert set(result["failure"]) == {"kind", "code", "message", "http_status", "request_id"}
    assert {name: result[name] for name in KEYS - {"failure"}} == dict.fromkeys(KEYS - {"failure"})
    assert "error" not in result
    assert "not-the-right-one" not in str(result)
    assert len(sim.requests()) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"auth_token": "a-token-of-no-use"}, "only, but a token took precedence"),
        ({"access_key": "a-key-of-no-use", "secret_key": "a-secret-of-no-use"}, "but an access key took precedence"),
        ({"username": "u"}, "username is given without password and domain_name."),
        ({**LOGIN, "region": None}, "set project_id or region"),
        ({**LOGIN, "iam_endpoint": None, "region": "mars-1"}, "Set iam_endpoint"),
        ({**LOGIN, "iam_endpoint": "http://iam.example.com"}, "iam_endpoint is an http:// address"),
    ],
)
def test_mistakes(run_module: t.Any, sim: Simulator, given: dict[str, t.Any], message: str) -> None:
    source = {"iam_endpoint": sim.endpoint("iam"), "region": accounts.REGION}
    result = run_module.fail("iam_token", **{**source, **given})
    assert message in result["msg"]
    assert sim.requests() == []


def test_run() -> None:
    client = Mock(spec=TaskClient)
    client.login.return_value = Token("v", "e", "i", "p")
    result = iam_token.run({"project_id": None}, client, check_mode=False)
    assert result == {"token": "v", "expires_at": "e", "issued_at": "i", "project_id": "p", "failure": None}
    assert iam_token.run({"project_id": None}, client, check_mode=True)["token"] is None
    client.login.assert_called_once_with()
