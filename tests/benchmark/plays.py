# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks, each one a way to wait for tasks of DDS."""

from __future__ import annotations

import typing as t

from simulator import accounts

from .cloud import Cloud, address_of, token_headers

FINAL = ("Completed", "Failed")
RETRIES = 10000

Play = list[dict[str, t.Any]]


def _play(*tasks: dict[str, t.Any]) -> Play:
    return [{"hosts": "localhost", "gather_facts": False, "tasks": list(tasks)}]


def on_hosts(play: Play) -> Play:
    """The same on all hosts of an inventory, with the Python that runs Ansible, as localhost has it."""
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    return [{**each, "hosts": "all", "vars": variables} for each in play]


def nothing(seconds: float) -> Play:
    """A task that only sleeps: what Ansible itself takes, which looks for results of its workers all the time."""
    return _play({"ansible.builtin.command": {"argv": ["sleep", str(seconds)]}})


def uri_until(cloud: Cloud, sleep: float) -> Play:
    """One uri task, asked again until the status is final; a loop where there are several."""
    return _play(
        {
            "ansible.builtin.uri": {"url": address_of(cloud, "{{ item }}"), "headers": token_headers()},
            "loop": [task["task_id"] for task in cloud.tasks],
            "register": "job",
            "until": f"job.json.job.status in {list(FINAL)}",
            "retries": RETRIES,
            "delay": sleep,
        }
    )


def fan_out(cloud: Cloud, sleep: float) -> Play:
    """A shell loop around curl for each task, all started with async, then asked for their ends."""
    header = f"X-Auth-Token: {accounts.TOKEN}"
    ask = f"curl --silent --fail --header '{header}' '{address_of(cloud, '{{ item }}')}'"
    is_final = f'grep --quiet --extended-regexp \'"status": "({"|".join(FINAL)})"\''
    return _play(
        {
            "ansible.builtin.shell": f"until {ask} | {is_final}; do sleep {sleep}; done",
            "loop": [task["task_id"] for task in cloud.tasks],
            "register": "started",
            "async": 3600,
            "poll": 0,
        },
        {
            "ansible.builtin.async_status": {"jid": "{{ item.ansible_job_id }}"},
            "loop": "{{ started.results }}",
            "register": "ended",
            "until": "ended is finished",
            "retries": RETRIES,
            "delay": sleep,
        },
    )


def wait_for_task(cloud: Cloud, sleep: float, *, progress: bool) -> Play:
    """One task for all of them. `max_sleep` keeps the pauses as the other ways have them."""
    options = {
        "endpoint": f"{cloud.url}/dds",
        "project_id": accounts.PROJECT_ID,
        "auth_token": accounts.TOKEN,
        "tasks": [{"service": "dds", "task_id": task["task_id"]} for task in cloud.tasks],
        "sleep": sleep,
        "max_sleep": sleep,
        "progress": progress,
    }
    return _play({"huaweicloud.tasks.wait_for_task": options})
