# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions at once: all answers in order, and none that hangs holds the others."""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._concurrency import Round

LONG = 30.0
SLACK = 2.0


def ask(
    *calls: t.Callable[[], t.Any], workers: int = 4, seconds_each: float = LONG, seconds_all: float = LONG
) -> list[t.Any]:
    return Round(calls, workers=workers, seconds_each=seconds_each, seconds_all=seconds_all).run()


class Gate:
    """A question that is not answered before the test is over."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self) -> str:
        self.reached.set()
        self.open.wait(LONG)
        return "too late"


@pytest.fixture(name="gates")
def fixture_gates() -> Iterator[list[Gate]]:
    gates = [Gate() for dummy in range(6)]
    yield gates
    for gate in gates:
        gate.open.set()


def test_answers_are_in_order() -> None:
    """The first question waits for the last one's answer."""
    last = threading.Event()

    def first() -> int:
        assert last.wait(10)
        return 0

    def third() -> int:
        last.set()
        return 2

    assert ask(first, lambda: 1, third) == [0, 1, 2]


def test_many_questions() -> None:
    assert ask(*(functools.partial(int, number) for number in range(500)), workers=16) == list(range(500))


def test_no_questions() -> None:
    assert ask() == []


def test_the_number_of_workers_is_bounded() -> None:
    lock = threading.Lock()
    active = 0
    peak = 0

    def request() -> None:
        nonlocal active, peak
        with lock:
            active += 1
            peak = max(peak, active)
        time.sleep(0.001)
        with lock:
            active -= 1

    ask(*[request] * 100, workers=5)
    assert 2 <= peak <= 5


def test_questions_are_put_at_once() -> None:
    """Each waits until all have been put."""
    barrier = threading.Barrier(8)

    def request() -> bool:
        barrier.wait(10)
        return True

    assert ask(*[request] * 8, workers=8) == [True] * 8


def test_not_more_workers_than_questions() -> None:
    before = threading.active_count()
    seen: list[int] = []
    ask(lambda: seen.append(threading.active_count()), workers=50)
    assert seen[0] <= before + 1


def test_late_questions_are_abandoned(gates: list[Gate]) -> None:
    """Their workers are replaced, so that the others are answered."""
    started = time.monotonic()
    calls = [*gates, *(functools.partial(int, number) for number in range(20))]
    answers = ask(*calls, workers=2, seconds_each=0.1, seconds_all=LONG)
    assert answers == [None] * len(gates) + list(range(20))
    assert time.monotonic() - started < 3 * 0.1 + 1 + SLACK


def test_the_whole_round_is_bounded(gates: list[Gate]) -> None:
    started = time.monotonic()
    answers = ask(*gates, lambda: 1, workers=2, seconds_each=LONG, seconds_all=0.3)
    assert answers == [None] * (len(gates) + 1)
    assert time.monotonic() - started < 0.3 + SLACK


def test_nothing_is_asked_after_the_end(gates: list[Gate]) -> None:
    action = threading.Event()
    assert ask(gates[0], action.set, workers=1, seconds_each=LONG, seconds_all=0.2) == [None, None]
    gates[0].open.set()
    assert not action.wait(0.2)


def test_an_answer_that_comes_too_late_is_not_taken(gates: list[Gate]) -> None:
    """The first question is given up; its answer comes while the second is still being waited for."""

    def second() -> str:
        gates[0].open.set()
        time.sleep(0.2)
        return "in time"

    answers = ask(gates[0], second, lambda: "last", workers=1, seconds_each=1.0, seconds_all=LONG)
    assert answers == [None, "in time", "last"]


def test_false_answers_are_answers() -> None:
    assert ask(lambda: 0, lambda: None, lambda: "") == [0, None, ""]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_question_surfaces() -> None:
    """It is not taken for a question that was not answered in time, and the round does not wait for it."""

    def request() -> None:
        raise ZeroDivisionError("a bug")

    started = time.monotonic()
    with pytest.raises((KeyError, ZeroDivisionError)):
        ask(lambda: 1, request, lambda: 3, workers=1, seconds_all=4.0)
    assert time.monotonic() - started < SLACK


def test_workers_do_not_keep_the_process() -> None:
    daemons: list[bool] = []
    ask(lambda: daemons.append(threading.current_thread().daemon))
    assert daemons == [True]


def test_the_clock_that_is_given_counts(gates: list[Gate]) -> None:
    """No waiting for real: the clock says that the time is over."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.1
        return now

    started = time.monotonic()
    round_ = Round(gates[:1], workers=1, seconds_each=0.4, seconds_all=LONG, clock=clock)
    assert round_.run() == [None]
    assert time.monotonic() - started < SLACK
