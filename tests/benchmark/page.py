# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the page from what was measured: docs/benchmark.md and its plot."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import checkout

from . import limits, plot, tables, waits
from .goals import goals
from .remarks import BOUNDS, METHOD, REMARKS, SOAK, SOAK_TITLE, TITLES
from .results import Result, load, load_soak

NAME = "benchmark"


def write(folder: pathlib.Path, *, quick: bool) -> pathlib.Path:
    """Write the page; one of quick figures stays with them."""
    results = load(folder)
    if not results:
        raise SystemExit("Nothing has been measured yet.")
    target = (folder if quick else checkout.ROOT / "docs") / f"{NAME}.md"
    if waits.MANY in results:
        plot.draw(results[waits.MANY], target.with_suffix(".svg"))
    if limits.NAME in results and not quick:
        limits.write(results[limits.NAME])
    sections = [*_sections(results), *_soak(folder), "## Machine and versions", _machines(results)]
    target.write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    return target


def _sections(results: Mapping[str, Result]) -> list[str]:
    sections = ["# Benchmark", METHOD, "## Goals", _goals(results)]
    for part, title in TITLES.items():
        if part not in results:
            continue
        result = results[part]
        sections += [f"## {title}", f"{REMARKS[part].format(**_words(result))}", tables.TABLES[part](result)]
        if part in BOUNDS:
            sections.append(BOUNDS[part].format(**_words(result)))
        if part == waits.MANY:
            sections.append(f"![CPU time and detection lag by number of tasks]({NAME}.svg)")
    return sections


def _soak(folder: pathlib.Path) -> list[str]:
    soak = load_soak(folder)
    if soak is None:
        return []
    return [f"## {SOAK_TITLE}", SOAK.format(**soak), tables.soak(soak["subjects"])]


def _words(result: Result) -> dict[str, object]:
    """What a remark may name."""
    scale = result.scale
    return {
        "runs": len(result.runs),
        "span": f"{scale.span:.0f}",
        "sleep": f"{scale.sleep:.0f}",
        "few": scale.few,
        "some": scale.some,
        "many": f"{scale.many:,}",
        "hosts": scale.hosts,
        "hosts_span": f"{scale.hosts_span:.0f}",
        "slow": f"{scale.slow_answer * 1000:.0f}",
    }


def _goals(results: Mapping[str, Result]) -> str:
    rows = [[goal.text, f"{goal.bound:g}", f"{goal.value:.2f}", goal.verdict] for goal in goals(results)]
    return tables.table(["", "at most", "median", ""], rows)


def _machines(results: Mapping[str, Result]) -> str:
    """One table for parts that were measured on the same machine with the same versions."""
    parts: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for part, result in results.items():
        parts.setdefault(tuple({"Date": result.date, **result.machine}.items()), []).append(part)
    described = []
    for about, names in parts.items():
        head = f"For {', '.join(f'`{name}`' for name in names)}:\n\n" if len(parts) > 1 else ""
        described.append(head + tables.table(["", "measured on or with"], about))
    return "\n\n".join(described)
