# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API a path belongs to. Every API is served at the root and below the name of its service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class Route:
    """One API: where it is served and which services it may speak for, by their prefix.

    `key` is the parameter of the query that has the task's id, where the path has none. `own` is for an API that shares
    its path with others: it is served below its prefix only, and without an id.
    """

    api: str
    method: str
    pattern: re.Pattern[str]
    services: dict[str, str]
    key: str = ""
    own: bool = False


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
TASK = r"(?P<task_id>[^/]+)"


def route(
    api: str, method: str, pattern: str, *services: str, key: str = "", own: bool = False, **renamed: str
) -> Route:
    """A route; most services bear the name of their prefix."""
    return Route(api, method, re.compile(pattern), {**dict(zip(services, services)), **renamed}, key, own)


ROUTES = (
    route("jobs_list", "GET", rf"/v3/{PROJECT}/jobs", "geminidb", own=True),
    route("list", "GET", rf"/v3/{PROJECT}/jobs", "ddm", own=True),
    route("jobs_list", "GET", rf"/v3/{PROJECT}/immediate-jobs", "taurusdb"),
    route("jobs_list", "GET", rf"/v3\.1/{PROJECT}/jobs", "dds"),
    route("jobs_list", "GET", rf"/v3/{PROJECT}/tasklist", "rds"),
    route("jobs_list", "GET", rf"/v3/{PROJECT}/tasks", "gaussdb"),
    route("kafka_list", "GET", rf"/v2/{PROJECT}/{INSTANCE}/tasks", "kafka", "rabbitmq", "rocketmq"),
    route("list", "GET", rf"/v3/{PROJECT}/elb/jobs", "elb"),
    route("list", "GET", rf"/v3/{PROJECT}/operation-logs", "cbr"),
    route("jobs", "GET", rf"/v3/{PROJECT}/jobs", "taurusdb", "dds", "rds", "gaussdb", "geminidb", key="id"),
    route("restore", "GET", rf"/v3/{PROJECT}/{INSTANCE}/task-center-detail", taurusdb="taurusdb_restore", key="job_id"),
    route("kafka", "GET", rf"/v2/{PROJECT}/{INSTANCE}/tasks/{TASK}", "kafka", "rabbitmq", "rocketmq"),
    route("job", "GET", rf"/v1/{PROJECT}/jobs/{TASK}", "ecs", "evs", "bms", "eip", "sdrs", "ims"),
    route("job", "GET", rf"/v1/cloudimages/job/{TASK}", "ims"),
    route("job", "GET", rf"/v3/{PROJECT}/jobs/{TASK}", "ddm", "cfw"),
    route("job", "GET", rf"/v2/{PROJECT}/jobs/{TASK}", "dcs"),
    route("job", "GET", rf"/v2/{PROJECT}/enginemgr/engines/(?P<instance_id>[^/]+)/jobs/{TASK}", "cse"),
    route("job", "GET", rf"/v1/{PROJECT}/cloud-phone/jobs/{TASK}", "cph"),
    route("job", "GET", rf"/api/v3/projects/{PROJECT}/jobs/{TASK}", "cce"),
    route("job", "GET", rf"/autopilot/v3/projects/{PROJECT}/jobs/{TASK}", "cce_autopilot"),
    route("job", "GET", rf"/v3/{PROJECT}/elb/jobs/{TASK}", "elb"),
    route("job", "GET", rf"/v3/{PROJECT}/operation-logs/{TASK}", "cbr"),
    route("job", "GET", rf"/v1/{PROJECT}/sfs-turbo/jobs/{TASK}", "sfs_turbo"),
    route("job", "GET", rf"/v1\.0/{PROJECT}/job/{TASK}", "dws"),
    route("resource", "GET", rf"/v1/{PROJECT}/cloudservers/{TASK}", ecs="ecs_server"),
    route("resource", "GET", rf"/v2/{PROJECT}/cloudvolumes/{TASK}", evs="evs_volume"),
    route("resource", "GET", rf"/v3/{PROJECT}/instances/{TASK}", taurusdb="taurusdb_instance"),
    route("instances", "GET", rf"/v3/{PROJECT}/instances", taurusdb="taurusdb_instance", key="id"),
    route("restart_instance", "POST", rf"/v3/{PROJECT}/{INSTANCE}/action", "rds"),
    route("create_servers", "POST", rf"/v1(\.1)?/{PROJECT}/cloudservers", "ecs"),
    route("delete_servers", "POST", rf"/v1/{PROJECT}/cloudservers/delete", "ecs"),
    route("swap_standby", "PUT", rf"/v2/{PROJECT}/{INSTANCE}/async-swap", "dcs"),
    route("create_cluster", "POST", rf"/api/v3/projects/{PROJECT}/clusters", "cce"),
    route("create_cluster", "POST", rf"/autopilot/v3/projects/{PROJECT}/clusters", "cce_autopilot"),
    route("delete_cluster", "DELETE", rf"/api/v3/projects/{PROJECT}/clusters/(?P<instance_id>[^/]+)", "cce"),
    route("delete_volume", "DELETE", rf"/v2/{PROJECT}/cloudvolumes/(?P<instance_id>[^/]+)", "evs"),
    route("token", "POST", r"/v3/auth/tokens", "iam"),
    route("projects", "GET", r"/v3/projects", "iam"),
    route("metadata_token", "PUT", r"/meta-data/latest/api/token", "metadata"),
    route("securitykey", "GET", r"/openstack/latest/securitykey", "metadata"),
)
OWNERS = {service: prefix for route in ROUTES for prefix, service in route.services.items()}
PREFIXES = tuple(dict.fromkeys(OWNERS.values()))


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
        if route.own and (not prefix or "id" in query):
            continue
        services = (route.services[prefix],) if prefix else tuple(route.services.values())
        ids = {name: unquote(value) for name, value in found.groupdict().items()}
        ids.setdefault("task_id", query.get(route.key, ""))
        return Call(route.api, services, **ids)
    return None
