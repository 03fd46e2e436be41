# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is likely to come between the module and what shows its progress, as real processes."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import typing as t
from collections.abc import Iterator

import pytest
from environment import BIN
from progress_run import PATIENCE, WAIT, Controller, controller

TOO_LONG = 70
REMOTE = {"ansible_connection": "progress_connection"}


@pytest.fixture(name="here")
def fixture_here(tmp_path: pathlib.Path) -> Iterator[Controller]:
    with controller(tmp_path) as here:
        yield here


def wait(here: Controller, service: str = "dds", **options: t.Any) -> dict[str, t.Any]:
    task = here.task(service, duration=1.5)
    return {"service": service, "task_id": task["task_id"], **options}


# Secrets of a letter that are set but not used, and one that is used.
SHORT: dict[str, dict[str, t.Any]] = {
    "one": {"environment": {"OS_PASSWORD": "1"}},
    "letters": {"environment": {"HW_ACCESS_KEY": "a", "HW_SECRET_KEY": "b"}},
    "option": {"options": {"access_key": "n", "secret_key": "e"}},
    "digits": {"environment": {"HW_USER_PASSWORD": "4", "OS_AUTH_TOKEN": "0", "HUAWEICLOUD_SDK_SK": "2"}},
}


@pytest.mark.parametrize("variables", [{}, REMOTE], ids=["local", "remote"])
def test_short_secrets(here: Controller, variables: dict[str, str]) -> None:
    """They mask neither states nor numbers, and break no wait."""
    here.hosts(*SHORT, **variables)
    here.sim.add_fault("status", service="taurusdb", status=502, first=1)
    tasks = []
    for host, given in SHORT.items():
        service = "taurusdb" if host == "letters" else "dds"
        options = wait(here, service, **given.get("options", {}))
        when = f"inventory_hostname == '{host}'"
        tasks.append({"name": host, WAIT: options, "environment": given.get("environment", {}), "when": when})
    run = here.run("ansible-playbook", here.play(*tasks, strategy="free"), ANSIBLE_FORKS="10")
    assert run.process.returncode == 0, run.stdout + "\n".join(line.text for line in run.err.lines)
    for host in SHORT:
        result = run.result(host, host).result
        assert result["task"]["state"] == "succeeded"
        assert result["task"]["status"] == "Completed"
        assert isinstance(result["polls"], int)
        assert isinstance(result["elapsed"], float)
        # After a fault the task may have ended.
        lines = "\n".join(line.text for line in run.progress(host))
        assert "502" in lines if host == "letters" else re.search(r"  Running  [█░]+ +\d+ %  ", lines)
    error = run.result("letters", "letters").result["task"]["error"]
    assert (error["kind"], error["http_status"]) == ("api_error", 502)


def test_a_host_that_is_out_of_reach_at_first(here: Controller) -> None:
    """Unreachable at once, as with any module, and with the same exit status."""
    here.hosts("h1", **REMOTE)
    here.lost.touch()
    run = here.run("ansible-playbook", here.play({"name": "wait", WAIT: {"service": "dds", "task_id": "1"}}))
    assert run.process.returncode == 4
    assert run.result("wait").how == "unreachable"
    assert run.progress() == []


def test_where_the_socket_lies(here: Controller) -> None:
    """Not in Ansible's temporary folder, whose path may be too long; whatever variables the user has."""
    long = here.folder / ("x" * 150)
    here.hosts("h1", ansible_remote_tmp=str(long), ansible_socket="/run/mine")
    run = here.run("ansible-playbook", here.play({"name": "wait", WAIT: wait(here)}))
    assert run.process.returncode == 0, run.stdout
    assert any("Running" in line.text for line in run.progress())
    assert len(here.module_runs()) == 1
    assert list(long.iterdir()) == []
    assert here.litter() == []


def test_no_folder_for_a_socket(here: Controller) -> None:
    """One warning; the wait is done without lines."""
    # Just too long for ours: Ansible makes sockets, too, since core 2.21.
    long = here.tmp / ("x" * (TOO_LONG - len(str(here.tmp)) - 1))
    long.mkdir()
    run = here.run(
        "ansible-playbook",
        here.play({"name": "wait", WAIT: wait(here)}),
        ANSIBLE_SYSTEM_TMPDIRS=str(long),
        TMPDIR=str(long),
    )
    assert run.process.returncode == 0, run.stdout
    result = run.result("wait").result
    assert result["task"]["state"] == "succeeded"
    assert run.progress() == []
    told = " ".join(line.text for line in run.err.lines) + json.dumps(result.get("warnings", []))
    assert told.count("Live progress was not shown") == 1


def test_nobody_reads_the_lines(here: Controller) -> None:
    """A play ends, even if what reads its standard error stream has gone."""
    play = here.play({"name": "wait", WAIT: wait(here)})
    process = subprocess.Popen(
        [str(BIN / "ansible-playbook"), str(play)],
        env=here.env,
        cwd=here.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stderr
    process.stderr.readline()
    process.stderr.close()
    try:
        (result,) = json.loads(process.stdout.read())
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert result["result"]["task"]["state"] == "succeeded"
