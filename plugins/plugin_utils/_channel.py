# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugin's end of the channel to a module that waits on the same machine.

A thread reads what the module sends while the plugin runs it. The socket lies in a private folder, and only until
the module has connected: whatever is killed later leaves nothing behind.

PRIVATE to the collection: it may change without notice.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import multiprocessing
import os
import secrets
import selectors
import signal
import socket
import threading
import types
import typing as t

from ..module_utils._channel import END_SIGNALS, FOLDER_PREFIX, SOCKET_NAME, remove_folder, start_thread

HANDSHAKE_SECONDS = 1.0
MAX_KEY_BYTES = 100
# How often it is checked whether Ansible itself is still there.
IDLE_SECONDS = 1.0
# What the module may take to end once it was told to.
PATIENCE_SECONDS = 5.0


class Listener(t.Protocol):
    """What a channel calls, always from its own thread."""

    def on_connect(self) -> None:
        """The module runs."""

    def on_message(self, message: dict[str, t.Any]) -> None:
        """The module has sent something."""

    def on_idle(self) -> None:
        """Some time has passed, a second at most."""


def ansible_pid() -> int:
    """Return the id of the process that has started this one, its worker, even if it has ended meanwhile."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent and parent.pid else os.getppid()


class Channel:
    """Listens for the one module that knows its address. `close` must follow, even where `open` was interrupted."""

    def __init__(
        self, parents: t.Iterable[str], listener: Listener, *, started: float, other_user: bool = False
    ) -> None:
        """``parents`` are folders to try for the socket; ``other_user``: the module runs as another user."""
        self._parents = list(parents)
        self._listener = listener
        self._started = started
        self._other_user = other_user
        self._ansible = ansible_pid()
        self._key = secrets.token_hex(16)
        self._folder = FOLDER_PREFIX
        self._server: socket.socket | None = None
        self._connection: socket.socket | None = None
        self._waker, self._wakened = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        """What the module connects by. Its last part is a secret: names of sockets are shown to every user."""
        return os.path.join(self._folder, self._key)

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def open(self) -> bool:
        """Begin to listen; false where no folder could be made."""
        for parent in self._parents:
            # Named before it is made, so that `close` knows of it in any case.
            self._folder = os.path.join(parent, FOLDER_PREFIX + secrets.token_hex(8))
            try:
                self._listen()
            except OSError:
                self.remove_folder()
                continue
            start_thread(self._thread)
            return True
        return False

    def _listen(self) -> None:
        os.mkdir(self._folder, 0o700)
        path = os.path.join(self._folder, SOCKET_NAME)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        if self._other_user:
            os.chmod(self._folder, 0o711)
            os.chmod(path, 0o666)
        self._server.listen()

    def close(self) -> None:
        """Tell the module to end, read what it still sends, and leave nothing behind."""
        self.remove_folder()
        self._waker.close()
        if self._thread.ident is None:
            return
        self._thread.join(PATIENCE_SECONDS)
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            self._thread.join(PATIENCE_SECONDS)

    def _cut(self) -> None:
        """Let go of the leash; what the module has sent can still be read."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_WR)

    def remove_folder(self) -> None:
        """Remove what the module needs to connect."""
        remove_folder(self._folder)

    def _serve(self) -> None:
        server = t.cast(socket.socket, self._server)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._wakened, selectors.EVENT_READ)
                if self._accept(selector, server):
                    self._read(selector, t.cast(socket.socket, self._connection))
        finally:
            server.close()
            if self._connection is not None:
                self._connection.close()

    def _accept(self, selector: selectors.BaseSelector, server: socket.socket) -> bool:
        """Wait for the module; false where the wait was closed before."""
        with server:
            selector.register(server, selectors.EVENT_READ)
            while self._connection is None:
                if not self._wait(selector, server):
                    return False
                self._connection = self._greet(server.accept()[0])
            selector.unregister(server)
        self.remove_folder()
        self._listener.on_connect()
        return True

    def _greet(self, connection: socket.socket) -> socket.socket | None:
        """Return the connection if it is the module's."""
        connection.settimeout(HANDSHAKE_SECONDS)
        try:
            with connection.makefile("rb") as reader:
                key = reader.readline(MAX_KEY_BYTES).strip()
            if hmac.compare_digest(key, self._key.encode()):
                connection.sendall(f"{self._started}\n".encode())
                connection.settimeout(None)
                return connection
        except OSError:
            pass
        connection.close()
        return None

    def _read(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        """Read messages to the end of the module."""
        selector.register(connection, selectors.EVENT_READ)
        rest = b""
        while self._wait(selector, connection):
            try:
                received = connection.recv(65536)
            except OSError:
                return
            if not received:
                return
            *lines, rest = (rest + received).split(b"\n")
            for line in lines:
                self._listener.on_message(json.loads(line))

    def _wait(self, selector: selectors.BaseSelector, wanted: socket.socket) -> bool:
        """Return true once there is something to read, false where the channel is closed and nobody came."""
        while True:
            ready = [key.fileobj for key, dummy in selector.select(IDLE_SECONDS)]
            if self._wakened in ready:
                if self._connection is None:
                    return False
                selector.unregister(self._wakened)
                self._cut()
            # A killed Ansible leaves this process behind, and with it the module.
            if os.getppid() != self._ansible:
                self._cut()
            self._listener.on_idle()
            if wanted in ready:
                return True


@contextlib.contextmanager
def before_signals_end(clean: t.Callable[[], None]) -> t.Iterator[None]:
    """Call ``clean`` before a signal ends this process: the workers of Ansible end without a last word."""
    before: dict[int, t.Any] = {}
    cleaning: list[int] = []

    def end(number: int, frame: types.FrameType | None) -> None:
        # After Ctrl-C Ansible sends one signal after the other; the first goes on.
        if cleaning:
            return
        cleaning.append(number)
        clean()
        cleaning.clear()
        # Ansible's own handler would send the signal to the module as well, which could not remove what it is unpacking
        # then. The module ends by itself, since its plugin has gone.
        is_interrupt = before[number] is signal.default_int_handler
        signal.signal(number, before[number] if is_interrupt else signal.SIG_DFL)
        os.kill(os.getpid(), number)

    # Only the main thread can, which is where workers run action plugins.
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in END_SIGNALS}
    try:
        for number, handler in before.items():
            if handler not in (signal.SIG_IGN, None):
                signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
