# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests, without any secret value, and what it was like at the busiest moment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Record:
    """One request; `status` is null where it was not answered (or not yet)."""

    at: float
    method: str
    path: str
    query: dict[str, str]
    service: str | None
    task_id: str | None
    auth: str
    connection: int
    user_agent: str | None
    language: str | None
    fault: str | None = None
    status: int | None = None


class Journal:
    """Records in the order of arrival."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._active = 0
        self._peak_requests = 0
        self._peak_connections = 0

    def open(self, record: Record, connections: int) -> None:
        """A request has arrived while so many connections are open."""
        self._records.append(record)
        self._active += 1
        self._peak_requests = max(self._peak_requests, self._active)
        self._peak_connections = max(self._peak_connections, connections)

    def close(self) -> None:
        """A request has ended, answered or not."""
        self._active -= 1

    def clear(self) -> None:
        """Forget the past; requests under way still count as active."""
        self._records.clear()
        self._peak_requests = self._active
        self._peak_connections = 0

    def select(self, service: str | None = None, task_id: str | None = None) -> list[dict[str, Any]]:
        """The records of a service and of a task, or all."""
        return [
            asdict(record)
            for record in self._records
            if service in (None, record.service) and task_id in (None, record.task_id)
        ]

    def stats(self) -> dict[str, int]:
        """How many requests there were, and how many at once."""
        return {
            "requests": len(self._records),
            "active_requests": self._active,
            "peak_requests": self._peak_requests,
            "peak_connections": self._peak_connections,
        }
