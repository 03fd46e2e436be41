# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether lines can be shown, and by which characters."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import threading
import types
import typing as t
from pathlib import Path

import pytest
from ansible import constants as C

from ansible_collections.huaweicloud.tasks.plugins.plugin_utils import _terminal
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._progress import BAD, LAST, PLAIN
from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._terminal import Terminal, has_blocks


def stderr_of(descriptor: int) -> subprocess.Popen[bytes]:
    """A process with this as its standard error stream."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stderr=descriptor)
    os.close(descriptor)
    return process


@pytest.fixture(name="shown")
def fixture_shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    shown: list[tuple[str, str | None]] = []

    class Shown:
        def display(self, line: str, color: str | None, stderr: bool) -> None:
            assert stderr
            shown.append((line, color))

    monkeypatch.setattr(_terminal, "Display", Shown)
    return shown


class Check:
    """Whether lines are shown before and after the reader has gone."""

    def __init__(self, shown: list[tuple[str, str | None]]) -> None:
        self._shown = shown

    def __call__(self, descriptor: int, close: t.Callable[[], None]) -> list[bool]:
        process = stderr_of(descriptor)
        try:
            terminal = Terminal(process.pid, mute=False)
            return [self._shows(terminal), close() or self._shows(terminal)]  # type: ignore[func-returns-value]
        finally:
            process.kill()
            process.wait()

    def _shows(self, terminal: Terminal) -> bool:
        before = len(self._shown)
        terminal.show("line", PLAIN)
        return len(self._shown) > before


@pytest.fixture(name="check")
def fixture_check(shown: list[tuple[str, str | None]]) -> Check:
    return Check(shown)


def test_pipe(check: Check) -> None:
    reader, writer = os.pipe()
    assert check(writer, lambda: os.close(reader)) == [True, False]


def test_terminal(check: Check) -> None:
    master, slave = pty.openpty()
    assert check(slave, lambda: os.close(master)) == [True, False]


def test_file(check: Check, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("kept")
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_APPEND)
    assert check(descriptor, lambda: None) == [True, True]
    assert (tmp_path / "log").read_text() == "kept"


def test_socket(check: Check) -> None:
    """As under systemd; it tells nothing."""
    ours, theirs = socket.socketpair()
    assert check(theirs.detach(), lambda: None) == [True, True]
    ours.close()


def test_a_reader_that_goes_after_one_line(shown: list[tuple[str, str | None]]) -> None:
    """As head does; the next line comes at once."""
    reader, writer = os.pipe()
    process = stderr_of(writer)
    terminal = Terminal(process.pid, mute=False)
    threading.Timer(0.02, os.close, [reader]).start()
    for dummy in range(3):
        terminal.show("line", PLAIN)
    process.kill()
    process.wait()
    assert len(shown) == 1


def test_a_reader_that_comes_back_is_told_no_more(shown: list[tuple[str, str | None]], tmp_path: Path) -> None:
    """Of a half of the lines nobody makes sense."""
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    process = stderr_of(os.open(tmp_path / "fifo", os.O_WRONLY))
    terminal = Terminal(process.pid, mute=False)
    os.close(reader)
    terminal.show("line", PLAIN)
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    terminal.show("line", PLAIN)
    os.close(reader)
    process.kill()
    process.wait()
    assert shown == []


def test_no_such_process(shown: list[tuple[str, str | None]]) -> None:
    """As on a system without /proc."""
    Terminal(2**30, mute=False).show("line", BAD)
    assert shown == [("line", C.COLOR_ERROR)]


def last_words(descriptor: int, reader: int, *, mute: bool = False) -> str:
    """What arrives at the reader of a process whose wait is interrupted."""
    process = stderr_of(descriptor)
    Terminal(process.pid, mute=mute).show("last", LAST)
    process.kill()
    process.wait()
    return os.read(reader, 100).decode()


def test_the_last_line_is_not_left_to_ansible(shown: list[tuple[str, str | None]], tmp_path: Path) -> None:
    """It takes none any more when it ends its workers."""
    reader, writer = os.pipe()
    assert last_words(writer, reader) == "last\n"
    master, slave = pty.openpty()
    assert last_words(slave, master) == "\r\nlast\r\n"
    (tmp_path / "log").write_text("kept, ")
    log = os.open(tmp_path / "log", os.O_RDWR)
    assert last_words(os.dup(log), log) == "kept, last\n"
    assert shown == []


def test_the_last_line_in_a_log_is_where_ansible_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ansible's next line comes after it, also where the shell did not open the file to append to it."""
    log = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    os.write(log, b"first\n")
    duplicate = os.dup(log)
    monkeypatch.setattr(_terminal, "LOG", duplicate)
    process = stderr_of(os.dup(log))
    Terminal(process.pid, mute=False).show("last", LAST)
    process.kill()
    process.wait()
    os.write(log, b"Ansible's\n")
    os.close(log)
    os.close(duplicate)
    assert (tmp_path / "log").read_text() == "first\nlast\nAnsible's\n"


def test_a_log_of_another_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(_terminal, "LOG", other)
    reader, writer = os.pipe()
    assert last_words(writer, reader) == "last\n"
    os.close(other)
    assert (tmp_path / "other").read_text() == ""


def test_a_last_line_that_nobody_can_read() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        last_words(os.dup(writer), reader, mute=True)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        last_words(os.dup(theirs.fileno()), ours.fileno())
    Terminal(2**30, mute=False).show("last", LAST)


def test_mute(shown: list[tuple[str, str | None]]) -> None:
    Terminal(os.getpid(), mute=True).show("line", PLAIN)
    assert shown == []


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("no-such-one", False)]
)
def test_blocks(monkeypatch: pytest.MonkeyPatch, encoding: str, can: bool) -> None:
    monkeypatch.setattr(sys, "__stderr__", types.SimpleNamespace(encoding=encoding))
    assert has_blocks() is can
