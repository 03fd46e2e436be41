# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IAM and the ECS metadata address are asked: tokens, project ids, agency keys.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import calendar
import dataclasses
import time
import typing as t

from ansible_collections.huaweicloud.tasks.plugins.module_utils._auth import Auth, Key, canonical_query
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import (
    Answer,
    HttpClient,
    Question,
    address_of,
    unreadable,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError, Meaning, RequestError

METADATA_ENDPOINT = "http://169.254.169.254"
METADATA_TOKEN_SECONDS = 21600


@dataclasses.dataclass(frozen=True)
class Token:
    """An IAM token. The dates are as IAM gives them; ``project_id`` is the project that it is for."""

    value: str = dataclasses.field(repr=False)
    expires_at: str | None
    issued_at: str | None
    project_id: str | None


def login(
    http: HttpClient,
    iam_endpoint: str,
    credentials: t.Mapping[str, str],
    *,
    project_id: str | None,
    region: str | None,
) -> Token:
    """Log in with user name and password (API: Obtaining a User Token Through Password Authentication).

    :raises RequestError: IAM refuses, or its answer holds no token
    :raises InputError: neither project nor region is known
    """
    url = f"{iam_endpoint}/v3/auth/tokens?nocatalog=true"
    asked = f"Cannot get a token (POST {address_of(url)})"
    body = {"auth": {"identity": _identity(credentials), "scope": _scope(credentials, project_id, region)}}
    answer = http.send(Question("POST", url, asked, body=body, hint="Check username, password and domain_name."))
    value = answer.headers.get("X-Subject-Token")
    if not value:
        raise unreadable(
            "the answer has no header X-Subject-Token",
            asked=asked,
            http_status=answer.http_status,
            request_id=answer.request_id,
        )
    details = _mapping(_mapping(answer.body).get("token"))
    return Token(
        value=value,
        expires_at=details.get("expires_at"),
        issued_at=details.get("issued_at"),
        project_id=_mapping(details.get("project")).get("id") or project_id,
    )


def _identity(credentials: t.Mapping[str, str]) -> dict[str, t.Any]:
    user = {
        "name": credentials["username"],
        "password": credentials["password"],
        "domain": {"name": credentials["domain_name"]},
    }
    return {"methods": ["password"], "password": {"user": user}}


def _scope(credentials: t.Mapping[str, str], project_id: str | None, region: str | None) -> dict[str, t.Any]:
    if project_id:
        return {"project": {"id": project_id}}
    if not region:
        raise InputError("A token is for a project: set project_id or region.")
    # A plain Keystone, as in private clouds, refuses a project's name without its domain.
    return {"project": {"name": region, "domain": {"name": credentials["domain_name"]}}}


def _mapping(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def find_project(http: HttpClient, iam_endpoint: str, auth: Auth, region: str, limit: float | None) -> str:
    """Look up the id of a region's project by its name, which is the region's (API: Querying Project Information).

    :raises RequestError: IAM refuses, or there is no such project, or more than one
    """
    url = f"{iam_endpoint}/v3/projects?{canonical_query([('name', region)])}"
    asked = f"Cannot look up the project of region {region} (GET {address_of(url)})"
    answer = http.send(Question("GET", url, asked, auth=auth), limit)
    projects = _mapping(answer.body).get("projects")
    if not isinstance(projects, list):
        raise unreadable(
            "the answer has no list 'projects'",
            asked=asked,
            http_status=answer.http_status,
            request_id=answer.request_id,
        )
    ids = [str(project["id"]) for project in projects if isinstance(project, dict) and project.get("id")]
    if len(ids) == 1:
        return ids[0]
    raise _not_one_project(answer, projects, asked, region)


def _not_one_project(answer: Answer, projects: list[t.Any], asked: str, region: str) -> RequestError:
    found = ", ".join(f"{_mapping(project).get('name')} ({_mapping(project).get('id')})" for project in projects)
    return RequestError(
        f"found {len(projects)} projects: {found}" if projects else f"found no project named {region}",
        meaning=Meaning.FATAL,
        http_status=answer.http_status,
        request_id=answer.request_id,
        asked=asked,
        hint="Set project_id.",
    )


def fetch_agency_key(http: HttpClient, endpoint: str = METADATA_ENDPOINT) -> Key:
    """Fetch the temporary key of the ECS agency (ECS user guide: Obtaining Metadata).

    :raises RequestError: there is no metadata service, or no agency
    """
    headers = _metadata_token(http, endpoint)
    url = f"{endpoint}/openstack/latest/securitykey"
    asked = "Cannot get the agency's key from the metadata service"
    answer = http.send(Question("GET", url, asked, headers=headers))
    key = _mapping(_mapping(answer.body).get("credential"))
    if not (key.get("access") and key.get("secret")):
        raise unreadable("the answer holds no key", asked=asked, http_status=answer.http_status)
    return Key(
        access_key=str(key["access"]),
        secret_key=str(key["secret"]),
        security_token=key.get("securitytoken"),
        expires_at=_seconds_since_1970(key.get("expires_at")),
    )


def _metadata_token(http: HttpClient, endpoint: str) -> dict[str, str]:
    """Take the token step where the host has it; older hosts answer without (404, 405 or 503)."""
    headers = {"X-Metadata-Token-Ttl-Seconds": str(METADATA_TOKEN_SECONDS)}
    url = f"{endpoint}/meta-data/latest/api/token"
    try:
        answer = http.send(Question("PUT", url, "Cannot get a metadata token", headers=headers, text=True))
    except RequestError as error:
        if error.http_status in (404, 405, 503):
            return {}
        raise
    return {"X-Metadata-Token": str(answer.body)}


def _seconds_since_1970(value: t.Any) -> float | None:
    """Read ``2026-01-31T10:00:00.123000Z``; None where it is anything else."""
    try:
        return float(calendar.timegm(time.strptime(str(value)[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return None
