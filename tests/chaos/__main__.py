# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run random trials for some time: python -m chaos --hours 1, or one again: python -m chaos --seed 42"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import pathlib
import random
import sys
import tempfile
import threading

from .scenario import make_trial
from .trial import WrongError, run_trial

SIDE_BY_SIDE = 2


def run_seed(seed: int) -> None:
    """Run the trial of a seed in a folder of its own.

    :raises WrongError: something happened that must never happen
    """
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        run_trial(make_trial(seed), pathlib.Path(folder))


def run_for(seconds: float, first_seed: int, side_by_side: int = SIDE_BY_SIDE) -> tuple[int, list[str]]:
    """Run trials until the time is over; return how many there were, and what was wrong."""
    is_over = threading.Event()
    seeds = itertools.count(first_seed)
    ended: list[str | None] = []

    def work() -> None:
        while not is_over.is_set():
            ended.append(problem_of(next(seeds)))

    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        working = [pool.submit(work) for dummy in range(side_by_side)]
        try:
            concurrent.futures.wait(working, seconds, concurrent.futures.FIRST_EXCEPTION)
        finally:
            is_over.set()
    for future in working:
        future.result()
    return len(ended), [problem for problem in ended if problem]


def problem_of(seed: int) -> str | None:
    """Run the trial of a seed; return what was wrong, which is shown, too."""
    try:
        run_seed(seed)
    except WrongError as error:
        print(f"wrong: {error}\n", flush=True)
        return str(error)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="run the trial of this seed only")
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, help="so many trials at once (%(default)s)")
    given = parser.parse_args()
    if given.seed is not None:
        problem = problem_of(given.seed)
        print(f"seed {given.seed}: {'wrong' if problem else 'nothing wrong'}")
        return 1 if problem else 0
    first = random.randrange(10**9)
    print(f"first seed {first}, {given.hours:g} hours", flush=True)
    count, problems = run_for(given.hours * 3600, first, given.side_by_side)
    print(f"{count} trials, {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
