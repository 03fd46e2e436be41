# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Polls from another host: each is one run of the module there, so that a lost connection costs one poll.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleError

from ..module_utils._argspec import poll_arguments
from ..module_utils._errors import ApiError, ErrorClass, TasksError
from ..module_utils._stream import POLL, unseal
from ..module_utils._task import TaskRef
from ..module_utils._task_watch import Observation

MODULE = "huaweicloud.tasks.wait_for_task"


class FirstPollFailedError(TasksError):
    """The first poll gave a result without observations, so that nothing can be said about the tasks."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(str(result.get("msg", "")))
        self.result = result


class Action(t.Protocol):
    """What is used of Ansible's action plugins."""

    _connection: t.Any

    def _execute_module(
        self, module_name: str, module_args: dict[str, t.Any], task_vars: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """Run a module on the target; return its result."""

    def _remove_tmp_path(self, tmp_path: str) -> None:
        """Remove a folder on the target."""


class RemotePolls:
    """Polls tasks by running the module on the target, once a poll."""

    def __init__(self, action: Action, args: t.Mapping[str, t.Any], task_vars: t.Mapping[str, t.Any]) -> None:
        """``args`` are the task's own options."""
        self._action = action
        self._args = args
        # One for all polls: Ansible notes in it which interpreter it has found.
        self._task_vars = {**task_vars, "ansible_socket": POLL}
        self._succeeded = False
        self._lost_folders: list[str] = []
        self._remarks: dict[str, list[t.Any]] = {"warnings": [], "deprecations": []}
        self._facts: dict[str, t.Any] = {}

    def __call__(self, refs: t.Sequence[TaskRef]) -> list[Observation]:
        """Poll once.

        :raises FirstPollFailedError: the first poll met a mistake in the options, or crashed
        :raises AnsibleError: the target is out of reach at the first poll
        """
        try:
            result = self._run(poll_arguments(self._args, refs))
        except AnsibleError as error:
            if not self._succeeded:
                raise
            return [_trouble("Target host unreachable", str(error))] * len(refs)
        self._collect(result)
        if "observations" not in result:
            if not self._succeeded:
                raise FirstPollFailedError(result)
            return [_trouble("The module did not run", str(result.get("msg")))] * len(refs)
        self._succeeded = True
        return unseal(result["observations"])

    def _run(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        try:
            result = self._action._execute_module(module_name=MODULE, module_args=args, task_vars=self._task_vars)
        except AnsibleError:
            self._lose_folder()
            raise
        self._remove_module()
        return result

    def _remove_module(self) -> None:
        """Remove the file of the module, in which the options are: a wait that is interrupted could not."""
        try:
            self._action._remove_tmp_path(self._action._connection._shell.tmpdir)
        except AnsibleError:
            self._lose_folder()

    def _lose_folder(self) -> None:
        # The temporary folder on the target may be gone with the connection: the next poll makes a new one.
        shell = self._action._connection._shell
        if shell.tmpdir:
            self._lost_folders.append(shell.tmpdir)
        shell.tmpdir = None

    def _collect(self, result: dict[str, t.Any]) -> None:
        for key, known in self._remarks.items():
            known += [remark for remark in result.get(key) or () if remark not in known]
        # Such as the interpreter that was found on the host, which is not searched for again then.
        self._facts.update(result.get("ansible_facts") or {})

    def remarks(self) -> dict[str, t.Any]:
        """Return what Ansible has added to the results of the polls."""
        found = {**self._remarks, "ansible_facts": self._facts}
        return {key: value for key, value in found.items() if value}

    def remove_lost_folders(self) -> None:
        """Remove what polls have left on the target when the connection broke: the options are in it."""
        shell = self._action._connection._shell
        present = shell.tmpdir
        for folder in self._lost_folders:
            with contextlib.suppress(AnsibleError):
                self._action._remove_tmp_path(folder)
        # Ansible forgets the present folder with any that it removes, and would leave it there.
        shell.tmpdir = present


def _trouble(action: str, message: str) -> ApiError:
    return ApiError(message, error_class=ErrorClass.TRANSIENT, kind="connection", action=action)
