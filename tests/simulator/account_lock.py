# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of an account into which somebody tries to break. Pure but for its clock."""

from __future__ import annotations

import time
from typing import Callable


class AccountLock:
    """Counts wrong passwords in a row; after too many of them nobody gets in for a while.

    IAM locks accounts in this way. How it does so depends on the settings of each account, so the numbers here are
    made up.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.attempts = 5
        self.seconds = 900.0
        self.wrong_passwords = 0
        self._clock = clock
        self._in_a_row = 0
        self._locked_at: float | None = None

    @property
    def locked(self) -> bool:
        """Whether every login is refused now, that with the right password, too."""
        if self._locked_at is not None and self._clock() - self._locked_at >= self.seconds:
            self._locked_at, self._in_a_row = None, 0
        return self._locked_at is not None

    def wrong(self) -> None:
        """A wrong password came."""
        self.wrong_passwords += 1
        self._in_a_row += 1
        if self._in_a_row >= self.attempts:
            self._locked_at = self._clock()

    def right(self) -> None:
        """The right password came."""
        self._in_a_row = 0
