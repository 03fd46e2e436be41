# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to tasks, and to the arguments of one poll."""

from __future__ import annotations

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import poll_arguments, refs_of
from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import InputError
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef


@pytest.mark.parametrize("nothing", ["", None])
def test_what_a_form_left_out_is_not_given(nothing: str | None) -> None:
    named = {"service": "dds", "task_id": "a", "instance_id": nothing, "task_name": nothing}
    assert refs_of({"tasks": None, **named}) == [TaskRef("dds", "a")]
    assert refs_of({"tasks": [{**named, "region": nothing, "endpoint": nothing}]}) == [TaskRef("dds", "a")]


@pytest.mark.parametrize("service", ["dds", "taurusdb_restore", "custom"])
def test_an_id_that_a_template_left_empty_is_refused(service: str) -> None:
    """Not taken for no id: a restore without one is the last restore of the instance."""
    named = {"service": service, "task_id": "", "instance_id": "i", "task_name": ""}
    for params in ({"tasks": None, **named}, {"tasks": [named]}):
        with pytest.raises(InputError, match="task_id is empty"):
            refs_of(params)


def test_a_poll_takes_the_connection_and_nothing_else_of_what_was_given() -> None:
    given = {"region": "r", "ca_cert": "/ca", "service": "dds", "job_id": "a", "timeout": 9, "sleep": 3, "tasks": []}
    assert poll_arguments(given, [TaskRef("dds", "a", region="s")]) == {
        "region": "r",
        "ca_cert": "/ca",
        "tasks": [{"service": "dds", "task_id": "a", "region": "s"}],
    }
