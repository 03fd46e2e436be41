#!/usr/bin/python

# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_token
short_description: Get an IAM token
version_added: 1.0.0
description:
  - Logs in to IAM with user name and password, and returns a token for the project or the region's project.
  - O(username), O(password) and O(domain_name) are needed. Where other credentials take precedence over them, the module
    fails.
  - O(region) is needed unless O(iam_endpoint) and O(project_id) are given. O(endpoint), O(auth_token), O(access_key),
    O(secret_key), O(security_token) and O(language) are options only so that C(module_defaults) fit all modules.
  - Use the token as O(auth_token) of the other modules, or in the header C(X-Auth-Token) of requests of your own, for
    example with M(ansible.builtin.uri).
  - The token is a secret. Set C(no_log) to V(true) for the task.
author:
  - The huaweicloud.tasks contributors (@huaweicloud-tasks)
extends_documentation_fragment:
  - huaweicloud.tasks._auth
  - huaweicloud.tasks._attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode no token is requested, and RV(token) is null.
  diff_mode:
    support: N/A
    details:
      - This action does not modify state.
  idempotent:
    support: full
    details:
      - This action does not modify state, although every run gets a new token. Older tokens stay valid.
seealso:
  - name: Obtaining a User Token Through Password Authentication
    description: API reference page.
    link: https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html
  - module: huaweicloud.tasks.wait_for_task
"""

EXAMPLES = r"""
---
- name: Get a token
  huaweicloud.tasks.iam_token:
    region: ap-southeast-1
    username: operator
    password: "{{ password }}"
    domain_name: example
  register: login
  no_log: true

- name: Wait for a task with the token
  huaweicloud.tasks.wait_for_task:
    region: ap-southeast-1
    project_id: "{{ login.project_id }}"
    auth_token: "{{ login.token }}"
    service: dds
    task_id: 9d10bfd1-affb-49c3-b977-298950a8d6fa
"""

RETURN = r"""
token:
  description: The token. It is a secret. Null in check mode, and when the module fails.
  returned: always
  type: str
  sample: MIIDkgYJKoZIhvcNAQcCoIIDgzCCA38CAQExDTALBglghkgBZQMEAgEw...
expires_at:
  description: When the token expires, as IAM gives it.
  returned: always
  type: str
  sample: "2026-01-06T08:05:31.956000Z"
issued_at:
  description: When the token was issued, as IAM gives it.
  returned: always
  type: str
  sample: "2026-01-05T08:05:31.956000Z"
project_id:
  description: The project that the token is for.
  returned: always
  type: str
  sample: 0549b4a43100d4f32f51c01c2fe4acdb
failure:
  description: >-
    What went wrong with the request, with the keys of RV(huaweicloud.tasks.task_info#module:failure). Null where it
    succeeded, and after a mistake in the options.
  returned: always
  type: dict
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._argspec import connection_arguments
from ..module_utils._auth import Token
from ..module_utils._client import TaskClient, new_task_client
from ..module_utils._errors import TasksError


def result_of(token: Token | None) -> dict[str, t.Any]:
    return {
        "token": token.value if token else None,
        "expires_at": token.expires_at if token else None,
        "issued_at": token.issued_at if token else None,
        "project_id": token.project_id if token else None,
        "failure": None,
    }


def run(params: t.Mapping[str, t.Any], client: TaskClient, *, check_mode: bool) -> dict[str, t.Any]:
    if check_mode:
        return dict(result_of(None), project_id=params["project_id"])
    return result_of(client.login())


def main() -> None:
    module = AnsibleModule(argument_spec=connection_arguments(), supports_check_mode=True)
    try:
        client = new_task_client(module.params, os.environ, module.no_log_values.add)
        module.exit_json(**run(module.params, client, check_mode=module.check_mode))
    except TasksError as error:
        module.fail_json(**{**result_of(None), **error.to_result()})


if __name__ == "__main__":
    main()
