# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a trial by a real ansible-playbook, and looks at what it says and what it leaves behind."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import time
import typing as t

from simulator import Simulator

from . import oracle
from .scenario import Trial
from .stage import SECRETS, Stage, command_of

PATIENCE = 120.0
# On an idle machine a second; what hangs does so for ever.
LEASH_SECONDS = 20.0
SILENCE_SECONDS = 0.3
# Of a second Ctrl-C.
PAUSE_SECONDS = 0.2
# Ansible's own processes meet in a folder of this name since core 2.21, and leave it when they are killed.
OF_ANSIBLE = "pymp-"
COPIED, SOCKET, UNPACKED = "ansible-tmp-", "huaweicloud.tasks-", "ansible_huaweicloud.tasks."


class WrongError(AssertionError):
    """Something that must never happen; the text names the seed."""


@dataclasses.dataclass
class Blow:
    """The signal that was sent: to whom, and which hosts' modules had not polled until then."""

    name: str
    target: str
    starting: set[int]

    @property
    def is_kill(self) -> bool:
        return self.name == "KILL"


def run_trial(trial: Trial, folder: pathlib.Path) -> None:
    """Run a trial in a folder of its own.

    :raises WrongError: something happened that must never happen
    """
    with Simulator() as sim:
        stage = Stage(trial, folder, sim)
        process = subprocess.Popen(
            stage.prepare(),
            cwd=folder,
            env=stage.env(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            with stage.losing_hosts():
                blow = _strike(stage, process)
                out, err = process.communicate(timeout=PATIENCE)
            _check_output(stage, blow, out, err)
            _check_silence(stage)
            _check_leftovers(stage, blow)
        except subprocess.TimeoutExpired:
            raise _wrong(stage, f"it still ran after {PATIENCE:.0f} s") from None
        finally:
            for pid in stage.survivors():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def _strike(stage: Stage, process: subprocess.Popen[str]) -> Blow | None:
    """Send the trial's signal, if its moment comes before the end."""
    if stage.trial.signal is None:
        return None
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(stage.trial.signal_after)
        return None
    *names, target = stage.trial.signal.split() if " " in stage.trial.signal else (stage.trial.signal, "ansible")
    pids = _targets(stage, process.pid, target)
    if not pids:
        return None
    starting = set(range(len(stage.trial.waits))) - stage.hosts_that_have_asked()
    for number, name in enumerate(names):
        time.sleep(PAUSE_SECONDS * min(number, 1))
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                send = os.killpg if target == "group" else os.kill
                send(pid, getattr(signal, f"SIG{name}"))
    return Blow(names[0], target, starting)


def _targets(stage: Stage, ansible: int, target: str) -> list[int]:
    if target in ("ansible", "group"):
        return [ansible]
    found = stage.workers(ansible) if target == "worker" else stage.modules()
    return random.Random(stage.trial.seed).sample(found, 1) if found else []


def _check_output(stage: Stage, blow: Blow | None, out: str, err: str) -> None:
    for secret in SECRETS:
        if secret in out + err:
            raise _wrong(stage, f"a secret was shown:\n{out}\n{err}")
    if blow is None and "Traceback" in out + err:
        raise _wrong(stage, f"a traceback:\n{out}\n{err}")
    try:
        results = json.loads(out)
    except ValueError:
        if blow is None or blow.target == "module":
            raise _wrong(stage, f"no results:\n{out}\n{err}") from None
        return
    if (blow is None or blow.target == "module") and len(results) != len(stage.trial.waits):
        raise _wrong(stage, f"{len(results)} results of {len(stage.trial.waits)} waits:\n{out}\n{err}")
    problems = [problem for each in results if (problem := _wrong_result(stage, blow, each))]
    # One module was struck, whichever it was.
    if len(problems) > (1 if blow and blow.target == "module" else 0):
        raise _wrong(stage, "\n".join([*problems, err]))


def _wrong_result(stage: Stage, blow: Blow | None, each: dict[str, t.Any]) -> str | None:
    host, result = int(each["host"][1:]), each["result"]
    plan = stage.trial.waits[host]
    result["failed"] = each["how"] != "ok"
    if blow and blow.target != "module" and result["failed"]:
        return None
    if each["how"] == "unreachable":
        return None if stage.is_lost(host) else f"{each['host']}: unreachable: {result}"
    about = oracle.Circumstances(stage.is_lost(host), stage.trial.keyword_timeout)
    problem = oracle.wrong(plan, result, about)
    shown = {name: value for name, value in result.items() if name != "invocation"}
    return f"{each['host']}: {problem}\n{plan}\n{json.dumps(shown)}" if problem else None


def _check_silence(stage: Stage) -> None:
    """No process of the trial is there any more, and nothing asks the cloud."""
    # A poll that another host is at ends by itself.
    polls = [plan.options["request_timeout"] for plan in stage.trial.waits if plan.is_remote]
    seconds = LEASH_SECONDS + max(polls, default=0.0)
    end = time.monotonic() + seconds
    while survivors := stage.survivors():
        if time.monotonic() > end:
            commands = "\n".join(command_of(pid) for pid in survivors)
            raise _wrong(stage, f"these still run {seconds:.0f} s after the end:\n{commands}")
        time.sleep(0.1)
    asked = len(stage.sim.requests())
    time.sleep(SILENCE_SECONDS)
    if len(stage.sim.requests()) > asked:
        raise _wrong(stage, "the cloud was asked after the end")


def _check_leftovers(stage: Stage, blow: Blow | None) -> None:
    places = [stage.tmp, stage.remote_tmp]
    left = [path for place in places if place.exists() for path in place.iterdir()]
    left = [path for path in left if not path.name.startswith(OF_ANSIBLE)]
    for prefix, most in _allowed(stage, blow).items():
        named = [path for path in left if path.name.startswith(prefix)]
        left = [path for path in left if path not in named[:most]]
    if left:
        raise _wrong(stage, f"left behind: {[str(path) for path in left]} {blow}")


def _allowed(stage: Stage, blow: Blow | None) -> dict[str, int]:
    """Return how many folders may be left, by the beginnings of their names: only what nobody is there to remove.

    Ansible makes a folder for the module and copies it there; whenever it is ended while a module runs, it leaves that.
    A local wait removes the folder once the module runs, one from another host after each poll. So one is left of a
    poll from another host that a signal has met, and where Ansible is ended before the module runs. Where it is
    killed, the same is true of a socket to which no module has come yet. What a module has unpacked is left where it
    ends before it can handle a signal. What lies on a host that is out of reach at the end stays there.
    """
    hosts = range(len(stage.trial.waits))
    remote = {host for host in hosts if stage.trial.waits[host].is_remote}
    lost = sum(stage.is_lost(host) for host in hosts)
    if blow is None:
        return {COPIED: lost}
    starting = blow.starting | remote
    if blow.target == "module":
        return {COPIED: lost, UNPACKED: 1 if blow.is_kill or starting else 0}
    if blow.is_kill:
        return {COPIED: len(starting) + lost, UNPACKED: len(starting), SOCKET: len(blow.starting - remote)}
    is_group = (blow.name, blow.target) == ("TERM", "group")
    return {COPIED: len(starting) + lost, UNPACKED: len(starting) if is_group else 0}


def _wrong(stage: Stage, text: str) -> WrongError:
    return WrongError(f"seed {stage.trial.seed} (signal {stage.trial.signal}): {text}")
