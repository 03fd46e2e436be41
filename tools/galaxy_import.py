# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a tarball as Galaxy and Automation Hub do; a warning of theirs is a failure here."""

from __future__ import annotations

import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "galaxy_importer.main", *sys.argv[1:]]
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(process.stdout)
    complaints = [line for line in process.stdout.splitlines() if line.startswith(("WARNING", "ERROR"))]
    print(f"{len(complaints)} warnings or errors")
    return process.returncode or bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
