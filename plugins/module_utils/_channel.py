# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's end of the channel to the action plugin, which shows a wait while the module still runs.

The plugin listens on a unix socket and tells the module its address. The module learns from it when the task began, and
sends what it sees as JSON, one document a line. The channel is a leash as well: once the plugin has gone, whatever
killed it, the module ends.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
import types
import typing as t

# What tells an address of the plugin's from a variable ``ansible_socket`` that a user has set.
FOLDER_PREFIX = "huaweicloud.tasks-"
SOCKET_NAME = "socket"
# The plugin answers at once, unless the machine is very busy.
HANDSHAKE_SECONDS = 10.0
STDOUT = 1
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_on_signals() -> None:
    """Let signals end the process like an exit, so that the wrapper that runs a module removes its temporary files."""
    for number in END_SIGNALS:
        # A signal that is ignored, as by nohup, stays so; the leash needs SIGTERM in any case.
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, frame: types.FrameType | None) -> t.NoReturn:
    # One more signal would interrupt the removal of files.
    for other in END_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def start_thread(thread: threading.Thread) -> None:
    """Start a thread that takes none of the signals that end the process.

    Python handles signals in the main thread. If another thread is woken for the second of two, it may take the first
    as well, and the main thread is never interrupted.
    """
    # A thread inherits the mask.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_main_thread() -> None:
    """End the process from another thread; only a signal wakes the main thread from its sleep on every system."""
    signal.pthread_kill(t.cast(int, threading.main_thread().ident), signal.SIGTERM)


class Channel:
    """Sends to the plugin; without a connection what is sent goes nowhere.

    ``started`` is when the task began, by the monotonic clock, which all processes of a machine share.
    """

    def __init__(self, connection: socket.socket | None = None, started: float | None = None) -> None:
        self._connection = connection
        self.started = time.monotonic() if started is None else started

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def send(self, message: dict[str, t.Any]) -> None:
        """Send one message."""
        if self._connection is None:
            return
        # When the plugin has gone the leash ends the process.
        with contextlib.suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")


def open_channel(address: str | None, end: t.Callable[[], None] = end_main_thread) -> Channel:
    """Connect to the plugin at the address that came with the module's options, if it is one of the plugin's.

    From then on ``end`` is called, by another thread, once the plugin has gone.
    """
    if not address or not os.path.basename(os.path.dirname(address)).startswith(FOLDER_PREFIX):
        return Channel()
    connected = _connect(address)
    if connected is None:
        # The user that the module runs as may see another /tmp. Who reads its result is there as long as the plugin.
        _start(lambda: _until_unread(STDOUT), end)
        return Channel()
    connection, started = connected
    _start(lambda: _until_closed(connection), end)
    return Channel(connection, started)


def _connect(address: str) -> tuple[socket.socket, float] | None:
    # The last part is no file: it proves to the plugin that it talks with its module.
    folder, key = os.path.split(address)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(HANDSHAKE_SECONDS)
    try:
        connection.connect(os.path.join(folder, SOCKET_NAME))
        connection.sendall(key.encode() + b"\n")
        started = float(_line(connection))
    except (OSError, ValueError) as error:
        connection.close()
        if isinstance(error, ConnectionRefusedError):
            # The plugin was killed, and could not remove it.
            remove_folder(folder)
        return None
    connection.settimeout(None)
    return connection, started


def remove_folder(folder: str) -> None:
    """Remove the folder of a socket, as far as it is there."""
    for remove, path in ((os.unlink, os.path.join(folder, SOCKET_NAME)), (os.rmdir, folder)):
        with contextlib.suppress(OSError):
            remove(path)


def _line(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as reader:
        return reader.readline()


def _start(until_gone: t.Callable[[], None], end: t.Callable[[], None]) -> None:
    def hold() -> None:
        until_gone()
        end()

    start_thread(threading.Thread(target=hold, daemon=True))


def _until_closed(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


def _until_unread(descriptor: int) -> None:
    """Return once nobody reads a pipe any more."""
    poller = select.poll()
    # Errors are always reported.
    poller.register(descriptor, 0)
    poller.poll()
