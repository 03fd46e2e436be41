# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is documented is what the modules take; and what happens on a host without requests."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

from ansible_collections.huaweicloud.tasks.plugins.doc_fragments import _auth
from ansible_collections.huaweicloud.tasks.plugins.module_utils import _query_module
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import MODULE_SERVICES, SERVICES
from ansible_collections.huaweicloud.tasks.plugins.module_utils._settings import ENVIRONMENT

PACKAGE = "ansible_collections.huaweicloud.tasks.plugins.modules"
FOLDER = Path(t.cast(str, importlib.import_module(f"{PACKAGE}.wait_for_task").__file__)).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py"))
CONNECTION = yaml.safe_load(_auth.ModuleDocFragment.DOCUMENTATION)["options"]


class Started(Exception):
    """Ends a module before it has read its arguments."""


def arguments_of(name: str) -> dict[str, t.Any]:
    module = importlib.import_module(f"{PACKAGE}.{name}")
    where = module if hasattr(module, "AnsibleModule") or hasattr(module, "TasksModule") else _query_module
    attribute = "TasksModule" if hasattr(where, "TasksModule") and where is module else "AnsibleModule"
    with patch.object(where, attribute, side_effect=Started) as started, pytest.raises(Started):
        module.main()
    return t.cast("dict[str, t.Any]", started.call_args.kwargs)


@pytest.mark.parametrize("name", MODULES)
def test_secrets_are_not_logged(name: str) -> None:
    spec = arguments_of(name)["argument_spec"]
    for option in ("auth_token", "access_key", "secret_key", "security_token", "password"):
        assert spec[option]["no_log"] is True


def test_services_have_their_modules() -> None:
    named = {SERVICES[service].module for service in MODULE_SERVICES}
    assert named | {"task_info", "wait_for_task", "iam_token"} == set(MODULES)


@pytest.mark.parametrize("option", sorted({option for family in ENVIRONMENT for option in family}))
def test_variables_are_documented(option: str) -> None:
    """In the order in which they are looked at."""
    documented = re.findall(r"E\((\w+)\)", " ".join(CONNECTION[option]["description"]))
    assert documented == [variable for family in ENVIRONMENT for variable in family.get(option, ())]


BLOCK = """
import importlib, importlib.abc, json, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "requests":
            raise ImportError("No module named 'requests'")
        return None

sys.meta_path.insert(0, Block())
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[2])}).encode()
basic._ANSIBLE_PROFILE = "legacy"
importlib.import_module(sys.argv[1]).main()
"""
LEAST: dict[str, dict[str, t.Any]] = {
    "wait_for_task": {"service": "dds", "task_id": "t"},
    "iam_token": {},
    "task_info": {"service": "dds", "task_id": "t"},
    "taurusdb_task_info": {"task_id": "t"},
    "taurusdb_restore_task_info": {"instance_id": "i"},
    "dds_task_info": {"task_id": "t"},
    "kafka_task_info": {"task_id": "t", "instance_id": "i"},
}


@pytest.mark.parametrize("name", MODULES)
def test_without_requests(name: str) -> None:
    """The standard message, and no traceback for people."""
    given = json.dumps({"auth_token": "a-token-of-no-use", "region": "ap-southeast-1", **LEAST[name]})
    command = [sys.executable, "-c", BLOCK, f"{PACKAGE}.{name}", given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert result["failed"] is True
    assert result["msg"].startswith("Failed to import the required Python library (requests) on ")
    assert "Traceback" not in result["msg"]
    # Newer versions of ansible-core leave it out unless tracebacks were asked for.
    assert "No module named 'requests'" in result.get("exception", "No module named 'requests'")
    if name in {SERVICES[service].module for service in MODULE_SERVICES}:
        assert (result["task"], result["response"]) == (None, None)


WAITER = """
import importlib, importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in ("requests", "urllib3", "ansible"):
            raise ImportError(name)
        return None

sys.meta_path.insert(0, Block())
for name in ("_errors", "_task", "_services", "_endpoints", "_waiter", "_result", "_settings", "_argspec"):
    importlib.import_module("ansible_collections.huaweicloud.tasks.plugins.module_utils." + name)
"""


def test_waiting_needs_no_requests() -> None:
    """On a controller they may be missing."""
    subprocess.run([sys.executable, "-c", WAITER], check=True, timeout=60)
