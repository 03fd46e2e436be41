# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that tests give to commands: nothing in it of the person who runs the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
FOREIGN = (
    *("ANSIBLE_", "HW_", "OS_", "HUAWEICLOUD_", "COVERAGE_", "RUNNER_", "GIT_", "MAKE", "PYTHON"),
    *("CLICOLOR", "FORCE_COLOR", "NO_COLOR"),
)


def inherited() -> dict[str, str]:
    """Return what may be taken over; programs beside the Python that runs the tests come first."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return env | {"PATH": os.pathsep.join((str(BIN), os.environ.get("PATH", os.defpath)))}
