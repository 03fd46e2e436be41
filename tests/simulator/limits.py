# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request limits: so many requests of a caller to an API in a window. Pure: the time is an argument everywhere."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .routes import ROUTES
from .tasks import check_keys

SCOPES = ("user", "source")
KEYS = frozenset({"requests", "window", "kind", "scope", "apis", "retry_after", "flow_control"})
POLICIES = {"user": "user", "source": "ip"}
FULL = 1 - 1e-9  # of a token of a bucket; refilling adds up with rounding errors


@dataclass(frozen=True)
class Limit:
    """So many requests in a window of so many seconds, of each caller to each of these APIs (none named: to all)."""

    requests: int
    window: float
    kind: str = "fixed"
    scope: str = "user"
    apis: frozenset[str] = frozenset()
    retry_after: bool = False
    flow_control: bool = False

    def applies(self, api: str) -> bool:
        """Whether it is meant for an API, written `service/api`."""
        return not self.apis or not self.apis.isdisjoint({api, *api.split("/")})

    def text(self) -> str:
        """What the gateway says of it."""
        minutes, seconds = divmod(self.window, 60)
        time = f"{self.window:g} second" if seconds else f"{minutes:g} minute"
        policy = f"policy {POLICIES[self.scope]} over ratelimit,limit:{self.requests},time:{time}"
        return f"The throttling threshold has been reached: {policy}"

    def describe(self) -> dict[str, Any]:
        """The limit for GET /_control/limits."""
        return {**{name: getattr(self, name) for name in sorted(KEYS)}, "apis": sorted(self.apis)}


class Budget(Protocol):
    """What one caller has used of one limit on one API."""

    def wait(self, limit: Limit, now: float) -> float:
        """Seconds until a request is granted; 0 where it is granted now."""

    def take(self, now: float) -> None:
        """A request has been granted."""


class FixedWindow:
    """Windows follow each other from the moment on at which the limit was set; at the start of each all is new."""

    def __init__(self, since: float) -> None:
        self._since = since
        self._number = 0
        self._used = 0

    def wait(self, limit: Limit, now: float) -> float:
        number = math.floor((now - self._since) / limit.window)
        if number != self._number:
            self._number, self._used = number, 0
        return 0.0 if self._used < limit.requests else self._since + (number + 1) * limit.window - now

    def take(self, now: float) -> None:
        self._used += 1


class SlidingWindow:
    """No span as long as the window has more requests than the limit."""

    def __init__(self, since: float) -> None:
        self._granted: deque[float] = deque()

    def wait(self, limit: Limit, now: float) -> float:
        while self._granted and self._granted[0] + limit.window <= now:
            self._granted.popleft()
        if len(self._granted) < limit.requests:
            return 0.0
        return self._granted[-limit.requests] + limit.window - now

    def take(self, now: float) -> None:
        self._granted.append(now)


class TokenBucket:
    """A bucket which is full at first, loses a token to each request and gains them at the rate of the limit."""

    def __init__(self, since: float) -> None:
        self._tokens = math.inf
        self._at = since

    def wait(self, limit: Limit, now: float) -> float:
        rate = limit.requests / limit.window
        self._tokens = min(float(limit.requests), self._tokens + (now - self._at) * rate)
        self._at = now
        return 0.0 if self._tokens >= FULL else (1 - self._tokens) / rate

    def take(self, now: float) -> None:
        self._tokens -= 1


KINDS: dict[str, type[FixedWindow] | type[SlidingWindow] | type[TokenBucket]] = {
    "fixed": FixedWindow,
    "sliding": SlidingWindow,
    "bucket": TokenBucket,
}


@dataclass(frozen=True)
class Caller:
    """Whose request it is (by the credentials; empty where they are unknown), and from which address it comes."""

    user: str
    source: str

    def key(self, scope: str) -> str:
        """The caller as a limit of this scope sees it."""
        return f"user {self.user}" if scope == "user" and self.user else f"source {self.source}"


@dataclass(frozen=True)
class Throttled:
    """A refusal: by which limit, and for how many seconds more."""

    limit: Limit
    wait: float


def known_apis() -> frozenset[str]:
    """The names by which `apis` may choose: a service, an API, or both as service/api."""
    pairs = [(service, route.api) for route in ROUTES for service in route.services.values()]
    return frozenset(name for service, api in pairs for name in (service, api, f"{service}/{api}"))


def read_limit(given: Mapping[str, Any]) -> Limit:
    """A limit from a control call."""
    check_keys(given, KEYS, "a limit")
    limit = Limit(**{"requests": 0, "window": 0, **given, "apis": frozenset(given.get("apis") or ())})
    if limit.requests < 1 or limit.window <= 0:
        raise ValueError("a limit needs requests (1 or more) and window (seconds)")
    if limit.kind not in KINDS or limit.scope not in SCOPES:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, scope one of {', '.join(SCOPES)}")
    unknown = sorted(limit.apis - known_apis())
    if unknown:
        raise ValueError(f"unknown apis: {', '.join(unknown)}; known: {', '.join(sorted(known_apis()))}")
    return replace(limit, requests=int(limit.requests), window=float(limit.window))


class LimitStore:
    """The limits in force, what has been used of them, and how many requests were granted and refused."""

    def __init__(self) -> None:
        self._limits: dict[tuple[frozenset[str], str], tuple[Limit, float]] = {}
        self._budgets: dict[tuple[tuple[frozenset[str], str], str, str], Budget] = {}
        self._counts: dict[str, dict[str, int]] = {}

    def set(self, given: Mapping[str, Any], now: float) -> Limit:
        """Put a limit into force; it replaces the one of the same APIs and scope, whose use counts on."""
        limit = read_limit(given)
        key = (limit.apis, limit.scope)
        before, since = self._limits.get(key, (limit, now))
        if before.kind != limit.kind:
            since = now
            self._budgets = {name: budget for name, budget in self._budgets.items() if name[0] != key}
        self._limits[key] = (limit, since)
        return limit

    def clear(self) -> None:
        """No limits any more."""
        self._limits.clear()
        self._budgets.clear()

    def clear_counts(self) -> None:
        """Count anew."""
        self._counts.clear()

    def ask(self, api: str, caller: Caller, now: float) -> Throttled | None:
        """Grant a request, which uses up every limit that applies, or say which one refuses it."""
        counts = self._counts.setdefault(api, {"granted": 0, "refused": 0})
        uses = [
            (limit, self._budget(key, limit, since, api, caller))
            for key, (limit, since) in self._limits.items()
            if limit.applies(api)
        ]
        for limit, budget in uses:
            wait = budget.wait(limit, now)
            if wait > 0:
                counts["refused"] += 1
                return Throttled(limit, wait)
        for dummy, budget in uses:
            budget.take(now)
        counts["granted"] += 1
        return None

    def _budget(self, key: tuple[frozenset[str], str], limit: Limit, since: float, api: str, caller: Caller) -> Budget:
        """What the caller has used of a limit on an API."""
        name = (key, api, caller.key(limit.scope))
        if name not in self._budgets:
            self._budgets[name] = KINDS[limit.kind](since)
        return self._budgets[name]

    def describe(self) -> list[dict[str, Any]]:
        """The limits in force."""
        return [limit.describe() for limit, dummy in self._limits.values()]

    def counts(self) -> dict[str, dict[str, int]]:
        """Granted and refused requests by API."""
        return {api: dict(counts) for api, counts in self._counts.items()}
