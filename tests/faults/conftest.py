# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the unit tests.

These tests stand elsewhere since they share outcomes, which ansible-test units, with a process for each test, cannot.
"""

from __future__ import annotations

from ansible_collections.huaweicloud.tasks.tests.unit.conftest import (
    fixture_clean_environment,
    fixture_closed_port,
    fixture_running,
    fixture_sim,
)

__all__ = ["fixture_clean_environment", "fixture_closed_port", "fixture_running", "fixture_sim"]
