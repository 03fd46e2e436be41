#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kafka_task_info
short_description: Query a background task of DMS for Kafka
version_added: 1.0.0
description:
  - Queries a background task of an instance of Distributed Message Service (DMS) for Kafka.
  - The API gives neither progress nor the reason of a failure.
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._attributes
  - huaweicloud.tasks._attributes.info_module
options:
  task_id:
    description:
      - Id of the background task.
      - It consists of letters, digits, V(-) and V(_).
    type: str
    required: true
    aliases: [job_id]
  instance_id:
    description:
      - Id of the Kafka instance that the task works on.
    type: str
    required: true
seealso:
  - module: huaweicloud.tasks.task_info
  - module: huaweicloud.tasks.wait_for_task
  - name: Querying a Background Task
    description: API reference page.
    link: https://support.huaweicloud.com/intl/en-us/api-kafka/ShowBackgroundTask.html
"""

EXAMPLES = r"""
---
- name: Check the state of a background task
  huaweicloud.tasks.kafka_task_info:
    region: ap-southeast-1
    project_id: 0549b4a43100d4f32f51c01c2fe4acdb
    access_key: "{{ access_key }}"
    secret_key: "{{ secret_key }}"
    instance_id: 6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51
    task_id: 8abfa7b272adc5b40172b73130065ae7
  register: binding

- name: Show the result
  ansible.builtin.debug:
    msg: "{{ binding.task.name }} is {{ binding.task.state }}"
  when: binding.task is not none
"""

RETURN = r"""
task:
  description:
    - The task, with the keys of an entry of RV(huaweicloud.tasks.task_info#module:tasks) but C(error).
    - Null where the API knows no such task. A new id becomes visible some seconds after it was issued.
  returned: always
  type: dict
  sample:
    service: kafka
    id: 8abfa7b272adc5b40172b73130065ae7
    name: bindInstancePublicIp
    instance_id: 6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51
    instance_name: null
    status: SUCCESS
    state: succeeded
    progress: null
    remaining_seconds: null
    created_at: "2020-06-15T08:55:53.606Z"
    ended_at: "2020-06-15T08:55:56.600Z"
    fail_reason: null
    error_code: null
    sub_tasks: []
    details:
      user_name: paas_dms
      user_id: 3df5acbc24a54fadb62a043c9000a307
      params: '{"enable_public_ip":true}'
response:
  description:
    - The body of the API's response, untouched. Where the API knows no such task, this is its error.
    - Null where the module failed.
  returned: always
  type: dict
  sample:
    task_count: "1"
    tasks:
      - id: 8abfa7b272adc5b40172b73130065ae7
        name: bindInstancePublicIp
        user_name: paas_dms
        user_id: 3df5acbc24a54fadb62a043c9000a307
        params: '{"enable_public_ip":true}'
        status: SUCCESS
        created_at: "2020-06-15T08:55:53.606Z"
        updated_at: "2020-06-15T08:55:56.600Z"
failure:
  description:
    - What went wrong with the request, with the keys of RV(huaweicloud.tasks.task_info#module:failure).
    - Null where it succeeded or the API knows no such task, and after a mistake in the options.
  returned: always
  type: dict
"""

from ..module_utils._query_module import run_query_module


def main() -> None:
    run_query_module("kafka")


if __name__ == "__main__":
    main()
