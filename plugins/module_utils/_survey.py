# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many tasks by few requests: a list says which of them still run.

A list is a hint, never the truth: how a task ended, that it is unknown, and whatever is odd, is asked by id. A list
that is refused, that is odd, or that shows too few of the tasks to be worth its requests is not read again.

It is pure: the requests, clock and random are passed in. All times are in seconds.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import math
import time
import typing as t

from ._errors import ApiError, ErrorClass
from ._listing import SEND_AGAIN, SendList, TaskPages, task_pages
from ._lists import LISTS
from ._pacing import MAX_RETRY_AFTER, Pacer, told_rate
from ._parsing import UnreadableResponseError
from ._services import SERVICES
from ._task import State, Task, TaskRef

# Returns how to send requests to the list that has a task, which return the decoded body or an error; None where there
# is no such list.
OpenList = t.Callable[[TaskRef], t.Optional[SendList]]

# With fewer tasks a list spares too little.
MIN_TASKS = 50
# A list may cost so many requests for each task that is waited for.
MAX_COST = 0.75
# It has to show so many of the tasks.
MIN_SHARE = 0.5
# Errors in a row that pass by themselves.
MAX_TROUBLE = 3
# How long a task may stay unseen in a list, which may be throttled, before it is polled by id.
PATIENCE_SECONDS = 60.0
# How long the word of a list holds, in case it lags behind the truth or is not read again.
TRUST_SECONDS = 600.0
GROWTH = 1.5

STILL_RUNNING = (State.PENDING, State.RUNNING)


class Survey:
    """Reads one list again and again, a page at a time."""

    def __init__(
        self,
        refs: t.Sequence[TaskRef],
        send: SendList,
        *,
        pauses: tuple[float, float],
        random: t.Callable[[], float],
        time_of_day: t.Callable[[], float] = time.time,
    ) -> None:
        """``refs`` are all of one list. ``pauses`` are the shortest and the longest time from one reading's beginning
        to the next one's, ``time_of_day`` is in seconds since 1970.
        """
        self.refs = refs
        self._ref = refs[0]
        self._send = send
        self._time_of_day = time_of_day
        self._pause, self._longest_pause = pauses
        self._list = LISTS[self._ref.service]
        self._refs = {str(ref.task_id): ref for ref in refs}
        self._pacer = Pacer(len(refs) / self._list.page_size / pauses[0], random)
        self._pages: TaskPages | None = None
        # Of the request that was just sent.
        self._errors: list[ApiError] = []
        self._trouble, self._has_worked = 0, False
        self._requests = 0
        self._shown: set[str] = set()
        self._next_at = -math.inf
        # When the last reading has begun.
        self.began_at = -math.inf
        self.is_given_up = False

    def ready_at(self, now: float) -> float:
        """Return when to read the next page."""
        if self.is_given_up:
            return math.inf
        ready_at = self._pacer.ready_at(now)
        return ready_at if self._pages else max(self._next_at, ready_at)

    def read(self, now: float, wanted: t.Collection[TaskRef]) -> Page:
        """Read one page; ``wanted`` are the tasks that are still waited for."""
        if self._pages is None:
            self._begin(now)
        page = self._next_page(now)
        tasks = {self._refs[task.id]: task for task in page or () if task.id in self._refs}
        self._shown.update(str(ref.task_id) for ref, task in tasks.items() if task.state != State.UNKNOWN)
        if page is None and not self.is_given_up:
            self._finish(wanted)
        elif self._requests > max(MAX_COST * len(wanted), 2):
            self.is_given_up = True
        running = {ref: task for ref, task in tasks.items() if task.state in STILL_RUNNING}
        return Page(running, [ref for ref in tasks if ref not in running], is_last=page is None or self.is_given_up)

    def _begin(self, now: float) -> None:
        service = SERVICES[self._ref.service]
        self._pages = task_pages(
            service, self._list, instance_id=self._ref.instance_id, send=self._try_send, now=self._time_of_day()
        )
        self._requests = 0
        self._shown = set()
        self.began_at = now
        self._next_at = now + self._pause
        # A list costs many requests at once: it is read less often while nobody knows how many are allowed.
        self._pause = min(self._pause * GROWTH, self._longest_pause)

    def _next_page(self, now: float) -> list[Task] | None:
        """Return the tasks of the next page; None where there is none any more."""
        self._errors.clear()
        try:
            page = next(t.cast(TaskPages, self._pages), None)
        except UnreadableResponseError:
            self.is_given_up = True
            return None
        if self._errors:
            self._take_error(self._errors[0], now)
        elif page is not None:
            self._trouble, self._has_worked = 0, True
            self._pacer.update(now, granted=1)
        return page

    def _try_send(self, query: t.Sequence[tuple[str, str]]) -> t.Any:
        response = self._send(query)
        if isinstance(response, ApiError):
            self._errors.append(response)
            return SEND_AGAIN
        self._requests += 1
        return response

    def _take_error(self, error: ApiError, now: float) -> None:
        if error.error_class is ErrorClass.THROTTLED:
            self._pacer.update(now, refused=True, retry_after=error.retry_after or 0.0, told=told_rate(error.message))
            return
        self._trouble += 1
        # Trouble from the first page on says nothing good of the list; tasks are not kept waiting for it.
        if error.error_class is not ErrorClass.TRANSIENT or self._trouble >= MAX_TROUBLE or not self._has_worked:
            self.is_given_up = True
        self._pacer.hold(now + min(error.retry_after or self._pause, MAX_RETRY_AFTER))

    def _finish(self, wanted: t.Collection[TaskRef]) -> None:
        self._pages = None
        shown = sum(str(ref.task_id) in self._shown for ref in wanted)
        if shown < MIN_SHARE * len(wanted):
            self.is_given_up = True


class Page(t.NamedTuple):
    """What a page says of the tasks that are waited for: those that still run, and those that are to be asked by id.

    ``is_last``: the reading has ended, so that what it has not shown is to be asked by id, too.
    """

    running: dict[TaskRef, Task]
    ended: list[TaskRef]
    is_last: bool


def new_survey(
    refs: t.Sequence[TaskRef],
    open_list: OpenList,
    *,
    pauses: tuple[float, float],
    random: t.Callable[[], float],
) -> Survey | None:
    """Return what reads the list of some tasks, which are all of one list; None where that makes no sense."""
    task_list = LISTS.get(refs[0].service)
    if len(refs) < MIN_TASKS or task_list is None or not task_list.is_enough or not all(ref.task_id for ref in refs):
        return None
    send = open_list(refs[0])
    return Survey(refs, send, pauses=pauses, random=random) if send else None


def list_key(ref: TaskRef) -> t.Hashable:
    """Return what the tasks of one list have in common."""
    task_list = LISTS.get(ref.service)
    instance_id = ref.instance_id if task_list and "{instance_id}" in task_list.path else None
    return (ref.service, ref.region, ref.project_id, ref.endpoint, instance_id)
