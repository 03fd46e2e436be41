# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the execution environment of the guide to controllers, and run playbooks/demo.yml in it: "nox --session ee".

It needs no registry and no Galaxy server: debootstrap makes the base image, the collection comes from the checkout.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import subprocess
import sys
import textwrap
import typing as t
from collections.abc import Iterator

import checkout
import demo
import yaml
from steps import Count, Runner, Step, whole

PACKAGES = "podman runc debootstrap debian-archive-keyring"
SUITE = "trixie"
BASE = f"localhost/huaweicloud-tasks-base:{SUITE}"
BASE_PACKAGES = "python3,python3-pip,ca-certificates"
LABEL = "huaweicloud.tasks=ee"  # of the base image, and of all that is built upon it
GUIDE = checkout.ROOT / "docs" / "docsite" / "rst" / "guide_controllers.rst"
LOCK = checkout.ROOT / "tools" / "requirements-ee.lock"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PIP_SETTINGS = "/etc/xdg/pip"
MOST = 16384  # open files, processes
CGROUPS_V2 = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()

SITE = """\
- name: Run the demo nowhere else
  hosts: localhost
  gather_facts: false
  tasks:
    - name: See that this is a container
      ansible.builtin.assert:
        that: "'/run/.containerenv' is exists"

- name: Run the demo
  ansible.builtin.import_playbook: demo.yml
"""
DEMO = checkout.ROOT / "playbooks" / "demo.yml"


def definition(tarball: pathlib.Path) -> dict[str, t.Any]:
    """The guide's, with what is at hand here in place of what it downloads."""
    block = re.search(r"^    version: 3\n(?:    .*\n)+", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    if not block:
        raise SystemExit(f"{GUIDE.name} defines no execution environment.")
    found: dict[str, t.Any] = yaml.safe_load(textwrap.dedent(block.group()))
    found["images"]["base_image"]["name"] = BASE
    found["dependencies"]["galaxy"]["collections"] = [{"name": f"galaxy/{tarball.name}", "type": "file"}]
    found["additional_build_files"] = [{"src": str(tarball), "dest": "galaxy"}]
    found["options"] = {"package_manager_path": "/usr/bin/apt-get", "skip_pip_install": True}
    return found


def write_pip_settings(folder: pathlib.Path) -> None:
    """Hold pip to the locked versions. It takes no hashes from constraints, and cannot uninstall what Debian brings."""
    constraints = re.sub(r" \\\n +--hash=\S+", "", LOCK.read_text(encoding="utf-8"))
    settings = f"[global]\nconstraint = {PIP_SETTINGS}/constraints.txt\nignore-installed = true\n"
    folder.mkdir()
    (folder / "constraints.txt").write_text(constraints, encoding="utf-8")
    (folder / "pip.conf").write_text(settings, encoding="utf-8")


def limit(kind: int) -> str:
    """What podman gives by default is more than root may have inside of another container."""
    hard = resource.getrlimit(kind)[1]
    value = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    return f"{value}:{value}"


def containers_conf() -> str:
    lines = [
        "[containers]",
        'netns = "host"',
        f'default_ulimits = ["nofile={limit(resource.RLIMIT_NOFILE)}", "nproc={limit(resource.RLIMIT_NPROC)}"]',
        "[engine]",
        'cgroup_manager = "cgroupfs"',
        *([] if CGROUPS_V2 else ['runtime = "runc"']),
    ]
    return "\n".join(lines) + "\n"


def mirror() -> list[str]:
    """The mirror of Debian that this machine uses; debootstrap knows one for machines that are not Debian."""
    sources = ["Created-By: Packages", "Origin: Debian", "Label: Debian", "Component: main"]
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", *sources]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[:1]


@contextlib.contextmanager
def message_queues() -> Iterator[None]:
    """ansible-navigator insists on a folder that is not there inside of some containers."""
    folder = pathlib.Path("/dev/mqueue")
    with contextlib.ExitStack() as stack:
        if not folder.exists():
            folder.mkdir()
            stack.callback(folder.rmdir)
        yield


class Build:
    """What runs one after the other, all below `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.image = f"localhost/huaweicloud-tasks-ee:{checkout.version()}"
        self.artifact = folder / "artifact.json"
        settings = folder / "containers.conf"
        settings.write_text(containers_conf(), encoding="utf-8")
        env = checkout.environment(folder, folder).items()
        # ansible-navigator would take Ansible's settings of this machine into the container.
        self.env = {key: value for key, value in env if not key.startswith("ANSIBLE_")}
        self.env |= {"CONTAINERS_CONF": str(settings), "HOME": str(folder), "NO_COLOR": "1", "TMPDIR": str(folder)}

    def steps(self) -> Iterator[Step]:
        if not self._podman("images", "--quiet", BASE):
            yield from self._base()
        yield from self._image()
        yield from self._demo()

    def _step(self, name: str, *command: str | os.PathLike[str], cwd: str = ".", count: Count = whole) -> Step:
        return Step(name, command, self.folder / cwd, self.env, count, vital=True)

    def _podman(self, *arguments: str) -> list[str]:
        command = ["podman", *arguments]
        return subprocess.run(command, env=self.env, check=False, capture_output=True, text=True).stdout.split()

    def _base(self) -> Iterator[Step]:
        # Without the namespace, what debootstrap has mounted would stay where it is interrupted.
        command = ["unshare", "--mount", "debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}"]
        yield self._step(f"debootstrap {SUITE}", *command, SUITE, "root", *mirror())
        yield self._step("tar", "tar", "--create", "--file", "root.tar", "--directory", "root", ".")
        yield self._step("podman import", "podman", "import", "--change", f"LABEL {LABEL}", "root.tar", BASE)

    def _image(self) -> Iterator[Step]:
        copy = checkout.copy(self.folder / "copy")
        yield self._step("galaxy build", "ansible-galaxy", "collection", "build", copy)
        tarball = self.folder / f"huaweicloud-tasks-{checkout.version()}.tar.gz"
        text = yaml.safe_dump(definition(tarball))
        (self.folder / "execution-environment.yml").write_text(text, encoding="utf-8")
        write_pip_settings(self.folder / "pip")
        volumes = (f"{self.folder}/pip:{PIP_SETTINGS}:ro", f"{CERTIFICATES}:{CERTIFICATES}:ro")
        # Of each layer podman would keep an image.
        extra = shlex.join(["--layers=false", *(f"--volume={volume}" for volume in volumes)])
        command = ["ansible-builder", "build", "--container-runtime", "podman", "--tag", self.image, "-v3"]
        try:
            yield self._step("ansible-builder build", *command, f"--extra-build-cli-args={extra}")
        finally:
            self._tidy()

    def _tidy(self) -> None:
        """Remove the image that the new one has replaced, and what is left where the build was interrupted."""
        self._podman("rm", "--force", "--ignore", "huaweicloud-tasks-base-working-container")
        images = self._podman("images", "--quiet", "--filter", "dangling=true", "--filter", f"label={LABEL}")
        if images:
            self._podman("rmi", "--force", *images)

    def _demo(self) -> Iterator[Step]:
        project, port_file, container = (self.folder / name for name in ("project", "port", "container"))
        project.mkdir()
        shutil.copy(DEMO, project)
        (project / "site.yml").write_text(SITE, encoding="utf-8")
        engine = ["--ce", "podman", "--eei", self.image, "--pp", "never", f"--co=--cidfile={container}"]
        output = ["-m", "stdout", "--dc", "false", "--pas", str(self.artifact), "--lf", f"{self.folder}/navigator.log"]
        with message_queues(), checkout.stopping(demo.start_simulator(port_file, self.env)) as simulator:
            url = f"simulator_url=http://127.0.0.1:{demo.wait_for_port(simulator, port_file)}"
            command = ["ansible-navigator", "run", "site.yml", *engine, *output, "--extra-vars", url]
            try:
                yield self._step("the demo in it", *command, cwd="project", count=self._count)
            finally:
                if container.exists():
                    self._podman("rm", "--force", "--ignore", "--cidfile", str(container))

    def _count(self, dummy_output: str, good: bool) -> tuple[int, int, int]:
        if not good:
            return 0, 1, 0
        found = check(json.loads(self.artifact.read_text(encoding="utf-8")))
        for text, passed in found.items():
            if not passed:
                print(f"Not so: {text}")
        return sum(found.values()), len(found) - sum(found.values()), 0


def check(artifact: dict[str, t.Any]) -> dict[str, bool]:
    """What has to be so, and whether it is, by what ansible-navigator recorded; the demo says what it runs."""
    demo_text = DEMO.read_text(encoding="utf-8")
    modules = set(re.findall(r"^ +(huaweicloud\.tasks\.\w+):$", demo_text, re.MULTILINE))
    waited_for = len(yaml.safe_load(demo_text)[0]["vars"]["tasks_of_demo"])
    tasks = [task for play in artifact["plays"] for task in play["tasks"]]
    results = {task["task"]: task["res"] for task in tasks}
    actions = {task["task_action"] for task in tasks}
    summary = str(results.get("Summary"))
    return {
        "The playbook has succeeded.": artifact["status"] == "successful",
        "It ran in a container.": "See that this is a container" in results,
        "Every module was run.": modules <= actions,
        "Progress was shown.": sum("  elapsed 0:00:" in line for line in artifact["stdout"]) > waited_for,
        "All tasks have succeeded.": summary.count(", succeeded") == waited_for,
        "The failed task was reported.": "The backup file is damaged." in summary,
    }


def main() -> int:
    if os.geteuid():
        raise SystemExit("Only root can build the base image and run containers from it here; use sudo.")
    os.environ["PATH"] += f"{os.pathsep}/usr/sbin{os.pathsep}/sbin"  # sudo may have kept the PATH of a user
    checkout.require("podman", "debootstrap", *([] if CGROUPS_V2 else ["runc"]), packages=PACKAGES)
    checkout.end_on_signals()
    runner = Runner()
    with checkout.scratch() as folder:
        build = Build(folder)
        runner.run_groups([build.steps], 1)
    print(f"The images stay; to remove them: podman rmi --ignore {build.image} {BASE}")
    return int(any(result.failed for result in runner.results))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
