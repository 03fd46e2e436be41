# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The standard error stream of Ansible, on which the lines appear.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import contextlib
import errno
import locale
import os
import select
import stat
import sys
import time

from ansible import constants as C
from ansible.utils.display import Display

from ._progress import BAD, GOOD, LAST, TROUBLE

COLORS = {GOOD: C.COLOR_OK, BAD: C.COLOR_ERROR, TROUBLE: C.COLOR_WARN}
# What Ansible may need to write a line that it was sent, and the reader of a pipe to go away.
SECONDS_TO_WRITE = 0.05


def _keep_log() -> int | None:
    """Return a duplicate of stderr if that is a file: it shares Ansible's file offset.

    Ansible loads action plugins before it forks its workers, which inherit it. Since core 2.19 workers have no stderr
    of their own.
    """
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.fstat(2).st_mode):
            return os.dup(2)
    return None


LOG = _keep_log()


class Terminal:
    """Shows lines through Ansible, for as long as somebody reads them.

    Once Ansible fails to write a line that a worker sent, it takes no more results from its workers and never ends.
    """

    def __init__(self, ansible: int, *, mute: bool) -> None:
        """``ansible`` is the process that writes the lines of this one, its worker."""
        self._stream = f"/proc/{ansible}/fd/2"
        self._mute = mute
        self._shown_at = 0.0

    def show(self, line: str, level: str) -> None:
        """Show a line; the level gives its color."""
        self._mute = self._mute or not self._is_read()
        if self._mute:
            return
        if level == LAST:
            self._write(line)
            return
        self._shown_at = time.monotonic()
        # Lines on stderr reach a pipe at once and leave the JSON of a callback on stdout whole.
        Display().display(line, color=COLORS.get(level), stderr=True)

    def _write(self, line: str) -> None:
        """Write a line past Ansible, which takes none any more when it ends its workers."""
        with contextlib.suppress(OSError):
            descriptor = self._open()
            try:
                # A terminal shows ^C where the cursor is.
                start = "\n" if os.isatty(descriptor) else ""
                os.write(descriptor, f"{start}{line}\n".encode(errors="backslashreplace"))
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        """Open the stream for one line; a file that is opened anew has a file offset of its own."""
        if LOG is not None and os.path.samestat(os.fstat(LOG), os.stat(self._stream)):
            return os.dup(LOG)
        return os.open(self._stream, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY)

    def _is_read(self) -> bool:
        """Say whether somebody may still read the stream, as far as the system tells."""
        is_pipe = False
        try:
            is_pipe = stat.S_ISFIFO(os.stat(self._stream).st_mode)
            descriptor = os.open(self._stream, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            # Of a terminal that is gone, and of a named pipe without a reader, no end can be opened; of a socket never.
            return error.errno != errno.EIO and not (error.errno == errno.ENXIO and is_pipe)
        try:
            if is_pipe:
                time.sleep(max(self._shown_at + SECONDS_TO_WRITE - time.monotonic(), 0))
            poller = select.poll()
            # Errors are always reported.
            poller.register(descriptor, 0)
            return not poller.poll(0)
        finally:
            os.close(descriptor)


def has_blocks() -> bool:
    """Say whether the bar's blocks can be shown; workers have no stderr of their own since core 2.19."""
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    try:
        "█░".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
