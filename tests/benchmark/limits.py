# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulate waits under request limits, and write docs/request-limits.md: a minute, without any real wait.

python -m benchmark.limits
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import checkout

from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.limited_api import KINDS, Figures, measure

TARGET = checkout.ROOT / "docs" / "request-limits.md"
LIMITS = {(10, 60): "10 a minute", (200, 300): "200 in 5 minutes", (10, 1): "10 a second"}
ALONE = (1, 20, 50, 100, 1000)
# Tasks of each wait, and waits.
TOGETHER = ((1, 20), (1, 50), (1, 200), (10, 40), (20, 10), (100, 10))
SLEEP = 5.0

INTRODUCTION = """\
# Request limits

The cloud allows a user so many requests to an API in a window, and every play, host and tool of the account shares
them. Nobody tells the number beforehand; error texts name 200 in 5 minutes or 10 a minute. A wait learns what is
granted and lives within it: being refused never ends a wait before its `timeout`.

## How many tasks, how late

The end of a task is noticed within one round: *tasks / rate*, though not less than `sleep`. All tasks of an account
count, whichever play waits for them. Many waits side by side need up to two and a half rounds, since none knows of the
others.

{guide}

## Measured

`python -m benchmark.limits` (in `tests`, with `../tools` on `PYTHONPATH`) simulates waits on a scripted clock, with
`sleep` and `max_sleep` of 5 s, and writes this page. It looks at the second half of each run, when the limit has been
learned. *Granted* is the share of the requests sent that the limit granted, *used* the share of the limit that was
used, *lag* how late 95 % of the ends are noticed, in rounds: 0.95 is the best that polling in turn can do. No wait
failed before its timeout.

### One wait
"""
TOGETHER_TITLE = """\
### Several waits that know nothing of each other

Shares are learned from a refusal now and then, so they differ the more the fewer requests each wait may send. With
windows of one second many waits also meet by chance.
"""
BEFORE = """\
## Before

What the collection did until it learned limits, with nothing wrong in the cloud and the default options:

| | before | now |
|---|---|---|
| one wait for 50 tasks at 200 in 5 minutes (bucket) | failed after 381 s, `api_error` 429 | {fifty} |
| one wait for 1,000 tasks at 200 in 5 minutes (bucket) | failed after 337 s | {thousand} |
| 50 hosts, each with its own wait, at 200 in 5 minutes | 9 of 50 failed | {hosts_50} |
| 200 hosts | 152 of 200 failed | {hosts_200} |
| 20 tasks at 10 a minute | failed after 344 s | {twenty} |
| 100 tasks in fixed windows of 200 in 5 minutes | 76 % of the requests refused, lag 295 s | {hundred} |
"""


def rows(figures: Figures) -> str:
    assert all(end.failure and end.failure.kind == "timeout" for end in figures.views), "a wait failed"
    return f"{figures.granted:.0%} | {min(figures.used, 1):.0%} | {figures.lag_p95:.2f}"


def table(cells: Sequence[tuple[int, int]]) -> Iterator[str]:
    yield "| limit | tasks | waits | kind | granted | used | lag |"
    yield "|---|---|---|---|---|---|---|"
    for (requests, window), name in LIMITS.items():
        for count, waits in cells:
            # Fewer tasks are never refused.
            if count * waits / SLEEP <= requests / window:
                continue
            for kind in KINDS:
                found = measure(kind, requests, window, count, waits, rounds=2 if count * waits >= 1000 else 10)
                yield f"| {name} | {count:,} | {waits} | {kind} | {rows(found)} |"


def guide() -> Iterator[str]:
    yield "| tasks | " + " | ".join(LIMITS.values()) + " |"
    yield "|---|" + "---|" * len(LIMITS)
    for count in ALONE:
        rounds = (max(count * window / requests, SLEEP) for requests, window in LIMITS)
        yield f"| {count:,} | " + " | ".join(f"{seconds:,.0f} s" for seconds in rounds) + " |"


def now(kind: str, requests: int, window: float, count: int, waits: int = 1) -> str:
    """Say how the default options fare."""
    found = measure(kind, requests, window, count, waits, max_sleep=30.0)
    assert all(end.failure and end.failure.kind == "timeout" for end in found.views), "a wait failed"
    seconds = found.lag_p95 * max(count * waits * window / requests, SLEEP)
    return f"none fails; {1 - found.granted:.0%} refused, lag {seconds:,.0f} s"


def before() -> str:
    return BEFORE.format(
        fifty=now("bucket", 200, 300, 50),
        thousand=now("bucket", 200, 300, 1000),
        hosts_50=now("bucket", 200, 300, 1, 50),
        hosts_200=now("bucket", 200, 300, 1, 200),
        twenty=now("bucket", 10, 60, 20),
        hundred=now("fixed window", 200, 300, 100),
    )


def page() -> str:
    sections = [
        INTRODUCTION.format(guide="\n".join(guide())),
        "\n".join(table([(count, 1) for count in ALONE])),
        TOGETHER_TITLE,
        "\n".join(table(TOGETHER)),
        before(),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(TARGET)
