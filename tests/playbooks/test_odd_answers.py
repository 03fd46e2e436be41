# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of the cloud that Ansible itself could stumble over."""

from __future__ import annotations

from pathlib import Path

import cloud

from simulator import Simulator

TASK_ID = "9d10bfd1-affb-49c3-b977-298950a8d6fa"


def test_a_lone_surrogate_fails_no_task(tmp_path: Path) -> None:
    """As of a name that the server has cut in the middle of an emoji."""
    body = rf'{{"job": {{"id": "{TASK_ID}", "name": "\ud83d Restore", "status": "Completed", "\udc00": "\ud800"}}}}'
    named = {"service": "dds", "task_id": TASK_ID}
    tasks = [
        {"name": "Query", "huaweicloud.tasks.dds_task_info": {"task_id": TASK_ID}},
        {"name": "Wait", "huaweicloud.tasks.wait_for_task": named},
        {"name": "Wait in the module", "huaweicloud.tasks.wait_for_task": {**named, "progress": False}},
    ]
    with Simulator() as sim:
        cloud.add_tasks(sim)
        sim.add_fault("status", service="dds", status=200, body=body)
        cloud.assert_good(cloud.run_playbook([cloud.play_of(tasks)], tmp_path, sim))
        assert len(sim.requests(task_id=TASK_ID)) == 3
