# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part "startup": what a module imports, what that costs, and how large it is when it goes to the target."""

from __future__ import annotations

import pathlib
import re
import subprocess

from . import queries
from .bench import Bench, Figures
from .cloud import Cloud, cloud
from .scale import Scale

TIMED = re.compile(r"^import time: +(\d+) \| +\d+ \| +(\S+)$", re.MULTILINE)
OWN = "ansible_collections."
OWN_FOLDER = "plugins.module_utils."
GROUPS = (
    ("collection", (OWN,)),
    ("ansible", ("ansible.",)),
    ("libraries", ("requests.", "urllib3.", "idna.", "certifi.", "charset_normalizer.")),
)


def group_of(module: str) -> str:
    """Whose a module is."""
    return next((name for name, heads in GROUPS if f"{module}.".startswith(heads)), "standard")


def measure(bench: Bench, scale: Scale) -> list[dict[str, Figures]]:
    """The figures of every module, for each run."""
    with bench.home() as home, cloud(home) as sky:
        payloads = {name: _payload(bench, home / name, command) for name, command in _commands(bench, sky).items()}
        return [{name: _figures(bench, path) for name, path in payloads.items()} for dummy in range(scale.runs)]


def _commands(bench: Bench, sky: Cloud) -> dict[str, list[str]]:
    """Each query module, a wait for a task that has ended, and uri."""
    made = dict(queries.all_commands(bench, sky))
    uri = made["uri dds"]
    sky.add_tasks("dds", [0.0])
    wait = queries.commands(bench, sky.url, "dds", sky.tasks[0])[queries.module_of("dds")]
    name, options = wait[wait.index("-m") + 1], wait[-1]
    wait[wait.index(name)] = name.replace("dds_task_info", "wait_for_task")
    wait[-1] = options[:-1] + ', "service": "dds", "progress": false}'
    modules = {module: command for module, command in made.items() if not module.startswith("uri ")}
    return {"uri": uri, **modules, "wait_for_task": wait}


def _payload(bench: Bench, folder: pathlib.Path, command: list[str]) -> pathlib.Path:
    """The file that Ansible sends to the target."""
    env = bench.env | {"ANSIBLE_REMOTE_TEMP": str(folder), "ANSIBLE_KEEP_REMOTE_FILES": "true"}
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob("*/AnsiballZ_*.py"))


def _figures(bench: Bench, payload: pathlib.Path) -> Figures:
    figures = bench.measure([bench.python, str(payload)])
    command = [bench.python, "-X", "importtime", str(payload)]
    timed = subprocess.run(command, env=bench.env, check=True, capture_output=True, text=True).stderr
    figures["payload"] = payload.stat().st_size / 1024
    modules = {name: int(microseconds) / 1e6 for microseconds, name in TIMED.findall(timed)}
    figures["imports"] = float(len(modules))
    for group, dummy_heads in (*GROUPS, ("standard", ())):
        figures[group] = sum(seconds for name, seconds in modules.items() if group_of(name) == group)
    for name, seconds in modules.items():
        if OWN_FOLDER in name:
            figures[f"file {name.rpartition('.')[2]}"] = seconds
    return figures
