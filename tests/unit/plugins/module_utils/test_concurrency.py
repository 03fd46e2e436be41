# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls run at once, in bounded numbers, and none that hangs keeps the caller."""

from __future__ import annotations

import signal
import threading
import time
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._concurrency import Missing, run_all

LATE, NOT_STARTED = Missing.LATE, Missing.NOT_STARTED
PATIENCE = 0.3


def run(calls: t.Sequence[t.Callable[[], t.Any]], **given: t.Any) -> list[t.Any]:
    return run_all(calls, **{"workers": 4, "patience": 5.0, **given})


class Gate:
    """A call that hangs until the test opens it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self.opened.wait(10)
        return "late"


@pytest.fixture(name="gate")
def fixture_gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_results_are_in_the_order_of_the_calls() -> None:
    second_is_done = threading.Event()

    def first() -> str:
        second_is_done.wait(5)
        return "first"

    def second() -> str:
        second_is_done.set()
        return "second"

    assert run([first, second]) == ["first", "second"]


def test_many_calls_and_none() -> None:
    assert run([lambda number=number: number for number in range(1000)]) == list(range(1000))
    assert run([]) == []


def test_the_number_of_threads_is_bounded() -> None:
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def call() -> None:
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.005)
        with lock:
            running.pop()

    run([call] * 40, workers=3)
    assert max(most) == 3


def test_signals_are_left_to_the_main_thread() -> None:
    (blocked,) = run([lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [])])
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= set(blocked)


def test_a_call_that_hangs_keeps_neither_the_others_nor_the_caller(gate: Gate) -> None:
    began = time.monotonic()
    results = run([gate, *[lambda: "done"] * 20], workers=2, patience=PATIENCE)
    assert results == [LATE] + ["done"] * 20
    assert PATIENCE <= time.monotonic() - began < PATIENCE + 1


def test_patience_is_for_the_next_call_to_finish() -> None:
    results = run([lambda: time.sleep(PATIENCE * 0.6)] * 4, workers=1, patience=PATIENCE)
    assert results == [None] * 4


def test_nothing_is_started_after_the_end(gate: Gate) -> None:
    results = run([gate, gate, lambda: "done"], workers=2, patience=PATIENCE)
    assert results == [LATE, LATE, NOT_STARTED]
    gate.opened.set()
    time.sleep(0.05)
    assert gate.calls == 2
    assert results == [LATE, LATE, NOT_STARTED]


def test_the_whole_is_bounded(gate: Gate) -> None:
    began = time.monotonic()
    results = run([lambda: time.sleep(0.05)] * 100, workers=1, limit=0.2)
    assert time.monotonic() - began < 1
    assert results[0] is None
    assert results[-1] is NOT_STARTED
    assert run([gate], limit=0) == [LATE]


def test_what_has_finished_at_the_limit_counts() -> None:
    """The clock is at the limit when the first result is taken; by then all calls have finished."""
    moments = iter((0.0, 9.0))

    def clock() -> float:
        moment = next(moments, 10.0)
        if moment == 9.0:
            time.sleep(0.1)
        return moment

    assert run([lambda: "done"] * 4, limit=10.0, clock=clock) == ["done"] * 4


@pytest.mark.parametrize("value", [None, False, 0, ""])
def test_false_results_are_results(value: t.Any) -> None:
    assert run([lambda: value]) == [value]


def test_an_error_surfaces() -> None:
    def call() -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        run([call, lambda: None])


def test_nothing_is_started_after_an_error(gate: Gate) -> None:
    before = set(threading.enumerate())
    ran: list[int] = []

    def broken() -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        run([broken, *[gate] * 4, *[lambda: ran.append(1)] * 20], workers=4)
    gate.opened.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert ran == []


def test_threads_do_not_keep_the_process(gate: Gate) -> None:
    run([gate], patience=0.01)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.endswith("(work)"))


def test_a_result_may_stop_the_rest() -> None:
    """What runs already is waited for."""
    calls = [lambda number=number: number for number in range(100)]
    results = run(calls, workers=1, stops=lambda number: number == 3)
    assert results == [0, 1, 2, 3, *[NOT_STARTED] * 96]
