# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook huaweicloud.tasks.wait: what it passes on, where it waits, and what its exit status says."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import yaml

from simulator import Simulator

TASK = "9d10bfd1-affb-49c3-b977-298950a8d6fa"
DONE = {"service": "dds", "task_id": TASK}
CRASH = 250  # the status of an exception that Ansible did not expect
HOSTS = """\
[all:vars]
ansible_connection=local
ansible_python_interpreter="{{ ansible_playbook_python }}"

[shift]
early
late
"""


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        cloud.add_tasks(sim)
        yield sim


def passed_on() -> dict[str, str]:
    """The options that the playbook gives to the module."""
    play = yaml.safe_load((cloud.ROOT / "playbooks" / "wait.yml").read_text(encoding="utf-8"))[0]
    named = play["tasks"][0]["block"][0]["huaweicloud.tasks.wait_for_task"]
    return {
        **named,
        **{name: value for defaults in play["module_defaults"].values() for name, value in defaults.items()},
    }


def run_wait(
    sim: Simulator, folder: Path, *options: str, nothing: str | None = "", hosts: str = "", **variables: t.Any
) -> subprocess.CompletedProcess[str]:
    """Run the playbook; every option that is not named is empty."""
    empty = dict.fromkeys(passed_on(), nothing)
    given = {**empty, "endpoint": sim.url, "iam_endpoint": sim.endpoint("iam"), **variables}
    (folder / "hosts").write_text(hosts, encoding="utf-8")
    (folder / "ansible.cfg").write_text("[defaults]\ninventory = hosts\n", encoding="utf-8")
    # What --step asks is answered with no.
    command = ["ansible-playbook", "huaweicloud.tasks.wait", "-e", json.dumps(given), *options]
    return cloud.run(["bash", "-c", 'yes n | "$@"', "-", *command], folder, cloud.environment(folder, sim))


# What it passes on


def test_options_are_passed_on_alike() -> None:
    """By their names, or by a name and its alias. That none is missing is what tests/controller checks."""
    plain = "{{{{ omit if {0} | default('') in ['', none] else {0} }}}}"
    either = "{{{{ [{0} | default(''), {1} | default('')] | reject('in', ['', none]) | first | default(omit) }}}}"
    aliases = {"task_id": "job_id", "task_name": "job_name", "ca_path": "ca_cert"}
    given = passed_on()
    # Structures may come as text, which tests/controller/test_job.py and the next test try.
    del given["tasks"], given["api"]
    expected = {option: plain.format(option) for option in given}
    assert given == expected | {option: either.format(option, alias) for option, alias in aliases.items()}


API = {
    "path": "/v1/{project_id}/cloudservers/{task_id}",
    "record": "server",
    "fields": {"id": "id", "status": "status"},
    "succeeded": ["ACTIVE"],
}


@pytest.mark.parametrize("api", [API, json.dumps(API)], ids=("structure", "text"))
def test_another_api(api: t.Any, sim: Simulator, tmp_path: Path) -> None:
    server = {"service": "custom", "task_id": "bae51750-0089-41a1-9b18-5c777978ff6d"}
    done = run_wait(sim, tmp_path, **server, api=api)
    cloud.assert_good(done)
    assert "1 of 1 task finished" in done.stdout


@pytest.mark.parametrize(("nothing", "tasks"), [("", " \n"), (None, None)])
def test_what_is_empty_is_not_given(nothing: str | None, tasks: str | None, sim: Simulator, tmp_path: Path) -> None:
    done = run_wait(sim, tmp_path, nothing=nothing, tasks=tasks, **DONE)
    cloud.assert_good(done)
    assert "1 of 1 task finished" in done.stdout


def test_aliases_are_extra_variables(sim: Simulator, tmp_path: Path) -> None:
    restore, task = next((key, task) for key, task in cloud.TASKS.items() if task["service"] == "taurusdb_restore")
    named = {"service": task["service"], "instance_id": task["instance_id"], "job_name": task["name"]}
    done = run_wait(sim, tmp_path, job_id=restore, ca_cert="/no/such/file", validate_certs=False, **named)
    cloud.assert_good(done)
    assert f"{task['name']} {restore}: succeeded" in done.stdout


def test_zero_is_given(sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="stuck", outcome="stuck", duration=1000)
    done = run_wait(sim, tmp_path, service="dds", task_id="stuck", timeout=0)
    assert done.returncode == 2
    assert "0 of 1 task finished" in done.stdout
    assert len(sim.requests(task_id="stuck")) == 1


def test_false_is_given(sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="bad", status="Failed")
    cloud.finish_late(sim, "slow")
    tasks = [{"service": "dds", "task_id": name} for name in ("bad", "slow")]
    done = run_wait(sim, tmp_path, tasks=tasks, fail_fast=False, progress="false", sleep="0.5")
    assert done.returncode == 2
    assert "2 of 2 tasks finished" in done.stdout
    assert "If interrupted" not in done.stderr


def test_a_task_whose_api_gives_no_status_was_seen(sim: Simulator, tmp_path: Path) -> None:
    restore = next(task for task in cloud.TASKS.values() if task["service"] == "taurusdb_restore")
    named = {key: restore[key] for key in ("service", "instance_id")}
    done = run_wait(sim, tmp_path, **named)
    cloud.assert_good(done)
    assert re.search(r"\btaurusdb_restore .*: succeeded\b", done.stdout)
    assert "never seen" not in done.stdout


def test_an_empty_list_is_nothing_to_wait_for(sim: Simulator, tmp_path: Path) -> None:
    cloud.assert_good(run_wait(sim, tmp_path, tasks=[]))
    assert sim.requests() == []


# Where it waits


def waited(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The hosts that ran both tasks of the playbook."""
    recap = done.stdout.partition("PLAY RECAP")[2]
    return sorted(re.findall(r"^(\w+) +: ok=2 .* skipped=1 ", recap, re.MULTILINE))


@pytest.mark.parametrize(
    ("target", "options", "hosts"),
    [
        ("", [], ["localhost"]),
        (None, ["--limit", "early,localhost", "--tags", "nothing"], ["localhost"]),
        (None, ["--skip-tags", "all"], ["localhost"]),
        ("shift", [], ["early", "late"]),
        ("shift", ["--limit", "late"], ["late"]),
        (["late", "nowhere"], [], ["late"]),
    ],
    ids=str,
)
def test_the_target_waits(target: t.Any, options: list[str], hosts: list[str], sim: Simulator, tmp_path: Path) -> None:
    done = run_wait(sim, tmp_path, *options, hosts=HOSTS, target=target, **DONE)
    cloud.assert_good(done)
    assert waited(done) == hosts
    assert len(sim.requests(task_id=TASK)) == len(hosts)


def test_a_target_among_the_variables_of_a_host_is_not_meant(sim: Simulator, tmp_path: Path) -> None:
    cloud.assert_good(run_wait(sim, tmp_path, hosts=f"localhost target=elsewhere\n{HOSTS}", **DONE))


# The exit status is 0 only after a wait that succeeded


@pytest.mark.parametrize(
    ("target", "inventory"), [("typo", ""), ("shift:!early:!late", HOSTS)], ids=["no inventory", "an inventory"]
)
def test_a_target_that_is_not_in_the_inventory(target: str, inventory: str, sim: Simulator, tmp_path: Path) -> None:
    done = run_wait(sim, tmp_path, hosts=inventory, target=target, **DONE)
    assert done.returncode not in (0, CRASH)
    assert f"Nothing was waited for. The target {target} matches no host of the inventory" in done.stderr
    assert sim.requests() == []


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (["--limit", "early"], {"target": "late"}),
        (["--limit", "early", "--skip-tags", "always"], {}),
        (["--limit", "early", "--start-at-task", "Summary"], {}),
        (["--limit", "early", "--check"], {}),
        (["--skip-tags", "always"], {}),
        (["--skip-tags", "always,all,tagged"], {"target": "shift"}),
        (["--start-at-task", "nothing"], {}),
        (["--step"], {}),
    ],
    ids=lambda value: " ".join(value) or None,
)
def test_a_command_line_that_leaves_the_wait_out(
    options: list[str], variables: dict[str, str], sim: Simulator, tmp_path: Path
) -> None:
    done = run_wait(sim, tmp_path, *options, hosts=HOSTS, **variables, **DONE)
    assert done.returncode not in (0, CRASH)
    assert "Nothing was waited for on" in done.stderr
    assert sim.requests() == []


@pytest.mark.parametrize("inventory", ["", f"localhost\n{HOSTS}"], ids=["no inventory", "localhost in the inventory"])
def test_a_limit_that_leaves_localhost_out(inventory: str, sim: Simulator, tmp_path: Path) -> None:
    done = run_wait(sim, tmp_path, "--limit", "early", hosts=inventory, **DONE)
    assert done.returncode not in (0, CRASH)
    assert "Is it within --limit early?" in done.stderr
    assert sim.requests() == []


@pytest.mark.parametrize("target", ["away", "away,early"])
def test_a_host_that_cannot_be_reached(target: str, sim: Simulator, tmp_path: Path) -> None:
    away = "away ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=9 ansible_user=nobody\n"
    done = run_wait(sim, tmp_path, hosts=away + HOSTS, target=target, error_grace=0, **DONE)
    assert done.returncode not in (0, CRASH)


def test_one_host_of_two_fails(sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="bad", status="Failed")
    hosts = HOSTS.replace("early\n", "early job=bad\n").replace("late\n", f"late job={TASK}\n")
    done = run_wait(sim, tmp_path, hosts=hosts, target="shift", service="dds", task_id="{{ job }}")
    assert done.returncode == 2
    assert waited(done) == ["late"]


@pytest.mark.parametrize(
    ("require", "status", "good"),
    [("all", "Completed", True), ("all", "Running", False), ("any", "Running", True)],
)
def test_check_mode_polls_once(require: str, status: str, good: bool, sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="second", outcome="stuck", status=status)
    tasks = [DONE, {"service": "dds", "task_id": "second"}]
    done = run_wait(sim, tmp_path, "--check", tasks=tasks, require=require)
    assert (done.returncode == 0) == good
    assert ("polled once, in check mode, and have not all finished" in done.stderr) != good
    assert len(sim.requests(task_id="second")) == 1


@pytest.mark.parametrize("condition", [True, False], ids=["when", "when not"])
def test_a_condition_of_a_larger_playbook(condition: bool, sim: Simulator, tmp_path: Path) -> None:
    entry = {"ansible.builtin.import_playbook": "huaweicloud.tasks.wait", "when": condition}
    variables = {**DONE, "endpoint": sim.url, "iam_endpoint": sim.endpoint("iam")}
    (tmp_path / "site.yml").write_text(yaml.safe_dump([{**entry, "vars": variables}]), encoding="utf-8")
    done = cloud.run(["ansible-playbook", "site.yml"], tmp_path, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert bool(sim.requests()) == condition


@pytest.mark.parametrize("options", [["--syntax-check"], ["--list-hosts", "--list-tasks", "--list-tags"]], ids=str)
def test_what_only_lists_does_not_fail(options: list[str], sim: Simulator, tmp_path: Path) -> None:
    cloud.assert_good(run_wait(sim, tmp_path, *options, hosts=HOSTS, **DONE))
    assert sim.requests() == []


# Until an instance is idle

INSTANCE = "a23fb62bd61e4e9e9636fd2225f395bein07"
IDLE = {"service": "taurusdb", "instance_id": INSTANCE, "sleep": 0.3, "max_sleep": 0.3}


def running_task(sim: Simulator, **course: t.Any) -> str:
    return sim.add_task("taurusdb", instance_id=INSTANCE, **course)["task_id"]


def test_an_instance_with_nothing_to_do_is_idle(sim: Simulator, tmp_path: Path) -> None:
    running_task(sim, status="Completed")
    sim.add_task("taurusdb", outcome="stuck")
    done = run_wait(sim, tmp_path, **IDLE)
    cloud.assert_good(done)
    assert "No tasks to wait for." in done.stdout


def test_an_instance_is_idle_when_its_last_task_has_ended(sim: Simulator, tmp_path: Path) -> None:
    """A task that starts during the wait is waited for, too."""
    first, second = running_task(sim, status="Running"), "5c22c37d-0000-4000-8000-000000000002"

    def go_on() -> None:
        while not sim.requests(task_id=first):
            time.sleep(0.05)
        cloud.finish_late(sim, second, service="taurusdb", instance_id=INSTANCE)
        sim.change_task(first, status="Completed")

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    done = run_wait(sim, tmp_path, **IDLE)
    thread.join(5)
    cloud.assert_good(done)
    assert sim.requests(task_id=second)


def test_a_task_of_the_instance_fails(sim: Simulator, tmp_path: Path) -> None:
    cloud.finish_late(sim, "late", service="taurusdb", instance_id=INSTANCE, failure="disk full")
    done = run_wait(sim, tmp_path, **IDLE)
    assert done.returncode == 2
    assert "disk full" in done.stdout


def test_the_time_is_for_the_whole_wait(sim: Simulator, tmp_path: Path) -> None:
    running_task(sim, outcome="stuck")
    done = run_wait(sim, tmp_path, **IDLE, timeout=2)
    assert done.returncode == 2
    assert "Timed out" in done.stdout


@pytest.mark.parametrize("seconds", ["30m", -5], ids=str)
def test_a_time_that_is_none_is_refused(seconds: t.Any, sim: Simulator, tmp_path: Path) -> None:
    running_task(sim, outcome="stuck")
    done = run_wait(sim, tmp_path, **IDLE, timeout=seconds)
    assert done.returncode == 2
    assert "Timed out" not in done.stdout
    assert re.search("timeout must be a number|'timeout' is of type .*str", done.stdout)


def test_a_service_without_a_list_cannot_be_waited_for_like_this(sim: Simulator, tmp_path: Path) -> None:
    done = run_wait(sim, tmp_path, service="dcs", instance_id=INSTANCE)
    assert done.returncode == 2
    assert_summary_begins(done, "dcs has no list of tasks")


def test_a_search_that_fails_after_a_wait(sim: Simulator, tmp_path: Path) -> None:
    """The summary tells of the failure, not of the wait that succeeded before it."""
    first = running_task(sim, status="Running")

    def go_on() -> None:
        while not sim.requests(task_id=first):
            time.sleep(0.05)
        sim.add_fault("forbidden", service="taurusdb", list=True)
        sim.change_task(first, status="Completed")

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    done = run_wait(sim, tmp_path, **IDLE)
    thread.join(5)
    assert done.returncode == 2
    assert len(sim.requests(task_id=first)) > 1
    assert_summary_begins(done, "Cannot list the TaurusDB tasks")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"service": "taurusdb"}, True),
        ({"service": "custom", "api": API}, False),
    ],
    ids=lambda value: value["service"] if isinstance(value, dict) else None,
)
def test_a_wait_that_lacks_an_id(variables: dict[str, t.Any], told: bool, sim: Simulator, tmp_path: Path) -> None:
    """Whoever knows no task is told of the other wait, where there is one."""
    done = run_wait(sim, tmp_path, **variables)
    assert done.returncode == 2
    assert_summary_begins(done, f"A task of {variables['service']} needs ")
    assert ("With instance_id alone" in done.stdout) == told


def searches(sim: Simulator) -> int:
    """How often the list of tasks was requested."""
    return len([request for request in sim.requests(service="taurusdb") if "/immediate-jobs" in request["path"]])


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503, "first": 1}, {"kind": "login_page", "first": 1}],
    ids=["server error", "login page"],
)
def test_a_search_survives_trouble(fault: dict[str, t.Any], sim: Simulator, tmp_path: Path) -> None:
    """The trouble comes in the midst of the first search."""
    cloud.finish_late(sim, "late", service="taurusdb", instance_id=INSTANCE)
    sim.add_fault(**fault, service="taurusdb", list=True, after=1)
    done = run_wait(sim, tmp_path, **IDLE)
    cloud.assert_good(done)
    assert "FAILED - RETRYING" in done.stdout
    assert_summary_begins(done, "1 of 1 task finished")


def test_a_search_that_is_throttled_goes_on_until_the_timeout(sim: Simulator, tmp_path: Path) -> None:
    cloud.finish_late(sim, "late", service="taurusdb", instance_id=INSTANCE)
    # More than the search itself waits for.
    sim.add_fault("throttle", service="taurusdb", list=True, first=2, retry_after=60)
    done = run_wait(sim, tmp_path, **IDLE, error_grace=0)
    cloud.assert_good(done)
    assert "FAILED - RETRYING" in done.stdout
    assert_summary_begins(done, "1 of 1 task finished")


@pytest.mark.parametrize("bound", ["error_grace", "timeout"])
def test_a_search_survives_trouble_only_for_so_long(bound: str, sim: Simulator, tmp_path: Path) -> None:
    sim.add_fault("status", status=503, service="taurusdb", list=True)
    done = run_wait(sim, tmp_path, **IDLE, **{bound: 17})
    assert done.returncode == 2
    assert searches(sim) == 2
    assert_summary_begins(done, "Cannot list the TaurusDB tasks .* HTTP 503")


@pytest.mark.parametrize(
    ("options", "variables"),
    [([], {"error_grace": 0}), ([], {"error_grace": "5m"}), (["--check"], {})],
    ids=str,
)
def test_a_search_that_is_not_to_survive_trouble(
    options: list[str], variables: dict[str, t.Any], sim: Simulator, tmp_path: Path
) -> None:
    sim.add_fault("status", status=503, service="taurusdb", list=True)
    done = run_wait(sim, tmp_path, *options, **IDLE, **variables)
    assert done.returncode == 2
    assert searches(sim) == 1


def test_a_search_that_is_refused(sim: Simulator, tmp_path: Path) -> None:
    sim.add_fault("status", status=404, service="taurusdb", list=True)
    done = run_wait(sim, tmp_path, **IDLE)
    assert done.returncode == 2
    assert searches(sim) == 1
    assert_summary_begins(done, "Cannot list the TaurusDB tasks .* HTTP 404")


@pytest.mark.parametrize("wrong", ["a key", "a certificate"])
def test_a_search_with_something_wrong(wrong: str, sim: Simulator, tmp_path: Path) -> None:
    """It ends the wait at once: time does not mend it."""
    no_ca = tmp_path / "ca.pem"
    no_ca.write_text("no certificate", encoding="utf-8")
    https = sim.url.replace("http://", "https://")
    variables = {
        "a key": {"access_key": "WRONG", "secret_key": "WRONG"},
        "a certificate": {"ca_path": str(no_ca), "endpoint": https},
    }
    told = {"a key": "HTTP 401", "a certificate": "the file of CA certificates cannot be read"}
    done = run_wait(sim, tmp_path, **IDLE, **variables[wrong])
    assert done.returncode == 2
    assert "RETRYING" not in done.stdout
    assert told[wrong] in done.stdout


def assert_summary_begins(done: subprocess.CompletedProcess[str], text: str) -> None:
    summary = done.stdout.partition("TASK [Summary]")[2]
    assert re.search(rf'"msg": \[\s+"{text}', summary), done.stdout
