# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata address of a cloud server: the temporary key of its agency."""

from __future__ import annotations

import secrets
import time

from .iam import iam_time
from .identity import Identity
from .response import Incoming, Response


def plain(status: int, text: str) -> Response:
    """A response in plain text."""
    return Response(status, text.encode("utf-8"), content_type="text/plain")


def create_token(identity: Identity, incoming: Incoming) -> Response:
    """PUT /meta-data/latest/api/token; servers of the first version do not know it."""
    if identity.metadata == "imdsv1":
        return plain(404, "404 Not Found")
    seconds = incoming.header("X-Metadata-Token-Ttl-Seconds") or ""
    if not seconds.isdigit() or not 1 <= int(seconds) <= 21600:
        return plain(400, "400 Bad Request")
    token = secrets.token_hex(24)
    identity.metadata_tokens.add(token)
    return plain(200, token)


def security_key(identity: Identity, incoming: Incoming) -> Response:
    """GET /openstack/latest/securitykey."""
    if identity.metadata != "imdsv1" and incoming.header("X-Metadata-Token") not in identity.metadata_tokens:
        return plain(401, "401 Unauthorized")
    if identity.metadata == "no_agency":
        return plain(401, "Please configure Cloud Service Agency first")
    key = identity.temporary
    return Response(
        200,
        {
            "credential": {
                "access": key.ak,
                "secret": key.sk,
                "securitytoken": key.security_token,
                "expires_at": iam_time(time.time() + identity.metadata_expires_in),
            }
        },
    )
