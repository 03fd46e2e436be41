# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait's result: what the module returns, and what people are told of it.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import typing as t

from ._custom import CUSTOM, service_of, title_of
from ._errors import ApiError, TasksError, describe_response
from ._policy import EPSILON
from ._task import FAILED_STATES, State, SubTask, Task, TaskRef, unseen
from ._task_watch import MAX_UNKNOWN_STATUSES, TaskWatch
from ._text import plain, plural, sentence
from ._waiter import WaitView

# More tasks or steps than these are counted in a message, not named.
MAX_NAMED = 10
MAX_NAMED_STEPS = 3
# Characters of a text that an API or a user has chosen.
MAX_LABEL = 80
MAX_STATUS = 60
MAX_REASON = 600
# Characters of the parts of a message; with what cannot grow they stay below `MAX_MESSAGE`.
MAX_FIRST = 1200
MAX_OTHERS = 1200
MAX_UNFINISHED = 1400
MAX_LAST_ERROR = 500
HTTP_OK = 200
PENDING = '`tasks: "{{ result.pending }}"`'


def input_error_result(error: TasksError) -> dict[str, t.Any]:
    """Return the result of a wait that did not begin, with the same keys as any other."""
    nothing: dict[str, t.Any] = {"tasks": [], "task": None, "pending": [], "elapsed": 0.0, "polls": 0, "failure": None}
    return {"changed": False, **nothing, **error.to_result()}


def wait_result(view: WaitView, *, single: bool) -> dict[str, t.Any]:
    """Return what ``wait_for_task`` returns; ``single``: the task was given by the single options."""
    tasks = [entry_of(watch) for watch in view.watches]
    return {
        "changed": False,
        "tasks": tasks,
        "task": tasks[0] if single and tasks else None,
        "pending": pending(view.watches),
        "elapsed": round(view.elapsed, 1),
        "polls": view.polls,
        "msg": message(view),
        "failure": view.failure.to_dict() if view.failure else None,
    }


def entry_of(watch: TaskWatch) -> dict[str, t.Any]:
    """Return a task as it was last seen, with the last error, as one of a result's ``tasks``."""
    task = watch.task or unseen(watch.ref)
    return dict(task.to_dict(), error=watch.error.to_failure() if watch.error else None)


def pending(watches: t.Iterable[TaskWatch]) -> list[dict[str, t.Any]]:
    """Return the tasks that have not finished, each once, in the form of the option ``tasks``."""
    refs: dict[TaskRef, None] = {watch.ref: None for watch in watches if not watch.finished}
    return [ref.to_option() for ref in refs]


def unknown_status_warnings(watches: t.Sequence[TaskWatch]) -> list[str]:
    """Return a warning for each status word that no table lists, and one for each service that had too many."""
    statuses = {(watch.ref.service, word): watch for watch in watches for word in watch.unknown_statuses}
    too_many = {watch.ref.service: watch for watch in watches if watch.has_more_unknown_statuses}
    return [
        *(
            f"The {_subject(watch)} {_unknown_status(watch.ref, word)}. The task counts as not finished."
            for (dummy, word), watch in statuses.items()
        ),
        *(
            f"The {_subject(watch)} has had further statuses that {_who_knows_not(service)}. "
            f"The first {MAX_UNKNOWN_STATUSES} are named."
            for service, watch in too_many.items()
        ),
    ]


def _unknown_status(ref: TaskRef, word: str) -> str:
    if not word:
        option = " (api.fields.status)" if ref.service == CUSTOM else ""
        return f"has no status: there is nothing at {service_of(ref).fields['status']}{option}"
    return f"has the status '{plain(word, MAX_STATUS)}', which {_who_knows_not(ref.service)}"


def _who_knows_not(service: str) -> str:
    return "api does not list" if service == CUSTOM else "this collection does not know"


# One task


class TaskText(t.NamedTuple):
    """What people are told of one task: each text is plain and short, and empty where there is nothing to tell.

    ``step`` is the step in hand, ``trouble`` what the last poll ran into, ``note`` how old the news is.
    """

    service: str
    label: str
    status: str
    progress: int | None
    step: str
    trouble: str
    note: str


def describe_task(watch: TaskWatch, now: float) -> TaskText:
    """Put into words where a task stands; ``now`` is by the wait's clock."""
    task = watch.task or unseen(watch.ref)
    return TaskText(
        service=title_of(watch.ref),
        label=_label(task),
        status=plain(task.status or "", MAX_STATUS),
        progress=task.progress,
        step="" if task.state == State.SUCCEEDED else _step(task.sub_tasks),
        trouble=_trouble(watch),
        note=_note(watch, now),
    )


def _label(task: Task) -> str:
    """Return name and id of a task as far as they are known."""
    parts = (plain(part, MAX_LABEL) for part in (task.name, task.id or task.instance_id) if part)
    return " ".join(part for part in parts if part)


def _subject(watch: TaskWatch) -> str:
    return f"{title_of(watch.ref)} task {_label(watch.task or unseen(watch.ref))}".rstrip()


def _step(steps: t.Sequence[SubTask]) -> str:
    """Return the step in hand, the one that failed, or the one that is next, as ``step 2/3 RESTORE``."""
    for states in ((State.RUNNING, *FAILED_STATES), (State.PENDING, State.NEEDS_ACTION, State.UNKNOWN)):
        for number, step in enumerate(steps, 1):
            if step.state in states:
                return f"step {number}/{len(steps)} {plain(step.name or '', MAX_STATUS)}".rstrip()
    return ""


def _trouble(watch: TaskWatch) -> str:
    error = watch.error
    if error is None or not (watch.in_trouble or watch.final_error):
        return ""
    if error.kind == "connection":
        is_said = error.message.startswith("no response")
        return plain(error.message if is_said else f"no response: {error.message}", MAX_LABEL)
    # A good status says nothing of what is wrong.
    message = error.message if error.http_status == HTTP_OK else ""
    what = plain(describe_response(error.http_status, error.code, message, None) or error.message, MAX_LABEL)
    return f"not found ({what})" if error.kind == "not_found" else what


def _note(watch: TaskWatch, now: float) -> str:
    """Say how long a task has been as it is or, without a good response, how long nobody can tell."""
    troubles = [since for since in (watch.trouble_since, watch.unknown_since) if since is not None]
    if troubles:
        what = "not found" if watch.trouble_since is None else "no good response"
        return _for_seconds(what, now - min(troubles))
    if watch.throttled:
        return f"last polled {now - watch.polled_at:.0f} s ago" if watch.task else "not polled yet"
    if watch.final_error or watch.changed_at is None:
        return ""
    return _for_seconds("no change", now - watch.changed_at)


def _for_seconds(what: str, seconds: float) -> str:
    return f"{what} for {seconds:.0f} s" if seconds >= 1 else ""


def describe_failure(watch: TaskWatch) -> str:
    """Say in a sentence or two how a task failed, or why it is not polled any more."""
    error = watch.final_error
    if error is not None:
        return sentence(_not_found(watch, error) if error.kind == "not_found" else plain(str(error), MAX_FIRST))
    task = t.cast(Task, watch.task)
    status = plain(task.status or "none", MAX_STATUS)
    if task.state == State.NEEDS_ACTION:
        return f"The {_subject(watch)} is waiting for approval or payment in the console (status {status})."
    verb = "was canceled" if task.state == State.CANCELED else "failed"
    reason = f": {plain(task.fail_reason, MAX_REASON)}" if task.fail_reason else ""
    return sentence(f"The {_subject(watch)} {verb}{_at_steps(task)} (status {status}){reason}")


def _not_found(watch: TaskWatch, error: ApiError) -> str:
    if watch.task is None:
        return f"The {_subject(watch)} was not found (never seen). {plain(str(error), MAX_FIRST)}"
    status = plain(watch.task.status or "without a status", MAX_STATUS)
    # To check the id, as the error's hint says, makes no sense for a task that was there.
    came_back = describe_response(error.http_status, error.code, error.message, error.request_id)
    what = f"{error.action}: {came_back}" if error.action else came_back
    return f"The {_subject(watch)} was {status}, then disappeared from the API. {plain(what, MAX_FIRST)}"


def _at_steps(task: Task) -> str:
    names = [step.name for step in task.sub_tasks if step.name and step.state in FAILED_STATES]
    if not names:
        return ""
    more = f" and {len(names) - MAX_NAMED_STEPS} more" if len(names) > MAX_NAMED_STEPS else ""
    return f" at step {', '.join(plain(name, MAX_STATUS) for name in names[:MAX_NAMED_STEPS])}{more}"


# The whole wait


def message(view: WaitView) -> str:
    """Say how a wait ended and, where tasks are left, where they stand and how to go on."""
    timed_out = _timed_out(view)
    parts = [
        "Check mode: polled once." if view.policy.poll_once else "",
        _first(view),
        _others(view),
        timed_out,
        describe_limit(view) if timed_out else "",
        _count(view, timed_out=bool(timed_out)),
        describe_unfinished(view),
        _last_error(view),
        _how_to_resume(view),
    ]
    return plain(" ".join(filter(None, parts)))


def _first(view: WaitView) -> str:
    failure = view.failure
    if failure is None:
        return _which(view)
    if failure.watch is None:
        return "" if failure.kind == "timeout" and _timed_out(view) else f"Stopped waiting: {failure.message}."
    return plain(describe_failure(failure.watch), MAX_FIRST)


def _timed_out(view: WaitView) -> str:
    """Say that the timeout ended the wait, which it may do after a task has failed."""
    failure, policy = view.failure, view.policy
    if failure is None or view.elapsed < policy.timeout - EPSILON:
        return ""
    went_on = not policy.fail_fast and failure.watch and not all(watch.settled for watch in view.watches)
    if failure.kind != "timeout" and not went_on:
        return ""
    return f"Timed out after {_exactly(policy.timeout)} s."


def _exactly(seconds: float) -> str:
    """Return a number that somebody chose, without needless decimals."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def describe_limit(view: WaitView) -> str:
    """Say what the API's request limit does to a wait; nothing where none is felt."""
    granted, interval = view.granted_per_minute, view.poll_interval
    if granted is None or interval is None:
        return ""
    unsettled = len({watch.ref for watch in view.watches if not watch.settled})
    rate = f"about {granted:.0f}" if granted >= 1.5 else "about one" if granted >= 0.75 else "less than one"
    noun = "request" if granted < 1.5 else "requests"
    polled = "is polled" if unsettled == 1 else "are polled"
    return f"The API allows {rate} {noun} a minute; {plural(unsettled, 'task')} {polled} every {interval:.0f} s."


def _which(view: WaitView) -> str:
    """Say which tasks succeeded where one was enough."""
    watches = _distinct(view)
    good = [_label(watch.task) for watch in watches if watch.task and watch.succeeded]
    if view.policy.require == "all" or len(good) in (0, len(watches)):
        return ""
    return plain(f"Succeeded: {_named(good)}.", MAX_FIRST)


def _distinct(view: WaitView) -> list[TaskWatch]:
    return list(dict.fromkeys(view.watches))


def _named(items: t.Sequence[str]) -> str:
    more = f", and {len(items) - MAX_NAMED} more" if len(items) > MAX_NAMED else ""
    text = plain(", ".join(items[:MAX_NAMED]), MAX_UNFINISHED // 2)
    return f"{text}{more}"


def _others(view: WaitView) -> str:
    """Say what became of further tasks that failed, so that none is lost behind the first."""
    told = view.failure.watch if view.failure else None
    first = describe_failure(told) if told else ""
    # Tasks may fail of one thing, such as wrong credentials, which is said once.
    texts = [describe_failure(watch) for watch in _distinct(view) if watch.failed and watch is not told]
    others = [text for text in dict.fromkeys(texts) if text != first]
    text = plain(" ".join(others[:MAX_NAMED]), MAX_OTHERS)
    more = sum(text in others[MAX_NAMED:] for text in texts)
    return f"{text} {plural(more, 'more task')} failed." if more > 0 else text


def _count(view: WaitView, *, timed_out: bool) -> str:
    total = len({watch.ref for watch in view.watches})
    if total == 0:
        return "No tasks to wait for."
    finished = len({watch.ref for watch in view.watches if watch.finished})
    waited = "" if timed_out else f"; waited {view.elapsed:.0f} s"
    return f"{finished} of {plural(total, 'task')} finished{waited}."


def describe_unfinished(view: WaitView) -> str:
    """Say where the tasks stand that have not finished, but for what their failure says already."""
    groups: dict[str, list[str]] = {}
    for watch in _distinct(view):
        if not watch.finished and not _is_told(watch):
            groups.setdefault(_group(watch), []).append(_standing(watch, view.now))
    return plain(" ".join(f"{group}: {_named(items)}." for group, items in groups.items()), MAX_UNFINISHED)


def _is_told(watch: TaskWatch) -> bool:
    if watch.final_error is None:
        return watch.failed
    return watch.final_error.kind == "not_found" and watch.task is None


def _group(watch: TaskWatch) -> str:
    if watch.task is None:
        return "Never seen"
    if watch.in_trouble or watch.final_error:
        return "Last known state"
    return "Not finished" if watch.task.state == State.UNKNOWN else f"Still {watch.task.state}"


def _standing(watch: TaskWatch, now: float) -> str:
    text = describe_task(watch, now)
    state = watch.task.state if watch.task and _group(watch) == "Last known state" else ""
    status = f"unknown status {text.status}" if watch.task and watch.task.state == State.UNKNOWN and text.status else ""
    progress = f"{text.progress} %" if text.progress is not None else ""
    notes = "; ".join(filter(None, (status, text.note)))
    return " ".join(filter(None, (text.label, state, progress, f"({notes})" if notes else "")))


def _last_error(view: WaitView) -> str:
    if view.failure and view.failure.watch and view.failure.watch.final_error:
        return ""
    for watch in _distinct(view):
        if watch.error and watch.in_trouble and not watch.finished:
            is_unknown = watch.error.kind == "not_found"
            text = _not_found(watch, watch.error) if is_unknown else str(watch.error)
            return plain(sentence(f"Last error: {text}"), MAX_LAST_ERROR)
    return ""


def _how_to_resume(view: WaitView) -> str:
    watches = _distinct(view)
    left = sum(not watch.finished for watch in watches)
    if left == 0 or not (view.failure or view.policy.require == "any"):
        return ""
    noun = "task was" if left == 1 else "tasks were"
    if any(watch.finished and watch.failed for watch in watches):
        return f"The other {noun} not canceled; resume with {PENDING}, which leaves out what failed."
    return f"The cloud {noun} not canceled; resume with {PENDING}."
