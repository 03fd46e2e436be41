# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake API for the tests of the waiter: its clock, its sleep and its answers go together."""

from __future__ import annotations

import typing as t

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import (
    ApiError,
    ErrorClass,
    ErrorCodes,
    classify_error,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State, SubTask, Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task_watch import Observation
from ansible_collections.huaweicloud.tasks.plugins.module_utils._waiter import Waiter, WaitView

# What a task answers: one observation for each poll, of which the last one stays; or a function of the seconds.
Answers = t.Union[t.Sequence[Observation], t.Callable[[float], Observation]]
# No real clock begins at 0.
EPOCH = 1_000_000.0
# Pauses that do not grow.
STEADY: dict[str, t.Any] = {"sleep": 5, "max_sleep": 5}


def ref(task_id: str = "a", service: str = "dds", **more: str) -> TaskRef:
    return TaskRef(service, task_id, **more)


def task(state: str, status: str, **more: t.Any) -> Task:
    """A task; the cloud fills in what names it."""
    return Task(service="", state=state, status=status, **more)


def pending(**more: t.Any) -> Task:
    return task(State.PENDING, "Pending", **more)


def running(progress: int | None = None, remaining: int | None = None, **more: t.Any) -> Task:
    return task(State.RUNNING, "Running", progress=progress, remaining_seconds=remaining, **more)


def steps(*progress: int) -> tuple[SubTask, ...]:
    return tuple(SubTask(f"step {number}", "Running", State.RUNNING, each) for number, each in enumerate(progress))


def unlisted(word: str = "Paused") -> Task:
    return task(State.UNKNOWN, word)


DONE = task(State.SUCCEEDED, "Completed")
FAILED = task(State.FAILED, "Failed", fail_reason="disk full")
CANCELED = task(State.CANCELED, "Canceled")
NEEDS_ACTION = task(State.NEEDS_ACTION, "Unauthorized")


# Those of several services at once.
CODES = ErrorCodes(
    not_found=frozenset({"DBS.200543"}), throttled=frozenset({"DMS.10240407"}), token=frozenset({"DBS.280056"})
)


def http_error(status: int | None, code: str | None = None, **more: t.Any) -> ApiError:
    values = dict({"request_id": "req-1", "action": "Cannot read the task"}, **more)
    error_class = classify_error(status, code, CODES)
    return ApiError("it went wrong", error_class=error_class, http_status=status, code=code, **values)


def lost_network() -> ApiError:
    return ApiError("connection failed: refused", kind="connection", action="Cannot read the task")


def server_error(**more: t.Any) -> ApiError:
    return http_error(503, "APIGW.0613", **more)


def throttled(retry_after: float | None = None) -> ApiError:
    return http_error(429, "APIGW.0308", retry_after=retry_after)


def unknown_id() -> ApiError:
    return http_error(400, "DBS.200543")


def not_polled() -> ApiError:
    return ApiError("its turn did not come", error_class=ErrorClass.NOT_POLLED)


def at_times(*steps_: tuple[float, Observation]) -> t.Callable[[float], Observation]:
    """Answers by the seconds since the start: the last of those whose second has come."""
    return lambda seconds: [answer for since, answer in steps_ if seconds >= since][-1]


class Cloud:
    """Answers polls after ``durations`` seconds (the last one stays), and notes everything that a wait does."""

    def __init__(
        self,
        answers: t.Mapping[TaskRef, Answers],
        *,
        durations: t.Sequence[float] = (0.0,),
        random: float = 0.0,
    ) -> None:
        self._answers = answers
        self._durations = durations
        self._random = random
        self._seen: dict[TaskRef, int] = {}
        self.now = EPOCH
        self.sleeps: list[float] = []
        self.batches: list[list[TaskRef]] = []
        self.polled_from: list[float] = []
        self.updates: list[WaitView] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def random(self) -> float:
        return self._random

    def probe(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        self.polled_from.append(self.now - EPOCH)
        self.batches.append(list(refs))
        answers = [self._answer(each) for each in refs]
        self.now += self._durations[min(len(self.batches), len(self._durations)) - 1]
        return answers

    def _answer(self, ref: TaskRef) -> Observation:
        script = self._answers[ref]
        if callable(script):
            answer = script(self.now - EPOCH)
        else:
            index = self._seen.get(ref, 0)
            self._seen[ref] = index + 1
            answer = script[min(index, len(script) - 1)]
        if isinstance(answer, Task):
            return answer._replace(
                service=ref.service,
                id=ref.task_id,
                name=answer.name or ref.task_name,
                instance_id=ref.instance_id,
            )
        return answer

    def wait(
        self,
        policy: Policy,
        refs: t.Sequence[TaskRef] | None = None,
        *,
        sleep: t.Callable[[float], None] | None = None,
        on_update: t.Callable[[WaitView], None] | None = None,
    ) -> Waiter:
        return Waiter(
            list(self._answers) if refs is None else refs,
            policy,
            probe=self.probe,
            clock=self.clock,
            sleep=sleep or self.sleep,
            random=self.random,
            on_update=on_update or self.updates.append,
        )

    def run(self, refs: t.Sequence[TaskRef] | None = None, **policy: t.Any) -> WaitView:
        return self.wait(Policy(**policy), refs).run()

    @property
    def polled_ids(self) -> list[str]:
        """What each poll was for, as ``ab`` for the tasks a and b."""
        return ["".join(str(each.task_id) for each in batch) for batch in self.batches]


def cloud(*answers: Answers, **more: t.Any) -> Cloud:
    """A cloud with the tasks a, b, c ..., and what each answers."""
    return Cloud({ref(task_id): each for task_id, each in zip("abcdefghijkl", answers)}, **more)


def failure_kind(view: WaitView) -> str | None:
    return view.failure.kind if view.failure else None


def statuses(view: WaitView) -> list[str | None]:
    return [watch.task.status if watch.task else None for watch in view.watches]
