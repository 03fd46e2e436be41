# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API pages' own examples, and answers of IAM: each file says what came over the wire, and what to make of it."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _auth, _http
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import MODULE_SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef
from simulator import Simulator

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FILES = sorted(FIXTURES.glob("*/*.json"))
KEYS = {"service", "about", "ref", "http_status", "headers", "body", "expect"}
CREDENTIALS = {"username": "someone", "password": "a password", "domain_name": "example"}


def load(path: Path) -> dict[str, t.Any]:
    value: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def ask(record: dict[str, t.Any], sim: Simulator, cloud: t.Any) -> dict[str, t.Any]:
    """What is read out of the recorded answer, sent over a real connection."""
    service = record["service"]
    body = record["body"] if isinstance(record["body"], str) else json.dumps(record["body"])
    sim.add_fault("status", status=record["http_status"], body=body, headers=record.get("headers", {}))
    if service == "iam":
        http = _http.HttpClient(_http.new_session(), request_timeout=10)
        source = {"region": None, "project_id": None, **record["ref"]}
        token = _auth.login(http, sim.endpoint("iam"), CREDENTIALS, **source)
        return {name: getattr(token, name) for name in ("value", "expires_at", "issued_at", "project_id")}
    response = cloud.by_token(service)._get(TaskRef(service, **record["ref"]))
    # Of half a letter nothing is left, as Ansible refuses a result that holds one.
    assert json.dumps(response.body) == json.dumps(record["body"]).replace(r"\ud800", r"\ufffd")
    assert response.task is not None
    result: dict[str, t.Any] = response.task.to_dict()
    return result


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_recorded_answer(path: Path, sim: Simulator, cloud: t.Any) -> None:
    record = load(path)
    expected = record["expect"]
    if "error" not in expected:
        result = ask(record, sim, cloud)
        assert {name: result[name] for name in expected} == expected
        return
    with pytest.raises(ApiError) as caught:
        ask(record, sim, cloud)
    error = caught.value
    found = dict(error.to_failure(), error_class=error.error_class.value)
    assert {name: found[name] for name in expected["error"]} == expected["error"]
    assert error.http_status == record["http_status"]
    assert error.request_id
    assert f"HTTP {error.http_status}" in str(error)
    assert error.hint
    assert len(str(error)) < 800
    assert str(error).isprintable()


def test_every_file_is_complete() -> None:
    for path in FILES:
        record = load(path)
        assert KEYS - {"headers"} <= set(record) <= KEYS, path
        assert record["service"] == path.parent.name
        assert record["about"].endswith(".")
        assert record["expect"]
        if "error" in record["expect"]:
            assert {"kind", "code", "error_class"} <= set(record["expect"]["error"])


@pytest.mark.parametrize("service", MODULE_SERVICES)
def test_every_api_page_has_its_example(service: str) -> None:
    assert [path for path in FILES if path.parent.name == service]
