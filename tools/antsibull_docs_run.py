# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run antsibull-docs in folders whose names do not end in "_": reStructuredText takes that for a reference."""

from __future__ import annotations

import pathlib
import runpy
import string
import sys
import tempfile

import checkout

if __name__ == "__main__":
    vars(tempfile)["_RandomNameSequence"].characters = string.ascii_lowercase + string.digits
    sys.argv[0] = str(pathlib.Path(checkout.BIN) / "antsibull-docs")
    runpy.run_path(sys.argv[0], run_name="__main__")
