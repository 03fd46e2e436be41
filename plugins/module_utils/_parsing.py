# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a response's body to a task, and from an error's body to its code and message.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import json
import math
import re
import typing as t

from ._custom import CUSTOM
from ._errors import ApiError, ErrorClass
from ._services import Service
from ._task import FAILED_STATES, State, SubTask, Task, TaskRef, read_number, read_percent, read_text, read_time, unseen
from ._text import CUT, plain

_READERS: dict[str, t.Callable[[t.Any], str | None]] = {"created_at": read_time, "ended_at": read_time}
MAX_MESSAGE_CHARACTERS = 300
# A wait keeps them for each of its tasks. The entities of a batch of 500 servers have some 300,000 characters.
MAX_DETAIL_CHARACTERS = 500_000
# An empty structure takes many times the room of its text.
DETAIL_OVERHEAD = 10
MAX_STEPS = 10_000


class UnreadableResponseError(ValueError):
    """The body is not in any shape that the service is known to have."""


class NoSuchTaskError(LookupError):
    """The body says that there is no such task."""


def read_task(service: Service, ref: TaskRef, body: t.Any) -> Task:
    """Read the task out of a response's decoded body.

    :raises NoSuchTaskError: the response says that there is none
    :raises UnreadableResponseError: the body has another shape, or is about another task
    """
    record = _find_record(service, ref, body)
    _check_ids(service, ref, record)
    texts = {
        name: _READERS.get(name, read_text)(_first_value(record, path))
        for name, path in service.fields.items()
        if name not in ("status", "progress")
    }
    status = _read_status(service, _value_at(record, service.fields["status"]))
    sub_tasks = _read_sub_tasks(service, record)
    state = _state_of(service, record, status, sub_tasks)
    if state in FAILED_STATES and "fail_reason" in texts:
        texts["fail_reason"] = texts["fail_reason"] or _reason_of_steps(service, record)
    # What a play describes may be any object: without a status it is waited on, with a warning.
    if status is None and not sub_tasks and service.name != CUSTOM:
        _demand_known_keys(service, record)
    return Task(
        service=service.name,
        status=status,
        state=state,
        progress=_progress_of(_value_at(record, service.fields.get("progress", "")), sub_tasks),
        remaining_seconds=_remaining_of(sub_tasks),
        sub_tasks=sub_tasks,
        details={path.rpartition(".")[2]: _bounded(_value_at(record, path)) for path in service.details},
        **_with_given_names(texts, ref),
    )


def _find_record(service: Service, ref: TaskRef, body: t.Any) -> dict[str, t.Any]:
    if not isinstance(body, dict):
        raise UnreadableResponseError("the response is not a JSON object")
    path = service.root
    if path.endswith("[]"):
        return _pick_from_list(service, ref, _value_at(body, path[:-2]))
    record = _value_at(body, path) if path else body
    if not isinstance(record, dict):
        raise UnreadableResponseError(f"the response has no object '{path}'")
    return record


def _pick_from_list(service: Service, ref: TaskRef, records: t.Any) -> dict[str, t.Any]:
    key = service.root[:-2]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UnreadableResponseError(f"the response has no list '{key}' of objects")
    if not records:
        raise NoSuchTaskError(f"the list '{key}' is empty")
    # Another task's success must not pass as this one's: a record that does not bear the id is not the task.
    wanted = ref.task_id or ref.instance_id
    for record in records:
        if wanted is not None and _id_of(service, record) == wanted:
            return dict(record)
    if "id" not in service.fields and len(records) == 1:
        return dict(records[0])
    if wanted is None or "id" not in service.fields:
        raise UnreadableResponseError(f"no id says which object of the list '{key}' is meant")
    raise UnreadableResponseError("the response is about another task")


def _id_of(service: Service, record: dict[str, t.Any]) -> str | None:
    return read_text(_value_at(record, service.fields.get("id", "")))


def means_gone(service: Service, error: ApiError) -> bool:
    """Say whether an error is the service's word that an object is not there, where the play gives that a meaning.

    A gateway or a proxy that knows no such address has not looked for the object.
    """
    if service.not_found == "wait" or error.error_class is not ErrorClass.NOT_FOUND:
        return False
    return isinstance(error.body, dict) and not (error.code or "").startswith("APIG")


def gone_task(service: Service, ref: TaskRef) -> Task:
    """Return what the play says that a missing object means: success or failure."""
    reason = None if service.not_found == State.SUCCEEDED else "There is no such object."
    return unseen(ref)._replace(state=service.not_found, fail_reason=reason)


def _check_ids(service: Service, ref: TaskRef, record: dict[str, t.Any]) -> None:
    """Refuse a response about another task or instance, and one that may be about anything."""
    if not service.verify_id:
        return
    if not ref.task_id:
        # An object without an id of its instance may be the instance.
        path = service.fields.get("instance_id") or service.fields.get("id", "")
        if ref.instance_id and _is_other(_value_at(record, path), ref.instance_id):
            raise UnreadableResponseError("the response is about another instance")
    elif "id" in service.fields:
        _check_id(service, ref.task_id, _value_at(record, service.fields["id"]))


def _check_id(service: Service, task_id: str, value: t.Any) -> None:
    if _is_other(value, task_id):
        raise UnreadableResponseError("the response is about another task")
    # A gateway's health page has a status, too, but not under the API's own key. Every flat row's source shows an id.
    if read_text(value) is None and not service.root:
        raise UnreadableResponseError(f"the response has no id '{service.fields['id']}'")


def _is_other(value: t.Any, wanted: str) -> bool:
    """Say whether a value of a response is another id than the wanted one; no id can be a structure or a boolean."""
    found = read_text(value)
    return isinstance(value, (bool, list, dict)) if found is None else found != wanted


_MISSING = object()


def _value_at(record: t.Any, path: str, default: t.Any = None) -> t.Any:
    """Return what is at a path of keys joined by dots."""
    for key in path.split("."):
        record = record.get(key, default) if isinstance(record, dict) else default
    return record


def _first_value(record: t.Any, paths: str) -> t.Any:
    """Return what is at the first of some paths that has anything."""
    values = (_value_at(record, path) for path in paths.split(" "))
    return next((value for value in values if value not in (None, "")), None)


def _demand_known_keys(service: Service, record: dict[str, t.Any]) -> None:
    """Tell a task without a status, which is waited on, from an object that is no task at all."""
    identifying = (service.fields.get("id"), service.fields["status"], service.sub_tasks)
    if not any(path and _value_at(record, path, _MISSING) is not _MISSING for path in identifying):
        raise UnreadableResponseError("the response describes no task")


def _bounded(value: t.Any) -> t.Any:
    """Return a value of a response; None where it takes much room, as text or as structure."""
    room, values = MAX_DETAIL_CHARACTERS, [value]
    while values and room > 0:
        each = values.pop()
        room -= DETAIL_OVERHEAD + (len(each) if isinstance(each, (str, list, dict)) else 0)
        if room > 0 and isinstance(each, (list, dict)):
            values += (*each, *each.values()) if isinstance(each, dict) else each
    return value if room > 0 else None


def _read_sub_tasks(service: Service, record: dict[str, t.Any]) -> tuple[SubTask, ...]:
    return tuple(_read_sub_task(service, entry) for entry in _entries(service, record))


def _entries(service: Service, record: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    entries = _value_at(record, service.sub_tasks) if service.sub_tasks else None
    # An empty one is none, whatever its type.
    if entries in (None, "", {}, []):
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnreadableResponseError(f"'{service.sub_tasks}' is not a list of objects")
    if len(entries) > MAX_STEPS:
        raise UnreadableResponseError(f"'{service.sub_tasks}' has more than {MAX_STEPS} entries")
    return entries


def _read_sub_task(service: Service, entry: dict[str, t.Any]) -> SubTask:
    values = {name: _value_at(entry, path) for name, path in service.sub_task_fields.items()}
    status = read_text(values.get("status"))
    return SubTask(
        name=read_text(values.get("name")),
        status=status,
        state=_with_steps(service.state_of(status), _read_sub_tasks(service, entry)),
        progress=read_percent(values.get("progress")),
        remaining_seconds=read_number(values.get("remaining_seconds")),
    )


def _reason_of_steps(service: Service, record: dict[str, t.Any]) -> str | None:
    """Return why the first failed step failed; a step has its reason where a task has it."""
    for entry in _entries(service, record):
        if _read_sub_task(service, entry).state in FAILED_STATES:
            reason = read_text(_first_value(entry, service.fields["fail_reason"]))
            return reason or _reason_of_steps(service, entry)
    return None


def _read_status(service: Service, value: t.Any) -> str | None:
    # An object that a play describes may say whether it is done by true and false.
    return str(value).lower() if service.name == CUSTOM and isinstance(value, bool) else read_text(value)


def _state_of(service: Service, record: dict[str, t.Any], status: str | None, sub_tasks: tuple[SubTask, ...]) -> str:
    if service.has_state_of_steps and _lacks_status(_value_at(record, service.fields["status"])):
        return _state_of_all({step.state for step in sub_tasks})
    return _with_steps(service.state_of(status), sub_tasks)


def _lacks_status(value: t.Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _with_steps(state: str, sub_tasks: tuple[SubTask, ...]) -> str:
    # No source shows a task that succeeded though a step failed; it must not pass as success.
    if state == State.SUCCEEDED and any(step.state in FAILED_STATES for step in sub_tasks):
        return State.FAILED
    return state


def _state_of_all(states: set[str]) -> str:
    """Derive a task's state from those of its steps: the worst one that is certain comes first."""
    for state in (State.FAILED, State.CANCELED, State.NEEDS_ACTION, State.UNKNOWN, State.RUNNING):
        if state in states:
            return state
    if states == {State.SUCCEEDED}:
        return State.SUCCEEDED
    if states == {State.PENDING}:
        return State.PENDING
    return State.RUNNING if states else State.UNKNOWN


def _progress_of(value: t.Any, sub_tasks: tuple[SubTask, ...]) -> int | None:
    """Return the API's figure, or the mean of the steps' figures where the API has none for the whole."""
    figure = read_percent(value)
    if figure is None and len(sub_tasks) == 1:
        figure = sub_tasks[0].progress
    if figure is not None or all(step.progress is None for step in sub_tasks):
        return figure
    return sum(_progress_of_step(step) for step in sub_tasks) // len(sub_tasks)


def _progress_of_step(step: SubTask) -> int:
    # The restore API leaves some completed steps at the figure before their end.
    return 100 if step.state == State.SUCCEEDED else step.progress or 0


def _remaining_of(sub_tasks: tuple[SubTask, ...]) -> int | None:
    return next((step.remaining_seconds for step in sub_tasks if step.state == State.RUNNING), None)


def _with_given_names(texts: dict[str, str | None], ref: TaskRef) -> dict[str, str | None]:
    given = {"id": ref.task_id, "name": ref.task_name, "instance_id": ref.instance_id}
    return dict(texts, **{name: texts.get(name) or value for name, value in given.items()})


NOT_JSON = object()
# Ansible fails on a result that is nested some 300 levels deep; no API's response comes near that.
MAX_DEPTH = 100
MAX_DIGITS = 300
# Ansible's own marks in JSON begin like this; a result with such a key from elsewhere breaks it.
ANSIBLE_MARK = "__ansible"
# A text is cleaned only where it may need it: escapes can hide all the rest.
_SUSPICIOUS = re.compile(rf"\\u|{ANSIBLE_MARK}|[\ud800-\udfff]")


def parse_json(content: bytes) -> t.Any:
    """Decode a JSON body; return `NOT_JSON` if it is no JSON, or not all of it.

    Texts are not needed to the letter, since status words and error codes are ASCII: wrong bytes, as of another
    encoding or of a letter that was cut, are replaced, raw line breaks are kept, and ``NaN`` is null.
    What Ansible cannot have in a result is replaced: lone surrogates (as a server leaves them where it cuts a text),
    infinite and endless numbers, keys that look like Ansible's own, what is nested too deeply.
    """
    try:
        text = _decode(content)
        body = json.loads(
            text, strict=False, parse_constant=lambda name: None, parse_float=_read_float, parse_int=_read_int
        )
        is_deep = text.count("[") + text.count("{") > MAX_DEPTH
        return _clean(body, MAX_DEPTH) if is_deep or _SUSPICIOUS.search(text) else body
    except (ValueError, RecursionError):
        return NOT_JSON


def _decode(content: bytes) -> str:
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return content.decode(encoding, "replace")


def _clean(value: t.Any, depth: int) -> t.Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value]
    return {_clean_key(key): _clean(item, depth - 1) for key, item in value.items()}


def _clean_key(key: str) -> str:
    return _clean(key.lstrip("_") if key.startswith(ANSIBLE_MARK) else key, 0)  # type: ignore[no-any-return]


def _read_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _read_int(text: str) -> int | str:
    # Python refuses to convert some thousand digits.
    return int(text) if len(text) < MAX_DIGITS else text


# The vendor's products and SDK know all of these: (code, message).
_ERROR_KEYS = (
    ("error_code", "error_msg"),
    ("errCode", "externalMessage"),
    ("errCode", "errMsg"),
    ("errorCode", "errorMsg"),
    ("errorCode", "errorMessage"),
    ("code", "message"),
)


def read_error(body: t.Any) -> tuple[str | None, str]:
    """Read code and message from an error's body, in any of the shapes that the cloud's products use."""
    if not isinstance(body, dict):
        return None, ""
    for record in (body, body.get("error")):
        if isinstance(record, dict):
            pairs = [(record.get(code), record.get(message)) for code, message in _ERROR_KEYS]
            # Some bodies carry the code twice and the message once.
            for pair in (*filter(all, pairs), *filter(any, pairs)):
                return shorten(pair[0]) or None, shorten(pair[1])
    return None, ""


def shorten(value: t.Any) -> str:
    """Return a text or a number of a response on one line, short enough for a message; otherwise ``""``."""
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        return ""
    short = plain(str(value), MAX_MESSAGE_CHARACTERS)
    return "" if short == CUT else short
