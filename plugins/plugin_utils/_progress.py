# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines that say live where a wait stands.

Each line is complete in itself: other hosts, loops and the strategy free put their own lines between.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import json
import shlex
import typing as t

from ..module_utils._result import name_of, pending, title_of
from ..module_utils._task import State
from ..module_utils._waiter import Snapshot, TaskWatch

MAX_LINES = 10
# So many tasks fit into a command; the ids of more are those that the play has.
MAX_LISTED = 100
BAR_CELLS = 10
MIN_SECONDS_BETWEEN = 1.0
HEARTBEAT_SECONDS = 60.0

# Shows a line; the second argument is a level, one of the following.
Show = t.Callable[[str, str], None]
PLAIN, GOOD, BAD, TROUBLE = "plain", "good", "bad", "trouble"

LEVELS = {
    State.SUCCEEDED: GOOD,
    State.FAILED: BAD,
    State.CANCELED: BAD,
    State.NEEDS_ACTION: BAD,
}


class Progress:
    """Turns the snapshots of a wait into lines: changes, totals, and a sign of life."""

    def __init__(
        self,
        show: Show,
        *,
        host: str,
        clock: t.Callable[[], float],
        blocks: bool,
        options: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        """``options`` are those that the command that resumes the wait needs beside the tasks."""
        self._show = show
        self._options = dict(options or {})
        self._host = host
        self._clock = clock
        self._cells = ("█", "░") if blocks else ("#", "-")
        self._told: dict[TaskWatch, t.Any] = {}
        self._told_at: float | None = None
        self._begun_at = clock()
        self._snapshot: Snapshot | None = None

    def begin(self, snapshot: Snapshot) -> None:
        """Take in what is waited for; nothing is told yet, as the wait may be over at its first look."""
        self._snapshot = snapshot
        self._begun_at = self._clock()

    def update(self, snapshot: Snapshot) -> None:
        """Tell what has changed; nothing is told of a wait that is over at its first look."""
        self._snapshot = snapshot
        if self._told_at is None:
            if snapshot.over:
                return
            self._line(self._opening(snapshot), PLAIN)
        elif not snapshot.over and self._clock() - self._told_at < MIN_SECONDS_BETWEEN:
            return
        watches = list(dict.fromkeys(snapshot.watches))
        changed = [watch for watch in watches if self._told.get(watch) != _story(watch)]
        for watch in sorted(changed, key=_urgency)[:MAX_LINES]:
            self._line(self._task_line(watch, snapshot), _level(watch))
        self._told.update({watch: _story(watch) for watch in changed})
        if changed and len(watches) > MAX_LINES:
            self._line(_totals(snapshot), PLAIN)

    def seconds_until_heartbeat(self) -> float:
        """Return how long to sleep at most before `heartbeat` is due."""
        since = self._begun_at if self._told_at is None else self._told_at
        return max(HEARTBEAT_SECONDS - (self._clock() - since), 0.0)

    def heartbeat(self) -> None:
        """Give a sign of life where nothing was told for a while: a silent job gets killed."""
        if self._snapshot is None or self.seconds_until_heartbeat() > 0:
            return
        if self._told_at is None:
            self._line(self._opening(self._snapshot), PLAIN)
        elapsed = _duration(self._clock() - self._snapshot.now + self._snapshot.elapsed)
        self._line(f"{_totals(self._snapshot)}, still waiting after {elapsed}", PLAIN)

    def _line(self, text: str, level: str) -> None:
        self._told_at = self._clock()
        # The cloud chooses names: a line stays one line, and plain text.
        plain = "".join(letter if letter.isprintable() else " " for letter in text)
        self._show(f"[{self._host}] {plain}", level)

    def _opening(self, snapshot: Snapshot) -> str:
        left = pending(snapshot.watches)
        noun = "task" if len(left) == 1 else "tasks"
        head = f"waiting for {len(left)} {noun}, up to {_duration(snapshot.policy.timeout)}"
        if len(left) <= MAX_LINES:
            waiting = [watch for watch in dict.fromkeys(snapshot.watches) if not watch.finished]
            head += ": " + ", ".join(f"{title_of(watch)} {name_of(watch)}" for watch in waiting)
        if len(left) > MAX_LISTED:
            return f"{head}. If interrupted, run the same task again"
        tasks = [{key: value for key, value in ref.items() if value is not None} for ref in left]
        variables = shlex.quote(json.dumps({"tasks": tasks, **self._options}))
        return f"{head}. If interrupted, resume with: ansible-playbook huaweicloud.tasks.wait -e {variables}"

    def _task_line(self, watch: TaskWatch, snapshot: Snapshot) -> str:
        task = watch.task
        parts = [f"{title_of(watch)} {_short_id(watch)}", task.name if task else watch.ref.task_name]
        parts.append(_status(watch))
        if task and task.progress is not None and not watch.settled:
            parts.append(f"{self._bar(task.progress)} {task.progress:3d} %")
        parts.append(_step(watch))
        parts.append(f"elapsed {_duration(snapshot.elapsed)}")
        if task and task.remaining_seconds is not None and not watch.settled:
            parts.append(f"remaining {_duration(task.remaining_seconds)}")
        return "  ".join(part for part in parts if part)

    def _bar(self, percent: int) -> str:
        full = percent * BAR_CELLS // 100
        return self._cells[0] * full + self._cells[1] * (BAR_CELLS - full)


def _story(watch: TaskWatch) -> tuple[t.Any, ...]:
    """Return what makes a task worth a line when it changes."""
    error = watch.error if watch.in_trouble or watch.final_error else None
    trouble = (error.kind, error.code, error.http_status, watch.final_error is not None) if error else None
    task = watch.task
    return (trouble, task and (task.status, task.progress), _step(watch))


def _urgency(watch: TaskWatch) -> int:
    return (BAD, TROUBLE, GOOD, PLAIN).index(_level(watch))


def _level(watch: TaskWatch) -> str:
    if watch.final_error:
        return BAD
    if watch.in_trouble:
        return TROUBLE
    return LEVELS.get(watch.task.state, PLAIN) if watch.task else PLAIN


def _status(watch: TaskWatch) -> str:
    error = watch.error
    if error is not None and (watch.in_trouble or watch.final_error):
        what = " ".join(str(part) for part in (error.http_status, error.code) if part) or error.message
        after = "given up" if watch.final_error else "asking again"
        known = f"{watch.task.status}, " if watch.task else ""
        return f"{known}no answer ({what}), {after}" if error.kind == "connection" else f"{known}{what}, {after}"
    return (watch.task.status if watch.task else None) or "no status"


def _step(watch: TaskWatch) -> str:
    """Return the step in hand of a task that has steps."""
    steps = watch.task.sub_tasks if watch.task else ()
    step = next((step for step in steps if step.state in (State.RUNNING, State.FAILED)), None)
    return f"step {step.name}" if step and step.name else ""


def _short_id(watch: TaskWatch) -> str:
    return (watch.ref.task_id or watch.ref.instance_id or "")[:8]


def _totals(snapshot: Snapshot) -> str:
    watches = list(dict.fromkeys(snapshot.watches))
    states = [watch.task.state if watch.task else "not seen" for watch in watches]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    ended = sum(counts.pop(state, 0) for state in (State.SUCCEEDED, State.FAILED, State.CANCELED))
    parts = [f"{ended} of {len(watches)} finished"]
    failed = sum(watch.failed for watch in watches)
    if failed:
        parts.append(f"{failed} failed")
    parts += [f"{count} {state.replace('_', ' ')}" for state, count in counts.items()]
    errors = [watch.error for watch in watches if watch.error and watch.trouble_since is not None and not watch.settled]
    if errors:
        # A state above may be an old one.
        kinds = dict.fromkeys(f"HTTP {error.http_status}" if error.http_status else "no answer" for error in errors)
        parts.append(f"{len(errors)} without a good answer ({', '.join(kinds)})")
    slowest = _slowest(watches)
    return ", ".join(parts + ([f"slowest {slowest} %"] if slowest is not None else []))


def _slowest(watches: t.Iterable[TaskWatch]) -> int | None:
    running = [watch.task.progress for watch in watches if watch.task and not watch.settled]
    return min((progress for progress in running if progress is not None), default=None)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
