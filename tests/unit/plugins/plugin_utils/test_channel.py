# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plugin's end of the channel: whom it lets in, what it passes on, and that it leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import socket
import stat
import tempfile
import threading
import time
import typing as t
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.module_utils._channel import (
    END_SIGNALS,
    FOLDER_PREFIX,
    SOCKET_NAME,
    open_channel,
)
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils import _channel
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._channel import (
    Channel,
    ansible_pid,
    before_signals_end,
)

PATIENCE = 10
# As Ansible starts its workers.
FORK = multiprocessing.get_context("fork")


class Listener:
    def __init__(self) -> None:
        self.blocked: set[int] = set()
        self.connected = threading.Event()
        self.messages: queue.Queue[dict[str, t.Any]] = queue.Queue()
        self.idle = threading.Event()

    def on_connect(self) -> None:
        self.blocked = set(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        self.connected.set()

    def on_message(self, message: dict[str, t.Any]) -> None:
        self.messages.put(message)

    def on_idle(self) -> None:
        self.idle.set()


@pytest.fixture(name="folder")
def fixture_folder() -> Iterator[Path]:
    # The paths of pytest are too long for a socket on some systems.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(name="listener")
def fixture_listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    monkeypatch.setattr(_channel, "IDLE_SECONDS", 0.05)
    return Listener()


@pytest.fixture(name="channel")
def fixture_channel(folder: Path, listener: Listener) -> Iterator[Channel]:
    channel = Channel([str(folder)], listener, started=5.0)
    assert channel.open()
    yield channel
    channel.close()
    assert os.listdir(folder) == []


class Module:
    """A module that has connected."""

    def __init__(self, channel: Channel) -> None:
        self.told = threading.Event()
        self.channel = open_channel(channel.address, self._end)

    def _end(self) -> None:
        self.told.set()
        # As the end of its process would.
        self.channel._connection.close()  # type: ignore[union-attr]


def test_messages(channel: Channel, listener: Listener, folder: Path) -> None:
    module = Module(channel)
    assert module.channel.started == 5.0
    messages = [{"number": number, "text": "é" * 100_000} for number in range(3)]
    for message in messages:
        module.channel.send(message)
    assert [listener.messages.get(timeout=PATIENCE) for dummy in messages] == messages
    assert listener.connected.is_set()
    assert os.listdir(folder) == []


def test_close_ends_the_module(channel: Channel, listener: Listener) -> None:
    module = Module(channel)
    module.channel.send({"last": 1})
    channel.close()
    assert module.told.wait(PATIENCE)
    assert listener.messages.get(timeout=PATIENCE) == {"last": 1}
    channel.close()


def test_close_does_not_wait_for_a_module_that_never_came(channel: Channel) -> None:
    began = time.monotonic()
    channel.close()
    assert time.monotonic() - began < 2


def test_close_gives_up(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that hangs does not hold the plugin."""
    monkeypatch.setattr(_channel, "PATIENCE_SECONDS", 0.2)
    told = threading.Event()
    held = open_channel(channel.address, told.set)
    channel.close()
    assert told.wait(PATIENCE)
    assert held.connected


def test_close_after_an_interrupted_open(folder: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyword timeout strikes anywhere."""

    class StruckError(BaseException):
        pass

    def strike(*dummy: t.Any) -> None:
        raise StruckError

    monkeypatch.setattr(threading.Thread, "start", strike)
    channel = Channel([str(folder)], listener, started=5.0)
    with pytest.raises(StruckError):
        channel.open()
    assert os.listdir(folder) != []
    channel.close()
    assert os.listdir(folder) == []


def test_a_foreign_process_is_turned_away(channel: Channel, listener: Listener, folder: Path) -> None:
    """Every user sees the names of sockets, but only the module knows the key."""
    (name,) = os.listdir(folder)
    for sent in (b"", b"wrong\n", name.encode() + b"\n", b"\xff" * 1000):
        with socket.socket(socket.AF_UNIX) as foreign:
            foreign.settimeout(PATIENCE)
            foreign.connect(str(folder / name / SOCKET_NAME))
            foreign.sendall(sent)
            foreign.shutdown(socket.SHUT_WR)
            assert foreign.recv(100) == b""
    assert not listener.connected.is_set()
    assert os.path.basename(channel.address) not in name
    assert Module(channel).channel.connected


def test_one_module_only(channel: Channel) -> None:
    assert Module(channel).channel.connected
    assert not open_channel(channel.address, lambda: None).connected


@pytest.mark.parametrize("other_user", [False, True])
def test_who_may_connect(folder: Path, listener: Listener, other_user: bool) -> None:
    channel = Channel([str(folder)], listener, started=0, other_user=other_user)
    assert channel.open()
    private = Path(channel.address).parent
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (private, private / SOCKET_NAME)]
    assert modes[0] == (0o711 if other_user else 0o700)
    assert modes[1] == 0o666 or not other_user
    channel.close()


def test_folders_that_cannot_be_used_are_passed_over(folder: Path, listener: Listener) -> None:
    (folder / "file").touch()
    long = folder / ("x" * 120)
    long.mkdir()
    channel = Channel([str(folder / "none"), str(folder / "file"), str(long), str(folder)], listener, started=0)
    assert channel.open()
    assert Path(channel.address).parents[1] == folder
    assert Module(channel).channel.connected
    channel.close()
    assert os.listdir(long) == []


def test_no_folder_to_be_had(folder: Path, listener: Listener) -> None:
    channel = Channel([str(folder / "none")], listener, started=0)
    assert not channel.open()
    # The module takes it for the plugin's, and goes on without it.
    assert Path(channel.address).parent.name.startswith(FOLDER_PREFIX)
    assert not open_channel(channel.address, lambda: None).connected
    channel.close()


def test_ansible_is_killed(channel: Channel, listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker lives on with another parent, and with it the module."""
    module = Module(channel)
    assert listener.connected.wait(PATIENCE)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert module.told.wait(PATIENCE)


def test_ansible_is_killed_before_the_module_runs(
    channel: Channel, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getppid", lambda: 1)
    listener.idle.clear()
    assert listener.idle.wait(PATIENCE)
    assert Module(channel).told.wait(PATIENCE)


def test_idle_while_the_module_is_silent(channel: Channel, listener: Listener) -> None:
    Module(channel)
    for dummy in range(3):
        listener.idle.clear()
        assert listener.idle.wait(PATIENCE)


# Signals


def worker(connection: Connection, number: signal.Signals) -> None:
    """Ends by a signal as a worker of Ansible does, whose handler sends it to its whole group."""
    os.setsid()
    signal.signal(number, lambda *dummy: os.killpg(0, signal.SIGKILL))
    with before_signals_end(lambda: connection.send("clean")):
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cleans_before_it_ends(number: signal.Signals) -> None:
    """The module is not told by it: it may not be able to remove its files yet."""
    here, there = FORK.Pipe()
    process = FORK.Process(target=worker, args=(there, number))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -number
    assert here.recv() == "clean"


def hasty_worker(connection: Connection) -> None:
    def clean() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        connection.send("clean")

    with before_signals_end(clean):
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(PATIENCE)


def test_a_second_signal_does_not_cut_the_cleaning_short() -> None:
    here, there = FORK.Pipe()
    process = FORK.Process(target=hasty_worker, args=(there,))
    process.start()
    there.close()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGHUP
    assert here.recv() == "clean"
    with pytest.raises(EOFError):
        here.recv()


def test_an_interrupt_is_passed_on() -> None:
    done: list[str] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), before_signals_end(lambda: done.append("clean")):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(PATIENCE)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == ["clean"]


def orphan(connection: Connection, ansible: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while os.getppid() == ansible and time.monotonic() < deadline:
        time.sleep(0.01)
    connection.send(ansible_pid())


def ansible(connection: Connection) -> None:
    """Starts a worker, and is killed at once."""
    FORK.Process(target=orphan, args=(connection, os.getpid())).start()
    connection.send(os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


def test_ansible_is_killed_before_its_worker_begins() -> None:
    here, there = FORK.Pipe()
    process = FORK.Process(target=ansible, args=(there,))
    process.start()
    process.join(PATIENCE)
    pid = here.recv()
    assert pid == process.pid
    assert here.poll(PATIENCE)
    assert here.recv() == pid


def test_an_ignored_signal_stays_ignored() -> None:
    """As by nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with before_signals_end(lambda: pytest.fail("cleaned")):
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.05)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_thread_that_reads_takes_no_signal(channel: Channel, listener: Listener) -> None:
    """With one of two in a row it could take the other, and the main thread would sleep on."""
    Module(channel)
    assert listener.connected.wait(PATIENCE)
    assert listener.blocked >= set(END_SIGNALS)


def test_signals_in_another_thread() -> None:
    """Where an action plugin runs in one, nothing can be done."""
    done = threading.Event()

    def run() -> None:
        with before_signals_end(lambda: None):
            done.set()

    threading.Thread(target=run).start()
    assert done.wait(PATIENCE)
