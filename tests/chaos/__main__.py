# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run random trials for some time: python -m chaos --hours 1, or one again: python -m chaos --seed 42"""

from __future__ import annotations

import argparse
import concurrent.futures
import pathlib
import random
import sys
import tempfile
import time

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
    end = time.monotonic() + seconds
    seeds = iter(range(first_seed, sys.maxsize))
    count, problems = 0, []

    def work() -> None:
        nonlocal count
        while time.monotonic() < end:
            try:
                run_seed(next(seeds))
            except WrongError as error:
                problems.append(str(error))
                print(f"wrong: {error}\n", flush=True)
            count += 1

    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        for future in [pool.submit(work) for dummy in range(side_by_side)]:
            future.result()
    return count, problems


def run_again(seed: int) -> int:
    """Run the trial of a seed, and say what was wrong."""
    try:
        run_seed(seed)
    except WrongError as error:
        print(error)
        return 1
    print(f"seed {seed}: nothing wrong")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="run the trial of this seed only")
    parser.add_argument("--side-by-side", type=int, default=SIDE_BY_SIDE, help="so many trials at once (%(default)s)")
    given = parser.parse_args()
    if given.seed is not None:
        return run_again(given.seed)
    first = random.randrange(10**9)
    print(f"first seed {first}, {given.hours:g} hours", flush=True)
    count, problems = run_for(given.hours * 3600, first, given.side_by_side)
    print(f"{count} trials, {len(problems)} wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
