# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module's main() as Ansible does: arguments as JSON, the result as JSON on standard output."""

from __future__ import annotations

import contextlib
import importlib
import json
import typing as t
from collections.abc import Iterator

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> Iterator[None]:
        """What newer versions of ansible-core bring along."""
        before = basic._ANSIBLE_ARGS
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = before


MODULES = "ansible_collections.huaweicloud.tasks.plugins.modules"


class Outcome(t.NamedTuple):
    result: dict[str, t.Any]
    code: int
    output: str
    errors: str


class Runner:
    """Calls main() of a module."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, module: str, *, check_mode: bool = False, **args: t.Any) -> Outcome:
        self._capsys.readouterr()
        given = {**args, "_ansible_check_mode": check_mode, "_ansible_remote_tmp": "/tmp"}
        with patch_module_args(given), pytest.raises(SystemExit) as caught:
            importlib.import_module(f"{MODULES}.{module}").main()
        output, errors = self._capsys.readouterr()
        result = json.loads(output)
        assert "Traceback" not in result.get("msg", "")
        assert "Traceback" not in errors
        assert bool(result.get("failed")) == bool(caught.value.code)
        assert not result.get("changed")
        return Outcome(result, int(caught.value.code or 0), output, errors)

    def fail(self, module: str, **args: t.Any) -> dict[str, t.Any]:
        """... that is expected to fail."""
        outcome = self(module, **args)
        assert outcome.code == 1
        assert outcome.result["failed"] is True
        assert outcome.result["msg"]
        return outcome.result


@pytest.fixture(name="run_module")
def fixture_run_module(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)
