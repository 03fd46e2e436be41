# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checking SDK-HMAC-SHA256 signatures with the vendor's own signer."""

from __future__ import annotations

import hmac
import importlib
import re
from datetime import datetime, timezone
from typing import Any

from .identity import Key
from .response import Incoming, split_query

AUTHORIZATION = re.compile(
    r"SDK-HMAC-SHA256 Access=(?P<access>[^,]+), ?SignedHeaders=(?P<names>[^,]+), ?Signature=(?P<signature>\w+)"
)
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
TOLERANCE = 15 * 60


def vendor_request(incoming: Incoming, names: list[str]) -> Any:
    """The request as it arrived, in the form the vendor's signer takes."""
    module = importlib.import_module("huaweicloudsdkcore.sdk_request")
    return module.SdkRequest(
        method=incoming.method,
        schema="http",
        host=incoming.header("Host") or "",
        resource_path=incoming.path,
        query_params=split_query(incoming.query_string),
        header_params={name: incoming.header(name) or "" for name in names},
        body=incoming.body,
    )


def sign(incoming: Incoming, names: list[str], key: Key) -> str:
    """The Authorization header the vendor's signer gives this request."""
    module = importlib.import_module("huaweicloudsdkcore.signer.signer")
    signed = module.Signer(key).sign(vendor_request(incoming, names))
    return str(signed.header_params["Authorization"])


def date_is_near(text: str) -> bool:
    """Whether X-Sdk-Date is well formed and no more than 15 minutes off."""
    try:
        moment = datetime.strptime(text, DATE_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return False
    return abs((datetime.now(timezone.utc) - moment).total_seconds()) <= TOLERANCE


def signature_matches(incoming: Incoming, found: re.Match[str], key: Key) -> bool:
    """Whether the request carries the signature which the key gives it; the date has to be signed."""
    names = found["names"].split(";")
    if "x-sdk-date" not in names or "host" not in names:
        return False
    expected = AUTHORIZATION.fullmatch(sign(incoming, names, key))
    return expected is not None and hmac.compare_digest(expected["signature"], found["signature"])
