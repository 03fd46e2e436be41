# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks/demo.yml against the simulator, which lives only as long as the playbook."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time

import checkout

PATIENCE = 30  # seconds for the simulator to listen


def start_simulator(port_file: pathlib.Path, env: dict[str, str]) -> subprocess.Popen[str]:
    options = ["--port", "0", "--port-file", str(port_file), "--quiet", "--exit-with-parent"]
    command = [sys.executable, "-m", "simulator", *options]
    return subprocess.Popen(command, cwd=checkout.ROOT / "tests", env=env, text=True, start_new_session=True)


def wait_for_port(simulator: subprocess.Popen[str], port_file: pathlib.Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if simulator.poll() is not None:
            raise SystemExit(f"The simulator ended with status {simulator.returncode} before it listened.")
        if port_file.exists() and (text := port_file.read_text(encoding="utf-8").strip()):
            return int(text)
        time.sleep(0.05)
    raise SystemExit(f"The simulator did not listen within {PATIENCE} seconds.")


def play(port: int, env: dict[str, str]) -> int:
    command = [
        str(checkout.BIN / "ansible-playbook"),
        str(checkout.ROOT / "playbooks" / "demo.yml"),
        "--extra-vars",
        f"simulator_url=http://127.0.0.1:{port}",
        *sys.argv[1:],
    ]
    with checkout.stopping(subprocess.Popen(command, env=env, text=True, start_new_session=True)) as playbook:
        return playbook.wait()


def main() -> int:
    checkout.end_on_signals()
    with checkout.scratch() as folder:
        env = checkout.environment(folder, checkout.ROOT / ".venv" / "collections")
        port_file = folder / "port"
        with checkout.stopping(start_simulator(port_file, env)) as simulator:
            return play(wait_for_port(simulator, port_file), env)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
