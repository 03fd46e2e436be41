# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure, and write docs/benchmark.md with its plot.

    python -m benchmark [--quick] [--runs N] [PART...]

Parts are startup, query, slow, hosts, limits, wait, many, and page; by default all. What was measured is kept in
results/, and the page is made of what is there. With --quick there is little to wait for: the page then lies beside
the results.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable

import checkout

from . import hosts, limits, machine, page, queries, results, slow, startup, waits
from .bench import Bench, Figures
from .scale import FULL, QUICK, Scale

PAGE = "page"
SINGLE: dict[str, Callable[[Bench, Scale], list[dict[str, Figures]]]] = {
    "startup": startup.measure,
    "query": queries.measure,
    "slow": slow.measure,
    hosts.NAME: hosts.measure,
    limits.NAME: limits.run,
}
WAITS = (waits.WAIT, waits.MANY)
PARTS = (*SINGLE, *WAITS, PAGE)


def measure(parts: list[str], scale: Scale) -> None:
    """Measure parts and keep what came out."""
    with checkout.scratch() as folder:
        bench = Bench(folder)
        bench.prepare()
        about = machine.describe(bench)
        for part in parts:
            if part in SINGLE:
                began = time.monotonic()
                results.save(part, scale, about, SINGLE[part](bench, scale))
                print(f"{part}: {time.monotonic() - began:.0f} s", flush=True)
        if chosen := [part for part in parts if part in WAITS]:
            began = time.monotonic()
            for part, runs in waits.measure(bench, scale, chosen).items():
                results.save(part, scale, about, runs)
            print(f"{', '.join(chosen)}: {time.monotonic() - began:.0f} s", flush=True)


def arguments() -> tuple[list[str], Scale]:
    parser = argparse.ArgumentParser(prog="benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", choices=[[], *PARTS], help=f"of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="little of everything, to try the benchmark itself")
    parser.add_argument("--runs", type=int, help="how often everything is measured")
    given = parser.parse_args()
    scale = QUICK if given.quick else FULL
    return given.parts or list(PARTS), dataclasses.replace(scale, runs=given.runs) if given.runs else scale


def main() -> None:
    checkout.require("git", "curl")
    checkout.end_on_signals()
    parts, scale = arguments()
    if parts != [PAGE]:
        measure(parts, scale)
    if PAGE in parts:
        print(page.write(results.folder_of(scale), quick=scale.many != FULL.many))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
