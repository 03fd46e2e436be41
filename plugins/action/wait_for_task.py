# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import importlib
import locale
import os
import random
import sys
import time
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._argspec import (
    TASK_OPTIONS,
    WAIT_RULES,
    login_arguments,
    poll_arguments,
    refs_of,
    wait_arguments,
)
from ..module_utils._endpoints import check_endpoint
from ..module_utils._errors import (
    ApiError,
    ErrorClass,
    InputError,
    TasksError,
)
from ..module_utils._result import input_error_result, wait_result
from ..module_utils._settings import PASSWORD, method_of
from ..module_utils._task import Task, TaskRef
from ..module_utils._waiter import Failure, Observation, Waiter, policy_of
from ..plugin_utils._progress import (
    BAD,
    GOOD,
    TROUBLE,
    Progress,
)

MODULE = "huaweicloud.tasks.wait_for_task"
TOKEN_MODULE = "huaweicloud.tasks.iam_token"
COLORS = {GOOD: C.COLOR_OK, BAD: C.COLOR_ERROR, TROUBLE: C.COLOR_WARN}
# What a resumed wait is not given: credentials have no place in a printed command, and the delay is over.
NOT_RESUMED = {*TASK_OPTIONS, "tasks", "username", "domain_name", "delay"}
# A look that is cut short by the deadline still gets this many seconds for its requests.
MIN_REQUEST_SECONDS = 1.0


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


class FirstPollFailedError(TasksError):
    """The first look ended without a result of the module's own; nothing can be said about the tasks."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(str(result.get("msg", "")))
        self.result = result


class Polls:
    """Asks for tasks by running the module on the target, once a look."""

    def __init__(
        self,
        execute: t.Callable[[str, dict[str, t.Any]], dict[str, t.Any]],
        args: dict[str, t.Any],
        request_timeout: float,
    ) -> None:
        self._execute = execute
        self.args = args
        self._request_timeout = request_timeout
        self._succeeded = False
        # What Ansible adds to a module's result, by its keys there.
        self.remarks: dict[str, list[t.Any]] = {}
        self.facts: dict[str, t.Any] = {}

    def __call__(self, refs: t.Sequence[TaskRef], limit: float | None, **more: t.Any) -> list[Observation]:
        """Look once, with ``limit`` seconds left; ``more`` are options that differ from those given.

        :raises LookFailedError: the first look did not come to pass, so that waiting makes no sense
        """
        try:
            result = self.run(MODULE, poll_arguments({**self.args, **more}, refs, self.seconds(limit)))
        except ApiError as error:
            return [error] * len(refs)
        # Without a look the module met a mistake in its options, or crashed.
        if not result.get("polls"):
            if not self._succeeded:
                raise FirstPollFailedError(result)
            return [_not_run(result)] * len(refs)
        self._succeeded = True
        return [_observation(entry) for entry in result["tasks"]]

    def seconds(self, limit: float | None) -> float:
        """Return what a request may take with ``limit`` seconds left."""
        most = self._request_timeout
        return most if limit is None else min(most, max(limit, MIN_REQUEST_SECONDS))

    def run(self, module: str, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run a module on the target.

        :raises RequestError: the target is out of reach
        """
        try:
            result = self._execute(module, args)
        except AnsibleConnectionFailure as error:
            raise _unreachable(error) from None
        except AnsibleError as error:
            # What went well before, such as copying the module, fails now for want of a connection.
            if not self._succeeded:
                raise
            raise _unreachable(error) from None
        self._collect(result)
        return result

    def _collect(self, result: dict[str, t.Any]) -> None:
        for key in ("warnings", "deprecations"):
            known = self.remarks.setdefault(key, [])
            known += [remark for remark in result.get(key) or () if remark not in known]
        # Such as the interpreter that was found on the host, which is not searched for again then.
        self.facts.update(result.get("ansible_facts") or {})


def _observation(entry: dict[str, t.Any]) -> Observation:
    return ApiError.from_observation(entry["error"]) if entry["error"] else Task.from_dict(entry)


def _unreachable(error: Exception) -> ApiError:
    return ApiError(
        str(error),
        error_class=ErrorClass.TRANSIENT,
        kind="connection",
        action="The host that asks could not be reached",
    )


def _not_run(result: dict[str, t.Any]) -> ApiError:
    message = str(result.get("msg", "the module gave no result"))
    return ApiError(message, error_class=ErrorClass.TRANSIENT, kind="connection", action="The module did not run")


class PollsWithToken:
    """Looks with one token, so that a password login happens once a wait, not once a look."""

    def __init__(self, polls: Polls, clock: t.Callable[[], float]) -> None:
        self._polls = polls
        self._clock = clock
        self._token: dict[str, t.Any] = {}

    def __call__(self, refs: t.Sequence[TaskRef], limit: float | None) -> list[Observation]:
        """Look once, with ``limit`` seconds left for login and look."""
        deadline = None if limit is None else self._clock() + limit
        had_token = bool(self._token)
        try:
            observations = self._poll(refs, deadline)
            if not (had_token and any(_is_refusal(observation) for observation in observations)):
                return observations
            self._token = {}
            return self._poll(refs, deadline)
        except ApiError as error:
            return [error] * len(refs)

    def _poll(self, refs: t.Sequence[TaskRef], deadline: float | None) -> list[Observation]:
        self._token = self._token or self._login(self._left(deadline))
        return self._polls(refs, self._left(deadline), **self._token)

    def _left(self, deadline: float | None) -> float | None:
        return None if deadline is None else deadline - self._clock()

    def _login(self, limit: float | None) -> dict[str, t.Any]:
        """Return the options that hold the token; none where the target knows other credentials than a password.

        :raises RequestError: IAM refuses, or the target is out of reach
        """
        result = self._polls.run(TOKEN_MODULE, login_arguments(self._polls.args, self._polls.seconds(limit)))
        if result.get("error"):
            raise ApiError.from_observation(result["error"])
        # Without a token the look itself says best what is wrong.
        return {"auth_token": result["token"], "project_id": result["project_id"]} if "token" in result else {}


def _is_refusal(observation: Observation) -> bool:
    return isinstance(observation, ApiError) and observation.error_class is ErrorClass.UNAUTHORIZED


class ActionModule(ActionBase):
    """Waits on the controller, looks from the target, and shows progress meanwhile."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._lost_folders: list[str | None] = []

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        validated = ArgumentSpecValidator(wait_arguments(), **WAIT_RULES).validate(dict(self._task.args))
        params = validated.validated_parameters
        # The module says best what is wrong with its options.
        if validated.error_messages or not self._is_driven_here(params):
            wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
            result.update(self._execute_module(MODULE, task_vars=task_vars, wrap_async=wrap_async))
            return result
        try:
            result.update(self._wait(params, task_vars))
        except InputError as error:
            result.update(input_error_result(error), failed=True)
        except FirstPollFailedError as error:
            result.update(error.result)
        return result

    def _is_driven_here(self, params: dict[str, t.Any]) -> bool:
        return bool(params["progress"] and not self._task.async_val and not self._task.check_mode)

    def _wait(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        refs = refs_of(params)
        _check_endpoints(params, refs)
        polls = Polls(self._executor(task_vars), dict(self._task.args), float(params["request_timeout"]))
        probe = PollsWithToken(polls, time.monotonic) if self._needs_token(params, refs) else polls
        progress = Progress(
            self._show,
            host=self._host(task_vars),
            clock=time.monotonic,
            blocks=_has_blocks(),
            options=_options_to_resume(params),
        )

        def sleep(seconds: float) -> None:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                progress.heartbeat()
                time.sleep(min(left, progress.seconds_until_heartbeat()))

        wait = Waiter(
            refs,
            policy_of(params, check_mode=False),
            probe=probe,
            clock=time.monotonic,
            sleep=sleep,
            random=random.random,
            on_update=progress.update,
        )
        progress.begin(wait.snapshot())
        try:
            return self._finish(wait, polls, single=params["tasks"] is None)
        finally:
            self._remove_lost_folders()

    def _executor(self, task_vars: dict[str, t.Any]) -> t.Callable[[str, dict[str, t.Any]], dict[str, t.Any]]:
        context, shell = self._connection._play_context, self._connection._shell

        def execute(module: str, args: dict[str, t.Any]) -> dict[str, t.Any]:
            before = context.no_log
            # Connection plugins show what a module prints, such as a token, at -vvv.
            context.no_log = before or module == TOKEN_MODULE
            try:
                answer: dict[str, t.Any] = self._execute_module(module, module_args=args, task_vars=task_vars)
            except AnsibleError:
                # The temporary folder on the target may be gone with the connection: the next look makes a new one.
                self._lost_folders.append(shell.tmpdir)
                shell.tmpdir = None
                raise
            finally:
                context.no_log = before
            return answer

        return execute

    def _remove_lost_folders(self) -> None:
        """Remove what looks have left on the target when the connection broke: the options are in it."""
        shell = self._connection._shell
        present = shell.tmpdir
        for folder in filter(None, self._lost_folders):
            with contextlib.suppress(AnsibleError):
                self._remove_tmp_path(folder)
        # Ansible forgets the present folder with any that it removes, and would leave it there.
        shell.tmpdir = present

    def _needs_token(self, params: dict[str, t.Any], refs: t.Sequence[TaskRef]) -> bool:
        """Say whether looks share a token; tasks of several projects need several, which the module gets by itself."""
        try:
            by_password = method_of(params, self._environment()) == PASSWORD
        except InputError:
            # The target may know the rest, by its environment or a file.
            return False
        return by_password and not any(ref.region or ref.project_id for ref in refs)

    def _finish(self, wait: Waiter, polls: Polls, *, single: bool) -> dict[str, t.Any]:
        try:
            snapshot = wait.run()
        except TaskTimeoutError:
            message = f"the task's keyword timeout ended the wait after {self._task.timeout} s"
            snapshot = wait.snapshot(over=True, failure=Failure("timeout", message))
        result = wait_result(snapshot, single=single)
        result["failed"] = snapshot.failure is not None
        added = {**polls.remarks, "ansible_facts": polls.facts}
        result.update({key: value for key, value in added.items() if value})
        return result

    def _environment(self) -> dict[str, str]:
        """Return the environment of the module as far as it can be known here."""
        of_task: dict[str, t.Any] = {}
        self._compute_environment_string(of_task)
        is_here = self._connection.transport == "local" and not self._connection.become
        here = dict(os.environ) if is_here else {}
        return {**here, **{str(name): str(value) for name, value in of_task.items()}}

    def _host(self, task_vars: dict[str, t.Any]) -> str:
        host = str(task_vars.get("inventory_hostname", "?"))
        return f"{host} -> {self._task.delegate_to}" if self._task.delegate_to else host

    def _show(self, line: str, level: str) -> None:
        # Lines on stderr reach a pipe at once and leave the JSON of a callback on stdout whole.
        if not self._task.no_log:
            Display().display(line, color=COLORS.get(level), stderr=True)


def _check_endpoints(params: t.Mapping[str, t.Any], refs: t.Sequence[TaskRef]) -> None:
    """:raises InputError: an address is none, or holds a password, which the first line would show"""
    given = [(option, params.get(option)) for option in ("endpoint", "iam_endpoint")]
    for option, address in (*given, *(("endpoint", ref.endpoint) for ref in refs)):
        if address:
            check_endpoint(option, address, validate_certs=params["validate_certs"])


def _options_to_resume(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the options that the printed command needs beside the tasks."""
    known = {name: spec for name, spec in wait_arguments().items() if not spec.get("no_log")}
    given = {name: params[name] for name in known if name not in NOT_RESUMED}
    changed = {name: value for name, value in given.items() if value not in (None, known[name].get("default"))}
    whole = {name: int(value) for name, value in changed.items() if isinstance(value, float) and value.is_integer()}
    return {**changed, **whole}


def _has_blocks() -> bool:
    """Say whether the terminal can show the bar's blocks; workers have no stderr of their own since core 2.19."""
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    try:
        "█░".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
