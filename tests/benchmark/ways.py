# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to wait for tasks that are compared, as commands."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import typing as t
from collections.abc import Callable

from simulator import accounts

from . import plays
from .bench import HERE, Bench
from .cloud import Cloud, address_of


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a command is made from. `polls` are the requests that a bare loop has to send.

    `hosts` are those that do the same at once; 0 is localhost.
    """

    bench: Bench
    cloud: Cloud
    home: pathlib.Path
    sleep: float
    span: float
    polls: int = 0
    hosts: int = 0

    def play(self, play: plays.Play) -> list[str]:
        """The command that runs a playbook."""
        path = self.home / "play.json"
        path.write_text(json.dumps(plays.on_hosts(play) if self.hosts else play), encoding="utf-8")
        return [self.bench.program("ansible-playbook"), *self._host_options(), str(path)]

    def _host_options(self) -> list[str]:
        if not self.hosts:
            return []
        path = self.home / "hosts.json"
        named: dict[str, dict[str, str]] = {f"host{number}": {} for number in range(self.hosts)}
        path.write_text(json.dumps({"all": {"hosts": named}}), encoding="utf-8")
        return ["--inventory", str(path), "--connection", "local", "--forks", str(self.hosts)]

    def lines(self, values: t.Iterable[str]) -> str:
        """A file with one value a line."""
        path = self.home / "lines"
        path.write_text("\n".join(values), encoding="utf-8")
        return str(path)


def _nothing(setting: Setting) -> list[str]:
    return setting.play(plays.nothing(setting.span))


def _uri(setting: Setting) -> list[str]:
    return setting.play(plays.uri_until(setting.cloud, setting.sleep))


def _fan_out(setting: Setting) -> list[str]:
    return setting.play(plays.fan_out(setting.cloud, setting.sleep))


def _module(setting: Setting) -> list[str]:
    return setting.play(plays.wait_for_task(setting.cloud, setting.sleep, progress=False))


def _progress(setting: Setting) -> list[str]:
    return setting.play(plays.wait_for_task(setting.cloud, setting.sleep, progress=True))


def _by_id(setting: Setting) -> list[str]:
    setting.cloud.refuse_lists()
    return _module(setting)


def _limited(setting: Setting) -> list[str]:
    setting.cloud.limit(10, 1)
    return _module(setting)


def _sdk(setting: Setting) -> list[str]:
    ids = setting.lines(task["task_id"] for task in setting.cloud.tasks)
    endpoint = f"{setting.cloud.url}/dds"
    keys = [accounts.ACCESS_KEY, accounts.SECRET_KEY]
    script = str(HERE / "scripts" / "sdk_wait.py")
    return [sys.executable, script, endpoint, accounts.PROJECT_ID, *keys, str(setting.sleep), ids]


def _bare(setting: Setting) -> list[str]:
    addresses = setting.lines(address_of(setting.cloud, task["task_id"]) for task in setting.cloud.tasks)
    script = str(HERE / "scripts" / "bare_gets.py")
    return [setting.bench.python, script, addresses, accounts.TOKEN, str(setting.polls)]


NOTHING, URI, FAN_OUT, SDK, MODULE, PROGRESS, BARE = "nothing", "uri", "fan_out", "sdk", "module", "progress", "bare"
BY_ID, LIMITED = "by_id", "limited"

WAYS: dict[str, Callable[[Setting], list[str]]] = {
    NOTHING: _nothing,
    URI: _uri,
    FAN_OUT: _fan_out,
    SDK: _sdk,
    MODULE: _module,
    PROGRESS: _progress,
    BARE: _bare,
    BY_ID: _by_id,
    LIMITED: _limited,
}

TITLES = {
    NOTHING: "`command: sleep`, which asks nothing",
    URI: "`uri` + `until`, in a `loop`",
    FAN_OUT: "`async` fan-out of `curl` loops",
    SDK: "script with the vendor's SDK",
    MODULE: "`wait_for_task`, `progress: false`",
    PROGRESS: "`wait_for_task` with progress",
    BY_ID: "`wait_for_task`, the list refused",
    LIMITED: "`wait_for_task` at 10 requests a second",
    BARE: "bare loop of `requests.get`",
}
