# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: which ones are switched on, and which request meets which of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalog import SERVICES
from .errors import BODIES
from .tasks import check_keys

RETRY_AFTER = frozenset({"retry_after", "retry_after_date"})
KINDS: dict[str, frozenset[str]] = {
    "status": frozenset({"status", "error_code", "error_msg", "shape", "body", "headers"}) | RETRY_AFTER,
    "throttle": RETRY_AFTER,
    "flow_control": RETRY_AFTER,
    "reset": frozenset(),
    "close": frozenset(),
    "hang": frozenset({"seconds"}),
    "slow": frozenset({"seconds"}),
    "drip": frozenset({"interval"}),
    "truncated": frozenset(),
    "not_json": frozenset({"body"}),
    "login_page": frozenset(),
    "wrong_shape": frozenset({"body"}),
    "empty": frozenset(),
    "redirect": frozenset({"status", "location"}),
    "expired_token": frozenset(),
    "forbidden": frozenset(),
    "unknown_id": frozenset({"mode"}),
    "wrong_host": frozenset(),
    "huge": frozenset({"size", "chunked", "gzip"}),
    "recoded": frozenset({"charset"}),
    "idle_close": frozenset({"seconds", "reset"}),
    "bad_date": frozenset({"date"}),
}
SELECTORS = frozenset({"fault", "service", "task_id", "method", "first", "after", "from", "until", "reused", "list"})

FAULTY_SERVICES = (*SERVICES, "iam", "metadata")


def check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    """Refuse a word which stands for nothing."""
    if value is not None and value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")


@dataclass
class Fault:
    """One fault; `seen` counts the requests which met its selectors."""

    id: int
    kind: str
    since: float
    given: dict[str, Any]
    seen: int = 0
    applied: int = 0
    services: frozenset[str] = field(default_factory=frozenset)

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter of the fault."""
        return self.given.get(name, default)

    def meets(self, request: Mapping[str, Any], now: float) -> bool:
        """Whether the fault is meant for such a request at this moment."""
        if not float(self.get("from", 0)) <= now - self.since < float(self.get("until", float("inf"))):
            return False
        if self.services and not self.services & set(request["services"]):
            return False
        return all(self.get(name) in (None, request[name]) for name in ("task_id", "method", "reused", "list"))

    def takes(self) -> bool:
        """Count a request which it is meant for; whether it is among the first ones, after those to be skipped."""
        self.seen += 1
        skipped = int(self.get("after", 0))
        first = self.get("first")
        return self.seen > skipped and (first is None or self.seen <= skipped + int(first))

    def describe(self) -> dict[str, Any]:
        """The fault for GET /_control/faults."""
        return {"id": self.id, **self.given, "seen": self.seen, "applied": self.applied}


class FaultStore:
    """The faults which are switched on; where several take a request the oldest one wins."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._count = 0

    def add(self, given: Mapping[str, Any], now: float) -> Fault:
        """Switch a fault on."""
        kind = given.get("fault")
        if kind not in KINDS:
            raise ValueError(f"fault must be one of {', '.join(KINDS)}, not {kind!r}")
        check_keys(given, SELECTORS | KINDS[kind], f"the fault {kind}")
        service = given.get("service")
        check_choice("service", service, FAULTY_SERVICES)
        check_choice("shape", given.get("shape"), tuple(BODIES))
        self._count += 1
        fault = Fault(self._count, kind, now, dict(given), services=frozenset([service] if service else []))
        self._faults.append(fault)
        return fault

    def pick(self, request: Mapping[str, Any], now: float) -> Fault | None:
        """The fault for a request, of which these count: `services`, `task_id`, `method`, `reused`, `list`.

        Every fault which is meant for it counts it.
        """
        meant = [fault for fault in self._faults if fault.meets(request, now)]
        taking = [fault for fault in meant if fault.takes()]
        if not taking:
            return None
        taking[0].applied += 1
        return taking[0]

    def describe(self) -> list[dict[str, Any]]:
        """All faults, switched on or used up."""
        return [fault.describe() for fault in self._faults]

    def clear(self) -> None:
        """Switch all faults off."""
        self._faults.clear()
