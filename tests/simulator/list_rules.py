# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What control calls change about the lists, since no page tells enough about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .list_records import RECORDS
from .tasks import check_keys

OFFSETS = {
    "page_from_0": lambda offset, limit: offset * limit,
    "page_from_1": lambda offset, limit: (offset - 1) * limit,
    "record_from_0": lambda offset, limit: offset,
    "record_from_1": lambda offset, limit: offset - 1,
}
CHOICES = {
    "offset": ("documented", *OFFSETS),
    "order": ("newest", "oldest"),
    "total": ("documented", "missing", "null", "string", "number", "wrong"),
    "parameter": ("start", "offset"),
}


@dataclass(frozen=True)
class Rules:
    """How the list of a service behaves."""

    offset: str = "documented"
    order: str = "newest"
    total: str = "documented"
    parameter: str = "start"
    lag: float = 0.0
    most: int | None = None
    hidden: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    arrivals: int = 0
    refused: bool = False


class ListRules:
    """The rules of each list."""

    def __init__(self) -> None:
        self._rules = {service: Rules() for service in RECORDS}
        self._arrived = dict.fromkeys(RECORDS, 0)

    def change(self, given: Mapping[str, Any]) -> None:
        """Replace the rules of a service, or of all where none is named, by these and the defaults."""
        check_keys(given, frozenset({"service", *(field.name for field in fields(Rules))}), "the lists")
        for name, choices in CHOICES.items():
            if given.get(name, choices[0]) not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        service = given.get("service")
        if service not in (None, *RECORDS):
            raise ValueError(f"service must be one of {', '.join(RECORDS)}, not {service!r}")
        rules = Rules(**{name: value for name, value in given.items() if name != "service"})
        for name in [service] if service else RECORDS:
            self._rules[name] = rules
            self._arrived[name] = 0

    def of(self, service: str) -> Rules:
        """The rules of a list."""
        return self._rules[service]

    def another_arrives(self, service: str) -> bool:
        """Whether a task starts now that a page has been read; counts it."""
        arrives = self._arrived[service] < self._rules[service].arrivals
        self._arrived[service] += arrives
        return arrives
