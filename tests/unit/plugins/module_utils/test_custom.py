# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the codes of the table's services mean for an API that a play describes."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._errors import ApiError, ErrorClass
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import TaskRef

VOLUME = {
    "path": "/v2/{project_id}/cloudvolumes/{task_id}",
    "record": "volume",
    "fields": {"id": "id", "status": "status"},
    "not_found": "succeeded",
}
# These also stand for a query that failed, or for any invalid parameter.
AMBIGUOUS = {"Common.0011", "IMG.0023", "111400063"}
CODES = {code for row in SERVICES.values() for code in row.not_found_codes} - AMBIGUOUS
UNKNOWN = [(400, code) for code in sorted(CODES)]


def get(cloud: t.Any, status: int, code: str, **api: t.Any) -> t.Any:
    cloud.sim.add_fault("status", status=status, error_code=code, error_msg="No.")
    ref = TaskRef.from_option({"service": "custom", "task_id": "t", "api": {**VOLUME, **api}})
    return cloud.by_token()._get(ref).task


@pytest.mark.parametrize(("status", "code"), [*UNKNOWN, (404, "X.1"), (410, "X.1")])
def test_an_object_is_gone_by_the_word_of_any_service(cloud: t.Any, status: int, code: str) -> None:
    assert get(cloud, status, code).state == "succeeded"
    assert get(cloud, status, code, not_found="failed", succeeded=["ok"]).state == "failed"
    with pytest.raises(ApiError) as caught:
        get(cloud, status, code, not_found="wait", succeeded=["ok"])
    assert caught.value.error_class is ErrorClass.NOT_FOUND


@pytest.mark.parametrize(
    ("status", "code", "error_class"),
    [
        *((400, code, "fatal") for code in sorted(AMBIGUOUS)),
        (400, "DBS.200001", "fatal"),
        (403, "DBS.200543", "fatal"),
        (500, "DBS.200543", "transient"),
    ],
)
def test_another_error_does_not_mean_that_an_object_is_gone(
    cloud: t.Any, status: int, code: str, error_class: str
) -> None:
    with pytest.raises(ApiError) as caught:
        get(cloud, status, code)
    assert caught.value.error_class.value == error_class
