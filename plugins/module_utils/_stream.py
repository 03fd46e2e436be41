# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What polls bring, on the way from the module to the action plugin.

Ansible masks every secret in a module's result, even a secret of one letter in the words and numbers that the plugin
needs. So observations go another way, and are masked here: texts are, numbers and known words stay whole.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import json
import typing as t

from ._channel import Channel
from ._custom import CUSTOM
from ._errors import KINDS, ApiError, ErrorClass
from ._services import SERVICES
from ._task import STATES, Task, TaskRef
from ._task_watch import Observation
from ._waiter import Probe, WaitView

# Comes as the address of the plugin where a run of the module is one poll of a wait that the plugin does.
POLL = "huaweicloud.tasks-poll"
# As Ansible does it.
MASK, WHOLE_MASK = "********", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

ERROR_FIELDS = ("message", "kind", "code", "http_status", "request_id", "action", "hint", "retry_after")
# What the plugin cannot work out from observations.
FIGURES = ("over", "granted_per_minute", "poll_interval", "oldest_poll_age")
# Words that a program compares; that one of them is also somebody's password reveals nothing.
KNOWN_WORDS = frozenset(
    (
        *STATES,
        *KINDS,
        *(each.value for each in ErrorClass),
        *SERVICES,
        CUSTOM,
        *(status for service in SERVICES.values() for status in service.statuses),
    )
)


class Mask:
    """Hides secrets in the texts of a JSON value."""

    def __init__(self, secrets: t.Collection[str], refs: t.Iterable[TaskRef]) -> None:
        """``secrets`` may still grow; what names the tasks was given as no secret and stays."""
        self._secrets = secrets
        self._kept = {part for ref in refs for part in ref if isinstance(part, str)}

    def __call__(self, value: t.Any) -> t.Any:
        # A longer secret may contain a shorter one.
        return self._masked(value, sorted(filter(None, self._secrets), key=len, reverse=True))

    def _masked(self, value: t.Any, secrets: t.Sequence[str]) -> t.Any:
        if isinstance(value, str):
            return self._text(value, secrets)
        if isinstance(value, dict):
            return {key: self._masked(each, secrets) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._masked(each, secrets) for each in value]
        return value

    def _text(self, text: str, secrets: t.Sequence[str]) -> str:
        if text in self._kept or text.lower() in KNOWN_WORDS:
            return text
        if text in secrets:
            return WHOLE_MASK
        for secret in secrets:
            text = text.replace(secret, MASK)
        return text


def encode(observation: Observation) -> dict[str, t.Any]:
    """Return an observation as JSON; `decode` reads it back."""
    if isinstance(observation, Task):
        return {"task": observation.to_dict()}
    fields = {name: getattr(observation, name) for name in ERROR_FIELDS}
    return {"error": {**fields, "error_class": observation.error_class.value}}


def decode(value: t.Mapping[str, t.Any]) -> Observation:
    """Read back what `encode` gave."""
    if "task" in value:
        return Task.from_dict(value["task"])
    return ApiError(**{**value["error"], "error_class": ErrorClass(value["error"]["error_class"])})


def seal(observations: t.Iterable[Observation], mask: Mask) -> dict[str, None]:
    """Return the observations of one poll as a value of the module's result that Ansible's own masking leaves whole."""
    # It masks values, but no keys.
    return {json.dumps(mask([encode(each) for each in observations])): None}


def unseal(value: t.Mapping[str, t.Any]) -> list[Observation]:
    """Read back what `seal` gave."""
    (text,) = value
    return [decode(each) for each in json.loads(text)]


class Stream:
    """Tells the plugin of each poll of a wait that the module does, and of its end."""

    def __init__(self, channel: Channel, refs: t.Sequence[TaskRef], secrets: t.Collection[str]) -> None:
        self._channel = channel
        self._mask = Mask(secrets, refs)
        self._indexes = {ref: index for index, ref in enumerate(dict.fromkeys(refs))}
        self._seen: list[tuple[int, Observation]] = []
        self._listed: list[tuple[int, Task]] = []

    def begin(self) -> None:
        """Tell that nothing is wrong with the options."""
        self._channel.send({"begin": True})

    def through(self, probe: Probe) -> Probe:
        """Return a probe that takes down what the given one brings."""

        def record(refs: t.Sequence[TaskRef]) -> t.Sequence[Observation]:
            observations = probe(refs)
            self._seen += zip(map(self._indexes.__getitem__, refs), observations)
            return observations

        return record

    def listed(self, tasks: t.Mapping[TaskRef, Task]) -> None:
        """Take down what a list says of tasks that still run."""
        self._listed += [(self._indexes[ref], task) for ref, task in tasks.items()]

    def update(self, view: WaitView) -> None:
        """Tell what a poll brought."""
        seen, self._seen = self._seen, []
        listed, self._listed = self._listed, []
        if self._channel.connected:
            figures = {name: getattr(view, name) for name in FIGURES}
            message: dict[str, t.Any] = {"now": view.now, "figures": figures}
            those: t.Sequence[tuple[int, Observation]]
            for key, those in (("listed", listed), ("observations", seen)):
                message[key] = [[index, self._mask(encode(each))] for index, each in those]
            message["late"] = [[self._indexes[watch.ref], watch.excused] for watch in view.watches if watch.excused]
            self._channel.send(message)

    def end(self, result: t.Mapping[str, t.Any]) -> None:
        """Tell the result."""
        if self._channel.connected:
            self._channel.send({"result": self._mask(dict(result))})
