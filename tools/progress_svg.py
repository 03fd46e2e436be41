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
import threading
import time
import typing

import checkout
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

sys.path.insert(0, str(checkout.ROOT / "tests"))
from simulator import Simulator, accounts

PICTURE = checkout.ROOT / "docs" / "progress.svg"
COLUMNS = 156
PLAYBOOK = "wait.yml"

RESTORE = {
    "id": "866b2273-f5ce-44bd-bc10-949baeb22163",
    "name": "RestoreTaurusInInstanceToExisted",
    "instance_id": "a23fb62bd61e4e9e9636fd2225f395bein07",
}
KAFKA_INSTANCE = "6eec9b2f-2a0c-4a1c-9f52-3f7b4d7e9c51"


class Other(typing.NamedTuple):
    """A task of a further service: the word while it runs, when it ends and how."""

    id: str
    name: str
    running: str
    end: int
    done: str
    instance_id: str | None = None

    @property
    def instance(self) -> dict[str, str]:
        return {"instance_id": self.instance_id} if self.instance_id else {}


OTHERS = {
    "dds": Other("9d10bfd1-affb-49c3-b977-298950a8d6fa", "Create_MongoDB", "Running", 6, "Completed"),
    "kafka": Other(
        "8abfa7b272adc5b40172b73130065ae7", "bindInstancePublicIp", "EXECUTING", 3, "SUCCESS", KAFKA_INSTANCE
    ),
    "ecs": Other("2c9f8ff4-6f2b-4c0e-9c1e-0d2a6b1f7e10", "createServer", "RUNNING", 3, "SUCCESS"),
    "dcs": Other("ff80808272d50b5c0172e48d7d7c2c58", "masterStandbySwapJob", "RUNNING", 6, "SUCCESS"),
    "cce": Other("354331b2-c2e6-11ea-9be4-0255ac1000c3", "CreateCluster", "Running", 9, "Success"),
}

# Seconds since the first poll, progress of each of the steps, seconds that remain. They are far enough apart for slow
# machines to draw the same picture.
COURSE = (
    (0, (40, 0, 0), 12),
    (3, (100, 20, 0), 9),
    (6, (100, 75, 0), 6),
    (9, (100, 100, 50), 3),
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


def steps_of(other: Other) -> list[dict[str, object]]:
    begin: dict[str, object] = {"at": 0, "status": other.running, "progress": 35}
    halfway = [{"at": 3, "status": other.running, "progress": 80}] if other.end > 3 else []
    return [begin, *halfway, {"at": other.end, "status": other.done}]


def add_tasks(simulator: Simulator) -> None:
    simulator.add_task("taurusdb_restore", steps=restore_steps()[:1], **RESTORE)
    for service, other in OTHERS.items():
        simulator.add_task(service, id=other.id, name=other.name, steps=steps_of(other)[:1], **other.instance)


def let_go(simulator: Simulator) -> None:
    """Let the courses of all tasks begin with the first poll, however long Ansible takes to get there."""
    while not simulator.requests():
        time.sleep(0.02)
    simulator.change_task(RESTORE["id"], steps=restore_steps())
    for other in OTHERS.values():
        simulator.change_task(other.id, steps=steps_of(other))


def play(url: str) -> list[dict[str, object]]:
    restore = {"service": "taurusdb_restore", "instance_id": RESTORE["instance_id"], "task_id": RESTORE["id"]}
    tasks = [{"service": service, "task_id": other.id, **other.instance} for service, other in OTHERS.items()]
    options = {
        "endpoint": url,
        "tasks": [{**restore, "task_name": RESTORE["name"]}, *tasks],
        "sleep": 1,
        "max_sleep": 1,
    }
    wait = {"name": "Wait for all that was started", "huaweicloud.tasks.wait_for_task": options}
    return [{"name": "Deploy", "hosts": "localhost", "gather_facts": False, "tasks": [wait]}]


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
        add_tasks(simulator)
        threading.Thread(target=let_go, args=(simulator,), daemon=True).start()
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
