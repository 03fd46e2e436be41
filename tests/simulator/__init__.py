# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small server which speaks the task APIs of Huawei Cloud, for tests, demos and benchmarks."""

from __future__ import annotations

from . import accounts
from .simulator import Simulator

__all__ = ["Simulator", "accounts"]
