# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AK/SK signature of a request, and the encoding of its query (API Request Signing Guide).

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t
from urllib.parse import quote, unquote

ALGORITHM = "SDK-HMAC-SHA256"


def authorization(
    method: str,
    path: str,
    query: t.Iterable[tuple[str, str]],
    headers: t.Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
) -> str:
    """Return the value of the header ``Authorization`` for a request (API Request Signing Guide).

    All ``headers`` are signed but those with an underscore in their name; one must be ``X-Sdk-Date``.
    """
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items() if "_" not in name)
    names = ";".join(name for name, dummy in signed)
    request = "\n".join(
        (
            method.upper(),
            canonical_path(path),
            canonical_query(query),
            "".join(f"{name}:{value}\n" for name, value in signed),
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    date = dict(signed)["x-sdk-date"]
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={names}, Signature={signature}"


def canonical_path(path: str) -> str:
    """Encode every segment of a path; the result ends in a slash."""
    encoded = "/".join(quote(segment, safe="~") for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def canonical_query(query: t.Iterable[tuple[str, str]]) -> str:
    """Sort and encode the parameters of a query; this is also the form to send."""
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(query))
