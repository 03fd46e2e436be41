# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection plugin for tests: local, but the host is out of reach while a file exists."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: progress_connection
short_description: A host that gets lost
description:
  - Out of reach while the file exists that the variable PROGRESS_LOST names.
"""


class Connection(Local):
    transport = "progress_connection"

    def exec_command(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if os.path.exists(os.environ["PROGRESS_LOST"]):
            raise AnsibleConnectionFailure("Failed to connect to the host via ssh:\nNo route to host")
        return super().exec_command(*args, **kwargs)
