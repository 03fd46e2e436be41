# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin for tests: everything that a run brought, as one JSON document on stdout."""

from __future__ import annotations

import json
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: progress_callback
type: stdout
short_description: Results as JSON
description:
  - Prints one list at the end of a run, of each result with its host, its task and the time when it came.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "progress_callback"

    def __init__(self) -> None:
        super().__init__()
        self._results: list[dict[str, t.Any]] = []

    def _note(self, how: str, result: t.Any) -> None:
        self._results.append(
            {
                "how": how,
                "host": result._host.get_name(),
                "task": result._task.get_name().strip(),
                "at": time.monotonic(),
                "result": result._result,
            }
        )

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._note("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._note("failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._note("unreachable", result)

    def v2_runner_retry(self, result: t.Any) -> None:
        self._note("retry", result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._note("item", result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._display.display(json.dumps(self._results, default=str))
