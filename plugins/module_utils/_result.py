# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait's result: what the module returns, and its message for people.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import typing as t

from ._custom import title_of as title_of_ref
from ._errors import (
    NOT_FOUND_HINT,
    ApiError,
    ErrorClass,
    TasksError,
)
from ._task import FAILED_STATES, State, Task, TaskRef, unseen
from ._waiter import EPSILON, Snapshot, TaskWatch

# More tasks than this are counted in a message, not named.
MAX_NAMED = 10
PENDING = '`tasks: "{{ result.pending }}"`'


def input_error_result(error: TasksError) -> dict[str, t.Any]:
    """Return the result of a wait that did not begin, with the same keys as any other."""
    nothing: dict[str, t.Any] = {"tasks": [], "task": None, "pending": [], "elapsed": 0.0, "polls": 0, "failure": None}
    return {"changed": False, **nothing, **error.to_result()}


def wait_result(snapshot: Snapshot, *, single: bool) -> dict[str, t.Any]:
    """Return what ``wait_for_task`` returns; ``single``: the task was given by the single options."""
    tasks = [_entry(watch) for watch in snapshot.watches]
    return {
        "changed": False,
        "tasks": tasks,
        "task": tasks[0] if single and tasks else None,
        "pending": pending(snapshot.watches),
        "elapsed": round(snapshot.elapsed, 1),
        "polls": snapshot.polls,
        "msg": message(snapshot),
        "failure": snapshot.failure.to_dict() if snapshot.failure else None,
    }


def _entry(watch: TaskWatch) -> dict[str, t.Any]:
    task = watch.task or unseen(watch.ref)
    return dict(task.to_dict(), error=watch.error.to_failure() if watch.error else None)


def pending(watches: t.Iterable[TaskWatch]) -> list[dict[str, str | None]]:
    """Return the tasks that have not finished, each once, in the form of the option ``tasks``."""
    refs: dict[TaskRef, None] = {watch.ref: None for watch in watches if not watch.finished}
    return [ref.to_option() for ref in refs]


def unknown_status_warnings(watches: t.Iterable[TaskWatch]) -> list[str]:
    """Return a warning for each status word that no table lists."""
    statuses = {(watch.ref.service, word): watch for watch in watches for word in watch.unknown_statuses}
    return [
        f"The {title_of(watch)} task {name_of(watch)} has the status '{word}', which this collection does not know. "
        "It counts as not finished."
        for (dummy, word), watch in statuses.items()
    ]


def message(snapshot: Snapshot) -> str:
    """Say how a wait ended and, where tasks are left, where they stand and how to go on."""
    once = "Check mode: looked once." if snapshot.policy.poll_once else ""
    ran_out = _ran_out(snapshot)
    parts = [once, _why(snapshot, ran_out), _others(snapshot), ran_out, _count(snapshot), *_unfinished(snapshot)]
    return " ".join(" ".join(parts).split())


def title_of(watch: TaskWatch) -> str:
    """Return the name of a task's service for people."""
    return title_of_ref(watch.ref)


def _why(snapshot: Snapshot, ran_out: str) -> str:
    failure = snapshot.failure
    if failure is None:
        return _which(snapshot)
    if failure.watch is None:
        return "" if ran_out else f"Given up: {failure.message}."
    return _describe_failure(failure.watch)


def _ran_out(snapshot: Snapshot) -> str:
    """Say that the timeout ended the wait, which it may do after a task has failed."""
    failure, policy = snapshot.failure, snapshot.policy
    if failure is None or snapshot.elapsed < policy.timeout - EPSILON:
        return ""
    went_on = not policy.fail_fast and failure.watch and not all(watch.settled for watch in snapshot.watches)
    if failure.kind != "timeout" and not went_on:
        return ""
    return f"The timeout of {_exactly(policy.timeout)} s ran out."


def _exactly(seconds: float) -> str:
    """Return a number that somebody chose, without needless decimals."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _which(snapshot: Snapshot) -> str:
    """Say which tasks succeeded where one was enough."""
    watches = list(dict.fromkeys(snapshot.watches))
    good = [name_of(watch) for watch in watches if watch.succeeded]
    if snapshot.policy.require == "all" or len(good) in (0, len(watches)):
        return ""
    return f"Succeeded: {', '.join(good[:MAX_NAMED])}."


def _others(snapshot: Snapshot) -> str:
    """Say what became of further tasks that failed, so that none is lost behind the first."""
    told = snapshot.failure.watch if snapshot.failure else None
    others = [watch for watch in dict.fromkeys(snapshot.watches) if watch.failed and watch is not told]
    fates = [_describe_failure(watch) for watch in others[:MAX_NAMED]]
    more = len(others) - MAX_NAMED
    if more > 0:
        fates.append(f"{more} more {'task' if more == 1 else 'tasks'} failed.")
    return " ".join(fates)


def _describe_failure(watch: TaskWatch) -> str:
    """Say how a task failed, or why it is asked for no more."""
    if watch.final_error is not None:
        return _sentence(_unknown_id(watch) if watch.final_error.kind == "not_found" else str(watch.final_error))
    task = t.cast(Task, watch.task)
    if task.state == State.NEEDS_ACTION:
        return (
            f"The {title_of(watch)} task {name_of(watch)} has the status {task.status}: somebody must approve it in "
            "the console before it goes on."
        )
    verb = "was canceled" if task.state == State.CANCELED else "failed"
    reason = f": {task.fail_reason}" if task.fail_reason else ""
    return _sentence(
        f"The {title_of(watch)} task {name_of(watch)} {verb}{_at_step(task)} (status {task.status}){reason}"
    )


def _at_step(task: Task) -> str:
    steps = [step.name for step in task.sub_tasks if step.name and step.state in FAILED_STATES]
    return f" at step {', '.join(steps)}" if steps else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _unknown_id(watch: TaskWatch) -> str:
    return f"{_describe_not_found(watch)}. {_without_advice(watch.final_error)}"


def _without_advice(error: ApiError | None) -> str:
    """Leave out what the story of an unknown id says already."""
    if error is None or not error.hint.startswith(NOT_FOUND_HINT):
        return str(error)
    return str(error).replace(error.hint, "").strip()


def _describe_not_found(watch: TaskWatch) -> str:
    if watch.task is None:
        story = "never seen: wrong id, region or project, or the task is older than a month"
    else:
        story = f"seen with the status {watch.task.status}, then vanished"
    return f"The {title_of(watch)} task {name_of(watch)} is unknown to the API ({story})"


def _count(snapshot: Snapshot) -> str:
    total = len({watch.ref for watch in snapshot.watches})
    if total == 0:
        return "There is nothing to wait for."
    finished = len({watch.ref for watch in snapshot.watches if watch.finished})
    noun = "task" if total == 1 else "tasks"
    return f"{finished} of {total} {noun} finished; waited {snapshot.elapsed:.0f} s."


def _unfinished(snapshot: Snapshot) -> list[str]:
    left = [watch for watch in dict.fromkeys(snapshot.watches) if not watch.finished]
    if not left:
        return []
    parts = [_describe_unfinished(state, left, snapshot.now) for state in _states_of(left)]
    parts += _last_error(left, snapshot)
    if snapshot.failure or snapshot.policy.require == "any":
        parts.append(_how_to_resume(snapshot.watches, len(left)))
    return parts


def _how_to_resume(watches: t.Iterable[TaskWatch], left: int) -> str:
    noun = "task was" if left == 1 else "tasks were"
    if any(watch.finished and watch.failed for watch in watches):
        them = "it" if left == 1 else "them"
        return f"The other {noun} not cancelled. Wait for {them} with {PENDING}, which leaves out what failed."
    return f"The cloud {noun} not cancelled. Resume with {PENDING}."


def _states_of(watches: t.Iterable[TaskWatch]) -> list[str]:
    return list(dict.fromkeys(_state_of(watch) for watch in watches))


def _state_of(watch: TaskWatch) -> str:
    if watch.task is None:
        return "not seen"
    statuses = {State.NEEDS_ACTION: "waiting for approval", State.UNKNOWN: "not finished"}
    state = statuses.get(watch.task.state, watch.task.state)
    return f"last seen {state}" if watch.in_trouble or watch.final_error else state


def _describe_unfinished(state: str, watches: t.Sequence[TaskWatch], now: float) -> str:
    those = [watch for watch in watches if _state_of(watch) == state]
    named = [f"{name_of(watch)}{_progress(watch, now)}" for watch in those[:MAX_NAMED]]
    if len(those) > MAX_NAMED:
        named.append(f"and {len(those) - MAX_NAMED} more")
    head = state.capitalize() if state.startswith(("not seen", "last seen")) else f"Still {state}"
    return f"{head}: {', '.join(named)}."


def name_of(watch: TaskWatch) -> str:
    """Return name and id of a task as far as they are known."""
    task = watch.task or unseen(watch.ref)
    return " ".join(part for part in (task.name, task.id or task.instance_id) if part)


def _progress(watch: TaskWatch, now: float) -> str:
    task = watch.task
    if task is None or watch.changed_at is None:
        return ""
    word = f" (status {task.status})" if task.state == State.UNKNOWN and task.status else ""
    percent = f" {task.progress} %" if task.progress is not None else ""
    return f"{word}{percent}{_unchanged_for(watch, now)}"


def _unchanged_for(watch: TaskWatch, now: float) -> str:
    """Say how long a task has been as it is or, without a good answer, how long nobody can tell."""
    troubles = [since for since in (watch.trouble_since, watch.unknown_since) if since is not None]
    if not troubles and watch.final_error:
        return ""
    what = "no good answer" if troubles else "no change"
    seconds = now - min(troubles or [t.cast(float, watch.changed_at)])
    return f" ({what} for {seconds:.0f} s)" if seconds >= 1 else ""


def _last_error(left: t.Sequence[TaskWatch], snapshot: Snapshot) -> list[str]:
    if snapshot.failure and snapshot.failure.watch and snapshot.failure.watch.final_error:
        return []
    troubled = [watch for watch in left if watch.in_trouble]
    if not troubled:
        return []
    watch = troubled[0]
    is_unknown = watch.error is not None and watch.error.error_class is ErrorClass.NOT_FOUND
    text = f"{_describe_not_found(watch)}. {_without_advice(watch.error)}" if is_unknown else str(watch.error)
    return [_sentence(f"Last error: {text}")]
