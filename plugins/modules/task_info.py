#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: task_info
short_description: Query tasks of any service on Huawei Cloud
version_added: 1.0.0
description:
  - Queries one asynchronous task, or many of any mix of services at the same time.
  - Without O(task_id) and O(tasks) it lists the tasks of a service, where the service has a list of them (C(cbr), C(dds),
    C(ddm), C(elb), C(gaussdb), C(geminidb), C(kafka), C(rabbitmq), C(rds), C(rocketmq) and C(taurusdb)).
  - O(service) and O(task_id) name one task, O(tasks) names several. Some services need O(instance_id) or O(task_name), too.
  - O(instance_id), O(states), O(since) and O(limit) choose among the tasks of a list. O(task_name) cannot, and is an error
    there.
  - All other options are about connection and credentials, and are best set in the environment or in C(module_defaults).
  - An id that the API does not know is no failure. It has the state V(unknown), and an C(error) of the kind
    V(not_found). After any other error the module fails, and RV(tasks) still holds the tasks that could be read by id.
  - To wait until tasks have finished, use M(huaweicloud.tasks.wait_for_task).
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._task
  - huaweicloud.tasks._attributes
  - huaweicloud.tasks._attributes.info_module
options:
  service:
    description:
      - Service of the one task, or of the tasks to list. To name several tasks, use O(tasks) instead; one of the two is
        needed.
      - V(custom) is any other API, which O(api) describes.
  task_id:
    description:
      - Id of the one task. It consists of letters, digits, V(-) and V(_).
      - Without it the tasks of O(service) are listed, except for V(taurusdb_restore) and V(custom), which have no list.
      - V(taurusdb_restore) takes it together with O(task_name) only. Without them the API itself chooses a restore of
        the instance. Just after a restore was started, that may be the previous one, whose success would be mistaken
        for that of the new one. So give both wherever you have them.
  instance_id:
    description:
      - Id of the instance that the task works on. Needed for V(kafka), V(rabbitmq), V(rocketmq),
        V(taurusdb_restore) and V(cse), whose instance is the engine.
      - Of a list, only the tasks of this instance are returned.
  states:
    description:
      - List tasks in these states only.
      - The module filters by state, not the API, so that a task that changes while pages are read is not missed.
    type: list
    elements: str
    choices: [pending, running, succeeded, failed, canceled, needs_action, unknown]
  since:
    description:
      - List tasks that were created since then only. This is a number of seconds before now, or an ISO 8601 time such as
        V(2026-11-20T08:00:00+0800). A time without a zone is UTC.
      - C(dds) and C(ddm) list the tasks of the last 30 days at most.
    type: str
  limit:
    description: Largest number of tasks to return from a list. RV(complete) is false where there are more.
    type: int
    default: 1000
seealso:
  - module: huaweicloud.tasks.wait_for_task
  - ref: ansible_collections.huaweicloud.tasks.docsite.guide_waiting
    description: How to wait until an instance is idle.
  - ref: ansible_collections.huaweicloud.tasks.docsite.guide_ids
    description: Which operation of which service returns an id, and under which key.
"""

EXAMPLES = r"""
---
- name: Query the creation of an ECS server
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: ecs
    task_id: 2c9f8ff4-6f2b-4c0e-9c1e-0d2a6b1f7e10
  register: creation

- name: Show the servers that it created
  ansible.builtin.debug:
    msg: "{{ creation.task.details.entities }}"

- name: Query tasks of several services at once
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    tasks:
      - service: rds
        task_id: 31b8ae23-c687-4d80-b7b4-42a66c9bb886
      - service: cce
        task_id: 354331b2-c2e6-11ea-9be4-0255ac1000c3
      - service: kafka
        instance_id: 6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51
        task_id: 8abfa7b272adc5b40172b73130065ae7
  register: result

- name: Show those that have not finished
  ansible.builtin.debug:
    msg: "{{ result.pending }}"

- name: Find the unfinished tasks of an instance
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: taurusdb
    instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
    since: 86400
  register: found

- name: Wait until the instance is idle
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    tasks: "{{ found.pending }}"

- name: Find the failed tasks of a project that were created in the last week
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: rds
    states: [failed, canceled]
    since: 604800
  register: failed

- name: Query an API that the collection does not know
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: custom
    task_id: bae51750-0089-41a1-9b18-5c777978ff6d
    api:
      product: ecs
      path: /v1/{project_id}/cloudservers/{task_id}
      record: server
      fields:
        id: id
        name: name
        status: status
      succeeded: [ACTIVE]
      failed: [ERROR]
      running: [BUILD]
"""

RETURN = r"""
tasks:
  description: Every task, in the order given or as the list has them.
  returned: always
  type: list
  elements: dict
  contains:
    service:
      description: Service of the task.
      type: str
    id:
      description: Id of the task.
      type: str
    name:
      description: Name of the task, which says what it does.
      type: str
    instance_id:
      description: Id of the instance that the task works on, where the API gives it.
      type: str
    instance_name:
      description: Name of the instance, where the API gives it.
      type: str
    status:
      description: Status of the task, in the API's own word. Null where the API gave none.
      type: str
    state:
      description:
        - What the status means, in one vocabulary for all services. Only V(succeeded) is success.
        - V(failed) includes a task with a failed step that the API calls finished.
        - V(needs_action) means that a human must act in the console, such as approve the task or pay the order.
        - V(unknown) means that the status is a word which this collection does not know, or that the API does not know
          the task. It never counts as success.
      type: str
      choices: [pending, running, succeeded, failed, canceled, needs_action, unknown]
    progress:
      description: Progress from 0 to 100. The mean of the steps where only they have one. Null where the API gives none.
      type: int
    remaining_seconds:
      description: Seconds until the step in hand is done, as the API estimates it. Null where it gives none.
      type: int
    created_at:
      description: When the task was created, as the API gives it. Milliseconds since 1970 become ISO 8601.
      type: str
    ended_at:
      description:
        - When the task ended, as the API gives it. Milliseconds since 1970 become ISO 8601.
        - Some APIs fill it while the task is still running.
      type: str
    fail_reason:
      description: Why the task failed, as the API gives it.
      type: str
    error_code:
      description: The task's own error code, as the API gives it. Null where it gives none.
      type: str
    sub_tasks:
      description: Steps of the task. Empty where the API has none.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the step.
          type: str
        status:
          description: Status of the step, in the API's own word.
          type: str
        state:
          description: What the status means, as for the task.
          type: str
        progress:
          description: Progress of the step from 0 to 100, or null.
          type: int
        remaining_seconds:
          description: Seconds until the step is done, or null.
          type: int
    details:
      description: What only this API gives, under the API's own keys. A value of more than some 500,000 characters is null.
      type: dict
    error:
      description: Why this task could not be read, with the keys of RV(failure). Null where it could.
      type: dict
  sample:
    - service: ecs
      id: 2c9f8ff4-6f2b-4c0e-9c1e-0d2a6b1f7e10
      name: createServer
      instance_id: null
      instance_name: null
      status: SUCCESS
      state: succeeded
      progress: null
      remaining_seconds: null
      created_at: "2026-11-20T08:01:02.123Z"
      ended_at: "2026-11-20T08:03:40.456Z"
      fail_reason: null
      error_code: null
      sub_tasks:
        - name: createSingleServer
          status: SUCCESS
          state: succeeded
          progress: null
          remaining_seconds: null
      details:
        entities:
          sub_jobs_total: 1
      error: null
task:
  description: The only task, where one was given by O(service). Null where O(tasks) was given, and for a list.
  returned: always
  type: dict
pending:
  description:
    - The tasks that are not known to have finished, in the form of O(tasks), ready to be passed in again. This includes
      those that the API does not know or that could not be read.
  returned: always
  type: list
  elements: dict
  sample: []
complete:
  description: Whether these are all the tasks of a list. False where O(limit) cut it short, and where it could not be read.
  returned: always
  type: bool
  sample: true
failure:
  description:
    - What went wrong with the first request that failed for another reason than an unknown id.
    - Null where none did, and where no request was sent because of a mistake in the options.
  returned: always
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      choices: [not_found, unauthorized, api_error, connection]
    code:
      description: The API's error code, or null.
      type: str
    message:
      description: The API's message, or what happened to the connection.
      type: str
    http_status:
      description: The HTTP status, or null where there was no response.
      type: int
    request_id:
      description: The id of the request, for the cloud's support, or null.
      type: str
"""

import contextlib
import os
import time
import typing as t

from ..module_utils._argspec import LIST_OPTIONS, TASK_RULES, refs_of, task_info_arguments
from ..module_utils._client import TaskClient, new_task_client
from ..module_utils._custom import CUSTOM
from ..module_utils._errors import ApiError, InputError, TasksError
from ..module_utils._listing import Wanted
from ..module_utils._policy import Policy
from ..module_utils._query_module import TasksModule
from ..module_utils._result import entry_of, pending, unknown_status_warnings
from ..module_utils._services import SERVICES
from ..module_utils._task import TaskRef, seconds_since_1970
from ..module_utils._task_watch import Observation, TaskWatch


def is_list(params: t.Mapping[str, t.Any]) -> bool:
    """Say whether tasks are to be found: none is named, and the service cannot tell which one is meant."""
    if params["tasks"] is not None or params["task_id"] or params["service"] in (None, CUSTOM):
        return False
    return "task_id" in SERVICES[params["service"]].required


def watch_of(ref: TaskRef, observation: Observation) -> TaskWatch:
    watch = TaskWatch(ref)
    watch.update(observation, 0.0, Policy())
    return watch


def query(params: t.Mapping[str, t.Any], client: TaskClient) -> list[TaskWatch]:
    """Get tasks by id.

    :raises InputError: an option is missing, or makes no sense with the others
    """
    given = [option for option in LIST_OPTIONS if params[option] not in (None, [], LIST_OPTIONS[option].get("default"))]
    if given:
        raise InputError(f"{' and '.join(given)} can only choose among listed tasks: leave out task_id and tasks.")
    refs = refs_of(params)
    client.check(refs)
    return [watch_of(ref, observation) for ref, observation in zip(refs, client.query_tasks(refs))]


def find(params: t.Mapping[str, t.Any], client: TaskClient, now: float) -> dict[str, t.Any]:
    """Find tasks in the list of a service. ``now`` is in seconds since 1970.

    :raises InputError: an option makes no sense, or the service has no list
    :raises ApiError: a page was refused, or there was no usable response
    """
    if params["limit"] < 1:
        raise InputError("limit must be at least 1.")
    (ref,) = refs_of(params)
    if params["instance_id"] == "":
        raise InputError("instance_id is empty. To list the tasks of a whole project, leave it out.")
    if ref.task_name:
        raise InputError("task_name cannot choose among listed tasks: leave it out, or set task_id.")
    since = read_since(params["since"], now)
    wanted = Wanted(ref.instance_id, frozenset(params["states"] or ()), since, params["limit"])
    found = client.list_tasks(ref, wanted, now)
    instance_id = ref.instance_id if "instance_id" in SERVICES[ref.service].required else None
    watches = [watch_of(TaskRef(ref.service, task.id, instance_id), task) for task in found.tasks if task.id]
    return {**result_of(watches, single=False), "complete": found.is_complete}


def read_since(value: str | None, now: float) -> float | None:
    """Return the moment that the option since names, in seconds since 1970.

    :raises InputError: it is neither a number of seconds nor a time
    """
    if not value:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(value)
        if not 0 <= seconds < now:
            raise InputError("since must be a number of seconds before now, such as 86400, or an ISO 8601 time.")
        return now - seconds
    moment = seconds_since_1970(value)
    if moment is None:
        raise InputError(f"since is neither a number of seconds nor an ISO 8601 time: {value}")
    return moment


def result_of(watches: t.Sequence[TaskWatch], *, single: bool) -> dict[str, t.Any]:
    entries = [entry_of(watch) for watch in watches]
    errors = [watch.error for watch in watches if watch.error and watch.error.kind != "not_found"]
    return {
        "tasks": entries,
        "task": entries[0] if single and entries else None,
        "pending": pending(watches),
        "complete": True,
        "failure": errors[0].to_failure() if errors else None,
        **({"msg": message(errors, len(watches))} if errors else {}),
    }


def message(errors: t.Sequence[ApiError], total: int) -> str:
    if len(errors) == 1:
        return str(errors[0])
    return f"{len(errors)} of {total} tasks could not be read. The first: {errors[0]}"


def run(params: t.Mapping[str, t.Any], client: TaskClient, warn: t.Callable[[str], None]) -> dict[str, t.Any]:
    if is_list(params):
        return find(params, client, time.time())
    watches = query(params, client)
    for warning in unknown_status_warnings(watches):
        warn(warning)
    return result_of(watches, single=params["tasks"] is None)


def main() -> None:
    module = TasksModule(argument_spec=task_info_arguments(), supports_check_mode=True, **TASK_RULES)
    try:
        client = new_task_client(module.params, os.environ, module.no_log_values.add)
        result = run(module.params, client, module.warn)
    except TasksError as error:
        module.fail_json(**{**result_of([], single=False), "complete": False, **error.to_result()})
    leave = module.fail_json if result["failure"] else module.exit_json
    leave(**result)


if __name__ == "__main__":
    main()
