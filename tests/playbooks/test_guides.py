# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples and commands in the guides are run as those in the README are, and the guides name what there is."""

from __future__ import annotations

import copy
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import yaml

from simulator import Simulator, accounts

GUIDES = {path.stem: path.read_text(encoding="utf-8") for path in (cloud.ROOT / "docs/docsite/rst").glob("*.rst")}
BLOCK = re.compile(r"^\.\. code-block:: (\S+)\n\n((?:    .*\n|\n)+)", re.MULTILINE)
BLOCKS = [(language, textwrap.dedent(text)) for guide in GUIDES.values() for language, text in BLOCK.findall(guide)]
EXAMPLES_OF = {
    name: [yaml.safe_load(textwrap.dedent(text)) for language, text in BLOCK.findall(guide) if language == "yaml+jinja"]
    for name, guide in GUIDES.items()
}
EXAMPLES = [example for examples in EXAMPLES_OF.values() for example in examples]
COMMANDS = [line for language, text in BLOCKS if language == "shell" for line in text.splitlines() if line]


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        cloud.add_tasks(sim)
        yield sim


def test_nothing_is_left_out() -> None:
    assert len(EXAMPLES) >= 4
    assert COMMANDS
    assert {language for language, dummy in BLOCKS} == {"yaml+jinja", "shell", "python", "text"}
    assert len(BLOCKS) == sum(guide.count("code-block::") for guide in GUIDES.values())


@pytest.mark.parametrize("guide", [name for name, examples in EXAMPLES_OF.items() if examples])
def test_the_examples_run(guide: str, sim: Simulator, tmp_path: Path) -> None:
    """Each as a play, those of a guide in one run: a playbook takes longer to start than a task."""
    variables = {
        "tasks_to_wait_for": [{"service": "dds", "task_id": "9d10bfd1-affb-49c3-b977-298950a8d6fa"}],
        "vault_access_key": accounts.ACCESS_KEY,
        "vault_secret_key": accounts.SECRET_KEY,
        "token": accounts.TOKEN,
        "project_id": accounts.PROJECT_ID,
        "instance_id": "a1b2c3d4e5f64a7b8c9d0e1f2a3b4c5din01",
        "server": {"name": "web"},
        "cluster": {"kind": "Cluster", "apiVersion": "v3", "metadata": {"name": "c1"}},
        **{service: sim.endpoint(service) for service in ("rds", "ecs", "dcs", "cce")},
    }
    plays = [each[0] if "hosts" in each[0] else cloud.play_of(each) for each in copy.deepcopy(EXAMPLES_OF[guide])]
    for play in plays:
        play.setdefault("vars", {}).update(variables)
    done = cloud.run_playbook(plays, tmp_path, sim)
    cloud.assert_good(done)
    assert done.stdout.count("PLAY [") == len(plays)


def test_the_wait_that_is_resumed_goes_on(sim: Simulator, tmp_path: Path) -> None:
    """The rescue in the guide to waiting, which a task that is done never reaches."""
    (example,) = [example for example in EXAMPLES if "rescue" in example[0]]
    cloud.finish_late(sim, "slow")
    example[0]["block"][0]["huaweicloud.tasks.wait_for_task"].update(timeout=0)
    for task in example[0]["block"] + example[0]["rescue"]:
        task.get("huaweicloud.tasks.wait_for_task", {}).update(sleep=0.5)
    play = cloud.play_of(example, tasks_to_wait_for=[{"service": "dds", "task_id": "slow"}])
    done = cloud.run_playbook([play], tmp_path, sim)
    cloud.assert_good(done)
    assert "rescued=1" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(command: str, sim: Simulator, tmp_path: Path) -> None:
    if "task_id" not in command:
        cloud.finish_late(sim, "late", service="taurusdb", instance_id="a23fb62bd61e4e9e9636fd2225f395bein07")
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
    variables = set(re.findall(r'"((?:HW|OS|HUAWEICLOUD)_\w+)"', source))
    assert set(re.findall(r"``((?:HW|OS|HUAWEICLOUD)_\w+)``", GUIDES["guide_authentication"])) == variables
