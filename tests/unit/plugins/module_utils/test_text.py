# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server sends must not control a terminal, nor fill it."""

from __future__ import annotations

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._text import plain, plural, sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Running", "Running"),
        ("磁盘已满 é 🙂", "磁盘已满 é 🙂"),
        ("\x1b[2J\x1b[1;1Hok: [localhost]", "[2J [1;1Hok: [localhost]"),
        ("one\nPLAY RECAP\r\nlocalhost : ok=1", "one PLAY RECAP localhost : ok=1"),
        ("C1 \x9b31m red\x85next", "C1 31m red next"),
        ("tab\tbell\x07nul\x00del\x7f", "tab bell nul del"),
        ("line\u2028paragraph\u2029end", "line paragraph end"),
        ("\u202egnp.exe\u202c \u2066x\u2069", "gnp.exe x"),
        ("zero\u200bwidth\ufeff", "zero width"),
        ("lone \ud83d surrogate", "lone surrogate"),
        ("  \n ", ""),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("exactly 10", 10, "exactly 10"),
        ("one two three", 12, "one two ..."),
        # No word is cut: it may be a secret, of which Ansible would not mask the beginning.
        ("password hunter2hunter2", 20, "password ..."),
        ("x" * 1_000_000, 60, "..."),
        # Chinese has no blanks.
        ("磁盘已满。请清理磁盘，然后重试。", 13, "磁盘已满。..."),
        ("secret" + " " * 1_000_000 + "x", 60, "..."),
    ],
)
def test_what_is_too_long_is_cut_between_words(text: str, limit: int, shown: str) -> None:
    assert plain(text, limit) == shown
    assert len(shown) <= limit


def test_a_sentence_gets_one_stop() -> None:
    assert [sentence(text) for text in ("disk full", "No space left.", "Why?")] == [
        "disk full.",
        "No space left.",
        "Why?",
    ]


def test_plural() -> None:
    assert [plural(count, "task") for count in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
