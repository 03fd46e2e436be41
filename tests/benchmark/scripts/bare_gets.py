# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET addresses one after the other over one session and decode the responses: the least that Python must do.

    python bare_gets.py ADDRESSES TOKEN POLLS

ADDRESSES is a file with one address a line; they are requested in turn, POLLS times in all.
"""

from __future__ import annotations

import itertools
import pathlib
import sys

import requests


def main() -> None:
    addresses = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").split()
    session = requests.Session()
    for address in itertools.islice(itertools.cycle(addresses), int(sys.argv[3])):
        answer = session.get(address, headers={"X-Auth-Token": sys.argv[2]}, timeout=30)
        answer.json()["job"]["status"]


if __name__ == "__main__":
    main()
