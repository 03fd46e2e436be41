# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people: whatever a server sends, one line of bounded length that cannot control a terminal.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

# The longest message of a module.
MAX_MESSAGE = 5000
# It is no stop, which is left out where a text becomes a part of a sentence.
CUT = "[...]"
# Only this many times the allowed length is read of a text.
READ = 8
# A blank or, as Chinese texts have none, a mark between sentences or their parts.
_WORD_END = re.compile(r"[ 。，；：、！？]")  # noqa: RUF001
# A shorter one would mask parts of any text.
MIN_FORM = 6


def plain(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text on one line, in at most so many characters, without control characters.

    Escapes, C1 controls, line and paragraph separators, and marks that change the direction of text become spaces.
    """
    read = text[: READ * limit]
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in read).split())
    if len(line) <= limit and len(read) == len(text):
        return line
    # Whole words only: Ansible would not know the beginning of a secret, and mask it.
    ends = _word_ends(line[: limit - len(CUT)])
    return f"{line[: ends[-1]]}{CUT}" if ends else CUT


def _word_ends(line: str) -> list[int]:
    return [end.end() for end in _WORD_END.finditer(line)]


def forms_of(secret: str) -> set[str]:
    """Return a secret and what a message shows where a server repeats it: as JSON, in a URL, made plain, or cut."""
    written = {secret, *(json.dumps(secret, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))}
    written |= {quote(secret, safe=safe, errors="replace") for safe in ("/", "")}
    lines = {plain(form, READ * len(form)) for form in written}
    whole = {form for form in written | lines if len(form) >= MIN_FORM}
    cut = {f"{line[:end]}{CUT}" for line in lines & whole for end in _word_ends(line)}
    return {secret} | whole | cut


def sentence(text: str) -> str:
    """Return a text with a stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def plural(count: int, noun: str) -> str:
    """Return ``1 task`` or ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
