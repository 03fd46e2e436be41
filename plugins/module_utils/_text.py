# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people: whatever a server sends, one line of bounded length that cannot control a terminal.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import re

# The longest message of a module.
MAX_MESSAGE = 5000
CUT = "..."
# Only this many times the allowed length is read of a text.
READ = 8
# Up to the last blank or, as Chinese texts have none, the last mark between sentences or their parts.
_WHOLE_WORDS = re.compile(r".*[ 。，；：、！？]")  # noqa: RUF001


def plain(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return a text on one line, in at most so many characters, without control characters.

    Escapes, C1 controls, line and paragraph separators, and marks that change the direction of text become spaces.
    """
    read = text[: READ * limit]
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in read).split())
    if len(line) <= limit and len(read) == len(text):
        return line
    # Whole words only: Ansible would not know the beginning of a secret, and mask it.
    head = _WHOLE_WORDS.match(line[: limit - len(CUT)])
    return f"{head[0]}{CUT}" if head else CUT


def sentence(text: str) -> str:
    """Return a text with a stop at its end."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def plural(count: int, noun: str) -> str:
    """Return ``1 task`` or ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
