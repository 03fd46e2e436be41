# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: tokens for a user and a password, and the list of projects."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

from . import accounts
from .errors import iam_error
from .identity import Identity, Token
from .response import Incoming, Response

DOMAIN = {"id": accounts.DOMAIN_ID, "name": accounts.DOMAIN_NAME}


def iam_time(seconds: float) -> str:
    """A time as IAM writes it: microseconds and a Z."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def user_is_right(auth: dict[str, Any]) -> bool:
    """Whether user, password and domain are those of the demo account."""
    user = auth["identity"]["password"]["user"]
    named = user.get("id") == accounts.USER_ID or (
        user.get("name") == accounts.USERNAME and is_domain(user.get("domain"))
    )
    return bool(named and user.get("password") == accounts.PASSWORD)


def is_domain(domain: Any) -> bool:
    """Whether this names the demo domain."""
    given = domain or {}
    return bool(given.get("name") == accounts.DOMAIN_NAME or given.get("id") == accounts.DOMAIN_ID)


def scoped_project(identity: Identity, scope: dict[str, Any]) -> dict[str, str] | None:
    """The project a scope names: by its id, or by its name, which is looked for in the user's domain."""
    project = scope["project"]
    if "id" in project:
        return identity.project("id", project["id"])
    if "domain" not in project:
        if identity.scope_needs_domain:
            raise ValueError("a project name needs its domain")
        return identity.project("name", project["name"])
    return identity.project("name", project["name"]) if is_domain(project["domain"]) else None


def named_user(incoming: Incoming) -> str:
    """Who logs in, or an empty string where the body does not say so."""
    try:
        user = json.loads(incoming.body)["auth"]["identity"]["password"]["user"]
        return str(user.get("name") or user.get("id") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def lock_refusal(identity: Identity, right: bool) -> Response | None:
    """The response to a user whose account is locked or whose password is wrong; which words IAM has is not known."""
    if identity.lock.locked:
        return iam_error(401, "The account is locked since there were too many wrong passwords.")
    if not right:
        identity.lock.wrong()
        return iam_error(401, "The username or password is wrong.")
    identity.lock.right()
    return None


def create_token(identity: Identity, incoming: Incoming) -> Response:
    """POST /v3/auth/tokens."""
    try:
        auth = json.loads(incoming.body)["auth"]
        right = user_is_right(auth) and auth["identity"]["methods"] == ["password"]
        project = scoped_project(identity, auth["scope"]) if "scope" in auth else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return iam_error(400, "The request body is invalid.")
    refusal = lock_refusal(identity, right)
    if refusal:
        return refusal
    if "scope" in auth and project is None:
        return iam_error(401, "The project does not exist or is not yours.")
    token = identity.issue_token(project["id"] if project else None)
    headers = {} if identity.omit_subject_token else {"X-Subject-Token": token.value}
    return Response(201, {"token": token_body(identity, token, project, "nocatalog" in incoming.query)}, headers)


def token_body(
    identity: Identity, token: Token, project: dict[str, str] | None, without_catalog: bool
) -> dict[str, Any]:
    """What IAM says about a new token."""
    body: dict[str, Any] = {
        "methods": ["password"],
        "issued_at": iam_time(time.time()),
        "user": {"id": accounts.USER_ID, "name": accounts.USERNAME, "domain": DOMAIN, "password_expires_at": ""},
        "roles": [{"id": "0", "name": "te_admin"}],
    }
    if not identity.omit_expires_at:
        body["expires_at"] = iam_time(token.expires)
    if project:
        body["project"] = {"id": project["id"], "name": project["name"], "domain": DOMAIN}
    if not without_catalog:
        body["catalog"] = []
    return body


def list_projects(identity: Identity, incoming: Incoming) -> Response:
    """GET /v3/projects, all of them or those of a name."""
    name = incoming.query.get("name")
    projects = [
        {
            "id": project["id"],
            "name": project["name"],
            "description": "",
            "enabled": True,
            "is_domain": False,
            "domain_id": accounts.DOMAIN_ID,
            "parent_id": accounts.DOMAIN_ID,
            "links": {"self": f"https://iam.example.com/v3/projects/{project['id']}"},
        }
        for project in identity.projects
        if name in (None, project["name"])
    ]
    links = {"self": "https://iam.example.com/v3/projects", "next": None, "previous": None}
    return Response(200, {"projects": projects, "links": links})
