# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is shown: every module with every way to log in, at -vvvv, in success, failure and crash."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from environment import BIN, inherited

from simulator import Simulator, accounts

COLLECTIONS = Path(__file__).resolve().parents[2] / ".venv" / "collections"

SECRETS = {
    "token": accounts.TOKEN,
    "secret key": accounts.SECRET_KEY,
    "temporary secret key": accounts.TEMPORARY_SECRET_KEY,
    "security token": accounts.SECURITY_TOKEN,
    "password": accounts.PASSWORD,
    "issued token": "MIISimulatorIssued",
}

# By the names of the options; the environment has the same under its own names.
METHODS = {
    "token": {"auth_token": accounts.TOKEN},
    "key": {"access_key": accounts.ACCESS_KEY, "secret_key": accounts.SECRET_KEY},
    "temporary key": {
        "access_key": accounts.TEMPORARY_ACCESS_KEY,
        "secret_key": accounts.TEMPORARY_SECRET_KEY,
        "security_token": accounts.SECURITY_TOKEN,
    },
    "password": {
        "username": accounts.USERNAME,
        "password": accounts.PASSWORD,
        "domain_name": accounts.DOMAIN_NAME,
    },
}
VARIABLES = {
    "auth_token": "HW_AUTH_TOKEN",
    "access_key": "HW_ACCESS_KEY",
    "secret_key": "HW_SECRET_KEY",
    "security_token": "HW_SECURITY_TOKEN",
    "username": "HW_USER_NAME",
    "password": "HW_USER_PASSWORD",
    "domain_name": "HW_DOMAIN_NAME",
}

# Loaded by every Python that starts in the run: the modules crash where the secrets are at hand.
CRASH = """
    import requests

    def crash(self, method, url, **kwargs):
        kwargs["auth"](requests.Request(method, url).prepare())
        raise RuntimeError("a crash was forced")

    requests.Session.request = crash
"""


def queries(sim: Simulator) -> list[dict[str, t.Any]]:
    """One task for each query module, and waits that succeed, fail, and are refused."""
    ids = {service: sim.add_task(service, status="Running") for service in ("taurusdb", "dds")}
    kafka = sim.add_task("kafka", status="SUCCESS")
    restore = sim.add_task("taurusdb_restore", status="Running")
    named = {
        "taurusdb": {"task_id": ids["taurusdb"]["task_id"]},
        "dds": {"task_id": ids["dds"]["task_id"]},
        "kafka": {"task_id": kafka["task_id"], "instance_id": kafka["instance_id"]},
        "taurusdb_restore": {key: restore[key] for key in ("task_id", "instance_id", "task_name")},
    }
    asked = [{f"huaweicloud.tasks.{service}_task_info": named[service]} for service in named]
    waits = [
        {"tasks": [{"service": "kafka", **named["kafka"]}], "timeout": 1},
        {"tasks": [{"service": "dds", **named["dds"]}], "timeout": 1, "sleep": 0.5},
        {"tasks": [{"service": "dds", "task_id": "wrong"}], "timeout": 1, "progress": False},
        {"tasks": [{"service": "dds", **named["dds"]}], "project_id": accounts.OTHER_PROJECT_ID, "timeout": 1},
    ]
    return [*asked, *({"huaweicloud.tasks.wait_for_task": wait} for wait in waits)]


def play(
    sim: Simulator, credentials: dict[str, str], site: Path, *, every_query: bool = True
) -> list[dict[str, t.Any]]:
    """Every module once, or one for all the queries; then a query and a wait that crash; then a login."""
    defaults = {"endpoint": sim.url, "iam_endpoint": sim.endpoint("iam"), "region": accounts.REGION, **credentials}
    tasks = [{**query, "ignore_errors": True, "register": "result"} for query in queries(sim)]
    tasks = tasks if every_query else [tasks[0], *tasks[4:]]
    crashes = [{**task, "environment": {"PYTHONPATH": str(site)}} for task in (tasks[0], tasks[-3])]
    shown = {"ansible.builtin.debug": {"var": "result"}}
    login = {"huaweicloud.tasks.iam_token": {}, "register": "login", "no_log": True, "ignore_errors": True}
    return [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/huaweicloud.tasks.all": defaults},
            "tasks": [step for task in tasks + crashes for step in (task, shown)] + [login],
        }
    ]


def run(tmp_path: Path, plays: list[dict[str, t.Any]], **variables: str) -> str:
    """Run a playbook at -vvvv; return all that it shows and logs."""
    playbook, log = tmp_path / "play.yml", tmp_path / "ansible.log"
    playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
    env = inherited()
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS),
        ANSIBLE_HOME=str(tmp_path / "ansible"),
        # Older versions than 2.21 always show what a module was given.
        ANSIBLE_INJECT_INVOCATION="true",
        ANSIBLE_LOG_PATH=str(log),
        ANSIBLE_PYTHON_INTERPRETER=sys.executable,
        HOME=str(tmp_path),
        **variables,
    )
    command = [str(BIN / "ansible-playbook"), "-vvvv", "--inventory", "localhost,", "--connection", "local"]
    done = subprocess.run(
        [*command, str(playbook)], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert "PLAY RECAP" in done.stdout, done.stdout + done.stderr
    return "\n".join((done.stdout, done.stderr, log.read_text(encoding="utf-8")))


def assert_no_secret(shown: str) -> None:
    found = [name for name, secret in SECRETS.items() if secret in shown]
    assert not found, f"{found} shown"


@pytest.fixture(name="sim")
def fixture_sim() -> t.Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


@pytest.fixture(name="site")
def fixture_site(tmp_path: Path) -> Path:
    """A folder from which Python loads the crash."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(textwrap.dedent(CRASH), encoding="utf-8")
    return folder


def assert_all_happened(shown: str) -> None:
    """Success, failure and crash."""
    assert "1 of 1 task finished" in shown
    assert "0 of 1 task finished" in shown
    assert "a crash was forced" in shown


def test_options_are_not_shown(sim: Simulator, tmp_path: Path, site: Path) -> None:
    options = METHODS["token"]
    plays = play(sim, options, site)
    # The playbook's own text holds the secrets: from a file of variables, as users keep them.
    (tmp_path / "secrets.yml").write_text(yaml.safe_dump(options), encoding="utf-8")
    defaults = plays[0]["module_defaults"]["group/huaweicloud.tasks.all"]
    defaults.update({name: f"{{{{ {name} }}}}" for name in options})
    plays[0]["vars_files"] = [str(tmp_path / "secrets.yml")]
    shown = run(tmp_path, plays)
    assert shown.count("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER") > 8
    assert_all_happened(shown)
    assert_no_secret(shown)


# Stands in for a connection to another host, which shows at -vvv what modules print there.
SSH = """\
#!/bin/sh
for command; do :; done
exec /bin/sh -c "$command"
"""


def test_what_comes_through_ssh_is_not_shown(sim: Simulator, tmp_path: Path, site: Path) -> None:
    options = METHODS["password"]
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH, encoding="utf-8")
    ssh.chmod(0o700)
    plays = play(sim, {name: f"{{{{ {name} }}}}" for name in options}, site, every_query=False)
    (tmp_path / "secrets.yml").write_text(yaml.safe_dump(options), encoding="utf-8")
    connection = {"ansible_connection": "ssh", "ansible_ssh_executable": str(ssh), "ansible_pipelining": True}
    plays[0].update(vars_files=[str(tmp_path / "secrets.yml")], vars=connection)
    shown = run(tmp_path, plays, ANSIBLE_SSH_ARGS="", ANSIBLE_HOST_KEY_CHECKING="false")
    assert "<localhost> (0, b'" in shown
    assert_all_happened(shown)
    assert_no_secret(shown)


@pytest.mark.parametrize("method", ["key", "temporary key"])
def test_the_environment_is_not_shown(sim: Simulator, tmp_path: Path, site: Path, method: str) -> None:
    variables = {VARIABLES[name]: value for name, value in METHODS[method].items()}
    shown = run(tmp_path, play(sim, {}, site, every_query=False), **variables)
    assert_all_happened(shown)
    assert_no_secret(shown)


def test_an_error_that_repeats_a_secret_is_masked(sim: Simulator, tmp_path: Path, site: Path) -> None:
    for service in ("taurusdb", "taurusdb_restore", "dds", "kafka"):
        message = f"bad token {accounts.TOKEN}"
        sim.add_fault("status", service=service, status=500, error_code="DBS.108000", error_msg=message)
    plays = play(sim, {}, site)
    # A query and a wait, each with what it returned.
    plays[0]["tasks"] = [*plays[0]["tasks"][:2], *plays[0]["tasks"][8:10]]
    shown = run(tmp_path, plays, HW_AUTH_TOKEN=accounts.TOKEN)
    assert "DBS.108000" in shown
    assert_no_secret(shown)


@pytest.mark.parametrize("room", [4, 260])
def test_a_secret_that_is_repeated_in_another_form_is_masked(
    sim: Simulator, tmp_path: Path, site: Path, room: int
) -> None:
    """As JSON, and with its blanks collapsed; or cut in its midst."""
    secret = 'corréct  "horse" battery staple'
    message = f"bad password{' x' * (room // 2)} {json.dumps(secret)} or {secret}"
    for service in ("taurusdb", "kafka"):
        sim.add_fault("status", service=service, status=500, error_code="DBS.108000", error_msg=message)
    plays = play(sim, {}, site)
    plays[0]["tasks"] = [*plays[0]["tasks"][:2], *plays[0]["tasks"][8:10]]
    shown = run(tmp_path, plays, HW_AUTH_TOKEN=accounts.TOKEN, HW_USER_PASSWORD=secret)
    assert "bad password x x" in shown
    assert not [word for word in ("corr", "horse", "battery", "staple") if word in shown]
