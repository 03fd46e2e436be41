#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wait_for_task
short_description: Wait until tasks on Huawei Cloud have finished
version_added: 1.0.0
description:
  - Waits until one or many asynchronous tasks have finished, and reports how they ended.
  - It succeeds only when every required task has ended in a status that is known to mean success. It fails on timeout.
  - All tasks are polled at the same time, and share one O(timeout).
  - It survives dropped connections and server errors for O(error_grace) seconds, and rate limits until O(timeout).
  - It never starts, changes or cancels a task.
  - O(service) and O(task_id) name one task, O(tasks) names several. Some services need O(instance_id) or O(task_name), too.
  - O(require) and O(fail_fast) say what counts as success, and O(timeout) and O(stall_timeout) how long to wait for it.
  - O(not_found_grace), O(error_grace) and O(request_timeout) say how much trouble is tolerated, and O(delay), O(sleep) and
    O(max_sleep) how often to poll.
  - All other options are about connection and credentials, and are best set in the environment or in C(module_defaults).
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._task
  - huaweicloud.tasks._attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode the tasks are polled once. A task that has not finished is no failure then.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state.
  action:
    description: An action plugin of the same name does a part of the work on the controller.
    support: full
    details:
      - The action plugin shows live progress, and ends the wait when Ansible is ended.
      - On a C(local) connection the module runs once for the whole wait. On another host each poll is one run of the
        module, so that a dropped connection costs one poll, and logs in anew if it logs in with a password.
  async:
    description: Supports being used with the C(async) keyword.
    support: full
    details:
      - With C(async) the module waits by itself and no progress is shown.
options:
  require:
    description:
      - V(all) means that every task must succeed.
      - V(any) means that one success is enough. The wait fails when none of the tasks can succeed any more.
    type: str
    choices: [all, any]
    default: all
  fail_fast:
    description:
      - Whether the first failed task ends the wait.
      - With V(false) it waits for the others first, and then fails. Meanwhile it keeps polling a task that waits for
        approval in the console, since that may be approved.
      - With O(require=any) a failed task never ends the wait as long as another may succeed.
    type: bool
    default: true
  timeout:
    description:
      - Seconds for the whole wait. With V(0) it polls once.
      - The last poll begins at the timeout at the latest, and may take O(request_timeout) longer.
    type: float
    default: 3600.0
  delay:
    description:
      - Seconds before the first poll.
    type: float
    default: 0.0
  sleep:
    description:
      - Seconds between polls of a task, at first and again after every change.
      - They count from the beginning of one poll to the beginning of the next. After a slow poll the pause is at least
        half of O(sleep).
      - Polls are never more frequent than this, except for the last one at O(timeout). They are less frequent where the API
        limits the rate of requests.
    type: float
    default: 5.0
  max_sleep:
    description:
      - Longest time between polls of a task, in seconds. The time grows from O(sleep) to this while nothing changes.
        A value below O(sleep) counts as O(sleep).
      - Pauses are up to a tenth longer, so that many plays do not poll at the same moment.
    type: float
    default: 30.0
  stall_timeout:
    description:
      - Fail when no task's status or progress has changed for this many seconds. By default there is no such limit.
    type: float
  not_found_grace:
    description:
      - Seconds for which an id may be unknown to the API.
      - New ids become visible only some seconds after they are issued.
    type: float
    default: 60.0
  error_grace:
    description:
      - Seconds of nothing but errors for a task, after which the wait fails. Errors are a lost network, server errors, and
        responses that are not the API's. Every good response restarts the count. Throttling does not count.
    type: float
    default: 300.0
  progress:
    description:
      - Whether to show live progress. It goes to the standard error stream of the controller, and is not shown with
        C(no_log).
    type: bool
    default: true
seealso:
  - module: huaweicloud.tasks.task_info
  - ref: ansible_collections.huaweicloud.tasks.docsite.guide_waiting
    description: How to choose timeouts, resume a wait and live with request limits, and what each failure asks for.
  - ref: ansible_collections.huaweicloud.tasks.docsite.guide_ids
    description: Which operation of which service returns an id, and under which key.
"""

EXAMPLES = r"""
---
- name: Wait for one task
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: dds
    task_id: 9d10bfd1-affb-49c3-b977-298950a8d6fa

- name: Wait up to two hours for a restore and a Kafka task, and fail as soon as one of them fails
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    tasks:
      - service: taurusdb_restore
        instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
        task_id: 866b2273-f5ce-44bd-bc10-949baeb22163
        task_name: RestoreTaurusInInstanceToExisted
      - service: kafka
        instance_id: 6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51
        task_id: 8abfa7b272adc5b40172b73130065ae7
    timeout: 7200
  register: result

- name: Find the unfinished tasks of an instance
  huaweicloud.tasks.task_info:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: taurusdb
    instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
  register: found

- name: Wait until the instance is idle
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    tasks: "{{ found.pending }}"

- name: Wait in portions, and go on with what is left
  block:
    - name: Wait for some minutes
      huaweicloud.tasks.wait_for_task:
        region: ap-southeast-1
        access_key: "{{ access_key }}"
        secret_key: "{{ secret_key }}"
        tasks: "{{ result.pending }}"
        timeout: 600
      register: result
  rescue:
    - name: Stop unless the wait only timed out
      ansible.builtin.fail:
        msg: "{{ result.msg }}"
      when: result.failure.kind | default("") != "timeout"

    - name: Wait for the rest
      huaweicloud.tasks.wait_for_task:
        region: ap-southeast-1
        access_key: "{{ access_key }}"
        secret_key: "{{ secret_key }}"
        tasks: "{{ result.pending }}"

- name: Wait until a server is active
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    service: custom
    task_id: bae51750-0089-41a1-9b18-5c777978ff6d
    api:
      product: ecs
      path: /v1/{project_id}/cloudservers/{task_id}
      record: server
      fields: {id: id, name: name, status: status}
      succeeded: [ACTIVE]
      failed: [ERROR]
      running: [BUILD, REBOOT]

- name: Wait until an instance of TaurusDB is normal and a deleted volume is gone
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    tasks:
      - service: custom
        instance_id: a48e43ff268f4c0e879652d65e63d0fbin07
        api:
          product: taurusdb
          path: /v3/{project_id}/instances/{instance_id}
          record: instance
          fields: {instance_name: name, status: status}
          succeeded: [normal]
          failed: [createfail]
          running: [creating]
      - service: custom
        task_id: 591ac654-26d8-41be-bb77-4f90699d2d41
        api:
          product: evs
          path: /v2/{project_id}/cloudvolumes/{task_id}
          record: volume
          fields: {id: id, name: name, status: status}
          failed: [error_deleting]
          running: [deleting]
          not_found: succeeded
"""

RETURN = r"""
tasks:
  description: The last known state of every task, in the order given.
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
      description: Id of the instance that the task works on.
      type: str
    instance_name:
      description: Name of the instance, where the API gives it.
      type: str
    status:
      description:
        - Status of the task, in the API's own word.
        - Null where the API gave none. The task was never seen, is gone (O(api.not_found)), is a restore that was named by
          its instance alone, whose state follows from its steps, or its response has no status, which a warning says.
      type: str
    state:
      description: What the status means, in one vocabulary for all services. Only V(succeeded) is success.
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
      description:
        - Steps of the task, each with C(name), C(status), C(state), C(progress) and C(remaining_seconds).
        - Empty where the API has none.
      type: list
      elements: dict
    details:
      description: What only this API gives, under the API's own keys. A value of more than some 500,000 characters is null.
      type: dict
    error:
      description:
        - The last error of a request for this task, even if good responses followed.
        - Null where there was none.
        - It has the keys of RV(failure).
      type: dict
  sample:
    - service: dds
      id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
      name: Create_MongoDB
      instance_id: cf538a2dd8ec4b26860b27060902712fin02
      instance_name: dds-3a98-wcc
      status: Completed
      state: succeeded
      progress: null
      remaining_seconds: null
      created_at: "2021-07-13T07:28:43+0000"
      ended_at: "2021-07-13T07:58:53+0000"
      fail_reason: null
      error_code: null
      sub_tasks: []
      details: {}
      error: null
task:
  description: The only task, where one was given by O(service). Null where O(tasks) was given.
  returned: always
  type: dict
pending:
  description:
    - The tasks that are not known to have finished, in the form of O(tasks), ready to be passed in again. This includes
      those that the API does not know or that could not be read.
  returned: always
  type: list
  elements: dict
  sample:
    - service: dds
      task_id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
      instance_id: null
      task_name: null
      region: null
      project_id: null
      endpoint: null
      api: null
elapsed:
  description: Seconds that the wait took.
  returned: always
  type: float
  sample: 1834.2
polls:
  description: Number of polls. Tasks that are polled together count as one.
  returned: always
  type: int
  sample: 71
msg:
  description: How the wait ended, where the tasks stand, and how to go on.
  returned: always
  type: str
  sample: 3 of 3 tasks finished; waited 1834 s.
failure:
  description: Why the wait failed. Null if it succeeded, and if it did not begin because of a mistake in the options.
  returned: always
  type: dict
  contains:
    kind:
      description:
        - V(task_failed) means that a task failed or was canceled.
        - V(timeout) means that the wait timed out.
        - V(stalled) means that nothing changed for O(stall_timeout) seconds.
        - V(not_found) means that the API did not know a task for O(not_found_grace) seconds.
        - V(needs_action) means that a human must act in the console, such as approve a task or pay its order.
        - V(unauthorized) means that the credentials were refused.
        - V(api_error) means that the API responded with an error, or that something responded that is not the API.
        - V(connection) means that there was no response.
      type: str
      choices: [task_failed, timeout, stalled, not_found, needs_action, unauthorized, api_error, connection]
    code:
      description: The API's error code, or null.
      type: str
    message:
      description: What went wrong, in short.
      type: str
    http_status:
      description: The HTTP status, or null where there was no response.
      type: int
    request_id:
      description: The id of the request, for the cloud's support, or null.
      type: str
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import TASK_RULES, refs_of, wait_arguments
from ..module_utils._channel import Channel, end_on_signals, open_channel
from ..module_utils._client import TaskClient, new_task_client
from ..module_utils._errors import TasksError
from ..module_utils._query_module import TasksModule
from ..module_utils._result import input_error_result, unknown_status_warnings, wait_result
from ..module_utils._stream import POLL, Mask, Stream, seal
from ..module_utils._waiter import new_waiter


def wait(
    params: t.Mapping[str, t.Any],
    client: TaskClient,
    stream: Stream,
    *,
    check_mode: bool,
    started: float,
    warn: t.Callable[[str], None],
) -> dict[str, t.Any]:
    """Wait; the result says by its ``failure`` how that went."""
    refs = refs_of(params)
    waiter = new_waiter(
        params,
        refs,
        probe=stream.through(client.get_tasks),
        check_mode=check_mode,
        on_update=stream.update,
        started=started,
        open_list=client.open_list,
        on_listed=stream.listed,
    )
    client.check(refs)
    stream.begin()
    view = waiter.run()
    for warning in unknown_status_warnings(view.watches):
        warn(warning)
    result = wait_result(view, single=params["tasks"] is None)
    stream.end(result)
    return result


def poll(params: t.Mapping[str, t.Any], client: TaskClient, secrets: t.Collection[str]) -> dict[str, t.Any]:
    """Poll once for the action plugin, which does the waiting."""
    refs = refs_of(params)
    client.check(refs)
    return {"observations": seal(client.get_tasks(refs), Mask(secrets, refs))}


def run(module: AnsibleModule, channel: Channel) -> dict[str, t.Any]:
    client = new_task_client(module.params, os.environ, module.no_log_values.add)
    if module._socket_path == POLL:
        return poll(module.params, client, module.no_log_values)
    stream = Stream(channel, refs_of(module.params), module.no_log_values)
    return wait(module.params, client, stream, check_mode=module.check_mode, started=channel.started, warn=module.warn)


def main() -> None:
    end_on_signals()
    module = TasksModule(argument_spec=wait_arguments(), supports_check_mode=True, **TASK_RULES)
    try:
        result = run(module, open_channel(module._socket_path))
        failed = bool(result.get("failure"))
    except TasksError as error:
        result, failed = input_error_result(error), True
    leave = module.fail_json if failed else module.exit_json
    leave(**result)


if __name__ == "__main__":
    main()
