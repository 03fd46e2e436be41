# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for tasks of DDS with the vendor's SDK, as a script would.

    python sdk_wait.py ENDPOINT PROJECT_ID ACCESS_KEY SECRET_KEY SLEEP TASKS

TASKS is a file with one task id a line.
"""

from __future__ import annotations

import pathlib
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdds.v3 import DdsClient, ShowJobDetailRequest

FINAL = ("Completed", "Failed")


def main() -> None:
    endpoint, project_id, access_key, secret_key, sleep, tasks = sys.argv[1:]
    credentials = BasicCredentials(access_key, secret_key, project_id)
    client = DdsClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()
    waiting = pathlib.Path(tasks).read_text(encoding="utf-8").split()
    while True:
        waiting = [
            task for task in waiting if client.show_job_detail(ShowJobDetailRequest(id=task)).job.status not in FINAL
        ]
        if not waiting:
            return
        time.sleep(float(sleep))


if __name__ == "__main__":
    main()
