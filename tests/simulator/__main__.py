# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as a program: python -m simulator."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from . import accounts
from .simulator import Simulator

PARENT_INTERVAL = 0.25


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="simulator", description="A simulator of Huawei Cloud's task APIs.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--port-file", type=Path, help="write the port to this file once the server listens")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when the parent process is gone")
    return parser.parse_args()


def greeting(url: str) -> str:
    """What to know for a first try."""
    return f"""\
Simulator of Huawei Cloud's task APIs: {url}
Endpoints: {url}/taurusdb  {url}/dds  {url}/kafka  {url}/iam  {url}/metadata
           and {url}/SERVICE for every other service
Demo credentials, valid only here:
  region          {accounts.REGION}
  project_id      {accounts.PROJECT_ID}
  auth_token      {accounts.TOKEN}
  access_key      {accounts.ACCESS_KEY}
  secret_key      {accounts.SECRET_KEY}
  username        {accounts.USERNAME}
  password        {accounts.PASSWORD}
  domain_name     {accounts.DOMAIN_NAME}
Create a task which takes 30 seconds, then ask for it:
  curl -s {url}/_control/tasks -d '{{"service": "dds", "id": "demo", "duration": 30}}'
  curl -s -H 'X-Auth-Token: {accounts.TOKEN}' '{url}/dds/v3/{accounts.PROJECT_ID}/jobs?id=demo'
"""


def leave(number: int, frame: FrameType | None) -> None:
    """End the program in good order; further signals change nothing."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    sys.exit(0)


def write_port(path: Path, port: int) -> None:
    """Write the port so that a reader never sees half of it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(path)


def main() -> None:
    """Serve until a signal comes or, if asked to, until the parent process is gone."""
    arguments = read_arguments()
    parent = os.getppid()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, leave)
    try:
        simulator = Simulator(arguments.port).start()
    except OSError as problem:
        sys.exit(f"cannot listen on port {arguments.port}: {problem.strerror}")
    try:
        if arguments.port_file:
            write_port(arguments.port_file, simulator.port)
        if not arguments.quiet:
            print(greeting(simulator.url), end="", flush=True)
        while not arguments.exit_with_parent or os.getppid() == parent:
            time.sleep(PARENT_INTERVAL)
    finally:
        simulator.stop()


if __name__ == "__main__":
    main()
