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
import types
import typing as t
from pathlib import Path

import pytest

from ansible_collections.huaweicloud.tasks.plugins.plugin_utils._terminal import has_blocks, is_read


def stderr_of(descriptor: int) -> subprocess.Popen[bytes]:
    """A process with this as its standard error stream."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stderr=descriptor)
    os.close(descriptor)
    return process


def check(descriptor: int, close: t.Callable[[], None]) -> list[bool]:
    """Whether it is read, before and after its reader has gone."""
    process = stderr_of(descriptor)
    try:
        before = is_read(process.pid)
        close()
        return [before, is_read(process.pid)]
    finally:
        process.kill()
        process.wait()


def test_pipe() -> None:
    reader, writer = os.pipe()
    assert check(writer, lambda: os.close(reader)) == [True, False]


def test_terminal() -> None:
    master, slave = pty.openpty()
    assert check(slave, lambda: os.close(master)) == [True, False]


def test_file(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("kept")
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_APPEND)
    assert check(descriptor, lambda: None) == [True, True]
    assert (tmp_path / "log").read_text() == "kept"


def test_socket() -> None:
    """As under systemd; it tells nothing."""
    ours, theirs = socket.socketpair()
    assert check(theirs.detach(), lambda: None) == [True, True]
    ours.close()


def test_no_such_process() -> None:
    """As on a system without /proc."""
    assert is_read(2**30)


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("no-such-one", False)]
)
def test_blocks(monkeypatch: pytest.MonkeyPatch, encoding: str, can: bool) -> None:
    monkeypatch.setattr(sys, "__stderr__", types.SimpleNamespace(encoding=encoding))
    assert has_blocks() is can
