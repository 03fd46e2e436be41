# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part "query": each query module beside uri on the same address, one after the other."""

from __future__ import annotations

import json

from simulator import accounts

from .bench import Bench, Figures
from .cloud import Cloud, cloud, token_headers
from .scale import Scale

PROJECT = f"v3/{accounts.PROJECT_ID}"
KAFKA_PROJECT = f"v2/{accounts.PROJECT_ID}"
DURATION = 3600.0

# service -> its base, the rest of the address, the options that name the task
QUERIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "taurusdb": ("taurusdb", f"{PROJECT}/jobs?id={{task_id}}", ("task_id",)),
    "taurusdb_restore": (
        "taurusdb",
        f"{PROJECT}/instances/{{instance_id}}/task-center-detail?job_id={{task_id}}&job_name={{task_name}}",
        ("task_id", "instance_id", "task_name"),
    ),
    "dds": ("dds", f"{PROJECT}/jobs?id={{task_id}}", ("task_id",)),
    "kafka": ("kafka", f"{KAFKA_PROJECT}/instances/{{instance_id}}/tasks/{{task_id}}", ("task_id", "instance_id")),
}


def module_of(service: str) -> str:
    """The query module of a service."""
    return f"{service}_task_info"


def ad_hoc(bench: Bench, module: str, options: dict[str, object]) -> list[str]:
    """The command that runs a module once."""
    return [bench.program("ansible"), "localhost", "-m", module, "-a", json.dumps(options)]


def commands(bench: Bench, url: str, service: str, task: dict[str, str]) -> dict[str, list[str]]:
    """The query module's command and that of uri."""
    base, rest, names = QUERIES[service]
    endpoint = f"{url}/{base}"
    connection = {"endpoint": endpoint, "project_id": accounts.PROJECT_ID, "auth_token": accounts.TOKEN}
    named = {name: task[name] for name in names}
    address = f"{endpoint}/{rest.format(**task)}"
    module = module_of(service)
    return {
        module: ad_hoc(bench, f"huaweicloud.tasks.{module}", {**connection, **named}),
        f"uri {service}": ad_hoc(bench, "ansible.builtin.uri", {"url": address, "headers": token_headers()}),
    }


def all_commands(bench: Bench, sky: Cloud) -> list[tuple[str, list[str]]]:
    """All commands; each module stands beside uri."""
    pairs: list[tuple[str, list[str]]] = []
    for service in QUERIES:
        sky.add_tasks(service, [DURATION])
        pairs += commands(bench, sky.url, service, sky.tasks[0]).items()
    return pairs


def measure(bench: Bench, scale: Scale) -> list[dict[str, Figures]]:
    """The figures of every command, for each repetition."""
    with bench.home() as home, cloud(home) as sky:
        pairs = all_commands(bench, sky)
        for dummy_name, command in pairs:
            bench.measure(command)
        # Every other time in the opposite order, so that neither side of a pair has an advantage.
        orders = (pairs, pairs[::-1])
        return [
            {name: bench.measure(command) for name, command in orders[number % 2]}
            for number in range(scale.runs * scale.queries_per_run)
        ]
