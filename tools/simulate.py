# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the simulator in the foreground and tell how to use it."""

from __future__ import annotations

import os
import sys

import checkout

sys.path.insert(0, str(checkout.ROOT / "tests"))
from simulator import accounts

PORT = "8085"
URL = f"http://127.0.0.1:{PORT}"

HOW = f"""\
A simulated cloud, until Ctrl-C. It needs no account and costs nothing; for more, see tests/simulator/README.md.
To try the modules, in another terminal, in this folder:
  source .venv/bin/activate
  export HW_REGION_NAME={accounts.REGION} HW_AUTH_URL={URL}/iam
  export HW_ACCESS_KEY={accounts.ACCESS_KEY} HW_SECRET_KEY={accounts.SECRET_KEY}
  curl -s {URL}/_control/tasks -d '{{"service": "dds", "id": "demo", "duration": 30}}'
  ansible-playbook huaweicloud.tasks.wait -e endpoint={URL} -e service=dds -e task_id=demo
"""


def main() -> None:
    print(HOW, flush=True)
    os.chdir(checkout.ROOT / "tests")
    os.execv(sys.executable, [sys.executable, "-m", "simulator", "--port", PORT, *sys.argv[1:]])


if __name__ == "__main__":
    main()
