# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to wait: what the options of ``wait_for_task`` ask for.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ._errors import InputError

# Sums of floating-point seconds may miss a moment by less than this.
EPSILON = 1e-6


@dataclasses.dataclass(frozen=True)
class Policy:
    """How to wait; the options of ``wait_for_task`` say what each field means."""

    timeout: float = 3600.0
    delay: float = 0.0
    sleep: float = 5.0
    max_sleep: float = 30.0
    stall_timeout: float | None = None
    not_found_grace: float = 60.0
    error_grace: float = 300.0
    require: str = "all"
    fail_fast: bool = True
    poll_once: bool = False

    def check(self) -> None:
        """:raises InputError: a number makes no sense"""
        for name in ("timeout", "delay", "sleep", "max_sleep", "stall_timeout", "not_found_grace", "error_grace"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} must be a number of seconds that is not negative.")
        if self.sleep <= 0:
            raise InputError("sleep must be more than 0 seconds.")

    @property
    def ends_at_first_failure(self) -> bool:
        return self.fail_fast and self.require == "all"


def policy_of(params: t.Mapping[str, t.Any], *, check_mode: bool) -> Policy:
    """Return how to wait from the options of the same names. Check mode polls once."""
    names = [field.name for field in dataclasses.fields(Policy) if field.name != "poll_once"]
    return Policy(**{name: params[name] for name in names}, poll_once=check_mode)
