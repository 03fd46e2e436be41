# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball, and a place where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GALAXY = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection"]


@pytest.fixture(name="tarball", scope="session")
def fixture_tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one that TASKS_TARBALL names; without it, one is built."""
    if given := os.environ.get("TASKS_TARBALL"):
        return Path(given)
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([*GALAXY, "build", "--output-path", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(name="collections", scope="session")
def fixture_collections(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    # Without --force what Python's path holds counts as installed, which is the checkout.
    subprocess.run([*GALAXY, "install", "--offline", "--force", "-p", str(folder), str(tarball)], check=True)
    return folder
