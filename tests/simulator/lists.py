# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of tasks: filters, paging, and what control calls change about them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from . import errors, gate
from .list_records import RECORDS, Body
from .list_rules import OFFSETS, ListRules, Rules
from .response import Incoming, Response
from .routes import Call
from .tasks import Task, TaskStore

LIST_APIS = ("list", "jobs_list", "kafka_list")
KEPT = timedelta(days=30)  # longer ago no list looks


class Refused(Exception):
    """A parameter is wrong."""


def offset_time(text: str) -> datetime:
    """2026-11-20T08:00:00+0800."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


def milliseconds(text: str) -> datetime:
    """1795161600000."""
    return datetime.fromtimestamp(int(text) / 1000, timezone.utc)


def digits(text: str) -> datetime:
    """20261120080000, in UTC."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)


def zulu(text: str) -> datetime:
    """2026-11-20T08:00:00Z; ELB's page leaves the Z out."""
    return datetime.strptime(text.rstrip("Z"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def task_id(task: Task, record: Body) -> str:
    """Of the filter for an id."""
    return task.id


def instance_id(task: Task, record: Body) -> str:
    """Of the filter for an instance or a resource."""
    return task.instance_id


def key(name: str) -> Callable[[Task, Body], Any]:
    """Of a filter for what stands under a key of the record."""
    return lambda task, record: record.get(name)


def no_extra(page: Page) -> Body:
    """Nothing beside records and total."""
    return {}


@dataclass(frozen=True)
class ListApi:
    """One list, as its page has it."""

    key: str
    total: str
    read_time: Callable[[str], datetime]
    limits: Container[int]
    limit: int
    filters: Mapping[str, Callable[[Task, Body], Any]]
    permission: str
    times: tuple[str, str] = ("start_time", "end_time")
    window: str = "optional"  # or "required", or "both" where one time needs the other
    offset: str = "record_from_0"
    parameter: str = "offset"
    total_type: str = "number"
    shape: str = "service"
    code: str = "DBS.280001"
    extra: Callable[[Page], Body] = field(default=no_extra)


@dataclass
class Page:
    """One response in the making; `found` are the tasks that the filters leave, `shown` those of the page."""

    found: list[Task]
    limit: int
    skip: int = 0

    @property
    def shown(self) -> list[Task]:
        """The tasks of this page."""
        return self.found[self.skip : self.skip + self.limit]


def names(page: Page) -> list[str]:
    """The kinds of the tasks found."""
    return sorted({task.name for task in page.found})


def markers(page: Page) -> Body:
    """ELB: where the pages before and behind this one are."""
    ids = [task.id for task in page.shown]
    info: Body = {"current_count": len(ids)}
    if ids and page.skip:
        info["previous_marker"] = ids[0]
    if ids and page.skip + len(ids) < len(page.found):
        info["next_marker"] = ids[-1]
    return {"request_id": uuid.uuid4().hex, "page_info": info}


# Of several lists no page seen names the permission or the code of a wrong parameter: they are made up, and marked so.
DMS = ListApi(
    "tasks",
    "task_count",
    digits,
    range(1, 101),
    10,
    {},
    "dms:instance:getBackgroundTask",
    times=("begin_time", "end_time"),
    offset="record_from_1",
    parameter="start",
    total_type="string",
    code="DMS.00400002",
)  # made up
LISTS = {
    "taurusdb": ListApi(
        "jobs",
        "total_count",
        offset_time,
        (10, 20, 50),
        10,
        {"status": key("status"), "job_name": key("job_name"), "job_id": task_id},
        "gaussdbformysql:task:list",
        offset="record_from_1",
        extra=lambda page: {"action_names": names(page)},
    ),
    "dds": ListApi(
        "jobs",
        "total_count",
        offset_time,
        range(1, 101),
        100,
        {"status": key("status"), "id": task_id, "name": key("name")},
        "dds:task:listAll",
        window="required",
        total_type="missing",
    ),
    "kafka": DMS,
    "rabbitmq": DMS,
    "rocketmq": DMS,
    "rds": ListApi(
        "tasks",
        "total_count",
        milliseconds,
        range(1, 51),
        10,
        {
            "id": task_id,
            "instance_id": instance_id,
            "order_id": key("order_id"),
            "name": key("name"),
            "status": key("status"),
        },
        "rds:task:listAll",
        window="both",
        extra=lambda page: {"actions": names(page)},
    ),
    "gaussdb": ListApi(
        "tasks",
        "total_count",
        milliseconds,
        range(1, 101),
        100,
        {"status": key("status"), "name": key("name")},
        "gaussdb:task:list",
    ),  # made up
    "geminidb": ListApi(
        "jobs",
        "total_count",
        offset_time,
        (10, 20, 50),
        50,
        {"id": task_id, "status": key("status"), "name": key("name")},
        "gaussdbfornosql:task:list",
    ),
    "ddm": ListApi(
        "jobs",
        "total",
        milliseconds,
        range(1, 129),
        10,
        {},
        "ddm:task:list",  # made up
        window="required",
        shape="ddm",
        extra=lambda page: {"offset": page.skip, "limit": page.limit},
    ),
    "elb": ListApi(
        "jobs",
        "",
        zulu,
        range(2001),
        2000,
        {
            "job_id": task_id,
            "job_type": key("job_type"),
            "status": key("status"),
            "error_code": key("error_code"),
            "resource_id": instance_id,
        },
        "elb:jobs:list",  # made up, as is the code
        times=("begin_time", ""),
        total_type="missing",
        code="ELB.8902",
        extra=markers,
    ),
    "cbr": ListApi(
        "operation_logs",
        "count",
        zulu,
        range(1, 1001),
        1000,
        {
            "status": key("status"),
            "operation_type": key("operation_type"),
            "resource_id": instance_id,
            "resource_name": lambda task, record: task.instance_name,
            "vault_id": key("vault_id"),
            "vault_name": key("vault_name"),
            "provider_id": key("provider_id"),
        },
        "cbr:tasks:list",  # made up, as is the code
        code="BackupService.0002",
        extra=lambda page: {"offset": page.skip, "limit": page.limit},
    ),
}
WITH_RESTORES = {"taurusdb": ("taurusdb", "taurusdb_restore")}


def raw_values(query_string: str) -> dict[str, str]:
    """The query in the encoding of the wire."""
    return {name: value for name, dummy, value in (part.partition("=") for part in query_string.split("&"))}


def read_window(api: ListApi, incoming: Incoming, now: datetime) -> tuple[datetime, datetime]:
    """The times asked for; a plus sign that is not encoded is a blank, and so no time."""
    given = [incoming.query.get(name) for name in api.times]
    if api.window == "required" and None in given or api.window == "both" and (given[0] is None) != (given[1] is None):
        raise Refused
    raw = raw_values(incoming.query_string)
    if any("+" in raw.get(name, "") for name in api.times):
        raise Refused
    since, until = (api.read_time(text) if text is not None else None for text in given)
    if since and until and not timedelta(0) <= until - since <= KEPT:
        raise Refused
    return since or now - KEPT, until or now + timedelta(days=1)


def read_number(query: Mapping[str, str], name: str, default: int) -> int:
    """A number of the query."""
    return int(query.get(name, default))


def first_record(api: ListApi, rules: Rules, query: Mapping[str, str], limit: int) -> int:
    """How many records come before the page; a parameter by another name counts for nothing."""
    meaning = api.offset if rules.offset == "documented" else rules.offset
    name = rules.parameter if api.parameter == "start" else api.parameter
    if name not in query:
        return 0
    skip: int = OFFSETS[meaning](int(query[name]), limit)
    if skip < 0:
        raise Refused
    return skip


def turn(page: Page, query: Mapping[str, str]) -> None:
    """ELB: the page behind, or with page_reverse the one before, the record that the marker names."""
    marker = query.get("marker")
    if marker is None:
        return
    place = [task.id for task in page.found].index(marker)
    back = query.get("page_reverse") == "true"
    page.skip = max(0, place - page.limit) if back else place + 1
    page.limit = min(page.limit, place) if back else page.limit


def typed_total(api: ListApi, rules: Rules, count: int) -> Body:
    """The total; the lists of several services are known to be wrong about it."""
    kind = api.total_type if rules.total == "documented" else rules.total
    values = {"null": None, "string": str(count), "number": count, "wrong": count // 2}
    return {api.total or "total_count": values[kind]} if kind in values else {}


def record_of(service: str, task: Task, at: float) -> Body:
    """The record of a task."""
    return RECORDS[service](task, at) | task.listed


def passes(service: str, task: Task, query: Mapping[str, str], at: float) -> bool:
    """Whether the filters leave a task; a record is made only where one is asked for."""
    asked = {name: get for name, get in LISTS[service].filters.items() if name in query}
    record = record_of(service, task, at) if asked else {}
    return all(get(task, record) == query[name] for name, get in asked.items())


class Lists:
    """Responds for all lists."""

    def __init__(self, store: TaskStore, rules: ListRules) -> None:
        self._store = store
        self._rules = rules

    def respond(self, incoming: Incoming, call: Call, now: float) -> Response:
        """A page of the list, or what is wrong with the request."""
        service = self._service(call)
        api, rules = LISTS[service], self._rules.of(service)
        if rules.refused:
            return refused(call, api)
        if api.parameter == "start" and not self._store.knows_instance(service, call.project_id, call.instance_id):
            return errors.unknown_kafka_instance()
        try:
            page = self._page(service, incoming, call, now - rules.lag)
        except (Refused, ValueError, OverflowError):
            return errors.error(api.shape, 400, api.code, "Parameter error.")
        records = [
            {name: value for name, value in record_of(service, task, now - rules.lag).items() if name not in rules.omit}
            for task in page.shown
        ]
        body = {api.key: records, **typed_total(api, rules, len(page.found)), **api.extra(page)}
        if self._rules.another_arrives(service):
            instance = {"instance_id": call.instance_id} if call.instance_id else {}
            self._store.create({"service": service, "project_id": call.project_id, **instance}, now)
        return Response(200, body)

    def _service(self, call: Call) -> str:
        """The service of a list; at the root the three of DMS share a path, and an instance belongs to one of them."""
        for service in call.services:
            if self._store.knows_instance(service, call.project_id, call.instance_id):
                return service
        return call.services[0]

    def _tasks(self, service: str, call: Call, at: float, rules: Rules) -> list[Task]:
        """Every task of the list, in the order of the list."""
        tasks = [
            task
            for task in self._store.visible(WITH_RESTORES.get(service, (service,)), call.project_id, at)
            if call.instance_id in ("", task.instance_id) and task.id not in rules.hidden and task.job is not False
        ]
        tasks.sort(key=lambda task: task.created_at, reverse=rules.order == "newest")
        return tasks

    def _page(self, service: str, incoming: Incoming, call: Call, at: float) -> Page:
        """The page asked for, of the list as it was at a moment."""
        api, rules, query = LISTS[service], self._rules.of(service), incoming.query
        since, until = read_window(api, incoming, datetime.now(timezone.utc))
        limit = read_number(query, "limit", api.limit)
        if limit not in api.limits:
            raise Refused
        since = since.replace(microsecond=0)
        found = [
            task
            for task in self._tasks(service, call, at, rules)
            if since <= task.created_at.replace(microsecond=0) <= until and passes(service, task, query, at)
        ]
        page = Page(found[: rules.most], limit, first_record(api, rules, query, limit))
        if service == "elb":
            turn(page, query)
        return page


def refused(call: Call, api: ListApi) -> Response:
    """The caller may ask for a task by its id, but not for the list."""
    response = gate.forbidden(call.api)
    response.body["error_msg"] = f"Policy doesn't allow {api.permission} to be performed."
    return response
