# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many questions at once, with a bound on how long the asker waits.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import sys
import threading
import time
import typing as t

AnswerT = t.TypeVar("AnswerT")


class Round(t.Generic[AnswerT]):
    """One round of questions, put by a bounded number of threads.

    Threads are daemons: one that hangs in a name look-up or on a dripping server is left behind after
    ``seconds_each``, and keeps neither the round nor the process.
    """

    def __init__(
        self,
        calls: t.Sequence[t.Callable[[], AnswerT]],
        *,
        workers: int,
        seconds_each: float,
        seconds_all: float,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._calls = calls
        self._workers = min(workers, len(calls))
        self._seconds_each = seconds_each
        self._clock = clock
        self._deadline = clock() + seconds_all
        self._todo = collections.deque(range(len(calls)))
        self._running: dict[int, float] = {}
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._answers: dict[int, AnswerT] = {}
        self._bugs: dict[int, BaseException | None] = {}
        self._finished: set[int] = set()
        self._abandoned: set[int] = set()
        # The questions that were not put, because the time was over before their turn came.
        self.not_started: set[int] = set()

    def run(self) -> list[AnswerT | None]:
        """Put all questions; None stands for one that was not answered in time.

        Whatever a question raises is raised again here.
        """
        for dummy in range(self._workers):
            self._start_worker()
        outstanding = len(self._calls)
        while outstanding and self._clock() < self._deadline:
            outstanding -= self._collect_one() + self._abandon_late()
        self._end()
        return [self._answer(index) for index in range(len(self._calls))]

    def _end(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self.not_started.add(self._todo.popleft())

    def _answer(self, index: int) -> AnswerT | None:
        return self._answers[index] if index in self._finished else None

    def _start_worker(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                index = self._todo.popleft()
            except IndexError:
                return
            self._running[index] = self._clock()
            try:
                self._answers[index] = self._calls[index]()
            finally:
                # What a question raises is a bug; it must not be lost with its thread.
                self._bugs[index] = sys.exc_info()[1]
                del self._running[index]
                self._done.put(index)

    def _collect_one(self) -> int:
        left = self._deadline - self._clock()
        try:
            index = self._done.get(timeout=max(min(left, self._seconds_each / 4), 0.001))
        except queue.Empty:
            return 0
        bug = self._bugs[index]
        if bug is not None:
            raise bug
        if index in self._abandoned:
            return 0
        self._finished.add(index)
        return 1

    def _abandon_late(self) -> int:
        now = self._clock()
        late = [
            index
            for index, since in list(self._running.items())
            if now - since > self._seconds_each and index not in self._abandoned
        ]
        for index in late:
            self._abandoned.add(index)
            self._start_worker()
        return len(late)
