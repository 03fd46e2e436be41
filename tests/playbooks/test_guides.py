# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples and commands in the guides are run as those in the README are, and the guides name what there is."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
import typing as t
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import yaml

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import wait_arguments
from simulator import Simulator, accounts

GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in (cloud.ROOT / "docs/docsite/rst").glob("*.rst")}
BLOCK = re.compile(r"^\.\. code-block:: (\S+)\n\n((?:    .*\n|\n)+)", re.MULTILINE)
BLOCKS = [(language, textwrap.dedent(text)) for guide in GUIDES.values() for language, text in BLOCK.findall(guide)]
EXAMPLES = [yaml.safe_load(text) for language, text in BLOCKS if language == "yaml+jinja"]
COMMANDS = [line for language, text in BLOCKS if language == "shell" for line in text.splitlines() if line]


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        cloud.add_tasks(sim)
        yield sim


def test_nothing_is_left_out() -> None:
    assert len(EXAMPLES) >= 4
    assert COMMANDS
    assert {language for language, dummy in BLOCKS} == {"yaml+jinja", "shell", "python"}
    assert len(BLOCKS) == sum(guide.count("code-block::") for guide in GUIDES.values())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0]["name"])
def test_an_example(example: list[dict[str, t.Any]], sim: Simulator, tmp_path: Path) -> None:
    variables = {
        "tasks_to_wait_for": [{"service": "dds", "task_id": "9d10bfd1-affb-49c3-b977-298950a8d6fa"}],
        "vault_access_key": accounts.ACCESS_KEY,
        "vault_secret_key": accounts.SECRET_KEY,
    }
    play = example[0] if "hosts" in example[0] else cloud.play_of(example)
    play.setdefault("vars", {}).update(variables)
    cloud.assert_good(cloud.run_playbook([play], tmp_path, sim))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(command: str, sim: Simulator, tmp_path: Path) -> None:
    asked = f"{command} -e endpoint={sim.url}"
    done = cloud.run(["bash", "-euc", asked], tmp_path, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert "1 of 1 task finished" in done.stdout


def test_every_kind_of_failure_is_explained() -> None:
    documentation = (cloud.ROOT / "plugins" / "modules" / "wait_for_task.py").read_text(encoding="utf-8")
    (kinds,) = re.findall(r"choices: \[(task_failed[^\]]*)\]", documentation)
    table = GUIDES["guide_waiting"].partition("When it fails")[2].partition("Resuming")[0]
    assert re.findall(r"^   \* - ``(\w+)``", table, re.MULTILINE) == kinds.split(", ")


def test_every_variable_is_listed() -> None:
    source = (cloud.ROOT / "plugins" / "module_utils" / "_settings.py").read_text(encoding="utf-8")
    variables = set(re.findall(r'"((?:HW|OS|HUAWEICLOUD)_\w+)"', source)) - {"HUAWEICLOUD_SDK_CREDENTIALS_FILE"}
    assert set(re.findall(r"``((?:HW|OS|HUAWEICLOUD)_\w+)``", GUIDES["guide_authentication"])) == variables


def test_wait_passes_every_option_on() -> None:
    """The playbook for pipelines knows every option of wait_for_task, by the same name."""
    (play,) = yaml.safe_load((cloud.ROOT / "playbooks" / "wait.yml").read_text(encoding="utf-8"))
    given = play["tasks"][1]["block"][0]["huaweicloud.tasks.wait_for_task"]
    assert sorted(given) == sorted(wait_arguments())
    # A list may come as text, which tests/controller/test_job.py tries.
    del given["tasks"]
    expression = "{{{{ omit if {0} | default('') in ['', none] else {0} }}}}"
    assert given == {option: expression.format(option) for option in given}


def run_wait(
    sim: Simulator, folder: Path, nothing: str | None = "", **variables: t.Any
) -> subprocess.CompletedProcess[str]:
    """Run the playbook for pipelines; every option that is not named is empty."""
    given = {**dict.fromkeys(wait_arguments(), nothing), "endpoint": sim.url, "iam_endpoint": sim.endpoint("iam")}
    command = ["ansible-playbook", "huaweicloud.tasks.wait", "-e", json.dumps({**given, **variables})]
    return cloud.run(command, folder, cloud.environment(folder, sim))


@pytest.mark.parametrize(("nothing", "tasks"), [("", ""), ("", " \n"), (None, None)])
def test_what_is_empty_is_not_given(nothing: str | None, tasks: str | None, sim: Simulator, tmp_path: Path) -> None:
    task = {"service": "dds", "task_id": "9d10bfd1-affb-49c3-b977-298950a8d6fa"}
    done = run_wait(sim, tmp_path, nothing, tasks=tasks, **task)
    cloud.assert_good(done)
    assert "1 of 1 task finished" in done.stdout


@pytest.mark.parametrize("zero", [0, "0"])
def test_zero_is_given(zero: t.Any, sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="stuck", outcome="stuck", duration=1000)
    done = run_wait(sim, tmp_path, service="dds", task_id="stuck", timeout=zero)
    assert done.returncode == 2
    assert "0 of 1 task finished" in done.stdout
    assert len(sim.requests(task_id="stuck")) == 1


@pytest.mark.parametrize("false", [False, "false"])
def test_false_is_given(false: t.Any, sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id="bad", status="Failed")
    cloud.finish_late(sim, "slow")
    tasks = [{"service": "dds", "task_id": name} for name in ("bad", "slow")]
    done = run_wait(sim, tmp_path, tasks=tasks, fail_fast=false, progress=false, sleep=0.5)
    assert done.returncode == 2
    assert "2 of 2 tasks finished" in done.stdout
    assert "If interrupted" not in done.stderr


def test_an_empty_list_is_nothing_to_wait_for(sim: Simulator, tmp_path: Path) -> None:
    cloud.assert_good(run_wait(sim, tmp_path, tasks=[]))
    assert sim.requests() == []


HOSTS = """\
[all:vars]
ansible_connection=local
ansible_python_interpreter="{{ ansible_playbook_python }}"

[shift]
early
late
"""


@pytest.mark.parametrize(
    ("target", "hosts"),
    [
        ("localhost", ["localhost"]),
        ("", ["localhost"]),
        (None, ["localhost"]),
        ("shift", ["early", "late"]),
        ("shift:!late", ["early"]),
        (["late", "nowhere"], ["late"]),
    ],
    ids=str,
)
def test_the_target_waits(target: t.Any, hosts: list[str], sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(HOSTS, encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts\n", encoding="utf-8")
    done = run_wait(sim, tmp_path, service="dds", task_id="9d10bfd1-affb-49c3-b977-298950a8d6fa", target=target)
    cloud.assert_good(done)
    recap = done.stdout.partition("PLAY RECAP")[2]
    assert sorted(re.findall(r"^(\w+) +: ok=2 .* skipped=0 ", recap, re.MULTILINE)) == hosts
    assert recap.count(" ok=") == len(hosts)


@pytest.mark.parametrize("inventory", ["", HOSTS], ids=["no inventory", "an inventory"])
@pytest.mark.parametrize("target", ["typo", "shift:!early:!late"])
def test_a_target_that_is_not_in_the_inventory_is_a_failure(
    target: str, inventory: str, sim: Simulator, tmp_path: Path
) -> None:
    """Ansible would skip the play, and end with status 0 without having waited."""
    (tmp_path / "hosts").write_text(inventory, encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts\n", encoding="utf-8")
    done = run_wait(sim, tmp_path, service="dds", task_id="9d10bfd1-affb-49c3-b977-298950a8d6fa", target=target)
    assert done.returncode == 2
    assert f"The target {target} matches no host of the inventory" in done.stdout
    assert sim.requests() == []


def test_a_target_among_the_variables_of_a_host_is_not_meant(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(f"localhost target=elsewhere\n{HOSTS}", encoding="utf-8")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = hosts\n", encoding="utf-8")
    cloud.assert_good(run_wait(sim, tmp_path, service="dds", task_id="9d10bfd1-affb-49c3-b977-298950a8d6fa"))
