# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request as the APIs see it and a response as they give it, without any server library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass
class Response:
    """Status, headers and body; a body of bytes is sent as it is, anything else as JSON, lone surrogates too."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    charset: str = "utf-8"

    def payload(self) -> bytes:
        """The body as it goes over the wire."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode(self.charset, "surrogatepass")


def split_query(query_string: str) -> list[tuple[str, str]]:
    """The pairs of a query string; a plus sign stays a plus sign, as the gateway reads it."""
    pairs = [part.partition("=") for part in query_string.split("&") if part]
    return [(unquote(name), unquote(value)) for name, dummy, value in pairs]


@dataclass(frozen=True)
class Incoming:
    """One request as it arrived: path and query are still in the encoding of the wire."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    scheme: str = "http"
    source: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The query as a dict; of a repeated name the last value counts."""
        return dict(split_query(self.query_string))

    def header(self, name: str) -> str | None:
        """A header by its name in any case."""
        return self.headers.get(name)
