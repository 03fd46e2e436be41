#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: taurusdb_task_info
short_description: Query a task of TaurusDB
version_added: 1.0.0
description:
  - Queries a task of TaurusDB by its id, such as an instance creation, a scale-out or a backup.
  - The API keeps tasks for one month. It knows a new task only some seconds after it was started.
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._attributes
  - huaweicloud.tasks._attributes.info_module
options:
  task_id:
    description:
      - Id of the task.
      - It consists of letters, digits, V(-) and V(_).
    type: str
    required: true
    aliases: [job_id]
seealso:
  - module: huaweicloud.tasks.task_info
  - module: huaweicloud.tasks.wait_for_task
  - module: huaweicloud.tasks.taurusdb_restore_task_info
  - name: Obtaining Information About a Task with a Specified ID
    description: API reference page.
    link: https://support.huaweicloud.com/intl/en-us/api-taurusdb/ShowGaussMySqlJobInfo.html
"""

EXAMPLES = r"""
---
- name: Check progress of the creation of an instance
  huaweicloud.tasks.taurusdb_task_info:
    region: ap-southeast-1
    project_id: 054e292c9880d4992f02c0196d3ea468
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    task_id: a9767ede-fe0f-4888-9003-e843a4c90514
  register: creation

- name: Show the result
  ansible.builtin.debug:
    msg: "{{ creation.task.name }} is {{ creation.task.state }}"
  when: creation.task is not none
"""

RETURN = r"""
task:
  description:
    - The task, with the keys of an entry of RV(huaweicloud.tasks.task_info#module:tasks) but C(error).
    - Null where the API knows no such task. A new id becomes visible some seconds after it was issued.
  returned: always
  type: dict
  sample:
    service: taurusdb
    id: 31b8ae23-c687-4d80-b7b4-42a66c9bb886
    name: CreateGaussDBforMySQLInstance
    instance_id: a48e43ff268f4c0e879652d65e63d0fbin07
    instance_name: taurusdb-12cd
    status: Running
    state: running
    progress: 60
    remaining_seconds: null
    created_at: "2018-08-06T10:41:14+0800"
    ended_at: null
    fail_reason: null
    error_code: null
    sub_tasks: []
    details:
      entities: {}
response:
  description:
    - The body of the API's response, untouched. Where the API knows no such task, this is its error.
    - Null where the module failed.
  returned: always
  type: dict
  sample:
    job:
      id: 31b8ae23-c687-4d80-b7b4-42a66c9bb886
      name: CreateGaussDBforMySQLInstance
      status: Running
      created: "2018-08-06T10:41:14+0800"
      process: "60%"
      entities: {}
failure:
  description:
    - What went wrong with the request, with the keys of RV(huaweicloud.tasks.task_info#module:failure).
    - Null where it succeeded or the API knows no such task, and after a mistake in the options.
  returned: always
  type: dict
"""

from ..module_utils._query_module import run_query_module


def main() -> None:
    run_query_module("taurusdb")


if __name__ == "__main__":
    main()
