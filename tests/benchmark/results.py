# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, one file for each part, so that parts can be measured at different moments."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
from typing import Any

from .bench import HERE, Figures
from .scale import FULL, Scale

FOLDER = HERE / "results"
QUICK_FOLDER = FOLDER / "quick"
DIGITS = 5
SOAK = "soak"


@dataclasses.dataclass(frozen=True)
class Result:
    """One part."""

    scale: Scale
    date: str
    machine: dict[str, str]
    runs: list[dict[str, Figures]]


def folder_of(scale: Scale) -> pathlib.Path:
    """Where results lie; what was measured quickly never mixes with the rest."""
    return FOLDER if scale.many == FULL.many else QUICK_FOLDER


def save(part: str, scale: Scale, machine: dict[str, str], runs: list[dict[str, Figures]]) -> None:
    """Keep a part."""
    folder = folder_of(scale)
    folder.mkdir(parents=True, exist_ok=True)
    rounded = [
        {key: {name: round(value, DIGITS) for name, value in figures.items()} for key, figures in run.items()}
        for run in runs
    ]
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    result = dataclasses.asdict(Result(scale, today, machine, rounded))
    (folder / f"{part}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def load(folder: pathlib.Path) -> dict[str, Result]:
    """All parts that are there."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.json")) if path.stem != SOAK}


def load_soak(folder: pathlib.Path) -> dict[str, Any] | None:
    """What `make soak` has measured, where it has."""
    path = folder / f"{SOAK}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _read(path: pathlib.Path) -> Result:
    value = json.loads(path.read_text(encoding="utf-8"))
    return Result(Scale(**value["scale"]), value["date"], value["machine"], value["runs"])
