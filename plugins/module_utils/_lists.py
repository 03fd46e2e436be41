# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of tasks that services have: where each is, what it can filter by, and what its records lack.

Paths, parameters and keys are those of the vendor's SDK 3.1.219. A service that is not here has no list of its tasks.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import time
import types
import typing as t

from ._errors import InputError

# How a list's offset counts: unknown or disputed, known to be a record's number, or the id of the page's last record.
OFFSET, RECORD, MARKER = "offset", "record", "marker"

ISO_8601, MILLISECONDS, DIGITS = "%Y-%m-%dT%H:%M:%S+0000", "ms", "%Y%m%d%H%M%S"

DAY = 86400.0
# The longest span of the lists that demand one (DDS, GeminiDB, DDM), and how long tasks are kept.
LONGEST_SPAN = 30 * DAY
# The span ends this much after this host's clock, which may be slow.
CLOCK_TOLERANCE = 3600.0


class TaskList(t.NamedTuple):
    """One service's list.

    ``fields`` are where a record differs from the response by id; ``instance_key`` is the parameter that chooses an
    instance, empty where the records are filtered here. ``needs_span``: both times are mandatory.
    ``is_enough``: a record says of a running task what the response by id says, but perhaps its details.
    """

    path: str
    root: str
    page_size: int
    fields: t.Mapping[str, str] = types.MappingProxyType({})
    paging: str = OFFSET
    offset_key: str = "offset"
    instance_key: str = ""
    start_key: str = "start_time"
    end_key: str = "end_time"
    time_format: str = ISO_8601
    needs_span: bool = False
    is_enough: bool = True
    permission: str = ""

    @property
    def permission_hint(self) -> str:
        """What to do where the list is refused."""
        needed = f": {self.permission}" if self.permission else ", which may differ from the permission to read a task"
        return f"These credentials lack the permission to list tasks{needed}."

    def span(self, since: float | None, now: float) -> list[tuple[str, str]]:
        """Return the query parameters that choose tasks by their time; both are in seconds since 1970.

        A list that demands no span is sent none that is longer than any source allows: it is filtered here.
        """
        end = now + CLOCK_TOLERANCE
        earliest = end - LONGEST_SPAN
        if not self.needs_span and (since is None or since < earliest):
            return []
        start = max(since or 0.0, earliest)
        times = [(self.start_key, start), (self.end_key, end)]
        return [(key, self._time(moment)) for key, moment in times if key]

    def _time(self, moment: float) -> str:
        if self.time_format == MILLISECONDS:
            return str(int(moment * 1000))
        return time.strftime(self.time_format, time.gmtime(moment))


_DMS_TASKS = TaskList(
    path="/v2/{project_id}/instances/{instance_id}/tasks",
    root="tasks",
    page_size=100,
    # Newer pages call it offset; the SDK, Terraform and the pages' own examples send start, counted from 1.
    offset_key="start",
    start_key="begin_time",
    time_format=DIGITS,
    permission="dms:instance:getBackgroundTask",
)

LISTS: dict[str, TaskList] = {
    # TaurusDB: ListImmediateJobs. Its offset is the first record in the page's words, a page's number for Terraform.
    "taurusdb": TaskList(
        path="/v3/{project_id}/immediate-jobs",
        root="jobs",
        page_size=50,
        fields={
            "id": "job_id",
            "name": "job_name",
            "instance_id": "instance_id",
            "instance_name": "instance_name",
            "created_at": "created_time",
            "ended_at": "ended_time",
        },
        permission="gaussdbformysql:task:list",
    ),
    # DDS: ListTasks
    "dds": TaskList(
        path="/v3.1/{project_id}/jobs",
        root="jobs",
        page_size=100,
        fields={
            "instance_id": "instance_id",
            "instance_name": "instance_name",
            "created_at": "created_at",
            "ended_at": "ended_at",
        },
        paging=RECORD,
        needs_span=True,
        permission="dds:task:list or dds:task:listAll",
    ),
    "kafka": _DMS_TASKS,
    "rabbitmq": _DMS_TASKS,
    "rocketmq": _DMS_TASKS,
    # RDS: ListTasks. Its end_time is a planned one, so no time of an end is read.
    "rds": TaskList(
        path="/v3/{project_id}/tasklist",
        root="tasks",
        page_size=50,
        fields={
            "instance_id": "instance_id",
            "instance_name": "instance_name",
            "created_at": "create_time",
            "ended_at": "",
        },
        paging=RECORD,
        instance_key="instance_id",
        time_format=MILLISECONDS,
        permission="rds:task:listAll",
    ),
    # GaussDB: ListTasks. The page's table, its example and Terraform count the offset in three ways.
    "gaussdb": TaskList(
        path="/v3/{project_id}/tasks",
        root="tasks",
        page_size=100,
        fields={
            "id": "job_id",
            "instance_id": "instance_info.instance_id",
            "instance_name": "instance_info.instance_name",
            "created_at": "created_at",
            "ended_at": "ended_at",
            "progress": "process",
        },
        time_format=MILLISECONDS,
        is_enough=False,
    ),
    # GeminiDB: ListJobs, the same call as by id
    "geminidb": TaskList(
        path="/v3/{project_id}/jobs",
        root="jobs",
        page_size=50,
        paging=RECORD,
        permission="gaussdbfornosql:task:list",
    ),
    # DDM: ListJobs. Its records have more status words than the response by id.
    "ddm": TaskList(
        path="/v3/{project_id}/jobs",
        root="jobs",
        page_size=128,
        fields={
            "instance_id": "instance_id",
            "instance_name": "instance_name",
            "fail_reason": "fail_reason",
        },
        paging=RECORD,
        time_format=MILLISECONDS,
        needs_span=True,
        is_enough=False,
    ),
    # ELB: ListJobs
    "elb": TaskList(
        path="/v3/{project_id}/elb/jobs",
        root="jobs",
        page_size=2000,
        paging=MARKER,
        offset_key="marker",
        instance_key="resource_id",
        start_key="begin_time",
        end_key="",
        time_format="%Y-%m-%dT%H:%M:%S",
    ),
    # CBR: ListOpLogs. The offset's least value is 1 in the table, its default 0.
    "cbr": TaskList(
        path="/v3/{project_id}/operation-logs",
        root="operation_logs",
        page_size=1000,
        instance_key="resource_id",
        time_format="%Y-%m-%dT%H:%M:%SZ",
    ),
}


def list_of(service: str, instance_id: str | None) -> TaskList:
    """Return a service's list.

    :raises InputError: the service has none, or needs the instance
    """
    task_list = LISTS.get(service)
    if task_list is None:
        raise InputError(
            f"{service} has no list of tasks: name tasks by task_id. "
            f"Services that have a list: {', '.join(sorted(LISTS))}."
        )
    if "{instance_id}" in task_list.path and not instance_id:
        raise InputError(f"The list of {service} is one of an instance: set instance_id.")
    return task_list
