# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tools know about the checkout: where it is, how to copy it, in which environment to run things."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent

# Settings of the person who calls that would change what is tested. GIT_*: set while a git hook runs.
# *_COLOR: their colors would end up in what is captured.
FOREIGN = (
    *("ANSIBLE_", "COVERAGE_", "MYPY", "PYTEST_", "PYTHONPATH", "RUFF_"),
    *("HUAWEICLOUD_", "HW_", "OS_"),
    *("CLICOLOR_", "FORCE_COLOR", "PY_COLORS"),
    "GIT_",
)


def environment(home: pathlib.Path, collections: pathlib.Path) -> dict[str, str]:
    """The environment for Ansible: its settings come from here only, its collections from `collections`."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
    config, inventory = home / "ansible.cfg", home / "inventory"
    config.touch()
    inventory.touch()
    env.update(
        ANSIBLE_COLLECTIONS_PATH=str(collections),
        ANSIBLE_CONFIG=str(config),
        ANSIBLE_HOME=str(home / "ansible"),
        ANSIBLE_INVENTORY=str(inventory),
        ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
        ANSIBLE_LOCALHOST_WARNING="false",
        ANSIBLE_NOCOWS="1",
        NO_PROXY=",".join(filter(None, ("127.0.0.1,localhost", os.environ.get("NO_PROXY")))),
        PATH=os.pathsep.join((str(BIN), *_directories_of_path())),
    )
    env["no_proxy"] = env["NO_PROXY"]
    return env


def _directories_of_path() -> list[str]:
    """PATH without pyenv's shims: ansible-test takes them for interpreters, but some only fail."""
    directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return [directory for directory in directories if pathlib.Path(directory).name != "shims"]


def require(*programs: str, packages: str = "git openssh-client") -> None:
    """Say early and clearly what is missing on this machine."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise SystemExit(f"{', '.join(missing)}: not found. On Debian and Ubuntu: apt install {packages}")


def files() -> list[str]:
    """What git tracks or would track, relative to the checkout."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in set(listing.split("\0")) if name and os.path.lexists(ROOT / name))


def copy(target: pathlib.Path, below: str = "") -> pathlib.Path:
    """Copy the checkout (or what lies below a folder of it) to `target`."""
    for name in files():
        if name.startswith(below):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path, follow_symlinks=False)
    return target


def version() -> str:
    """The collection's version, from galaxy.yml."""
    match = re.search(r"^version: *(\S+)$", (ROOT / "galaxy.yml").read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise SystemExit("galaxy.yml names no version.")
    return match.group(1)


def place(collections: pathlib.Path) -> pathlib.Path:
    """Where the collection has to lie below `collections`."""
    return collections / "ansible_collections" / "huaweicloud" / "tasks"


@contextlib.contextmanager
def scratch() -> Iterator[pathlib.Path]:
    """A temporary folder that is gone afterwards.

    It must lie outside the checkout: there git takes all that is in it for ignored, and ansible-test tests nothing.
    """
    if ROOT in (pathlib.Path(tempfile.gettempdir()).resolve() / "any").parents:
        raise SystemExit(f"TMPDIR must lead out of the checkout, not to {tempfile.gettempdir()}.")
    with tempfile.TemporaryDirectory(prefix="huaweicloud-tasks-", ignore_cleanup_errors=True) as folder:
        yield pathlib.Path(folder).resolve()


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that everything started is stopped."""

    def leave(number: int, dummy_frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    # A shell lets what it runs in the background ignore Ctrl-C, and so would every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def stopping(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Stop the process and all that it started; it must be the leader of its own session."""
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
