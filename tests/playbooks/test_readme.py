# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command and every example in the README is run.

As they stand there, but for what they cannot know here: the simulator's address is added, and stands where examples
name a host of the cloud; the collection is installed from a tarball that is made from the checkout.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import cloud
import pytest
import yaml

from simulator import Simulator, accounts

README = (cloud.ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLOUD_HOST = re.compile(r"https://(gaussdb|dds)\.[^/]*\.myhuaweicloud\.com")
DDS_TASK = "9d10bfd1-affb-49c3-b977-298950a8d6fa"
INSTANCE = "a23fb62bd61e4e9e9636fd2225f395bein07"
UNFINISHED = "0c6ba4ee-5e6b-4a4f-9a1c-5f2b7b1d9e01"
TAURUSDB_TASK = "a9767ede-fe0f-4888-9003-e843a4c90514"
TRAP = "uri and until"

SECTIONS = [
    "Description",
    "Use cases",
    "Requirements",
    "Installation",
    "Testing",
    "Contributing",
    "Support",
    "Release notes and roadmap",
    "Related information",
    "License information",
]


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its language, and its text."""

    language: str
    text: str

    @property
    def name(self) -> str:
        return self.text.strip().splitlines()[0][:60]


BLOCKS = [Block(*found) for found in FENCE.findall(README)]
COMMANDS = [
    command.partition("#")[0].strip()
    for block in BLOCKS
    if block.language == "shell"
    for command in block.text.splitlines()
]
TASKS = [yaml.safe_load(block.text) for block in BLOCKS if block.language == "yaml"]


def starting(word: str) -> list[str]:
    return [command for command in COMMANDS if command.split()[0] == word]


@pytest.fixture(name="sim")
def fixture_sim() -> Iterator[Simulator]:
    with Simulator() as sim:
        yield sim


def test_nothing_in_the_readme_is_left_out() -> None:
    assert {block.language for block in BLOCKS} == {"shell", "yaml"}
    assert README.count("```") == 2 * len(BLOCKS)
    tested = ("make", "ansible", "ansible-playbook", "ansible-galaxy", "python3")
    assert sorted(sum((starting(word) for word in tested), [])) == sorted(COMMANDS)
    assert all(starting(word) for word in tested)
    assert len(TASKS) >= 4


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_the_sections_are_those_of_certified_collections() -> None:
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == SECTIONS


def test_links_are_whole_addresses() -> None:
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_links_into_the_repository_lead_somewhere() -> None:
    paths = re.findall(r"huaweicloud\.tasks/(?:blob|tree)/main/([^)\s]+)", README)
    assert paths
    assert [path for path in paths if not (cloud.ROOT / path).exists()] == []


def test_the_table_has_every_module() -> None:
    modules = {path.stem for path in (cloud.ROOT / "plugins" / "modules").glob("*.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == modules


# The two commands


@pytest.fixture(name="copy")
def fixture_copy(tmp_path: Path) -> Path:
    """A copy of the checkout in a folder with an odd name, which shares the installed packages."""
    copy = tmp_path / "a folder"
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=cloud.ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (cloud.ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(cloud.ROOT / name, copy / name)
    share_packages(copy)
    return copy


def share_packages(copy: Path) -> None:
    """Let tools/venv.sh find an environment in the copy that needs nothing more."""
    shared, own = cloud.ROOT / ".venv", copy / ".venv"
    own.mkdir()
    for entry in shared.iterdir():
        if entry.name not in ("collections", ".identity"):
            (own / entry.name).symlink_to(entry)
    lines = (shared / ".identity").read_text(encoding="utf-8").splitlines()
    (own / ".identity").write_text("\n".join([str(copy), *lines[1:], ""]), encoding="utf-8")
    link = own / "collections" / "ansible_collections" / "huaweicloud" / "tasks"
    link.parent.mkdir(parents=True)
    link.symlink_to(copy)


def test_make_demo(copy: Path, sim: Simulator, tmp_path: Path) -> None:
    assert "make demo" in starting("make")
    done = cloud.run(["make", "demo"], copy, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert "Making .venv" not in done.stderr
    assert "TASK [Wait for all six]" in done.stdout
    assert "6 of 6 tasks finished" in done.stdout
    assert "The backup file is damaged." in done.stdout
    assert "rescued=1" in done.stdout


def test_make_test() -> None:
    """It cannot run in itself; but it is what the CI runs, and it runs this."""
    assert "make test" in starting("make")
    ci = (cloud.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ci.rstrip().endswith("exec make test")
    dry = cloud.run(["make", "--dry-run", "test"], cloud.ROOT, {**os.environ, "MAKEFLAGS": ""})
    assert "tools/run_tests.py" in dry.stdout
    assert "tests/playbooks" in (cloud.ROOT / "tools" / "run_tests.py").read_text(encoding="utf-8")


# The commands that poll the cloud


def pointed_at(sim: Simulator, command: str) -> str:
    """The command with the simulator's address as one more option."""
    if command.startswith("ansible-playbook "):
        return f"{command} -e endpoint={sim.url}"
    assert command.count("-a '") == 1
    return command.replace("-a '", f"-a 'endpoint={sim.url} ")


WAITS = [command for command in starting("ansible-playbook") if "task_id=" in command]
IDLE = [command for command in starting("ansible-playbook") if "task_id=" not in command]


@pytest.mark.parametrize("command", [*WAITS, *starting("ansible")])
def test_a_command_that_polls_the_cloud(command: str, sim: Simulator, tmp_path: Path) -> None:
    cloud.add_tasks(sim)
    asked = pointed_at(sim, command)
    done = cloud.run(["bash", "-euc", asked], tmp_path, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert DDS_TASK in done.stdout
    assert "succeeded" in done.stdout


@pytest.mark.parametrize("command", WAITS)
def test_the_exit_status_tells_that_the_task_failed(command: str, sim: Simulator, tmp_path: Path) -> None:
    sim.add_task("dds", id=DDS_TASK, status="Failed", fail_reason="The disk is full.")
    asked = pointed_at(sim, command)
    done = cloud.run(["bash", "-euc", asked], tmp_path, cloud.environment(tmp_path, sim))
    assert done.returncode == 2
    assert f"{DDS_TASK}: failed (Failed), The disk is full." in done.stdout


@pytest.mark.parametrize("command", IDLE)
def test_a_command_that_waits_until_an_instance_is_idle(command: str, sim: Simulator, tmp_path: Path) -> None:
    cloud.finish_late(sim, UNFINISHED, service="taurusdb", instance_id=INSTANCE)
    asked = pointed_at(sim, command)
    done = cloud.run(["bash", "-euc", asked], tmp_path, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert len(sim.requests(task_id=UNFINISHED)) > 1


# The commands that install


def test_installing(sim: Simulator, tmp_path: Path) -> None:
    env = cloud.environment(tmp_path, sim) | {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "installed")}
    built = cloud.run(["ansible-galaxy", "collection", "build", cloud.ROOT, "--output-path", tmp_path], tmp_path, env)
    cloud.assert_good(built)
    (tarball,) = tmp_path.glob("huaweicloud-tasks-*.tar.gz")
    for command in starting("ansible-galaxy"):
        words = [re.sub(r"^huaweicloud\.tasks(:==.*)?$", str(tarball), word) for word in shlex.split(command)]
        done = cloud.run([*words, "--offline", "--force"], tmp_path, env)
        cloud.assert_good(done)
        assert "huaweicloud.tasks:1.0.0 was installed successfully" in done.stdout
    installed = tmp_path / "installed" / "ansible_collections" / "huaweicloud" / "tasks"
    assert (installed / "playbooks" / "wait.yml").exists()
    assert not (installed / "playbooks" / "demo.yml").exists()


def test_the_version_that_is_named_is_the_newest() -> None:
    named = re.findall(r"huaweicloud\.tasks:==(\S+)", README)
    galaxy = yaml.safe_load((cloud.ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert named == [galaxy["version"]]


@pytest.mark.parametrize("command", starting("python3"))
def test_what_a_host_needs_is_what_the_tests_have(command: str, sim: Simulator, tmp_path: Path) -> None:
    done = cloud.run(["bash", "-euc", command], tmp_path, cloud.environment(tmp_path, sim))
    cloud.assert_good(done)
    assert "already satisfied: requests" in done.stdout


# The examples


def with_cloud(example: list[dict[str, t.Any]], sim: Simulator) -> list[dict[str, t.Any]]:
    """Tasks of an example, with the simulator for the cloud."""
    return list(yaml.safe_load(CLOUD_HOST.sub(sim.url, yaml.safe_dump(example, width=1000))))


def test_the_examples_run(sim: Simulator, tmp_path: Path) -> None:
    """Each as a play, in one run: a playbook takes longer to start than a task."""
    cloud.add_tasks(sim)
    variables = {
        "project_id": accounts.PROJECT_ID,
        "job_id": TAURUSDB_TASK,
        "token": accounts.TOKEN,
    }
    plays = [cloud.play_of(with_cloud(example, sim), **variables) for example in TASKS]
    done = cloud.run_playbook(plays, tmp_path, sim)
    cloud.assert_good(done)
    assert done.stdout.count("PLAY [") == len(TASKS)
    assert "skipping" not in done.stdout


def test_the_tasks_that_wait_until_an_instance_is_idle(sim: Simulator, tmp_path: Path) -> None:
    (example,) = [example for example in TASKS if "huaweicloud.tasks.task_info" in example[0]]
    assert len(example) == 2
    example[1]["huaweicloud.tasks.wait_for_task"].update(sleep=0.5)
    cloud.finish_late(sim, UNFINISHED, service="taurusdb", instance_id=INSTANCE)
    done = cloud.run_playbook([cloud.play_of(example)], tmp_path, sim)
    cloud.assert_good(done)
    assert sim.requests(task_id=UNFINISHED)


def test_the_trap(sim: Simulator, tmp_path: Path) -> None:
    """What the README says of uri with until: it is ok when the retries run out, and it dies of one HTTP 502."""
    (example,) = [example for example in TASKS if "until" in example[0]]
    task = with_cloud(example, sim)[0]
    assert task["retries"] * task["delay"] == 3600
    task.update(retries=2, delay=0)
    sim.add_task("taurusdb", id="endless", outcome="stuck", duration=1000)
    variables = {"project_id": accounts.PROJECT_ID, "job_id": "endless", "token": accounts.TOKEN}
    after = {"name": "Go on", "ansible.builtin.debug": {"msg": "the restore is done"}}
    done = cloud.run_playbook([cloud.play_of([task, after], **variables)], tmp_path, sim)
    cloud.assert_good(done)
    assert "the restore is done" in done.stdout

    sim.add_fault("status", status=502, task_id="endless", after=1, first=1)
    task.update(retries=5)
    done = cloud.run_playbook([cloud.play_of([task, after], **variables)], tmp_path, sim)
    assert done.returncode == 2
    assert "the restore is done" not in done.stdout
