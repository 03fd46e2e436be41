# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw docs/progress.svg: what a play that waits really prints on a terminal, against the simulator."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios

import checkout
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

sys.path.insert(0, str(checkout.ROOT / "tests"))
from simulator import Simulator, accounts

PICTURE = checkout.ROOT / "docs" / "progress.svg"
COLUMNS = 148
PLAYBOOK = "wait.yml"

RESTORE = {
    "id": "866b2273-f5ce-44bd-bc10-949baeb22163",
    "name": "RestoreTaurusInInstanceToExisted",
    "instance_id": "a23fb62bd61e4e9e9636fd2225f395bein07",
}
CREATION = {"id": "9d10bfd1-affb-49c3-b977-298950a8d6fa", "name": "Create_MongoDB"}

# Seconds, progress of each of the steps, seconds that remain. They are far enough apart for slow machines
# to draw the same picture.
COURSE = (
    (0, (40, 0, 0), 780),
    (3, (100, 20, 0), 600),
    (6, (100, 75, 0), 210),
    (9, (100, 100, 50), 45),
)
END = 12


def parts(progress: tuple[int, ...], remaining: int) -> list[dict[str, object]]:
    """The restore's steps, as the simulator takes them."""
    words = {0: "Pending", 100: "complete"}
    return [
        {"name": name, "progress": percent, "status": words.get(percent, "Running"), "remaining": remaining}
        for name, percent in zip(("INIT", "RESTORE", "START"), progress)
    ]


def restore_steps() -> list[dict[str, object]]:
    running = [
        {"at": at, "status": "Running", "sub_tasks": parts(progress, remaining)} for at, progress, remaining in COURSE
    ]
    return [*running, {"at": END, "status": "complete", "sub_tasks": parts((100, 100, 100), 0)}]


def creation_steps() -> list[dict[str, object]]:
    return [
        {"at": 0, "status": "Running", "progress": 35},
        {"at": 3, "status": "Running", "progress": 80},
        {"at": 6, "status": "Completed"},
    ]


def play(url: str) -> list[dict[str, object]]:
    restore = {"service": "taurusdb_restore", "instance_id": RESTORE["instance_id"], "task_id": RESTORE["id"]}
    options = {
        "endpoint": url,
        "tasks": [{**restore, "task_name": RESTORE["name"]}, {"service": "dds", "task_id": CREATION["id"]}],
        "sleep": 1,
        "max_sleep": 1,
    }
    task = {"name": "Wait for the restore and the new instance", "huaweicloud.tasks.wait_for_task": options}
    return [{"name": "Deploy", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]


def environment(folder: pathlib.Path) -> dict[str, str]:
    return checkout.environment(folder, checkout.ROOT / ".venv" / "collections") | {
        "ANSIBLE_FORCE_COLOR": "true",
        "HW_AUTH_TOKEN": accounts.TOKEN,
        "HW_PROJECT_ID": accounts.PROJECT_ID,
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm-256color",
    }


def read_all(descriptor: int) -> str:
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError as error:
            # The last process has closed the other end.
            if error.errno != errno.EIO:
                raise
            chunk = b""
        if not chunk:
            return b"".join(chunks).decode()
        chunks.append(chunk)


def perform(folder: pathlib.Path) -> str:
    """Run the play on a terminal; return what appeared there."""
    with Simulator() as simulator:
        (folder / PLAYBOOK).write_text(json.dumps(play(simulator.url)), encoding="utf-8")
        simulator.add_task("taurusdb_restore", steps=restore_steps(), **RESTORE)
        simulator.add_task("dds", steps=creation_steps(), **CREATION)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        command = [str(checkout.BIN / "ansible-playbook"), PLAYBOOK]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            text=True,
        )
        os.close(theirs)
        with checkout.stopping(process):
            output = read_all(ours)
            if process.wait():
                raise SystemExit(f"{output}\nThe play has failed.")
        return output


def draw(output: str) -> str:
    console = Console(
        record=True,
        file=io.StringIO(),
        width=COLUMNS,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    console.print(Text(f"$ ansible-playbook {PLAYBOOK}", style="bold"))
    console.print(Text.from_ansi(output.replace("\r\n", "\n").rstrip("\n")))
    svg = console.export_svg(
        title="Live progress of huaweicloud.tasks.wait_for_task", theme=MONOKAI, unique_id="progress"
    )
    # No picture should fetch a font from elsewhere: every machine has one of fixed width.
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, Consolas").replace("arial", "arial, sans-serif")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> int:
    checkout.end_on_signals()
    with checkout.scratch() as folder:
        output = perform(folder)
    PICTURE.write_text(draw(output), encoding="utf-8")
    print(f"Wrote {PICTURE.relative_to(checkout.ROOT)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
