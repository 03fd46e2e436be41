# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the standard error stream of Ansible can show.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import errno
import locale
import os
import select
import sys


def has_blocks() -> bool:
    """Say whether the bar's blocks can be shown; workers have no stderr of their own since core 2.19."""
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    try:
        "█░".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_read(process: int) -> bool:
    """Say whether somebody may still read the standard error stream of a process, as far as the system tells.

    Ansible takes no more results from its workers, and so never ends, once it could not show what one of them sent.
    """
    try:
        descriptor = os.open(f"/proc/{process}/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        # Of a terminal that is gone no end can be opened.
        return error.errno != errno.EIO
    try:
        poller = select.poll()
        # Errors are always reported.
        poller.register(descriptor, 0)
        return not poller.poll(0)
    finally:
        os.close(descriptor)
