# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's end of the channel: what it connects to, what it sends, and that it ends with the plugin."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils import _channel
from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import (
    END_SIGNALS,
    FOLDER_PREFIX,
    SOCKET_NAME,
    open_channel,
)

PATIENCE = 10
KEY = "k" * 32


class Plugin:
    """Plays the plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"{FOLDER_PREFIX}1"
        self.folder.mkdir()
        self.address = str(self.folder / KEY)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(self.folder / SOCKET_NAME))
        self.server.listen()
        self.server.settimeout(PATIENCE)
        self.connection: socket.socket | None = None

    def accept(self, hello: bytes = b"5.0\n") -> bytes:
        self.connection, dummy = self.server.accept()
        self.connection.settimeout(PATIENCE)
        key = self.connection.recv(1000)
        self.connection.sendall(hello)
        return key

    def close(self) -> None:
        self.server.close()
        if self.connection:
            self.connection.close()


@pytest.fixture(name="plugin")
def fixture_plugin() -> Iterator[Plugin]:
    # The paths of pytest are too long for a socket on some systems.
    with tempfile.TemporaryDirectory() as folder:
        plugin = Plugin(Path(folder))
        yield plugin
        plugin.close()


class Module:
    """A channel that is being opened, and whether it was told to end."""

    def __init__(self, address: str) -> None:
        self.told = threading.Event()
        self.channel: _channel.Channel | None = None
        self._thread = threading.Thread(target=self._open, args=[address], daemon=True)
        self._thread.start()

    def _open(self, address: str) -> None:
        self.channel = open_channel(address, self.told.set)

    def opened(self) -> _channel.Channel:
        self._thread.join(PATIENCE)
        assert self.channel is not None
        return self.channel


@pytest.mark.parametrize("address", [None, "", "x", "/run/ansible/pc/1f2e", f"/tmp/{FOLDER_PREFIX}1"])
def test_what_is_no_address_of_the_plugin(address: str | None) -> None:
    """Network connections, and users, set ansible_socket, too."""
    channel = open_channel(address, lambda: None)
    assert not channel.connected
    channel.send({"a": 1})


def test_messages(plugin: Plugin) -> None:
    module = Module(plugin.address)
    assert plugin.accept() == f"{KEY}\n".encode()
    channel = module.opened()
    assert channel.connected
    assert channel.started == 5.0
    messages = [{"text": "a\nb \ud800 é", "number": 1}, {"null": None}]
    for message in messages:
        channel.send(message)
    assert plugin.connection
    received = plugin.connection.recv(10_000).splitlines()
    assert [json.loads(line) for line in received] == messages
    assert not module.told.is_set()


@pytest.mark.parametrize("how", ["close", "shutdown"])
def test_end_of_the_plugin(plugin: Plugin, how: str) -> None:
    module = Module(plugin.address)
    plugin.accept()
    channel = module.opened()
    assert plugin.connection
    if how == "close":
        plugin.connection.close()
    else:
        # The plugin still reads what the module has to say.
        plugin.connection.shutdown(socket.SHUT_WR)
    assert module.told.wait(PATIENCE)
    for dummy in range(3):
        channel.send({"text": "x" * 100_000 if how == "close" else "x"})


def test_the_leash_takes_no_signal(plugin: Plugin) -> None:
    blocked: queue.Queue[set[int]] = queue.Queue()
    opening = threading.Thread(
        target=open_channel,
        args=[plugin.address, lambda: blocked.put(set(signal.pthread_sigmask(signal.SIG_BLOCK, [])))],
        daemon=True,
    )
    opening.start()
    plugin.accept()
    opening.join(PATIENCE)
    plugin.close()
    assert blocked.get(timeout=PATIENCE) >= set(END_SIGNALS)


@pytest.mark.parametrize("hello", [b"", b"\n", b"soon\n", b"\xff\n"])
def test_odd_answer(plugin: Plugin, hello: bytes) -> None:
    """The wait goes on without a channel: a wait that is not shown is better than none."""
    module = Module(plugin.address)
    plugin.accept(hello)
    assert plugin.connection
    plugin.connection.close()
    assert not module.opened().connected


def test_nobody_listens(plugin: Plugin) -> None:
    """The plugin was killed: what it left is removed."""
    plugin.server.close()
    assert not open_channel(plugin.address, lambda: None).connected
    assert not plugin.folder.exists()


# Real processes: how a module ends

SCRIPT = """
import sys, time
from ansible_collections.huaweicloud.tasks.plugins.module_utils import _channel
_channel.end_on_signals()
try:
    channel = _channel.open_channel(sys.argv[1])
    print(channel.connected, flush=True)
    time.sleep(60)
finally:
    time.sleep(0.3)
    open(sys.argv[2], "w").close()
"""


class Process:
    def __init__(self, address: str, folder: Path, *, wrapper: t.Sequence[str] = ()) -> None:
        self.cleaned = folder / "cleaned"
        command = [*wrapper, sys.executable, "-c", SCRIPT, address, str(self.cleaned)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)

    def line(self) -> bytes:
        assert self.popen.stdout
        return self.popen.stdout.readline()


@pytest.fixture(name="start")
def fixture_start(tmp_path: Path) -> Iterator[t.Callable[..., Process]]:
    started: list[Process] = []

    def start(address: str = "", **given: t.Any) -> Process:
        started.append(Process(address, tmp_path, **given))
        return started[-1]

    yield start
    for process in started:
        process.popen.kill()
        process.popen.wait()
        assert process.popen.stdout
        process.popen.stdout.close()


@pytest.mark.parametrize("number", END_SIGNALS)
def test_signals(start: t.Callable[..., Process], number: signal.Signals) -> None:
    """Each ends the process at once, with its files removed, even if more signals follow."""
    process = start()
    assert process.line() == b"False\n"
    process.popen.send_signal(number)
    for again in (number, signal.SIGTERM):
        with pytest.raises(subprocess.TimeoutExpired):
            process.popen.wait(0.1)
        process.popen.send_signal(again)
    assert process.popen.wait(PATIENCE) == 128 + number
    assert process.cleaned.exists()


def test_nohup(start: t.Callable[..., Process]) -> None:
    process = start(wrapper=["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"])
    process.line()
    process.popen.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.popen.wait(0.5)


def test_leash(plugin: Plugin, start: t.Callable[..., Process]) -> None:
    process = start(plugin.address)
    plugin.accept()
    assert process.line() == b"True\n"
    plugin.close()
    assert process.popen.wait(PATIENCE) == 128 + signal.SIGTERM
    assert process.cleaned.exists()


def test_leash_without_a_connection(plugin: Plugin, start: t.Callable[..., Process]) -> None:
    """As where become gives the module a /tmp of its own: who reads its result holds it."""
    plugin.server.close()
    process = start(plugin.address)
    assert process.line() == b"False\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.popen.wait(0.3)
    assert process.popen.stdout
    process.popen.stdout.close()
    assert process.popen.wait(PATIENCE) == 128 + signal.SIGTERM
