# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A become plugin for tests: changes no user, but tells the command that it was asked to."""

from __future__ import annotations

import shlex

from ansible.plugins.become import BecomeBase

DOCUMENTATION = """
name: progress_become
short_description: Become nobody else
description:
  - Sets the variable PROGRESS_BECAME to the user that was asked for.
options:
  become_user:
    description: The user.
    default: root
    vars:
      - name: ansible_become_user
    keyword:
      - name: become_user
"""


class BecomeModule(BecomeBase):
    name = "progress_become"

    def build_become_command(self, cmd: str, shell: object) -> str:
        super().build_become_command(cmd, shell)
        return (
            f"PROGRESS_BECAME={shlex.quote(self.get_option('become_user'))} {self._build_success_command(cmd, shell)}"
        )
