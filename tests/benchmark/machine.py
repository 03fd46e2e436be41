# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures were measured on, and with which versions."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

import checkout

from .bench import Bench

MEASURED = ("ansible-core", "requests", "urllib3")
BESIDE = ("aiohttp", "huaweicloudsdkcore", "huaweicloudsdkdds")
VERSIONS = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"


def describe(bench: Bench) -> dict[str, str]:
    """Names and values for a table."""
    versions = subprocess.run([bench.python, "-c", VERSIONS, *MEASURED], check=True, capture_output=True, text=True)
    found = dict(zip(MEASURED, versions.stdout.split()))
    found |= {name: importlib.metadata.version(name) for name in BESIDE}
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": f"{_system()}, Linux {platform.release()}",
        "Python": platform.python_version(),
        "huaweicloud.tasks": checkout.version(),
        **found,
    }


def _processor() -> str:
    match = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return match.group(1) if match else platform.machine()


def _system() -> str:
    match = re.search(r'^PRETTY_NAME="(.+)"$', _read("/etc/os-release"), re.MULTILINE)
    return match.group(1) if match else platform.system()


def _read(path: str) -> str:
    return pathlib.Path(path).read_text(encoding="utf-8")
