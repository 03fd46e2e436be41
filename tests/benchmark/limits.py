# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part "limits": waits under request limits on a scripted clock, and docs/request-limits.md from them."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator, Sequence

import checkout

from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.limited_api import (
    KINDS,
    FixedWindow,
    measure,
)
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.listed_api import cloud, spread

from . import stats
from .bench import Bench, Figures
from .results import Result
from .scale import FULL, Scale

NAME = "limits"
TARGET = checkout.ROOT / "docs" / "request-limits.md"
LIMITS = {(10, 60): "10 a minute", (200, 300): "200 in 5 minutes", (10, 1): "10 a second"}
ALONE = (1, 20, 50, 100, 1000)
# Tasks of each wait, and waits.
TOGETHER = ((1, 20), (1, 50), (1, 200), (10, 40), (20, 10), (100, 10))
SLEEP = 5.0
LEAST_GRANTED = 0.75
LEAST_USED = 0.75
MOST_LAG = 1.5
LISTED, BY_ID = "listed", "by id"

INTRODUCTION = """\
# Request limits

The cloud allows a user so many requests to an API in a window, and every play, host and tool of the account shares
them. Nobody tells the number beforehand; error texts name 200 in 5 minutes or 10 a minute. A wait learns what is
granted and lives within it: being refused never ends a wait before its `timeout`.

## How late is the end of a task noticed?

Within one round: *tasks / rate*, though not less than `sleep`. All tasks of an account count, whichever play waits for
them. Give many tasks to one wait where you can: waits side by side know nothing of each other and need up to two and a
half rounds, and under fewer than 20 requests in a window some may see nothing until their timeout.

{guide}

These are for tasks that are polled by id. Where a service has a list and a wait has 50 tasks of it or more, the list
says which still run, and the limit hardly matters: of 1,000 TaurusDB tasks that end within an hour, at 200 requests in
5 minutes for each API, 95 % of the ends are noticed within {listed:.0f} s ({pages:,.0f} requests to the list,
{polls:,.0f} by id). By id alone it takes {by_id:,.0f} s.

## Measured

`make benchmark PARTS="limits page"` simulates waits on a scripted clock, with `sleep` and `max_sleep` of 5 s, and
writes this page. It reads the second half of each run, when the limit has been learned.

- *failed*: waits that ended before their `timeout`. None may.
- *granted*: the share of the requests sent that the limit granted. Goal: at least 75 %.
- *used*: the share of the limit that was used. Goal: at least 75 %.
- *lag*: how late 95 % of the ends are noticed, in rounds; 0.95 is the best that polling in turn can do. Goal: at most
  1.5.

{verdict}

### One wait
"""
TOGETHER_TITLE = """\
### Several waits that know nothing of each other
"""
WHY = """\
What is likely behind the goals missed, as far as the simulation tells; the causes were not measured apart:

- *Lag.* Each wait learns its share from its own refusals, and one that sends few requests meets few: shares differ
  between waits. One wait for all the tasks keeps the goal in every cell.
- *Use.* The cells that miss it are short or sliding windows with many waits. These meet in a window by chance, are
  refused, and slow down although the limit is not used up on average. A bucket, which forgives that, is used to 96 %
  and more.

Waits of one account have no means to share what they know. Under fewer than 20 requests in a window whoever comes first
may take them all: a wait beside another may then see nothing for an hour. It ends at its `timeout`, and says why.
"""


@dataclasses.dataclass(frozen=True)
class Cell:
    """So many waits for so many tasks each under one limit."""

    kind: str
    requests: int
    window: int
    count: int
    waits: int

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"{self.kind} {self.requests}/{self.window} {self.count}x{self.waits}"

    def measure(self) -> Figures:
        """Run its waits."""
        rounds = 2 if self.count * self.waits >= 1000 else 10
        found = measure(
            self.kind,
            self.requests,
            self.window,
            self.count,
            self.waits,
            rounds=rounds,
            max_sleep=SLEEP,
            sleep=SLEEP,
        )
        # The tasks never end: a wait that fails otherwise than by its timeout has failed.
        failed = sum(not end.failure or end.failure.kind != "timeout" for end in found.views)
        return {"failed": float(failed), "granted": found.granted, "used": found.used, "lag": found.lag_p95}

    def row(self, found: Figures) -> str:
        """Its line in the table."""
        used = min(found["used"], 1)
        missed = [f"granted by {LEAST_GRANTED - found['granted']:.0%}"] if found["granted"] < LEAST_GRANTED else []
        missed += [f"used by {LEAST_USED - used:.0%}"] if used < LEAST_USED else []
        missed += [f"lag by {found['lag'] - MOST_LAG:.2f}"] if found["lag"] > MOST_LAG else []
        shown = [LIMITS[self.requests, self.window], f"{self.count:,}", str(self.waits), self.kind]
        figures = [f"{found['failed']:.0f}", f"{found['granted']:.0%}", f"{used:.0%}", f"{found['lag']:.2f}"]
        return "| " + " | ".join([*shown, *figures, ", ".join(missed) or "-"]) + " |"


def cells(shapes: Sequence[tuple[int, int]]) -> Iterator[Cell]:
    """All that may be refused; fewer tasks never are."""
    for requests, window in LIMITS:
        for count, waits in shapes:
            if count * waits / SLEEP > requests / window:
                yield from (Cell(kind, requests, window, count, waits) for kind in KINDS)


def alone() -> list[Cell]:
    """One wait."""
    return list(cells([(count, 1) for count in ALONE]))


def together() -> list[Cell]:
    """Several waits."""
    return list(cells(TOGETHER))


def _listed(*, lists: bool) -> Figures:
    """A thousand tasks that end within an hour."""
    sky = cloud(spread(1000, 3600), limit=FixedWindow(200, 300), list_limit=FixedWindow(200, 300))
    sky.wait(lists=lists, timeout=7200, sleep=SLEEP, max_sleep=30)
    return {
        "lag_p95": stats.percentile(sky.lags(), 95),
        "pages": float(sky.pages),
        "polls": float(len(sky.by_id.requests)),
    }


def run(bench: Bench, scale: Scale) -> list[dict[str, Figures]]:
    """All cells; in quick, one of each table."""
    full = scale.many == FULL.many
    chosen = [*alone(), *together()] if full else [alone()[0], together()[0]]
    found = {cell.key: cell.measure() for cell in chosen}
    if full:
        found |= {LISTED: _listed(lists=True), BY_ID: _listed(lists=False)}
    return [found]


def write(result: Result, target: pathlib.Path = TARGET) -> None:
    """Write the page of full figures."""
    target.write_text(_page(result.runs[0]), encoding="utf-8")


def _page(found: dict[str, Figures]) -> str:
    listed = found[LISTED]
    words = {"listed": listed["lag_p95"], "pages": listed["pages"], "polls": listed["polls"]}
    words["by_id"] = found[BY_ID]["lag_p95"]
    sections = [
        INTRODUCTION.format(guide="\n".join(_guide()), verdict=_verdict(found), **words),
        _table(alone(), found),
        TOGETHER_TITLE,
        _table(together(), found),
        WHY,
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _verdict(found: dict[str, Figures]) -> str:
    said = []
    for name, those in (("one wait", alone()), ("several waits", together())):
        figures = [found[cell.key] for cell in those]
        late = sum(each["lag"] > MOST_LAG for each in figures)
        unused = sum(each["used"] < LEAST_USED for each in figures)
        refused = sum(each["granted"] < LEAST_GRANTED for each in figures)
        said.append(
            f"Of {len(figures)} cells of {name}, {late} miss the lag, {unused} the use, {refused} what is granted."
        )
    return "\n".join(said)


def _table(those: Sequence[Cell], found: dict[str, Figures]) -> str:
    head = ["limit", "tasks", "waits", "kind", "failed", "granted", "used", "lag", "goals missed"]
    rule = "|---|---:|---:|---|---:|---:|---:|---:|---|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *(cell.row(found[cell.key]) for cell in those)])


def _guide() -> Iterator[str]:
    yield "| tasks | " + " | ".join(LIMITS.values()) + " |"
    yield "|---:|" + "---:|" * len(LIMITS)
    for count in ALONE:
        rounds = (max(count * window / requests, SLEEP) for requests, window in LIMITS)
        yield f"| {count:,} | " + " | ".join(f"{seconds:,.0f} s" for seconds in rounds) + " |"
