# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many calls at once, with a bound on how long the caller waits for them.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import collections
import enum
import queue
import threading
import time
import typing as t

from ._channel import start_thread

ResultT = t.TypeVar("ResultT")
ItemT = t.TypeVar("ItemT")


class Missing(enum.Enum):
    """Why a call has no result."""

    LATE = "late"
    NOT_STARTED = "not started"


class _Catcher:
    """Keeps whatever is raised, for the caller's thread."""

    error: BaseException | None = None

    def __enter__(self) -> _Catcher:
        return self

    def __exit__(self, kind: t.Any, error: BaseException | None, traceback: t.Any) -> t.Literal[True]:
        self.error = error
        return True


def run_all(
    calls: t.Sequence[t.Callable[[], ResultT]],
    *,
    workers: int,
    patience: float,
    limit: float | None = None,
    stops: t.Callable[[ResultT], bool] = lambda result: False,
    clock: t.Callable[[], float] = time.monotonic,
) -> list[ResultT | Missing]:
    """Run calls in at most ``workers`` threads; the results are in the order of the calls.

    It ends when all have finished, when none has finished for ``patience`` seconds, or after ``limit`` seconds. Threads
    are daemons: one that hangs, in a name look-up or on a dripping server, keeps neither the caller nor the process.
    What a call raises is raised again here. After the end, and once a result ``stops`` the rest, no further call is
    started.
    """
    todo = collections.deque(enumerate(calls))
    done: queue.SimpleQueue[tuple[int, BaseException | None]] = queue.SimpleQueue()
    results: dict[int, ResultT] = {}
    started: set[int] = set()
    stopped: list[int] = []

    def work() -> None:
        for index, call in _take_all(todo):
            with _Catcher() as caught:
                if not stopped:
                    started.add(index)
                    results[index] = call()
                    stopped.extend([index] if stops(results[index]) else [])
            done.put((index, caught.error))

    for dummy in range(min(workers, len(calls))):
        start_thread(threading.Thread(target=work, daemon=True))
    try:
        finished = _collect(done, len(calls), patience, limit, clock) & results.keys()
    finally:
        todo.clear()
    missing = [Missing.LATE if index in started else Missing.NOT_STARTED for index in range(len(calls))]
    return [results[index] if index in finished else missing[index] for index in range(len(calls))]


def _take_all(todo: collections.deque[ItemT]) -> t.Iterator[ItemT]:
    """Take out one after the other, as other threads do, until nothing is left."""
    while True:
        try:
            item = todo.popleft()
        except IndexError:
            return
        yield item


def _collect(
    done: queue.SimpleQueue[tuple[int, BaseException | None]],
    count: int,
    patience: float,
    limit: float | None,
    clock: t.Callable[[], float],
) -> set[int]:
    """Return the indexes of the calls that finish in time."""
    end = None if limit is None else clock() + limit
    finished: set[int] = set()
    while len(finished) < count:
        seconds = patience if end is None else min(patience, end - clock())
        try:
            # At the limit, what has arrived by then is still taken.
            index, error = done.get(timeout=max(seconds, 0.0))
        except queue.Empty:
            break
        if error is not None:
            raise error
        finished.add(index)
    return finished
