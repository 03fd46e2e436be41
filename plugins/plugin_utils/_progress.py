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
import time
import typing as t

from ..module_utils._result import MAX_LABEL, TaskText, describe_limit, describe_task, pending
from ..module_utils._task import State
from ..module_utils._task_watch import TaskWatch
from ..module_utils._text import plain, plural
from ..module_utils._waiter import WaitView

MAX_LINES = 10
# So many tasks fit into a command; the ids of more are those that the play has.
MAX_LISTED = 100
# A line is cut after so many characters, but for the command that resumes the wait.
MAX_LINE = 400
BAR_CELLS = 10
# Columns grow with what is in them, up to this.
MAX_COLUMN = 40
MIN_SECONDS_BETWEEN = 1.0
HEARTBEAT_SECONDS = 60.0
# A killed wait can no longer say how to resume it, so a longer one says so in advance.
SECONDS_BEFORE_COMMAND = 60.0
# A later end is told with its date, and one in years not at all.
HALF_A_DAY_SECONDS = 43_200.0
FOREVER_SECONDS = 1e8

# Shows a line; the second argument is a level, one of the following. After a line of the level LAST the process ends.
Show = t.Callable[[str, str], None]
PLAIN, GOOD, BAD, TROUBLE, LAST = "plain", "good", "bad", "trouble", "last"

LEVELS = {
    State.SUCCEEDED: GOOD,
    State.FAILED: BAD,
    State.CANCELED: BAD,
    State.NEEDS_ACTION: BAD,
}


class Progress:
    """Turns the views of a wait into lines: changes, totals, and a sign of life."""

    def __init__(
        self,
        show: Show,
        *,
        host: str,
        clock: t.Callable[[], float],
        blocks: bool,
        options: t.Mapping[str, t.Any] | None = None,
        wall_clock: t.Callable[[], float] = time.time,
    ) -> None:
        """``options`` are those that the command that resumes the wait needs beside the tasks."""
        self._show = show
        self._options = dict(options or {})
        self._host = host
        self._clock = clock
        self._wall_clock = wall_clock
        self._cells = ("█", "░") if blocks else ("#", "-")
        self._told: dict[TaskWatch, tuple[object, ...]] = {}
        self._told_figures: dict[TaskWatch, tuple[int, str]] = {}
        self._widths = [0, 0, 0, 0]
        self._told_at: float | None = None
        self._told_limit = self._told_command = self._is_interrupted = False
        self._begun_at = clock()
        self._view: WaitView | None = None

    def begin(self, view: WaitView) -> None:
        """Take in what is waited for; nothing is told yet, as the wait may be over at its first poll."""
        self._view = view
        self._begun_at = self._clock()

    def update(self, view: WaitView) -> None:
        """Tell what has changed; nothing is told of a wait that is over at its first poll."""
        self._view = view
        if self._told_at is None:
            if view.over:
                return
            self._open(view)
        elif not view.over and self._clock() - self._told_at < MIN_SECONDS_BETWEEN:
            return
        before = self._told_at
        self._tell_changes(view)
        self._tell_limit(view)
        # Where there is no news the next heartbeat brings the command.
        if (view.over or self._told_at != before) and _may_be_resumed(view):
            self._tell_command(view)

    def seconds_until_heartbeat(self) -> float:
        """Return how long to sleep at most before `heartbeat` is due."""
        since = self._begun_at if self._told_at is None else self._told_at
        return max(HEARTBEAT_SECONDS - (self._clock() - since), 0.0)

    def heartbeat(self) -> None:
        """Give a sign of life where nothing was told for a while: a silent job gets killed."""
        view = self._view
        if view is None or self.seconds_until_heartbeat() > 0:
            return
        if self._told_at is None:
            self._open(view)
        since = self._clock() - view.now
        elapsed = _duration(since + view.elapsed)
        self._line(f"{_totals(view)}, still waiting after {elapsed}{_age(view, since)}", PLAIN)
        if since + view.elapsed >= SECONDS_BEFORE_COMMAND:
            self._tell_command(view)

    def interrupted(self) -> None:
        """Tell how to resume the wait, which ends at once."""
        left = pending(self._view.watches) if self._view and not self._is_interrupted else []
        if left:
            # A second signal may come before the first has ended the process.
            self._is_interrupted = True
            self._line(f"interrupted; {self._how_to_resume(left)}", LAST, limit=None)

    def _line(self, text: str, level: str, limit: int | None = MAX_LINE) -> None:
        self._told_at = self._clock()
        self._show(f"[{self._host}] {text if limit is None or len(text) <= limit else plain(text, limit)}", level)

    def _open(self, view: WaitView) -> None:
        left, total = len(pending(view.watches)), len(set(view.watches))
        tasks = plural(total, "task")
        self._line(f"waiting for {tasks if left == total else f'{left} of {tasks}'}{self._until(view)}", PLAIN)

    def _until(self, view: WaitView) -> str:
        seconds = max(view.policy.timeout - view.elapsed, 0.0)
        if seconds >= FOREVER_SECONDS:
            return ""
        form = "%H:%M:%S %Z" if seconds < HALF_A_DAY_SECONDS else "%Y-%m-%d %H:%M %Z"
        return time.strftime(f", until {form} at the latest", time.localtime(self._wall_clock() + seconds))

    def _tell_changes(self, view: WaitView) -> None:
        watches = list(dict.fromkeys(view.watches))
        notable = {watch: _notable(watch, describe_task(watch, view.now)) for watch in watches}
        changed = [watch for watch in watches if self._told.get(watch) != notable[watch]]
        shown = sorted(changed, key=_urgency)[:MAX_LINES]
        rows = [self._columns(watch, view) for watch in shown]
        for column, width in enumerate(self._widths):
            self._widths[column] = max([width, *(len(row[column]) for row in rows)])
        for watch, row in zip(shown, rows):
            self._line(self._task_line(watch, row, view), _level(watch))
        self._told.update({watch: notable[watch] for watch in changed})
        if changed and len(watches) > MAX_LINES:
            self._line(_totals(view), PLAIN)

    def _tell_limit(self, view: WaitView) -> None:
        limit = describe_limit(view)
        if limit and not view.over and not self._told_limit:
            self._told_limit = True
            self._line(f"throttled: {limit}", TROUBLE)

    def _tell_command(self, view: WaitView) -> None:
        """Tell how to resume the wait, once it may be of use."""
        left = pending(watch for watch in view.watches if not _never_was(watch))
        if self._told_command or not left:
            return
        self._told_command = True
        when = "" if view.over else "if interrupted, "
        self._line(f"{when}{self._how_to_resume(left)}", PLAIN, limit=None)

    def _how_to_resume(self, left: list[dict[str, t.Any]]) -> str:
        if len(left) > MAX_LISTED:
            return "run the same task again to resume the wait"
        tasks = [{key: value for key, value in ref.items() if value is not None} for ref in left]
        variables = shlex.quote(json.dumps({"tasks": tasks, **self._options}))
        return f"resume with: ansible-playbook huaweicloud.tasks.wait -e {variables}"

    def _columns(self, watch: TaskWatch, view: WaitView) -> list[str]:
        """Return what stands below each other: the task, its name, its status, its progress."""
        task, text = watch.task, describe_task(watch, view.now)
        name = plain((task.name if task else watch.ref.task_name) or "", MAX_LABEL)
        progress = self._bar(text.progress) if text.progress is not None and not watch.settled else ""
        return [f"{text.service} {_short_id(watch)}", name, _status(watch, text), progress]

    def _task_line(self, watch: TaskWatch, row: list[str], view: WaitView) -> str:
        task, text = watch.task, describe_task(watch, view.now)
        columns = [part.ljust(min(width, MAX_COLUMN)) for part, width in zip(row, self._widths) if width]
        parts = [f"elapsed {_duration(view.elapsed)}"]
        if task and task.remaining_seconds is not None and not watch.settled:
            parts.append(f"remaining {_duration(task.remaining_seconds)}")
        parts += [text.step, self._fall(watch, text), _trouble(watch, text)]
        return "  ".join([*columns, *filter(None, parts)])

    def _bar(self, percent: int) -> str:
        full = percent * BAR_CELLS // 100
        return f"{self._cells[0] * full}{self._cells[1] * (BAR_CELLS - full)} {percent:3d} %"

    def _fall(self, watch: TaskWatch, text: TaskText) -> str:
        """Say why there is less progress than before: another step, or the API's own figure."""
        if text.progress is None or watch.settled:
            return ""
        before, step = self._told_figures.get(watch, (0, ""))
        self._told_figures[watch] = (text.progress, text.step)
        if text.progress >= before:
            return ""
        return f"(was {before} % at {step})" if step not in ("", text.step) else f"(the API reported {before} % before)"


def _may_be_resumed(view: WaitView) -> bool:
    if not view.over:
        return view.elapsed >= SECONDS_BEFORE_COMMAND
    succeeded = [watch.succeeded for watch in view.watches]
    return not (any(succeeded) if view.policy.require == "any" else all(succeeded))


def _never_was(watch: TaskWatch) -> bool:
    """Say whether the API never knew the task, which waiting again cannot change."""
    return watch.task is None and watch.final_error is not None and watch.final_error.kind == "not_found"


def _notable(watch: TaskWatch, text: TaskText) -> tuple[object, ...]:
    """Return what makes a task worth a line when it changes."""
    return (text.trouble, watch.final_error is not None, text.status, text.progress, text.step)


def _urgency(watch: TaskWatch) -> int:
    return (BAD, TROUBLE, GOOD, PLAIN).index(_level(watch))


def _level(watch: TaskWatch) -> str:
    if watch.final_error:
        return BAD
    if watch.in_trouble:
        return TROUBLE
    return LEVELS.get(watch.task.state, PLAIN) if watch.task else PLAIN


def _status(watch: TaskWatch, text: TaskText) -> str:
    if watch.task:
        has_state = watch.task.state != State.UNKNOWN
        return text.status or (watch.task.state.replace("_", " ") if has_state else "no status")
    return "not seen" if text.trouble else "not polled yet"


def _trouble(watch: TaskWatch, text: TaskText) -> str:
    return f"{text.trouble}, {'gave up' if watch.final_error else 'retrying'}" if text.trouble else ""


def _short_id(watch: TaskWatch) -> str:
    return (watch.ref.task_id or watch.ref.instance_id or "")[:8]


def _totals(view: WaitView) -> str:
    watches = list(dict.fromkeys(view.watches))
    states = [watch.task.state if watch.task else "not seen" for watch in watches]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    ended = sum(counts.pop(state, 0) for state in (State.SUCCEEDED, State.FAILED, State.CANCELED))
    parts = [f"{ended} of {len(watches)} finished"]
    failed = sum(watch.failed and (watch.final_error is not None or not watch.needs_action) for watch in watches)
    if failed:
        parts.append(f"{failed} failed")
    parts += [f"{count} {state.replace('_', ' ')}" for state, count in counts.items()]
    parts += _errors(watches)
    slowest = _slowest(watches)
    return ", ".join(parts + ([f"slowest {slowest} %"] if slowest is not None else []))


def _errors(watches: t.Iterable[TaskWatch]) -> list[str]:
    """Say for how many tasks the state may be an old one."""
    errors = [watch.error for watch in watches if watch.error and watch.trouble_since is not None and not watch.settled]
    if not errors:
        return []
    kinds = dict.fromkeys(f"HTTP {error.http_status}" if error.http_status else "no response" for error in errors)
    return [f"{len(errors)} without a good response ({', '.join(kinds)})"]


def _age(view: WaitView, since: float) -> str:
    """Say what a request limit does to the wait, and how old the oldest news is."""
    limit = describe_limit(view)
    if not limit:
        return ""
    if view.oldest_poll_age is None:
        return f". {limit}"
    return f". {limit} Oldest status: {_duration(view.oldest_poll_age + since)} ago."


def _slowest(watches: t.Iterable[TaskWatch]) -> int | None:
    running = [watch.task.progress for watch in watches if watch.task and not watch.settled]
    return min((progress for progress in running if progress is not None), default=None)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
