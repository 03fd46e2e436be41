# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check, on every ansible-core that is supported: "make matrix", or "nox" where nox is installed.

The sessions do what "make test" does, each with a core and a Python of its own. "nox --list" names them;
"nox --session units-2.18" runs one, "nox --reuse-venv=yes" spares the second run the installation.
"""

# /// script
# dependencies = ["antsibull-nox>=1.10", "nox[uv]>=2025.2.9"]
# ///

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import antsibull_nox
import nox

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "tools" / "requirements-test.lock"

# Every supported ansible-core, and the Pythons that it runs on; the first that is found is taken.
CORES = {
    "2.16": ("3.11", "3.12"),
    "2.18": ("3.12", "3.11", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.13", "3.12", "3.14"),
}
# Pythons that pyenv keeps and that ansible-test may check.
PYENV_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True


def _path() -> str:
    """PATH with pyenv's interpreters instead of its shims: those exist for interpreters, too, that only fail."""
    directories = [name for name in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(name).name != "shims"]
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for version in PYENV_PYTHONS:
        directories += [str(path) for path in sorted(versions.glob(f"{version}.*/bin"), reverse=True)[:1]]
    return os.pathsep.join(directories)


def _python(core: str) -> str:
    """The Python to run an ansible-core with; the missing one where there is none."""
    return next((version for version in CORES[core] if shutil.which(f"python{version}")), CORES[core][0])


def _link_collection(session: nox.Session) -> None:
    """Let Python and Ansible find the checkout as huaweicloud.tasks, as tools/venv.sh does."""
    collections = ROOT / ".venv" / "collections"
    place = collections / "ansible_collections" / "huaweicloud" / "tasks"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to("../../../..")
    for site in Path(session.virtualenv.location).glob("lib/python3*/site-packages"):
        (site / "huaweicloud_tasks.pth").write_text(f"{collections}\n", encoding="utf-8")


def _lock_without_core(session: nox.Session) -> Path:
    kept, dropping = [], False
    for line in LOCK.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line[:1].isspace():
            dropping = line.startswith("ansible-core==")
        if not dropping:
            kept.append(line)
    # not below session.create_tmp(): that would become TMPDIR, which must not lie in the checkout
    path = Path(session.virtualenv.location) / "requirements.txt"
    path.write_text("".join(kept), encoding="utf-8")
    return path


def _install(session: nox.Session, core: str = "") -> None:
    """Install what "make test" needs; with a core that one, in the newest version of its line."""
    session.env["UV_COMPILE_BYTECODE"] = "1"
    lock = _lock_without_core(session) if core else LOCK
    session.install("--no-deps", "--require-hashes", "--requirement", str(lock))
    if core:
        session.install(f"ansible-core=={core}.*")
    _link_collection(session)


def _checks(groups: str, core: str = "", *options: str) -> Callable[[nox.Session], None]:
    def run(session: nox.Session) -> None:
        _install(session, core)
        session.run("python", "tools/run_tests.py", *groups.split(), *options)

    return run


def _add_core(core: str) -> None:
    what = f"with ansible-core {core}"
    sanity = _checks("sanity", core, "--every-python")
    sanity.__doc__ = f"ansible-test sanity {what}, for every Python that is found."
    units = _checks("units faults playbooks", core)
    units.__doc__ = f"Unit tests, and playbooks run as users run them, {what}."
    ansible_units = _checks("ansible-units", core)
    ansible_units.__doc__ = f"ansible-test units {what}."
    integration = _checks("integration", core)
    integration.__doc__ = f"The installed tarball: integration tests, and a job as controllers run it, {what}."
    functions = {"sanity": sanity, "units": units, "ansible-units": ansible_units, "integration": integration}
    for name, function in functions.items():
        nox.session(function, name=f"{name}-{core}", python=_python(core))


def lint(session: nox.Session) -> None:
    """The linters of "make lint"."""
    _checks("lint")(session)


def docs(session: nox.Session) -> None:
    """Write the documentation as HTML to docs/html."""
    session.install("--no-deps", "--require-hashes", "--requirement", "tools/requirements-docs.lock")
    _link_collection(session)
    session.run("python", "tools/build_docs.py")


def ee(session: nox.Session) -> None:
    """Build an execution environment, and run the demo in it; as root, on Debian or Ubuntu."""
    session.install("--no-deps", "--require-hashes", "--requirement", "tools/requirements-ee.lock")
    session.run("python", "tools/build_ee.py")


def _add_sessions() -> None:
    for core in CORES:
        _add_core(core)
    newest = next(reversed(CORES))
    for function in (lint, docs):
        nox.session(function, name=function.__name__, python=_python(newest))
    nox.session(ee, python=_python(newest), default=False)


os.environ["PATH"] = _path()
_add_sessions()
# extra-checks, as antsibull-nox.toml says
antsibull_nox.load_antsibull_nox_toml()


if __name__ == "__main__":
    nox.main()
