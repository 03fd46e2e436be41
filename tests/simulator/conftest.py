# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator which the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import Simulator


@pytest.fixture(name="running", scope="session")
def fixture_running() -> Iterator[Simulator]:
    """One simulator for all tests."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(name="sim")
def fixture_sim(running: Simulator) -> Simulator:
    """The simulator as after a fresh start."""
    running.reset()
    return running
