# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules have in common, above all the query modules of single services.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import os
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._argspec import check_task_id_is_not_empty, query_arguments
from ._client import TaskClient, new_task_client
from ._custom import near_names
from ._errors import TasksError
from ._services import SERVICES
from ._task import TaskRef

_REFUSED_SERVICE = re.compile(r"^value of service must be one of.* got: (\S+)")


class TasksModule(AnsibleModule):  # type: ignore[misc]
    """A module that names the near ones where Ansible refuses the name of a service."""

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        refused = _REFUSED_SERVICE.search(msg)
        near = near_names(refused[1]) if refused else ""
        super().fail_json(msg=f"{msg}.{near}" if near else msg, **kwargs)
        raise SystemExit(1)


def run(service: str, params: t.Mapping[str, t.Any], client: TaskClient) -> dict[str, t.Any]:
    """Return what a query module returns.

    :raises TasksError: an option is missing, or there was no usable response
    """
    check_task_id_is_not_empty(params)
    named = (params.get(option) or None for option in ("task_id", "instance_id", "task_name"))
    response = client.get_task(TaskRef(service, *named))
    task = response.task.to_dict() if response.task else None
    return {"task": task, "response": response.body, "failure": None}


def run_query_module(service: str) -> None:
    """Run the query module of a service, from its options to its result."""
    together = SERVICES[service].required_together
    module = AnsibleModule(
        argument_spec=query_arguments(service),
        required_together=[together] if together else [],
        supports_check_mode=True,
    )
    try:
        client = new_task_client(module.params, os.environ, module.no_log_values.add)
        module.exit_json(**run(service, module.params, client))
    except TasksError as error:
        module.fail_json(**{"task": None, "response": None, "failure": None, **error.to_result()})
