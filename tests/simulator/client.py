# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests which the tests of the simulator send, over real sockets."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from . import Simulator, accounts
from .identity import Key

TOKEN = {"X-Auth-Token": accounts.TOKEN}
JOB = f"/v3/{accounts.PROJECT_ID}/jobs"


def get(url: str, headers: dict[str, str] | None = None, **more: Any) -> requests.Response:
    """GET with the demo token, without following redirects."""
    sent = TOKEN if headers is None else headers
    return requests.get(url, headers=sent, timeout=more.pop("timeout", 5), allow_redirects=False, **more)


def task_url(sim: Simulator, task: dict[str, str], query: bool = True) -> str:
    """Where to ask for a task."""
    base = sim.endpoint(task["service"])
    project, instance, name = task["project_id"], task["instance_id"], task["task_name"]
    if task["service"] == "kafka":
        return f"{base}/v2/{project}/instances/{instance}/tasks/{task['task_id']}"
    if task["service"] == "taurusdb_restore":
        asked = f"?job_id={task['task_id']}&job_name={name}" if query else ""
        return f"{base}/v3/{project}/instances/{instance}/task-center-detail{asked}"
    return f"{base}/v3/{project}/jobs?id={task['task_id']}"


def ask(sim: Simulator, task: dict[str, str], **more: Any) -> requests.Response:
    """Ask for a task."""
    return get(task_url(sim, task), **more)


def error_code(response: requests.Response) -> str:
    """The code of an error response."""
    return str(response.json()["error_code"])


def course(poll: Callable[[], Any], last: Callable[[Any], bool]) -> list[Any]:
    """What one sees, without repetitions, until the last thing is seen."""
    seen: list[Any] = []
    end = time.monotonic() + 20
    while not seen or not last(seen[-1]):
        assert time.monotonic() < end, seen
        now = poll()
        seen += [now] if not seen or seen[-1] != now else []
        time.sleep(0.02)
    return seen


def login(sim: Simulator, scope: Any = None, **user: Any) -> requests.Response:
    """Ask IAM for a token."""
    who = {"name": accounts.USERNAME, "password": accounts.PASSWORD, "domain": {"name": accounts.DOMAIN_NAME}, **user}
    project = {"id": accounts.PROJECT_ID} if scope is None else scope
    auth = {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": {"project": project}}
    return requests.post(f"{sim.endpoint('iam')}/v3/auth/tokens?nocatalog=true", json={"auth": auth}, timeout=5)


def signed_headers(
    url: str, ak: str = accounts.ACCESS_KEY, sk: str = accounts.SECRET_KEY, headers: dict[str, str] | None = None
) -> dict[str, str]:
    """The headers of a GET as the vendor's own signer makes them."""
    signer = pytest.importorskip("huaweicloudsdkcore.signer.signer")
    request = pytest.importorskip("huaweicloudsdkcore.sdk_request").SdkRequest
    found = re.fullmatch(r"http://([^/]+)([^?]*)\??(.*)", url)
    assert found
    pairs = [tuple(part.split("=")) for part in found[3].split("&") if part]
    made = request("GET", "http", found[1], found[2], None, pairs, dict(headers or {}), b"")
    return dict(signer.Signer(Key(ak, sk)).sign(made).header_params)
