# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server sends must not control a terminal, nor fill it."""

from __future__ import annotations

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._text import forms_of, plain, plural, sentence


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
        ("one two three", 12, "one [...]"),
        # No word is cut: it may be a secret, of which Ansible would not mask the beginning.
        ("password hunter2hunter2", 20, "password [...]"),
        ("x" * 1_000_000, 60, "[...]"),
        # Chinese has no blanks.
        ("磁盘已满。请清理磁盘，然后重试。", 13, "磁盘已满。[...]"),
        ("secret" + " " * 1_000_000 + "x", 60, "[...]"),
    ],
)
def test_what_is_too_long_is_cut_between_words(text: str, limit: int, shown: str) -> None:
    assert plain(text, limit) == shown
    assert len(shown) <= limit


@pytest.mark.parametrize(
    ("secret", "others"),
    [
        ("hunter2hunter2", set()),
        ("correct  horse", {"correct horse", "correct%20%20horse", "correct [...]"}),
        ('P4ss"w\\ord-é', {'P4ss\\"w\\\\ord-é', 'P4ss\\"w\\\\ord-\\u00e9', "P4ss%22w%5Cord-%C3%A9"}),
        ("a/b+c==", {"a/b%2Bc%3D%3D", "a%2Fb%2Bc%3D%3D"}),
        ("x" * 20_000, set()),
        # What is short would mask parts of any text.
        ("4", set()),
        ('a "b', {"a%20%22b"}),
        ("密码，很长啊", {"密码，[...]", "%E5%AF%86%E7%A0%81%EF%BC%8C%E5%BE%88%E9%95%BF%E5%95%8A"}),
        # From an environment that is no UTF-8.
        ("pass\ud800word", {"pass word", "pass%3Fword", "pass\\ud800word", "pass [...]"}),
    ],
)
def test_forms_of_a_secret(secret: str, others: set[str]) -> None:
    forms = {form for form in forms_of(secret) if "\\u5bc6" not in form}
    assert forms == {secret} | others


@pytest.mark.parametrize("length", range(25, 60))
def test_a_cut_shows_no_beginning_of_a_secret(length: int) -> None:
    secret = "correct  horse battery staple"
    shown = plain(f"bad password: {secret} for demo", length)
    for form in forms_of(secret):
        shown = shown.replace(form, "****")
    assert shown in ("bad password: ****", "bad password: [...]", "bad password: **** for demo") or (
        shown.startswith("bad password: **** ") and shown.endswith("[...]")
    )


def test_a_sentence_gets_one_stop() -> None:
    assert [sentence(text) for text in ("disk full", "No space left.", "Why?")] == [
        "disk full.",
        "No space left.",
        "Why?",
    ]


def test_plural() -> None:
    assert [plural(count, "task") for count in (0, 1, 2)] == ["0 tasks", "1 task", "2 tasks"]
