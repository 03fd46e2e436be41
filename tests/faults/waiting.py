# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One wait over real sockets, in the process of the test."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import refs_of, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import Channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._client import TaskClient, new_task_client
from ansible_collections.huaweicloud.tasks.plugins.module_utils._stream import Stream
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef
from ansible_collections.huaweicloud.tasks.plugins.modules import wait_for_task
from simulator import Simulator, accounts

SERVICES = ("taurusdb", "taurusdb_restore", "dds", "kafka")
# Of a task that runs, and of one that has succeeded.
WORDS = {
    "taurusdb": ("Running", "Completed"),
    "taurusdb_restore": ("Running", "complete"),
    "dds": ("Running", "Completed"),
    "kafka": ("EXECUTING", "SUCCESS"),
}
SLEEP = 0.2
# How long trouble is survived.
GRACE = 0.6
# What a busy machine may take in addition.
SLACK = 15.0

Happening = t.Callable[[int, bool], None]


def options(sim: Simulator, **given: t.Any) -> dict[str, t.Any]:
    """The options of the module as Ansible gives them."""
    defaults = {name: spec.get("default") for name, spec in wait_arguments().items()}
    ours = {
        "endpoint": sim.url,
        "iam_endpoint": sim.endpoint("iam"),
        "project_id": accounts.PROJECT_ID,
        "auth_token": accounts.TOKEN,
        "sleep": SLEEP,
        "max_sleep": SLEEP,
        "timeout": 20.0,
        "request_timeout": 10.0,
    }
    return {**defaults, **ours, **given}


def item(task: t.Mapping[str, str]) -> dict[str, str]:
    """A task of the simulator in the form of the option ``tasks``."""
    return {name: task[name] for name in ("service", "task_id", "instance_id", "task_name")}


def by_password(sim: Simulator, **given: t.Any) -> dict[str, t.Any]:
    login = {"username": accounts.USERNAME, "password": accounts.PASSWORD, "domain_name": accounts.DOMAIN_NAME}
    return options(sim, auth_token=None, **login, **given)


class Director:
    """Stands before the client and lets things happen before a poll; it knows which poll is the last one."""

    def __init__(self, client: TaskClient, happening: Happening, deadline: float, *, lists: bool) -> None:
        self._client = client
        self._lists = lists
        self._happening = happening
        self._deadline = deadline
        self._polls = 0

    def check(self, refs: t.Sequence[TaskRef]) -> None:
        self._client.check(refs)

    def open_list(self, ref: TaskRef) -> t.Any:
        return self._client.open_list(ref) if self._lists else None

    def get_tasks(self, refs: t.Sequence[TaskRef]) -> t.Sequence[t.Any]:
        self._polls += 1
        self._happening(self._polls, time.monotonic() >= self._deadline)
        return self._client.get_tasks(refs)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a wait ended, in how many seconds, and with which warnings."""

    result: dict[str, t.Any]
    seconds: float
    warnings: list[str]

    @property
    def kind(self) -> str | None:
        return self.result["failure"] and str(self.result["failure"]["kind"])


def wait(
    params: dict[str, t.Any],
    happening: Happening = lambda poll, last: None,
    check_mode: bool = False,
    lists: bool = True,
    source: str | None = None,
) -> Outcome:
    """Run the module's work in this process; without ``lists`` as if no service had any.

    ``source`` is the address that the requests come from.
    """
    warnings: list[str] = []
    begun = time.monotonic()
    task_client = new_task_client(params, environ={}, mask=lambda secret: None)
    if source:
        adapter = task_client._http._session.get_adapter(params["endpoint"])
        adapter.poolmanager.connection_pool_kw["source_address"] = (source, 0)
    client = Director(task_client, happening, begun + params["timeout"], lists=lists)
    result = wait_for_task.wait(
        params,
        t.cast(TaskClient, client),
        Stream(Channel(), refs_of(params), ()),
        check_mode=check_mode,
        started=begun,
        warn=warnings.append,
    )
    return Outcome(result, time.monotonic() - begun, warnings)
