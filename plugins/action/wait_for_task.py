# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import tempfile
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ..module_utils._argspec import TASK_OPTIONS, TASK_RULES, refs_of, wait_arguments
from ..module_utils._endpoints import check_endpoint
from ..module_utils._errors import InputError
from ..module_utils._outcome import WaitFailure
from ..module_utils._result import input_error_result, unknown_status_warnings, wait_result
from ..module_utils._waiter import Probe, Waiter, new_waiter
from ..plugin_utils._channel import Channel, ansible_pid, before_signals_end
from ..plugin_utils._local import LocalWait
from ..plugin_utils._progress import Progress
from ..plugin_utils._remote import MODULE, FirstPollFailedError, RemotePolls
from ..plugin_utils._terminal import Terminal, has_blocks

Result = dict[str, t.Any]

# What a resumed wait is not given: credentials have no place in a printed command, and the delay is over.
NOT_RESUMED = {*TASK_OPTIONS, "tasks", "username", "domain_name", "delay"}
NO_LINES = (
    "Live progress was not shown: the module could not connect to a socket in {folders}. "
    "The wait itself was not affected."
)


def _task_timeout_error() -> type[BaseException]:
    """Return what ansible-core raises for the task keyword timeout; it has moved in 2.19."""
    for name in ("ansible._internal._errors._task_timeout", "ansible.executor.task_executor"):
        try:
            error: type[BaseException] = importlib.import_module(name).TaskTimeoutError
        except (ImportError, AttributeError):
            continue
        return error
    return TimeoutError


TaskTimeoutError = _task_timeout_error()


class ActionModule(ActionBase):
    """Shows the progress of a wait: on this machine the module does all of it in one run, elsewhere a poll is a run."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: Result | None = None) -> Result:
        self._started = time.monotonic()
        self._ansible_pid = ansible_pid()
        try:
            return self._run(dict(task_vars or {}))
        finally:
            self._end_with_ansible()

    def _run(self, given: Result) -> Result:
        result: Result = super().run(None, given)
        validated = ArgumentSpecValidator(wait_arguments(), **TASK_RULES).validate(dict(self._task.args))
        params = validated.validated_parameters
        # The module says best what is wrong with its options.
        if validated.error_messages or self._module_is_alone():
            wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
            result.update(self._execute_module(MODULE, task_vars=given, wrap_async=wrap_async))
            return result
        try:
            result.update(self._wait_local(params, given) if self._is_local() else self._wait_remote(params, given))
        except InputError as error:
            result.update(input_error_result(error), failed=True)
        return result

    def _end_with_ansible(self) -> None:
        """End this process, a worker, if Ansible has ended: with a large result, which nobody reads, it would hang."""
        if os.getppid() != self._ansible_pid:
            self.cleanup()
            os._exit(1)

    def _is_local(self) -> bool:
        return bool(self._connection.transport == "local")

    def _module_is_alone(self) -> bool:
        # Network connections have a socket of their own, whose address takes the place of ours.
        has_socket = bool(getattr(self._connection, "socket_path", None))
        return bool(self._task.async_val or has_socket or (self._task.check_mode and not self._is_local()))

    def _waiter(self, params: Result, probe: Probe, progress: Progress) -> Waiter:
        def sleep(seconds: float) -> None:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                progress.heartbeat()
                time.sleep(min(left, 1.0))
                if os.getppid() != self._ansible_pid:
                    raise AnsibleError("Ansible ended during the wait.")

        return new_waiter(
            params,
            refs_of(params),
            probe=probe,
            clock=time.monotonic,
            sleep=sleep,
            on_update=progress.update,
            started=self._started,
        )

    def _progress(self, params: Result, task_vars: Result) -> Progress:
        terminal = Terminal(self._ansible_pid, mute=not self._shows(params))
        return Progress(
            terminal.show,
            host=self._host(task_vars),
            clock=time.monotonic,
            blocks=has_blocks(),
            options=_options_to_resume(params),
        )

    # Local

    def _wait_local(self, params: Result, task_vars: Result) -> Result:
        progress = self._progress(params, task_vars)
        waiter = self._waiter(params, _no_probe, progress)
        wait = LocalWait(waiter, progress, self._remove_module)
        channel = Channel(self._socket_folders(), wait, started=self._started, other_user=bool(self._connection.become))
        try:
            outcome = self._run_with(channel, progress, task_vars)
            has_died = wait.began and "polls" not in outcome
            failure = WaitFailure("connection", _how_it_died(outcome)) if has_died else None
        except TaskTimeoutError:
            # It may have struck while the channel was being closed.
            channel.close()
            outcome, failure = {}, self._keyword_timeout()
        if wait.result is not None:
            outcome = {**outcome, **wait.result, "failed": wait.result["failure"] is not None}
        elif failure is not None:
            view = waiter.view(over=True, failure=failure)
            outcome = {**outcome, **wait_result(view, single=params["tasks"] is None), "failed": True}
        if outcome.get("polls") and not channel.connected and self._shows(params):
            folders = " or ".join(self._socket_folders())
            outcome["warnings"] = [*outcome.get("warnings", ()), NO_LINES.format(folders=folders)]
        return outcome

    def _run_with(self, channel: Channel, progress: Progress, task_vars: Result) -> Result:
        """Run the module with the address of a channel; after that the module has ended, whatever happened."""

        def clean() -> None:
            channel.remove_folder()
            self._remove_module()
            progress.interrupted()

        with before_signals_end(clean), contextlib.closing(channel):
            channel.open()
            given = {**task_vars, "ansible_socket": channel.address}
            outcome: Result = self._execute_module(MODULE, task_vars=given)
            return outcome

    def _socket_folders(self) -> list[str]:
        # Not the temporary folder of the task: its path may be too long for a socket, and other users cannot enter it.
        named = [os.path.expanduser(os.path.expandvars(folder)) for folder in self.get_shell_option("system_tmpdirs")]
        return list(dict.fromkeys([*named, tempfile.gettempdir()]))

    def _remove_module(self) -> None:
        """Remove the file of the module once it runs: it holds the credentials, and whatever is killed would stay."""
        shell = self._connection._shell
        if self._should_remove_tmp_path(shell.tmpdir):
            shutil.rmtree(shell.tmpdir, ignore_errors=True)
            if not os.path.exists(shell.tmpdir):
                # Nothing is left for Ansible to remove, for which it would start a shell.
                shell.tmpdir = None

    # Remote

    def _wait_remote(self, params: Result, task_vars: Result) -> Result:
        _check_endpoints(params)
        progress = self._progress(params, task_vars)
        polls = RemotePolls(self, dict(self._task.args), task_vars)
        waiter = self._waiter(params, polls, progress)
        progress.begin(waiter.view())
        try:
            with before_signals_end(progress.interrupted):
                view = waiter.run()
        except TaskTimeoutError:
            view = waiter.view(over=True, failure=self._keyword_timeout())
        except FirstPollFailedError as error:
            return error.result
        finally:
            polls.remove_lost_folders()
        result = {**polls.remarks(), **wait_result(view, single=params["tasks"] is None)}
        warnings = [*result.get("warnings", ()), *unknown_status_warnings(view.watches)]
        return {**result, "failed": view.failure is not None, **({"warnings": warnings} if warnings else {})}

    # Shared

    def _shows(self, params: Result) -> bool:
        return bool(params["progress"] and not self._task.no_log)

    def _keyword_timeout(self) -> WaitFailure:
        return WaitFailure("timeout", f"the task's keyword timeout ended the wait after {self._task.timeout} s")

    def _host(self, task_vars: Result) -> str:
        host = str(task_vars.get("inventory_hostname", "?"))
        return f"{host} -> {self._task.delegate_to}" if self._task.delegate_to else host


def _no_probe(*dummy: t.Any) -> t.NoReturn:
    raise AssertionError("the module polls")


def _how_it_died(outcome: Result) -> str:
    status = f" (exit status {outcome['rc']})" if "rc" in outcome else ""
    return f"the process that waited ended without a result{status}"


def _check_endpoints(params: Result) -> None:
    """Check the given addresses before any line is shown.

    :raises InputError: an address is invalid or holds a password, which the command to resume would show
    """
    given = [(option, params.get(option)) for option in ("endpoint", "iam_endpoint")]
    for option, address in (*given, *(("endpoint", ref.endpoint) for ref in refs_of(params))):
        if address:
            check_endpoint(option, address)


def _options_to_resume(params: Result) -> Result:
    """Return the options that the printed command needs beside the tasks."""
    known = {name: spec for name, spec in wait_arguments().items() if not spec.get("no_log")}
    given = {name: params[name] for name in known if name not in NOT_RESUMED}
    changed = {name: value for name, value in given.items() if value not in (None, known[name].get("default"))}
    whole = {name: int(value) for name, value in changed.items() if isinstance(value, float) and value.is_integer()}
    return {**changed, **whole}
