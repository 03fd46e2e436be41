# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said in several places is the same everywhere: modules, services, versions, who imports whom."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.huaweicloud.tasks.plugins.module_utils._argspec import CHOICES, wait_arguments
from ansible_collections.huaweicloud.tasks.plugins.module_utils._endpoints import PRODUCTS
from ansible_collections.huaweicloud.tasks.plugins.module_utils._http import USER_AGENT, VERSION
from ansible_collections.huaweicloud.tasks.plugins.module_utils._lists import LISTS
from ansible_collections.huaweicloud.tasks.plugins.module_utils._services import MODULE_SERVICES, SERVICES, Service
from ansible_collections.huaweicloud.tasks.plugins.module_utils._task import State
from simulator import accounts, catalog, routes

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
UTILS = "ansible_collections.huaweicloud.tasks.plugins.module_utils."
MODULES = {path.stem for path in (PLUGINS / "modules").glob("*.py")}
SOURCES = sorted(PLUGINS.rglob("*.py"))
MAX_LINES = 40

# In this order: a file imports from files above it only, so that there is no circle.
ROOMS = """
    _text _errors _task _channel _concurrency _signing _settings _services _lists _custom _policy _argspec _endpoints
    _parsing _paging _listing _pacing _survey _http _auth _client _task_watch _outcome _schedule _waiter _stream _result
    _query_module
""".split()
# What the action plugin uses, on a controller that need not have requests.
WITHOUT_REQUESTS = ("_waiter", "_result", "_argspec", "_settings")

IMPORT_AND_NOTE = """
import importlib, sys

class Refuse:
    asked = []
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("requests", "urllib3"):
            self.asked.append(name)
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*Refuse.asked)
"""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def data(name: str) -> t.Any:
    return yaml.safe_load(text(name))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def documentation(path: Path) -> dict[str, t.Any]:
    """The DOCUMENTATION of a module or of a fragment."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return t.cast("dict[str, t.Any]", yaml.safe_load(ast.literal_eval(node.value)))
    raise AssertionError(f"{path} has no DOCUMENTATION")


def module_documentation(name: str) -> dict[str, t.Any]:
    return documentation(PLUGINS / "modules" / f"{name}.py")


def fragment(name: str) -> dict[str, t.Any]:
    return documentation(PLUGINS / "doc_fragments" / f"{name}.py")


def table_of_modules() -> list[str]:
    """First cells of README's table whose first heading begins with "Module"."""
    names: list[str] = []
    inside = False
    for line in text("README.md").splitlines():
        first = line.strip().strip("|").split("|")[0].strip() if line.lstrip().startswith("|") else ""
        if not first:
            inside = False
        elif first.lower().startswith("module"):
            inside = True
        elif inside and not re.fullmatch(r":?-+:?", first):
            names += re.findall(r"^\[?`?(?:huaweicloud\.tasks\.)?(\w+)", first)
    return names


# Modules


def test_readme_lists_every_module() -> None:
    names = table_of_modules()
    assert sorted(names) == sorted(MODULES)


def test_the_action_group_has_every_module() -> None:
    groups = data("meta/runtime.yml")["action_groups"]
    assert groups == {"all": sorted(MODULES)}


def test_modules_document_the_action_group() -> None:
    assert fragment("_attributes")["attributes"]["action_group"]["membership"] == ["huaweicloud.tasks.all"]
    for module in MODULES:
        assert "huaweicloud.tasks._attributes" in module_documentation(module)["extends_documentation_fragment"], module


def test_modules_are_named_after_their_files() -> None:
    assert {module_documentation(module)["module"] for module in MODULES} == MODULES


def test_every_action_plugin_has_a_module() -> None:
    assert {path.stem for path in (PLUGINS / "action").glob("*.py")} <= MODULES


# Services


@pytest.mark.parametrize("service", MODULE_SERVICES)
def test_a_named_module_needs_what_its_service_needs(service: str) -> None:
    options = module_documentation(SERVICES[service].module)["options"]
    assert set(SERVICES[service].required) == {name for name, option in options.items() if option.get("required")}


@pytest.mark.parametrize("service", MODULE_SERVICES)
def test_a_named_module_has_an_integration_test(service: str) -> None:
    assert (ROOT / "tests" / "integration" / "targets" / SERVICES[service].module / "tasks" / "main.yml").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_in_the_docs(service: str) -> None:
    assert f"`{service}`" in text("README.md")
    line = re.search(rf"^``{service}``.*|^.*, ``{service}`` .*", text("docs/docsite/rst/guide_ids.rst"), re.MULTILINE)
    assert line
    kept = SERVICES[service].kept_for
    assert line[0].rstrip().endswith(kept or "not documented")


@pytest.mark.parametrize("service", SERVICES)
def test_the_simulator_serves_a_service(service: str) -> None:
    path = SERVICES[service].path.format(project_id=accounts.PROJECT_ID, instance_id="instance", task_id="task")
    call = routes.match("GET", path, {})
    assert call and service in call.services


def test_every_service_has_hosts() -> None:
    assert {service.product for service in SERVICES.values()} == set(PRODUCTS)


def test_the_docs_name_the_services_that_have_a_list() -> None:
    said = " ".join(module_documentation("task_info")["description"])
    named = said.partition("has a list of them (")[2].partition(").")[0]
    assert sorted(re.findall(r"C\((\w+)\)", named)) == sorted(LISTS)


def test_the_guide_shows_a_service_as_it_is() -> None:
    guide, row = text("docs/docsite/rst/guide_adding_a_service.rst"), "cse"
    shown = re.search(r"^ {4}Service\(\n.*?^ {4}\),\n", guide, re.MULTILINE | re.DOTALL)
    assert shown
    assert eval(f"({shown[0]})[0]", {"Service": Service, "State": State}) == SERVICES[row]
    responses = re.search(rf'^ {{4}}"{row}": Response\(\n.*?^ {{4}}\),\n', guide, re.MULTILINE | re.DOTALL)
    assert responses
    assert responses[0] in text("tests/unit/plugins/module_utils/test_services.py")


MEANT = {
    **{state: state for state in ("succeeded", "failed", "canceled", "needs_action")},
    "completed": "succeeded",
    "rolled_back": "failed",
    "rollback_failed": "failed",
    "timeout": "failed",
    "skipped": "failed",
    "deleted": "failed",
}


@pytest.mark.parametrize("service", SERVICES)
def test_the_words_of_the_simulator_mean_what_the_table_says(service: str) -> None:
    words = catalog.CATALOG[service].words
    found = {outcome: SERVICES[service].state_of(word) for outcome, word in words.outcomes.items()}
    assert found == {outcome: MEANT[outcome] for outcome in words.outcomes}
    assert SERVICES[service].state_of(words.running) == "running"
    assert not words.pending or SERVICES[service].state_of(words.pending) == "pending"


def test_choices_are_the_services() -> None:
    options = fragment("_task")["options"]
    assert options["service"]["choices"] == list(CHOICES) == [*SERVICES, "custom"]
    assert options["tasks"]["suboptions"]["service"]["choices"] == list(CHOICES)
    assert wait_arguments()["service"]["choices"] == list(CHOICES)


def test_only_query_modules_end_like_one() -> None:
    assert {name for name in MODULES if name.endswith("_task_info")} == {
        SERVICES[name].module for name in MODULE_SERVICES
    }


# Versions


def test_the_version_is_one() -> None:
    releases = data("changelogs/changelog.yaml")["releases"]
    newest = max(releases, key=lambda release: tuple(int(part) for part in release.split(".")))
    assert data("galaxy.yml")["version"] == VERSION == newest
    assert USER_AGENT.endswith(f"/{VERSION}")


def test_the_changelog_has_every_module() -> None:
    """Those of the next release are in it once it is out."""
    releases = data("changelogs/changelog.yaml")["releases"]
    listed = [module["name"] for release in releases.values() for module in release.get("modules", ())]
    new = {module for module in MODULES if module_documentation(module)["version_added"] not in releases}
    assert sorted(listed) == sorted(MODULES - new)


def test_the_ansible_versions_are_the_same_everywhere() -> None:
    lowest = re.fullmatch(r">=(\d+\.\d+)\.0", data("meta/runtime.yml")["requires_ansible"])
    assert lowest
    assert re.search(rf"ansible-core[`* ]*(>=|≥)? ?{re.escape(lowest[1])}\b", text("README.md"))
    assert min(_cores(), key=_number) == lowest[1]


def _cores() -> list[str]:
    """The versions of ansible-core that nox tests."""
    for node in tree(ROOT / "noxfile.py").body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CORES":
            return list(ast.literal_eval(node.value))
    raise AssertionError("noxfile.py has no CORES")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_python_versions_are_the_same_everywhere() -> None:
    lowest = re.fullmatch(r">=(3\.\d+)", data("tests/config.yml")["modules"]["python_requires"])
    assert lowest
    assert f"python >= {lowest[1]} on the host that runs the module" in fragment("_auth")["requirements"]
    assert any(lowest[1] in note for note in fragment("_auth")["notes"])
    assert re.search(rf"python[`* ]*(>=|≥)? ?{re.escape(lowest[1])}\b", text("README.md"), re.IGNORECASE)
    assert f'target-version = "py{lowest[1].replace(".", "")}"' in text("ruff.toml")


def test_the_execution_environment_gets_what_modules_import() -> None:
    wanted = [line for line in text("meta/ee-requirements.txt").splitlines() if line and not line.startswith("#")]
    assert wanted == ["requests"]
    assert "requests" in fragment("_auth")["requirements"]
    assert data("meta/execution-environment.yml")["dependencies"]["python"] == "meta/ee-requirements.txt"


# Imports


def imports(path: Path) -> Iterator[str]:
    """Names of all modules that a file imports when it runs, wherever in it."""
    pending: list[ast.AST] = [tree(path)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = UTILS.split(".")[:3] + ["plugins", *path.relative_to(PLUGINS).parts[: -node.level]]
                module = ".".join(filter(None, (*package, module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        pending += ast.iter_child_nodes(node)


def utils(path: Path) -> set[str]:
    """The files in module_utils that a file imports."""
    return {name[len(UTILS) :].split(".")[0] for name in imports(path) if name.startswith(UTILS)}


def test_rooms_name_every_file() -> None:
    assert sorted(ROOMS) == sorted(path.stem for path in (PLUGINS / "module_utils").glob("*.py"))


def test_contributors_are_told_of_the_rooms_in_their_order() -> None:
    layout = text("CONTRIBUTING.md").partition("## Layout of the code")[2].partition("| `plugin_utils/")[0]
    rows = [line for line in layout.splitlines() if line.startswith("| `_")]
    assert [name for row in rows for name in re.findall(r"`(_\w+)\.py`", row.split("|")[1])] == ROOMS


@pytest.mark.parametrize("name", ROOMS)
def test_imports_lead_upwards(name: str) -> None:
    above = set(ROOMS[: ROOMS.index(name)])
    assert utils(PLUGINS / "module_utils" / f"{name}.py") <= above


@pytest.mark.parametrize("name", WITHOUT_REQUESTS)
def test_only_the_standard_library_is_used(name: str) -> None:
    found = {module.split(".")[0] for module in imports(PLUGINS / "module_utils" / f"{name}.py")}
    assert found <= {*sys.stdlib_module_names, "ansible_collections"}


def test_one_file_imports_requests() -> None:
    found = [path.stem for path in SOURCES if any(name.split(".")[0] == "requests" for name in imports(path))]
    assert found == ["_http"]


def test_the_controller_needs_no_requests() -> None:
    names = [UTILS + name for name in WITHOUT_REQUESTS]
    names += ["ansible_collections.huaweicloud.tasks.plugins.action.wait_for_task"]
    assert _refused(names) == []


def test_every_file_can_be_imported_without_requests() -> None:
    names = [UTILS + name for name in ROOMS]
    assert "requests" in _refused(names)


def _refused(names: list[str]) -> list[str]:
    """What of requests was asked for when importing some modules in a new process that does not have it."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", IMPORT_AND_NOTE, *names]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.split()


# Code


@pytest.mark.parametrize("path", SOURCES, ids=[path.relative_to(PLUGINS).as_posix() for path in SOURCES])
def test_functions_are_short(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lengths = [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in functions]
    assert not [(name, length) for name, length in lengths if length > MAX_LINES]


@pytest.mark.parametrize("path", SOURCES, ids=[path.relative_to(PLUGINS).as_posix() for path in SOURCES])
def test_no_error_is_caught_blindly(path: Path) -> None:
    handlers = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]
    caught = ["" if node.type is None else ast.unparse(node.type) for node in handlers]
    assert not [what for what in caught if not what or re.search(r"\b(Base)?Exception\b", what)]
