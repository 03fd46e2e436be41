# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every check, or the groups named as arguments, and end with one line that counts them."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import time
from collections.abc import Iterator

import checkout
from steps import (
    Group,
    Result,
    Runner,
    Step,
    counted,
    integration_targets,
    line,
    pytest_runs,
    pytest_tests,
    sanity_tests,
)

# Many tests wait: even on two processors a third lane pays.
LANES = 3
# They poll hundreds of thousands of times: measured, they take up to six times as long, and reach hardly a line more.
UNMEASURED = [f"tests/unit/plugins/module_utils/test_{name}.py" for name in ("pacing", "waiter_properties")]
# What is run only where it is asked for: the main part of package, and the main part of units in another way.
EXTRA = ("integration", "ansible-units")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MODULES = (
    *("antsibull_docs_run", "build_docs", "build_ee", "checkout", "coverage_report", "demo"),
    *("galaxy_import", "get_pip", "progress_svg", "run_tests", "simulate", "steps"),
)


Command = list["str | os.PathLike[str]"]


def tool(name: str, *arguments: str | os.PathLike[str]) -> Command:
    return [checkout.BIN / name, *arguments]


def ansible_test(home: pathlib.Path, *arguments: str) -> Command:
    """ansible-test, by a path without spaces: it writes that into the first line of scripts."""
    venv = home / "venv"
    venv.symlink_to(checkout.BIN.parent)
    return [venv / "bin" / "python", venv / "bin" / "ansible-test", *arguments, "--color", "no"]


def environment(home: pathlib.Path, collections: pathlib.Path) -> dict[str, str]:
    """Ansible's, without colors: the output is captured."""
    return checkout.environment(home, collections) | {"NO_COLOR": "1"}


class Checks:
    """The groups of steps. Each works in a copy of its own below `folder` where a tool writes beside what it reads."""

    def __init__(self, folder: pathlib.Path, *, every_python: bool = False) -> None:
        self.folder = folder
        self.every_python = every_python

    def _home(self, group: str) -> pathlib.Path:
        home = self.folder / group
        home.mkdir()
        return home

    def _copy(self, group: str) -> tuple[pathlib.Path, dict[str, str]]:
        """A copy where Ansible wants a collection to lie, and the environment that goes with it."""
        home = self._home(group)
        return checkout.copy(checkout.place(home)), environment(home, home)

    def lint(self) -> Iterator[Step]:
        """Not what others include: yamllint (ansible-lint), antsibull-changelog lint (ansible-test sanity)."""
        copy, env = self._copy("lint")
        names = ("ansible_collections.huaweicloud.tasks.plugins", "simulator", "benchmark", "soak", "chaos")
        packages = [word for name in names for word in ("-p", name)]
        modules = [word for name in MODULES for word in ("-m", name)]
        docs = ["lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self", "."]
        yield Step("ruff", tool("ruff", "check", "--output-format", "concise", "."), checkout.ROOT, env)
        yield Step("mypy", tool("mypy", *packages, *modules), checkout.ROOT, env)
        yield Step("ansible-lint", tool("ansible-lint", "--offline", "--strict"), copy, env)
        elsewhere = env | {"HOME": str(self.folder / "lint")}  # it writes a log into the home directory
        lint_docs = tool("python", checkout.ROOT / "tools" / "antsibull_docs_run.py", *docs)
        yield Step("antsibull-docs lint", lint_docs, copy, elsewhere)
        yield Step("reuse lint", tool("reuse", "lint", "--lines"), copy, env)

    def units(self) -> Iterator[Step]:
        """They have to reach nearly every line of plugins/ by themselves: nothing else is measured."""
        measured = self.folder / "measured"
        measured.mkdir()
        env = self._environment("units") | {"COVERAGE_DIR": str(measured)}
        # In one process: to hand out thousands of short tests takes a quarter as long again as to run them.
        run = ["-m", "pytest"]
        units = tool("coverage", "run", *run, "tests/unit", *(f"--ignore={path}" for path in UNMEASURED))
        yield Step("pytest units", units, checkout.ROOT, env, pytest_tests)
        report = tool("python", checkout.ROOT / "tools" / "coverage_report.py", measured)
        yield Step("coverage", report, checkout.ROOT, env, show=True)
        yield Step("pytest long waits", tool("python", *run, *UNMEASURED), checkout.ROOT, env, pytest_tests)

    def faults(self) -> Iterator[Step]:
        """Trouble over real sockets, which is mostly waiting, and the simulator that makes it.

        By file, since many waits run at the same time in a fixture that the tests of a file share.
        """
        yield self._pytest("faults", "--numprocesses", "2", "--dist", "loadfile", "tests/faults", "tests/simulator")

    def playbooks(self) -> Iterator[Step]:
        yield self._pytest("playbooks", "--numprocesses", "3", "tests/playbooks")

    def chaos(self) -> Iterator[Step]:
        """A minute of random waits; each prints the seed with which it can be repeated."""
        yield self._pytest("chaos", "tests/chaos")

    def _pytest(self, group: str, *arguments: str) -> Step:
        pytest = tool("python", "-m", "pytest", *arguments)
        return Step(f"pytest {group}", pytest, checkout.ROOT, self._environment(group), pytest_tests)

    def _environment(self, group: str) -> dict[str, str]:
        """That of tests which find the collection in the checkout."""
        return environment(self._home(group), checkout.ROOT / ".venv" / "collections")

    def sanity(self) -> Iterator[Step]:
        copy, env = self._copy("sanity")
        pip = tool("python", checkout.ROOT / "tools" / "get_pip.py")
        sanity = ansible_test(self.folder / "sanity", "sanity", "--local")
        yield Step("pip for ansible-test", pip, copy, env, vital=True)
        if self.every_python:
            yield Step("ansible-test sanity", sanity, copy, env, sanity_tests)
            return
        # The matrix has it read the tests, too, which takes longer than all the rest; here ruff and mypy read them.
        sanity += ["--python", PYTHON]
        yield Step("ansible-test sanity", [*sanity, "--skip-test", "pylint"], copy, env, sanity_tests)
        yield Step("ansible-test pylint", [*sanity, "--test", "pylint", "plugins/"], copy, env, sanity_tests)

    def ansible_units(self) -> Iterator[Step]:
        """The unit tests once more, as ansible-test runs them: each in a process of its own, which takes long."""
        copy, env = self._copy("ansible-units")
        units = ansible_test(self.folder / "ansible-units", "units", "--local", "--python", PYTHON)
        yield Step("ansible-test units", units, copy, env, pytest_runs)

    def integration(self) -> Iterator[Step]:
        """The tarball, installed: ansible-test finds the plugins in it, and so does a job as controllers run it."""
        copy, env = self._copy("package")
        folder = self.folder / "package"
        env["ANSIBLE_COLLECTIONS_PATH"] = str(folder / "installed")
        galaxy = tool("ansible-galaxy", "collection")
        install = [*galaxy, "install", "--offline", "--force", self._tarball()]
        yield Step("galaxy build", [*galaxy, "build", "--output-path", folder], copy, env, vital=True)
        yield Step("galaxy install", install, copy, env, vital=True)

        job = tool("python", "-m", "pytest", "-p", "no:cacheprovider", "tests/controller")
        env["TASKS_TARBALL"] = str(self._tarball())
        yield Step("controller", job, copy, env, pytest_tests)

        installed = checkout.copy(checkout.place(folder / "installed"), below="tests/")
        integration = ansible_test(folder, "integration", "--local")
        yield Step("ansible-test integration", integration, installed, env, integration_targets)

    def package(self) -> Iterator[Step]:
        """... and Galaxy has to take it."""
        yield from self.integration()
        folder = self.folder / "package"
        importer = tool("python", checkout.ROOT / "tools" / "galaxy_import.py", self._tarball())
        env = environment(folder, folder / "installed") | {"GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true"}
        yield Step("galaxy-importer", importer, folder, env)

    def _tarball(self) -> pathlib.Path:
        return self.folder / "package" / f"huaweicloud-tasks-{checkout.version()}.tar.gz"

    def groups(self) -> dict[str, Group]:
        """The longest first, and last what mostly waits: one busy process at the end would leave a processor idle."""
        return {
            "playbooks": self.playbooks,
            "package": self.package,
            "sanity": self.sanity,
            "units": self.units,
            "faults": self.faults,
            "chaos": self.chaos,
            "lint": self.lint,
            "integration": self.integration,
            "ansible-units": self.ansible_units,
        }


def summarize(results: list[Result], seconds: float) -> int:
    print(f"\n{len(results)} steps in {seconds:.0f} s")
    for result in sorted(results, key=lambda each: each.seconds):
        print("  " + line(result))
    passed, failed, skipped = (sum(getattr(each, key) for each in results) for key in ("passed", "failed", "skipped"))
    print(counted(passed, failed, skipped))
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    names = list(Checks(checkout.ROOT).groups())
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="group",
        choices=[[], *names],
        help=f"one of: {', '.join(names)}; without any, all but {' and '.join(EXTRA)}",
    )
    parser.add_argument("--every-python", action="store_true", help="sanity: with all that are found")
    given = parser.parse_args()
    given.groups = given.groups or [name for name in names if name not in EXTRA]
    return given


def main() -> int:
    checkout.require("git", "ssh-keygen")
    checkout.end_on_signals()
    given, start, runner = arguments(), time.monotonic(), Runner()
    with checkout.scratch() as folder:
        checks = Checks(folder, every_python=given.every_python)
        runner.run_groups([checks.groups()[name] for name in given.groups], LANES)
    return summarize(runner.results, time.monotonic() - start)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
