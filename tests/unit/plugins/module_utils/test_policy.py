# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a wait that make no sense."""

from __future__ import annotations

import dataclasses
import math

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._policy import Policy
from ansible_collections.huaweicloud.tasks.tests.unit.plugins.module_utils.fake_api import DONE, cloud


@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "option", ["timeout", "delay", "sleep", "max_sleep", "stall_timeout", "not_found_grace", "error_grace"]
)
def test_a_number_that_makes_no_sense_is_refused(option: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{option} must be a number of seconds that is not negative.$"):
        cloud([DONE]).wait(dataclasses.replace(Policy(), **{option: value}))  # type: ignore[arg-type]


def test_no_pause_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="^sleep must be more than 0 seconds.$"):
        cloud([DONE]).run(sleep=0)


def test_bad_options_are_refused_even_if_there_is_nothing_to_wait_for() -> None:
    with pytest.raises(InputError):
        cloud().run(timeout=-1)
