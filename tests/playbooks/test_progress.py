# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live progress as people meet it: real Ansible processes, whose lines must arrive while the tasks still run.

Each play costs seconds, so each checks all that it can.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator

import pytest
from environment import BIN
from progress_run import PATIENCE, SECRETS, WAIT, Controller, Line, controller

from simulator import accounts

Task = dict[str, t.Any]
# How long before the end of a task its first lines must have arrived, to count as live.
MARGIN = 1.0


@pytest.fixture(name="here")
def fixture_here(tmp_path: pathlib.Path) -> Iterator[Controller]:
    """A controller with one host, h1, and a simulated cloud."""
    with controller(tmp_path) as here:
        yield here


def named(service: str, task: dict[str, str]) -> dict[str, str]:
    """What names a simulated task in the options of a module."""
    names = {"dds": ("task_id",), "taurusdb": ("task_id",), "kafka": ("task_id", "instance_id")}
    keys = names.get(service, ("task_id", "instance_id", "task_name"))
    return {"service": service, **{key: task[key] for key in keys}}


def wait(name: str, options: dict[str, t.Any], **keywords: t.Any) -> Task:
    return {"name": name, WAIT: options, **keywords}


def only(host: str) -> str:
    return f"inventory_hostname == '{host}'"


def assert_live(lines: list[Line], end: float, least: int = 2) -> None:
    """The first lines have arrived well before the end."""
    assert len([line for line in lines if line.at < end - MARGIN]) >= least, (lines, end)


def bars(lines: list[Line]) -> str:
    return "".join(re.findall(r"[█░#-]{10} ", "\n".join(line.plain for line in lines)))


def test_lines_through_pipes(here: Controller) -> None:
    """Two hosts at once: lines on stderr while the tasks run, and stdout is nothing but the callback's JSON."""
    here.hosts("h1", "h2")
    restore = here.task("taurusdb_restore", duration=3, name="Restore")
    dds = here.task("dds", duration=3)
    tasks = {"h1": named("taurusdb_restore", restore), "h2": named("dds", dds)}
    stuck = here.task("dds")
    play = here.play(
        wait("both", {"tasks": ["{{ given[inventory_hostname] }}"]}),
        wait("timeout", named("dds", stuck), when=only("h2"), timeout=4, ignore_errors=True),
        vars={"given": tasks},
    )
    run = here.run("ansible-playbook", play)
    assert run.process.returncode == 0, run.stdout

    for host, task in (("h1", restore), ("h2", dds)):
        result = run.result("both", host)
        told = [line for line in run.progress(host) if stuck["task_id"][:8] not in line.text]
        lines = told[:1] + [line for line in told[1:] if "waiting for" not in line.text]
        assert result.result["tasks"][0]["state"] == "succeeded"
        assert_live(lines, result.at)
        assert re.fullmatch(rf"\[{host}\] waiting for 1 task, until \d\d:\d\d:\d\d \S+ at the latest", lines[0].text)
        assert all(f" {task['task_id'][:8]}  {task['task_name']}  " in line.text for line in lines[1:])
        assert "█" in bars(lines)
        assert all(re.search(r"  elapsed \d:\d\d:\d\d", line.text) for line in lines[1:])
        assert result.result["polls"] > 1
    texts = "\n".join(line.text for line in run.progress("h1"))
    assert re.search(
        r"Running  [█░]{10} +\d+ %  elapsed 0:00:\d\d  remaining 0:0\d:\d\d  step [123]/3 (INIT|RESTORE|START)", texts
    )
    assert "complete" in run.progress("h1")[-1].text
    # They took turns.
    hosts = [line.text[1:3] for line in run.err.lines if line.text.startswith(("[h1]", "[h2]"))]
    assert len(re.findall("h1(?:h1)*", "".join(hosts))) > 1
    assert not any("\x1b" in line.text for line in run.err.lines)

    # The keyword timeout gives a failed result like any other.
    failed = run.result("timeout", "h2")
    assert failed.how == "failed"
    assert failed.result["failure"]["kind"] == "timeout"
    assert failed.result["task"]["state"] == failed.result["tasks"][0]["state"] == "running"
    assert [each["task_id"] for each in failed.result["pending"]] == [stuck["task_id"]]
    assert "keyword timeout" in failed.result["msg"]
    assert 3 < failed.result["elapsed"] < 5
    (line,) = (line for line in run.progress("h2") if stuck["task_id"][:8] in line.text)
    assert failed.at - line.at > 1


def test_lines_on_a_terminal(here: Controller) -> None:
    """In a loop: lines for each item while it runs, in color, in the midst of Ansible's own output."""
    tasks = [here.task("dds", duration=2.5), here.task("taurusdb", duration=2.5, outcome="failed")]
    items = [named(service, task) for service, task in zip(("dds", "taurusdb"), tasks)]
    play = here.play(wait("items", {"tasks": ["{{ item }}"]}, loop=items))
    run = here.run("ansible-playbook", play, terminal=True, ANSIBLE_STDOUT_CALLBACK="default", TERM="xterm")
    assert run.process.returncode == 2
    lines = run.progress()
    for task in tasks:
        told = [line for line in lines if task["task_id"][:8] in line.plain]
        assert_live(told, told[-1].at)
    (banner,) = (line for line in run.out.lines if line.plain.startswith("TASK [items]"))
    (ok,) = (line for line in run.out.lines if line.plain.startswith("ok: [h1]"))
    (bad,) = (line for line in run.out.lines if line.plain.startswith("failed: [h1]"))
    of_first = [line.at for line in lines if tasks[0]["task_id"][:8] in line.plain]
    assert banner.at <= of_first[0] <= of_first[-1] <= ok.at <= bad.at
    colors = {line.plain.split("  ")[2]: line.text[:7] for line in lines if "waiting for" not in line.plain}
    assert colors["Completed"] == "\x1b[0;32m"
    assert colors["Failed"] == "\x1b[0;31m"
    assert colors["Running"].startswith("[h1]")


def test_silence(here: Controller) -> None:
    """Nothing is shown with no_log, without progress, and of what is over at once, which costs one module run."""
    secret = here.task("dds", duration=1.5, name="SecretName")
    quiet = here.task("dds", duration=1.5)
    done = here.sim.add_task("dds", status="Completed")
    failed = here.sim.add_task("dds", status="Failed")
    play = here.play(
        wait("done", named("dds", done)),
        wait("failed", named("dds", failed), ignore_errors=True),
        wait("secret", named("dds", secret), no_log=True),
        wait("quiet", {**named("dds", quiet), "progress": False}),
    )
    run = here.run("ansible-playbook", play)
    assert run.process.returncode == 0
    assert run.progress() == []
    assert "SecretName" not in "".join(line.text for line in run.err.lines)
    assert run.result("done").result["tasks"][0]["state"] == "succeeded"
    assert run.result("failed").result["failure"]["kind"] == "task_failed"
    assert run.result("quiet").result["polls"] > 1
    polls = {
        name: len(here.sim.requests(task_id=task["task_id"]))
        for name, task in {"done": done, "failed": failed, "secret": secret, "quiet": quiet}.items()
    }
    assert polls["done"] == polls["failed"] == 1
    assert polls["secret"] > 1
    assert polls["quiet"] == run.result("quiet").result["polls"]
    assert len(here.module_runs()) == len(polls)


def test_keywords(here: Controller) -> None:
    """Many hosts at once with the strategy free, each with other keywords, which keep their meaning."""
    hosts = ("async", "become", "check", "environment", "delegate", "retries", "target")
    here.hosts(*hosts)
    tasks = {host: here.task("dds", duration=3) for host in hosts}
    given = {host: named("dds", task) for host, task in tasks.items()}
    password = {
        "HW_USER_NAME": accounts.USERNAME,
        "HW_USER_PASSWORD": accounts.PASSWORD,
        "HW_DOMAIN_NAME": accounts.DOMAIN_NAME,
        "PROGRESS_VARIABLE": "known",
    }
    play = here.play(
        wait("async", given["async"], when=only("async"), **{"async": 60, "poll": 1}),
        wait(
            "become",
            given["become"],
            when=only("become"),
            become=True,
            become_method="progress_become",
        ),
        wait("check", given["check"], when=only("check"), check_mode=True),
        wait(
            "environment",
            {**given["environment"], "auth_token": "{{ omit }}"},
            when=only("environment"),
            environment=password,
        ),
        wait("delegate", given["delegate"], when=only("delegate"), delegate_to="target"),
        wait(
            "retries",
            {**given["retries"], "timeout": 0},
            when=only("retries"),
            register="looked",
            until="looked.task.state == 'succeeded'",
            retries=30,
            delay=0.5,
        ),
        strategy="free",
    )
    run = here.run("ansible-playbook", play, ANSIBLE_FORKS="10")
    assert run.process.returncode == 0, run.stdout

    # async: the module waits by itself, in the background.
    result = run.result("async", "async").result
    assert result["polls"] > 1
    assert result["task"]["state"] == "succeeded"
    assert run.progress("async") == []
    assert len(here.module_runs("async")) == 1

    # become: the wait is run as the other user.
    assert [each["became"] for each in here.module_runs("become")] == ["root"]
    assert_live(run.progress("become"), run.result("become", "become").at)

    # check mode: one poll, whatever it brings.
    result = run.result("check", "check").result
    assert result["msg"].startswith("Check mode: polled once.")
    assert len(result["pending"]) == result["polls"] == len(here.module_runs("check")) == 1
    assert len(here.sim.requests(task_id=tasks["check"]["task_id"])) == 1
    assert run.progress("check") == []

    # environment: credentials from there, one login for the whole wait.
    assert [each["variable"] for each in here.module_runs("environment")] == ["known"]
    assert here.sim.stats()["tokens_issued"] == 1
    assert_live(run.progress("environment"), run.result("environment", "environment").at)

    # delegate_to: the wait is run there.
    lines = run.progress("delegate")
    assert all(line.text.startswith("[delegate -> target] ") for line in lines)
    assert_live(lines, run.result("delegate", "delegate").at)
    assert here.module_runs("delegate") == []
    assert len(here.module_runs("target")) == 1
    assert run.result("delegate", "delegate").result["polls"] > 1

    # retries: each try polls once, and is over at its first poll.
    result = run.result("retries", "retries").result
    assert result["task"]["state"] == "succeeded"
    assert result["attempts"] == len(here.module_runs("retries")) > 1
    assert run.progress("retries") == []


def test_trouble_on_the_way_to_the_host(here: Controller) -> None:
    """The host is out of reach for a while, then modules crash on it for a while; the wait survives both."""
    here.hosts("h1", ansible_connection="progress_connection")
    task = here.task("dds")
    with here.start("ansible-playbook", here.play(wait("wait", named("dds", task)))) as run:
        run.saw("Running")
        for culprit in (here.lost, here.crash):
            seen = len(run.err.lines)
            culprit.touch()
            run.saw("no response: ", after=seen)
            # The second trouble is told only if a good response has come between them.
            seen = len(run.err.lines)
            culprit.unlink()
            run.saw("  Running  ", after=seen)
        here.sim.change_task(task["task_id"], status="Completed")
        run.wait()
    assert run.process.returncode == 0, run.stdout
    lines = run.progress()
    # Every line that was printed is one of ours: none was broken in two.
    assert [line.text for line in run.err.lines if not line.text.startswith("[")] == []
    trouble = [line for line in lines if "retrying" in line.text]
    assert len(trouble) == 2
    assert "No route to host" in trouble[0].text
    assert all("  Running  " in line.text and "no response: " in line.text for line in trouble)
    # The good response after each trouble is told too.
    assert all("Running  " in lines[lines.index(line) + 1].text or "Completed" in lines[-1].text for line in trouble)
    result = run.result("wait").result
    assert result["task"]["state"] == "succeeded"
    assert result["task"] == result["tasks"][0]
    # The options, with the keys in them, do not stay behind on the host.
    assert list(here.remote_tmp.rglob("AnsiballZ_*")) == []


def test_a_folder_that_vanishes_from_the_host(here: Controller) -> None:
    """Ansible keeps its temporary folder on the host for the whole wait; a restart of the host may remove it."""
    here.hosts("h1", ansible_connection="progress_connection")
    task = here.task("dds")
    with here.start("ansible-playbook", here.play(wait("wait", {**named("dds", task), "error_grace": 15}))) as run:
        run.saw("  Running  ")
        shutil.rmtree(here.remote_tmp)
        here.sim.change_task(task["task_id"], status="Completed")
        run.wait()
    assert run.result("wait").result["task"]["state"] == "succeeded"


def test_ad_hoc(here: Controller) -> None:
    """Also with other words than UTF-8 has, with much talk of Ansible's own, and a status that nobody knows."""
    task = here.task("dds")
    here.sim.change_task(task["task_id"], status="Paused", progress=10)
    options = here.options(**named("dds", task), sleep=0.5)
    command = ["ansible", "all", "-vvvv", "-m", WAIT, "-a", json.dumps(options)]
    with here.start(*command, PYTHONIOENCODING="ascii:backslashreplace", ANSIBLE_STDOUT_CALLBACK="minimal") as run:
        run.saw("  Paused  ")
        here.sim.change_task(task["task_id"], duration=3)
        run.wait()
    assert run.process.returncode == 0
    lines = run.progress()
    (end,) = (line for line in run.out.lines if line.text.startswith("h1 | SUCCESS"))
    assert_live(lines, end.at)
    assert "#---" in bars(lines)
    assert all(line.text.isascii() for line in lines)
    everything = run.stdout + "\n".join(line.text for line in run.err.lines)
    assert not any(secret in everything for secret in SECRETS)
    assert len(re.findall(r"WARNING\]: [^\n]*'Paused'", everything.replace("\n", " "))) == 1


def test_ctrl_c(here: Controller) -> None:
    """Ctrl-C ends the wait soon and leaves nothing behind."""
    task = here.task("dds")
    play = here.play(wait("wait", {**named("dds", task), "sleep": 1}))
    with here.start("ansible-playbook", play, terminal=True) as run:
        run.saw("  Running  ")
        assert run.master is not None
        pressed = time.monotonic()
        os.write(run.master, b"\x03")
        run.wait()
        assert run.process.returncode != 0
        assert run.ended_at - pressed < 5
        (line,) = (line for line in run.progress() if "resume with: " in line.plain)
        assert line.plain.startswith("[h1] interrupted; ")
        assert task["task_id"] in line.plain
        while here.survivors():
            assert time.monotonic() - pressed < 10, here.survivors()
            time.sleep(0.1)


def test_an_interrupted_wait_in_a_log(here: Controller) -> None:
    """What the shell does not append to the file (> log) is not overwritten there by what Ansible writes next."""
    task = here.task("dds")
    play = here.play(wait("wait", named("dds", task)))
    log = here.folder / "log"
    into_log = ["/bin/bash", "-c", f'exec "$@" > {shlex.quote(str(log))} 2>&1', "-"]
    with here.start(*into_log, BIN / "ansible-playbook", play, ANSIBLE_STDOUT_CALLBACK="default") as run:
        until = time.monotonic() + PATIENCE
        while len(here.sim.requests()) < 4 or "  Running  " not in log.read_text():
            assert time.monotonic() < until
            time.sleep(0.1)
        run.process.send_signal(signal.SIGINT)
        run.wait()
    text = log.read_text()
    assert re.search(rf"^\[h1\] interrupted; .*resume with: ansible-playbook .*{task['task_id']}", text, re.MULTILINE)
    assert "User interrupted execution" in text


def test_the_command_that_is_told_resumes_the_wait(here: Controller) -> None:
    task, doomed = here.task("dds"), here.task("dds", duration=1, outcome="failed")
    where = {"endpoint": here.sim.url, "project_id": accounts.PROJECT_ID}
    tasks = [{**named("dds", each), **where} for each in (task, doomed)]
    run = here.run("ansible-playbook", here.play(wait("wait", {"tasks": tasks})))
    assert run.process.returncode != 0
    last = run.progress()[-1].plain
    assert "resume with: " in last
    assert doomed["task_id"] not in last

    here.sim.change_task(task["task_id"], status="Completed")
    here.hosts("localhost")
    command = shlex.split(last.partition("resume with: ")[2])
    again = here.run(*command, HW_AUTH_TOKEN=accounts.TOKEN, ANSIBLE_STDOUT_CALLBACK="default")
    assert again.process.returncode == 0
    assert "1 of 1 task finished" in again.stdout


RUNNER = """
import json, sys, time
import ansible_runner
note = lambda event: print(json.dumps({"at": time.monotonic(), **event}), flush=True) or True
run = ansible_runner.run(private_data_dir=sys.argv[1], playbook=sys.argv[2], quiet=True, event_handler=note)
sys.exit(run.rc)
"""


def test_ansible_runner(here: Controller) -> None:
    """The lines are events of their own, which arrive while the task still runs."""
    pytest.importorskip("ansible_runner")
    task = here.task("dds", duration=3)
    play = here.play(wait("wait", named("dds", task)))
    command = [sys.executable, "-c", RUNNER, str(here.folder / "runner"), str(play)]
    (here.folder / "runner").mkdir()
    env = {name: value for name, value in here.env.items() if name != "ANSIBLE_STDOUT_CALLBACK"}
    process = subprocess.run(command, env=env, cwd=here.folder, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    events = [json.loads(line) for line in process.stdout.splitlines()]
    (end,) = (event for event in events if event["event"] == "runner_on_ok")
    told = [event for event in events if event["stdout"].lstrip().startswith("[h1] ") or "[h1] DDS" in event["stdout"]]
    assert {event["event"] for event in told} == {"verbose"}
    assert_live([Line(event["at"], event["stdout"]) for event in told], end["at"])
    assert any(f"DDS {task['task_id'][:8]}  " in event["stdout"] and " %" in event["stdout"] for event in told)
