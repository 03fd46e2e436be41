# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait that the module does in one run on this machine.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..module_utils._stream import decode
from ..module_utils._task import Task, TaskRef
from ..module_utils._waiter import Waiter
from ._progress import Progress


class LocalWait:
    """Follows what the module sends; the waiter takes in what the module's own does."""

    def __init__(self, waiter: Waiter, progress: Progress, on_connect: t.Callable[[], None]) -> None:
        self._waiter = waiter
        self._progress = progress
        self.on_connect = on_connect
        self.began = False
        # The module's result, once the wait has ended.
        self.result: dict[str, t.Any] | None = None

    def on_message(self, message: dict[str, t.Any]) -> None:
        """Take in a poll, the beginning, or the end."""
        if "result" in message:
            self.result = message["result"]
        elif "begin" in message:
            self.began = True
            self._progress.begin(self._waiter.view())
        else:
            refs = self._waiter.refs
            listed, observations = (
                {refs[index]: decode(value) for index, value in message[key]} for key in ("listed", "observations")
            )
            late = {refs[index]: seconds for index, seconds in message["late"]}
            if listed:
                self._waiter.record_listed(t.cast(t.Mapping[TaskRef, Task], listed), message["now"])
            if observations or not listed:
                self._waiter.record(observations, message["now"], late)
            self._progress.update(dataclasses.replace(self._waiter.view(), **message["figures"]))

    def on_idle(self) -> None:
        """Give a sign of life."""
        self._progress.heartbeat()
