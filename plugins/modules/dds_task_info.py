#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dds_task_info
short_description: Query a task of DDS
version_added: 1.0.0
description:
  - Queries a task of the Document Database Service (DDS) by its id.
  - The API serves DDS Community Edition only.
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
  - name: Obtaining Information About a Task with a Specified ID
    description: API reference page.
    link: https://support.huaweicloud.com/intl/en-us/api-dds/dds_api_0118.html
"""

EXAMPLES = r"""
---
- name: Check progress of the creation of an instance
  huaweicloud.tasks.dds_task_info:
    region: ap-southeast-1
    project_id: 0549b4a43100d4f32f51c01c2fe4acdb
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    task_id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
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
    service: dds
    id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
    name: Create_MongoDB
    instance_id: cf538a2dd8ec4b26860b27060902712fin02
    instance_name: dds-3a98-wcc
    status: Running
    state: running
    progress: 9
    remaining_seconds: null
    created_at: "2021-07-13T07:28:43+0000"
    ended_at: "2021-07-13T07:28:53+0000"
    fail_reason: null
    error_code: null
    sub_tasks: []
    details: {}
response:
  description:
    - The body of the API's response, untouched. Where the API knows no such task, this is its error.
    - Null where the module failed.
  returned: always
  type: dict
  sample:
    job:
      id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
      name: Create_MongoDB
      status: Running
      created: "2021-07-13T07:28:43+0000"
      ended: "2021-07-13T07:28:53+0000"
      progress: "9%"
      instance:
        id: cf538a2dd8ec4b26860b27060902712fin02
        name: dds-3a98-wcc
      fail_reason: null
failure:
  description:
    - What went wrong with the request, with the keys of RV(huaweicloud.tasks.task_info#module:failure).
    - Null where it succeeded or the API knows no such task, and after a mistake in the options.
  returned: always
  type: dict
"""

from ..module_utils._query_module import run_query_module


def main() -> None:
    run_query_module("dds")


if __name__ == "__main__":
    main()
