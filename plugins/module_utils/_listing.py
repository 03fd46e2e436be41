# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds tasks in a service's list, by what the API can filter and by what is filtered here.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import itertools
import typing as t

from ._lists import MARKER, RECORD, TaskList
from ._paging import PageReader, Record
from ._parsing import UnreadableResponseError, read_task
from ._services import Service
from ._task import Task, TaskRef, read_text, seconds_since_1970

# The tasks of one page after the other; whoever takes a page sends its request.
TaskPages = t.Iterator[list[Task]]
# Sends a list's request with these query parameters, and returns the decoded body, or SEND_AGAIN.
SendList = t.Callable[[t.Sequence[tuple[str, str]]], t.Any]
# No JSON is decoded to this: not None, which is JSON's null.
SEND_AGAIN = object()


class Wanted(t.NamedTuple):
    """Which tasks to find. ``states`` empty: all; ``since`` is in seconds since 1970; ``limit``: at most so many."""

    instance_id: str | None = None
    states: frozenset[str] = frozenset()
    since: float | None = None
    limit: int = 1000


class Found(t.NamedTuple):
    """The tasks found; ``is_complete`` is false where there may be more."""

    tasks: list[Task]
    is_complete: bool


def find_tasks(service: Service, task_list: TaskList, wanted: Wanted, *, send: SendList, now: float) -> Found:
    """Read a list until its end, or until as many tasks are found as are wanted.

    :raises ApiError: a page was refused
    :raises UnreadableResponseError: a page has another shape
    """
    reader = _reader(service, task_list, send, _query(task_list, wanted, now))
    tasks: list[Task] = []
    for task in itertools.chain.from_iterable(_pages(service, task_list, reader)):
        if not _is_wanted(task, wanted):
            continue
        if len(tasks) == wanted.limit:
            return Found(tasks, is_complete=False)
        tasks.append(task)
    return Found(tasks, reader.is_complete)


def task_pages(
    service: Service, task_list: TaskList, *, instance_id: str | None, send: SendList, now: float
) -> TaskPages:
    """Read a list page by page; each page is one request, and has the tasks that no page before it had.

    :raises ApiError: a page was refused
    :raises UnreadableResponseError: a page has another shape
    """
    wanted = Wanted(instance_id)
    return _pages(service, task_list, _reader(service, task_list, send, _query(task_list, wanted, now)))


def _reader(service: Service, task_list: TaskList, send: SendList, query: t.Sequence[tuple[str, str]]) -> PageReader:
    key = task_list.fields.get("id") or service.fields["id"]
    return PageReader(
        lambda position: _page(task_list, send, query, position), lambda record: read_text(record.get(key))
    )


def _pages(service: Service, task_list: TaskList, reader: PageReader) -> TaskPages:
    row = service._replace(root="", fields={**service.fields, **task_list.fields})
    ways = {MARKER: reader.by_marker, RECORD: reader.by_record}
    for page in ways.get(task_list.paging, reader.by_offset)():
        yield [read_task(row, TaskRef(service.name), record) for record in page]


def _query(task_list: TaskList, wanted: Wanted, now: float) -> list[tuple[str, str]]:
    query = [("limit", str(task_list.page_size)), *task_list.span(wanted.since, now)]
    if task_list.instance_key and wanted.instance_id:
        query.append((task_list.instance_key, wanted.instance_id))
    return query


def _page(
    task_list: TaskList, send: SendList, query: t.Sequence[tuple[str, str]], position: int | str | None
) -> list[Record] | None:
    if position is not None:
        query = [*query, (task_list.offset_key, str(position))]
    body = send(query)
    if body is SEND_AGAIN:
        return None
    records = body.get(task_list.root) if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UnreadableResponseError(f"the response has no list '{task_list.root}' of objects")
    return records


def _is_wanted(task: Task, wanted: Wanted) -> bool:
    if wanted.states and task.state not in wanted.states:
        return False
    # A record that does not say which instance it is about may be about this one.
    if wanted.instance_id and task.instance_id not in (None, wanted.instance_id):
        return False
    created = seconds_since_1970(task.created_at)
    return wanted.since is None or created is None or created >= wanted.since
