# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

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

from ansible_collections.huaweicloud.tasks.plugins.module_utils._arguments import (
    WAIT_RULES,
    look_arguments,
    refs_of,
    wait_arguments,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._credentials import PASSWORD, method_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import (
    InputError,
    Meaning,
    RequestError,
    TasksError,
)
from ansible_collections.huaweicloud.tasks.plugins.module_utils._report import mistake_result, wait_result
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import Task, TaskRef
from ansible_collections.huaweicloud.tasks.plugins.module_utils._wait import Failure, Observation, Wait, policy_of
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._progress import (
    BAD,
    GOOD,
    TROUBLE,
    Progress,
)

MODULE = "huaweicloud.tasks.wait_for_task"
TOKEN_MODULE = "huaweicloud.tasks.iam_token"
COLORS = {GOOD: C.COLOR_OK, BAD: C.COLOR_ERROR, TROUBLE: C.COLOR_WARN}
# What the printed command needs beside the tasks; credentials are never in it.
PLACE_OPTIONS = ("region", "project_id", "endpoint", "iam_endpoint")
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


class LookFailedError(TasksError):
    """The first look ended without a result of the module's own; nothing can be said about the tasks."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(str(result.get("msg", "")))
        self.result = result


class Looks:
    """Asks for tasks by running the module on the target, once a look."""

    def __init__(self, execute: t.Callable[[str, dict[str, t.Any]], dict[str, t.Any]], args: dict[str, t.Any]) -> None:
        self._execute = execute
        self._args = args
        self.succeeded = False
        # What Ansible adds to a module's result, by its keys there.
        self.remarks: dict[str, list[t.Any]] = {}
        self.facts: dict[str, t.Any] = {}

    def __call__(self, refs: t.Sequence[TaskRef], request_timeout: float, **more: t.Any) -> list[Observation]:
        """Look once; ``more`` are options that differ from those given.

        :raises LookFailedError: the first look did not come to pass, so that waiting makes no sense
        """
        try:
            result = self._execute(MODULE, look_arguments({**self._args, **more}, refs, request_timeout))
        except AnsibleConnectionFailure as error:
            return [_unreachable(error)] * len(refs)
        except AnsibleError as error:
            # What went well before, such as copying the module, fails now for want of a connection.
            if not self.succeeded:
                raise
            return [_unreachable(error)] * len(refs)
        self._collect(result)
        # Without a look the module met a mistake in its options, or crashed.
        if not result.get("polls"):
            if not self.succeeded:
                raise LookFailedError(result)
            return [_not_run(result)] * len(refs)
        self.succeeded = True
        return [_observation(entry) for entry in result["tasks"]]

    def _collect(self, result: dict[str, t.Any]) -> None:
        for key in ("warnings", "deprecations"):
            known = self.remarks.setdefault(key, [])
            known += [remark for remark in result.get(key) or () if remark not in known]
        # Such as the interpreter that was found on the host, which is not searched for again then.
        self.facts.update(result.get("ansible_facts") or {})


def _observation(entry: dict[str, t.Any]) -> Observation:
    return RequestError.from_observation(entry["error"]) if entry["error"] else Task.from_dict(entry)


def _unreachable(error: Exception) -> RequestError:
    return RequestError(
        str(error), meaning=Meaning.TRANSIENT, kind="connection", asked="The host that asks could not be reached"
    )


def _not_run(result: dict[str, t.Any]) -> RequestError:
    message = str(result.get("msg", "the module gave no result"))
    return RequestError(message, meaning=Meaning.TRANSIENT, kind="connection", asked="The module did not run")


class Logins:
    """Looks with one token for every project, so that a password login happens once a wait, not once a look."""

    def __init__(
        self,
        looks: Looks,
        execute: t.Callable[[str, dict[str, t.Any]], dict[str, t.Any]],
        args: dict[str, t.Any],
    ) -> None:
        self._looks = looks
        self._execute = execute
        self._args = args
        self._tokens: dict[tuple[str | None, str | None], dict[str, t.Any]] = {}

    def __call__(self, refs: t.Sequence[TaskRef], request_timeout: float) -> list[Observation]:
        """Look once at tasks that may be in several projects."""
        seen: dict[TaskRef, Observation] = {}
        for place in dict.fromkeys((ref.region, ref.project_id) for ref in refs):
            those = [ref for ref in refs if (ref.region, ref.project_id) == place]
            seen.update(zip(those, self._look_at_place(place, those, request_timeout)))
        return [seen[ref] for ref in refs]

    def _look_at_place(
        self, place: tuple[str | None, str | None], refs: t.Sequence[TaskRef], request_timeout: float
    ) -> list[Observation]:
        is_fresh = place not in self._tokens
        try:
            observations = self._look_with_token(place, refs, request_timeout)
            if is_fresh or not any(_is_refusal(observation) for observation in observations):
                return observations
            del self._tokens[place]
            return self._look_with_token(place, refs, request_timeout)
        except RequestError as error:
            return [error] * len(refs)

    def _look_with_token(
        self, place: tuple[str | None, str | None], refs: t.Sequence[TaskRef], request_timeout: float
    ) -> list[Observation]:
        if place not in self._tokens:
            self._tokens[place] = self._login(place, request_timeout)
        return self._looks(refs, request_timeout, **self._tokens[place])

    def _login(self, place: tuple[str | None, str | None], request_timeout: float) -> dict[str, t.Any]:
        own = {name: value for name, value in zip(("region", "project_id"), place) if value}
        args = look_arguments({**self._args, **own}, (), request_timeout)
        args = {name: value for name, value in args.items() if name not in ("tasks", "timeout", "progress")}
        try:
            result = self._execute(TOKEN_MODULE, args)
        except AnsibleConnectionFailure as error:
            raise _unreachable(error) from None
        if result.get("failure"):
            raise _login_error(result)
        if "token" not in result:
            raise _not_run(result) if self._looks.succeeded else LookFailedError(result)
        return {"auth_token": result["token"], "project_id": result["project_id"]}


def _login_error(result: dict[str, t.Any]) -> RequestError:
    failure = result["failure"]
    meaning = None if failure["http_status"] or failure["kind"] != "connection" else Meaning.TRANSIENT
    return RequestError(
        failure["message"],
        meaning=meaning,
        kind=failure["kind"],
        code=failure["code"],
        http_status=failure["http_status"],
        request_id=failure["request_id"],
        text=str(result["msg"]),
    )


def _is_refusal(observation: Observation) -> bool:
    return isinstance(observation, RequestError) and observation.meaning is Meaning.UNAUTHORIZED


class ActionModule(ActionBase):
    """Waits on the controller, looks from the target, and shows progress meanwhile."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

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
            result.update(mistake_result(error), failed=True)
        except LookFailedError as error:
            result.update(error.result)
        return result

    def _is_driven_here(self, params: dict[str, t.Any]) -> bool:
        return bool(params["progress"] and not self._task.async_val and not self._task.check_mode)

    def _wait(self, params: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        def execute(module: str, args: dict[str, t.Any]) -> dict[str, t.Any]:
            try:
                answer: dict[str, t.Any] = self._execute_module(module, module_args=args, task_vars=task_vars)
            except AnsibleError:
                # The temporary folder on the target may be gone with the connection: the next look makes a new one.
                self._connection._shell.tmpdir = None
                raise
            return answer

        looks = Looks(execute, dict(self._task.args))
        by_password = method_of(params, self._environment()) == PASSWORD
        look = Logins(looks, execute, dict(self._task.args)) if by_password else looks
        place = {name: params[name] for name in PLACE_OPTIONS if params.get(name)}
        progress = Progress(
            self._show, host=self._host(task_vars), clock=time.monotonic, blocks=_has_blocks(), place=place
        )

        def probe(refs: t.Sequence[TaskRef], limit: float | None) -> list[Observation]:
            most = float(params["request_timeout"])
            return look(refs, most if limit is None else min(most, max(limit, MIN_REQUEST_SECONDS)))

        def sleep(seconds: float) -> None:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                progress.heartbeat()
                time.sleep(min(left, progress.seconds_until_heartbeat()))

        wait = Wait(
            refs_of(params),
            policy_of(params, check_mode=False),
            probe=probe,
            clock=time.monotonic,
            sleep=sleep,
            random=random.random,
            on_update=progress.update,
        )
        progress.begin(wait.snapshot())
        return self._finish(wait, looks, single=params["tasks"] is None)

    def _finish(self, wait: Wait, looks: Looks, *, single: bool) -> dict[str, t.Any]:
        try:
            snapshot = wait.run()
        except TaskTimeoutError:
            message = f"the task's keyword timeout ended the wait after {self._task.timeout} s"
            snapshot = wait.snapshot(over=True, failure=Failure("timeout", message))
        result = wait_result(snapshot, single=single)
        result["failed"] = snapshot.failure is not None
        added = {**looks.remarks, "ansible_facts": looks.facts}
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


def _has_blocks() -> bool:
    """Say whether the terminal can show the bar's blocks; workers have no stderr of their own since core 2.19."""
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    try:
        "█░".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
