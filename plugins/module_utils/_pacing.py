# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The request budget: how many requests a wait may send to one API now.

The cloud limits requests per user and API, in windows that nobody tells, and every play, host and tool of an account
shares them. So the rate is learned from what is granted and refused, as TCP and botocore's adaptive retries do:

* Until the first refusal there is no limit, but a beginning in growing chunks.
* A refusal ends a cycle. What was granted in it, over all its time, is the rate that the limit has allowed, whatever
  kind of window it has; the rate falls to that, and not below what the share of refused requests asks for.
* Until the next refusal the rate grows slowly, and faster once it has grown for long: limits rise, and others finish.
* Where the wait sent all that it wanted, and was refused only briefly, the measured rate tells little of the limit:
  cycles are short then.

It is pure: clock and random are passed in. All times are in seconds, all rates in requests per second.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import collections
import math
import re
import typing as t

from ._policy import EPSILON

# The first chunk of a wait that knows no limit; each further one is twice as large.
FIRST_CHUNK = 50
# Between two chunks.
TICK = 0.25
# Huawei's advice on throttling is to wait 2 to 5 seconds; it doubles up to a minute while it goes on.
REFUSED_PAUSE = (2.0, 5.0)
MAX_REFUSED_PAUSE = 60.0
# A longer pause that a server asks for is cut to this.
MAX_RETRY_AFTER = 300.0
# The logarithm of the rate's growth in one cycle, and after how many cycles without a refusal the growth speeds up.
LOG_GROWTH = 0.1
STEADY_CYCLES = 3.0
# A refusal is brief that lasts for no more than this share of its cycle.
BRIEF = 0.15
# A limit that has risen is found step by step, never by one leap.
MAX_LOG_GROWTH = 6.0
# The shortest cycle, in seconds and in requests: those of a fast wait are longer, so that fast and slow ones draw even.
MIN_CYCLE_SECONDS = 35.0
MIN_CYCLE_REQUESTS = 10.0
CYCLE_REQUESTS_AT_ONE_A_MINUTE = 20.0
# A longer one is not waited for before the rate grows.
MAX_CYCLE_SECONDS = 600.0
# Of the share of requests that are refused, so much is taken off the rate at each refusal.
DECREASE = 0.2
# How many requests the share of refused ones remembers.
MEMORY = 4.0
# With so many granted requests a cycle tells the rate by itself.
ENOUGH_EVIDENCE = 60
# A little less than what was just granted.
MARGIN = 0.98
# Tokens are saved up for at most so long.
BURST_SECONDS = 2.0
# A limit that is told in words is believed within this factor of what was measured.
MAX_DOUBT = 30.0

# What the gateway says of its limit: "policy user over ratelimit,limit:200,time:5 minute".
TOLD_LIMIT = re.compile(r"limit:\s*(\d+)\s*,\s*time:\s*(\d+)\s*(second|minute|hour)", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def told_rate(text: str) -> float | None:
    """Return the rate that an error names, in requests per second."""
    match = TOLD_LIMIT.search(text)
    if match is None or not int(match[1]) or not int(match[2]):
        return None
    return int(match[1]) / (int(match[2]) * _SECONDS[match[3].lower()])


class Pacer:
    """Learns what one API grants. ``rate`` is what the wait would send if there were no limit."""

    def __init__(self, rate: float, random: t.Callable[[], float]) -> None:
        self._random = random
        self._chunk = FIRST_CHUNK
        self._ready_at = -math.inf
        # Whether a request was ever refused.
        self.limited = False
        self._base = rate
        self._grown_since = 0.0
        # Whether the rate held requests back before the last refusal.
        self._held_back = True
        self._wanted_no_more = False
        self._cycle_began: float | None = None
        self._last_cycle = 0.0
        self._grants: collections.deque[tuple[float, int]] = collections.deque()
        self._granted = 0
        # Refusals since the last granted request, and what they leave of the rate.
        self._refusals = 0
        self._refused_since = 0.0
        self._remainder = 1.0
        self._refused_share = 1.0
        self._told: float | None = None
        self._tokens = 0.0
        self._tokens_at = 0.0

    @property
    def is_refused(self) -> bool:
        """Whether the last request was refused."""
        return self._refusals > 0

    def rate(self, now: float) -> float:
        """Return how many requests a second are sent."""
        if self.is_refused or not self.limited:
            return self._base
        cycles = max(0.0, now - self._grown_since) / (self._short_cycle() if self._wanted_no_more else self._cycle())
        return self._base * math.exp(min(LOG_GROWTH * (cycles + max(0.0, cycles - STEADY_CYCLES) ** 2), MAX_LOG_GROWTH))

    def granted_rate(self, now: float) -> float:
        """Return how many requests a second the API is known to grant."""
        if not self.is_refused:
            return self.rate(now)
        rate = self._base * self._remainder
        if self._cycle_began is None or not self._granted:
            return rate
        return min(rate, self._measured(now, self._cycle_began))

    def _cycle(self) -> float:
        """Return the seconds in which the rate grows by one step."""
        requests = max(MIN_CYCLE_REQUESTS, CYCLE_REQUESTS_AT_ONE_A_MINUTE * math.sqrt(60 * self._base))
        return max(min(self._last_cycle, MAX_CYCLE_SECONDS), requests / self._base, MIN_CYCLE_SECONDS)

    def _short_cycle(self) -> float:
        return max(MIN_CYCLE_REQUESTS / self._base, MIN_CYCLE_SECONDS)

    def allowance(self, now: float) -> int:
        """Return how many requests may be sent now."""
        if now < self._ready_at - EPSILON:
            return 0
        if not self.limited:
            return self._chunk
        # After a refusal one request finds out whether the limit lets any through.
        if self.is_refused:
            return 1
        return int(self._saved(now) + EPSILON)

    def ready_at(self, now: float) -> float:
        """Return the moment from which on requests may be sent."""
        if now < self._ready_at - EPSILON:
            return self._ready_at
        if not self.limited or self.is_refused:
            return now
        rate = self.rate(now)
        wanted = max(1.0, rate * TICK)
        return now + max(0.0, wanted - self._saved(now)) / rate

    def _saved(self, now: float) -> float:
        rate = self.rate(now)
        return min(self._tokens + rate * (now - self._tokens_at), max(1.0, rate * BURST_SECONDS))

    def hold(self, until: float) -> None:
        """Send nothing before a moment that the server has named."""
        self._ready_at = max(self._ready_at, until)

    def note_demand(self, *, held_back: bool) -> None:
        """Take note whether the rate holds back requests that are due."""
        if not self.is_refused:
            self._held_back = held_back

    def update(
        self,
        now: float,
        *,
        granted: int = 0,
        refused: bool = False,
        retry_after: float = 0.0,
        told: float | None = None,
    ) -> None:
        """Learn from the requests that were just sent.

        :param refused: at least one of them was refused
        :param retry_after: the pause that the server asked for, 0 for none
        :param told: the rate that the refusal named
        """
        if granted:
            self._grant(now, granted)
        if refused:
            self._told = told if not self.limited else None
            self._refuse(now, retry_after)

    def _grant(self, now: float, granted: int) -> None:
        if self._cycle_began is None:
            self._cycle_began = now
        if self.is_refused:
            self._begin_cycle(now)
        self._refused_share *= (1 - 1 / MEMORY) ** granted
        self._remember(now, granted)
        if self.limited:
            self._tokens, self._tokens_at = self._saved(now) - granted, now
        elif granted >= self._chunk:
            self._chunk *= 2
            self._ready_at = max(self._ready_at, now + TICK)

    def _remember(self, now: float, granted: int) -> None:
        self._grants.append((now, granted))
        self._granted += granted
        while self._grants[0][0] < now - self._cycle():
            self._granted -= self._grants.popleft()[1]

    def _refuse(self, now: float, retry_after: float) -> None:
        if not self.is_refused:
            self._base, self._remainder, self._refused_since = self.rate(now), 1.0, now
        self.limited = True
        self._refused_share += (1 - self._refused_share) / MEMORY
        self._remainder *= 1 - DECREASE * self._refused_share
        self._refusals += 1
        self._ready_at = now + (min(retry_after, MAX_RETRY_AFTER) or self._refused_pause())

    def _refused_pause(self) -> float:
        low, high = REFUSED_PAUSE
        first = low + (high - low) * self._random()
        pause = min(first * 2.0 ** min(self._refusals - 1, 10), MAX_REFUSED_PAUSE)
        # Half the time until the next request of a slow wait: many waits that are refused together must not insist.
        return max(pause, (0.375 + 0.25 * self._random()) / (self._base * self._remainder))

    def _begin_cycle(self, now: float) -> None:
        """Take what was granted up to now, the refused time included, as the limit's rate."""
        began = t.cast(float, self._cycle_began)
        measured = self._measured(now, began)
        is_evidence = self._granted >= ENOUGH_EVIDENCE
        least = 0.0 if is_evidence else self._base * self._remainder
        self._base = MARGIN * min(max(measured, least), self._base)
        if self._told:
            self._base = min(self._base, max(self._told, self._base / MAX_DOUBT))
            self._told = None
        cycle = now - began
        self._last_cycle = min(max(cycle, self._last_cycle / 2), self._last_cycle * 2) if self._last_cycle else cycle
        self._refusals = 0
        is_brief = now - self._refused_since < BRIEF * cycle
        self._wanted_no_more = is_evidence and is_brief and not self._held_back
        self._cycle_began = self._grown_since = self._tokens_at = now
        self._grants.clear()
        self._granted, self._tokens = 0, 1.0

    def _measured(self, now: float, began: float) -> float:
        """Return the rate of the granted requests in the cycle, or in its last part where it was long."""
        if not self._grants:
            return 0.0
        began = min(max(began, now - self._cycle()), self._grants[0][0])
        return self._granted / max(now - began, EPSILON)
