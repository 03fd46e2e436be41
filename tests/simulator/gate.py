# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate in front of the APIs: token or signature, and whether the project is the caller's."""

from __future__ import annotations

from . import accounts, errors
from .iam import named_user
from .identity import Identity
from .response import Incoming, Response
from .routes import Call
from .signatures import AUTHORIZATION, date_is_near, signature_matches

INCORRECT = "Incorrect IAM authentication information: "
GATEWAY = {
    "missing": ("APIGW.0301", INCORRECT + "x-auth-token not found"),
    "invalid": ("APIGW.0301", INCORRECT + "decrypt token fail"),
    "expired": ("APIGW.0307", "The token must be updated"),
    "signature": ("APIGW.0301", INCORRECT + "verify aksk signature fail"),
    "signer": ("SIMULATOR.0001", "To check signatures the simulator needs huaweicloudsdkcore and pyasn1 installed"),
    "date": ("APIGW.0303", INCORRECT + "X-Sdk-Date is too far from the time of the server"),
}
KAFKA = {
    "missing": ("DMS.10240103", "Missing token."),
    "invalid": ("DMS.10240101", "Invalid token."),
    "expired": ("DMS.10240102", "Expired token."),
    "scope": ("DMS.10240104", "The project ID and token do not match."),
}
KAFKA_APIS = ("kafka", "kafka_list")
FORBIDDEN = {
    **dict.fromkeys(KAFKA_APIS, "DMS.00403002"),
    **dict.fromkeys(("jobs", "jobs_list", "restore", "projects"), "DBS.200010"),
}
SIGNED = ("signature", "date")


class Refused(Exception):
    """The caller is not let in; the argument is one of the reasons above, `project` or `scope`."""


def method_name(incoming: Incoming) -> str:
    """By which means a request authenticates itself, for the log."""
    if incoming.header("X-Auth-Token"):
        return "token"
    if (incoming.header("Authorization") or "").startswith("SDK-"):
        return "temporary_aksk" if incoming.header("X-Security-Token") else "aksk"
    return "password" if incoming.path.endswith("/auth/tokens") else "none"


def user_name(identity: Identity, incoming: Incoming) -> str:
    """Whose credentials a request carries; an empty string where nobody knows them."""
    token = identity.tokens.get(incoming.header("X-Auth-Token") or "")
    if token:
        return token.user
    found = AUTHORIZATION.fullmatch(incoming.header("Authorization") or "")
    if found and identity.key(found["access"]):
        return accounts.USERNAME
    return named_user(incoming) if method_name(incoming) == "password" else ""


def check_token(identity: Identity, value: str, project_id: str) -> None:
    """Refuse a token which is unknown, over, or scoped to another project."""
    token = identity.tokens.get(value)
    if token is None:
        raise Refused("invalid")
    if token.expired:
        raise Refused("expired")
    if project_id and token.project_id != project_id:
        raise Refused("scope")


def check_signature(identity: Identity, incoming: Incoming, project_id: str) -> None:
    """Refuse a signature which is not the one the key gives this request."""
    found = AUTHORIZATION.fullmatch(incoming.header("Authorization") or "")
    if found is None:
        raise Refused("missing")
    key = identity.key(found["access"])
    if key is None or incoming.header("X-Security-Token") != key.security_token:
        raise Refused("signature")
    if not date_is_near(incoming.header("X-Sdk-Date") or ""):
        raise Refused("date")
    try:
        matches = signature_matches(incoming, found, key)
    except ModuleNotFoundError as missing:
        raise Refused("signer") from missing
    if not matches:
        raise Refused("signature")
    if project_id and identity.project("id", project_id) is None:
        raise Refused("project")


def check(identity: Identity, incoming: Incoming, project_id: str) -> None:
    """Let the request pass or raise Refused."""
    token = incoming.header("X-Auth-Token")
    if token:
        check_token(identity, token, project_id)
    else:
        check_signature(identity, incoming, project_id)
    if project_id and incoming.header("X-Project-Id") not in (None, project_id):
        raise Refused("project")


def caller_project(identity: Identity, incoming: Incoming) -> str | None:
    """The project of a caller who is let in, for the API which has none in its path."""
    token = incoming.header("X-Auth-Token")
    if token:
        return identity.tokens[token].project_id
    return incoming.header("X-Project-Id") or identity.projects[0]["id"]


def forbidden(api: str) -> Response:
    """The caller is known but may not."""
    code = FORBIDDEN.get(api, "APIGW.0302")
    return errors.error("service", 403, code, "You have no permission to perform this operation.")


def refusal(identity: Identity, incoming: Incoming, call: Call) -> Response | None:
    """The response to a caller who is not let in, in the words of the service; None for the others."""
    try:
        check(identity, incoming, call.project_id)
    except Refused as refused:
        return explain(str(refused), incoming, call)
    return None


def explain(reason: str, incoming: Incoming, call: Call) -> Response:
    """A refusal in the words of the service; signatures are checked by the gateway in front of all of them."""
    if reason in (*SIGNED, "signer"):
        status = 501 if reason == "signer" else 401
        return errors.gateway_error(status, *GATEWAY[reason], incoming.request_id)
    if call.api in KAFKA_APIS and reason in KAFKA:
        return errors.error("service", 401, *KAFKA[reason])
    if reason in ("project", "scope"):
        return forbidden(call.api)
    if call.api == "projects":
        return errors.iam_error(401, GATEWAY[reason][1])
    return errors.gateway_error(401, *GATEWAY[reason], incoming.request_id)
