# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API a path belongs to. Every API is served at the root and below the name of its service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

PREFIXES = ("taurusdb", "dds", "kafka", "iam", "metadata")


@dataclass(frozen=True)
class Route:
    """One API: where it is served and which services it may speak for."""

    api: str
    method: str
    pattern: re.Pattern[str]
    services: dict[str, str]


@dataclass(frozen=True)
class Call:
    """A request matched to an API; ids are empty where the API has none."""

    api: str
    services: tuple[str, ...]
    project_id: str = ""
    instance_id: str = ""
    task_id: str = ""


PROJECT = r"(?P<project_id>[^/]+)"
INSTANCE = r"instances/(?P<instance_id>[^/]+)"

ROUTES = (
    Route("jobs", "GET", re.compile(rf"/v3/{PROJECT}/jobs"), {"taurusdb": "taurusdb", "dds": "dds"}),
    Route("restore", "GET", re.compile(rf"/v3/{PROJECT}/{INSTANCE}/task-center-detail"),
          {"taurusdb": "taurusdb_restore"}),
    Route("kafka", "GET", re.compile(rf"/v2/{PROJECT}/{INSTANCE}/tasks/(?P<task_id>[^/]+)"), {"kafka": "kafka"}),
    Route("token", "POST", re.compile(r"/v3/auth/tokens"), {"iam": "iam"}),
    Route("projects", "GET", re.compile(r"/v3/projects"), {"iam": "iam"}),
    Route("metadata_token", "PUT", re.compile(r"/meta-data/latest/api/token"), {"metadata": "metadata"}),
    Route("securitykey", "GET", re.compile(r"/openstack/latest/securitykey"), {"metadata": "metadata"}),
)


def split_prefix(path: str) -> tuple[str, str]:
    """The service a path starts with, or an empty string, and the rest of the path."""
    first, slash, rest = path[1:].partition("/")
    return (first, slash + rest) if first in PREFIXES else ("", path)


def match(method: str, path: str, query: dict[str, str]) -> Call | None:
    """The call a request makes, or None where no such API exists."""
    prefix, rest = split_prefix(path)
    for route in ROUTES:
        found = route.pattern.fullmatch(rest)
        if found is None or route.method != method or (prefix and prefix not in route.services):
            continue
        services = (route.services[prefix],) if prefix else tuple(route.services.values())
        ids = {name: unquote(value) for name, value in found.groupdict().items()}
        ids.setdefault("task_id", query.get("id" if route.api == "jobs" else "job_id", ""))
        return Call(route.api, services, **ids)
    return None
