# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task of the cloud, the way to name one, and the odd ways in which APIs write numbers.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import calendar
import datetime
import json
import re
import time
import types
import typing as t


class State:
    """Where a task stands, in one vocabulary for all services."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    NEEDS_ACTION = "needs_action"
    UNKNOWN = "unknown"


STATES = (
    State.PENDING,
    State.RUNNING,
    State.SUCCEEDED,
    State.FAILED,
    State.CANCELED,
    State.NEEDS_ACTION,
    State.UNKNOWN,
)

FINISHED_STATES = frozenset((State.SUCCEEDED, State.FAILED, State.CANCELED))
FAILED_STATES = frozenset((State.FAILED, State.CANCELED))

_DIGITS = re.compile(r"\s*(\d{1,12})(?:\.\d*)?\s*%?\s*", re.ASCII)


NO_DETAILS: t.Mapping[str, t.Any] = types.MappingProxyType({})


def is_id(value: t.Any) -> bool:
    """Say whether a value can be an id; only such a one is safe in an address."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def read_number(value: t.Any) -> int | None:
    """Read ``19``, ``19.0``, ``"19"`` or ``"19%"``; anything else, such as ``""`` or null, is None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value) if 0 <= value < 1e12 else None
    match = _DIGITS.fullmatch(value) if isinstance(value, str) else None
    return int(match.group(1)) if match else None


def read_percent(value: t.Any) -> int | None:
    """Read a percentage as `read_number` does; what is above 100 is 100."""
    number = read_number(value)
    return None if number is None else min(number, 100)


# C1 controls, line and paragraph separators, and what changes the direction of text: JSON, and so the result as Ansible
# shows it, escapes other controls, but not these.
_TERMINAL_CONTROLS = re.compile("[\x80-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def read_text(value: t.Any) -> str | None:
    """Read a text or a number as text, without what can control a terminal; ``""``, null and structures are None."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return _TERMINAL_CONTROLS.sub("\ufffd", str(value).strip()) or None


# Of thirteen digits, as from 2001 to 2286; other numbers are passed on as they are.
_EPOCH_MILLISECONDS = re.compile(r"[1-9]\d{12}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# After an offset the zone's name tells nothing more; the name of another zone than UTC alone is not understood.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)? ?(?:Z|UTC|GMT|([+-])(\d\d)(?::?(\d\d))?(?: [A-Z]+)?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = datetime.datetime(1970, 1, 1)


def read_time(value: t.Any) -> str | None:
    """Read a time as text, as the API gives it; milliseconds since 1970 become ISO 8601, and 0 is none."""
    text = read_text(value)
    if text == "0":
        return None
    if text is None or not _EPOCH_MILLISECONDS.fullmatch(text):
        return text
    moment = _EPOCH + datetime.timedelta(milliseconds=int(text))
    return f"{moment.isoformat(timespec='milliseconds')}Z"


def seconds_since_1970(value: t.Any) -> float | None:
    """Read an API's time; without a zone it is UTC. None where it is in no known form."""
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    date, clock, sign, hours, minutes = found.groups()
    try:
        seconds = calendar.timegm(time.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return None
    offset = (int(hours) * 60 + int(minutes or 0)) * 60 if sign else 0
    return float(seconds + offset if sign == "-" else seconds - offset)


class TaskRef(t.NamedTuple):
    """What names a task: its service, its ids, and where it differs the place to ask.

    ``api`` is the option of the same name as JSON with sorted keys, so that a reference can be compared and hashed.
    """

    service: str
    task_id: str | None = None
    instance_id: str | None = None
    task_name: str | None = None
    region: str | None = None
    project_id: str | None = None
    endpoint: str | None = None
    api: str | None = None

    def to_option(self) -> dict[str, t.Any]:
        """Return it in the form of one item of the option ``tasks``."""
        return dict(self._asdict(), api=json.loads(self.api) if self.api else None)

    @classmethod
    def from_option(cls, values: t.Mapping[str, t.Any]) -> TaskRef:
        """Read one item of the option ``tasks``; an empty text, as forms send it, is not given.

        Whoever calls it has refused an empty id of a task.
        """
        given: dict[str, t.Any] = {name: values.get(name) or None for name in cls._fields}
        if given["api"]:
            api = {key: value for key, value in given["api"].items() if value is not None}
            given["api"] = json.dumps(_with_text_keys(api), sort_keys=True, default=_date_text)
        return cls(**given)

    @property
    def label(self) -> str:
        """A short text for messages: name and id where they are known."""
        return " ".join(part for part in (self.task_name, self.task_id or self.instance_id) if part)


def _with_text_keys(value: t.Any) -> t.Any:
    return {str(key): _with_text_keys(item) for key, item in value.items()} if isinstance(value, dict) else value


def _date_text(value: t.Any) -> str:
    """Return a date of YAML, which a play has and a module gets, as Ansible sends it to modules."""
    return str(value.isoformat()) if isinstance(value, datetime.date) else str(value)


class SubTask(t.NamedTuple):
    """One step of a task. ``progress`` is 0 to 100, ``remaining_seconds`` is in seconds."""

    name: str | None
    status: str | None
    state: str
    progress: int | None = None
    remaining_seconds: int | None = None


class Task(t.NamedTuple):
    """A task as an API described it. ``status`` is the API's word, ``state`` one of `STATES`."""

    service: str
    state: str
    id: str | None = None
    name: str | None = None
    instance_id: str | None = None
    instance_name: str | None = None
    status: str | None = None
    progress: int | None = None
    remaining_seconds: int | None = None
    created_at: str | None = None
    ended_at: str | None = None
    fail_reason: str | None = None
    error_code: str | None = None
    sub_tasks: tuple[SubTask, ...] = ()
    details: t.Mapping[str, t.Any] = NO_DETAILS

    @property
    def finished(self) -> bool:
        """Whether the task has ended, well or badly."""
        return self.state in FINISHED_STATES

    def to_dict(self) -> dict[str, t.Any]:
        """Return it as the value ``task`` of a result."""
        result = self._asdict()
        result["sub_tasks"] = [sub_task._asdict() for sub_task in self.sub_tasks]
        result["details"] = dict(self.details)
        return result

    @classmethod
    def from_dict(cls, value: t.Mapping[str, t.Any]) -> Task:
        """Read back what `to_dict` gave; further keys are passed over."""
        fields = {name: value[name] for name in cls._fields if name in value}
        fields["sub_tasks"] = tuple(SubTask(**sub_task) for sub_task in value.get("sub_tasks") or ())
        return cls(**fields)


def unseen(ref: TaskRef) -> Task:
    """Return what is known of a task before any response about it came."""
    return Task(
        service=ref.service,
        state=State.UNKNOWN,
        id=ref.task_id,
        name=ref.task_name,
        instance_id=ref.instance_id,
    )
