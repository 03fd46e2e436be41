#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: taurusdb_restore_task_info
short_description: Query a restore task of TaurusDB with its steps
version_added: 1.0.0
description:
  - Queries a restore of TaurusDB, with the progress and remaining time of its steps.
  - The API serves restores only. For other tasks use M(huaweicloud.tasks.taurusdb_task_info).
  - Newer versions of the API take O(task_id) and O(task_name).
  - Leave both out for older versions, which choose a restore of the instance themselves. Just after a restore was
    started, that may be the previous one.
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._attributes
  - huaweicloud.tasks._attributes.info_module
options:
  task_id:
    description:
      - Id of the restore task. It needs O(task_name) too.
      - It consists of letters, digits, V(-) and V(_).
    type: str
    aliases: [job_id]
  task_name:
    description:
      - Name of the restore task. It needs O(task_id) too.
      - Known names are V(RestoreTaurusInInstanceToExisted), V(RestoreTaurusInInstanceToCurrent),
        V(RestoreGaussDBforMySQLNewInstance) and V(RestoreTableTaurus).
    type: str
    aliases: [job_name]
  instance_id:
    description:
      - Id of the TaurusDB instance that is restored to.
    type: str
    required: true
seealso:
  - module: huaweicloud.tasks.task_info
  - module: huaweicloud.tasks.wait_for_task
  - module: huaweicloud.tasks.taurusdb_task_info
  - name: Querying Details About an Asynchronous Task
    description: API reference page.
    link: https://support.huaweicloud.com/intl/en-us/api-taurusdb/ShowTaskDetails.html
"""

EXAMPLES = r"""
---
- name: Check progress of a restore
  huaweicloud.tasks.taurusdb_restore_task_info:
    region: ap-southeast-1
    project_id: 619d3e78f61b4be68bc5aa0b59edcf7b
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
    task_id: 866b2273-f5ce-44bd-bc10-949baeb22163
    task_name: RestoreTaurusInInstanceToExisted
  register: restore

- name: Show its steps
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }}, {{ item.progress }} %"
  loop: "{{ restore.task.sub_tasks }}"
  when: restore.task is not none
"""

RETURN = r"""
task:
  description:
    - The task, with the keys of an entry of RV(huaweicloud.tasks.task_info#module:tasks) but C(error).
    - Null where the API knows no such task. A new id becomes visible some seconds after it was issued.
  returned: always
  type: dict
  sample:
    service: taurusdb_restore
    id: 866b2273-f5ce-44bd-bc10-949baeb22163
    name: RestoreTaurusInInstanceToExisted
    instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
    instance_name: taurusdb-12cd
    status: Running
    state: running
    progress: 19
    remaining_seconds: 66
    created_at: null
    ended_at: null
    fail_reason: null
    error_code: null
    sub_tasks:
      - name: INIT
        status: Running
        state: running
        progress: 19
        remaining_seconds: 66
    details: {}
response:
  description:
    - The body of the API's response, untouched. Where the API knows no such task, this is its error.
    - Null where the module failed.
  returned: always
  type: dict
  sample:
    instance_id: a23fb62bd61e4e9e9636fd2225f395bein07
    instance_name: taurusdb-12cd
    job_id: 866b2273-f5ce-44bd-bc10-949baeb22163
    job_name: RestoreTaurusInInstanceToExisted
    status: Running
    sub_task_list:
      - sub_task_name: INIT
        percent: 19
        status: Running
        remaining_time: 66
failure:
  description:
    - What went wrong with the request, with the keys of RV(huaweicloud.tasks.task_info#module:failure).
    - Null where it succeeded or the API knows no such task, and after a mistake in the options.
  returned: always
  type: dict
"""

from ..module_utils._query_module import run_query_module


def main() -> None:
    run_query_module("taurusdb_restore")


if __name__ == "__main__":
    main()
