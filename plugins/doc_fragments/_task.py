# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: it may change without notice.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  service:
    description:
      - Service of the one task. To name several tasks, use O(tasks) instead; one of the two is needed.
      - V(custom) is any other API, which O(api) describes.
    type: str
    choices: &services
      - taurusdb
      - taurusdb_restore
      - dds
      - kafka
      - rds
      - gaussdb
      - geminidb
      - rabbitmq
      - rocketmq
      - dcs
      - ddm
      - ecs
      - evs
      - ims
      - cce
      - cce_autopilot
      - elb
      - cbr
      - sfs_turbo
      - dws
      - bms
      - eip
      - sdrs
      - cfw
      - cse
      - cph
      - custom
  task_id:
    description:
      - Id of the one task. It consists of letters, digits, V(-) and V(_).
      - Needed for all services but V(taurusdb_restore) and V(custom).
      - V(taurusdb_restore) takes it together with O(task_name) only. Without them the API itself chooses a restore of
        the instance. Just after a restore was started, that may be the previous one, whose success would be mistaken
        for that of the new one. So give both wherever you have them.
    type: str
    aliases: [job_id]
  instance_id:
    description:
      - Id of the instance that the task works on. Needed for V(kafka), V(rabbitmq), V(rocketmq),
        V(taurusdb_restore) and V(cse), whose instance is the engine.
    type: str
  task_name:
    description:
      - Name of the task. Needed for V(taurusdb_restore) if O(task_id) is given.
      - Known names of restores are V(RestoreTaurusInInstanceToExisted), V(RestoreTaurusInInstanceToCurrent),
        V(RestoreGaussDBforMySQLNewInstance) and V(RestoreTableTaurus).
    type: str
    aliases: [job_name]
  api:
    description:
      - With O(service=custom), how to query an API that no other choice of O(service) covers. Only GET is sent.
    type: dict
    suboptions:
      product:
        description:
          - First label of the host name, for example V(ecs) for C(ecs.ap-southeast-1.myhuaweicloud.com), or V(taurusdb),
            V(geminidb) and V(eip), whose hosts differ between regions.
          - Needed unless O(endpoint) is given.
        type: str
      path:
        description:
          - Path to request, from its first slash on. Needed.
          - It may hold the placeholders C({project_id}), C({instance_id}) and C({task_id}). O(instance_id) and O(task_id)
            are needed where it does.
        type: str
      query:
        description: Parameters of the query. Their values may hold the placeholders of O(api.path).
        type: dict
      record:
        description:
          - Where the response has the object, as keys joined by dots, for example V(server). Without it, the response
            itself is the object.
          - With C([]) at its end it is a list. The entry with the right C(fields.id) is used, or the only entry if
            C(fields.id) is not given.
        type: str
      fields:
        description:
          - Where the object has its values, as keys joined by dots.
          - C(status) is needed. C(id), C(name), C(instance_id), C(instance_name), C(progress), C(created_at), C(ended_at),
            C(fail_reason) and C(error_code) may be given.
          - With C(id), a response about another O(task_id) is an error, and without O(api.record) also one without an id.
          - With O(instance_id) and without O(task_id), a response about another instance is an error. C(instance_id) is
            compared, or C(id) if C(instance_id) is not given. In a list, C(id) chooses the entry.
        type: dict
      succeeded:
        description:
          - Status words that mean success, compared without case. No other word ever means success.
          - Needed unless O(api.not_found=succeeded).
        type: list
        elements: str
      failed:
        description: Status words that mean failure.
        type: list
        elements: str
      running:
        description: Status words to wait on. A word in no list is waited on too, with a warning.
        type: list
        elements: str
      needs_action:
        description: Status words that mean that a human must act.
        type: list
        elements: str
      not_found:
        description:
          - What it means when the API knows no such object. V(wait), the default, treats it as for any task.
          - The API says so with HTTP 404 or 410, with an empty list, or with HTTP 400 and a code that any other choice of
            O(service) has for an unknown id and for nothing else.
          - V(succeeded) means that it is gone, as after a deletion. An id that never existed counts as gone, too.
          - V(failed) means that it should have been there.
        type: str
        choices: [wait, succeeded, failed]
  tasks:
    description:
      - Several tasks, of any mix of services. RV(pending) of an earlier result fits here.
      - Mutually exclusive with O(service), O(task_id), O(instance_id), O(task_name) and O(api).
    type: list
    elements: dict
    suboptions:
      service:
        description: Service of the task.
        type: str
        choices: *services
        required: true
      task_id:
        description: As O(task_id).
        type: str
        aliases: [job_id]
      instance_id:
        description: As O(instance_id).
        type: str
      task_name:
        description: As O(task_name).
        type: str
        aliases: [job_name]
      api:
        description: As O(api).
        type: dict
        suboptions:
          product:
            description: As O(api.product).
            type: str
          path:
            description: As O(api.path).
            type: str
          query:
            description: As O(api.query).
            type: dict
          record:
            description: As O(api.record).
            type: str
          fields:
            description: As O(api.fields).
            type: dict
          succeeded:
            description: As O(api.succeeded).
            type: list
            elements: str
          failed:
            description: As O(api.failed).
            type: list
            elements: str
          running:
            description: As O(api.running).
            type: list
            elements: str
          needs_action:
            description: As O(api.needs_action).
            type: list
            elements: str
          not_found:
            description: As O(api.not_found).
            type: str
            choices: [wait, succeeded, failed]
      region:
        description: Region of this task. By default that of O(region).
        type: str
      project_id:
        description:
          - Project of this task. By default that of O(project_id).
          - For a task in another region than O(region) it is looked up instead.
        type: str
      endpoint:
        description: Address of this task's service. By default O(endpoint), whatever the service and region of the task.
        type: str
"""
