# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the simulated cloud knows, and the responses it gives while nothing is wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from . import apis, errors, gate, iam, metadata, operations, resources, services, unknown
from .catalog import GONE
from .faults import FaultStore
from .identity import Identity
from .journal import Journal
from .limits import Caller, LimitStore
from .list_rules import ListRules
from .lists import LIST_APIS, Lists
from .response import Incoming, Response
from .routes import Call
from .tasks import Task, TaskStore, check_keys

OPEN_APIS = {
    "token": iam.create_token,
    "metadata_token": metadata.create_token,
    "securitykey": metadata.security_key,
}
SETTINGS = {"kafka_unknown_id": ("empty", "404"), **unknown.SETTINGS}
BODIES = {**services.BODIES, **resources.BODIES}


def default_settings() -> dict[str, str]:
    """The first value of every setting."""
    return {name: values[0] for name, values in SETTINGS.items()}


class World:
    """Tasks, faults, accounts, settings and the journal."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.journal = Journal()
        self.tasks = TaskStore()
        self.faults = FaultStore()
        self.limits = LimitStore()
        self.identity = Identity()
        self.settings = default_settings()
        self.operations = operations.Operations()
        self.list_rules = ListRules()

    def reset(self) -> None:
        """Back to the state of a fresh start; the clock of the journal runs on."""
        self.tasks = TaskStore()
        self.faults = FaultStore()
        self.limits = LimitStore()
        self.identity = Identity()
        self.settings = default_settings()
        self.operations = operations.Operations()
        self.list_rules = ListRules()
        self.journal.clear()

    def now(self) -> float:
        """The clock of all timelines: seconds since the start."""
        return time.monotonic() - self.started

    def change_settings(self, given: Mapping[str, Any]) -> None:
        """Apply a control call."""
        check_keys(given, frozenset(SETTINGS), "the settings")
        for name, value in given.items():
            if value not in SETTINGS[name]:
                raise ValueError(f"{name} must be one of {', '.join(SETTINGS[name])}")
            self.settings[name] = value

    def clear_requests(self) -> None:
        """Forget the log, the peaks and the counts."""
        self.journal.clear()
        self.limits.clear_counts()

    def stats(self) -> dict[str, Any]:
        """Numbers for tests and benchmarks."""
        return {
            **self.journal.stats(),
            "tasks": len(self.tasks),
            "tokens_issued": self.identity.tokens_issued,
            "wrong_passwords": self.identity.lock.wrong_passwords,
            "apis": self.limits.counts(),
        }

    def throttle(self, incoming: Incoming, call: Call | None, service: str | None) -> Response | None:
        """The refusal of a request which is over a limit; None for the others, which use the limits up."""
        if call is None:
            return None
        caller = Caller(gate.user_name(self.identity, incoming), incoming.source)
        throttled = self.limits.ask(f"{service}/{call.api}", caller, self.now())
        return errors.throttled(throttled, str(service), incoming.request_id) if throttled else None

    def find_task(self, call: Call) -> Task | None:
        """The task a call asks for, or None where it is not known or not yet visible."""
        if call.api == "restore" and not call.task_id:
            return self.tasks.latest_restore(call.instance_id, call.project_id, self.now())
        task = self.tasks.find(call.task_id, call.services, call.project_id, self.now())
        if task is None and call.api == "jobs" and "taurusdb" in call.services:
            return self._restore_as_job(call)
        if task and call.instance_id not in ("", task.instance_id):
            return None
        return task

    def _restore_as_job(self, call: Call) -> Task | None:
        """The restore with this id, since the job API of TaurusDB knows it, too."""
        restore = self.tasks.find(call.task_id, ("taurusdb_restore",), call.project_id, self.now())
        return restore if restore and restore.job is not False else None

    def respond(self, incoming: Incoming, call: Call | None, task: Task | None) -> Response:
        """The response to a request."""
        if call is None:
            return errors.wrong_host(incoming.request_id)
        if call.api in OPEN_APIS:
            return OPEN_APIS[call.api](self.identity, incoming)
        refusal = gate.refusal(self.identity, incoming, call)
        if refusal:
            return refusal
        if call.api == "projects":
            return iam.list_projects(self.identity, incoming)
        if call.api in operations.STARTS:
            return operations.respond(self.operations, self.tasks, self.now(), incoming, call)
        if call.api in LIST_APIS:
            return Lists(self.tasks, self.list_rules).respond(incoming, call, self.now())
        if task and not call.project_id and task.project_id != gate.caller_project(self.identity, incoming):
            task = None
        if call.api == "instances":
            known = self.tasks.visible(call.services, call.project_id, self.now())
            return Response(200, resources.instances(known, call.task_id, self.now()))
        return self._task_answer(incoming, call, task)

    def _task_answer(self, incoming: Incoming, call: Call, task: Task | None) -> Response:
        """The response of one of the task APIs to a caller who may ask."""
        query = incoming.query
        one_alone = ("job_id" in query) != ("job_name" in query)
        if (call.api == "jobs" and not call.task_id) or (call.api == "restore" and one_alone):
            return errors.bad_parameter()
        if task and call.api == "restore" and query.get("job_name") not in (None, task.name):
            task = None
        if task is None or task.step(self.now()).status == GONE:
            return self._unknown_task(call)
        if task.raw is not None and task.service in call.services:
            return Response(200, task.raw)
        return Response(200, self._task_body(call, task, bool(query.get("job_id"))))

    def _unknown_task(self, call: Call) -> Response:
        """The response about a task which is not there.

        Which mistake the cloud names when there are several is not known.
        """
        if call.services[0] in unknown.RESPONSES:
            return unknown.RESPONSES[call.services[0]](self.settings)
        instance_known = any(
            self.tasks.knows_instance(service, call.project_id, call.instance_id) for service in call.services
        )
        if call.api == "kafka":
            if not self.tasks.is_kafka_id(call.task_id):
                return errors.malformed_kafka_id()
            if not instance_known:
                return errors.unknown_kafka_instance()
            return errors.unknown_kafka_task(self.settings["kafka_unknown_id"])
        return errors.unknown_instance() if call.instance_id and not instance_known else errors.unknown_job()

    def _task_body(self, call: Call, task: Task, by_id: bool) -> Any:
        """The body for a task which is known."""
        body = BODIES.get(task.service)
        if body:
            return body(task, self.now())
        if call.api == "kafka":
            return apis.kafka(task, self.now())
        if call.api == "restore":
            return apis.restore(task, self.now(), with_status=by_id)
        return apis.database_job(task, self.now())
