# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The row of a task: the table's or, with ``service: custom``, the one that the play's option ``api`` describes.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import typing as t

from ._errors import InputError
from ._services import SERVICES, Service
from ._task import State, TaskRef

CUSTOM = "custom"
WORD_LISTS = {
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "running": State.RUNNING,
    "needs_action": State.NEEDS_ACTION,
}
NOT_FOUND_CHOICES = ("wait", "succeeded", "failed")
PLACEHOLDERS = ("project_id", "instance_id", "task_id")
FIELDS = (
    *("status", "id", "name", "instance_id", "instance_name", "progress", "created_at", "ended_at"),
    *("fail_reason", "error_code"),
)

# They also stand for a query that failed (OTC) or for any invalid parameter (error codes of DCS), which must not pass
# as an object that is gone.
_AMBIGUOUS_CODES = {"Common.0011", "IMG.0023", "111400063"}
# Any service's own codes may come from an API that the table lacks.
_NOT_FOUND_CODES = frozenset(code for row in SERVICES.values() for code in row.not_found_codes) - _AMBIGUOUS_CODES
_THROTTLE_CODES = frozenset(code for service in SERVICES.values() for code in service.throttle_codes)
_TOKEN_CODES = frozenset(code for service in SERVICES.values() for code in service.token_codes)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:@,+=-]+)+/?", re.ASCII)
_KEYS = re.compile(r"[^\s.\[\]]+(?:\.[^\s.\[\]]+)*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def service_of(ref: TaskRef) -> Service:
    """Return the row that says how to get a task.

    :raises InputError: no service is given, or an unknown one; the option ``api`` is missing, superfluous or wrong
    """
    if not ref.service:
        raise InputError("Neither service nor tasks is given.")
    if ref.service == CUSTOM:
        if not ref.api:
            raise InputError("service: custom needs api, which says how to get the task.")
        return _custom_service(ref.api)
    if ref.api:
        raise InputError(f"api is for service: custom only, not for {ref.service}.")
    if ref.service not in SERVICES:
        raise InputError(f"There is no service '{ref.service}'.{near_names(ref.service)}")
    return SERVICES[ref.service]


def near_names(name: str) -> str:
    """Return a hint that names the services whose names are near; empty where none is."""
    near = difflib.get_close_matches(name.lower(), (*SERVICES, CUSTOM), n=3)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def title_of(ref: TaskRef) -> str:
    """Return the name of a task's service for people."""
    return SERVICES[ref.service].title if ref.service in SERVICES else ref.service


@functools.lru_cache(maxsize=256)
def _custom_service(text: str) -> Service:
    api = json.loads(text)
    query = {key: _text_of(f"api.query.{key}", value) for key, value in _mapping(api, "query").items()}
    fields = _fields(api)
    return Service(
        name=CUSTOM,
        title=CUSTOM,
        product=_product(api),
        path=_path(api),
        query={key: _checked_placeholders(f"api.query.{key}", value) for key, value in query.items()},
        root=_record(api),
        required=_required(api["path"], *query.values()),
        fields=fields,
        statuses=_statuses(api),
        not_found=_not_found(api),
        not_found_codes=_NOT_FOUND_CODES,
        # What is throttled with HTTP 404 must not pass as an object that is gone.
        throttle_codes=_THROTTLE_CODES,
        token_codes=_TOKEN_CODES,
    )


def _product(api: dict[str, t.Any]) -> str:
    product = api.get("product") or ""
    if product and not _LABEL.fullmatch(product):
        raise InputError("api.product must be the first label of a host name, such as ecs.")
    return str(product)


def _path(api: dict[str, t.Any]) -> str:
    path = api.get("path")
    if not path:
        raise InputError("api.path is missing.")
    _checked_placeholders("api.path", path)
    if not _PATH.fullmatch(_PLACEHOLDER.sub("x", path)):
        raise InputError(
            "api.path must be a path such as /v1/{project_id}/cloudservers/{task_id}; parameters belong in api.query."
        )
    return str(path)


def _checked_placeholders(key: str, text: str) -> str:
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise InputError(f"{key} holds {{{name}}}; it may hold {known} only.")
    if any(brace in _PLACEHOLDER.sub("", text) for brace in "{}"):
        raise InputError(f"{key} holds a brace that belongs to no placeholder.")
    return text


def _required(*texts: str) -> tuple[str, ...]:
    used = {name for text in texts for name in _PLACEHOLDER.findall(text)}
    return tuple(name for name in ("task_id", "instance_id") if name in used)


def _record(api: dict[str, t.Any]) -> str:
    record = api.get("record") or ""
    keys = record[:-2] if record.endswith("[]") else record
    if record and not _KEYS.fullmatch(keys):
        raise InputError("api.record must be keys joined by dots, with [] at the end for a list.")
    return str(record)


def _mapping(api: dict[str, t.Any], key: str) -> dict[str, t.Any]:
    value = api.get(key) or {}
    if not isinstance(value, dict):
        raise InputError(f"api.{key} must be a dictionary.")
    return value


def _text_of(key: str, value: t.Any) -> str:
    if not isinstance(value, (str, int, float)):
        raise InputError(f"{key} must be a text or a number.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(api: dict[str, t.Any]) -> dict[str, str]:
    fields = _mapping(api, "fields")
    if not fields.get("status"):
        raise InputError("api.fields.status is missing: it says where the response has the status.")
    for name, path in fields.items():
        if name not in FIELDS:
            raise InputError(f"api.fields.{name} is not known; known are {', '.join(FIELDS)}.")
        if not isinstance(path, str) or not _KEYS.fullmatch(path):
            raise InputError(f"api.fields.{name} must be keys joined by dots, such as job.status.")
    return fields


def _statuses(api: dict[str, t.Any]) -> dict[str, str]:
    statuses: dict[str, str] = {}
    for key, state in WORD_LISTS.items():
        for word in api.get(key) or ():
            word = str(word).strip().lower()
            if not word:
                raise InputError(f"api.{key} holds an empty word.")
            if statuses.setdefault(word, state) != state:
                raise InputError(f"api.{key} holds '{word}', which is in another list, too.")
    if State.SUCCEEDED not in statuses.values() and api.get("not_found") != "succeeded":
        raise InputError("api.succeeded is missing: it lists the status words that mean success.")
    return statuses


def _not_found(api: dict[str, t.Any]) -> str:
    choice = api.get("not_found") or NOT_FOUND_CHOICES[0]
    if choice not in NOT_FOUND_CHOICES:
        raise InputError(f"api.not_found must be one of {', '.join(NOT_FOUND_CHOICES)}.")
    return str(choice)
