# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arguments of the modules, the tasks that they name, and checks of their ids.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import typing as t

from ._custom import CUSTOM, NOT_FOUND_CHOICES, WORD_LISTS, service_of
from ._errors import InputError
from ._policy import Policy
from ._services import SERVICES
from ._settings import SECRETS
from ._task import STATES, TaskRef, is_id

ArgumentSpec = dict[str, dict[str, t.Any]]

TASK_OPTIONS = ("service", "task_id", "instance_id", "task_name", "api")
CHOICES = (*SERVICES, CUSTOM)


def connection_arguments() -> ArgumentSpec:
    """Return the options of every module: where to ask, and with which credentials."""
    arguments: ArgumentSpec = {
        "region": {"type": "str"},
        "project_id": {"type": "str"},
        "endpoint": {"type": "str"},
        "iam_endpoint": {"type": "str"},
        "auth_token": {"type": "str"},
        "access_key": {"type": "str"},
        "secret_key": {"type": "str"},
        "security_token": {"type": "str"},
        "username": {"type": "str"},
        "password": {"type": "str"},
        "domain_name": {"type": "str"},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path", "aliases": ["ca_cert"]},
        "request_timeout": {"type": "float", "default": 30.0},
        "language": {"type": "str", "choices": ["en-us", "zh-cn"], "default": "en-us"},
    }
    for secret in SECRETS:
        arguments[secret]["no_log"] = True
    return arguments


def task_arguments() -> ArgumentSpec:
    """Return the options that name one task."""
    return {
        "task_id": {"type": "str", "aliases": ["job_id"]},
        "instance_id": {"type": "str"},
        "task_name": {"type": "str", "aliases": ["job_name"]},
    }


def query_arguments(service: str) -> ArgumentSpec:
    """Return the options of a service's query module: what its row says that it needs."""
    row = SERVICES[service]
    named = {
        option: spec for option, spec in task_arguments().items() if option in row.required + row.required_together
    }
    for option in row.required:
        named[option]["required"] = True
    return dict(connection_arguments(), **named)


def _api_argument() -> dict[str, t.Any]:
    words = {"type": "list", "elements": "str"}
    return {
        "type": "dict",
        "options": {
            "product": {"type": "str"},
            "path": {"type": "str"},
            "query": {"type": "dict"},
            "record": {"type": "str"},
            "fields": {"type": "dict"},
            **dict.fromkeys(WORD_LISTS, words),
            "not_found": {"type": "str", "choices": list(NOT_FOUND_CHOICES)},
        },
    }


def tasks_arguments() -> ArgumentSpec:
    """Return the options that name one task of any service, or several."""
    one_task = dict(task_arguments(), service={"type": "str", "choices": list(CHOICES)}, api=_api_argument())
    item = dict(
        one_task,
        service={"type": "str", "choices": list(CHOICES), "required": True},
        region={"type": "str"},
        project_id={"type": "str"},
        endpoint={"type": "str"},
    )
    return {**one_task, "tasks": {"type": "list", "elements": "dict", "options": item}}


# How task_info chooses among listed tasks.
LIST_OPTIONS: ArgumentSpec = {
    "states": {"type": "list", "elements": "str", "choices": list(STATES)},
    "since": {"type": "str"},
    "limit": {"type": "int", "default": 1000},
}


def task_info_arguments() -> ArgumentSpec:
    """Return the options of task_info."""
    return {**connection_arguments(), **tasks_arguments(), **LIST_OPTIONS}


def wait_arguments() -> ArgumentSpec:
    """Return the options of wait_for_task."""
    policy: ArgumentSpec = {
        "require": {"type": "str", "choices": ["all", "any"], "default": Policy.require},
        "fail_fast": {"type": "bool", "default": Policy.fail_fast},
        "timeout": {"type": "float", "default": Policy.timeout},
        "delay": {"type": "float", "default": Policy.delay},
        "sleep": {"type": "float", "default": Policy.sleep},
        "max_sleep": {"type": "float", "default": Policy.max_sleep},
        "stall_timeout": {"type": "float"},
        "not_found_grace": {"type": "float", "default": Policy.not_found_grace},
        "error_grace": {"type": "float", "default": Policy.error_grace},
        "progress": {"type": "bool", "default": True},
    }
    return {**connection_arguments(), **tasks_arguments(), **policy}


# One task by the single options, or a list; never both.
TASK_RULES: dict[str, t.Any] = {
    "required_one_of": [("service", "tasks")],
    "mutually_exclusive": [("tasks", option) for option in TASK_OPTIONS],
}


def poll_arguments(given: t.Mapping[str, t.Any], refs: t.Sequence[TaskRef]) -> dict[str, t.Any]:
    """Return the arguments of one poll of some tasks: the connection's as they were given."""
    names = {"ca_cert", *connection_arguments()}
    connection = {name: value for name, value in given.items() if name in names}
    return dict(
        connection,
        tasks=[{name: value for name, value in ref.to_option().items() if value is not None} for ref in refs],
    )


def refs_of(params: t.Mapping[str, t.Any]) -> list[TaskRef]:
    """Return the tasks that the options name, in the order given.

    :raises InputError: an id of a task is empty
    """
    named = {option: params.get(option) for option in TASK_OPTIONS}
    # Ansible adds the names of aliases to what was given.
    tasks = [named] if params.get("tasks") is None else params["tasks"]
    for item in tasks:
        check_task_id_is_not_empty(item)
    return [TaskRef.from_option(item) for item in tasks]


def check_task_id_is_not_empty(values: t.Mapping[str, t.Any]) -> None:
    """Refuse what a template left empty: the last restore, or a whole list, would be taken for the task.

    :raises InputError: it is empty
    """
    if values.get("task_id") == "":
        raise InputError("task_id is empty. To leave it out, use default(omit).")


def check_ref(ref: TaskRef) -> None:
    """Check that a task is named as its service needs it.

    :raises InputError: the service is unknown, ``api`` is wrong, an id is missing or holds characters that no id has
    """
    service = service_of(ref)
    missing = [option for option in service.required if not getattr(ref, option)]
    if missing:
        raise InputError(f"A task of {service.name} needs {' and '.join(missing)}.")
    given = [option for option in service.required_together if getattr(ref, option)]
    if given and len(given) < len(service.required_together):
        lacking = " and ".join(option for option in service.required_together if option not in given)
        raise InputError(f"A task of {service.name} that is named by {' and '.join(given)} needs {lacking} too.")
    for option in ("task_id", "instance_id", "task_name", "project_id"):
        check_id(option, getattr(ref, option))


def check_id(option: str, value: str | None) -> None:
    """Check that an id is safe to put into an address.

    :raises InputError: it holds other characters than letters, digits, ``-`` and ``_``
    """
    if value is not None and not is_id(value):
        raise InputError(f"{option} must consist of letters, digits, '-' and '_' only.")
