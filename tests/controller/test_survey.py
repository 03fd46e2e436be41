# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey for AWX asks for options of the module by the names that the playbook knows."""

from __future__ import annotations

import ast
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WAIT = "huaweicloud.tasks.wait_for_task"
# What a question may be, for an option of each type.
QUESTIONS = {
    "str": {"text", "multiplechoice"},
    "float": {"integer", "float"},
    "bool": {"multiplechoice"},
    "list": {"textarea"},
}


def documented(path: str) -> dict[str, t.Any]:
    """The options in the DOCUMENTATION of a file."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign) and ast.unparse(inner.targets[0]) == "DOCUMENTATION":
                return dict(yaml.safe_load(ast.literal_eval(inner.value))["options"])
    raise AssertionError(f"{path} has no DOCUMENTATION")


OPTIONS = {
    **documented("plugins/doc_fragments/_auth.py"),
    **documented("plugins/doc_fragments/_task.py"),
    **documented("plugins/modules/wait_for_task.py"),
}
SURVEY = json.loads((ROOT / "docs" / "awx_survey.json").read_text(encoding="utf-8"))


def playbook_task() -> dict[str, str]:
    play = yaml.safe_load((ROOT / "playbooks" / "wait.yml").read_text(encoding="utf-8"))[0]
    given: dict[str, str] = {}
    for defaults in play["module_defaults"].values():
        given.update(defaults)
    return given | next(task[WAIT] for outer in play["tasks"] for task in outer.get("block", []) if WAIT in task)


def test_every_option_is_an_extra_variable_of_the_same_name() -> None:
    given = playbook_task()
    assert set(given) == set(OPTIONS)
    assert {name for name, value in given.items() if not re.search(rf"\b{name}\b", value)} == set()


def test_the_survey_is_one() -> None:
    assert set(SURVEY) == {"name", "description", "spec"}
    variables = [question["variable"] for question in SURVEY["spec"]]
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize("question", SURVEY["spec"], ids=lambda question: question["variable"])
def test_a_question_fits_its_option(question: dict[str, t.Any]) -> None:
    option = OPTIONS[question["variable"]]
    assert {"question_name", "question_description", "type", "required"} <= set(question)
    assert question["type"] in QUESTIONS[option["type"]]
    assert question.get("choices") == option.get("choices")
    if "default" in question:
        assert question["default"] == option["default"]


def test_the_survey_asks_for_no_secret() -> None:
    secrets = {"auth_token", "access_key", "secret_key", "security_token", "password"}
    assert not secrets & {question["variable"] for question in SURVEY["spec"]}
    assert not [question for question in SURVEY["spec"] if question["type"] == "password"]
